//! `autotuner bench URL`

mod compare;
mod cross_check;
mod recompute;
mod show;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tuner_app::bench::ResultFolder;
use tuner_app::report::{BenchFile, write_bench};
use tuner_bench::compat::Tool;
use tuner_bench::stopping::Precision;
use tuner_bench::sweep::Sweep;
use tuner_bench::{
    BenchError, BenchReport, BenchRequest, LevelPlan, LevelRun, Live, Seeds, Target, bench_url, dataset,
};
use tuner_core::task::{
    Answers, Api, Arrival, ConversationError, ConversationSpec, Level, LoadSpec, Mix, Prompts, SloSpec, Think, Turns,
    WorkloadSpec,
};
use tuner_core::{Metric, Percentile};
use tuner_deploy::{Proxies, http};

use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;
use crate::ui::words;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Address of the endpoint, http://HOST:PORT or https://HOST:PORT.
    #[arg(required = true)]
    url: Option<String>,
    #[command(flatten)]
    load: LoadArgs,
    /// Also write a file: .json (everything), .csv (a row per measurement) or .html (a page). May be given again.
    #[arg(long, short, value_name = "FILE")]
    output: Vec<BenchFile>,
    /// Folder for --save-log and --emit.
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Write a log of each level, request by request: figures can be computed from it again (`bench recompute`).
    #[arg(long, requires = "results")]
    save_log: bool,
    /// Write the same run as this tool writes its results: vllm, sglang, guidellm, aiperf, genai-bench. May be given
    /// again.
    #[arg(long, value_name = "TOOL", requires = "results")]
    emit: Vec<Tool>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Measure two endpoints in turn, or take two results, and say which is better, by how much, how surely.
    Compare(Box<compare::Args>),
    /// Measure one endpoint in turn with us and with other load generators, and compare each one's own figures with
    /// ours by its rules.
    CrossCheck(Box<cross_check::Args>),
    /// Compute the figures of logged levels again.
    Recompute(recompute::Args),
}

/// What is asked, how hard and how long.
#[derive(Debug, clap::Args)]
struct LoadArgs {
    /// Model to ask for [default: the first that the endpoint lists].
    #[arg(long)]
    model: Option<String>,
    /// Folder, tokenizer.json or GGUF with the model's tokenizer [default: the endpoint's /tokenize].
    #[arg(long, value_name = "PATH")]
    tokenizer: Option<String>,
    /// Lengths of synthetic prompts and answers: D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max),
    /// L(mu,sigma)/(mu,sigma), a mix: 0.7*D(512,128)+0.3*D(4000,500), or conversations: T(4)+D(512,128).
    #[arg(long, default_value = "D(256,64)", conflicts_with = "prompts", value_parser = scenario)]
    scenario: String,
    /// Requests from a file or an address, in any format that `autotuner dataset inspect` knows.
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Output tokens for prompts of a file that do not say.
    #[arg(long, value_name = "N", requires = "prompts")]
    output_tokens: Option<u32>,
    /// Endpoint to use.
    #[arg(long, value_enum, default_value = "chat")]
    api: BenchApi,
    /// Make conversations of so many turns: 4, 2-8 (each as likely), or all (those that a file's rows have). Each turn
    /// carries everything before it, with the engine's answers. `--scenario T(4)+D(in,out)` is the same.
    #[arg(long, value_name = "N|LOW-HIGH|all")]
    turns: Option<BenchTurns>,
    /// Users think after an answer before they go on: seconds, exp:MEAN (exponential) or LOW-HIGH (uniform).
    #[arg(long, value_name = "SECONDS")]
    think: Option<Think>,
    /// With --rate: so many users share it, each sending a request every N/RPS seconds, one at a time.
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: Option<u32>,
    /// Keep a file's recorded answers in the history of its conversations, instead of what the engine answers.
    #[arg(long, requires = "prompts", requires = "turns")]
    recorded_answers: bool,
    /// Closed loop: requests in flight (with --think: users), one level for each number.
    #[arg(long, short, value_name = "N,…", value_delimiter = ',')]
    concurrency: Vec<u32>,
    /// Open loop: requests per second, one level for each number.
    #[arg(long, short, value_name = "RPS,…", value_delimiter = ',', allow_negative_numbers = true)]
    rate: Vec<f64>,
    /// How open-loop requests arrive.
    #[arg(long, value_enum, default_value = "poisson")]
    arrival: BenchArrival,
    /// Requests measured per level.
    #[arg(long, short = 'n')]
    requests: Option<u32>,
    /// Measured seconds per level [default: 30, with --until-precise 300, unless --requests is given].
    #[arg(long, short, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Requests before the window [default: one per stream, at least 2].
    #[arg(long, value_name = "N")]
    warmup: Option<u32>,
    /// Let the levels follow from what is measured: 1, 2, 4, … streams until throughput stops growing or requests
    /// miss the --slo limits, then closing in on the highest load that meets them. At most this many streams.
    #[arg(
        long, value_name = "MAX", num_args = 0..=1, default_missing_value = "1024", conflicts_with_all = ["concurrency", "rate"],
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    sweep: Option<u32>,
    /// With --sweep and --slo: least share of requests that must meet the limits.
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, requires = "sweep")]
    attainment: f64,
    /// Measurements of each level.
    #[arg(long, default_value_t = 1)]
    repeats: u32,
    /// Time-out of one request.
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0)]
    timeout: f64,
    /// What a request must meet to count as goodput: `ttft<=500`, `e2e_latency<=2000` (ms).
    #[arg(long, value_name = "METRIC<=MS", value_parser = slo)]
    slo: Vec<SloSpec>,
    /// End a level as soon as the mean of a time is known this well: half of its 95 % interval, `2%`, or of another
    /// metric than e2e_latency: `ttft=2%`. Measures for 300 s at most, unless --duration or --requests is given.
    #[arg(long, value_name = "PERCENT", value_parser = precision)]
    until_precise: Option<Precision>,
    /// End a level as soon as its 99th percentile of an --slo is surely over the limit.
    #[arg(long, requires = "slo")]
    stop_when_missed: bool,
    /// Measure over-saturated levels of --rate to their end. Without this one ends as soon as it surely is, after 30 s at
    /// the earliest.
    #[arg(long)]
    no_stop_when_saturated: bool,
    /// Threads that send and read [default: a quarter of the cores, at most 4].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    client_threads: Option<u32>,
    /// Let answers end early (do not send ignore_eos).
    #[arg(long)]
    allow_eos: bool,
    /// Name of the environment variable that holds the API key.
    #[arg(long, value_name = "NAME")]
    api_key_env: Option<String>,
    /// Further header of every request; may be given several times.
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Further request fields, a JSON object; `{"stream": false}` asks for whole answers.
    #[arg(long, value_name = "JSON", value_parser = extra_body)]
    extra_body: Option<ExtraBody>,
    /// Speak HTTP/2, one request at a time on each connection.
    #[arg(long)]
    http2: bool,
    /// PEM file of authorities to trust besides those of the machine, for https.
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// Seed of lengths, arrivals and words [default: a new one each time, so that no cache is warm by accident].
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum BenchApi {
    Chat,
    Completions,
    Responses,
    Anthropic,
    Embeddings,
    Rerank,
    SglangGenerate,
    LlamacppCompletion,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum BenchArrival {
    Poisson,
    Constant,
}

/// Turns of a conversation; `None`: all that a row has.
#[derive(Clone, Copy, Debug)]
struct BenchTurns(Option<Turns>);

impl FromStr for BenchTurns {
    type Err = ConversationError;
    fn from_str(text: &str) -> Result<Self, ConversationError> {
        if text == "all" { Ok(Self(None)) } else { text.parse().map(|turns| Self(Some(turns))) }
    }
}

type ExtraBody = serde_json::Map<String, serde_json::Value>;

fn extra_body(text: &str) -> Result<ExtraBody, String> {
    serde_json::from_str(text).map_err(|e| format!("{e}; write a JSON object, for example {{\"top_p\": 0.9}}"))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write NAME:VALUE, for example X-Route:blue")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn slo(text: &str) -> Result<SloSpec, String> {
    let (metric, limit) = text.split_once("<=").ok_or("write METRIC<=MS, for example ttft<=500")?;
    let metric: Metric = metric.trim().parse().map_err(|e| format!("{e}; for example ttft, tpot, e2e_latency"))?;
    let limit: f64 = limit.trim().parse().map_err(|e| format!("{limit:?} is no number: {e}"))?;
    serde_json::from_value(serde_json::json!({ "metric": metric, "max_ms": limit })).map_err(|e| e.to_string())
}

fn precision(text: &str) -> Result<Precision, String> {
    let (metric, share) = text.split_once('=').unwrap_or(("e2e_latency", text));
    let metric: Metric = metric.trim().parse().map_err(|e| format!("{e}; for example ttft, tpot, e2e_latency"))?;
    if !metric.is_time() || matches!(metric, Metric::Icl | Metric::Itl) {
        return Err(format!("{metric} is no time that each request has; for example ttft, tpot, e2e_latency"));
    }
    let percent = share.trim().strip_suffix('%').and_then(|n| n.trim().parse::<f64>().ok());
    let percent = percent.filter(|n| *n > 0.0 && *n < 100.0).ok_or("write a percentage like 2%, or ttft=2%")?;
    Ok(Precision { metric, half_width: percent / 100.0, confidence: 0.95 })
}

fn scenario(text: &str) -> Result<String, String> {
    let forms = "write D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max) or L(mu,sigma)/(mu,sigma)";
    text.parse::<Mix>().map(|_| text.to_owned()).map_err(|e| format!("{e}; {forms}"))
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    match args.command {
        Some(Command::Compare(args)) => return compare::run(&args, settings).await,
        Some(Command::CrossCheck(args)) => return cross_check::run(&args, settings).await,
        Some(Command::Recompute(args)) => return recompute::run(&args, settings),
        None => {}
    }
    let mut request = request(&args.load, args.url.unwrap_or_default(), settings)?;
    let proxies = Proxies::from_vars(settings.surroundings().proxies);
    let datasets = settings.home().datasets();
    request.workload = dataset::fetch_all(&request.workload, &datasets, |url| http::client(url, &proxies))
        .await
        .map_err(BenchError::from)?;
    let folder = args.results.map(|path| ResultFolder { path, log: args.save_log, tools: args.emit });
    let mut runs = Vec::new();
    let keeping = folder.is_some();
    let mut keep = |plan, run| {
        if keeping {
            runs.push((plan, run));
        }
    };
    let report = measure(&request, settings, &mut keep).await?;
    for file in &args.output {
        write_bench(&report, file, chrono::Utc::now())?;
        ui::say(&format!("written: {}", file.path().display()));
    }
    if let Some(folder) = folder {
        for path in folder.write(&request, &report, &runs)? {
            ui::say(&format!("written: {}", path.display()));
        }
    }
    if settings.json {
        ui::json(&report)?;
    } else {
        show::report(&report, &request);
    }
    let invalid = report.measurements.iter().any(|m| !m.is_valid());
    Ok(match (report.cancelled, invalid) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::TaskFailed,
        (false, false) => Exit::Success,
    })
}

/// Measures with a live line; Ctrl-C ends it and keeps what was measured.
async fn measure(
    request: &BenchRequest,
    settings: &Settings,
    keep: &mut (dyn FnMut(LevelPlan, LevelRun) + Send),
) -> Result<BenchReport, BenchError> {
    let (live, seen) = watch::channel(Live::default());
    let (stop, stopped) = watch::channel(false);
    watched(bench_url(request, live, stopped, keep), seen, &stop, settings).await
}

/// Shows a line while `work` runs and asks it to stop at Ctrl-C.
async fn watched<T>(
    work: impl Future<Output = T>,
    seen: watch::Receiver<Live>,
    stop: &watch::Sender<bool>,
    settings: &Settings,
) -> T {
    let bar = ui::fancy(settings).then(bar);
    tokio::pin!(work);
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(200));
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = tick.tick() => if let Some(bar) = &bar {
                bar.set_message(words::live(&seen.borrow()));
            },
            _ = tokio::signal::ctrl_c() => { stop.send_replace(true); }
        }
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    result
}

fn request(args: &LoadArgs, url: String, settings: &Settings) -> anyhow::Result<BenchRequest> {
    let arrival = match args.arrival {
        BenchArrival::Poisson => Arrival::Poisson,
        BenchArrival::Constant => Arrival::Constant,
    };
    let conversation = conversation(args)?;
    // In conversations the pause belongs to them, also where they begin in an open loop.
    let think_s = args.think.filter(|_| conversation.is_none());
    let closed = args.concurrency.iter().map(|n| Level { think_s, ..Level::closed(*n) });
    let (users, arrival) = (args.users, Some(arrival).filter(|_| args.users.is_none()));
    let open = args.rate.iter().map(|r| Level { rate: Some(*r), arrival, users, ..Level::default() });
    let mut levels: Vec<Level> = closed.chain(open).collect();
    if levels.is_empty() {
        levels.push(Level { think_s, ..Level::closed(1) });
    }
    let api_key = match &args.api_key_env {
        Some(name) => Some(std::env::var(name).map_err(|_| {
            Refusal::usage(
                format!("the environment variable {name} is not set"),
                "--api-key-env names it: export it first",
            )
        })?),
        None => None,
    };
    if args.concurrency.contains(&0) || args.rate.iter().any(|r| !r.is_finite() || *r <= 0.0) {
        let hint = "give --concurrency of at least 1, or --rate above 0";
        return Err(Refusal::usage("a level without load cannot be measured", hint).into());
    }
    let prompts = match &args.prompts {
        Some(file) => Prompts {
            scenario: None,
            prompts_file: Some(file.display().to_string()),
            output_tokens: args.output_tokens,
            ..Prompts::default()
        },
        None => Prompts { scenario: Some(args.scenario.clone()), ..Prompts::default() },
    };
    let window = if args.until_precise.is_some() { 300.0 } else { 30.0 };
    let seed = args.seed.unwrap_or_else(clock_seed);
    Ok(BenchRequest {
        target: Target {
            base_url: url,
            model: args.model.clone().unwrap_or_default(),
            api_key,
            headers: args.headers.clone(),
            http2: args.http2,
            authorities: args.authorities.clone(),
            ..Target::default()
        },
        tokenizer: args.tokenizer.clone(),
        hub_cache: settings.surroundings().hub_cache,
        workload: WorkloadSpec {
            prompts,
            api: match args.api {
                BenchApi::Chat => Api::Chat,
                BenchApi::Completions => Api::Completions,
                BenchApi::Responses => Api::Responses,
                BenchApi::Anthropic => Api::Anthropic,
                BenchApi::Embeddings => Api::Embeddings,
                BenchApi::Rerank => Api::Rerank,
                BenchApi::SglangGenerate => Api::SglangGenerate,
                BenchApi::LlamacppCompletion => Api::LlamacppCompletion,
            },
            conversation,
            ignore_eos: !args.allow_eos,
            extra_body: args.extra_body.clone().unwrap_or_default(),
            ..WorkloadSpec::default()
        },
        load: LoadSpec {
            levels,
            requests: args.requests,
            duration_s: args.duration.or(args.requests.is_none().then_some(window)),
            warmup_requests: args.warmup,
            request_timeout_s: args.timeout,
            stop_when_saturated: !args.no_stop_when_saturated,
            // There is no one to lose against.
            stop_when_losing: false,
            save_log_mib: None,
        },
        sweep: args.sweep.map(|max_streams| (Sweep { max_streams }, args.attainment)),
        repeats: args.repeats,
        until_precise: args.until_precise,
        stop_when_missed: args.stop_when_missed,
        client_threads: args.client_threads,
        slos: args.slo.clone(),
        percentiles: Percentile::STANDARD.to_vec(),
        seeds: Seeds { schedule: seed, prompts: seed },
    })
}

/// How requests follow each other, where they do.
fn conversation(args: &LoadArgs) -> Result<Option<ConversationSpec>, Refusal> {
    if args.think.is_some() && args.users.is_some() {
        let hint = "leave out one of them: each user sends every N/RPS seconds, or when it has thought";
        return Err(Refusal::usage("--think does not go with --users", hint));
    }
    let mix = args.scenario.parse::<Mix>().ok().filter(|_| args.prompts.is_none());
    let led = mix.as_ref().and_then(|mix| mix.turns);
    let turns = match (args.turns, led) {
        (Some(_), Some(_)) => {
            return Err(Refusal::usage("the scenario says how many turns there are", "leave out --turns, or T(…)+"));
        }
        (Some(BenchTurns(None)), None) if args.prompts.is_none() => {
            return Err(Refusal::usage(
                "`--turns all` are those of a file",
                "give --prompts FILE, or a number: --turns 4",
            ));
        }
        (None, None) => {
            if args.think.is_some() && !args.rate.is_empty() {
                let hint = "give --concurrency instead of --rate, or make conversations with --turns";
                return Err(Refusal::usage("in an open loop of single requests nobody waits, so nobody thinks", hint));
            }
            return Ok(None);
        }
        (Some(BenchTurns(turns)), None) => turns,
        (None, Some(_)) => None,
    };
    let silent = matches!(args.api, BenchApi::Embeddings | BenchApi::Rerank);
    if silent || mix.is_some_and(|mix| mix.parts.iter().any(|(_, scenario)| !scenario.is_text())) {
        let hint = "turns are texts: use D, N, U or L with an endpoint that generates text";
        return Err(Refusal::usage("a conversation goes on from an answer in words", hint));
    }
    let answers = if args.recorded_answers { Answers::Recorded } else { Answers::Engine };
    Ok(Some(ConversationSpec { turns, think_s: args.think, answers }))
}

/// A seed that no earlier run had.
fn clock_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}
