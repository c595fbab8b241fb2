//! Our figures by other tools' rules beside those tools' own figures, measured in turn, or side by side, on one server.
//!
//! *Invariant*: a pair is one run of ours and one of the tool in the same round; rounds go forth and back (ours A B, B A
//! ours, …; side by side, one of them asks first, then the other), so that what drifts hits both sides. Every file that a
//! figure was read from is kept.

mod together;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tuner_bench::compare::Options;
use tuner_bench::compat::{self, Headline, Tool};
use tuner_bench::log::zero_unix_s;
use tuner_bench::peers::{self, FigureAgreement, PeerError, PeerLoad, PeerRun};
use tuner_bench::{BenchError, BenchRequest, Live, Station, TokenSource, open};
use tuner_core::Validity;
use tuner_core::task::{Api, Level, LoadSpec, Prompts, WorkloadSpec};
use tuner_deploy::install::installed;
use tuner_engines::install::InstallTarget;

use crate::home::Home;
use together::Doors;

/// A tool and how it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which.
    pub tool: Tool,
    /// Program and leading arguments.
    pub launcher: Vec<String>,
}

/// What to check.
#[derive(Clone, Debug)]
pub struct CrossCheckRequest {
    /// Where, with which tokenizer and seeds; its workload and load are set here.
    pub bench: BenchRequest,
    /// `chat` or `completions`.
    pub api: Api,
    /// Tokens of each prompt and of each answer.
    pub lengths: (u32, u32),
    /// Requests in flight of each side.
    pub streams: u32,
    /// Requests of each run.
    pub requests: u32,
    /// Both sides of a pair are run at the same time.
    pub together: bool,
    /// Pairs of runs.
    pub rounds: u32,
    /// Confidence and margin.
    pub options: Options,
    /// Against which tools.
    pub peers: Vec<Peer>,
    /// Where files go.
    pub folder: PathBuf,
    /// How long one run of a tool may take.
    pub limit: Duration,
}

/// One tool against us.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolCheck {
    /// [`Tool::name`].
    pub tool: String,
    /// What was started.
    pub program: String,
    /// Runs of each side.
    pub pairs: u32,
    /// Figure by figure.
    pub figures: Vec<FigureAgreement>,
    /// Processor time of one of its runs, start-up included, seconds.
    pub cpu_s: f64,
    /// Processor time of one of ours.
    pub our_cpu_s: f64,
    /// The files it left, one for each run.
    pub files: Vec<PathBuf>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CrossCheck {
    /// Address.
    pub url: String,
    /// Model that was asked for.
    pub model: String,
    /// `D(in,out)`.
    pub scenario: String,
    /// Requests in flight of each side.
    pub concurrency: u32,
    /// Requests of each run.
    pub requests: u32,
    /// Both sides of a pair were run at the same time.
    pub together: bool,
    /// The tools, as they were asked for.
    pub tools: Vec<ToolCheck>,
    /// It was cut off; the rounds so far count.
    pub cancelled: bool,
    /// Some run of ours could not prove that the client was not the bottleneck.
    pub invalid: bool,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// Why there is no cross-check.
#[derive(Debug, thiserror::Error)]
pub enum CrossCheckError {
    /// A tool is not there.
    #[error("{tool} is not installed: neither in the data directory nor on the PATH")]
    NotInstalled {
        /// Which.
        tool: Tool,
    },
    /// The path given for a tool leads nowhere.
    #[error("{} is not {tool}'s program", path.display())]
    NoProgram {
        /// Which.
        tool: Tool,
        /// What was given.
        path: PathBuf,
    },
    /// The tools need a tokenizer of their own.
    #[error("the tools need the model's tokenizer as files, and the endpoint only tokenizes by itself")]
    NoTokenizer,
    /// Both sides at once need a door in front of the endpoint, which passes no encrypted bytes.
    #[error("{url} cannot be measured by two tools side by side: only http:// can")]
    NotPlain {
        /// The address.
        url: String,
    },
    /// There is no port for that door.
    #[error("no port can be opened on this machine")]
    NoDoor(#[source] std::io::Error),
    /// A tool ended before it had as many requests in flight as it was told to.
    #[error("{tool} never had {streams} requests in flight at once, so the two were never side by side")]
    NeverTogether {
        /// Which.
        tool: Tool,
        /// How many were asked for.
        streams: u32,
    },
    /// The folder for results holds something.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// Which.
        path: PathBuf,
    },
    /// The folder for results refuses.
    #[error("cannot write to {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A tool failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// Our own run failed.
    #[error(transparent)]
    Bench(#[from] BenchError),
}

impl CrossCheckError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInstalled { tool } => {
                let install = install_target(*tool).map(|t| format!("autotuner engines install {}, or ", t.name()));
                Some(format!("{}give its program: --tool-path {tool}=PATH", install.unwrap_or_default()))
            }
            Self::NoProgram { tool, .. } => {
                Some(format!("give the program, or the environment that holds bin/{}", peers::program(*tool)))
            }
            Self::NoTokenizer => Some("give --tokenizer: a folder, a tokenizer.json or the model's GGUF".to_owned()),
            Self::NotPlain { .. } | Self::NoDoor(_) => Some("leave out --together".to_owned()),
            Self::NeverTogether { .. } => {
                Some("leave out --together, or ask for more --requests, so that all streams are in use".to_owned())
            }
            Self::NotEmpty { .. } => Some("give --results a new folder".to_owned()),
            Self::Folder { .. } => Some("choose another folder with --results".to_owned()),
            Self::Peer(error) => Some(error.hint()),
            Self::Bench(_) => None,
        }
    }
}

/// What brings a tool with it.
pub fn install_target(tool: Tool) -> Option<InstallTarget> {
    match tool {
        Tool::Vllm => Some(InstallTarget::VllmCpu),
        Tool::Guidellm => Some(InstallTarget::Guidellm),
        Tool::Aiperf => Some(InstallTarget::Aiperf),
        Tool::GenaiBench => Some(InstallTarget::GenaiBench),
        Tool::Sglang => None,
    }
}

/// How a tool is started here: the program `given` (or the environment that holds it), else the installation in the data
/// directory, else the first on `path`.
///
/// # Errors
/// It is nowhere.
pub fn find_peer(home: &Home, path: Option<&OsStr>, tool: Tool, given: Option<&Path>) -> Result<Peer, CrossCheckError> {
    let program = peers::program(tool);
    let peer = |file: PathBuf| Peer { tool, launcher: vec![file.display().to_string()] };
    if let Some(given) = given {
        let inside = given.join("bin").join(program);
        let found = [given.to_owned(), inside].into_iter().find(|file| file.is_file());
        let found = found.and_then(|file| std::path::absolute(file).ok());
        return found.map(peer).ok_or_else(|| CrossCheckError::NoProgram { tool, path: given.to_owned() });
    }
    let ours = install_target(tool).map(InstallTarget::name);
    let here = installed(home.root()).into_iter().find(|i| Some(i.name.as_str()) == ours);
    if let Some(launcher) = here.and_then(|i| i.launcher.into_iter().next()) {
        return Ok(peer(PathBuf::from(launcher)));
    }
    let folders = path.map(std::env::split_paths).into_iter().flatten();
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
    found.map(peer).ok_or(CrossCheckError::NotInstalled { tool })
}

/// One run of ours: the figures by the rules of each tool that it is compared with.
struct OurRun {
    headlines: Vec<Option<Headline>>,
    cpu_s: f64,
}

/// A run of ours: which it is, and against whom.
#[derive(Clone, Copy)]
struct Ours<'a> {
    request: &'a CrossCheckRequest,
    bench: &'a BenchRequest,
    station: &'a Station,
    folder: &'a Path,
    live: &'a watch::Sender<Live>,
    round: u32,
    /// The one tool that it is run beside.
    beside: Option<usize>,
}

/// Measures in turn, `rounds` times. `say` is told what begins; `cancel` ends it and keeps the rounds that are whole.
///
/// # Errors
/// The endpoint cannot be measured, a tool fails, or the folder refuses.
pub async fn cross_check(
    request: &CrossCheckRequest,
    live: watch::Sender<Live>,
    cancel: watch::Receiver<bool>,
    mut say: impl FnMut(String),
) -> Result<CrossCheck, CrossCheckError> {
    let folder = empty_folder(&request.folder)?;
    let (input, output) = request.lengths;
    let scenario = format!("D({input},{output})");
    let bench = BenchRequest {
        workload: WorkloadSpec {
            prompts: Prompts { scenario: Some(scenario.clone()), ..Prompts::default() },
            api: request.api,
            ..request.bench.workload.clone()
        },
        // Every request counts, from the first on: these tools have no warm-up, or none that they leave out.
        load: LoadSpec {
            levels: vec![Level::closed(request.streams)],
            requests: Some(request.requests),
            duration_s: None,
            warmup_requests: Some(0),
            ..request.bench.load.clone()
        },
        ..request.bench.clone()
    };
    let doors = if request.together { Some(Doors::open(&bench.target.base_url, request.streams).await?) } else { None };
    let (station, report) = match &doors {
        Some(doors) => open(&doors.through(&bench)).await?,
        None => open(&bench).await?,
    };
    let refused = |path: PathBuf| move |source| CrossCheckError::Folder { path, source };
    let tokenizer = match station.tokens.as_deref() {
        Some(TokenSource::Local(local)) => {
            let at = folder.join("tokenizer");
            local.transformers_folder(&at).map_err(refused(at))?
        }
        _ => return Err(CrossCheckError::NoTokenizer),
    };
    let ignore_eos = bench.workload.ignore_eos && station.target.features.ignore_eos;
    let mut check = CrossCheck {
        url: bench.target.base_url.clone(),
        model: report.model.clone(),
        scenario,
        concurrency: request.streams,
        requests: request.requests,
        together: request.together,
        notes: report.notes,
        ..CrossCheck::default()
    };
    let load = |round: u32| PeerLoad {
        url: &bench.target.base_url,
        model: &report.model,
        api: request.api,
        tokenizer: &tokenizer,
        input_tokens: input,
        output_tokens: output,
        streams: request.streams,
        requests: request.requests,
        // Words that no earlier round has warmed a cache with.
        seed: bench.seeds.prompts.wrapping_add(u64::from(round)),
        ignore_eos,
    };
    let of_us =
        |round, beside| Ours { request, bench: &bench, station: &station, folder: &folder, live: &live, round, beside };
    let mut ours: Vec<Vec<OurRun>> = request.peers.iter().map(|_| Vec::new()).collect();
    let mut theirs: Vec<Vec<PeerRun>> = vec![Vec::new(); request.peers.len()];
    let mut alone: Vec<OurRun> = Vec::new();
    'rounds: for round in 0..request.rounds {
        // 0 is our own turn, which there is none of side by side.
        let mut turns: Vec<usize> = (usize::from(request.together)..=request.peers.len()).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for turn in turns {
            let tool = turn.checked_sub(1).map(|at| request.peers[at].tool.name());
            let who = match (tool, request.together) {
                (Some(tool), true) => format!("autotuner and {tool}"),
                (tool, _) => tool.unwrap_or("autotuner").to_owned(),
            };
            say(format!("round {} of {}: {who}", round + 1, request.rounds));
            if *cancel.borrow() {
                check.cancelled = true;
                break 'rounds;
            }
            let Some(at) = turn.checked_sub(1) else {
                alone.extend(our_run(of_us(round, None), std::future::ready(()), &cancel, &mut check).await?);
                continue;
            };
            let peer = &request.peers[at];
            let place = folder.join(peer.tool.name()).join(round.to_string());
            let mut stop = cancel.clone();
            if let Some(doors) = &doors {
                let pair =
                    doors.side_by_side(of_us(round, Some(at)), peer, load(round), &place, stop, &mut check).await?;
                if let Some((our, their)) = pair {
                    ours[at].push(our);
                    theirs[at].push(their);
                }
                continue;
            }
            let asked = load(round);
            tokio::select! {
                run = peers::run(peer.tool, &peer.launcher, &asked, &place, request.limit) => theirs[at].push(run?),
                Ok(_) = stop.wait_for(|stop| *stop) => check.cancelled = true,
            }
        }
    }
    for (at, peer) in request.peers.iter().enumerate() {
        let ours = if request.together { &ours[at] } else { &alone };
        check.tools.push(tool_check(peer, at, ours, &theirs[at], &request.options));
    }
    Ok(check)
}

/// Measures once, from `begin` on; `None` where it was cut off.
async fn our_run(
    ours: Ours<'_>,
    begin: impl Future<Output = ()>,
    cancel: &watch::Receiver<bool>,
    check: &mut CrossCheck,
) -> Result<Option<OurRun>, CrossCheckError> {
    let Ours { request, bench, station, folder, live, round, beside } = ours;
    // Other words in each run.
    let repeat = round * request.peers.len() as u32 + beside.unwrap_or(0) as u32;
    let plan = station.workload.plan(&bench.load, 0, repeat, bench.seeds).map_err(BenchError::from)?;
    let before = peers::own_cpu_s();
    let measured = station.measure_when(begin, &plan, (&[], &[]), live.clone(), cancel.clone()).await;
    let (run, measurement) = measured?;
    let cpu_s = peers::own_cpu_s() - before;
    if run.cancelled {
        check.cancelled = true;
        return Ok(None);
    }
    if let Validity::Invalid { reasons } = &measurement.validity {
        check.invalid = true;
        let reasons = reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        check.notes.push(format!("round {}: our run is INVALID: {reasons}", round + 1));
    }
    let level = compat::Level { arrival: &plan.arrival, records: &run.records, zero_unix_s: zero_unix_s(&run.clock) };
    let tokenizer = station.tokens.as_ref().map(|t| t.origin());
    let written = compat::Run {
        model: &station.target.model,
        url: &bench.target.base_url,
        api: request.api,
        tokenizer: tokenizer.as_deref(),
        scenario: bench.workload.prompts.scenario.as_deref(),
        slos: &[],
        levels: &[level],
    };
    let mut headlines = Vec::new();
    for (at, peer) in request.peers.iter().enumerate() {
        if beside.is_some_and(|beside| beside != at) {
            headlines.push(None);
            continue;
        }
        // The last: genai-bench has a description of the experiment before it.
        let Some(file) = compat::emit(peer.tool, &written).pop() else {
            headlines.push(None);
            continue;
        };
        headlines.push(compat::read(&file.document).ok().and_then(|(_, mut levels)| levels.pop()));
        let path = folder.join("autotuner").join(round.to_string()).join(peer.tool.name()).join(&file.path);
        keep(&path, &file.document)?;
    }
    Ok(Some(OurRun { headlines, cpu_s }))
}

fn tool_check(peer: &Peer, at: usize, ours: &[OurRun], theirs: &[PeerRun], options: &Options) -> ToolCheck {
    let pairs: Vec<(Headline, Headline)> = ours
        .iter()
        .zip(theirs)
        .filter_map(|(ours, theirs)| Some(((*ours.headlines.get(at)?)?, theirs.headline)))
        .collect();
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    ToolCheck {
        tool: peer.tool.name().to_owned(),
        program: peer.launcher.join(" "),
        pairs: pairs.len() as u32,
        figures: peers::agreement(peer.tool, &pairs, options),
        cpu_s: mean(theirs.iter().map(|run| run.cpu_s.0 + run.cpu_s.1).collect()),
        our_cpu_s: mean(ours.iter().map(|run| run.cpu_s).collect()),
        files: theirs.iter().map(|run| run.file.clone()).collect(),
    }
}

/// The folder, made where it is missing; results of an earlier check would be taken for those of this one.
fn empty_folder(path: &Path) -> Result<PathBuf, CrossCheckError> {
    let refused = |source| CrossCheckError::Folder { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(refused)?;
    if std::fs::read_dir(path).map_err(refused)?.next().is_some() {
        return Err(CrossCheckError::NotEmpty { path: path.to_owned() });
    }
    std::path::absolute(path).map_err(refused)
}

fn keep(path: &Path, document: &serde_json::Value) -> Result<(), CrossCheckError> {
    let refused = |source| CrossCheckError::Folder { path: path.to_owned(), source };
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(refused)?;
    std::fs::write(path, format!("{document:#}\n")).map_err(refused)
}
