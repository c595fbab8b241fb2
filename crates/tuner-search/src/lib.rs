//! Samplers, pruners and analysis: pure functions from history to the next configuration and to what was learned.
