//! Integration tests: the conformance suite for every sampler, random spaces, and search quality on synthetic engines.

mod conformance;
mod quality;
mod spaces;
mod surfaces;
