//! Integration tests: virtual time, closed forms, properties, the server's protocol.

#![allow(clippy::unwrap_used, reason = "a test ends where an expectation fails")]

mod client;
mod closed_form;
mod level;
mod properties;
mod server;
mod startup;
mod support;
mod table;
mod talks;
