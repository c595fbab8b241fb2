//! Integration tests: the conformance suite for every sampler, random spaces, search quality on synthetic engines, and
//! the suggestions themselves as a golden file.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may end where it stands")]

mod conformance;
mod golden;
mod quality;
mod spaces;
mod surfaces;
