//! What each engine calls the same thing on its metrics page.
//!
//! A row lists the names that were ever used, newest first: the first one that a page holds is read. A name may be a
//! sum, written with `+`.

use std::collections::BTreeMap;

use tuner_core::server_side::{ServerCounter, ServerGauge};

use super::exposition::Sample;

/// The names of one engine.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Engine, for people.
    pub(super) engine: &'static str,
    /// Every name begins with this.
    prefix: &'static str,
    counters: &'static [(ServerCounter, &'static [&'static str])],
    gauges: &'static [(ServerGauge, &'static [&'static str])],
}

use ServerCounter as C;
use ServerGauge as G;

/// The engines whose pages are understood.
const DIALECTS: [Dialect; 5] = [
    Dialect {
        engine: "vllm",
        prefix: "vllm:",
        counters: &[
            (C::PromptTokens, &["vllm:prompt_tokens_total", "vllm:prompt_tokens"]),
            (C::OutputTokens, &["vllm:generation_tokens_total", "vllm:generation_tokens"]),
            (
                C::CacheQueries,
                &[
                    "vllm:prefix_cache_queries_total",
                    "vllm:prefix_cache_queries",
                    "vllm:gpu_prefix_cache_queries_total",
                ],
            ),
            (
                C::CacheHits,
                &["vllm:prefix_cache_hits_total", "vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits_total"],
            ),
            (C::Preemptions, &["vllm:num_preemptions_total", "vllm:num_preemptions"]),
            (C::FinishedRequests, &["vllm:request_success_total", "vllm:request_success"]),
            (C::DraftTokens, &["vllm:spec_decode_num_draft_tokens_total", "vllm:spec_decode_num_draft_tokens"]),
            (
                C::AcceptedTokens,
                &["vllm:spec_decode_num_accepted_tokens_total", "vllm:spec_decode_num_accepted_tokens"],
            ),
        ],
        gauges: &[
            (G::Running, &["vllm:num_requests_running"]),
            (G::Waiting, &["vllm:num_requests_waiting"]),
            (G::KvUsage, &["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"]),
        ],
    },
    Dialect {
        engine: "sglang",
        prefix: "sglang:",
        counters: &[
            (C::PromptTokens, &["sglang:prompt_tokens_total"]),
            (C::OutputTokens, &["sglang:generation_tokens_total"]),
            (C::CacheQueries, &["sglang:prompt_tokens_total"]),
            (C::CacheHits, &["sglang:cached_tokens_total"]),
            (C::Preemptions, &["sglang:num_retracted_requests_total"]),
            (C::FinishedRequests, &["sglang:num_requests_total"]),
        ],
        gauges: &[
            (G::Running, &["sglang:num_running_reqs"]),
            (G::Waiting, &["sglang:num_queue_reqs"]),
            (G::KvUsage, &["sglang:token_usage"]),
        ],
    },
    Dialect {
        engine: "llama.cpp",
        prefix: "llamacpp:",
        counters: &[
            (
                C::PromptTokens,
                &["llamacpp:prompt_tokens_total+llamacpp:prompt_tokens_cached_total", "llamacpp:prompt_tokens_total"],
            ),
            (C::OutputTokens, &["llamacpp:tokens_predicted_total"]),
            (C::CacheQueries, &["llamacpp:prompt_tokens_total+llamacpp:prompt_tokens_cached_total"]),
            (C::CacheHits, &["llamacpp:prompt_tokens_cached_total"]),
            (C::DraftTokens, &["llamacpp:spec_decode_num_draft_tokens_total"]),
            (C::AcceptedTokens, &["llamacpp:spec_decode_num_accepted_tokens_total"]),
        ],
        gauges: &[
            (G::Running, &["llamacpp:requests_processing"]),
            (G::Waiting, &["llamacpp:requests_deferred"]),
            (G::KvUsage, &["llamacpp:kv_cache_usage_ratio"]),
        ],
    },
    Dialect {
        engine: "tensorrt-llm",
        prefix: "trtllm_",
        counters: &[
            (C::CacheQueries, &["trtllm_kv_cache_reused_blocks_total+trtllm_kv_cache_missed_blocks_total"]),
            (C::CacheHits, &["trtllm_kv_cache_reused_blocks_total"]),
            (C::FinishedRequests, &["trtllm_request_success_total"]),
        ],
        gauges: &[
            (G::Running, &["trtllm_num_requests_running"]),
            (G::Waiting, &["trtllm_num_requests_waiting"]),
            (G::KvUsage, &["trtllm_kv_cache_utilization"]),
        ],
    },
    Dialect {
        engine: "tgi",
        prefix: "tgi_",
        counters: &[
            (C::PromptTokens, &["tgi_request_input_length_sum"]),
            (C::OutputTokens, &["tgi_request_generated_tokens_sum"]),
            (C::FinishedRequests, &["tgi_request_success", "tgi_request_success_total"]),
        ],
        gauges: &[(G::Running, &["tgi_batch_current_size"]), (G::Waiting, &["tgi_queue_size"])],
    },
];

/// What a page says, in our words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) counters: BTreeMap<ServerCounter, f64>,
    pub(super) gauges: BTreeMap<ServerGauge, f64>,
}

impl Dialect {
    /// The engine whose names stand on a page.
    pub(super) fn of(page: &[Sample<'_>]) -> Option<&'static Self> {
        DIALECTS.iter().find(|d| page.iter().any(|s| s.name.starts_with(d.prefix)))
    }

    /// Reads a page.
    pub(super) fn read(&self, page: &[Sample<'_>]) -> Reading {
        let mut reading = Reading::default();
        for (counter, names) in self.counters {
            if let Some(value) = names.iter().find_map(|name| total(page, name)) {
                reading.counters.insert(*counter, value);
            }
        }
        for (gauge, names) in self.gauges {
            // Shares of several engines behind one address are not added up: the fullest is the one that hurts.
            let most = names.iter().find_map(|name| match gauge {
                ServerGauge::KvUsage => series(page, name).reduce(f64::max),
                ServerGauge::Running | ServerGauge::Waiting => total(page, name),
            });
            if let Some(value) = most {
                reading.gauges.insert(*gauge, value);
            }
        }
        reading
    }
}

/// The sum over a name's series, and over the names of a sum; `None` if one of them is not on the page.
fn total(page: &[Sample<'_>], names: &str) -> Option<f64> {
    names.split('+').try_fold(0.0, |sum, name| {
        let mut values = series(page, name).peekable();
        values.peek()?;
        Some(sum + values.sum::<f64>())
    })
}

/// Finite values of a name. Every rank of a tensor-parallel group reports the same: only the first counts.
fn series<'a>(page: &'a [Sample<'_>], name: &'a str) -> impl Iterator<Item = f64> + 'a {
    let of_first_rank = |s: &&Sample<'_>| s.label("tp_rank").is_none_or(|rank| rank == "0");
    page.iter().filter(move |s| s.name == name).filter(of_first_rank).map(|s| s.value).filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::exposition::samples;
    use super::*;

    fn read(page: &str) -> (&'static str, Reading) {
        let page: Vec<_> = samples(page).collect();
        let dialect = Dialect::of(&page).unwrap();
        (dialect.engine, dialect.read(&page))
    }

    #[test]
    fn engines_say_the_same_in_their_own_words() {
        let pages = [
            "vllm:generation_tokens_total{engine=\"0\"} 5\nvllm:generation_tokens_total{engine=\"1\"} 7\n\
             vllm:prefix_cache_queries_total 100\nvllm:prefix_cache_hits_total 25\n\
             vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\nvllm:kv_cache_usage_perc{engine=\"1\"} 0.5\n\
             vllm:num_requests_running 3\n",
            "sglang:generation_tokens_total 12\nsglang:prompt_tokens_total 100\n\
             sglang:cached_tokens_total{cache_source=\"device\"} 20\nsglang:cached_tokens_total{cache_source=\"host\"} 5\n\
             sglang:token_usage{tp_rank=\"0\"} 0.5\nsglang:num_running_reqs{tp_rank=\"0\"} 3\n\
             sglang:num_running_reqs{tp_rank=\"1\"} 3\n",
            "llamacpp:tokens_predicted_total 12\nllamacpp:prompt_tokens_total 75\n\
             llamacpp:prompt_tokens_cached_total 25\nllamacpp:kv_cache_usage_ratio 0.5\n\
             llamacpp:requests_processing 3\n",
        ];
        for page in pages {
            let (engine, reading) = read(page);
            assert_eq!(reading.counters[&C::OutputTokens], 12.0, "{engine}");
            assert_eq!(
                (reading.counters[&C::CacheQueries], reading.counters[&C::CacheHits]),
                (100.0, 25.0),
                "{engine}"
            );
            assert_eq!((reading.gauges[&G::Running], reading.gauges[&G::KvUsage]), (3.0, 0.5), "{engine}");
        }
    }

    /// SGLang 0.5.23 on a CPU after five requests, model names shortened.
    #[test]
    fn the_page_of_a_real_sglang_is_read() {
        let (engine, reading) = read(
            "sglang:prompt_tokens_total{engine_type=\"unified\",is_streaming=\"false\",model_name=\"m\"} 174.0\n\
             sglang:prompt_tokens_total{engine_type=\"unified\",is_streaming=\"true\",model_name=\"m\"} 26.0\n\
             sglang:generation_tokens_total{engine_type=\"unified\",is_streaming=\"false\",model_name=\"m\"} 65.0\n\
             sglang:num_requests_total{engine_type=\"unified\",is_streaming=\"false\",model_name=\"m\"} 5.0\n\
             sglang:cached_tokens_total{cache_source=\"device\",engine_type=\"unified\",model_name=\"m\"} 111.0\n\
             sglang:num_running_reqs{engine_type=\"unified\",model_name=\"m\",moe_ep_rank=\"0\",pp_rank=\"0\",tp_rank=\"0\"} 1.0\n\
             sglang:num_queue_reqs{engine_type=\"unified\",model_name=\"m\",moe_ep_rank=\"0\",pp_rank=\"0\",tp_rank=\"0\"} 0.0\n\
             sglang:num_retracted_reqs{engine_type=\"unified\",model_name=\"m\",pid=\"9261\",pp_rank=\"0\",tp_rank=\"0\"} 0.0\n\
             sglang:token_usage{engine_type=\"unified\",model_name=\"m\",moe_ep_rank=\"0\",pp_rank=\"0\",tp_rank=\"0\"} 0.01\n",
        );
        assert_eq!(engine, "sglang");
        let counted =
            [C::PromptTokens, C::OutputTokens, C::CacheHits, C::FinishedRequests].map(|c| reading.counters[&c]);
        assert_eq!(counted, [200.0, 65.0, 111.0, 5.0]);
        assert_eq!(reading.counters.get(&C::Preemptions), None, "a counter that counted nothing is not on the page");
        assert_eq!([G::Running, G::Waiting, G::KvUsage].map(|g| reading.gauges[&g]), [1.0, 0.0, 0.01]);
    }

    #[test]
    fn what_a_page_does_not_say_is_absent() {
        let (engine, reading) = read("trtllm_kv_cache_utilization 0.5\ntrtllm_kv_cache_reused_blocks_total 1\n");
        assert_eq!(engine, "tensorrt-llm");
        assert_eq!(reading.counters.get(&C::CacheQueries), None, "half of a sum is no sum");
        assert_eq!(reading.counters.get(&C::OutputTokens), None);
        let old = read("llamacpp:prompt_tokens_total 75\n").1;
        assert_eq!((old.counters.get(&C::PromptTokens), old.counters.get(&C::CacheHits)), (Some(&75.0), None));
        assert!(Dialect::of(&samples("go_gc 1\n").collect::<Vec<_>>()).is_none());
    }
}
