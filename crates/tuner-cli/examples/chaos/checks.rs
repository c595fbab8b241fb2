//! What must hold whatever was done: every experiment once, every end as if nothing had happened, nothing left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tuner_core::Outcome;
use tuner_core::plan::{AttemptState, Role};
use tuner_store::{
    Archived, Event, JobFilter, JobKind, JobStatus, Resource, Store, TaskId, TaskQuery, TaskState, TaskStatus,
};
use tuner_testkit::procs::{busy, naming};

use crate::follow::Seen;
use crate::place::Place;
use crate::record::Record;
use crate::tasks::{Asked, Sort, VIRTUAL, document};

/// By then nothing may be left of what has ended.
const GONE: Duration = Duration::from_secs(30);
const PAGE: u32 = 500;

/// What a task of each sort finds when nobody disturbs it.
pub(crate) type Expected = BTreeMap<&'static str, Value>;

/// Runs one task of each sort in peace.
pub(crate) async fn in_peace(autotuner: &Path, folder: &Path, sorts: &[Sort]) -> Result<Expected> {
    let mut expected = Expected::new();
    for sort in sorts {
        let home = folder.join(format!("peace-{}", sort.name));
        std::fs::create_dir_all(&home)?;
        let file = home.join("task.yaml");
        std::fs::write(&file, document(*sort))?;
        let mut command = std::process::Command::new(autotuner);
        command.arg("--data-dir").arg(&home).arg("tune").arg(&file);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            bail!("a task of sort {} ends with {status} in peace", sort.name);
        }
        let store = Store::open(&home.join("autotuner.sqlite")).await?;
        let id = store.task(sort.name).await?.id;
        expected.insert(sort.name, findings(&store.load(id).await?, sort.name));
        store.close().await?;
    }
    Ok(expected)
}

/// What does not depend on who died when. Of a task in virtual time all but its times and its attempts; of one on real
/// engines, whose figures are noisy, what was tried and that it worked.
fn findings(state: &TaskState, sort: &str) -> Value {
    if sort == VIRTUAL.name {
        let experiments = state.experiments.iter().map(|e| {
            let measured = e.last_attempt().map(|attempt| &attempt.measurements);
            json!({ "number": e.number, "role": e.role, "configuration": e.configuration, "outcome": e.outcome,
                "measured": measured })
        });
        return json!({ "verdict": state.row.verdict, "experiments": experiments.collect::<Vec<_>>() });
    }
    let searched = state.experiments.iter().filter(|e| !matches!(e.role, Role::Verify { .. }));
    let searched = searched.map(|e| {
        // What cannot win is ended early, on figures that are noise.
        let worked = matches!(e.outcome, Some(Outcome::Success { .. } | Outcome::Pruned { .. }));
        json!({ "number": e.number, "role": e.role, "configuration": e.configuration, "worked": worked })
    });
    json!({ "searched": searched.collect::<Vec<_>>() })
}

/// Rows and events after everything has ended.
pub(crate) async fn rows(store: &Store, asked: &Asked, expected: &Expected, record: &Record) -> Result<()> {
    let every = TaskQuery { archived: Archived::With, replaced: true, ..TaskQuery::default() };
    let mut page = store.find_tasks(&every, None, PAGE).await?;
    let mut rows = page.tasks;
    while let Some(next) = page.next {
        page = store.find_tasks(&every, Some(next), PAGE).await?;
        rows.append(&mut page.tasks);
    }
    let (mut experiments, mut attempts) = (0, BTreeMap::<String, u32>::new());
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    for (name, sort) in &asked.tasks {
        let Some(row) = rows.iter().find(|row| row.name == *name) else {
            record.wrong(format!("task {name} is lost"));
            continue;
        };
        let state = store.load(row.id).await?;
        experiments += state.experiments.len();
        one_task(&state, record);
        for attempt in state.experiments.iter().flat_map(|e| &e.attempts) {
            let class = attempt.failure.as_ref().filter(|_| attempt.state == AttemptState::Failed);
            let class = class.map(|failure| format!(" ({:?})", failure.class)).unwrap_or_default();
            *attempts.entry(format!("{:?}{class}", attempt.state).to_lowercase()).or_default() += 1;
        }
        let (found, wanted) = (findings(&state, sort), &expected[sort]);
        if let Some(difference) = difference(wanted, &found, "") {
            record.wrong(format!("task {name} ended otherwise than in peace: {difference}"));
            record.say(serde_json::to_string(&state.experiments).unwrap_or_default());
        }
        if let Some(holder) = store.holder(&Resource::task(row.id)).await? {
            record.wrong(format!("task {name} is still held by {holder}"));
        }
        for (experiment, holder) in store.held_experiments(row.id).await? {
            record.wrong(format!("experiment {experiment} of {name} is still held by {holder}"));
        }
    }
    for original in &asked.copies {
        let copies =
            names.iter().filter(|name| name.strip_prefix(original.as_str()).is_some_and(|rest| rest.starts_with("-")));
        if copies.clone().count() != 1 {
            record.wrong(format!("one copy of {original} was ordered, there are {:?}", copies.collect::<Vec<_>>()));
        }
    }
    let copies = names.len() - asked.tasks.keys().filter(|name| names.contains(name.as_str())).count();
    if copies != asked.copies.len() {
        record.wrong(format!("{} copies were ordered, there are {copies}", asked.copies.len()));
    }
    record.say(format!("{} tasks, {experiments} experiments, attempts: {attempts:?}", asked.tasks.len()));
    println!("  {} tasks, {experiments} experiments, attempts by state: {attempts:?}", asked.tasks.len());
    reports(store, asked, record).await
}

/// Reports were queued once each.
async fn reports(store: &Store, asked: &Asked, record: &Record) -> Result<()> {
    let filter = JobFilter { kinds: vec![JobKind::RenderReport], ..JobFilter::default() };
    let mut queued = BTreeMap::<TaskId, u32>::new();
    let mut after = None;
    loop {
        let page = store.list_jobs(&filter, after, PAGE).await?;
        page.jobs.iter().filter_map(|job| job.task).for_each(|task| *queued.entry(task).or_default() += 1);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for name in &asked.reports {
        let id = store.task(name).await?.id;
        let many = queued.get(&id).copied().unwrap_or_default();
        if many != 1 {
            record.wrong(format!("one report of {name} was ordered, {many} were queued"));
        }
    }
    Ok(())
}

/// Experiments of one task: numbered, ended, each with one success at most, and as their last attempt.
fn one_task(state: &TaskState, record: &Record) {
    let name = &state.row.name;
    if state.row.status != TaskStatus::Completed {
        record.wrong(format!("task {name} is {}", state.row.status));
    }
    for (position, experiment) in state.experiments.iter().enumerate() {
        let what = format!("experiment {} of {name}", experiment.number);
        if experiment.number as usize != position + 1 {
            record.wrong(format!("{what} stands at place {}", position + 1));
        }
        if experiment.outcome.is_none() {
            record.wrong(format!("{what} has no outcome"));
        }
        for (position, attempt) in experiment.attempts.iter().enumerate() {
            let last = position + 1 == experiment.attempts.len();
            if attempt.number as usize != position + 1 || attempt.state == AttemptState::Running {
                record.wrong(format!(
                    "attempt {} of {what} is {:?} at place {}",
                    attempt.number,
                    attempt.state,
                    position + 1
                ));
            }
            if attempt.state == AttemptState::Succeeded && !last {
                record.wrong(format!("attempt {} of {what} succeeded, and another one came after it", attempt.number));
            }
        }
    }
}

/// The log of all events: what a client saw of it, and what it says of each experiment.
pub(crate) async fn events(store: &Store, seen: &Seen, until: i64, record: &Record) -> Result<()> {
    let (mut rows, mut last) = (Vec::new(), 0);
    loop {
        let page = store.events_since(last, None, PAGE).await?;
        let Some(newest) = page.last() else { break };
        last = newest.seq;
        rows.extend(page);
    }
    let numbers: Vec<i64> = rows.iter().map(|row| row.seq).filter(|number| *number <= until).collect();
    let both = seen.numbers.len().min(numbers.len());
    if let Some(at) = (0..both).find(|&at| numbers[at] != seen.numbers[at]) {
        let around = at.saturating_sub(3)..(at + 4).min(both);
        record.wrong(format!(
            "the client saw {:?} where the store has {:?}",
            &seen.numbers[around.clone()],
            &numbers[around]
        ));
    } else if seen.numbers.len() < numbers.len() {
        record.wrong(format!("the client saw {} events of {}", seen.numbers.len(), numbers.len()));
    }
    println!("  {} events, seen once and in order over {} connections", numbers.len(), seen.connections);
    let mut once = BTreeMap::<(TaskId, u32, &str), u32>::new();
    let mut running = BTreeMap::<(TaskId, u32), u32>::new();
    for row in &rows {
        let (Some(task), Some(experiment)) = (row.task, row.experiment) else { continue };
        match &row.event {
            Event::ExperimentCreated { .. } => *once.entry((task, experiment, "created")).or_default() += 1,
            Event::ExperimentEnded { .. } => *once.entry((task, experiment, "ended")).or_default() += 1,
            Event::AttemptStarted { attempt, .. } => {
                if let Some(other) = running.insert((task, experiment), *attempt) {
                    record.wrong(format!(
                        "attempts {other} and {attempt} of {task}/{experiment} ran at once, event {}",
                        row.seq
                    ));
                }
            }
            Event::AttemptEnded { attempt, .. } => {
                let ran = running.remove(&(task, experiment));
                if ran != Some(*attempt) {
                    record.wrong(format!(
                        "attempt {attempt} of {task}/{experiment} ended without running, event {}",
                        row.seq
                    ));
                }
            }
            _ => {}
        }
    }
    for ((task, experiment, what), times) in once.iter().filter(|(_, times)| **times != 1) {
        record.wrong(format!("experiment {experiment} of {task} was {what} {times} times"));
    }
    for ((task, experiment), attempt) in running {
        record.wrong(format!("attempt {attempt} of {task}/{experiment} never ended"));
    }
    Ok(())
}

/// Nothing runs, listens or is held half a minute after everything was asked to end.
pub(crate) async fn nothing_left(place: &Place, store: &Store, folder: &Path, record: &Record) -> Result<()> {
    let begun = Instant::now();
    let mut ports = BTreeSet::new();
    let mut last = 0;
    loop {
        let page = store.events_since(last, None, PAGE).await?;
        let Some(newest) = page.last() else { break };
        last = newest.seq;
        ports.extend(page.iter().filter_map(|row| match &row.event {
            Event::DeploymentReserved { port, .. } => *port,
            _ => None,
        }));
    }
    loop {
        let left = left(place, store, folder, &ports).await?;
        if left.is_empty() {
            println!(
                "  nothing is left {:.1} s after the end; {} ports were used",
                begun.elapsed().as_secs_f64(),
                ports.len()
            );
            return Ok(());
        }
        if begun.elapsed() > GONE {
            left.into_iter().for_each(|what| record.wrong(format!("left {GONE:?} after the end: {what}")));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn left(place: &Place, store: &Store, folder: &Path, ports: &BTreeSet<u16>) -> Result<Vec<String>> {
    let mut left: Vec<String> = Vec::new();
    left.extend(naming(folder).into_iter().map(|(pid, line)| format!("process {pid}: {line}")));
    left.extend(
        place.machines.iter().flat_map(|m| m.listening().into_iter().map(|port| format!("port {port} on {}", m.name))),
    );
    // Strangers on this machine may listen too: only where no process is left it is certainly not ours.
    if !left.is_empty() {
        left.extend(busy(ports).into_iter().map(|port| format!("port {port}")));
    }
    let rows = store.live_deployments().await?;
    left.extend(rows.into_iter().map(|row| format!("deployment {} on {}, {:?}", row.id, row.host, row.state)));
    left.extend(store.list_workers().await?.into_iter().map(|row| format!("worker {} ({})", row.id, row.owner)));
    let open = JobFilter { statuses: vec![JobStatus::Running, JobStatus::Queued], ..JobFilter::default() };
    let jobs = store.list_jobs(&open, None, PAGE).await?.jobs;
    let running = jobs.into_iter().filter(|job| job.status == JobStatus::Running || job.kind == JobKind::RunTask);
    left.extend(running.map(|job| format!("job {} of kind {} is {}", job.id, job.kind, job.status)));
    Ok(left)
}

/// Where two values differ first.
fn difference(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            keys.into_iter().find_map(|key| difference(&a[key.as_str()], &b[key.as_str()], &format!("{path}.{key}")))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            (0..x.len()).find_map(|at| difference(&x[at], &y[at], &format!("{path}[{at}]")))
        }
        _ if a == b => None,
        _ => Some(format!("{path}: {a} in peace, {b} here")),
    }
}
