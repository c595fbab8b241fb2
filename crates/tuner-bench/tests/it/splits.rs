//! The bytes of every shape of stream give the same reading wherever reads cut them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use serde_json::json;
use tuner_bench::client::{BodyEnd, Collector};
use tuner_core::record::Fate;
use tuner_core::task::Api;
use tuner_testkit::closed_form::{Case, ClosedForm, Timetable};

/// Shapes whose body is plain text.
const CASES: [Case; 20] = [
    Case::Clean,
    Case::RoleFirst,
    Case::ErrorEvent,
    Case::Truncated,
    Case::Crlf,
    Case::NoSpace,
    Case::Utf8Split,
    Case::TokensPerEvent,
    Case::EventsPerWrite,
    Case::Reasoning,
    Case::Pings,
    Case::NoUsage,
    Case::ContinuousUsage,
    Case::EmptyEvents,
    Case::NoDone,
    Case::NoTokens,
    Case::Short,
    Case::Garbage,
    Case::ToolCalls,
    Case::Stall,
];

/// The body of one answer: what lies between the head and the end of the connection, without the chunks' framing.
fn body(api: Api, case: Case, answers: u32) -> Vec<u8> {
    let gap = Duration::from_micros(10);
    let server = ClosedForm::start(Timetable { first: gap, gap, ..Timetable::quick(case) }).unwrap();
    let sampling = json!({ "max_new_tokens": 8, "n": answers });
    let request = json!({
        "prompt": "a b", "max_tokens": 8, "max_output_tokens": 8, "n_predict": 8, "n": answers, "stream": true,
        "sampling_params": sampling, "stream_options": { "include_usage": true },
    })
    .to_string();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let path = tuner_bench::protocol::path(api);
    write!(stream, "POST {path} HTTP/1.1\r\ncontent-length: {}\r\n\r\n{request}", request.len()).unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.ends_with(b"0\r\n\r\n") {
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "{api:?} {case:?}: the answer broke off");
        bytes.extend_from_slice(&piece[..n]);
    }
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let (mut rest, mut body) = (&bytes[head..], Vec::new());
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

/// Everything that a collector says about a stream. All reads have one time, so that only the bytes matter.
fn reading<'a>(api: Api, pieces: impl Iterator<Item = &'a [u8]>) -> (String, Fate) {
    let mut collector = Collector::new(api);
    for piece in pieces {
        collector.stream(1, piece);
    }
    let fate = collector.finish(BodyEnd::Clean, Some(8));
    let said = format!(
        "{:?} {:?} {:?} {:?} {:?} {}",
        collector.reads(),
        collector.counts,
        collector.usage,
        collector.first_answer_ns,
        collector.is_done(),
        collector.text
    );
    (said, fate)
}

fn every_split_reads_the_same(api: Api, case: Case, answers: u32) {
    let bytes = body(api, case, answers);
    let whole = reading(api, std::iter::once(bytes.as_slice()));
    for at in 0..=bytes.len() {
        let split = reading(api, [&bytes[..at], &bytes[at..]].into_iter());
        assert_eq!(split, whole, "{api:?} {case:?} cut at {at} of {}", bytes.len());
    }
    assert_eq!(reading(api, bytes.chunks(1)), whole, "{api:?} {case:?} byte by byte");
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    for round in 0..50 {
        let longest = rng.random_range(1..200);
        let (mut pieces, mut rest) = (Vec::new(), bytes.as_slice());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rng.random_range(1..=longest).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(reading(api, pieces.into_iter()), whole, "{api:?} {case:?} in pieces, round {round}");
    }
}

#[test]
fn chats_read_the_same_at_every_split() {
    for case in CASES {
        every_split_reads_the_same(Api::Chat, case, 1);
    }
}

#[test]
fn several_answers_read_the_same_at_every_split() {
    for api in [Api::Chat, Api::Completions, Api::SglangGenerate] {
        for case in [Case::Clean, Case::ContinuousUsage] {
            every_split_reads_the_same(api, case, 3);
        }
    }
}

#[test]
fn other_protocols_read_the_same_at_every_split() {
    for api in [Api::Completions, Api::Responses, Api::Anthropic, Api::SglangGenerate, Api::LlamacppCompletion] {
        for case in [Case::Clean, Case::ErrorEvent, Case::Truncated, Case::Crlf, Case::EventsPerWrite, Case::Reasoning]
        {
            every_split_reads_the_same(api, case, 1);
        }
    }
}
