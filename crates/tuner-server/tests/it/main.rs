//! The service as its clients see it: real sockets on loopback, a real database file; for peers elsewhere the router is
//! called with their address.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Only functions marked as tests are exempt by themselves.

mod access;
mod agent;
mod coverage;
mod datasets;
mod document;
mod errands;
mod events;
mod experiments;
mod fixture;
mod mcp;
mod presets;
mod queue;
mod refusals;
mod results;
mod tasks;
mod watching;
