//! Any bytes as an HTTP/1.1 answer of any protocol, head, framing and compression included: no panic, and the same
//! reading however the bytes are cut into reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuner_bench::client::{Collector, replay};
use tuner_core::record::Fate;
use tuner_core::task::Api;

fuzz_target!(|data: &[u8]| {
    let Some(([cut, api], bytes)) = data.split_first_chunk() else { return };
    let api = Api::ALL[usize::from(*api) % Api::ALL.len()];
    let whole = reading(replay(api, [bytes], None));
    let parts = reading(replay(api, bytes.chunks(usize::from(*cut).max(1)), None));
    assert_eq!(whole, parts);
});

/// What must not depend on the reads. The words of a failure may: they quote what had come by then.
fn reading((answer, fate): (Collector, Fate)) -> (String, String) {
    let fate = match fate {
        Fate::Failed { class, .. } => class,
        other => format!("{other:?}"),
    };
    let said = format!("{:?} {:?} {:?} {:?}", answer.reads(), answer.counts, answer.usage, answer.text);
    (said, fate)
}
