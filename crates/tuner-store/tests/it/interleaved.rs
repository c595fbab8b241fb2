//! Two people, two drivers and their crashes at one conversation at once, each through a connection of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use tuner_policy::Scope;
use tuner_policy::chat::{Call, CallState, Command, Ending, Grant, Happened, Rules};
use tuner_store::{About, CallEnd, Store, StoreError};
use tuner_testkit::dice::{Dice, setting};
use uuid::Uuid;

use crate::chat::{Heard, answer, call, result, said, session};
use crate::fixture::Fixture;

const SCOPES: [Scope; 3] = [Scope::ArqControl, Scope::TaskRun, Scope::TaskWrite];

/// What everybody was told had happened.
#[derive(Default)]
struct Told {
    starts: BTreeMap<Uuid, u32>,
    ends: BTreeMap<Uuid, u32>,
    uses: BTreeMap<Uuid, u32>,
    refused: u32,
}

impl Told {
    fn note(told: &Mutex<Self>, result: Result<Vec<Happened>, StoreError>) {
        let mut told = told.lock().unwrap();
        match result {
            Ok(happened) => {
                for what in happened {
                    match what {
                        Happened::Started(id) => *told.starts.entry(id).or_default() += 1,
                        Happened::Ended(id) => *told.ends.entry(id).or_default() += 1,
                        Happened::Used(id) => *told.uses.entry(id).or_default() += 1,
                        _ => {}
                    }
                }
            }
            Err(StoreError::Refused(_)) => told.refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

fn any(dice: &mut Dice, calls: &[Call]) -> Option<Call> {
    (!calls.is_empty()).then(|| calls[dice.below(calls.len())].clone())
}

/// One who acts at random.
async fn act(store: Store, talk: Uuid, run: Uuid, mut dice: Dice, told: Arc<Mutex<Told>>) {
    let rules = Rules::default();
    let mut holder = Uuid::now_v7();
    for _ in 0..30 {
        let book = store.book(run).await.unwrap();
        let one = any(&mut dice, &book.calls);
        let result = match (dice.below(13), one) {
            (0 | 1, _) => store.apply(run, Command::Think, &rules).await,
            (2 | 3, _) => {
                let calls = (0..dice.below(4)).map(|n| {
                    let scope = [None, Some(SCOPES[0]), Some(SCOPES[1]), Some(SCOPES[2])][dice.below(4)];
                    let mut one = call(["a", "b", "c"][n % 3], scope);
                    one.proposal.repeatable = dice.coin();
                    one
                });
                store.answer(run, answer("text", calls.collect()), &rules).await
            }
            (4 | 5, Some(one)) => {
                let approve = Command::Approve { call: one.id, digest: one.digest, edited: None, by: "one".to_owned() };
                store.apply(run, approve, &rules).await
            }
            (6, Some(one)) => {
                store.apply(run, Command::Deny { call: one.id, reason: None, by: "two".to_owned() }, &rules).await
            }
            (7, _) => {
                let mut grant = Grant::new(Uuid::now_v7(), SCOPES[dice.below(3)], "local".to_owned(), Utc::now());
                grant.limits.uses = (dice.coin()).then(|| 1 + dice.below(2) as u32);
                store.grant(talk, grant, &rules).await
            }
            (8, _) => store.revoke(talk, None, Some(SCOPES[dice.below(3)])).await,
            (9 | 10, Some(one)) => store.apply(run, Command::Start { call: one.id, holder }, &rules).await,
            (11, Some(one)) => {
                let ending = [Ending::Succeeded, Ending::Failed, Ending::Cancelled][dice.below(3)];
                store
                    .end_call(run, CallEnd { call: one.id, holder, ending, result: result("x"), output: None }, &rules)
                    .await
            }
            (12, _) => match dice.below(8) {
                0 => store.apply(run, Command::Stop { by: "one".to_owned() }, &rules).await,
                1 => store.apply(run, Command::AskAgain, &rules).await,
                2 => {
                    holder = Uuid::now_v7();
                    store.apply(run, Command::Recover { holder }, &rules).await
                }
                _ => store.apply(run, Command::Expire, &rules).await,
            },
            _ => continue,
        };
        Told::note(&told, result);
    }
}

/// R8.3, R2.3, A1: a call is done at most once and ends exactly once, a grant is not used beyond its limit, and what
/// followers hear is what the rows hold, whatever four do at once.
pub(crate) async fn whatever_four_do_at_once_a_call_is_done_at_most_once_and_ends_exactly_once(f: Fixture) {
    let (mut starts, mut refused) = (0, 0);
    for round in 0..setting("AUTOTUNER_INTERLEAVINGS", 12) {
        let talk = session(&f.store).await;
        let run = f.store.say(talk, said("go")).await.unwrap().1.run.id;
        f.store.apply(run, Command::Think, &Rules::default()).await.unwrap();
        let calls = [None, Some(SCOPES[0]), Some(SCOPES[1]), Some(SCOPES[2])].map(|scope| call("d", scope));
        f.store.answer(run, answer("first", calls.to_vec()), &Rules::default()).await.unwrap();
        let told = Arc::new(Mutex::new(Told::default()));
        let mut actors = tokio::task::JoinSet::new();
        for actor in 0..4 {
            let dice = Dice::seeded(round * 10 + actor);
            actors.spawn(act(f.another().await, talk, run, dice, told.clone()));
        }
        while let Some(done) = actors.join_next().await {
            done.unwrap();
        }
        drain(&f.store, run, &told).await;

        let shown = f.store.conversation(talk).await.unwrap();
        let told = std::mem::take(&mut *told.lock().unwrap());
        for row in &shown.calls {
            let call = &row.call;
            assert!(call.state.is_end(), "{call:?}");
            let (started, ended) = (told.starts.get(&call.id).copied(), told.ends.get(&call.id).copied());
            assert!(started.unwrap_or(0) <= 1 || call.repeatable, "{call:?} was done twice");
            assert_eq!(started.unwrap_or(0), call.starts, "{call:?}");
            let ended_at_once = matches!(call.state, CallState::Failed | CallState::Denied) && ended.is_none();
            assert!(ended == Some(1) || ended_at_once, "one end each: {ended:?} {call:?}");
        }
        for row in &shown.grants {
            let uses = told.uses.get(&row.grant.id).copied().unwrap_or_default();
            assert_eq!(row.grant.uses, uses, "{:?}", row.grant);
            assert!(row.grant.limits.uses.is_none_or(|most| uses <= most), "{:?}", row.grant);
        }
        let mut heard = Heard::default();
        f.store.events_since(0, About::Session(talk), 100_000).await.unwrap().iter().for_each(|e| heard.hear(&e.event));
        assert_eq!(heard, Heard::of(&shown));
        starts += told.starts.values().sum::<u32>();
        refused += told.refused;
    }
    assert!(starts >= 12 && refused > 10, "{starts} starts, {refused} refusals");
}

/// Somebody does what is left, and denies what nobody decided.
async fn drain(store: &Store, run: Uuid, told: &Mutex<Told>) {
    let (rules, holder) = (Rules::default(), Uuid::now_v7());
    for _ in 0..6 {
        Told::note(told, store.apply(run, Command::Recover { holder }, &rules).await);
        for call in store.book(run).await.unwrap().calls {
            let id = call.id;
            let deny = Command::Deny { call: id, reason: Some("over".to_owned()), by: "one".to_owned() };
            Told::note(told, store.apply(run, deny, &rules).await);
            Told::note(told, store.apply(run, Command::Start { call: id, holder }, &rules).await);
            let end = CallEnd { call: id, holder, ending: Ending::Succeeded, result: result("x"), output: None };
            Told::note(told, store.end_call(run, end, &rules).await);
            Told::note(told, store.resolve_call(run, id, Ending::Failed, result("x"), &rules).await);
        }
    }
}
