//! What happened to a job.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{JobKind, JobStatus};
use crate::Owner;

/// A change of a job. Variants and fields are added, never renamed or removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum JobChange {
    /// It waits for a worker.
    Queued {
        /// What is to be done.
        job_kind: JobKind,
        /// Larger ones come first.
        priority: i32,
        /// Not before.
        run_after: DateTime<Utc>,
    },
    /// A worker took it.
    Claimed {
        /// Which try, from 1.
        attempt: u32,
        /// The number that makes older claims harmless.
        fence: i64,
        /// Who.
        worker: Owner,
        /// Whose lease on it had expired.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Owner>,
    },
    /// Its worker is further than before.
    Progressed {
        /// How far, as its kind says it.
        progress: Json,
    },
    /// Its worker gave it back; the try does not count.
    Released {
        /// The claim that ended.
        fence: i64,
    },
    /// A try failed; another one follows.
    Failed {
        /// Which try.
        attempt: u32,
        /// Why.
        error: String,
        /// When the next one may begin.
        run_after: DateTime<Utc>,
    },
    /// A person asked to stop it while it ran.
    CancelRequested,
    /// It ended.
    Ended {
        /// How.
        status: JobStatus,
        /// Why, if it did not succeed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A person had one that had ended tried again.
    Revived {
        /// How it had ended.
        was: JobStatus,
    },
}
