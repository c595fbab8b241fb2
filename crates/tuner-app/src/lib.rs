//! Use cases, one file per resource; the rooms behind every door.
//!
//! *Invariant*: doors call this crate and nothing below it for anything that changes something.

pub mod access;
pub mod backup;
pub mod bench;
pub mod cross_check;
pub mod datasets;
pub mod doctor;
pub mod engines;
pub mod error;
mod files;
pub mod forecast;
pub mod home;
pub mod instance;
pub mod machines;
pub mod presets;
pub mod queue;
pub mod report;
pub mod results;
pub mod service;
pub mod simulate;
pub mod standing;
pub mod tasks;
pub mod tokens;
pub mod tune;
pub mod work;

pub use error::AppError;
pub use home::Home;
pub use tuner_deploy::DeployError;
pub use tuner_deploy::egress::{Egress, Hosts};
