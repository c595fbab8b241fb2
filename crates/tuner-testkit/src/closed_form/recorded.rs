//! Answers as bytes: what a client would read, for tests and fuzzing that need no server.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::{Case, ClosedForm, Timetable};

/// Tokens of a recorded answer.
pub const RECORDED_TOKENS: u32 = 8;

/// One answer of this shape at this path, head and framing included, for a request of `answers` answers.
///
/// # Errors
/// The server cannot be started or reached.
pub fn recorded(path: &str, case: Case, answers: u32) -> io::Result<Vec<u8>> {
    let gap = Duration::from_micros(10);
    let server = ClosedForm::start(Timetable { first: gap, gap, ..Timetable::quick(case) })?;
    let n = RECORDED_TOKENS;
    let request = json!({
        "prompt": "a b", "max_tokens": n, "max_output_tokens": n, "n_predict": n, "n": answers, "stream": true,
        "sampling_params": { "max_new_tokens": n, "n": answers }, "stream_options": { "include_usage": true },
    })
    .to_string();
    // What every second request gets is the interesting one.
    if matches!(case, Case::EverySecond429 | Case::EverySecond500) {
        ask(&server, path, &request)?;
    }
    ask(&server, path, &request)
}

fn ask(server: &ClosedForm, path: &str, request: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server.address)?;
    write!(stream, "POST {path} HTTP/1.1\r\ncontent-length: {}\r\n\r\n{request}", request.len())?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while !is_whole(&bytes) {
        match stream.read(&mut piece) {
            // Some shapes end so.
            Ok(0) | Err(_) => break,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
    Ok(bytes)
}

fn head_length(bytes: &[u8]) -> Option<usize> {
    Some(bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4)
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(head) = head_length(bytes) else { return false };
    let text = String::from_utf8_lossy(&bytes[..head]);
    match text.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => length.parse().is_ok_and(|length: usize| bytes.len() >= head + length),
        None => bytes[head..].ends_with(b"0\r\n\r\n"),
    }
}

/// The body of a recorded answer, without the chunks' framing; `None` where it is not framed in chunks, or broken off.
pub fn chunks_of(answer: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut body) = (&answer[head_length(answer)?..], Vec::new());
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(line + 2..line + 2 + size)?);
        rest = rest.get(line + 2 + size + 2..)?;
    }
}
