//! Random interleavings of everything that people, drivers and crashes can do, and the matrix of the gate.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::*;
use crate::Scope;

/// A small generator of our own: the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn proposal(id: u128, tool: &str, scope: Option<Scope>) -> Proposal {
    Proposal {
        id: Uuid::from_u128(id),
        tool: tool.to_owned(),
        scope,
        risk: if scope.is_some() { Risk::Changes } else { Risk::Reads },
        task: None,
        cost: Cost::default(),
        arguments: "{}".to_owned(),
        digest: format!("digest of {tool} {id}"),
        repeatable: true,
        verdict: Verdict::Sound,
    }
}

fn grant(id: u128, scope: Scope, now: DateTime<Utc>) -> Grant {
    Grant::new(Uuid::from_u128(id), scope, "local".to_owned(), now)
}

fn book() -> Book {
    Book {
        run: Run::new(Uuid::from_u128(1)),
        calls: Vec::new(),
        grants: Vec::new(),
        mode: Mode::Ask,
        untrusted_at: None,
    }
}

/// Somebody who watches a book and believes nothing.
#[derive(Default)]
struct Watcher {
    starts: BTreeMap<Uuid, u32>,
    ends: BTreeMap<Uuid, u32>,
    uses: BTreeMap<Uuid, u32>,
    revoked: Vec<Uuid>,
}

impl Watcher {
    fn watch(&mut self, before: &Book, after: &Book, happened: &[Happened]) {
        for what in happened {
            match what {
                Happened::Started(id) => {
                    let (was, call) = (of(before, *id), of(after, *id));
                    assert_eq!(was.state, CallState::Ready, "only what is ready is started");
                    assert!(before.run.stop.is_none() && !before.run.state.is_end(), "a start after the stop");
                    assert!(call.decided.as_ref().is_some_and(|d| d.allowed), "a start without leave: {call:?}");
                    let starts = self.starts.entry(*id).or_default();
                    *starts += 1;
                    assert!(*starts == 1 || call.repeatable, "{call:?} was done twice");
                }
                Happened::Ended(id) => *self.ends.entry(*id).or_default() += 1,
                Happened::Used(id) => {
                    *self.uses.entry(*id).or_default() += 1;
                    assert!(!self.revoked.contains(id), "a revoked grant was used");
                }
                Happened::Revoked(id) => self.revoked.push(*id),
                _ => {}
            }
        }
        for grant in &after.grants {
            let uses = self.uses.get(&grant.id).copied().unwrap_or_default();
            assert_eq!(grant.uses, uses);
            assert!(grant.limits.uses.is_none_or(|most| uses <= most), "{grant:?} was used too often");
        }
        for call in &after.calls {
            let ends = self.ends.get(&call.id).copied().unwrap_or_default();
            let unfit = call.state == CallState::Failed && call.starts == 0;
            let refused = call.decided.as_ref().is_some_and(|d| !d.allowed && d.via == Via::Policy);
            assert_eq!(ends, u32::from(call.state.is_end() && !unfit && !refused), "one end each: {call:?}");
        }
    }
}

fn of(book: &Book, id: Uuid) -> &Call {
    book.calls.iter().find(|call| call.id == id).unwrap()
}

/// One command that two people, a driver or a crash might give now.
fn command(dice: &mut Dice, book: &Book, ids: &mut u128, holder: &mut Uuid, now: i64) -> Command {
    let any = |dice: &mut Dice| match book.calls.len() {
        0 => (Uuid::nil(), String::new()),
        n => {
            let call = &book.calls[dice.below(n)];
            (call.id, if dice.one_in(6) { "another digest".to_owned() } else { call.digest.clone() })
        }
    };
    let scopes = [None, Some(Scope::ArqControl), Some(Scope::TaskRun), Some(Scope::TaskWrite)];
    let mut new = || {
        *ids += 1;
        *ids
    };
    match dice.below(16) {
        0 | 1 => Command::Think,
        2 | 3 => {
            let calls = (0..dice.below(4)).map(|_| {
                let mut one = proposal(new(), ["a", "b", "c"][dice.below(3)], scopes[dice.below(4)]);
                one.repeatable = dice.one_in(2);
                if dice.one_in(8) {
                    one.verdict = Verdict::Unfit;
                }
                if dice.one_in(3) {
                    one.digest = "the same".to_owned();
                }
                one
            });
            Command::Answer { calls: calls.collect(), patience: TimeDelta::seconds(20) }
        }
        4 | 5 => {
            let (call, digest) = any(dice);
            let edited = dice.one_in(5).then(|| Edited { proposal: Box::new(proposal(new(), "a", None)) });
            Command::Approve { call, digest, edited, by: ["one", "two"][dice.below(2)].to_owned() }
        }
        6 => Command::Deny { call: any(dice).0, reason: None, by: "two".to_owned() },
        7 => {
            let mut given = grant(new(), scopes[1 + dice.below(3)].unwrap(), at(now));
            given.limits.uses = dice.one_in(2).then(|| 1 + dice.below(2) as u32);
            given.expires_at = dice.one_in(3).then(|| at(now + 5));
            Command::Grant(Box::new(given))
        }
        8 => Command::Revoke { grant: None, scope: Some(scopes[1 + dice.below(3)].unwrap()) },
        9..=11 => Command::Start { call: any(dice).0, holder: *holder },
        12 | 13 => {
            let ending = [Ending::Succeeded, Ending::Failed, Ending::Cancelled][dice.below(3)];
            Command::End { call: any(dice).0, holder: *holder, ending, untrusted: dice.one_in(3) }
        }
        14 => match dice.below(8) {
            0 => Command::Stop { by: "one".to_owned() },
            1 => Command::AskAgain,
            2 => Command::Resolve { call: any(dice).0, ending: Ending::Failed },
            _ => Command::Expire,
        },
        _ => {
            // A crash: whoever comes next has another token.
            *holder = Uuid::from_u128(new());
            Command::Recover { holder: *holder }
        }
    }
}

/// R8.3, R2.3, R2.4, A1: at most one execution and exactly one end per call, no start after a stop, no grant beyond its
/// limit, in 100,000 interleavings of two people, a driver and its crashes.
#[test]
fn whatever_happens_in_whatever_order_a_call_is_done_at_most_once_and_ends_exactly_once() {
    let rules = Rules::default();
    let mut seen = BTreeMap::<&str, u32>::new();
    for seed in 0..100_000 {
        let mut dice = Dice(seed);
        let (mut book, mut watcher) = (book(), Watcher::default());
        let (mut ids, mut holder, mut now) = (1000, Uuid::from_u128(7), 0);
        for _ in 0..30 {
            now += dice.below(4) as i64;
            let wanted = command(&mut dice, &book, &mut ids, &mut holder, now);
            let before = book.clone();
            match book.apply(wanted, &rules, at(now)) {
                Ok(happened) => watcher.watch(&before, &book, &happened),
                Err(_) => assert_eq!(before, book, "what is refused changes nothing"),
            }
        }
        drain(&mut book, &mut watcher, holder, now);
        assert!(book.calls.iter().all(|call| call.state.is_end()), "{book:?}");
        assert!(book.run.state.is_end() || book.run.state == RunState::Queued);
        for call in &book.calls {
            *seen
                .entry(match call.state {
                    CallState::Succeeded => "succeeded",
                    CallState::Failed => "failed",
                    CallState::Denied => "denied",
                    _ => "cancelled",
                })
                .or_default() += 1;
        }
    }
    assert!(seen.values().all(|n| *n > 1000) && seen.len() == 4, "every way to end was taken: {seen:?}");
}

/// The driver does what is left and time passes.
fn drain(book: &mut Book, watcher: &mut Watcher, holder: Uuid, now: i64) {
    let rules = Rules::default();
    for round in 0..20 {
        let mut wanted = vec![Command::Recover { holder }, Command::AskAgain, Command::Expire];
        for call in &book.calls {
            wanted.push(Command::Start { call: call.id, holder });
            wanted.push(Command::End { call: call.id, holder, ending: Ending::Succeeded, untrusted: false });
            wanted.push(Command::Resolve { call: call.id, ending: Ending::Failed });
        }
        for one in wanted {
            let before = book.clone();
            if let Ok(happened) = book.apply(one, &rules, at(now + 10_000 * (round + 1))) {
                watcher.watch(&before, book, &happened);
            }
        }
    }
}

/// What the gate says in each mode, with each kind of grant and rule, to each kind of call.
#[test]
fn the_matrix_of_the_gate() {
    let now = at(100);
    let mut grants: Vec<(&str, Option<Grant>)> =
        vec![("none", None), ("session", Some(grant(1, Scope::TaskRun, at(50))))];
    let mut changed = |name, change: &dyn Fn(&mut Grant)| {
        let mut one = grant(1, Scope::TaskRun, at(50));
        change(&mut one);
        grants.push((name, Some(one)));
    };
    changed("expired", &|g| g.expires_at = Some(at(100)));
    changed("revoked", &|g| g.revoked_at = Some(at(60)));
    changed("used up", &|g| (g.limits.uses, g.uses) = (Some(1), 1));
    changed("other task", &|g| g.task = Some("another".to_owned()));
    changed("3 experiments", &|g| g.limits.experiments = Some(3));
    changed("plan", &|g| g.calls = Some(vec!["digest of start_task 9".to_owned()]));
    changed("other scope", &|g| g.scope = Scope::ArqControl);
    changed("other tool", &|g| g.tool = Some("cancel*".to_owned()));
    let rule = |effect| Rules {
        rules: vec![Rule {
            effect,
            tool: Some("start*".to_owned()),
            scope: None,
            arguments: Default::default(),
            reason: Some("the file says so".to_owned()),
        }],
        ..Rules::default()
    };
    let mut table = String::new();
    for (rules, word) in [
        (Rules::default(), "no rule"),
        (rule(RuleEffect::Deny), "deny"),
        (rule(RuleEffect::Ask), "ask"),
        (rule(RuleEffect::Allow), "allow"),
        (Rules { shadow: true, ..rule(RuleEffect::Deny) }, "shadow"),
    ] {
        for mode in [Mode::Ask, Mode::ReadOnly, Mode::Unattended] {
            for untrusted in [None, Some(at(40)), Some(at(60))] {
                for (name, grant) in &grants {
                    let book =
                        Book { grants: grant.iter().cloned().collect(), mode, untrusted_at: untrusted, ..book() };
                    let start = Proposal {
                        risk: Risk::Spends,
                        cost: Cost { experiments: 4, gpu_seconds: 10.0 },
                        ..proposal(9, "start_task", Some(Scope::TaskRun))
                    };
                    let said = match gate(&book, &rules, &start, now) {
                        Gate::Allow { via, grant } => format!("allow by {via:?}{}", grant.map_or("", |_| " given")),
                        Gate::Ask => "ask".to_owned(),
                        Gate::Deny(why) => format!("deny: {why}"),
                        Gate::Unfit => "unfit".to_owned(),
                    };
                    let text = match untrusted {
                        None => "never",
                        Some(moment) if moment < at(50) => "before",
                        Some(_) => "after",
                    };
                    let mode = format!("{mode:?}");
                    let _ = writeln!(table, "{word:8} {mode:11} untrusted {text:6} grant {name:14} {said}");
                }
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// R1.1, R4.2: the scopes that users know are there, and a word that is none is refused.
#[test]
fn the_scopes_of_the_predecessor_are_there_and_others_are_refused() {
    let known = [
        "bash_commands",
        "file_read",
        "file_write",
        "docker_control",
        "kubectl_operations",
        "database_write",
        "arq_control",
    ];
    for word in known {
        assert_eq!(word.parse::<Scope>().unwrap().word(), word);
    }
    assert!("root".parse::<Scope>().unwrap_err().contains("there are bash_commands"));
}

/// What stands in columns is what stands on the wire.
#[test]
fn words_are_those_of_the_wire() {
    let runs = [
        RunState::Queued,
        RunState::Thinking,
        RunState::Acting,
        RunState::AwaitingAuthorization,
        RunState::Completed,
        RunState::Failed,
        RunState::Stopped,
        RunState::LimitReached,
    ];
    let calls = [
        CallState::AwaitingAuthorization,
        CallState::Ready,
        CallState::Running,
        CallState::UnknownOutcome,
        CallState::Succeeded,
        CallState::Failed,
        CallState::Denied,
        CallState::Cancelled,
    ];
    runs.iter().for_each(|state| assert_eq!(serde_json::to_value(state).unwrap(), state.word()));
    calls.iter().for_each(|state| assert_eq!(serde_json::to_value(state).unwrap(), state.word()));
    Mode::ALL.iter().for_each(|mode| assert_eq!(serde_json::to_value(mode).unwrap(), mode.word()));
}

#[test]
fn only_calls_whose_scope_is_granted_go_on_and_the_others_keep_waiting() {
    let (mut book, rules) = (book(), Rules::default());
    book.apply(Command::Think, &rules, at(0)).unwrap();
    let calls = vec![
        proposal(2, "restart_arq_worker", Some(Scope::ArqControl)),
        proposal(3, "start_task", Some(Scope::TaskRun)),
        proposal(4, "list_tasks", None),
    ];
    book.apply(Command::Answer { calls, patience: TimeDelta::hours(8) }, &rules, at(1)).unwrap();
    let states = |book: &Book| book.calls.iter().map(|call| call.state).collect::<Vec<_>>();
    let (waits, ready) = (CallState::AwaitingAuthorization, CallState::Ready);
    assert_eq!(states(&book), [waits, waits, ready]);
    assert_eq!(book.run.state, RunState::Acting);
    let happened = book.apply(Command::Grant(Box::new(grant(9, Scope::ArqControl, at(2)))), &rules, at(2)).unwrap();
    assert!(happened.contains(&Happened::Used(Uuid::from_u128(9))));
    assert_eq!(states(&book), [ready, waits, ready]);
}

#[test]
fn a_late_approval_starts_nothing_after_a_stop() {
    let (mut book, rules) = (book(), Rules::default());
    book.apply(Command::Think, &rules, at(0)).unwrap();
    let call = proposal(2, "restart_arq_worker", Some(Scope::ArqControl));
    let (id, digest) = (call.id, call.digest.clone());
    book.apply(Command::Answer { calls: vec![call], patience: TimeDelta::hours(8) }, &rules, at(1)).unwrap();
    assert_eq!(book.run.state, RunState::AwaitingAuthorization);
    book.apply(Command::Stop { by: "one".to_owned() }, &rules, at(2)).unwrap();
    assert_eq!((book.run.state, of(&book, id).state), (RunState::Stopped, CallState::Cancelled));
    let late = Command::Approve { call: id, digest, edited: None, by: "two".to_owned() };
    assert!(matches!(book.apply(late, &rules, at(3)), Err(Refused::Settled { .. })));
}

#[test]
fn an_approval_is_good_for_what_was_shown_and_nothing_else() {
    let (mut book, rules) = (book(), Rules::default());
    book.apply(Command::Think, &rules, at(0)).unwrap();
    let call = proposal(2, "delete_task", Some(Scope::TaskDelete));
    let id = call.id;
    book.apply(Command::Answer { calls: vec![call], patience: TimeDelta::seconds(10) }, &rules, at(1)).unwrap();
    let approve =
        |digest: &str| Command::Approve { call: id, digest: digest.to_owned(), edited: None, by: "x".to_owned() };
    assert_eq!(book.apply(approve("another"), &rules, at(2)), Err(Refused::Differs));
    let late = book.clone().apply(approve("digest of delete_task 2"), &rules, at(11));
    assert!(matches!(late, Err(Refused::Settled { .. })), "it had expired");
    book.apply(approve("digest of delete_task 2"), &rules, at(3)).unwrap();
    assert_eq!(book.apply(approve("digest of delete_task 2"), &rules, at(4)), Ok(Vec::new()), "the same click again");
    let deny = Command::Deny { call: id, reason: None, by: "y".to_owned() };
    assert!(matches!(book.apply(deny, &rules, at(4)), Err(Refused::Settled { .. })), "another click comes too late");
}

#[test]
fn rules_that_do_not_do_what_their_examples_say_are_not_taken() {
    let rule = Rule {
        effect: RuleEffect::Deny,
        tool: Some("delete_*".to_owned()),
        scope: None,
        arguments: Default::default(),
        reason: None,
    };
    let example =
        |tool: &str, effect| Example { tool: tool.to_owned(), scope: None, arguments: Default::default(), effect };
    let rules = Rules {
        rules: vec![rule.clone()],
        examples: vec![example("delete_task", Some(RuleEffect::Deny)), example("list_tasks", None)],
        shadow: false,
    };
    assert_eq!(rules.check(), Ok(()));
    let wrong = Rules { examples: vec![example("list_tasks", Some(RuleEffect::Deny))], ..rules };
    let said = wrong.check().unwrap_err().to_string();
    assert_eq!(said, "example 1 (list_tasks) expects deny, but the rules say nothing");
    let boundless = Rules { rules: vec![Rule { tool: None, ..rule }], ..Rules::default() };
    assert!(matches!(boundless.check(), Err(RulesError::Boundless { number: 1 })));
}
