//! Rows, events and leases: the truth about every task, and the only SQL.
//!
//! *Invariants*: a change of a row and the event that tells of it are committed together or not at all; a worker's
//! write is committed only while its lease's fence is the newest; every write done twice equals the write done once.
//!
//! Readers use [`Store`]: find tasks, [`Store::load`] them, follow [`Event`]s by number. Workers take jobs from the run
//! queue ([`Store::claim_job`]), [`Store::claim`] the task that a job is about and write through [`Claimed`].

mod access;
mod chat;
mod claimed;
mod deployments;
mod dialect;
mod entity;
mod error;
mod event;
mod facts;
mod follow;
mod jobs;
mod json;
mod lease;
mod library;
mod load;
mod machines;
mod migration;
mod portable;
mod row;
mod shelf;
mod store;
mod tasks;
mod trouble;
mod wake;
mod workers;

pub use access::{AuditPage, AuditRow, Begun, NewAudit, NewToken, Reply, TokenRow};
pub use chat::{
    CallEnd, CallResult, CallRow, ChatChange, ChatMessageRow, ChatRole, ChatRun, ChatSession, ChatUsage, Conversation,
    Feedback, GrantRow, MessageBody, MessageState, NewAnswer, NewCall, NewMessage, NewSession, SessionItem,
    SessionPage, TaskNews, TaskSubscription,
};
pub use claimed::{AttemptEnd, Claimed, NewDeployment, Running, TaskEnd};
pub use error::StoreError;
pub use event::{Event, EventRow, LevelFigures, Phase, Severity};
pub use facts::PROTOCOL;
pub use follow::{About, Follower};
pub use jobs::{
    AfterFailure, Again, Capabilities, ClaimedJob, Gpu, JobAsk, JobChange, JobFilter, JobId, JobKind, JobPage, JobRow,
    JobStatus, Needs, NewJob, QueueDepth,
};
pub use lease::{Claim, Holder, Lease, Owner, Renewal, Resource};
pub use library::{
    Archived, Counts, EXPERIMENT_FIELDS, ExperimentQuery, ExperimentSort, FullExperiment, FullTask, JsonPage, Revised,
    RevisionRow, ShownExperiment, TaskQuery, Typical,
};
pub use load::TaskState;
pub use machines::{MACHINE_LABEL, MachineChange, MachineRow, NewMachine};
pub use portable::Dumped;
pub use row::{DeploymentRow, DeploymentState, ExperimentRow, TaskId, TaskRow, TaskStatus};
pub use shelf::{DatasetRow, NewDataset, PresetRow, ShelfChange, ShelfKind};
pub use store::{Clock, Store};
pub use tasks::{NewTask, OutcomeCounts, TaskPage};
pub use trouble::Trouble;
pub use wake::Work;
pub use workers::{Asked, Load, NewWorker, WORKER_EXPIRY, WorkerChange, WorkerId, WorkerRow};
