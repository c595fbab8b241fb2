//! The sign of life of a claim, and its ear for what other processes ask of it.
//!
//! *Invariant*: it beats apart from the work, so work that computes for long loses no claim; and work whose claim is
//! somebody else's is told so, never dropped, for it has an engine to stop. While the store does not answer nobody can
//! tell, and work goes on.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tuner_store::{Lease, Renewal, Store, StoreError};

use crate::claim::LEASE;

/// How often the worker shows that it lives and looks for a wish to stop.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pulse that beats until it is dropped.
#[derive(Debug)]
pub struct Pulse(JoinHandle<Option<StoreError>>);

impl Pulse {
    /// Renews a claim by `renew`; `wish` is cancelled when a person asks to stop what it is for, `lost` when it is not
    /// ours any more.
    pub fn start<F, R>(renew: F, wish: CancellationToken, lost: CancellationToken) -> Self
    where
        F: FnMut() -> R + Send + 'static,
        R: Future<Output = Result<Renewal, StoreError>> + Send,
    {
        Self(tokio::spawn(async move {
            let unreachable = beat(renew, &wish).await;
            lost.cancel();
            unreachable
        }))
    }

    /// Renews a lease.
    pub fn of_lease(store: &Store, lease: &Lease, wish: &CancellationToken, lost: &CancellationToken) -> Self {
        let (store, lease) = (store.clone(), lease.clone());
        let renew = move || {
            let (store, lease) = (store.clone(), lease.clone());
            async move { store.renew(&lease, store.lease_time().await?).await }
        };
        Self::start(renew, wish.clone(), lost.clone())
    }

    /// Ends it. Gives what kept it from beating, if it ended by itself because of that.
    pub async fn end(mut self) -> Option<StoreError> {
        if !self.0.is_finished() {
            return None;
        }
        (&mut self.0).await.ok().flatten()
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns when the claim was taken over (`None`), or when the store has failed for as long as it lasts, in a way that
/// does not pass by itself.
async fn beat<F, R>(mut renew: F, wish: &CancellationToken) -> Option<StoreError>
where
    F: FnMut() -> R,
    R: Future<Output = Result<Renewal, StoreError>>,
{
    let mut last = Instant::now();
    loop {
        sleep(HEARTBEAT).await;
        // A network that swallows packets gives no error.
        let Ok(renewed) = timeout(PATIENCE, renew()).await else {
            tracing::warn!("no heartbeat: the store does not answer; trying again");
            continue;
        };
        match renewed {
            Ok(renewal) if !renewal.still_mine => return None,
            Ok(renewal) => {
                last = Instant::now();
                if renewal.cancel_requested {
                    wish.cancel();
                }
            }
            Err(error) if last.elapsed() > LEASE && !error.is_passing() => return Some(error),
            Err(error) => tracing::warn!(error = %error.in_words(), "no heartbeat; trying again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const MINE: Renewal = Renewal { still_mine: true, cancel_requested: false };

    /// B8: a store that takes a call and never answers it keeps nobody from the next beat.
    #[tokio::test(start_paused = true)]
    async fn a_beat_that_is_never_answered_is_given_up_and_the_next_one_heard() {
        let beats = Arc::new(AtomicU32::new(0));
        let (wish, lost) = (CancellationToken::new(), CancellationToken::new());
        let counted = beats.clone();
        let renew = move || {
            let beat = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match beat {
                    0 => std::future::pending().await,
                    1 => Ok(MINE),
                    2 => Ok(Renewal { cancel_requested: true, ..MINE }),
                    _ => Ok(Renewal { still_mine: false, cancel_requested: false }),
                }
            }
        };
        let began = Instant::now();
        let pulse = Pulse::start(renew, wish.clone(), lost.clone());
        wish.cancelled().await;
        assert!(began.elapsed() >= PATIENCE && !lost.is_cancelled());
        lost.cancelled().await;
        assert!(pulse.end().await.is_none());
        assert_eq!(beats.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_for_good_ends_it_when_the_claim_has_expired() {
        let (wish, lost) = (CancellationToken::new(), CancellationToken::new());
        let broken = || async { Err(StoreError::NotFound { what: "disk".to_owned() }) };
        let began = Instant::now();
        let pulse = Pulse::start(broken, wish, lost.clone());
        lost.cancelled().await;
        assert!(began.elapsed() > LEASE);
        tokio::task::yield_now().await;
        assert!(matches!(pulse.end().await, Some(StoreError::NotFound { .. })));
    }
}
