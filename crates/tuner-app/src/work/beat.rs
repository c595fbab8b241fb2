//! When a worker writes down that it lives: every few seconds, and at once when it has other jobs than before.
//!
//! A worker is woken by everything that happens in the queue. Most of it is not about this worker, and then nothing is
//! written.

use std::time::Duration;

use tokio::time::Instant;
use tuner_store::Load;

/// How often a worker says that it lives.
const EVERY: Duration = Duration::from_secs(5);

/// The last heartbeat.
#[derive(Debug, Default)]
pub(super) struct Beat(Option<(Instant, Load)>);

impl Beat {
    /// Whether another one is due.
    pub(super) fn is_due(&self, load: &Load) -> bool {
        self.0.as_ref().is_none_or(|(at, told)| at.elapsed() >= EVERY || told != load)
    }

    /// It was written.
    pub(super) fn done(&mut self, load: Load) {
        self.0 = Some((Instant::now(), load));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_is_due_every_five_seconds_and_when_the_load_changed() {
        let (idle, busy) = (Load::default(), Load { busy_slots: 1, ..Load::default() });
        let mut beat = Beat::default();
        assert!(beat.is_due(&idle), "the first");
        beat.done(idle.clone());
        assert!(!beat.is_due(&idle), "a wake for nothing writes nothing");
        assert!(beat.is_due(&busy));
        beat.done(busy.clone());
        tokio::time::advance(Duration::from_millis(4_999)).await;
        assert!(!beat.is_due(&busy));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(beat.is_due(&busy));
    }
}
