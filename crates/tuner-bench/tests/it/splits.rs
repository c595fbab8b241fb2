//! The bytes of every shape of stream give the same reading wherever reads cut them.

use rand::{RngExt, SeedableRng};
use tuner_bench::client::{BodyEnd, Collector, replay};
use tuner_core::record::Fate;
use tuner_core::task::Api;
use tuner_testkit::closed_form::{Case, RECORDED_TOKENS, chunks_of, recorded};

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
    chunks_of(&recorded(tuner_bench::protocol::path(api), case, answers).unwrap()).unwrap()
}

/// Everything that a collector says about a stream. All reads have one time, so that only the bytes matter.
fn reading<'a>(api: Api, pieces: impl Iterator<Item = &'a [u8]>) -> (String, Fate) {
    let mut collector = Collector::new(api);
    for piece in pieces {
        collector.stream(1, piece);
    }
    let fate = collector.finish(BodyEnd::Clean, Some(RECORDED_TOKENS));
    (said(&collector), fate)
}

fn said(collector: &Collector) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {}",
        collector.reads(),
        collector.counts,
        collector.usage,
        collector.first_answer_ns,
        collector.is_done(),
        collector.text
    )
}

fn every_split_reads_the_same(api: Api, case: Case, answers: u32) {
    let bytes = body(api, case, answers);
    agree(&bytes, &format!("{api:?} {case:?}"), |pieces| reading(api, pieces.iter().copied()));
}

fn agree(bytes: &[u8], what: &str, reading: impl Fn(&[&[u8]]) -> (String, Fate)) {
    let whole = reading(&[bytes]);
    for at in 0..=bytes.len() {
        assert_eq!(reading(&[&bytes[..at], &bytes[at..]]), whole, "{what} cut at {at} of {}", bytes.len());
    }
    assert_eq!(reading(&bytes.chunks(1).collect::<Vec<_>>()), whole, "{what} byte by byte");
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    for round in 0..50 {
        let longest = rng.random_range(1..200);
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rng.random_range(1..=longest).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(reading(&pieces), whole, "{what} in pieces, round {round}");
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

#[test]
fn answers_with_their_head_and_framing_read_the_same_at_every_split() {
    for case in Case::ALL.into_iter().filter(|case| *case != Case::HugeEvents) {
        let bytes = recorded("/v1/chat/completions", case, 1).unwrap();
        agree(&bytes, &format!("{case:?} with its head"), |pieces| {
            let (collector, fate) = replay(Api::Chat, pieces.iter().copied(), Some(RECORDED_TOKENS));
            (said(&collector), fate)
        });
    }
}

/// Found by fuzzing: what came in one read with the head was counted, and what came later was not.
#[test]
fn an_answer_in_an_encoding_that_was_not_asked_for_holds_nothing_however_it_is_cut() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: br\r\n\r\n";
    let bytes = format!("{head}data: {{}}\n\ndata: nothing\n\n").into_bytes();
    agree(&bytes, "an unknown encoding", |pieces| {
        let (collector, fate) = replay(Api::Chat, pieces.iter().copied(), None);
        assert_eq!(collector.counts.unparsed, 0);
        (said(&collector), fate)
    });
}

/// Found by fuzzing: what one read brought before the wrong byte was lost.
#[test]
fn a_compressed_answer_that_breaks_gives_what_came_before_however_it_is_cut() {
    let mut bytes = recorded("/v1/chat/completions", Case::Gzip, 1).unwrap();
    let at = bytes.len() * 2 / 3;
    bytes[at] ^= 0xff;
    agree(&bytes, "a broken gzip body", |pieces| {
        let (collector, fate) = replay(Api::Chat, pieces.iter().copied(), Some(RECORDED_TOKENS));
        let Fate::Failed { class, .. } = fate else { panic!("{fate:?}") };
        // The words tell what the decoder saw last.
        (said(&collector), Fate::Failed { class, message: String::new() })
    });
}
