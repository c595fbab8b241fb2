//! Every file in `malformed/` has a golden message in `snapshots/`. Read a message as a newcomer would: what is wrong,
//! where, what may stand there, what to do.

use std::fs;
use std::path::PathBuf;

use tuner_core::engine::EngineName;
use tuner_core::task::{ReadContext, read, render_all};

pub(crate) fn context() -> ReadContext<'static> {
    const GPUS: [&str; 2] = ["h100-80g", "l4-24g"];
    fn flags(engine: EngineName) -> Option<Vec<String>> {
        (engine == EngineName::Vllm).then(|| ["max-num-seqs", "block-size", "dtype"].map(str::to_owned).to_vec())
    }
    ReadContext { known_flags: Some(&flags), known_gpus: Some(&GPUS), ..ReadContext::default() }
}

pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml" || e == "json"));
    files.sort();
    files
}

#[test]
fn every_malformed_file_is_explained() {
    let files = files("tests/it/malformed");
    assert!(files.len() >= 40, "{} files", files.len());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        // Without a catalogue: notes about flags would drown the errors.
        let context = ReadContext { known_flags: None, ..context() };
        let findings = read(&text, &context).expect_err(&name);
        assert!(findings.iter().any(|f| f.is_error()), "{name}");
        insta::assert_snapshot!(name.clone(), render_all(&findings, &name, &text));
    }
}

#[test]
fn an_unknown_flag_is_a_note_with_the_nearest_name() {
    let text =
        "name: demo\nmodel: {id: a/b}\nengine: {name: vllm}\nsearch_space: {parameters: {max_num_seqs: [1, 2]}}\n";
    let task = read(text, &context()).unwrap();
    insta::assert_snapshot!(render_all(&task.notes, "task.yaml", text));
}
