//! Measures an endpoint that already runs: what `autotuner bench URL` does.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;
use tuner_core::task::{Level, LoadSpec, ModelSpec, SloSpec, WorkloadSpec};
use tuner_core::{Measurement, Percentile};

use crate::client::{Features, Target};
use crate::error::BenchError;
use crate::live::Live;
use crate::plan::LevelPlan;
use crate::prepared::PreparedWorkload;
use crate::probe;
use crate::protocol;
use crate::run::{LevelRun, run_level_when};
use crate::seed::Seeds;
use crate::server::{GpuProbe, ServerWatch};
use crate::stopping::{Missed, Precision};
use crate::sweep::{self, Found, Probe, Sweep};
use crate::tokens::{LocalTokenizer, TokenError, TokenSource};

/// How often a level that meets its SLOs may be stopped for missing them.
const MISSED_WRONGLY: f64 = 0.01;

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct BenchRequest {
    /// Where; an empty model name takes the first that the endpoint serves. Its `features` are found out.
    pub target: Target,
    /// Folder, `tokenizer.json`, GGUF or hub id; by default the engine's own `/tokenize`.
    pub tokenizer: Option<String>,
    /// The hub's local cache folder.
    pub hub_cache: Option<PathBuf>,
    /// What is asked.
    pub workload: WorkloadSpec,
    /// How hard and how long.
    pub load: LoadSpec,
    /// Levels are chosen by what was measured, instead of those of `load`; with the least share of requests that must
    /// meet the SLOs, 0..1.
    pub sweep: Option<(Sweep, f64)>,
    /// Measurements of each level.
    pub repeats: u32,
    /// End a level as soon as this is known well enough.
    pub until_precise: Option<Precision>,
    /// End a level as soon as a percentile of `slos` is surely missed.
    pub stop_when_missed: bool,
    /// Threads that send and read, where not as many as suit the machine.
    pub client_threads: Option<u32>,
    /// What goodput and attainment are measured against.
    pub slos: Vec<SloSpec>,
    /// Percentiles besides the standard ones.
    pub percentiles: Vec<Percentile>,
    /// Every random choice follows from them.
    pub seeds: Seeds,
}

/// What was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BenchReport {
    /// Address.
    pub url: String,
    /// Model that was asked for.
    pub model: String,
    /// What the endpoint accepts.
    pub features: Features,
    /// Where token counts came from, for people.
    pub tokenizer: Option<String>,
    /// The levels.
    pub levels: Vec<Level>,
    /// One per level and repeat, in order; fewer if it was cut off.
    pub measurements: Vec<Measurement>,
    /// What a sweep found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Found>,
    /// It was cut off.
    pub cancelled: bool,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// An endpoint with everything that measuring it needs.
#[derive(Debug)]
pub struct Station {
    /// Where, and what it accepts.
    pub target: Target,
    /// The model's tokenizer, where one could be had.
    pub tokens: Option<Arc<TokenSource>>,
    /// What is asked.
    pub workload: Arc<PreparedWorkload>,
    /// The server's own figures.
    pub server: ServerWatch,
}

impl Station {
    /// Runs one level and puts both sides of it together. `percentiles`: besides the standard ones.
    ///
    /// # Errors
    /// As [`crate::run_level`].
    pub async fn measure(
        &self,
        plan: &LevelPlan,
        (slos, percentiles): (&[SloSpec], &[Percentile]),
        live: watch::Sender<Live>,
        cancel: watch::Receiver<bool>,
    ) -> Result<(LevelRun, Measurement), BenchError> {
        self.measure_when(std::future::ready(()), plan, (slos, percentiles), live, cancel).await
    }

    /// As [`Station::measure`], with nothing sent before `begin` is there.
    ///
    /// # Errors
    /// As [`crate::run_level`].
    pub async fn measure_when(
        &self,
        begin: impl Future<Output = ()>,
        plan: &LevelPlan,
        (slos, percentiles): (&[SloSpec], &[Percentile]),
        live: watch::Sender<Live>,
        cancel: watch::Receiver<bool>,
    ) -> Result<(LevelRun, Measurement), BenchError> {
        let with = (&self.workload.prompts, self.tokens.clone());
        let run = run_level_when(begin, &self.target, plan, with, live, cancel);
        let (run, watched) = self.server.during(run).await;
        let mut run = run?;
        run.notes.extend(self.workload.notes());
        run.server = watched.side(&run.clock, run.window);
        let measurement = run.measurement(plan, slos, percentiles);
        Ok((run, measurement))
    }
}

/// Measures every level of an endpoint, in order. `cancel` ends it after what is in flight was cut off; the
/// measurements so far are kept, that of the level cut off is not. `keep` is handed every level that was measured.
///
/// # Errors
/// The endpoint cannot be reached, or there is no tokenizer where one is needed.
pub async fn bench_url(
    request: &BenchRequest,
    live: watch::Sender<Live>,
    cancel: watch::Receiver<bool>,
    keep: &mut (dyn FnMut(LevelPlan, LevelRun) + Send),
) -> Result<BenchReport, BenchError> {
    let (station, mut report) = open(request).await?;
    let mut work = Work { request, station: &station, live, cancel, keep };
    match request.sweep {
        Some((sweep, attainment)) => work.sweep(sweep, attainment, &mut report).await?,
        None => work.levels(&mut report).await?,
    }
    Ok(report)
}

/// Measures two endpoints in turn (A B, B A, …), every level in each of `rounds` rounds, so that what drifts hits both.
/// Both share lengths and arrivals, and differ in their words unless the requests' seeds are the same.
///
/// # Errors
/// As [`bench_url`].
pub async fn bench_pair(
    requests: [&BenchRequest; 2],
    rounds: u32,
    live: watch::Sender<Live>,
    cancel: watch::Receiver<bool>,
) -> Result<[BenchReport; 2], BenchError> {
    let (left, mut a) = open(requests[0]).await?;
    let (right, mut b) = open(requests[1]).await?;
    for round in 0..rounds {
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for side in order {
            let (station, report) = if side == 0 { (&left, &mut a) } else { (&right, &mut b) };
            let keep = &mut |_, _| ();
            let (live, cancel) = (live.clone(), cancel.clone());
            let mut work = Work { request: requests[side], station, live, cancel, keep };
            if !work.round(round, report).await? {
                return Ok([a, b]);
            }
        }
    }
    Ok([a, b])
}

/// Finds out what the endpoint accepts and prepares the prompts; with a report that is still empty.
///
/// # Errors
/// The endpoint cannot be reached, or there is no tokenizer where one is needed.
pub async fn open(request: &BenchRequest) -> Result<(Station, BenchReport), BenchError> {
    let mut target = request.target.clone();
    let served = probe::models(&target).await;
    if target.model.is_empty() {
        target.model = served?.swap_remove(0);
    }
    target.features = probe::features_of(&target, &request.workload.apis()).await?;
    target.media_marker = probe::media_marker(&target, &request.workload).await;
    let tokens = find_tokens(request, &target).await?.map(Arc::new);
    let workload = Arc::new(PreparedWorkload::new(&request.workload, tokens.as_deref()).await?);
    let server = ServerWatch::find(&target, GpuProbe::find()).await?;
    let report = BenchReport {
        url: target.base_url.clone(),
        model: target.model.clone(),
        features: target.features,
        tokenizer: tokens.as_ref().map(|t| t.origin()),
        levels: request.load.levels.clone(),
        notes: notes(&target.features, request, tokens.as_deref()),
        ..BenchReport::default()
    };
    Ok((Station { target, tokens, workload, server }, report))
}

/// The measuring of one endpoint, level by level.
struct Work<'a> {
    request: &'a BenchRequest,
    station: &'a Station,
    live: watch::Sender<Live>,
    cancel: watch::Receiver<bool>,
    keep: &'a mut (dyn FnMut(LevelPlan, LevelRun) + Send),
}

impl Work<'_> {
    /// Every level once, then the repeats, so that drift hits all levels alike.
    async fn levels(&mut self, report: &mut BenchReport) -> Result<(), BenchError> {
        for repeat in 0..self.request.repeats.max(1) {
            if !self.round(repeat, report).await? {
                break;
            }
        }
        Ok(())
    }

    /// Every level once; whether none was cut off.
    async fn round(&mut self, repeat: u32, report: &mut BenchReport) -> Result<bool, BenchError> {
        for level in 0..self.request.load.levels.len() as u32 {
            if !self.measure(&self.request.load, level, repeat, report).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn sweep(&mut self, sweep: Sweep, attainment: f64, report: &mut BenchReport) -> Result<(), BenchError> {
        report.levels.clear();
        let mut probes = Vec::new();
        let think_s = self.request.load.levels.first().and_then(|level| level.think_s);
        while let Some(streams) = sweep.next(&probes) {
            let level = report.levels.len() as u32;
            report.levels.push(Level { think_s, ..Level::closed(streams) });
            let load = LoadSpec { levels: report.levels.clone(), ..self.request.load.clone() };
            let before = report.measurements.len();
            for repeat in 0..self.request.repeats.max(1) {
                if !self.measure(&load, level, repeat, report).await? {
                    return Ok(());
                }
            }
            let Some(probe) = Probe::of(streams, &report.measurements[before..], attainment) else { break };
            probes.push(probe);
        }
        report.sweep = sweep::found(&probes);
        Ok(())
    }

    /// Whether the level was measured and not cut off.
    async fn measure(
        &mut self,
        load: &LoadSpec,
        level: u32,
        repeat: u32,
        report: &mut BenchReport,
    ) -> Result<bool, BenchError> {
        let mut plan = self.station.workload.plan(load, level, repeat, self.request.seeds)?;
        plan.stop.precise = self.request.until_precise;
        let slos = self.request.slos.clone();
        plan.stop.missed = self.request.stop_when_missed.then_some(Missed { slos, error_rate: MISSED_WRONGLY });
        plan.client_threads = self.request.client_threads;
        let asked = (self.request.slos.as_slice(), self.request.percentiles.as_slice());
        let (run, measurement) = self.station.measure(&plan, asked, self.live.clone(), self.cancel.clone()).await?;
        report.cancelled = run.cancelled;
        if !run.cancelled {
            report.measurements.push(measurement);
            (self.keep)(plan, run);
        }
        Ok(!report.cancelled)
    }
}

async fn find_tokens(request: &BenchRequest, target: &Target) -> Result<Option<TokenSource>, BenchError> {
    let model =
        ModelSpec { tokenizer: request.tokenizer.clone(), id: Some(target.model.clone()), ..ModelSpec::default() };
    let found = match TokenSource::find(&model, request.hub_cache.as_deref(), Some(target)).await {
        Ok(found) => found,
        // A file's prompts can be sent without counting them.
        Err(TokenError::Nowhere { .. }) if request.workload.datasets().iter().all(Option::is_some) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(found))
}

fn notes(features: &Features, request: &BenchRequest, tokens: Option<&TokenSource>) -> Vec<String> {
    let mut notes = Vec::new();
    if !features.include_usage && protocol::generates(request.workload.api) {
        notes.push("the endpoint reports no usage; answers are counted with the tokenizer".to_owned());
    }
    if request.workload.ignore_eos && !features.ignore_eos && protocol::generates(request.workload.api) {
        notes.push("the endpoint does not take ignore_eos: answers may be shorter than planned".to_owned());
    }
    if let Some(TokenSource::Local(tokenizer)) = tokens {
        let LocalTokenizer { note, .. } = tokenizer.as_ref();
        notes.extend(note.clone());
    }
    notes
}
