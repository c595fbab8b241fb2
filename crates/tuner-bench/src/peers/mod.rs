//! Other load generators as peers: the same load on their command lines, their runs, and their own figures against
//! ours by their rules.
//!
//! *Invariant*: what a peer measured is told by the content of the file it wrote, never by the file's name or by what
//! it printed. A peer that fails is an error with its own last words, never a figure.

mod agreement;
mod command;
mod definitions;
mod error;
mod gate;
mod run;

pub use agreement::{Agreement, FigureAgreement, agreement};
pub use command::{PeerLoad, surroundings};
pub use error::PeerError;
pub use gate::Gate;
pub use run::{PeerRun, own_cpu_s, run};

use crate::compat::Tool;

/// The tools that can be run here, in the order in which they are listed.
pub const PEERS: [Tool; 4] = [Tool::Vllm, Tool::Guidellm, Tool::Aiperf, Tool::GenaiBench];

/// The program that a person types to start a tool.
pub fn program(tool: Tool) -> &'static str {
    match tool {
        Tool::Vllm => "vllm",
        Tool::Sglang => "sglang",
        Tool::Guidellm => "guidellm",
        Tool::Aiperf => "aiperf",
        Tool::GenaiBench => "genai-bench",
    }
}

#[cfg(test)]
mod tests;
