//! Everything a person sees of an engine: command lines, read-back tables, explanations of exits.

mod catalogue;
mod exits;
mod launches;
mod read_backs;
