//! Several who work on one task, in one process: who plans, who helps, who is gone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tuner_core::Outcome;
use tuner_core::plan::{AttemptState, FinalStatus};
use tuner_deploy::LocalBackend;
use tuner_runner::{Clock, HelpEnd, Lab, RealLab, RealLabSettings, RunEnd, VirtualLab, Worker, this_process};
use tuner_store::{Again, Capabilities, Claimed, Event, JobAsk, JobKind, Needs, Owner, Resource, Store};

use crate::world::World;

const TASK: &str = "
name: shared
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space: {parameters: {max-num-seqs: [2, 4, 8, 16, 32, 64]}}
baseline: {max-num-seqs: 1}
workload: {scenario: 'D(32,8)'}
load: {levels: [{concurrency: 1}, {concurrency: 8}], requests: 8}
sampler: {kind: grid}
budget: {experiments: 7, parallel: 2}
verification: {blocks: 2}
";

const LEASE: Duration = Duration::from_secs(30);

/// Computed engines, but steps, leases and jobs in real time: help is a matter of real processes.
async fn world() -> World {
    let computed = Arc::new(Clock::starting_at(Utc::now()));
    let store = Store::in_memory().await.unwrap();
    let mut world = World::new(TASK, store, Lab::Virtual(VirtualLab::new(computed)), Arc::new(Clock::Real)).await;
    world.worker.help = Some(Needs::default());
    world
}

fn elsewhere() -> Owner {
    Owner { host: "elsewhere.invalid".to_owned(), pid: 7, start_ticks: 7, pid_namespace: None }
}

/// Takes a job of help out of the queue when there is one, and helps.
async fn help(world: &World) -> HelpEnd {
    help_in(world, computed(), false).await
}

fn computed() -> Lab {
    Lab::Virtual(VirtualLab::new(Arc::new(Clock::starting_at(Utc::now()))))
}

/// The same somewhere; asked to end with what it does as soon as it does something, if it is to be `drained`.
async fn help_in(world: &World, lab: Lab, drained: bool) -> HelpEnd {
    let kinds = vec![JobKind::HelpTask];
    let ask = JobAsk { owner: elsewhere(), kinds, offer: Capabilities::default(), ttl: LEASE };
    let job = loop {
        match world.worker.store.claim_job(&ask).await.unwrap() {
            Some(job) => break job,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let helper = Worker {
        store: world.worker.store.clone(),
        lab,
        clock: Arc::new(Clock::Real),
        owner: elsewhere(),
        forecast: Box::new(tuner_core::plan::NoForecast),
        activity: tokio::sync::watch::Sender::new(Default::default()),
        help: None,
    };
    let (stop, leave) = (CancellationToken::new(), CancellationToken::new());
    let mut seen = helper.activity.subscribe();
    let drain = async {
        if drained && seen.changed().await.is_ok() {
            leave.cancel();
        }
        std::future::pending::<HelpEnd>().await
    };
    let end = tokio::select! {
        end = helper.help(world.task, &world.loaded.space, [&stop, &leave]) => end.unwrap(),
        end = drain => end,
    };
    match &end {
        HelpEnd::Unfit { why } => job.fail(why, Again::Never).await.map(|_| ()).unwrap(),
        _ => job.finish(None).await.unwrap(),
    }
    end
}

fn completed(end: &RunEnd) -> bool {
    matches!(end, RunEnd::Finished { status: FinalStatus::Completed, .. })
}

/// Somebody who has written down the baseline and one experiment more, and died; somebody who runs the second.
async fn left_behind(world: &World, planner: &Owner, helper: &Owner, age: TimeDelta) -> Claimed {
    let store = &world.worker.store;
    let now = Utc::now() - age;
    let claim = async |resource, who| store.claim(&resource, who, LEASE, now).await.unwrap().won().unwrap();
    let lease = claim(Resource::task(world.task), planner).await;
    let pen = store.claimed(world.task, lease.clone());
    pen.start_task().await.unwrap();
    let spec = &world.loaded.spec;
    pen.create_experiment(1, tuner_core::plan::Role::Baseline, &spec.baseline).await.unwrap();
    let two = tuner_core::Configuration::from([("max-num-seqs", tuner_core::Value::Int(2))]);
    pen.create_experiment(2, tuner_core::plan::Role::Search, &two).await.unwrap();
    let running = store.claimed(world.task, claim(Resource::experiment(world.task, 2), helper).await);
    running.begin_attempt(2).await.unwrap();
    store.release(&lease).await.unwrap();
    running
}

async fn states(world: &World, number: u32) -> Vec<AttemptState> {
    let experiments = world.experiments().await;
    experiments.iter().find(|e| e.number == number).unwrap().attempts.iter().map(|a| a.state).collect()
}

/// Issue 4, point 2: a worker that is drained ends with what it runs, also where more could be done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_helper_whose_worker_is_drained_ends_with_its_present_experiment() {
    let world = world().await;
    let (end, helped) = tokio::join!(world.run(), help_in(&world, computed(), true));
    assert!(completed(&end.unwrap()));
    let HelpEnd::Done { ran, why } = helped else { panic!("{helped:?}") };
    assert_eq!((ran.len(), why), (1, "this worker takes up nothing more"));
    let experiments = world.experiments().await;
    assert!(experiments.iter().all(|e| matches!(e.outcome, Some(Outcome::Success { .. }))), "{experiments:#?}");
    assert!(experiments.iter().all(|e| e.attempts.len() == 1), "each once");
}

/// Issue 4, point 2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_helper_runs_what_is_open_and_leaves_when_verification_begins() {
    let world = world().await;
    let (end, helped) = tokio::join!(world.run(), help(&world));
    assert!(completed(&end.unwrap()));
    let HelpEnd::Done { ran, why } = helped else { panic!("{helped:?}") };
    assert!(["no more help is wanted", "the task does not run"].contains(&why), "{why}");
    let experiments = world.experiments().await;
    assert!(experiments.iter().all(|e| matches!(e.outcome, Some(Outcome::Success { .. }))), "{experiments:#?}");
    assert!(experiments.iter().all(|e| e.attempts.len() == 1), "each once");
    let events = world.events().await;
    let by_the_helper = events.iter().filter_map(|row| match &row.event {
        Event::AttemptStarted { worker, .. } if *worker == elsewhere().to_string() => row.experiment,
        _ => None,
    });
    assert_eq!(by_the_helper.collect::<Vec<_>>(), ran, "what it says it ran is what it ran");
}

/// Issue 4: a host that lacks what the task needs costs no experiment, and is not asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_helper_without_the_engine_leaves_and_nothing_is_concluded_from_it() {
    let world = world().await;
    let dir = tempfile::tempdir().unwrap();
    let settings = RealLabSettings {
        egress: tuner_deploy::Egress::open(),
        datasets: dir.path().join("datasets"),
        logs: dir.path().join("logs"),
        launchers: Default::default(),
        proxies: Default::default(),
        ambient: Default::default(),
        api_key: None,
        hub_cache: None,
        gpus: Vec::new(),
        hardware: None,
    };
    let bare = Lab::Real(Box::new(RealLab::new(LocalBackend::new(dir.path()).unwrap(), settings)));
    let (end, helped) = tokio::join!(world.run(), help_in(&world, bare, false));
    assert!(completed(&end.unwrap()));
    let HelpEnd::Unfit { why } = helped else { panic!("{helped:?}") };
    let experiments = world.experiments().await;
    assert!(experiments.iter().all(|e| matches!(e.outcome, Some(Outcome::Success { .. }))), "{why}: {experiments:#?}");
    let tries: Vec<_> = experiments.iter().flat_map(|e| &e.attempts).map(|a| a.state).collect();
    assert_eq!(tries.iter().filter(|state| **state == AttemptState::Cancelled).count(), 1, "{why}");
    let jobs = world.worker.store.list_jobs(&Default::default(), None, 9).await.unwrap().jobs;
    let again = jobs.iter().filter(|job| job.worker.is_none());
    assert!(again.into_iter().all(|job| job.needs.not_hosts.contains("elsewhere.invalid")), "{jobs:#?}");
}

/// B8: who died on this host is known to be dead, and whoever plans goes on at once.
#[tokio::test]
async fn an_attempt_of_a_helper_that_is_dead_is_interrupted_at_once() {
    let world = world().await;
    let dead = Owner { start_ticks: this_process().start_ticks + 1, ..this_process() };
    left_behind(&world, &dead, &dead, TimeDelta::zero()).await;
    assert!(completed(&world.run().await.unwrap()));
    assert_eq!(states(&world, 2).await, [AttemptState::Interrupted, AttemptState::Succeeded]);
}

/// Issue 4: whoever plans next disturbs nobody who runs an experiment, and waits for the end of it.
#[tokio::test]
async fn a_helper_that_lives_is_left_alone_by_the_next_planner() {
    let world = world().await;
    let running = left_behind(&world, &elsewhere(), &elsewhere(), TimeDelta::zero()).await;
    let ends = async {
        while world.experiments().await[0].outcome.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(states(&world, 2).await, [AttemptState::Running]);
        let first = world.experiments().await[0].attempts[0].measurements.clone();
        for measurement in &first {
            running.record_measurement(2, 1, measurement).await.unwrap();
        }
        let end = tuner_store::AttemptEnd { state: AttemptState::Succeeded, failure: None, gpu_seconds: 0.0 };
        running.end_attempt(2, 1, &end).await.unwrap();
        running.store().release(running.lease()).await.unwrap();
    };
    let (end, ()) = tokio::join!(world.run(), ends);
    assert!(completed(&end.unwrap()));
    assert_eq!(states(&world, 2).await, [AttemptState::Succeeded], "nobody ran it again");
}

/// Issue 4: one that was silent for too long has lost what it ran, and can write nothing of it.
#[tokio::test]
async fn a_helper_that_is_silent_for_too_long_is_given_up() {
    let world = world().await;
    let late = left_behind(&world, &elsewhere(), &elsewhere(), TimeDelta::seconds(60)).await;
    assert!(completed(&world.run().await.unwrap()));
    assert_eq!(states(&world, 2).await, [AttemptState::Interrupted, AttemptState::Succeeded]);
    let end = tuner_store::AttemptEnd { state: AttemptState::Succeeded, failure: None, gpu_seconds: 0.0 };
    let refused = late.end_attempt(2, 1, &end).await;
    assert!(matches!(refused, Err(tuner_store::StoreError::LeaseLost { .. })), "{refused:?}");
    assert!(!world.worker.store.renew(late.lease(), Utc::now()).await.unwrap().still_mine);
}

/// In virtual time the places are taken in turn, always in the same order.
#[tokio::test]
async fn a_task_in_virtual_time_is_the_same_each_time_however_many_places_it_has() {
    let mut found = Vec::new();
    for _ in 0..2 {
        let world = World::in_virtual_time(TASK).await;
        assert!(completed(&world.run().await.unwrap()));
        let experiments = world.experiments().await.into_iter();
        found.push(
            experiments.map(|e| (e.number, e.configuration.clone(), e.measurements().to_vec())).collect::<Vec<_>>(),
        );
        let order: Vec<String> = world.events().await.iter().filter_map(begun_or_created).collect();
        insta::allow_duplicates! { insta::assert_snapshot!(order.join("\n")); }
    }
    assert_eq!(found[0], found[1]);
}

fn begun_or_created(row: &tuner_store::EventRow) -> Option<String> {
    match &row.event {
        Event::ExperimentCreated { .. } | Event::AttemptStarted { .. } | Event::ExperimentEnded { .. } => {
            Some(crate::world::line(row))
        }
        _ => None,
    }
}
