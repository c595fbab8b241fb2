//! Both sides' token counts beside each other.

use tuner_core::Measurement;
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::server_side::{ServerCounter, ServerSide};

/// Share by which the sides may differ before it is said; the engine may count a stop token that it does not send.
const TOLERANCE: f64 = 0.02;
/// Share of prompt tokens from the prefix cache above which it is said: synthetic prompts share nothing.
const WARM_CACHE: f64 = 0.05;

/// Adds the server's side to a measurement: evidence, and a note where the sides disagree.
pub(crate) fn attach(measurement: &mut Measurement, side: ServerSide, records: &[RequestRecord], fresh_prompts: bool) {
    let counted = side.counters.get(&ServerCounter::OutputTokens).copied();
    if let Some(server) = counted {
        measurement.evidence.insert("server_output_tokens".to_owned(), server);
        if let Some(client) = client_tokens(records) {
            measurement.evidence.insert("client_output_tokens".to_owned(), client);
            if client > 0.0 && (server / client - 1.0).abs() > TOLERANCE {
                measurement.notes.push(format!(
                    "the engine counted {server} output tokens where the client received {client}: somebody else may \
                     have used it, or it counts otherwise"
                ));
            }
        }
    }
    if let Some(rate) = side.cache_hit_rate() {
        measurement.evidence.insert("prefix_cache_hit_rate".to_owned(), rate);
        if fresh_prompts && rate > WARM_CACHE {
            measurement.notes.push(format!(
                "{:.0} % of the prompt tokens came from the prefix cache although the prompts share nothing: the chat \
                 template does, or another client sends the same",
                rate * 100.0
            ));
        }
    }
    measurement.server = Some(side);
}

/// Output tokens of every request, warm-up included; `None` where some request was cut off or not counted, so that the
/// engine may have made tokens that nobody saw.
fn client_tokens(records: &[RequestRecord]) -> Option<f64> {
    let sent = records.iter().filter(|r| r.fate != Fate::Unsent);
    sent.map(|r| r.output_tokens.filter(|_| r.fate == Fate::Completed).map(f64::from)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tuner_core::record::PlannedRequest;

    fn record(index: u64, fate: Fate, output: Option<u32>) -> RequestRecord {
        let planned = PlannedRequest { index, input_tokens: 1, output_tokens: 10, ..PlannedRequest::default() };
        RequestRecord { fate, output_tokens: output, ..RequestRecord::unsent(&planned, 0.0) }
    }

    fn side(counters: &[(ServerCounter, f64)]) -> ServerSide {
        ServerSide { counters: counters.iter().copied().collect(), ..ServerSide::default() }
    }

    fn attached(side: ServerSide, records: &[RequestRecord]) -> Measurement {
        let mut measurement = Measurement::default();
        attach(&mut measurement, side, records, true);
        measurement
    }

    #[test]
    fn equal_counts_are_evidence_and_unequal_ones_are_said() {
        let records = [record(0, Fate::Completed, Some(10)), record(1, Fate::Completed, Some(10))];
        let equal = attached(side(&[(ServerCounter::OutputTokens, 20.0)]), &records);
        assert_eq!((equal.evidence["client_output_tokens"], equal.notes.len()), (20.0, 0));
        let more = attached(side(&[(ServerCounter::OutputTokens, 30.0)]), &records);
        assert!(more.notes[0].contains("30 output tokens"), "{:?}", more.notes);
    }

    #[test]
    fn answers_that_were_cut_off_are_not_compared() {
        let records =
            [record(0, Fate::Completed, Some(10)), record(1, Fate::Cancelled, None), record(2, Fate::Unsent, None)];
        let m = attached(side(&[(ServerCounter::OutputTokens, 17.0)]), &records);
        assert_eq!((m.evidence.get("client_output_tokens"), m.notes.len()), (None, 0));
        let m = attached(side(&[(ServerCounter::OutputTokens, 10.0)]), &records[..1]);
        assert_eq!(m.evidence["client_output_tokens"], 10.0);
    }

    #[test]
    fn a_warm_cache_is_said() {
        let cache = [(ServerCounter::CacheQueries, 100.0), (ServerCounter::CacheHits, 40.0)];
        let m = attached(side(&cache), &[]);
        assert_eq!(m.evidence["prefix_cache_hit_rate"], 0.4);
        assert!(m.notes[0].starts_with("40 %"), "{:?}", m.notes);
    }
}
