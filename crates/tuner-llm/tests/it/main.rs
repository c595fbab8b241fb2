//! The clients against the scripted model, over real connections.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod ask;
mod cancel;
mod check;
mod live;
mod retry;
mod schema;
mod scripts;
mod shapes;
mod splits;
