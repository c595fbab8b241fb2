//! Presets that come with the engines, as data in `presets/`: general ones, and those of quantisation and parallelism.
//!
//! *Invariant*: each flag and each value of them is one that the engine's own help lists.

use std::sync::LazyLock;

use tuner_core::engine::EngineName;
use tuner_core::task::{PresetSpec, ReadContext, read_presets};

use crate::engine;

static PRESETS: LazyLock<Vec<PresetSpec>> = LazyLock::new(|| {
    let files = [
        include_str!("../presets/vllm.yaml"),
        include_str!("../presets/sglang.yaml"),
        include_str!("../presets/tensorrt-llm.yaml"),
        include_str!("../presets/llama.cpp.yaml"),
        include_str!("../presets/simulated.yaml"),
    ];
    // A damaged file would give none, which a test excludes.
    let read = |text: &&str| read_presets(text, &ReadContext::default()).map(|known| known.presets).unwrap_or_default();
    files.iter().flat_map(read).collect()
});

/// Every preset that comes with an engine. Nobody can change or delete them.
pub fn presets() -> &'static [PresetSpec] {
    &PRESETS
}

/// The engine's own spelling of a flag, whichever of its spellings is given.
pub fn canonical(name: EngineName, flag: &str) -> String {
    engine(name).catalogue().find(flag).map_or_else(|| flag.replace('_', "-"), |found| found.flag.name.clone())
}
