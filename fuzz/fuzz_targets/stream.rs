//! Any bytes as a stream of any protocol: no panic, and the same reading however the bytes are cut into reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuner_bench::client::{BodyEnd, Collector};
use tuner_core::task::Api;

fuzz_target!(|data: &[u8]| {
    let Some(([cut, api], stream)) = data.split_first_chunk() else { return };
    let api = Api::ALL[usize::from(*api) % Api::ALL.len()];
    let mut whole = Collector::new(api);
    whole.stream(1, stream);
    let mut parts = Collector::new(api);
    for part in stream.chunks(usize::from(*cut).max(1)) {
        parts.stream(1, part);
    }
    assert_eq!(whole.text, parts.text);
    assert_eq!(whole.counts, parts.counts);
    assert_eq!(whole.usage, parts.usage);
    assert_eq!(whole.reads(), parts.reads());
    assert_eq!(whole.is_done(), parts.is_done());
    let (whole, parts) = (whole.finish(BodyEnd::Clean, None), parts.finish(BodyEnd::Clean, None));
    assert_eq!(whole, parts);
    let mut body = Collector::new(api);
    body.whole(1, stream);
    body.finish(BodyEnd::Clean, None);
});
