//! The server's side of a level in words.

use tuner_core::server_side::{ServerCounter, ServerGauge, ServerSide};

/// What the engine and its GPUs showed, in one line.
pub fn server_words(side: &ServerSide) -> String {
    let mut parts = Vec::new();
    for (gauge, word) in [(ServerGauge::Running, "running"), (ServerGauge::Waiting, "waiting")] {
        parts.extend(side.gauges.get(&gauge).map(|g| format!("{:.1} {word} (most {:.0})", g.mean, g.max)));
    }
    let kv = side.gauges.get(&ServerGauge::KvUsage);
    parts.extend(kv.map(|g| format!("KV cache {:.0} % full (most {:.0} %)", g.mean * 100.0, g.max * 100.0)));
    parts.extend(side.cache_hit_rate().map(|rate| format!("{:.0} % prefix cache hits", rate * 100.0)));
    let preempted = side.counters.get(&ServerCounter::Preemptions).filter(|n| **n > 0.0);
    parts.extend(preempted.map(|n| format!("{n:.0} preemptions")));
    for gpu in &side.gpus {
        let busy = gpu.utilization_percent.map(|g| format!(" {:.0} % busy", g.mean));
        let memory = gpu.memory_used_mib.map(|g| format!(" {:.1} GiB", g.max / 1024.0));
        let power = gpu.power_w.map(|g| format!(" {:.0} W", g.mean));
        let figures: String = [busy, memory, power].into_iter().flatten().collect();
        parts.push(format!("GPU {}{figures}", gpu.index));
    }
    let source = side.source.as_deref().unwrap_or("GPUs");
    format!("{source}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tuner_core::server_side::{GaugeSummary, GpuSide};

    #[test]
    fn what_the_engine_does_not_show_is_not_mentioned() {
        let side = ServerSide {
            source: Some("vllm /metrics".to_owned()),
            counters: [(ServerCounter::CacheQueries, 200.0), (ServerCounter::CacheHits, 10.0)].into(),
            gauges: [(ServerGauge::Running, GaugeSummary { mean: 7.25, max: 8.0 })].into(),
            ..ServerSide::default()
        };
        assert_eq!(server_words(&side), "vllm /metrics: 7.2 running (most 8), 5 % prefix cache hits");
    }

    #[test]
    fn gpus_without_an_engines_metrics_are_shown_all_the_same() {
        let summary = |mean| Some(GaugeSummary { mean, max: mean });
        let gpu = GpuSide {
            index: 0,
            name: "NVIDIA H100".to_owned(),
            utilization_percent: summary(93.0),
            memory_used_mib: summary(61_440.0),
            power_w: summary(512.0),
            clock_mhz: None,
        };
        let side = ServerSide { gpus: vec![gpu], ..ServerSide::default() };
        assert_eq!(server_words(&side), "GPUs: GPU 0 93 % busy 60.0 GiB 512 W");
    }
}
