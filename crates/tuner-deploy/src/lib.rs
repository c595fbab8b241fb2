//! Backends that launch, watch and stop engines: local processes and attached endpoints.

pub mod install;
