//! Wakes tasks at absolute moments.
//!
//! *Invariant*: a moment is never early, and late by what waking a thread costs: the event loops' own timers are a
//! millisecond coarse.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::client::monotonic_ns;

#[derive(Default)]
struct Inner {
    /// Moment and name of each who waits, the earliest first; some may have given up.
    waiting: BinaryHeap<Reverse<(u64, u64)>>,
    wakers: HashMap<u64, Waker>,
    next: u64,
    closed: bool,
}

impl Inner {
    /// Wakes everyone whose moment has come; the next moment.
    fn wake(&mut self, now_ns: u64) -> Option<u64> {
        while let Some(Reverse((at, name))) = self.waiting.peek().copied() {
            if at > now_ns && self.wakers.contains_key(&name) {
                return Some(at);
            }
            self.waiting.pop();
            if let Some(waker) = self.wakers.remove(&name) {
                waker.wake();
            }
        }
        None
    }
}

/// The alarm of a level.
#[derive(Default)]
pub(super) struct Alarm {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Alarm {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes who waits, until it is closed: the work of a thread of its own.
    pub(super) fn run(&self) {
        let mut inner = self.lock();
        while !inner.closed {
            let now_ns = monotonic_ns();
            inner = match inner.wake(now_ns) {
                // A system's wait is exact to some ten microseconds.
                Some(at) => {
                    let wait = Duration::from_nanos(at - now_ns);
                    self.changed.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until `at_ns` on CLOCK_MONOTONIC.
    pub(super) async fn until(&self, at_ns: u64) {
        let mut listed: Option<Listed<'_>> = None;
        poll_fn(|cx| {
            if monotonic_ns() >= at_ns {
                return Poll::Ready(());
            }
            let mut inner = self.lock();
            let name = listed.as_ref().map_or(inner.next, |listed| listed.name);
            if listed.is_none() {
                inner.next += 1;
                listed = Some(Listed { alarm: self, name });
            }
            // One that was woken for another reason is listed still.
            if inner.wakers.insert(name, cx.waker().clone()).is_none() {
                inner.waiting.push(Reverse((at_ns, name)));
                if inner.waiting.peek().is_some_and(|Reverse((_, first))| *first == name) {
                    self.changed.notify_one();
                }
            }
            Poll::Pending
        })
        .await;
    }
}

/// Someone who waits; forgotten when they give up.
struct Listed<'a> {
    alarm: &'a Alarm,
    name: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.alarm.lock().wakers.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(flavor = "current_thread")]
    async fn everyone_is_woken_in_order_and_nobody_early() {
        let alarm = Arc::new(Alarm::default());
        let thread = std::thread::spawn({
            let alarm = alarm.clone();
            move || alarm.run()
        });
        let start = monotonic_ns();
        let order = Arc::new(Mutex::new(Vec::new()));
        let waits = [90u64, 30, 60, 0, 30].map(|ms| {
            let (alarm, order) = (alarm.clone(), order.clone());
            tokio::spawn(async move {
                alarm.until(start + ms * 1_000_000).await;
                order.lock().unwrap().push(ms);
                monotonic_ns() >= start + ms * 1_000_000
            })
        });
        let given_up = tokio::time::timeout(Duration::from_millis(5), alarm.until(start + 20_000_000));
        assert!(given_up.await.is_err(), "one who gives up is not in the others' way");
        for wait in waits {
            assert!(wait.await.unwrap(), "woken early");
        }
        assert_eq!(*order.lock().unwrap(), [0, 30, 30, 60, 90]);
        assert!(alarm.lock().wakers.is_empty());
        alarm.close();
        thread.join().unwrap();
    }
}
