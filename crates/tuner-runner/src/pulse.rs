//! The sign of life of a worker, and its ear for what other processes ask of it.
//!
//! *Invariant*: it beats apart from the work, so work that computes for long loses no lease; and work whose lease is
//! somebody else's is told so, never dropped, for it has an engine to stop. While the store does not answer nobody can
//! tell, and work goes on.

use std::time::Duration;

use chrono::Utc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tuner_store::{Lease, Store, StoreError};

use crate::claim::LEASE;

/// How often the worker shows that it lives and looks for a wish to stop.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pulse that beats until it is dropped.
#[derive(Debug)]
pub(crate) struct Pulse(JoinHandle<Option<StoreError>>);

impl Pulse {
    /// Renews `lease`; `wish` is cancelled when a person asks to stop the task, `lost` when it is not ours any more.
    pub(crate) fn start(store: Store, lease: Lease, wish: CancellationToken, lost: CancellationToken) -> Self {
        Self(tokio::spawn(async move {
            let unreachable = beat(&store, &lease, &wish).await;
            lost.cancel();
            unreachable
        }))
    }

    /// Ends it. Gives what kept it from beating, if it ended by itself because of that.
    pub(crate) async fn end(mut self) -> Option<StoreError> {
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

/// Returns when the lease was taken over (`None`), or when the store has failed for as long as it lasts, in a way that
/// does not pass by itself.
async fn beat(store: &Store, lease: &Lease, wish: &CancellationToken) -> Option<StoreError> {
    let mut last = Instant::now();
    loop {
        sleep(HEARTBEAT).await;
        // A network that swallows packets gives no error.
        let Ok(renewed) = timeout(PATIENCE, store.renew(lease, Utc::now())).await else {
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
            Err(error) => tracing::warn!(%error, "no heartbeat; trying again"),
        }
    }
}
