//! Killed at random moments while a real process serves: what is left is found and ended, and the task goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::ask::assert_numbered;
use super::home::{Home, PATIENCE, Running};
use tuner_testkit::dice::{Dice, setting};
use tuner_testkit::procs::{lifelines, send};

/// One running request at a time is the worst there is, so the baseline loses whatever the noise.
pub(super) const SIMULATED: &str = "
name: crash
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 50}}
backend: {kind: local}
search_space: {parameters: {max-num-seqs: [4, 16]}}
baseline: {max-num-seqs: 1}
workload: {scenario: 'D(32,4)'}
load: {levels: [{concurrency: 1}, {concurrency: 4}], requests: 16}
sampler: {kind: grid}
budget: {experiments: 3}
verification: {blocks: 2}
";

/// R0.2, B8. Ten kills with `AUTOTUNER_CRASH_ROUNDS` set to at least ten.
#[test]
fn a_task_on_engine_processes_killed_at_random_moments_leaves_nothing_behind() {
    let rounds = setting("AUTOTUNER_CRASH_ROUNDS", 4).min(10);
    torment(&Home::new(), SIMULATED, rounds, Duration::from_secs(5));
}

/// The same with llama.cpp, where a data directory that has it is named.
#[test]
fn a_task_on_llama_cpp_killed_at_random_moments_leaves_nothing_behind() {
    let Some(live) = std::env::var_os("AUTOTUNER_LIVE_DATA_DIR").map(PathBuf::from) else {
        eprintln!("skipped: AUTOTUNER_LIVE_DATA_DIR names no data directory with llama.cpp and its sample model");
        return;
    };
    let home = Home::new();
    std::os::unix::fs::symlink(live.join("engines"), home.data().join("engines")).unwrap();
    let model = find_gguf(&live.join("models")).unwrap();
    let task = format!(
        "
name: crash
model: {{path: {}}}
engine: {{name: llama.cpp, fixed: {{ctx-size: 2048, threads: 1}}}}
search_space: {{parameters: {{batch-size: [128, 512], parallel: [2, 4]}}}}
workload: {{scenario: 'D(32,8)'}}
load: {{levels: [{{concurrency: 1}}, {{concurrency: 2}}], requests: 4}}
sampler: {{kind: grid}}
budget: {{experiments: 3}}
verification: {{blocks: 2}}
",
        model.display()
    );
    torment(&home, &task, setting("AUTOTUNER_CRASH_ROUNDS", 10).min(10), Duration::from_secs(12));
}

fn find_gguf(folder: &std::path::Path) -> Option<PathBuf> {
    let paths: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.filter_map(|e| Some(e.ok()?.path())).collect();
    let is_one = |path: &&PathBuf| path.extension().is_some_and(|e| e == "gguf");
    paths.iter().find(is_one).cloned().or_else(|| paths.iter().filter(|p| p.is_dir()).find_map(|p| find_gguf(p)))
}

/// Kills `rounds` times, at moments up to `limit` after a start, then lets the task end and looks at what is left.
fn torment(home: &Home, task: &str, rounds: u64, limit: Duration) {
    let file = home.task(task);
    let mut dice = Dice::new(2);
    let mut ports = BTreeSet::new();
    let (mut kills, mut done, mut orphans, mut without_lifeline) = (0, 0, 0, 0);
    let mut run = home.start(&["tune", &file]);
    while kills < rounds {
        let end = watch(home, &mut run, dice.moment(limit), &mut ports);
        match end {
            // It got through before all kills were spent (the rest goes to another one of the same kind), or was
            // killed before it was stored.
            Some(Some(0 | 4)) => {
                if stored(home) > done {
                    finished(home, task, &ports);
                    done += 1;
                }
                run = home.start(&["tune", &file]);
            }
            Some(other) => panic!("exit code {other:?}"),
            None => {
                // Every second time nobody else knows of the engine: only the next start can find it.
                if dice.coin() {
                    lifelines(&home.data()).into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
                    without_lifeline += 1;
                }
                run.kill();
                kills += 1;
                orphans += usize::from(!home.processes().is_empty());
                run = home.start(&["tune", "--resume"]);
            }
        }
    }
    loop {
        match watch(home, &mut run, PATIENCE * 5, &mut ports) {
            Some(Some(0 | 4)) if stored(home) > done => break,
            Some(Some(4)) => run = home.start(&["tune", &file]),
            other => panic!("{other:?}"),
        }
    }
    finished(home, task, &ports);
    println!(
        "{kills} kills, {orphans} with an engine left, {without_lifeline} without a lifeline; {} ports",
        ports.len()
    );
}

fn stored(home: &Home) -> usize {
    home.json(&["tasks", "list"]).as_array().unwrap().len()
}

/// Watches a run for a while: at no moment do engines of two attempts live, and its ports are noted. Gives how it
/// ended, if it did.
fn watch(home: &Home, run: &mut Running, limit: Duration, ports: &mut BTreeSet<u16>) -> Option<Option<i32>> {
    let began = std::time::Instant::now();
    let end = loop {
        let live = home.processes();
        let ids: BTreeSet<&str> = live.iter().map(|(_, id)| id.as_str()).collect();
        // The table is read bit by bit: only who lives before and after lived at the same time.
        if ids.len() > 1 {
            let again = home.processes();
            let both: BTreeMap<_, _> = live.iter().filter(|p| again.contains(p)).map(|(pid, id)| (id, pid)).collect();
            assert!(both.len() <= 1, "two deployments at once: {both:?}");
        }
        if let Some(status) = run.ended_within(Duration::from_millis(50)) {
            break Some(status.code());
        }
        if began.elapsed() >= limit {
            break None;
        }
    };
    ports.extend(run.events().filter_map(|event| event["port"].as_u64()).map(|port| port as u16));
    end
}

/// What holds after a task has ended, however often it was cut off.
fn finished(home: &Home, task: &str, ports: &BTreeSet<u16>) {
    home.assert_clean(ports);
    let tasks = home.json(&["tasks", "list"]);
    let newest = &tasks.as_array().unwrap()[0];
    assert_eq!(newest["status"], "completed", "{newest:#}");
    let experiments = home.json(&["experiments", "list", newest["name"].as_str().unwrap()]);
    assert_numbered(&experiments);
    let experiments = experiments.as_array().unwrap();
    let searched: BTreeSet<String> =
        experiments.iter().filter(|e| e["role"]["kind"] != "verify").map(|e| e["configuration"].to_string()).collect();
    assert_eq!(searched.len(), 3, "each configuration once: {searched:?} of {task}");
    let roles: Vec<&str> = experiments.iter().map(|e| e["role"]["kind"].as_str().unwrap()).collect();
    let expected = [vec!["baseline"], vec!["search"; 2], vec!["verify"; roles.len() - 3]].concat();
    assert_eq!(roles, expected);
    assert!(roles.len() == 3 || roles.len() == 7, "a verification of two pairs, or none: {roles:?}");
    for experiment in experiments {
        assert_eq!(experiment["outcome"]["kind"], "success", "{experiment:#}");
        let attempts = experiment["attempts"].as_array().unwrap();
        let levels: Vec<&Value> = attempts.last().unwrap()["measurements"].as_array().unwrap().iter().collect();
        let valid = levels.iter().filter(|m| m["validity"]["verdict"] == "valid").count();
        assert!(valid == 2 || levels.len() > 2, "two levels, each measured once: {experiment:#}");
        for (position, attempt) in attempts.iter().enumerate() {
            assert_eq!(attempt["number"], position + 1);
            assert_ne!(attempt["state"], "running");
        }
    }
}
