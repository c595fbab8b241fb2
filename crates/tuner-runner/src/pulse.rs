//! The sign of life of a worker, and its ear for what other processes ask of it.
//!
//! *Invariant*: it beats apart from the work, so work that computes for long loses no lease; and work whose lease
//! cannot be shown to be ours any more is told so, never dropped, for it has an engine to stop.

use std::time::Duration;

use chrono::Utc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tuner_store::{Lease, Store, StoreError};

use crate::claim::LEASE;

/// How often the worker shows that it lives and looks for a wish to stop.
const HEARTBEAT: Duration = Duration::from_secs(1);

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

/// Returns when the lease was taken over (`None`), or could not be renewed for as long as it lasts.
async fn beat(store: &Store, lease: &Lease, wish: &CancellationToken) -> Option<StoreError> {
    let mut last = Instant::now();
    loop {
        sleep(HEARTBEAT).await;
        match store.renew(lease, Utc::now()).await {
            Ok(renewal) if !renewal.still_mine => return None,
            Ok(renewal) => {
                last = Instant::now();
                if renewal.cancel_requested {
                    wish.cancel();
                }
            }
            Err(error) if last.elapsed() > LEASE => return Some(error),
            Err(error) => tracing::warn!(%error, "no heartbeat; trying again"),
        }
    }
}
