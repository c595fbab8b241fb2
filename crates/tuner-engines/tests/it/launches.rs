//! Golden command lines, one file per engine.

use std::fmt::Write;

use tuner_core::Value;
use tuner_core::engine::EngineName;
use tuner_core::space::Configuration;
use tuner_core::task::{EngineSpec, Environment, HardwareSpec, ModelSpec};
use tuner_engines::{LaunchRequest, LaunchSpec, engine};

struct Case {
    title: &'static str,
    model: ModelSpec,
    engine: EngineSpec,
    configuration: Configuration,
    launcher: Vec<String>,
    gpus: Vec<u32>,
    ambient: Environment,
}

fn case(title: &'static str, name: EngineName, flags: &str) -> Case {
    let path = if name == EngineName::LlamaCpp { "/models/smollm2.gguf" } else { "/models/smollm2" };
    let spec = serde_json::json!({ "name": name.name() });
    Case {
        title,
        model: ModelSpec { path: Some(path.to_owned()), ..ModelSpec::default() },
        engine: serde_json::from_value(spec).unwrap(),
        configuration: serde_json::from_str(flags).unwrap(),
        launcher: Vec::new(),
        gpus: Vec::new(),
        ambient: Environment::new(),
    }
}

impl Case {
    fn hub(mut self, id: &str) -> Self {
        self.model = ModelSpec { id: Some(id.to_owned()), ..ModelSpec::default() };
        self
    }
    fn served(mut self, name: &str) -> Self {
        self.model.served_name = Some(name.to_owned());
        self
    }
    fn gpus(mut self, gpus: &[u32]) -> Self {
        self.gpus = gpus.to_vec();
        self
    }
    fn env(mut self, name: &str, value: &str) -> Self {
        self.engine.env.insert(name.to_owned(), value.to_owned());
        self
    }
    fn ambient(mut self, name: &str, value: &str) -> Self {
        self.ambient.insert(name.to_owned(), value.to_owned());
        self
    }
    fn launcher(mut self, words: &[&str]) -> Self {
        self.launcher = words.iter().map(|w| (*w).to_owned()).collect();
        self
    }
    fn version(mut self, version: &str) -> Self {
        self.engine.version = Some(version.to_owned());
        self
    }

    fn build(&self) -> Result<LaunchSpec, tuner_engines::LaunchError> {
        engine(self.engine.name).launch_spec(&LaunchRequest {
            model: &self.model,
            engine: &self.engine,
            configuration: &self.configuration,
            launcher: &self.launcher,
            host: "127.0.0.1",
            port: 8000,
            gpus: &self.gpus,
            ambient: &self.ambient,
            catalogue: None,
        })
    }
}

fn golden(cases: &[Case]) -> String {
    let mut out = String::new();
    for case in cases {
        writeln!(out, "# {}", case.title).unwrap();
        match case.build() {
            Ok(spec) => {
                writeln!(out, "{}", spec.paste_command_multiline()).unwrap();
                if !spec.unprinted.is_empty() {
                    let shown: Vec<_> = spec.unprinted.iter().map(|n| format!("{n}={}", spec.env[n])).collect();
                    writeln!(out, "also set: {}", shown.join(" ")).unwrap();
                }
                writeln!(out, "serves: {}", spec.served_model.as_deref().unwrap_or("(its own rule)")).unwrap();
                for warning in &spec.warnings {
                    writeln!(out, "warning: {warning}").unwrap();
                }
            }
            Err(error) => writeln!(out, "error: {error}").unwrap(),
        }
        out.push('\n');
    }
    out
}

// R0.3
#[test]
fn vllm_command_lines() {
    use EngineName::Vllm as E;
    let text = golden(&[
        case("defaults", E, "{}"),
        case(
            "numbers, switches on and off, a null",
            E,
            r#"{"max-num-seqs": 64, "gpu-memory-utilization": 0.9, "enable-prefix-caching": false, "enable-chunked-prefill": true, "enforce-eager": null, "disable-log-stats": false, "block-size": 32.0}"#,
        ),
        case(
            "underscores and short spellings",
            E,
            r#"{"max_num_batched_tokens": "8k", "tp": 2, "pipeline_parallel_size": 2}"#,
        )
        .gpus(&[0, 1, 2, 3]),
        case("the negative form by name", E, r#"{"no-enable-prefix-caching": true}"#),
        case("a hub model with a token and a served name", E, r#"{"kv-cache-dtype": "fp8"}"#)
            .hub("meta-llama/Llama-3.1-8B")
            .served("llama")
            .env("HF_TOKEN", "hf_secret")
            .ambient("https_proxy", "http://u:p@proxy:3128"),
        case(
            "one key of a JSON flag, and a whole JSON flag",
            E,
            r#"{"compilation-config.mode": 3, "speculative-config": "{\"method\": \"ngram\"}"}"#,
        ),
        case(
            "several values, an API key",
            E,
            r#"{"cudagraph-capture-sizes": "1 2 4 8", "api-key": "sk-1", "served-model-name": "a b"}"#,
        ),
        case("an unknown flag", E, r#"{"max-num-sequences": 8, "brand-new": true, "brand-old": false}"#),
        case("the module entry point and NCCL overridden", E, r#"{"tensor-parallel-size": 2}"#)
            .launcher(&["/opt/vllm/bin/python", "-m", "vllm.entrypoints.openai.api_server"])
            .gpus(&[2, 3])
            .env("NCCL_IB_DISABLE", "0"),
        case("a choice that only another version has", E, r#"{"kv-cache-dtype": "fp2"}"#).version("0.99.0"),
        case("flags that clash", E, r#"{"gpu-memory-utilization": 0.9, "kv-cache-memory-bytes": 1000}"#),
        case("text for a number", E, r#"{"max-num-seqs": "many"}"#),
        case("a number for a switch", E, r#"{"enable-prefix-caching": 3}"#),
        case("a choice that does not exist", E, r#"{"kv-cache-dtype": "fp9"}"#),
        case("a fraction for a whole number", E, r#"{"max-num-seqs": 1.5}"#),
        case("one flag twice", E, r#"{"max-num-seqs": 1, "max_num_seqs": 2}"#),
        case("a flag of the tuner", E, r#"{"port": 1}"#),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn sglang_command_lines() {
    use EngineName::Sglang as E;
    let text = golden(&[
        case("defaults", E, "{}"),
        case(
            "numbers and switches",
            E,
            r#"{"mem-fraction-static": 0.88, "max-running-requests": 64, "disable-radix-cache": true, "enable-mixed-chunk": false, "chunked-prefill-size": -1}"#,
        ),
        case("the long spelling of parallelism", E, r#"{"tensor-parallel-size": 4, "dp-size": 2}"#)
            .gpus(&[0, 1, 2, 3, 4, 5, 6, 7]),
        case("underscores", E, r#"{"schedule_policy": "lpm", "schedule_conservativeness": 1}"#),
        case("a paired switch off", E, r#"{"enable-tf32-matmul": false}"#),
        case("several values", E, r#"{"cuda-graph-bs-decode": "[1, 2, 4]", "attention-backend": "triton"}"#)
            .served("smol"),
        case("a hub model", E, r#"{"quantization": "fp8", "context-length": 8192}"#).hub("Qwen/Qwen3-8B"),
        case("a flag of another engine", E, r#"{"gpu-memory-utilization": 0.9}"#),
        case("a policy that does not exist", E, r#"{"schedule-policy": "lifo"}"#),
        case("text for a share", E, r#"{"mem-fraction-static": "most"}"#),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn tensorrt_llm_command_lines() {
    use EngineName::TensorrtLlm as E;
    let text = golden(&[
        case("defaults", E, "{}"),
        case("underscores as it wants them", E, r#"{"max_batch_size": 64, "kv_cache_free_gpu_memory_fraction": 0.9}"#),
        case("dashes are rewritten", E, r#"{"max-num-tokens": 8192, "tp-size": 2}"#).gpus(&[0, 1]),
        case("a click switch on and off", E, r#"{"trust_remote_code": true}"#),
        case("a click switch off", E, r#"{"trust_remote_code": false, "backend": "pytorch"}"#).served("smol"),
        case("a file of further options", E, r#"{"extra_llm_api_options": "/etc/more options.yml"}"#)
            .hub("Qwen/Qwen3-8B"),
        case("an unknown backend", E, r#"{"backend": "onnx"}"#),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn llama_cpp_command_lines() {
    use EngineName::LlamaCpp as E;
    let text = golden(&[
        case("defaults", E, "{}"),
        case(
            "numbers and a word",
            E,
            r#"{"ctx-size": 8192, "parallel": 4, "batch-size": 512, "ubatch-size": 128, "threads": 1, "flash-attn": "on"}"#,
        ),
        case("flash attention as a switch", E, r#"{"flash-attn": false, "kv-unified": true}"#),
        case(
            "pairs switched off, a negative name",
            E,
            r#"{"cont-batching": false, "no-warmup": true, "kv-offload": false, "repack": true}"#,
        ),
        case("short negative names", E, r#"{"nocb": true, "no-kvu": true, "nkvo": false, "no-webui": true}"#),
        case("short spellings", E, r#"{"np": 2, "ctk": "q8_0", "ctv": "q4_0", "fa": "on", "ngl": "all"}"#).gpus(&[1]),
        case("the launcher of an install, a served name", E, r#"{"metrics": true, "cache-reuse": 256, "poll": 0}"#)
            .launcher(&["/data/engines/llama.cpp/bin/llama-server"])
            .served("smol"),
        case("a hub model and more detail in the log", E, r#"{"verbosity": 5}"#).hub("ggml-org/SmolLM2-GGUF:Q4_K_M"),
        case("a flag of older versions", E, r#"{"no-mmap": true}"#),
        case("a flag that was removed", E, r#"{"draft-max": 8}"#),
        case("a cache type that does not exist", E, r#"{"cache-type-k": "fp8"}"#),
        case("text for a number", E, r#"{"ctx-size": "large"}"#),
        case("two spellings of one flag", E, r#"{"ctx-size": 1024, "c": 2048}"#),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn simulated_command_lines() {
    use EngineName::Simulated as E;
    let hardware = HardwareSpec { gpu: "h100-80g".to_owned(), count: 2, speed: 20.0 };
    let mut with_hardware =
        case("hardware", E, r#"{"tensor-parallel-size": 2, "max-num-seqs": 128}"#).hub("llama-3.1-8b");
    with_hardware.engine.hardware = Some(hardware);
    let text = golden(&[
        case("defaults", E, "{}").hub("llama-3.1-8b"),
        with_hardware,
        case("pairs", E, r#"{"enable-prefix-caching": false, "enable-chunked-prefill": true}"#).hub("llama-3.1-8b"),
        case(
            "SGLang's names",
            E,
            r#"{"mem-fraction-static": 0.85, "disable-radix-cache": true, "chunked-prefill-size": -1}"#,
        )
        .hub("llama-3.1-8b"),
        case("a served name, a human length", E, r#"{"max-model-len": "16k"}"#).hub("llama-3.1-8b").served("sim"),
        case("an unknown flag", E, r#"{"max-num-sequence": 4}"#).hub("llama-3.1-8b"),
        case("several GPUs take no NCCL settings", E, r#"{"tp-size": 4}"#).hub("llama-3.1-8b").gpus(&[0, 1]),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_task_without_a_model_is_refused() {
    for name in EngineName::ALL {
        let mut case = case("", name, "{}");
        case.model = ModelSpec::default();
        assert_eq!(case.build().unwrap_err().to_string(), "the task names no model: set model.path or model.id");
    }
}

// R14.2
#[test]
fn proxy_settings_reach_the_engine_and_its_own_variables_win() {
    let spec = case("", EngineName::Vllm, "{}")
        .ambient("HTTPS_PROXY", "http://proxy:3128")
        .ambient("no_proxy", "corp.example")
        .env("HTTPS_PROXY", "http://other:1")
        .build()
        .unwrap();
    assert_eq!(spec.env["HTTPS_PROXY"], "http://other:1");
    assert_eq!(spec.env["https_proxy"], "http://proxy:3128");
    assert_eq!(spec.env["NO_PROXY"], "corp.example,localhost,127.0.0.1,::1");
}

// R14.1, R14.3
#[test]
fn local_models_cut_the_hub_off_and_several_gpus_bring_nccl_settings() {
    let spec = case("", EngineName::Sglang, "{}").gpus(&[0, 1]).build().unwrap();
    assert_eq!(spec.env["HF_HUB_OFFLINE"], "1");
    assert_eq!(spec.env["NCCL_DEBUG"], "INFO");
    assert_eq!(spec.env["CUDA_VISIBLE_DEVICES"], "0,1");
    let hub = case("", EngineName::Sglang, "{}").hub("a/b").gpus(&[0]).build().unwrap();
    assert!(!hub.env.contains_key("HF_HUB_OFFLINE") && !hub.env.contains_key("NCCL_DEBUG"));
}

#[test]
fn gpus_are_the_product_of_the_parallel_sizes() {
    let gpus = |name: EngineName, flags: &[(&str, Value)]| {
        let configuration = flags.iter().fold(Configuration::default(), |mut c, (k, v)| {
            c.set(k, v.clone());
            c
        });
        engine(name).gpus_needed(&configuration)
    };
    assert_eq!(gpus(EngineName::Vllm, &[]), 1);
    assert_eq!(gpus(EngineName::Vllm, &[("tp", 4.into()), ("data_parallel_size", 2.into())]), 8);
    assert_eq!(gpus(EngineName::Sglang, &[("tensor-parallel-size", 4.into()), ("pp-size", 2.into())]), 8);
    let shared = [("tp-size", 8.into()), ("dp-size", 8.into()), ("enable-dp-attention", true.into())];
    assert_eq!(gpus(EngineName::Sglang, &shared), 8);
    assert_eq!(gpus(EngineName::TensorrtLlm, &[("tp_size", 4.into()), ("ep_size", 4.into())]), 4);
    assert_eq!(gpus(EngineName::LlamaCpp, &[("ngl", 0.into())]), 0);
}
