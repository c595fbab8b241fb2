use std::time::Duration;

use tuner_store::{Claim, Owner, Resource, StoreError, TaskId};

use crate::fixture::{Fixture, TTL, noon, owner};

pub(crate) async fn a_second_worker_is_refused_and_told_who_holds_the_task(f: Fixture) {
    let resource = Resource::task(f.task("smoke").await);
    let first = f.store.claim(&resource, &owner(1), TTL, noon()).await.unwrap().won().unwrap();
    let later = noon() + Duration::from_secs(29);
    for who in [owner(2), owner(1)] {
        match f.another().await.claim(&resource, &who, TTL, later).await.unwrap() {
            Claim::Held(holder) => {
                assert_eq!((holder.owner, holder.fence, holder.since), (owner(1), first.fence, noon()));
            }
            won => panic!("{won:?}"),
        }
    }
    let nobody = Resource::task(TaskId::new());
    assert!(matches!(f.store.claim(&nobody, &owner(1), TTL, noon()).await, Err(StoreError::NoSuchTask { .. })));
}

pub(crate) async fn a_lease_can_be_claimed_from_the_moment_it_expires(f: Fixture) {
    let resource = Resource::named("gpu:gpu-7/0");
    let first = f.store.claim(&resource, &owner(1), TTL, noon()).await.unwrap().won().unwrap();
    let just_before = noon() + TTL - Duration::from_micros(1);
    assert!(f.store.claim(&resource, &owner(2), TTL, just_before).await.unwrap().won().is_none());
    let second = f.store.claim(&resource, &owner(2), TTL, noon() + TTL).await.unwrap().won().unwrap();
    assert!(second.fence > first.fence);
}

pub(crate) async fn a_heartbeat_prolongs_and_learns_of_cancellation(f: Fixture) {
    let task = f.task("smoke").await;
    let resource = Resource::task(task);
    let lease = f.store.claim(&resource, &owner(1), TTL, noon()).await.unwrap().won().unwrap();
    f.store.claimed(task, lease.clone()).start_task().await.unwrap();
    let seq = f.store.last_event_seq().await.unwrap();
    let beat = f.store.renew(&lease, noon() + Duration::from_secs(20)).await.unwrap();
    assert!(beat.still_mine && !beat.cancel_requested);
    assert_eq!(f.store.last_event_seq().await.unwrap(), seq, "a heartbeat is no news");
    assert!(f.store.claim(&resource, &owner(2), TTL, noon() + Duration::from_secs(49)).await.unwrap().won().is_none());
    f.another().await.request_cancel(task).await.unwrap();
    let beat = f.store.renew(&lease, noon() + Duration::from_secs(25)).await.unwrap();
    assert!(beat.still_mine && beat.cancel_requested);
}

pub(crate) async fn a_late_heartbeat_counts_unless_somebody_took_over(f: Fixture) {
    let resource = Resource::named("x");
    let lease = f.store.claim(&resource, &owner(1), TTL, noon()).await.unwrap().won().unwrap();
    let late = noon() + 10 * TTL;
    assert!(f.store.renew(&lease, late).await.unwrap().still_mine);
    let taken = f.store.claim(&resource, &owner(2), TTL, late + TTL).await.unwrap().won().unwrap();
    assert!(!f.store.renew(&lease, late + TTL).await.unwrap().still_mine);
    f.store.release(&lease).await.unwrap();
    assert!(f.store.renew(&taken, late + TTL).await.unwrap().still_mine, "a stale release must not free it");
}

pub(crate) async fn fences_only_ever_grow(f: Fixture) {
    let resource = Resource::named("x");
    let mut last = 0;
    for pid in 1..6 {
        let lease = f.store.claim(&resource, &owner(pid), TTL, noon()).await.unwrap().won().unwrap();
        assert!(lease.fence > last);
        last = lease.fence;
        f.store.release(&lease).await.unwrap();
        f.store.release(&lease).await.unwrap();
        assert!(!f.store.renew(&lease, noon()).await.unwrap().still_mine);
        assert_eq!(f.store.holder(&resource).await.unwrap(), None);
    }
}

pub(crate) async fn a_lease_is_broken_only_under_the_fence_that_was_seen(f: Fixture) {
    let resource = Resource::named("x");
    let dead = f.store.claim(&resource, &owner(1), TTL, noon()).await.unwrap().won().unwrap();
    assert!(!f.store.break_lease(&resource, dead.fence + 1).await.unwrap());
    assert!(f.store.break_lease(&resource, dead.fence).await.unwrap());
    let next = f.store.claim(&resource, &owner(2), TTL, noon()).await.unwrap().won().unwrap();
    assert!(!f.store.break_lease(&resource, dead.fence).await.unwrap());
    assert!(f.store.renew(&next, noon()).await.unwrap().still_mine);
}

pub(crate) async fn of_four_workers_racing_for_a_resource_one_wins(f: Fixture) {
    const RESOURCES: usize = 40;
    let mut racers = Vec::new();
    for pid in 0..4 {
        let store = f.another().await;
        let who = Owner { pid, ..owner(pid) };
        racers.push(tokio::spawn(async move {
            let mut won = Vec::new();
            for n in 0..RESOURCES {
                // Each begins elsewhere, so that they meet.
                let n = (n + pid as usize * RESOURCES / 4) % RESOURCES;
                let resource = Resource::named(format!("slot:{n}"));
                if let Claim::Won(lease) = store.claim(&resource, &who, TTL, noon()).await.unwrap() {
                    assert_eq!(lease.fence, 1);
                    won.push(n);
                }
            }
            won
        }));
    }
    let mut all = Vec::new();
    for racer in racers {
        all.extend(racer.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, (0..RESOURCES).collect::<Vec<_>>());
}

pub(crate) async fn leases_are_counted_in_real_time_whatever_rows_are_stamped_with(f: Fixture) {
    let store = f.store.clone().with_clock(std::sync::Arc::new(noon));
    let apart = chrono::Utc::now() - store.lease_time().await.unwrap();
    assert!(apart.abs() < chrono::TimeDelta::minutes(1), "{apart}");
}
