//! An answer from bytes that were read before, without a connection.
//!
//! *Invariant*: it goes through the same decoder, body and collector as an answer from a socket.

use tuner_core::record::Fate;
use tuner_core::task::Api;

use super::body::Incoming;
use super::collector::Collector;
use super::http1::Decoder;
use super::send::Exchange;
use super::transport::Stamp;

/// Reads an HTTP/1.1 answer that came in these reads, after which the connection was closed. `exact_output`: the length
/// that the engine was told to reach exactly.
pub fn replay<'a>(api: Api, reads: impl IntoIterator<Item = &'a [u8]>, exact_output: Option<u32>) -> (Collector, Fate) {
    let mut seen = Exchange::new(api);
    let mut incoming = Incoming::default();
    let mut decoder = Decoder::new();
    decoder.expect_answer();
    let at = Stamp { at_ns: 1, delay_ns: None };
    let mut result = Ok(());
    for bytes in reads {
        let answer = &mut seen.answer;
        let pushed = decoder.push(bytes, &mut |part| incoming.take(part, at, answer));
        result = pushed.map_err(|what| ("parse", what)).and_then(|()| incoming.problem());
        if result.is_err() || incoming.has_ended() || seen.answer.is_done() {
            break;
        }
    }
    if result.is_ok() && !incoming.has_ended() && !seen.answer.is_done() {
        let answer = &mut seen.answer;
        result = decoder.end(&mut |part| incoming.take(part, at, answer)).map_err(|what| ("cut", what));
    }
    seen.conclude(result, &incoming);
    let fate = seen.answer.finish(seen.end, exact_output);
    (seen.answer, fate)
}
