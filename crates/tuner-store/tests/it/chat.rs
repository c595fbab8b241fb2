//! Conversations: what is said, what runs, what is decided, and what is told of it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use tuner_policy::Scope;
use tuner_policy::chat::{
    CallState, Command, Cost, Ending, Grant, Happened, Mode, Proposal, Refused, Risk, Rules, RunState, Verdict,
};
use tuner_store::{
    About, CallEnd, CallResult, ChatChange, ChatRole, ChatUsage, Conversation, Event, Feedback, MessageBody,
    MessageState, NewAnswer, NewCall, NewMessage, NewSession, Store, StoreError, TaskNews, TaskStatus,
};
use uuid::Uuid;

use crate::fixture::Fixture;

pub(crate) async fn session(store: &Store) -> Uuid {
    let new = NewSession { id: Uuid::now_v7(), owner: "local".to_owned(), title: "t".to_owned(), mode: Mode::Ask };
    store.create_session(new).await.unwrap().id
}

pub(crate) fn said(text: &str) -> NewMessage {
    NewMessage { id: Uuid::now_v7(), text: text.to_owned(), asker: json!({ "name": "local" }) }
}

pub(crate) fn call(tool: &str, scope: Option<Scope>) -> NewCall {
    let id = Uuid::now_v7();
    let proposal = Proposal {
        id,
        tool: tool.to_owned(),
        scope,
        risk: if scope.is_some() { Risk::Changes } else { Risk::Reads },
        task: None,
        cost: Cost::default(),
        arguments: "{}".to_owned(),
        digest: format!("{tool} {id}"),
        repeatable: true,
        verdict: Verdict::Sound,
    };
    NewCall { proposal, provider_id: format!("call_{tool}"), effects: Some(json!({ "summary": tool })), unfit: None }
}

pub(crate) fn answer(text: &str, calls: Vec<NewCall>) -> NewAnswer {
    NewAnswer {
        message: Uuid::now_v7(),
        body: MessageBody { text: text.to_owned(), ..MessageBody::default() },
        usage: ChatUsage { input_tokens: 10, output_tokens: 3, ..ChatUsage::default() },
        calls,
        patience: TimeDelta::hours(1),
    }
}

pub(crate) fn result(text: &str) -> CallResult {
    CallResult { success: true, text: text.to_owned(), bytes: text.len() as u64, cut: false, untrusted: false }
}

/// What a client that only follows events knows.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Heard {
    rows: BTreeMap<String, serde_json::Value>,
}

impl Heard {
    pub(crate) fn hear(&mut self, event: &Event) {
        let Event::Chat { change, .. } = event else { panic!("{event:?}") };
        let (key, row) = match change {
            ChatChange::Message { row } => (format!("message {}", row.id), serde_json::to_value(row)),
            ChatChange::Run { row } => (format!("run {}", row.run.id), serde_json::to_value(row)),
            ChatChange::Call { row } => (format!("call {}", row.call.id), serde_json::to_value(row)),
            ChatChange::Grant { row } => (format!("grant {}", row.grant.id), serde_json::to_value(row)),
            _ => return,
        };
        self.rows.insert(key, row.unwrap());
    }

    pub(crate) fn of(talk: &Conversation) -> Self {
        let mut rows = BTreeMap::new();
        let mut put = |key: String, row: serde_json::Value| rows.insert(key, row);
        for row in &talk.messages {
            put(format!("message {}", row.id), serde_json::to_value(row).unwrap());
        }
        for row in &talk.runs {
            put(format!("run {}", row.run.id), serde_json::to_value(row).unwrap());
        }
        for row in &talk.calls {
            put(format!("call {}", row.call.id), serde_json::to_value(row).unwrap());
        }
        for row in &talk.grants {
            put(format!("grant {}", row.grant.id), serde_json::to_value(row).unwrap());
        }
        Self { rows }
    }
}

/// R2.2, R5.1, R6.1, R6.2: a call waits in the store, is decided once, done once, and the events hold all that the rows do.
pub(crate) async fn what_followers_of_a_conversation_hear_is_what_its_rows_hold(f: Fixture) {
    let (store, rules) = (&f.store, Rules::default());
    let id = session(store).await;
    let (message, run) = store.say(id, said("restart the worker")).await.unwrap();
    assert_eq!(
        (message.state, message.role, run.run.state),
        (MessageState::Complete, ChatRole::User, RunState::Queued)
    );
    let run = run.run.id;
    store.apply(run, Command::Think, &rules).await.unwrap();
    let (reads, writes) = (call("list_tasks", None), call("restart_arq_worker", Some(Scope::ArqControl)));
    let (look, restart) = (reads.proposal.id, writes.proposal.id);
    store.answer(run, answer("I will", vec![reads, writes]), &rules).await.unwrap();
    let holder = Uuid::now_v7();
    let refused = store.apply(run, Command::Start { call: restart, holder }, &rules).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refused::NotYours))), "{refused:?}");
    store.apply(run, Command::Start { call: look, holder }, &rules).await.unwrap();
    let end =
        |call, text: &str| CallEnd { call, holder, ending: Ending::Succeeded, result: result(text), output: None };
    store.end_call(run, end(look, "[]"), &rules).await.unwrap();
    assert_eq!(store.chat_run(run).await.unwrap().run.state, RunState::AwaitingAuthorization);

    let digest = store.book(run).await.unwrap().calls[1].digest.clone();
    let approve = Command::Approve { call: restart, digest, edited: None, by: "local".to_owned() };
    store.apply(run, approve.clone(), &rules).await.unwrap();
    assert_eq!(store.apply(run, approve, &rules).await.unwrap(), [], "the second click does nothing");
    store.apply(run, Command::Start { call: restart, holder }, &rules).await.unwrap();
    let other = Uuid::now_v7();
    let twice = store.apply(run, Command::Start { call: restart, holder: other }, &rules).await;
    assert!(matches!(twice, Err(StoreError::Refused(Refused::NotYours))));
    store.end_call(run, end(restart, "pid 7"), &rules).await.unwrap();
    store.apply(run, Command::Think, &rules).await.unwrap();
    store.answer(run, answer("done", Vec::new()), &rules).await.unwrap();

    let talk = store.conversation(id).await.unwrap();
    assert_eq!(talk.session.message_count, 3);
    assert_eq!(talk.runs[0].usage.input_tokens, 20);
    assert_eq!(talk.calls.iter().map(|row| row.call.state).collect::<Vec<_>>(), [CallState::Succeeded; 2]);
    assert_eq!(store.call_output(id, restart).await.unwrap(), "pid 7");
    let rated = Feedback { good: false, text: Some("slow".to_owned()) };
    store.rate_message(id, talk.messages[2].id, Some(rated)).await.unwrap();

    let talk = store.conversation(id).await.unwrap();
    assert_eq!(talk.session.message_count, 3, "a change is no new message");
    let all = store.events_since(0, About::Session(id), 1000).await.unwrap();
    // Wherever a reader was cut off, what it hears after that completes what it had.
    for cut in 0..all.len() {
        let mut heard = Heard::default();
        all[..cut].iter().for_each(|row| heard.hear(&row.event));
        let again = store.events_since(all[..cut].last().map_or(0, |row| row.seq), About::Session(id), 1000).await;
        again.unwrap().iter().for_each(|row| heard.hear(&row.event));
        assert_eq!(heard, Heard::of(&talk), "cut at {cut}");
    }
}

/// R2.3, R1.6: a grant lets go what it covers and nothing else; taken back, the next call asks again.
pub(crate) async fn a_grant_is_used_until_it_is_taken_back(f: Fixture) {
    let (store, rules) = (&f.store, Rules::default());
    let id = session(store).await;
    let run = store.say(id, said("go")).await.unwrap().1.run.id;
    store.apply(run, Command::Think, &rules).await.unwrap();
    let calls = vec![call("a", Some(Scope::ArqControl)), call("b", Some(Scope::TaskRun))];
    store.answer(run, answer("", calls), &rules).await.unwrap();
    let grant = Grant::new(Uuid::now_v7(), Scope::ArqControl, "local".to_owned(), chrono::Utc::now());
    let happened = store.grant(id, grant.clone(), &rules).await.unwrap();
    assert!(happened.contains(&Happened::Used(grant.id)), "{happened:?}");
    assert_eq!(store.grant(id, grant.clone(), &rules).await.unwrap(), [Happened::Granted(grant.id)], "sent twice");
    let states = |talk: &Conversation| talk.calls.iter().map(|row| row.call.state).collect::<Vec<_>>();
    let talk = store.conversation(id).await.unwrap();
    assert_eq!(states(&talk), [CallState::Ready, CallState::AwaitingAuthorization]);
    assert_eq!((talk.grants[0].grant.uses, talk.grants.len()), (1, 1));
    store.apply(run, Command::Stop { by: "local".to_owned() }, &rules).await.unwrap();
    store.revoke(id, None, Some(Scope::ArqControl)).await.unwrap();
    let none = store.revoke(id, None, Some(Scope::ArqControl)).await;
    assert!(matches!(none, Err(StoreError::Refused(Refused::NoSuchGrant))));
    assert!(store.conversation(id).await.unwrap().grants[0].grant.revoked_at.is_some());
}

/// What is said while the model is at work is heard before it answers next, or begins the next run.
pub(crate) async fn what_is_said_meanwhile_waits_its_turn(f: Fixture) {
    let (store, rules) = (&f.store, Rules::default());
    let id = session(store).await;
    let run = store.say(id, said("one")).await.unwrap().1.run.id;
    store.apply(run, Command::Think, &rules).await.unwrap();
    let (meanwhile, same) = store.say(id, said("two")).await.unwrap();
    assert_eq!((meanwhile.state, same.run.id), (MessageState::Queued, run));
    store.answer(run, answer("first", Vec::new()), &rules).await.unwrap();
    let talk = store.conversation(id).await.unwrap();
    assert_eq!(talk.runs.len(), 2, "the waiting message begins a run");
    assert_eq!(talk.messages[1].run, Some(talk.runs[1].run.id));
    assert_eq!(talk.messages[1].state, MessageState::Complete);
    let live = store.live_runs().await.unwrap();
    assert_eq!(live.iter().map(|run| run.run.id).collect::<Vec<_>>(), [talk.runs[1].run.id]);
    store.delete_session(id).await.unwrap();
    assert!(matches!(store.conversation(id).await, Err(StoreError::NotFound { .. })));
    let left = store.events_since(0, About::Session(id), 100).await.unwrap();
    assert_eq!(left.len(), 1, "only that it is gone: {left:?}");
    assert!(store.live_runs().await.unwrap().is_empty());
}

/// Conversations are found by what was said in them, the newest first, one owner's apart from another's.
pub(crate) async fn conversations_are_listed_and_found(f: Fixture) {
    let store = &f.store;
    let mut ids = Vec::new();
    for n in 0..5 {
        let id = session(store).await;
        store.say(id, said(&format!("number {n}"))).await.unwrap();
        ids.push(id);
    }
    let first = store.sessions(Some("local"), None, None, 2).await.unwrap();
    assert_eq!(first.items.iter().map(|item| item.session.id).collect::<Vec<_>>(), [ids[4], ids[3]]);
    assert_eq!(first.items[0].last_message_preview, "number 4");
    let second = store.sessions(Some("local"), None, first.next, 10).await.unwrap();
    assert_eq!((second.items.len(), second.next), (3, None));
    let found = store.sessions(Some("local"), Some("number 2"), None, 10).await.unwrap();
    assert_eq!(found.items.iter().map(|item| item.session.id).collect::<Vec<_>>(), [ids[2]]);
    assert!(store.sessions(Some("another"), None, None, 10).await.unwrap().items.is_empty());
}

pub(crate) async fn a_conversation_is_told_of_a_task_once(f: Fixture) {
    let session = session(&f.store).await;
    let task = f.task("told").await;
    let asker = json!({ "name": "local" });
    f.store.subscribe(session, task, &[TaskNews::Failed], &asker).await.unwrap();
    let wish = f.store.subscribe(session, task, &[TaskNews::Cancelled], &asker).await.unwrap();
    assert_eq!(
        f.store.subscriptions(session).await.unwrap(),
        std::slice::from_ref(&wish),
        "the newer wish stands for the older"
    );
    assert_eq!(f.store.due_subscriptions().await.unwrap(), [], "it has not ended");
    f.store.request_cancel(task).await.unwrap();
    let due = f.store.due_subscriptions().await.unwrap();
    assert_eq!(due, [(wish.clone(), "told".to_owned(), TaskStatus::Cancelled)]);
    assert_eq!((TaskNews::of(due[0].2), TaskNews::of(TaskStatus::Running)), (Some(TaskNews::Cancelled), None));
    f.store.end_subscription(wish.id).await.unwrap();
    assert_eq!(f.store.due_subscriptions().await.unwrap(), []);
    f.store.subscribe(session, task, &[TaskNews::Failed], &asker).await.unwrap();
    f.store.unsubscribe(session, task).await.unwrap();
    assert!(matches!(f.store.unsubscribe(session, task).await, Err(StoreError::NotFound { .. })));
    f.store.subscribe(session, task, &[TaskNews::Failed], &asker).await.unwrap();
    f.store.delete_session(session).await.unwrap();
    assert_eq!(f.store.due_subscriptions().await.unwrap(), [], "it goes with its conversation");
}
