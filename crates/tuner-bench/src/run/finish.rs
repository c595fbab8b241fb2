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
use crate::tokens::TokenSource;
use crate::validity::ClientEvidence;

pub(super) async fn level_run(
    plan: &LevelPlan,
    harvests: Vec<Harvest>,
    tokens: Option<&TokenSource>,
    clock: LevelClock,
    elapsed_s: f64,
    process_cpu: Option<f64>,
    cancelled: bool,
) -> Result<LevelRun, BenchError> {
    let thread_cpu = harvests
        .iter()
        .filter_map(|h| h.cpu)
        .fold(None, |most: Option<f64>, cpu| Some(most.map_or(cpu, |most| most.max(cpu))));
    let mut finished: Vec<Finished> = harvests.into_iter().flat_map(|h| h.finished).collect();
    finished.sort_by_key(|f| f.record.index);

    let mut notes = Vec::new();
    count_texts(&mut finished, tokens, &mut notes).await;
    let mut evidence = ClientEvidence { thread_cpu, process_cpu, ..ClientEvidence::default() };
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
    let window = Window::of(plan, &records);
    evidence.in_flight_peak = Some(window.peak_in_flight(&records));
    // Users who think are not in flight; how many of them there were is the report's to tell.
    evidence.in_flight_target = plan.arrival.concurrency.filter(|_| plan.is_open_loop() || !plan.thinks());
    add_unsent(plan, &mut records, cancelled);
    notes.extend(remarks(plan, &records));
    Ok(LevelRun { records, window, elapsed_s, clock, evidence, cancelled, notes })
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

/// Requests of the plan that were never begun. A closed loop that its duration ended planned no more than it sent, and
/// so did an open one with the later turns of its conversations.
fn add_unsent(plan: &LevelPlan, records: &mut Vec<RequestRecord>, cancelled: bool) {
    let open = plan.is_open_loop();
    if !open && !(cancelled && plan.requests.is_some()) {
        return;
    }
    let known: std::collections::HashSet<u64> = records.iter().map(|r| r.index).collect();
    let missing = plan.planned().filter(|p| !known.contains(&p.index) && (!open || p.planned_s.is_some()));
    let unsent = missing.map(|p| RequestRecord::unsent(&p, p.planned_s.unwrap_or(0.0)));
    let more: Vec<RequestRecord> = match plan.total().filter(|_| plan.talks() && !open) {
        // Which of endlessly many turns would have been sent is not known, only how many, and how many as warm-up.
        Some(total) => {
            let warm = records.iter().filter(|r| r.warmup).count();
            let counted = unsent.take((total as usize).saturating_sub(records.len()));
            let still_warm = (plan.warmup as usize).saturating_sub(warm);
            counted.enumerate().map(|(i, r)| RequestRecord { warmup: i < still_warm, ..r }).collect()
        }
        None => unsent.collect(),
    };
    records.extend(more);
    records.sort_by_key(|r| r.index);
}
