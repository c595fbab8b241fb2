//! Whole task files: good ones, malformed ones with what a person sees, mutated ones, and those of the predecessor.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod good;
mod import;
mod malformed_files;
mod mutations;
mod schema;
