//! What the documents promise, tried.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod documents;
mod simulated;
