//! Files of the predecessor: what they become, with every note, and what is refused. R0.6

use std::fs;

use tuner_core::task::{BackendSpec, ImportOptions, ReadContext, import_predecessor, read, render_all, to_yaml};

use crate::malformed_files::files;

fn local() -> ImportOptions {
    ImportOptions { backend: Some(BackendSpec::Local) }
}

// R0.6
#[test]
fn every_predecessor_file_is_translated_or_refused_with_reasons() {
    let files = files("tests/it/predecessor");
    assert!(files.len() >= 6);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let options = if name.starts_with('9') { ImportOptions::default() } else { local() };
        let mut refused = false;
        let shown = match import_predecessor(&text, &options) {
            Ok(imported) => {
                let yaml = to_yaml(&imported.spec);
                assert_eq!(read(&yaml, &ReadContext::default()).unwrap().spec, imported.spec);
                assert!(imported.notes.iter().all(|n| !n.is_error()));
                format!("{yaml}\n# Notes\n\n{}", render_all(&imported.notes, &name, &text))
            }
            Err(findings) => {
                refused = true;
                render_all(&findings, &name, &text)
            }
        };
        assert_eq!(name.starts_with('9'), refused, "{shown}");
        insta::assert_snapshot!(name, shown);
    }
}

#[test]
fn docker_is_refused_unless_another_backend_is_chosen() {
    let text = fs::read_to_string(files("tests/it/predecessor").remove(0)).unwrap();
    let findings = import_predecessor(&text, &ImportOptions::default()).unwrap_err();
    let errors: Vec<&str> = findings.iter().filter(|f| f.is_error()).map(|f| f.message.as_str()).collect();
    assert_eq!(errors, ["deployment mode `docker` arrives with a later version"]);
    assert!(import_predecessor(&text, &local()).is_ok());
}

#[test]
fn a_file_of_this_project_is_not_taken_for_an_old_one() {
    let findings = import_predecessor(crate::good::MINIMAL, &local()).unwrap_err();
    assert_eq!(findings[0].message, "this is not a task file of the predecessor");
}

#[test]
fn a_token_in_the_file_is_never_copied() {
    let text = fs::read_to_string(files("tests/it/predecessor").remove(1)).unwrap();
    assert!(text.contains("hf_secret"));
    let imported = import_predecessor(&text, &local()).unwrap();
    assert!(!to_yaml(&imported.spec).contains("hf_secret"));
    assert!(!format!("{:?}", imported.notes).contains("hf_secret"));
}

// R10.1
#[test]
fn a_file_with_strategy_and_objective_only_gets_the_usual_time_per_experiment() {
    let text = "task_name: t\nmodel: {id_or_path: a/b}\nbase_runtime: vllm\nparameters: {}\n\
                optimization: {strategy: grid_search, objective: minimize_latency}\nbenchmark: {}\n";
    let imported = import_predecessor(text, &ImportOptions::default()).unwrap();
    assert_eq!(imported.spec.timeouts.experiment_s, 1800.0);
}
