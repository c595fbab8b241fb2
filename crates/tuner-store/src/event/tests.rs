use std::collections::BTreeSet;

use tuner_core::engine::ReadBackVerdict;
use tuner_core::{FailureClass, Value};

use super::*;
use crate::jobs::{JobKind, JobStatus};
use crate::workers::Asked;

fn every_kind() -> Vec<Event> {
    let owner = Owner { host: "gpu-7".to_owned(), pid: 42, start_ticks: 1000, pid_namespace: None };
    let resource = "task:01".to_owned();
    let failure = Failure::new(FailureClass::PortConflict, "port 8000 is taken");
    let read_back = ReadBack {
        name: "max-num-seqs".to_owned(),
        asked: "16".to_owned(),
        reported: Some("8".to_owned()),
        verdict: ReadBackVerdict::Different,
    };
    let figures = LevelFigures {
        level: 1,
        repeat: 0,
        valid: true,
        elapsed_s: 12.5,
        requests: RequestCounts { planned: 64, completed: 63, failed: 1, ..RequestCounts::default() },
        output_throughput: Some(812.25),
        ttft_p50_ms: Some(41.5),
        ttft_p99_ms: None,
        tpot_p50_ms: Some(8.0),
        error_rate: Some(0.015625),
    };
    let verdict = Some(serde_json::json!({ "verdict": "better" }));
    vec![
        Event::TaskCreated { name: "smoke".to_owned() },
        Event::LeaseClaimed { resource: resource.clone(), owner: owner.clone(), fence: 1, from: None },
        Event::TaskStarted { resumed: false, worker: owner.to_string() },
        Event::ExperimentCreated {
            role: Role::Search,
            configuration: Configuration::from([("max-num-seqs", Value::Int(16))]),
        },
        Event::AttemptStarted { attempt: 1, worker: owner.to_string() },
        Event::DeploymentReserved { attempt: 1, deployment: "d1".to_owned(), port: Some(8000) },
        Event::GpusReserved { attempt: 1, deployment: "d1".to_owned(), gpus: vec![0, 2] },
        Event::Phase { attempt: 1, phase: Phase::Provision },
        Event::DeploymentLaunched {
            attempt: 1,
            deployment: "d1".to_owned(),
            pid: Some(4242),
            address: Some("http://127.0.0.1:8000".to_owned()),
        },
        Event::Phase { attempt: 1, phase: Phase::Loading },
        Event::Phase { attempt: 1, phase: Phase::Ready },
        Event::Evidence { attempt: 1, evidence: Box::default() },
        Event::ReadBack { attempt: 1, arguments: vec![read_back] },
        Event::Phase { attempt: 1, phase: Phase::WarmUp { level: 1, repeat: 0 } },
        Event::Phase { attempt: 1, phase: Phase::Level { level: 1, repeat: 0 } },
        Event::LevelMeasured { attempt: 1, figures },
        Event::Phase { attempt: 1, phase: Phase::Stopping },
        Event::DeploymentStopped { attempt: 1, deployment: "d1".to_owned() },
        Event::AttemptEnded { attempt: 1, state: AttemptState::Failed, failure: Some(failure.clone()) },
        Event::ExperimentEnded { outcome: Outcome::Failed { failure }, score: None },
        Event::Note { severity: Severity::Warning, text: "the log stands still".to_owned() },
        Event::CancelRequested,
        Event::TaskEnded { status: TaskStatus::Cancelled, verdict, failure: None },
        Event::TaskReopened { was: TaskStatus::Cancelled },
        Event::LeaseReleased { resource: resource.clone(), fence: 1 },
        Event::LeaseBroken { resource, owner, fence: 2 },
        Event::TaskDeleted { name: "smoke".to_owned() },
        Event::JobsPurged { jobs: 7, ended_before: DateTime::<Utc>::UNIX_EPOCH },
    ]
    .into_iter()
    .chain(every_change_of_a_job())
    .chain(every_change_of_a_worker())
    .chain(every_change_of_the_library())
    .chain(every_change_of_a_machine())
    .chain(every_change_of_a_conversation())
    .collect()
}

fn every_change_of_a_job() -> Vec<Event> {
    let worker = Owner { host: "gpu-7".to_owned(), pid: 42, start_ticks: 1000, pid_namespace: None };
    let from = Some(Owner { pid: 41, ..worker.clone() });
    let (run_after, error) = (DateTime::<Utc>::UNIX_EPOCH, "the disk is full".to_owned());
    let changes = vec![
        JobChange::Queued { job_kind: JobKind::RunTask, priority: 5, run_after },
        JobChange::Claimed { attempt: 1, fence: 1, worker: worker.clone(), from: None },
        JobChange::Claimed { attempt: 2, fence: 2, worker, from },
        JobChange::Progressed { progress: serde_json::json!({ "done": 0.5 }) },
        JobChange::Released { fence: 2 },
        JobChange::Failed { attempt: 2, error: error.clone(), run_after },
        JobChange::CancelRequested,
        JobChange::Ended { status: JobStatus::Succeeded, error: None },
        JobChange::Ended { status: JobStatus::Dead, error: Some(error) },
        JobChange::Revived { was: JobStatus::Dead },
    ];
    let job: JobId = "0193a5c0-0000-7000-8000-000000000001".parse().unwrap();
    changes.into_iter().map(|change| Event::Job { job, change }).collect()
}

fn every_change_of_a_worker() -> Vec<Event> {
    let owner = Owner { host: "gpu-7".to_owned(), pid: 42, start_ticks: 1000, pid_namespace: None };
    let changes = vec![
        WorkerChange::Registered { owner, version: "0.1.0".to_owned() },
        WorkerChange::Asked { asked: Asked::Drain },
        WorkerChange::Removed,
    ];
    let worker: WorkerId = "0193a5c0-0000-7000-8000-000000000002".parse().unwrap();
    changes.into_iter().map(|change| Event::Worker { worker, change }).collect()
}

fn every_change_of_the_library() -> Vec<Event> {
    let replaces = "019abcde-0000-7000-8000-000000000001".parse().unwrap();
    let revised = Event::TaskRevised { name: "smoke".to_owned(), number: 2, replaces };
    let shelf = |item, change| Event::Shelf { item, name: "mine".to_owned(), change };
    vec![
        revised,
        Event::TaskArchived,
        Event::TaskUnarchived,
        shelf(ShelfKind::Preset, ShelfChange::Stored),
        shelf(ShelfKind::Dataset, ShelfChange::Changed),
        shelf(ShelfKind::Dataset, ShelfChange::Deleted),
    ]
}

fn every_change_of_a_machine() -> Vec<Event> {
    use MachineChange::{Changed, Deployed, Forgotten, Renamed, Stored};
    let machine = Uuid::from_u128(3);
    let told = |change| Event::Machine { machine, name: "gpu-a".to_owned(), change };
    [Stored, Changed, Deployed, Renamed, Forgotten].map(told).into()
}

fn every_change_of_a_conversation() -> Vec<Event> {
    use tuner_policy::Scope;
    use tuner_policy::chat::{Call, CallState, Cost, Decided, Grant, Limits, Mode, Risk, Run, RunState, Stop, Via};

    use crate::chat::*;
    let (at, id) = (DateTime::<Utc>::UNIX_EPOCH, Uuid::from_u128(1));
    let row = ChatSession {
        id,
        owner: "local".to_owned(),
        title: "why did it fail".to_owned(),
        mode: Mode::ReadOnly,
        summary: None,
        untrusted_at: Some(at),
        message_count: 2,
        created_at: at,
        updated_at: at,
    };
    let usage = ChatUsage { input_tokens: 900, output_tokens: 50, ..ChatUsage::default() };
    let body = MessageBody {
        text: "it ran out of memory".to_owned(),
        reasoning: "hm".to_owned(),
        model: Some("m".to_owned()),
        usage: Some(usage),
        post_authorization: true,
        feedback: Some(Feedback { good: true, text: None }),
    };
    let message = ChatMessageRow {
        id,
        session: id,
        run: Some(id),
        place: 2,
        role: ChatRole::Assistant,
        state: MessageState::Complete,
        body,
        created_at: at,
        updated_at: at,
    };
    let stop = Some(Stop { by: "local".to_owned(), at });
    let run = ChatRun {
        session: id,
        run: Run { state: RunState::Stopped, steps: 3, stop, failure: Some("enough".to_owned()), ..Run::new(id) },
        asker: serde_json::Value::Null,
        usage,
        created_at: at,
        ended_at: Some(at),
    };
    let decided = Decided {
        allowed: true,
        via: Via::Person,
        by: Some("local".to_owned()),
        reason: Some("go on".to_owned()),
        grant: Some(id),
        proposed: Some("{}".to_owned()),
        at,
    };
    let call = Call {
        id,
        run: id,
        step: 1,
        place: 0,
        tool: "restart_arq_worker".to_owned(),
        scope: Some(Scope::ArqControl),
        risk: Risk::Changes,
        task: Some("t".to_owned()),
        cost: Cost { experiments: 2, gpu_seconds: 1.5 },
        arguments: "{}".to_owned(),
        digest: "d".to_owned(),
        repeatable: false,
        state: CallState::Succeeded,
        decided: Some(decided),
        holder: Some(id),
        starts: 1,
        proposed_at: at,
        expires_at: Some(at),
        started_at: Some(at),
        ended_at: Some(at),
    };
    let result = CallResult { success: true, text: "{}".to_owned(), bytes: 2, cut: true, untrusted: true };
    let call = CallRow {
        call,
        session: id,
        message: id,
        provider_id: "call_1".to_owned(),
        effects: Some(serde_json::json!({ "summary": "Restart the worker" })),
        result: Some(result),
    };
    let grant = Grant {
        id,
        scope: Scope::TaskRun,
        tool: Some("start_*".to_owned()),
        task: Some("t".to_owned()),
        calls: Some(vec!["d".to_owned()]),
        limits: Limits { uses: Some(1), experiments: Some(30), gpu_seconds: Some(7200.0) },
        uses: 1,
        spent: Cost::default(),
        by: "local".to_owned(),
        created_at: at,
        expires_at: Some(at),
        revoked_at: Some(at),
    };
    let changes = vec![
        ChatChange::Session { row: Box::new(row) },
        ChatChange::Deleted,
        ChatChange::Message { row: Box::new(message) },
        ChatChange::Run { row: Box::new(run) },
        ChatChange::Call { row: Box::new(call) },
        ChatChange::Grant { row: Box::new(GrantRow { grant, session: id }) },
        ChatChange::Shadow { call: id, said: "deny: no".to_owned() },
        ChatChange::Compacted { up_to: 7, dropped: serde_json::json!([]) },
    ];
    changes.into_iter().map(|change| Event::Chat { session: id, change }).collect()
}

/// Stored events must stay readable: this file may grow, its lines may not change.
#[test]
fn events_are_written_like_this_for_ever() {
    let lines: Vec<String> = every_kind().iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"));
    let kinds: BTreeSet<&str> = every_kind().iter().map(Event::kind).collect();
    assert_eq!(kinds, BTreeSet::from(Event::KINDS), "a kind is missing above");
}

#[test]
fn an_event_is_read_back_as_it_was_written() {
    for (seq, event) in every_kind().into_iter().enumerate() {
        let row = EventRow {
            seq: seq as i64,
            task: Some(TaskId::new()),
            experiment: Some(3),
            at: DateTime::<Utc>::UNIX_EPOCH,
            event,
        };
        let value = serde_json::to_value(&row).unwrap();
        assert_eq!(value["kind"], row.event.kind());
        assert_eq!(serde_json::from_value::<EventRow>(value).unwrap(), row);
    }
}
