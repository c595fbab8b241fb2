//! What is known of a configuration before anything is started.

use std::fmt;

use crate::Failure;
use crate::space::Configuration;

/// Knows of configurations that cannot run here.
///
/// *Contract*: only what is certain, never a guess: a configuration that is called impossible is not tried, and nothing
/// would correct a mistake. The same flags have the same answer.
pub trait Forecast: fmt::Debug + Send + Sync {
    /// Why no engine can start with these flags (every one: fixed, baseline's and candidate's); `None` where it may.
    fn impossible(&self, flags: &Configuration) -> Option<Failure>;
}

/// Nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct NoForecast;

impl Forecast for NoForecast {
    fn impossible(&self, _flags: &Configuration) -> Option<Failure> {
        None
    }
}
