//! Integration tests of `tuner-deploy`, against real processes and real sockets of this host.

mod attached;
mod conformance;
mod crash;
mod guard;
mod ready;
mod roles;
mod server;
mod world;
