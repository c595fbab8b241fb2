//! Several workers on one task: one plans it, others run experiments of it.

use std::time::Duration;

use tuner_core::plan::Role;
use tuner_store::{Claim, Claimed, JobFilter, JobKind, JobStatus, Needs, NewJob, Owner, Resource, StoreError, TaskId};

use crate::fixture::{Fixture, TTL, ask, completed, configuration, measurement, noon, owner, succeeded, success};

/// The pen of whoever plans, with three experiments written down.
async fn planned(f: &Fixture, task: TaskId) -> Claimed {
    let planner = f.pen(task).await;
    planner.start_task().await.unwrap();
    for n in 1..=3 {
        planner.create_experiment(n, Role::Search, &configuration(f64::from(n))).await.unwrap();
    }
    planner
}

/// The pen of a helper that has claimed an experiment.
async fn helper(f: &Fixture, task: TaskId, number: u32, who: &Owner) -> Claimed {
    let lease = f.store.claim(&Resource::experiment(task, number), who, TTL, noon()).await.unwrap().won().unwrap();
    f.store.claimed(task, lease)
}

fn lost(result: Result<impl std::fmt::Debug, StoreError>) {
    assert!(matches!(result, Err(StoreError::LeaseLost { .. })), "{result:?}");
}

/// Issue 4, point 2: takeover of the planning disturbs nobody who runs an experiment.
pub(crate) async fn an_experiment_has_a_lease_of_its_own_that_outlives_its_planner(f: Fixture) {
    let task = f.task("smoke").await;
    let planner = planned(&f, task).await;
    let helper = helper(&f, task, 2, &owner(40)).await;
    assert_eq!(helper.begin_attempt(2).await.unwrap(), 1);
    let early = planner.end_experiment(2, &success(), None).await;
    assert!(matches!(early, Err(StoreError::WrongState { .. })), "it runs: {early:?}");
    let held = f.another().await.held_experiments(task).await.unwrap();
    assert_eq!(held.iter().map(|(n, h)| (*n, h.owner.pid)).collect::<Vec<_>>(), [(2, 40)]);

    let next = f.pen(task).await;
    next.start_task().await.unwrap();
    assert_eq!(next.interrupt_abandoned(|_, _| false).await.unwrap(), []);
    lost(planner.create_experiment(4, Role::Search, &configuration(4.0)).await);
    helper.record_measurement(2, 1, &measurement(0, 0, 10.0)).await.unwrap();
    helper.end_attempt(2, 1, &succeeded()).await.unwrap();
    f.store.release(helper.lease()).await.unwrap();
    assert_eq!(f.store.held_experiments(task).await.unwrap(), []);
    next.end_experiment(2, &success(), None).await.unwrap();
}

/// Issue 4, point 2: a helper that was given up and comes back drops what it found; it never counts twice.
pub(crate) async fn a_helper_that_was_given_up_can_write_nothing(f: Fixture) {
    let task = f.task("smoke").await;
    let planner = planned(&f, task).await;
    let (gone, other) = (helper(&f, task, 2, &owner(40)).await, helper(&f, task, 3, &owner(41)).await);
    gone.begin_attempt(2).await.unwrap();
    other.begin_attempt(3).await.unwrap();
    let is_gone = |_, holder: &tuner_store::Holder| holder.owner == owner(40);
    assert_eq!(planner.interrupt_abandoned(is_gone).await.unwrap(), [(2, 1)]);
    assert_eq!(planner.interrupt_abandoned(is_gone).await.unwrap(), [], "once");
    lost(gone.record_measurement(2, 1, &measurement(0, 0, 10.0)).await);
    lost(gone.end_attempt(2, 1, &succeeded()).await);
    lost(gone.begin_attempt(2).await);
    assert!(!f.store.renew(gone.lease(), noon()).await.unwrap().still_mine);
    f.store.release(gone.lease()).await.unwrap();

    let next = helper(&f, task, 2, &owner(42)).await;
    assert!(next.lease().fence > gone.lease().fence);
    assert_eq!(next.begin_attempt(2).await.unwrap(), 2);
    next.record_measurement(2, 2, &measurement(0, 0, 10.0)).await.unwrap();
    other.end_attempt(3, 1, &succeeded()).await.unwrap();
}

/// Issue 5, point 5.
pub(crate) async fn what_is_proposed_is_kept_once_in_order_and_reaches_whoever_plans(f: Fixture) {
    let task = f.task("smoke").await;
    let [a, b, c] = [1.0, 2.0, 3.0].map(configuration);
    assert_eq!(
        f.store.propose_configurations(task, &[b.clone(), a.clone(), b.clone()]).await.unwrap(),
        [b.clone(), a.clone()]
    );
    let mut state = f.store.load(task).await.unwrap();
    assert_eq!(state.proposed, [b.clone(), a.clone()]);
    assert_eq!(
        f.another().await.propose_configurations(task, &[a.clone(), c.clone()]).await.unwrap(),
        std::slice::from_ref(&c)
    );
    assert!(f.store.refresh(&mut state).await.unwrap());
    assert_eq!(state.proposed, [b, a.clone(), c]);
    let seq = f.store.last_event_seq().await.unwrap();
    assert_eq!(f.store.propose_configurations(task, std::slice::from_ref(&a)).await.unwrap(), []);
    assert_eq!(f.store.last_event_seq().await.unwrap(), seq, "nothing new, nothing told");
    f.store.request_cancel(task).await.unwrap();
    assert!(matches!(
        f.store.propose_configurations(task, std::slice::from_ref(&a)).await,
        Err(StoreError::WrongState { .. })
    ));
    f.store.delete_task(task).await.unwrap();
    assert!(matches!(f.store.propose_configurations(task, &[a]).await, Err(StoreError::NoSuchTask { .. })));
}

/// Issue 4, point 2: measurements that would disturb each other are kept apart.
pub(crate) async fn experiments_that_share_a_host_are_claimed_one_at_a_time_where_asked(f: Fixture) {
    let (task, other_task) = (f.task("smoke").await, f.task("other").await);
    for task in [task, other_task] {
        planned(&f, task).await;
    }
    let far = Owner { host: "gpu-8".to_owned(), ..owner(42) };
    let claim = async |task, number, who: &Owner, beside_others, seconds| {
        let now = noon() + Duration::from_secs(seconds);
        f.store.claim_beside(&Resource::experiment(task, number), who, TTL, now, beside_others).await.unwrap()
    };
    let first = claim(task, 1, &owner(40), false, 0).await.won().unwrap();
    match claim(task, 2, &owner(41), false, 0).await {
        Claim::Held(holder) => assert_eq!(holder.owner, owner(40), "the neighbour is named"),
        won => panic!("{won:?}"),
    }
    assert!(claim(other_task, 1, &owner(41), false, 0).await.won().is_some(), "another task's");
    assert!(claim(task, 2, &far, false, 0).await.won().is_some(), "another host");
    assert!(claim(task, 3, &owner(41), true, 0).await.won().is_some(), "where they may be side by side");
    f.store.release(&first).await.unwrap();
    assert!(claim(task, 1, &owner(43), false, 0).await.won().is_none(), "number 3 is beside it");
    assert!(claim(task, 1, &owner(43), false, 31).await.won().is_some(), "a lease that expired holds nobody up");
}

/// Issue 4, point 2: whoever runs an experiment learns of a cancelled task with its next heartbeat, and helpers that are
/// queued are called off.
pub(crate) async fn stopping_a_task_reaches_its_helpers(f: Fixture) {
    let task = f.task("smoke").await;
    planned(&f, task).await;
    let helper = helper(&f, task, 2, &owner(40)).await;
    for place in 1..=2 {
        f.store.enqueue(NewJob::help_task(task, place, Needs::default())).await.unwrap();
    }
    let again = f.store.enqueue(NewJob::help_task(task, 2, Needs::default())).await.unwrap();
    let ask = tuner_store::JobAsk { kinds: vec![JobKind::HelpTask], ..ask(40) };
    let running = f.store.claim_job(&ask).await.unwrap().unwrap();
    f.another().await.request_cancel(task).await.unwrap();
    assert!(f.store.renew(helper.lease(), noon()).await.unwrap().cancel_requested);
    assert!(running.renew(None).await.unwrap().cancel_requested);
    let jobs = f.store.list_jobs(&JobFilter::default(), None, 9).await.unwrap().jobs;
    assert_eq!(jobs.len(), 2, "one for each place");
    assert_eq!(f.store.job(again.id).await.unwrap().status, JobStatus::Cancelled);
}

pub(crate) async fn helpers_that_nobody_has_become_go_with_the_end_of_the_task(f: Fixture) {
    let task = f.task("smoke").await;
    let planner = planned(&f, task).await;
    let first = f.store.enqueue(NewJob::help_task(task, 1, Needs::default())).await.unwrap();
    planner.end_help().await.unwrap();
    planner.end_help().await.unwrap();
    assert_eq!(f.store.job(first.id).await.unwrap().status, JobStatus::Cancelled);
    let [second, third] = [1, 2].map(|place| NewJob::help_task(task, place, Needs::default()));
    f.store.enqueue(second.clone()).await.unwrap();
    f.store.enqueue(third.clone()).await.unwrap();
    let ask = tuner_store::JobAsk { kinds: vec![JobKind::HelpTask], ..ask(40) };
    assert_eq!(f.store.claim_job(&ask).await.unwrap().unwrap().job().id, second.id);
    for n in 1..=3 {
        planner.end_experiment(n, &success(), None).await.unwrap();
    }
    planner.finish_task(completed()).await.unwrap();
    assert_eq!(f.store.job(second.id).await.unwrap().status, JobStatus::Running, "it leaves by itself");
    assert_eq!(f.store.job(third.id).await.unwrap().status, JobStatus::Cancelled);
    let refused = f.store.delete_task(task).await;
    assert!(matches!(refused, Err(StoreError::InUse { .. })), "while somebody helps: {refused:?}");
}
