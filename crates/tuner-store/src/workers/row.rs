//! Workers as the rest of the program sees them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entity::workers;
use crate::json::{decode, number};
use crate::row::words;
use crate::{Capabilities, JobId, MachineRow, Owner, StoreError};

/// A worker that was silent for longer than this counts as dead.
pub const WORKER_EXPIRY: Duration = Duration::from_secs(30);

/// Names one process that works, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(Uuid);

impl WorkerId {
    /// A new id, from the time and chance.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for WorkerId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for WorkerId {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

words! {
    /// What a worker is asked to do. It obeys when it next says that it lives.
    Asked {
        /// Claim jobs and run them.
        Run = "run",
        /// Finish what it runs, and claim nothing more.
        Drain = "drain",
        /// Give back what it runs, end, and be started anew by whoever started it.
        Restart = "restart",
        /// Give back what it runs, and end.
        Stop = "stop",
    }
}

/// How busy a worker says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Slots in use.
    #[serde(default)]
    pub busy_slots: u32,
    /// GPUs that nothing of ours uses.
    #[serde(default)]
    pub free_gpus: u32,
    /// What it runs.
    #[serde(default)]
    pub jobs: Vec<JobId>,
}

/// A process that works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerRow {
    /// Its id.
    pub id: WorkerId,
    /// The process.
    pub owner: Owner,
    /// Version of its program.
    pub version: String,
    /// Protocol that it speaks: see [`crate::PROTOCOL`].
    pub protocol: i64,
    /// How many jobs it runs at once.
    pub slots: u32,
    /// What its host has.
    pub capabilities: Capabilities,
    /// How busy it said it is.
    pub load: Load,
    /// What it is asked to do.
    pub asked: Asked,
    /// Since when it is known.
    pub registered_at: DateTime<Utc>,
    /// Its last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// Seconds since then.
    pub silent_s: f64,
    /// Whether that is less than [`WORKER_EXPIRY`].
    pub alive: bool,
    /// What people call it: the name of its machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl WorkerRow {
    /// A worker as it is seen at a time.
    pub(super) fn seen(row: workers::Model, at: DateTime<Utc>) -> Result<Self, StoreError> {
        let id: WorkerId = row.id.parse().map_err(|e: uuid::Error| StoreError::Corrupt {
            what: format!("worker id {:?}", row.id),
            source: Box::new(e),
        })?;
        let of = |what: &str| format!("{what} of worker {id}");
        let silent = (at - row.heartbeat_at).to_std().unwrap_or_default();
        Ok(Self {
            id,
            owner: decode(|| of("owner"), &row.owner)?,
            version: row.version,
            protocol: row.protocol,
            slots: number("slots", row.slots)?,
            capabilities: decode(|| of("capabilities"), &row.capabilities)?,
            load: decode(|| of("load"), &row.load)?,
            asked: Asked::read(&row.asked)?,
            registered_at: row.registered_at,
            heartbeat_at: row.heartbeat_at,
            silent_s: silent.as_secs_f64(),
            alive: silent < WORKER_EXPIRY,
            name: None,
        })
    }

    /// The same with the name that one of the machines gives it.
    pub(super) fn named(self, machines: &[MachineRow]) -> Self {
        let name = machines.iter().find(|machine| machine.has(&self)).map(|machine| machine.name.clone());
        Self { name, ..self }
    }
}
