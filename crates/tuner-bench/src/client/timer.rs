//! How long a request may take.

use tokio::time::Instant;

use super::send::Limits;

/// Two limits on one timer, which is only moved when it fires.
pub(super) struct Timer {
    limits: Limits,
    deadline: Instant,
    last_read: Instant,
    sleep: std::pin::Pin<Box<tokio::time::Sleep>>,
}

impl Timer {
    pub(super) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let sleep = Box::pin(tokio::time::sleep_until(now + limits.idle.min(limits.total)));
        Self { limits, deadline: now + limits.total, last_read: now, sleep }
    }

    /// The future's output, or whether it was the idle limit that ended the wait.
    pub(super) async fn limit<F: Future>(&mut self, future: F) -> Result<F::Output, bool> {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => {
                    self.last_read = Instant::now();
                    return Ok(output);
                }
                () = &mut self.sleep => {
                    let now = Instant::now();
                    let idle_end = self.last_read + self.limits.idle;
                    if now >= self.deadline {
                        return Err(false);
                    }
                    if now >= idle_end {
                        return Err(true);
                    }
                    self.sleep.as_mut().reset(idle_end.min(self.deadline));
                }
            }
        }
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
