//! Integration tests: virtual time, closed forms, properties, the server's protocol.

mod client;
mod closed_form;
mod level;
mod properties;
mod server;
mod startup;
mod support;
mod table;
