//! What the documents promise, tried.

mod documents;
mod simulated;
