//! Tokens, the audit log, answers that are given again.

use std::time::Duration;

use tuner_store::{Begun, NewAudit, NewToken, Reply};

use crate::fixture::Fixture;

const LONG: Duration = Duration::from_secs(3600);

pub(crate) async fn a_key_stands_for_one_request_until_its_answer_expires(f: Fixture) {
    let (store, other) = (&f.store, f.another().await);
    let begin = async |actor: &str, print: &str| store.begin_answer(actor, "k", print, LONG).await.unwrap();
    assert!(matches!(begin("a", "x").await, Begun::New(_)));
    assert_eq!(begin("a", "x").await, Begun::Underway);
    assert_eq!(begin("a", "y").await, Begun::Different);
    assert!(matches!(begin("b", "y").await, Begun::New(_)), "another asker's keys are others");
    let reply = Reply { status: 201, headers: vec![("location".into(), "/t".into())], body: "{}".into() };
    store.end_answer("a", "k", Some(&reply), LONG).await.unwrap();
    assert_eq!(other.begin_answer("a", "k", "x", LONG).await.unwrap(), Begun::Done(reply.clone()));
    store.end_answer("b", "k", None, LONG).await.unwrap();
    assert!(matches!(begin("b", "z").await, Begun::New(_)), "without an answer the key is free again");
    store.end_answer("a", "k", Some(&reply), Duration::ZERO).await.unwrap();
    assert!(matches!(begin("a", "y").await, Begun::New(_)), "an expired answer is forgotten");
}

pub(crate) async fn a_request_of_unknown_end_is_done_again_under_the_same_id(f: Fixture) {
    let begin = async |print: &str| match f.store.begin_answer("a", "k", print, Duration::ZERO).await.unwrap() {
        Begun::New(id) => id,
        other => panic!("{other:?}"),
    };
    let first = begin("x").await;
    assert_eq!(begin("x").await, first, "whoever began it is dead");
    f.store.end_answer("a", "k", None, LONG).await.unwrap();
    assert_eq!(begin("x").await, first, "it failed, and may have made something");
    assert_ne!(begin("y").await, first, "another request makes something else");
    let reply = Reply { status: 201, headers: Vec::new(), body: "{}".into() };
    f.store.end_answer("a", "k", Some(&reply), Duration::ZERO).await.unwrap();
    assert_ne!(begin("x").await, first, "after its answer was forgotten it is another request");
}

pub(crate) async fn an_audit_row_is_there_before_its_change_and_learns_its_end(f: Fixture) {
    let new = |target: &str| NewAudit {
        actor: "local".into(),
        token: None,
        peer: "127.0.0.1".into(),
        action: "task.create".into(),
        target: target.into(),
        request_id: "r".into(),
    };
    let first = f.store.audit_begin(new("/api/tasks")).await.unwrap();
    f.store.audit_begin(new("/cut/off")).await.unwrap();
    f.store.audit_end(first, "done", Some("/api/tasks/1")).await.unwrap();
    let page = f.store.audit_log(None, 1).await.unwrap();
    assert_eq!((page.rows[0].outcome.as_str(), page.rows.len()), ("begun", 1));
    let rest = f.store.audit_log(page.next, 5).await.unwrap();
    assert_eq!(
        (rest.rows[0].outcome.as_str(), rest.rows[0].target.as_str(), rest.next),
        ("done", "/api/tasks/1", None)
    );
}

pub(crate) async fn a_revoked_token_is_listed_and_does_not_work(f: Fixture) {
    for id in ["1", "2"] {
        let (name, role, hash) = ("laptop".to_owned(), "viewer".to_owned(), format!("hash {id}"));
        f.store.create_token(NewToken { id: id.into(), name, role, hash, expires_at: None }).await.unwrap();
    }
    let now = chrono::Utc::now();
    f.store.token_used("1").await.unwrap();
    assert!(f.store.token("1").await.unwrap().unwrap().used_at.is_some());
    assert_eq!(f.store.revoke_token("2").await.unwrap().len(), 1);
    let works = async || f.store.tokens().await.unwrap().iter().map(|t| t.works(now)).collect::<Vec<_>>();
    assert_eq!(works().await, [true, false]);
    assert_eq!(f.store.revoke_token("laptop").await.unwrap().len(), 1, "the other one was revoked before");
    assert_eq!(works().await, [false, false]);
    assert!(f.store.token("3").await.unwrap().is_none());
}
