//! The only clock of the runner: real time, or the virtual time of a simulated task.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Real or virtual time.
#[derive(Debug)]
pub enum Clock {
    /// The machine's.
    Real,
    /// Moves only when something simulated takes time.
    Virtual(Mutex<DateTime<Utc>>),
}

impl Clock {
    /// Virtual time that begins at `start`.
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self::Virtual(Mutex::new(start))
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Real => Utc::now(),
            Self::Virtual(now) => *lock(now),
        }
    }

    /// Lets simulated work take `took`; real time passes by itself.
    pub fn advance(&self, took: Duration) {
        if let Self::Virtual(now) = self {
            let mut now = lock(now);
            *now += TimeDelta::from_std(took).unwrap_or(TimeDelta::MAX / 4);
        }
    }

    /// Waits until `until`: sleeps in real time, jumps in virtual time.
    pub async fn wait_until(&self, until: DateTime<Utc>) {
        match self {
            Self::Real => {
                if let Ok(left) = (until - Utc::now()).to_std() {
                    tokio::time::sleep(left).await;
                }
            }
            Self::Virtual(now) => {
                let mut now = lock(now);
                *now = (*now).max(until);
            }
        }
    }
}

fn lock(now: &Mutex<DateTime<Utc>>) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
    now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
