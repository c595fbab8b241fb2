//! One connection: its requests one after another.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;

use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::answer::Answer;
use super::form::Form;
use super::{Served, State, clock, lock, monotonic_ns};

/// Both ways of a connection.
pub(super) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

pub(super) fn serve(tcp: &TcpStream, state: &State) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    clock::sleep_exactly();
    let Some(config) = &state.tls else { return requests(&mut &*tcp, tcp, state) };
    let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(session, tcp);
    let result = requests(&mut stream, tcp, state);
    stream.conn.send_close_notify();
    // The client may be gone already.
    let _ = stream.flush();
    result
}

fn requests(stream: &mut dyn Stream, tcp: &TcpStream, state: &State) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(Request { head, path, body }) = next(stream, &mut buffer)? {
        let received_ns = monotonic_ns();
        let form = Form::of(&path);
        let keep = match path.as_str() {
            "/v1/models" => {
                let models = json!({ "object": "list", "data": [{ "id": "closed-form", "object": "model" }] });
                plain(stream, 200, "", &models)?
            }
            "/tokenize" => {
                let text = body.get("prompt").or(body.get("content")).and_then(Value::as_str).unwrap_or("");
                let tokens: Vec<usize> = (0..text.split_whitespace().count()).collect();
                plain(stream, 200, "", &json!({ "count": tokens.len(), "tokens": tokens }))?
            }
            "/props" => plain(stream, 200, "", &json!({ "media_marker": "<__media_7__>" }))?,
            "/served" => {
                let writes: Vec<Vec<u64>> =
                    lock(&state.log).iter().map(|s| s.writes.iter().map(|(at, _)| *at).collect()).collect();
                plain(stream, 200, "", &json!(writes))?
            }
            _ => match form {
                Some(form) => {
                    let number = state.requests.fetch_add(1, Ordering::Relaxed);
                    let first = state.begun_ns.compare_exchange(0, received_ns, Ordering::Relaxed, Ordering::Relaxed);
                    let begun_ns = first.map_or_else(|begun| begun, |_| received_ns);
                    let prompt = form.prompt(&body);
                    {
                        let mut log = lock(&state.log);
                        let number = number as usize;
                        if log.len() <= number {
                            log.resize_with(number + 1, Served::default);
                        }
                        log[number] = Served { prompt, body: body.clone(), head, received_ns, ..Served::default() };
                    }
                    state.in_flight.fetch_add(1, Ordering::Relaxed);
                    let answer = Answer::new(stream, tcp, state, form, &body, number, received_ns, begun_ns);
                    let sent = answer.send();
                    state.in_flight.fetch_sub(1, Ordering::Relaxed);
                    sent?
                }
                None => plain(stream, 404, "", &json!({ "error": { "message": "no such path" } }))?,
            },
        };
        if !keep {
            break;
        }
    }
    Ok(())
}

/// Writes a whole JSON answer with further header lines; whether the connection can be kept.
pub(super) fn plain(stream: &mut dyn Stream, status: u16, headers: &str, value: &Value) -> io::Result<bool> {
    let body = value.to_string();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    stream.flush()?;
    Ok(true)
}

struct Request {
    head: String,
    path: String,
    body: Value,
}

/// The next request; `None` when the client is gone.
fn next(stream: &mut dyn Stream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length:"))
                .and_then(|v| v.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let path = head.split(' ').nth(1).unwrap_or("").to_owned();
                let body = serde_json::from_slice(&buffer[end + 4..end + 4 + length]).unwrap_or(Value::Null);
                buffer.drain(..end + 4 + length);
                return Ok(Some(Request { head, path, body }));
            }
        }
        let n = stream.read(&mut piece)?;
        if n == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&piece[..n]);
    }
}
