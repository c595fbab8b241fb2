//! The shipped catalogues.

use tuner_core::engine::EngineName;
use tuner_engines::{Catalogue, FlagKind, catalogue, engine};

#[test]
fn every_shipped_catalogue_is_complete_and_consistent() {
    let least = [
        (EngineName::Sglang, 500),
        (EngineName::Vllm, 300),
        (EngineName::TensorrtLlm, 15),
        (EngineName::LlamaCpp, 240),
        (EngineName::Simulated, 40),
    ];
    for (name, count) in least {
        let catalogue = engine(name).catalogue();
        assert!(catalogue.flags().len() >= count, "{name}: {}", catalogue.flags().len());
        assert!(!catalogue.version.is_empty());
        let tunable = catalogue.flags().iter().filter(|f| f.tunable.is_some()).count();
        assert!(tunable >= 6, "{name}: {tunable}");
        for flag in catalogue.flags() {
            assert_eq!(catalogue.find(&flag.name).map(|f| &f.flag.name), Some(&flag.name), "{name}");
            assert!(!flag.help.is_empty() || flag.removed || name == EngineName::Sglang, "{name} {}", flag.name);
            if let FlagKind::Choice { values } = &flag.kind {
                assert!(values.iter().all(|v| !v.contains(' ')), "{name} {} {values:?}", flag.name);
            }
            for other in &flag.conflicts {
                assert!(catalogue.find(other).is_some(), "{name}: {} conflicts with unknown {other}", flag.name);
            }
        }
    }
}

#[test]
fn a_catalogue_survives_writing_and_reading() {
    for name in EngineName::ALL {
        let shipped = engine(name).catalogue();
        let text = catalogue::to_json(&shipped.version, shipped.flags());
        assert_eq!(&Catalogue::from_json(name, &text).unwrap(), shipped);
    }
}

#[test]
fn a_typing_error_finds_the_flag_that_was_meant() {
    let vllm = engine(EngineName::Vllm).catalogue();
    assert_eq!(vllm.nearest("max-num-sequences"), Some("max-num-seqs"));
    assert_eq!(vllm.nearest("gpu_memory_utilisation"), Some("gpu-memory-utilization"));
    assert_eq!(vllm.nearest("zzz"), None);
    let llama = engine(EngineName::LlamaCpp).catalogue();
    assert_eq!(llama.nearest("flash-attention"), Some("flash-attn"));
}
