//! The measuring HTTP client: connections, server-sent events, and what an answer says.

mod body;
mod clock;
mod collector;
mod connection;
pub mod event;
mod http1;
mod http2;
mod replay;
mod send;
mod target;
mod template;
mod timer;
mod tls;
mod transport;

pub use clock::{LevelClock, monotonic_ns};
pub use collector::{BodyEnd, Collector, EventCounts};
pub use replay::replay;
pub use send::{Exchange, Limits};
pub use target::{Features, Target, TargetError};
pub use tls::TlsError;
/// Server-sent events from bytes.
pub use tuner_wire::sse;

pub(crate) use connection::Connection;
pub(crate) use send::{Watch, call, error_message, exchange};
pub(crate) use target::Address;
pub(crate) use transport::{Reads, reads};
