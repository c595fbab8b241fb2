//! How long a request may take.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio::time::{Instant, Sleep};

use super::send::Limits;

/// Two limits on one timer, which is only moved when it fires and only looked at when it might have.
pub(super) struct Timer {
    limits: Limits,
    deadline: Instant,
    last_read: Instant,
    sleep: Pin<Box<Sleep>>,
    /// The timer knows whom to wake. A request stays with one task, so that need not be said again.
    registered: bool,
}

impl Timer {
    pub(super) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let sleep = Box::pin(tokio::time::sleep_until(now + limits.idle.min(limits.total)));
        Self { limits, deadline: now + limits.total, last_read: now, sleep, registered: false }
    }

    /// The future's output, or whether it was the idle limit that ended the wait.
    pub(super) async fn limit<F: Future>(&mut self, future: F) -> Result<F::Output, bool> {
        let mut future = std::pin::pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                if self.limits.idle < self.limits.total {
                    self.last_read = Instant::now();
                }
                return Poll::Ready(Ok(output));
            }
            while !self.registered || self.sleep.is_elapsed() {
                if self.sleep.as_mut().poll(cx).is_pending() {
                    self.registered = true;
                    break;
                }
                let now = Instant::now();
                let idle_end = self.last_read + self.limits.idle;
                if now >= self.deadline || now >= idle_end {
                    return Poll::Ready(Err(now < self.deadline));
                }
                self.sleep.as_mut().reset(idle_end.min(self.deadline));
                self.registered = false;
            }
            Poll::Pending
        })
        .await
    }

    pub(super) fn message(&self) -> String {
        let Limits { total, idle } = self.limits;
        if Instant::now() >= self.deadline {
            format!("not finished after {} s", total.as_secs_f64())
        } else {
            format!("nothing came for {} s", idle.as_secs_f64())
        }
    }
}
