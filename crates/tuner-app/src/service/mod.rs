//! Use cases of the doors that others come in by. Each wants a [`Permit`] for its own action.
//!
//! *Invariant*: nothing here knows HTTP; what a door shows of an answer is the door's matter.

pub mod datasets;
pub mod engines;
pub mod estimate;
pub mod experiments;
pub mod insight;
pub mod logs;
pub mod machine;
pub mod machines;
pub mod outside;
pub mod presets;
pub mod preview;
pub mod propose;
pub mod queue;
pub mod requests;
pub mod system;
pub mod tasks;
pub mod tokens;

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use tuner_policy::Action;
use tuner_store::{AuditPage, Store, TaskRow};

use crate::access::Permit;
use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// Does something that blocks its thread; a panic in it is one here.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Everything that the use cases work on. Clones share it.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

struct Parts {
    store: Store,
    home: Home,
    around: Surroundings,
    started_at: DateTime<Utc>,
    started: Instant,
    machine: system::Machine,
}

impl std::fmt::Debug for Service {
    /// Without the secrets of the environment.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("home", &self.0.home).finish_non_exhaustive()
    }
}

impl Service {
    /// A service on an open store.
    pub fn new(store: Store, home: Home, around: Surroundings) -> Self {
        let machine = system::Machine::default();
        Self(Arc::new(Parts { store, home, around, started_at: Utc::now(), started: Instant::now(), machine }))
    }

    /// The store, for doors that follow events, keep answers and count.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The data directory.
    pub fn home(&self) -> &Home {
        &self.0.home
    }

    /// What is known of the environment.
    pub(crate) fn around(&self) -> &Surroundings {
        &self.0.around
    }

    /// The audit log, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn audit_log(&self, permit: &Permit, before: Option<i64>, limit: u32) -> Result<AuditPage, AppError> {
        permit.must_be_for(Action::AuditRead)?;
        Ok(self.store().audit_log(before, limit).await?)
    }

    /// A task by id, name or beginning of an id.
    async fn find(&self, wanted: &str) -> Result<TaskRow, AppError> {
        Ok(self.store().task(wanted).await?)
    }
}
