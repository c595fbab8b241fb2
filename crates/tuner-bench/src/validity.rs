//! When a measurement may be scored: the client must prove that it was not the bottleneck.
//!
//! *Invariant*: every limit stands here with its reason, and every verdict names its numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tuner_core::measure::{CLIENT_THREADS, CLIENT_THREADS_MOST, Stat};
use tuner_core::{Measurement, Metric, Percentile, Validity};

use crate::stats::Summaries;

/// Least mean number of requests in flight, as a share of a closed loop's streams. Below it the load that was asked
/// for was not applied (connection caps, too few requests, a slow client).
pub const MIN_CONCURRENCY_SHARE: f64 = 0.9;

/// Share of one core that a client thread may use. Above it events wait for the thread and times grow; queueing
/// theory puts the knee of a single server near this value.
pub const MAX_THREAD_CPU: f64 = 0.75;

/// Client-made delays (schedule lag, kernel-to-user delay) that are always acceptable at p99, milliseconds.
pub const FREE_DELAY_MS: f64 = 5.0;

/// Client-made delays at p99 that are acceptable as a share of the median time to first token: they cannot change
/// a comparison by more than this.
pub const MAX_DELAY_SHARE: f64 = 0.05;

/// What the client observed about itself during a level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientEvidence {
    /// How late each measured request was released, milliseconds; waiting for a place under a cap does not count.
    pub schedule_lag_ms: Vec<f64>,
    /// Between the kernel's receipt and our read of each token-bearing read, milliseconds; empty where the kernel
    /// gives no stamps.
    pub client_delay_ms: Vec<f64>,
    /// Share of a core that the busiest client thread used in the window.
    pub thread_cpu: Option<f64>,
    /// Share of the machine's cores that this whole process used in the window.
    pub process_cpu: Option<f64>,
    /// Stream events by class.
    pub events: BTreeMap<String, u64>,
    /// Most requests in flight at one moment of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_peak: Option<u32>,
    /// Streams of a closed loop whose users do not think, or the most that an open one may have in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight_target: Option<u32>,
    /// Threads that sent and read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_threads: Option<u32>,
    /// As many of them as this machine can spare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_threads_most: Option<u32>,
    /// Connections that had to be made while a measured request waited.
    pub connects: u64,
}

impl ClientEvidence {
    /// Adds the evidence to a measurement and turns it INVALID where the client failed its own test.
    pub fn apply(&self, measurement: &mut Measurement) {
        let mut reasons = match &measurement.validity {
            Validity::Valid => Vec::new(),
            Validity::Invalid { reasons } => reasons.clone(),
        };
        let ttft = measurement.stat(Metric::Ttft, Stat::Percentile(Percentile::P50));
        let allowed = ttft.map_or(FREE_DELAY_MS, |ttft| (ttft * MAX_DELAY_SHARE).max(FREE_DELAY_MS));
        for (name, what, sample) in [
            ("schedule_lag", "requests were released late", &self.schedule_lag_ms),
            ("client_delay", "answers waited for the client", &self.client_delay_ms),
        ] {
            let Some(summary) = Summaries::new([]).of(sample.clone(), false) else { continue };
            for (word, p) in [("p50", Percentile::P50), ("p99", Percentile::P99)] {
                measurement.evidence.insert(format!("{name}_{word}_ms"), summary.percentiles[&p]);
            }
            measurement.evidence.insert(format!("{name}_max_ms"), summary.max);
            let p99 = summary.percentiles[&Percentile::P99];
            if p99 > allowed {
                reasons.push(format!("{what}: {p99:.1} ms at p99, {allowed:.1} ms is the limit"));
            }
        }
        for (name, value) in [("client_thread_cpu_share", self.thread_cpu), ("process_cpu_share", self.process_cpu)] {
            if let Some(value) = value {
                measurement.evidence.insert(name.to_owned(), value);
            }
        }
        if let Some(cpu) = self.thread_cpu.filter(|cpu| *cpu > MAX_THREAD_CPU) {
            measurement.client_bound = true;
            reasons.push(format!(
                "a client thread used {:.0} % of its core, {:.0} % is the limit",
                cpu * 100.0,
                MAX_THREAD_CPU * 100.0
            ));
        }
        for (class, count) in &self.events {
            measurement.evidence.insert(format!("events_{class}"), *count as f64);
        }
        if let Some(count) = self.events.get("unparsed").filter(|count| **count > 0) {
            reasons.push(format!("{count} stream events could not be read"));
        }
        for (name, value) in [
            ("in_flight_peak", self.in_flight_peak),
            ("in_flight_target", self.in_flight_target),
            (CLIENT_THREADS, self.client_threads),
            (CLIENT_THREADS_MOST, self.client_threads_most),
        ] {
            if let Some(value) = value {
                measurement.evidence.insert(name.to_owned(), f64::from(value));
            }
        }
        if self.connects > 0 {
            measurement.evidence.insert("connections_made_in_window".to_owned(), self.connects as f64);
        }
        if !reasons.is_empty() {
            measurement.validity = Validity::Invalid { reasons };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tuner_core::{Figure, Summary};

    fn measured(ttft_ms: f64) -> Measurement {
        let percentiles = BTreeMap::from([(Percentile::P50, ttft_ms)]);
        let summary = Summary { n: 1, mean: ttft_ms, percentiles, ..Summary::default() };
        Measurement {
            level: 0,
            repeat: 0,
            window_s: 1.0,
            elapsed_s: 1.0,
            requests: Default::default(),
            errors: BTreeMap::new(),
            metrics: BTreeMap::from([(Metric::Ttft, Figure::Distribution(summary))]),
            validity: Validity::Valid,
            evidence: BTreeMap::new(),
            ..Measurement::default()
        }
    }

    fn reasons(ttft_ms: f64, evidence: &ClientEvidence) -> Vec<String> {
        let mut measurement = measured(ttft_ms);
        evidence.apply(&mut measurement);
        match measurement.validity {
            Validity::Valid => Vec::new(),
            Validity::Invalid { reasons } => reasons,
        }
    }

    #[test]
    fn a_client_that_kept_up_leaves_the_measurement_valid() {
        let evidence = ClientEvidence {
            schedule_lag_ms: vec![0.1; 100],
            client_delay_ms: vec![4.9; 100],
            thread_cpu: Some(0.7),
            process_cpu: Some(1.0),
            events: BTreeMap::from([("token".to_owned(), 10), ("unparsed".to_owned(), 0)]),
            connects: 3,
            ..ClientEvidence::default()
        };
        assert_eq!(reasons(20.0, &evidence), Vec::<String>::new());
    }

    #[test]
    fn each_way_of_being_the_bottleneck_is_a_reason_with_its_numbers() {
        let evidence = ClientEvidence {
            schedule_lag_ms: vec![7.0; 100],
            client_delay_ms: vec![8.0; 100],
            thread_cpu: Some(0.9),
            events: BTreeMap::from([("unparsed".to_owned(), 2)]),
            ..ClientEvidence::default()
        };
        let expected = [
            "requests were released late: 7.0 ms at p99, 5.0 ms is the limit",
            "answers waited for the client: 8.0 ms at p99, 5.0 ms is the limit",
            "a client thread used 90 % of its core, 75 % is the limit",
            "2 stream events could not be read",
        ];
        assert_eq!(reasons(20.0, &evidence), expected);
    }

    #[test]
    fn long_answers_allow_delays_in_proportion() {
        let evidence = ClientEvidence { client_delay_ms: vec![8.0; 100], ..ClientEvidence::default() };
        assert_eq!(reasons(1000.0, &evidence).len(), 0);
        assert_eq!(reasons(100.0, &evidence).len(), 1);
    }
}
