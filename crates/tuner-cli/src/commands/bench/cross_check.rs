//! `autotuner bench cross-check URL`: our figures by other tools' rules beside those tools' own.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tuner_app::cross_check::{CrossCheck, CrossCheckError, CrossCheckRequest, cross_check, find_peer, install_target};
use tuner_bench::compat::Tool;
use tuner_bench::peers::{Agreement, FigureAgreement, PEERS};
use tuner_bench::{BenchRequest, Live, Seeds, Target};
use tuner_core::task::{Api, LoadSpec, Mix, Scenario, WorkloadSpec};

use super::compare::PairArgs;
use super::watched;
use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;
use crate::ui::words;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address of the endpoint, http://HOST:PORT.
    url: String,
    /// Against which tool: vllm (its `bench serve`), guidellm, aiperf, genai-bench. May be given again [default: every
    /// one that is installed].
    #[arg(long, value_name = "TOOL", value_parser = tool)]
    tool: Vec<Tool>,
    /// A tool's program, or the environment that holds it; else the data directory and the PATH are looked through. May
    /// be given again.
    #[arg(long, value_name = "TOOL=PATH", value_parser = tool_path)]
    tool_path: Vec<(Tool, PathBuf)>,
    /// Install a tool that is missing, as `engines install` does.
    #[arg(long)]
    install: bool,
    /// Model to ask for [default: the first that the endpoint lists].
    #[arg(long)]
    model: Option<String>,
    /// Folder, tokenizer.json or GGUF with the model's tokenizer; the tools count their prompts with it.
    #[arg(long, value_name = "PATH")]
    tokenizer: Option<String>,
    /// Lengths of prompts and answers; the tools share no other form than D(in,out).
    #[arg(long, default_value = "D(64,32)", value_parser = lengths)]
    scenario: (u32, u32),
    /// Endpoint to use.
    #[arg(long, value_enum, default_value = "chat")]
    api: CheckedApi,
    /// Requests in flight.
    #[arg(long, short, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    concurrency: u32,
    /// Requests of each run.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    requests: u32,
    /// Rounds; each has one run of ours and one of every tool, there and back in turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=1000))]
    rounds: u32,
    /// Run both sides of each pair at the same time, with half of --concurrency each: both see the same engine at the
    /// same moments, so that its wandering speed hides no difference between the tools.
    #[arg(long)]
    together: bool,
    #[command(flatten)]
    pairs: PairArgs,
    /// How long one run of a tool may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    limit: u64,
    /// Let answers end early (do not send ignore_eos).
    #[arg(long)]
    allow_eos: bool,
    /// Empty folder for every file that a figure was read from [default: cross-check in the data directory, replaced
    /// each time].
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Seed of lengths and words [default: a new one each time, so that no cache is warm by accident].
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum CheckedApi {
    Chat,
    Completions,
}

fn tool(text: &str) -> Result<Tool, String> {
    let known = || PEERS.map(Tool::name).join(", ");
    PEERS.into_iter().find(|tool| tool.name() == text).ok_or_else(|| format!("no such tool; one of {}", known()))
}

fn tool_path(text: &str) -> Result<(Tool, PathBuf), String> {
    let (name, path) =
        text.split_once('=').ok_or("write TOOL=PATH, for example guidellm=/opt/guidellm/bin/guidellm")?;
    Ok((tool(name)?, PathBuf::from(path)))
}

fn lengths(text: &str) -> Result<(u32, u32), String> {
    let mix: Mix = text.parse().map_err(|e| format!("{e}; write D(in,out), for example D(64,32)"))?;
    match mix.parts.as_slice() {
        [(_, Scenario::Deterministic { input, output })] if *input > 0 && *output > 1 && mix.turns.is_none() => {
            Ok((*input, *output))
        }
        _ => Err("the tools share no other form than D(in,out), with at least 1 in and 2 out".to_owned()),
    }
}

pub(super) async fn run(args: &Args, settings: &Settings) -> anyhow::Result<Exit> {
    let request = request(args, settings).await?;
    let (live, seen) = watch::channel(Live::default());
    let (stop, stopped) = watch::channel(false);
    let show = |text: String| {
        if !ui::fancy(settings) {
            ui::say(&text);
        }
    };
    let work = cross_check(&request, live, stopped, show);
    let check = watched(work, seen, &stop, settings).await.map_err(plain)?;
    if settings.json {
        ui::json(&check)?;
    } else {
        answer(&check, args);
        ui::say(&format!("files: {}", request.folder.display()));
    }
    Ok(match (check.cancelled, check.invalid) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::TaskFailed,
        (false, false) => Exit::Success,
    })
}

/// An error of ours under its own type, so that it is told like everywhere else.
fn plain(error: CrossCheckError) -> anyhow::Error {
    match error {
        CrossCheckError::Bench(error) => error.into(),
        other => other.into(),
    }
}

async fn request(args: &Args, settings: &Settings) -> anyhow::Result<CrossCheckRequest> {
    let streams = if args.together { args.concurrency / 2 } else { args.concurrency };
    if args.together && (args.concurrency % 2 == 1 || streams < 2 || args.requests < streams) {
        let hint = "give an even --concurrency of at least 4, and as many --requests as half of it at least";
        return Err(Refusal::usage("two tools side by side need at least 2 streams each", hint).into());
    }
    let (home, surroundings) = (settings.home(), settings.surroundings());
    let given = |tool: Tool| args.tool_path.iter().find(|(of, _)| *of == tool).map(|(_, path)| path.as_path());
    let find = |tool: Tool| find_peer(&home, surroundings.path.as_deref(), tool, given(tool));
    let mut wanted: Vec<Tool> = args.tool.clone();
    wanted.extend(args.tool_path.iter().map(|(tool, _)| *tool));
    let mut peers = Vec::new();
    if wanted.is_empty() {
        peers.extend(PEERS.into_iter().filter_map(|tool| find(tool).ok()));
        if peers.is_empty() {
            let hint = "install one, for example: autotuner engines install guidellm; or give --tool-path TOOL=PATH";
            let message = "none of vllm, guidellm, aiperf and genai-bench is installed".to_owned();
            return Err(Refusal { exit: Exit::NotReady, message, hint: hint.to_owned() }.into());
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    for tool in wanted {
        let found = match (find(tool), install_target(tool)) {
            (Err(CrossCheckError::NotInstalled { .. }), Some(target)) if args.install => {
                super::super::engines::install(target, settings).await?;
                find(tool)
            }
            (found, _) => found,
        };
        peers.push(found?);
    }
    let folder = match &args.results {
        Some(folder) => folder.clone(),
        None => {
            let folder = home.root().join("cross-check");
            match std::fs::remove_dir_all(&folder) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(CrossCheckError::Folder { path: folder, source: e }.into());
                }
                _ => folder,
            }
        }
    };
    let seed = args.seed.unwrap_or_else(super::clock_seed);
    let bench = BenchRequest {
        target: Target {
            base_url: args.url.trim_end_matches('/').to_owned(),
            model: args.model.clone().unwrap_or_default(),
            ..Target::default()
        },
        tokenizer: args.tokenizer.clone(),
        hub_cache: surroundings.hub_cache.clone(),
        workload: WorkloadSpec { ignore_eos: !args.allow_eos, ..WorkloadSpec::default() },
        load: LoadSpec { request_timeout_s: args.limit as f64, ..LoadSpec::default() },
        seeds: Seeds { schedule: seed, prompts: seed },
        ..BenchRequest::default()
    };
    Ok(CrossCheckRequest {
        bench,
        api: match args.api {
            CheckedApi::Chat => Api::Chat,
            CheckedApi::Completions => Api::Completions,
        },
        lengths: args.scenario,
        streams,
        requests: args.requests,
        together: args.together,
        rounds: args.rounds,
        options: args.pairs.options(),
        peers,
        folder,
        limit: Duration::from_secs(args.limit),
    })
}

fn answer(check: &CrossCheck, args: &Args) {
    ui::answer(&format!(
        "{} at {}: {}, {} in flight{}, {} requests a run",
        check.model,
        check.url,
        check.scenario,
        check.concurrency,
        if check.together { " on each side at the same time" } else { "" },
        check.requests
    ));
    for tool in &check.tools {
        let cpu =
            format!("one of its runs took {:.1} s of processor time, one of ours {:.1} s", tool.cpu_s, tool.our_cpu_s);
        ui::answer(&format!("\n{}: {} pairs; {cpu}", tool.tool, tool.pairs));
        let mut table = Table::new(["figure", "ours, its rules", "its own", "its / ours", "interval", "verdict", ""]);
        let mut notes: Vec<&str> = Vec::new();
        for figure in &tool.figures {
            table.row(row(figure, &mut notes));
        }
        ui::answer(&table.to_string());
        for (at, note) in notes.iter().enumerate() {
            ui::answer(&format!("  ({}) {note}", at + 1));
        }
    }
    ui::answer(&format!("\n{}", args.pairs.legend()));
    check.notes.iter().for_each(|note| ui::say(&format!("note: {note}")));
}

fn row<'a>(figure: &'a FigureAgreement, notes: &mut Vec<&'a str>) -> [String; 7] {
    let verdict = match figure.verdict {
        Agreement::Equivalent => "equivalent",
        Agreement::Differs => "differs",
        Agreement::Unclear => "unclear",
    };
    let mark = figure.difference.as_deref().filter(|_| figure.verdict != Agreement::Equivalent).map(|difference| {
        let at = notes.iter().position(|note| *note == difference).unwrap_or_else(|| {
            notes.push(difference);
            notes.len() - 1
        });
        format!("({})", at + 1)
    });
    let ratio = figure.ratio.as_ref();
    [
        figure.figure.clone(),
        number(figure.ours),
        number(figure.theirs),
        ratio.map_or_else(|| "n/a".to_owned(), |r| words::percent(r.estimate)),
        ratio.map_or_else(String::new, |r| format!("{} to {}", words::percent(r.low), words::percent(r.high))),
        verdict.to_owned(),
        mark.unwrap_or_default(),
    ]
}

fn number(x: f64) -> String {
    match x {
        // Means of the same whole number are not quite whole.
        x if (x - x.round()).abs() < 1e-9 * x.abs().max(1.0) => format!("{x:.0}"),
        x if x.abs() >= 100.0 => format!("{x:.1}"),
        x => format!("{x:.3}"),
    }
}
