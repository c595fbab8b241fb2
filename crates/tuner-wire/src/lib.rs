//! What adapters that speak HTTP share.
//!
//! *Invariant*: pure. No socket, no clock, no chance; a caller hands in what it read.

pub mod said;
pub mod secret;
pub mod sse;
pub mod wait;

pub use said::said;
pub use secret::Secret;
pub use wait::{Backoff, retry_after};
