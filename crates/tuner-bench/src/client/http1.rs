//! HTTP/1.1 answers from bytes.
//!
//! *Invariant*: the parts are a function of the bytes alone, wherever reads cut them. Data is handed over where it lies
//! in the read, never copied.

/// Longest head of an answer.
const MAX_HEAD: usize = 64 * 1024;
/// Most headers of an answer.
const MAX_HEADERS: usize = 128;

/// What the head of an answer says, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The body is a stream of events.
    pub(crate) events: bool,
    /// How the body is compressed, if it is.
    pub(crate) encoding: Option<String>,
    /// How long the server asks to be left alone.
    pub(crate) retry_after: Option<String>,
}

impl Head {
    /// Takes one header, its name in lower case.
    pub(crate) fn take(&mut self, name: &str, value: &[u8]) {
        let text = || String::from_utf8_lossy(value).trim().to_ascii_lowercase();
        match name {
            "content-type" => self.events = text().starts_with("text/event-stream"),
            "content-encoding" => self.encoding = Some(text()).filter(|t| !t.is_empty() && t != "identity"),
            "retry-after" => self.retry_after = Some(text()),
            _ => {}
        }
    }
}

/// Part of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Head(Head),
    Data(&'a [u8]),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// That much is left.
    Length(u64),
    /// In the line that gives the size of the next chunk: size so far, digits so far, whether its digits are over.
    Size(u64, u8, bool),
    /// That much of a chunk is left.
    Chunk(u64),
    /// In the line end after a chunk.
    ChunkEnd,
    /// After the last chunk; whether the current line is empty so far.
    Trailers(bool),
    UntilClose,
    Done,
}

/// Reads the answers of one connection, one after another.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    head: Vec<u8>,
    keep: bool,
    begun: bool,
}

impl Decoder {
    /// Before anything was asked.
    pub(crate) fn new() -> Self {
        Self { state: State::Done, head: Vec::new(), keep: true, begun: false }
    }

    /// A request goes out.
    pub(crate) fn expect_answer(&mut self) {
        self.state = State::Head;
        self.begun = false;
    }

    /// Whether another request can go out on the same connection.
    pub(crate) fn can_go_on(&self) -> bool {
        self.state == State::Done && self.keep
    }

    /// Whether a byte of the answer came.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// They are not HTTP/1.1, in words.
    pub(crate) fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Part<'_>)) -> Result<(), String> {
        self.begun |= !bytes.is_empty();
        while !bytes.is_empty() {
            match self.state {
                State::Head => bytes = self.read_head(bytes, sink)?,
                State::Length(left) | State::Chunk(left) => {
                    let take = left.min(bytes.len() as u64);
                    let (data, rest) = bytes.split_at(take as usize);
                    sink(Part::Data(data));
                    bytes = rest;
                    let left = left - take;
                    self.state = match self.state {
                        State::Length(_) if left == 0 => {
                            sink(Part::End);
                            State::Done
                        }
                        State::Length(_) => State::Length(left),
                        _ if left == 0 => State::ChunkEnd,
                        _ => State::Chunk(left),
                    };
                }
                State::UntilClose => {
                    sink(Part::Data(bytes));
                    bytes = &[];
                }
                State::Done => {
                    // What follows an answer that nobody asked for makes the connection useless, not the answer wrong.
                    self.keep = false;
                    bytes = &[];
                }
                State::Size(..) | State::ChunkEnd | State::Trailers(_) => {
                    self.framing(bytes[0], sink)?;
                    bytes = &bytes[1..];
                }
            }
        }
        Ok(())
    }

    /// One byte between chunks.
    fn framing(&mut self, byte: u8, sink: &mut impl FnMut(Part<'_>)) -> Result<(), String> {
        self.state = match self.state {
            State::Size(size, digits, over) => match byte {
                b'\n' if digits == 0 => return Err("a chunk without a size".to_owned()),
                b'\n' if size == 0 => State::Trailers(true),
                b'\n' => State::Chunk(size),
                _ if over => State::Size(size, digits, true),
                _ => match char::from(byte).to_digit(16) {
                    Some(_) if digits == 15 => return Err("a chunk of impossible size".to_owned()),
                    Some(digit) => State::Size(size * 16 + u64::from(digit), digits + 1, false),
                    None if matches!(byte, b'\r' | b';' | b' ' | b'\t') => State::Size(size, digits, true),
                    None => return Err(format!("a chunk's size holds the byte {byte:#04x}")),
                },
            },
            State::ChunkEnd => match byte {
                b'\r' => State::ChunkEnd,
                b'\n' => State::Size(0, 0, false),
                _ => return Err("a chunk is longer than its size".to_owned()),
            },
            State::Trailers(empty) => match byte {
                b'\n' if empty => {
                    sink(Part::End);
                    State::Done
                }
                b'\n' => State::Trailers(true),
                b'\r' => State::Trailers(empty),
                _ => State::Trailers(false),
            },
            other => other,
        };
        Ok(())
    }

    /// The connection ended.
    ///
    /// # Errors
    /// The answer had not.
    pub(crate) fn end(&mut self, sink: &mut impl FnMut(Part<'_>)) -> Result<(), String> {
        self.keep = false;
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                sink(Part::End);
                Ok(())
            }
            State::Head if !self.begun => Err("connection closed before an answer".to_owned()),
            _ => Err("connection closed before the answer was complete".to_owned()),
        }
    }

    /// Takes bytes of the head; what is left of them once it is complete.
    fn read_head<'b>(&mut self, bytes: &'b [u8], sink: &mut impl FnMut(Part<'_>)) -> Result<&'b [u8], String> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(&self.head).map_err(|e| e.to_string())? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial if self.head.len() > MAX_HEAD => {
                return Err(format!("a head of more than {MAX_HEAD} bytes"));
            }
            httparse::Status::Partial => return Ok(&[]),
        };
        let mut head = Head { status: response.code.unwrap_or(0), ..Head::default() };
        self.keep = response.version == Some(1);
        let (mut state, mut chunked) = (State::UntilClose, false);
        for header in response.headers.iter() {
            let name = header.name.to_ascii_lowercase();
            let has = |word: &[u8]| header.value.to_ascii_lowercase().windows(word.len()).any(|w| w == word);
            match name.as_str() {
                "transfer-encoding" => chunked |= has(b"chunked"),
                "content-length" => {
                    let text = std::str::from_utf8(header.value).unwrap_or("").trim();
                    let length = text.parse().map_err(|_| format!("content-length is {text:?}"))?;
                    state = if length == 0 { State::Done } else { State::Length(length) };
                }
                "connection" if has(b"close") => self.keep = false,
                "connection" if has(b"keep-alive") => self.keep = true,
                _ => head.take(&name, header.value),
            }
        }
        if chunked {
            state = State::Size(0, 0, false);
        }
        let informational = (100..200).contains(&head.status) && head.status != 101;
        if matches!(head.status, 204 | 304) {
            state = State::Done;
        }
        let rest = &bytes[length - before..];
        self.head.clear();
        if informational {
            // The real one follows.
            return Ok(rest);
        }
        self.keep &= state != State::UntilClose;
        self.state = state;
        sink(Part::Head(head));
        if state == State::Done {
            sink(Part::End);
        }
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts as text, with adjacent data joined; the state after them.
    fn read(pieces: &[&[u8]]) -> (String, Result<bool, String>) {
        let mut decoder = Decoder::new();
        decoder.expect_answer();
        let (mut data, mut head, mut ended) = (Vec::new(), String::new(), false);
        let mut sink = |part: Part<'_>| match part {
            Part::Head(h) => head = format!("{}{}", h.status, if h.events { " events" } else { "" }),
            Part::Data(bytes) => data.extend_from_slice(bytes),
            Part::End => ended = true,
        };
        let mut result = Ok(());
        for piece in pieces {
            result = result.and_then(|()| decoder.push(piece, &mut sink));
        }
        let end = result.and_then(|()| if ended { Ok(()) } else { decoder.end(&mut |_| ()) });
        let text = format!("{head}|{}|{ended}", String::from_utf8_lossy(&data));
        (text, end.map(|()| decoder.can_go_on()))
    }

    const CORPUS: &[(&str, &str, bool)] = &[
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "200|hello|true", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", "204||true", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200||true", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, good day\r\n0\r\n\r\n",
            "200 events|hello, good day|true",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\ntrailer: x\r\n\r\n",
            "200|abc|true",
            true,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
            "200|ok|true",
            false,
        ),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", "200|until the end|false", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 400 Bad\r\n", "200|ok|true", false),
    ];

    #[test]
    fn every_byte_split_of_an_answer_gives_the_same_parts() {
        for (text, expected, keep) in CORPUS {
            let bytes = text.as_bytes();
            for i in 0..=bytes.len() {
                for j in [i, bytes.len(), (i + bytes.len()) / 2] {
                    let (seen, state) = read(&[&bytes[..i], &bytes[i..j], &bytes[j..]]);
                    assert!(seen.starts_with(expected), "{text:?} at {i}, {j}: {seen}");
                    assert_eq!(state, Ok(*keep), "{text:?} at {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn broken_framing_is_an_error() {
        let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}");
        for text in [
            "HTTP/9 200\r\n\r\n".to_owned(),
            "nonsense\r\n\r\n".to_owned(),
            chunked("x\r\n"),
            chunked("\r\n"),
            chunked("2\r\nabc\r\n"),
            chunked("fffffffffffffffff\r\n"),
            chunked("5\r\nab"),
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab".to_owned(),
            "HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\n".to_owned(),
            String::new(),
        ] {
            assert!(read(&[text.as_bytes()]).1.is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_head_says_what_the_body_is() {
        let mut decoder = Decoder::new();
        decoder.expect_answer();
        let mut seen = None;
        let text = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Encoding: GZIP\r\ncontent-length: 0\r\n\r\n";
        decoder
            .push(text, &mut |part| {
                if let Part::Head(head) = part {
                    seen = Some(head)
                }
            })
            .unwrap();
        let expected =
            Head { status: 429, events: false, encoding: Some("gzip".to_owned()), retry_after: Some("7".to_owned()) };
        assert_eq!(seen, Some(expected));
    }
}
