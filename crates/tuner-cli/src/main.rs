//! The `autotuner` command.

fn main() {}
