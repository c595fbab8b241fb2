//! After the last answer: counts what the engine did not count, and puts the pieces together.

use std::collections::BTreeMap;

use tuner_core::record::RequestRecord;

use super::LevelRun;
use super::worker::{Finished, Harvest};
use crate::client::LevelClock;
use crate::error::BenchError;
use crate::plan::LevelPlan;
use crate::remarks::remarks;
use crate::report::Window;
use crate::stopping::Verdict;
use crate::tokens::TokenSource;
use crate::validity::ClientEvidence;

/// How a level went, besides its requests.
pub(super) struct Course {
    pub(super) clock: LevelClock,
    pub(super) elapsed_s: f64,
    pub(super) process_cpu: Option<f64>,
    pub(super) client_threads: u32,
    pub(super) cancelled: bool,
    pub(super) verdict: Option<Verdict>,
}

pub(super) async fn level_run(
    plan: &LevelPlan,
    harvests: Vec<Harvest>,
    tokens: Option<&TokenSource>,
    course: Course,
) -> Result<LevelRun, BenchError> {
    let Course { clock, elapsed_s, process_cpu, client_threads, cancelled, verdict } = course;
    let thread_cpu = harvests
        .iter()
        .filter_map(|h| h.cpu)
        .fold(None, |most: Option<f64>, cpu| Some(most.map_or(cpu, |most| most.max(cpu))));
    let mut finished: Vec<Finished> = harvests.into_iter().flat_map(|h| h.finished).collect();
    finished.sort_by_key(|f| f.record.index);

    let mut notes = Vec::new();
    count_texts(&mut finished, tokens, &mut notes).await;
    let mut evidence = ClientEvidence {
        thread_cpu,
        process_cpu,
        client_threads: Some(client_threads),
        client_threads_most: Some(super::threads::most()),
        ..ClientEvidence::default()
    };
    let mut events: BTreeMap<&'static str, u64> = BTreeMap::new();
    for f in &finished {
        for (class, count) in f.counts.named().into_iter().filter(|(_, count)| *count > 0) {
            *events.entry(class).or_insert(0) += count;
        }
        if !f.record.warmup && f.record.sent_s.is_some() {
            evidence.schedule_lag_ms.push(f.lag_ns as f64 / 1e6);
            evidence.client_delay_ms.extend(f.delays_ns.iter().map(|ns| *ns as f64 / 1e6));
            evidence.connects += u64::from(f.record.connect_s.is_some());
        }
    }
    evidence.events = events.into_iter().map(|(class, count)| (class.to_owned(), count)).collect();
    let mut records: Vec<RequestRecord> = finished.into_iter().map(|f| f.record).collect();
    let window = Window::of(plan, &records, verdict.as_ref().map(|verdict| verdict.at_s));
    evidence.in_flight_peak = Some(window.peak_in_flight(&records));
    // Users who think are not in flight; how many of them there were is the report's to tell.
    evidence.in_flight_target = plan.arrival.concurrency.filter(|_| plan.is_open_loop() || !plan.thinks());
    plan.add_unsent(&mut records, cancelled || verdict.is_some());
    let stopped = verdict.map(|verdict| verdict.stopped(window));
    notes.extend(remarks(plan, &records));
    Ok(LevelRun { records, window, elapsed_s, clock, evidence, cancelled, stopped, notes, server: None })
}

/// Answers without usage are counted with the model's tokenizer, from their text.
async fn count_texts(finished: &mut [Finished], tokens: Option<&TokenSource>, notes: &mut Vec<String>) {
    let (mut counted, mut refused) = (0u64, None);
    for f in finished.iter_mut() {
        let Some(text) = f.text.take() else { continue };
        let Some(tokens) = tokens else { continue };
        match tokens.count(&text).await {
            Ok(count) => {
                f.record.output_tokens = Some(count);
                counted += 1;
            }
            Err(error) => refused = Some(error.to_string()),
        }
    }
    if counted > 0
        && let Some(tokens) = tokens
    {
        notes.push(format!("{counted} answers without usage were counted with {}", tokens.origin()));
    }
    if let Some(error) = refused {
        notes.push(format!("some answers could not be counted: {error}"));
    }
}
