//! Any bytes as a stream of server-sent events: no panic, and the same reading however the bytes are cut into reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuner_bench::client::{BodyEnd, Collector};

fuzz_target!(|data: &[u8]| {
    let Some((cut, stream)) = data.split_first() else { return };
    let mut whole = Collector::default();
    whole.stream(1, stream);
    let mut parts = Collector::default();
    for part in stream.chunks(usize::from(*cut).max(1)) {
        parts.stream(1, part);
    }
    assert_eq!(whole.text, parts.text);
    assert_eq!(whole.counts, parts.counts);
    assert_eq!(whole.usage, parts.usage);
    let (whole, parts) = (whole.finish(BodyEnd::Clean, None), parts.finish(BodyEnd::Clean, None));
    assert_eq!(whole, parts);
    let mut body = Collector::default();
    body.whole(1, stream);
    body.finish(BodyEnd::Clean, None);
});
