//! Backends that launch, watch and stop engines: local processes and attached endpoints.
//!
//! *Invariant*: an id is chosen before its effect and carried by everything the effect creates, so launching twice
//! equals launching once, and whatever a dead process left behind is found by that id alone. No process is ever
//! signalled by name, and none whose start time was not verified.

pub mod attached;
pub mod backend;
pub mod egress;
mod error;
pub mod fake;
pub mod guard;
pub mod host;
pub mod http;
pub mod install;
pub mod listening;
pub mod local;
pub mod logs;
pub mod pages;
pub mod ports;
pub mod ready;
pub mod redact;
pub mod ssh;

pub use backend::{Backend, DeploymentId, Exit, Found, Launch, Running, Status, Stopped};
pub use egress::Egress;
pub use error::DeployError;
pub use fake::FakeBackend;
pub use local::LocalBackend;
pub use tuner_engines::Proxies;
