//! Integration tests of `tuner-deploy`, against real processes and real sockets of this host.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod attached;
mod conformance;
mod crash;
mod guard;
mod ready;
mod roles;
mod server;
mod world;
