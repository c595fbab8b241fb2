//! Other load generators against the same server, where a folder of Python environments has them.

use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::parts::{Bench, SIZES, STREAMS, Server, TOKENS};

/// CPU per event: user and system, microseconds; or why there is none.
type Cost = Result<(f64, f64), String>;

/// CPU time of the children that ended: user, system; seconds.
fn children() -> (f64, f64) {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("a process has its usage");
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    (seconds(usage.user_time()), seconds(usage.system_time()))
}

/// Every peer that is installed under `folder`.
pub(crate) fn all(bench: &Bench, server: &Server, folder: &Path) -> Vec<(&'static str, Cost)> {
    let tokenizer = bench.tokenizer_folder();
    let places: [(&'static str, &str, fn(&mut Command, &Request<'_>)); 4] = [
        ("vllm bench serve", "vllm/bin/vllm", vllm),
        ("GuideLLM", "guidellm/bin/guidellm", guidellm),
        ("AIPerf", "aiperf/bin/aiperf", aiperf),
        ("genai-bench", "genai-bench/bin/genai-bench", genai_bench),
    ];
    let installed = places.into_iter().filter(|(_, program, _)| folder.join(program).exists());
    installed
        .map(|(name, program, arguments)| {
            let run = |requests: u32| {
                let scratch = bench.folder.path().join(format!("{}-{requests}", name.replace(' ', "-")));
                std::fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
                let request = Request { url: &server.url, tokenizer: &tokenizer, requests, scratch: &scratch };
                let mut command = Command::new(folder.join(program));
                arguments(&mut command, &request);
                // They look for models and report their use by themselves; neither is wanted here.
                command.envs([("HF_HUB_OFFLINE", "1"), ("TRANSFORMERS_OFFLINE", "1"), ("OPENAI_API_KEY", "none")]);
                command.current_dir(&scratch).stdin(Stdio::null());
                let before = children();
                let output = command.output().map_err(|e| e.to_string())?;
                let after = children();
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr);
                    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").to_owned();
                    return Err(format!("{}: {last}", output.status));
                }
                Ok((after.0 - before.0, after.1 - before.1))
            };
            let cost = run(SIZES[0]).and_then(|short| {
                let long = run(SIZES[1])?;
                let events = f64::from((SIZES[1] - SIZES[0]) * TOKENS);
                Ok(((long.0 - short.0) / events * 1e6, (long.1 - short.1) / events * 1e6))
            });
            (name, cost)
        })
        .collect()
}

struct Request<'a> {
    url: &'a str,
    tokenizer: &'a Path,
    requests: u32,
    scratch: &'a Path,
}

fn vllm(command: &mut Command, r: &Request<'_>) {
    command.args(["bench", "serve", "--backend", "openai-chat", "--endpoint", "/v1/chat/completions"]);
    command.args(["--model", "closed-form", "--base-url", r.url, "--dataset-name", "random", "--ignore-eos"]);
    command.arg("--tokenizer").arg(r.tokenizer);
    command.args(["--random-input-len", "8", "--random-output-len", &TOKENS.to_string()]);
    command.args(["--max-concurrency", &STREAMS.to_string(), "--num-prompts", &r.requests.to_string()]);
}

fn guidellm(command: &mut Command, r: &Request<'_>) {
    command.args(["benchmark", "run", "--target", r.url, "--model", "closed-form", "--profile", "concurrent"]);
    command.args(["--rate", &STREAMS.to_string(), "--max-requests", &r.requests.to_string()]);
    command.args(["--data", &format!("prompt_tokens=8,output_tokens={TOKENS}")]);
    command.arg("--processor").arg(r.tokenizer).arg("--output-dir").arg(r.scratch).arg("--disable-console-interactive");
}

fn aiperf(command: &mut Command, r: &Request<'_>) {
    command.args(["profile", "--model", "closed-form", "--url", r.url, "--endpoint-type", "chat", "--streaming"]);
    command.arg("--tokenizer").arg(r.tokenizer).args(["--ui", "none", "--artifact-dir"]).arg(r.scratch);
    command.args(["--synthetic-input-tokens-mean", "8", "--output-tokens-mean", &TOKENS.to_string()]);
    command.args(["--extra-inputs", "ignore_eos:true", "--concurrency", &STREAMS.to_string()]);
    command.args(["--request-count", &r.requests.to_string()]);
}

fn genai_bench(command: &mut Command, r: &Request<'_>) {
    command.args(["benchmark", "--api-backend", "openai", "--api-key", "none", "--api-base", r.url, "--task"]);
    command.args(["text-to-text", "--api-model-name", "closed-form", "--model-tokenizer"]).arg(r.tokenizer);
    command.args(["--traffic-scenario", &format!("D(8,{TOKENS})"), "--num-concurrency", &STREAMS.to_string()]);
    command.args(["--max-requests-per-run", &r.requests.to_string(), "--max-time-per-run", "5"]);
    command.arg("--experiment-base-dir").arg(r.scratch);
}
