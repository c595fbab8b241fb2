//! Server-sent events from bytes, as the WHATWG standard reads them.
//!
//! *Invariant*: the events are a function of the bytes alone, wherever reads cut them: inside a line end, a field
//! name or a UTF-8 character. Bytes are never converted to text here.

use memchr::memchr2;

/// What the stream held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line that began with a colon (servers send them as heart-beats).
    Comment,
    /// A dispatched event.
    Event {
        /// Its `event:` field; empty if it had none.
        name: &'a [u8],
        /// Its `data:` lines, joined by line feeds.
        data: &'a [u8],
    },
}

/// The parser's state between reads.
#[derive(Debug, Default)]
pub struct Parser {
    /// Part of a line whose end has not come.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_cr: bool,
    /// Something was read, so a byte order mark can no longer come.
    begun: bool,
    data: Vec<u8>,
    has_data: bool,
    name: Vec<u8>,
}

impl Parser {
    /// Reads the next bytes and hands over what they complete.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
            bytes = &bytes[1..];
        }
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            if self.line.is_empty() {
                if let Some((data, length)) = self.whole_event(bytes, end) {
                    sink(Item::Event { name: &self.name, data });
                    self.name.clear();
                    bytes = &bytes[length..];
                    continue;
                }
                self.read_line(&bytes[..end], sink);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&bytes[..end]);
                self.read_line(&line, sink);
                line.clear();
                self.line = line;
            }
            let cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if cr {
                match bytes.first() {
                    Some(b'\n') => bytes = &bytes[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
        }
        self.line.extend_from_slice(bytes);
    }

    /// The data of an event that lies in `bytes` as one line (which ends at `end`) and its blank line, with the length
    /// of both: what nearly every event looks like. It is handed over where it lies.
    #[inline]
    fn whole_event<'b>(&self, bytes: &'b [u8], end: usize) -> Option<(&'b [u8], usize)> {
        if self.has_data || !self.begun {
            return None;
        }
        let value = bytes[..end].strip_prefix(b"data:")?;
        let ends: &[u8] = if bytes[end] == b'\n' { b"\n\n" } else { b"\r\n\r\n" };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        bytes[end..].starts_with(ends).then_some((value, end + ends.len()))
    }

    /// Ends the stream. The standard discards an event that no blank line ended; it is handed over here, because
    /// some servers end with `data: [DONE]` and close, and the caller can tell it from a truncated one.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.read_line(&line, sink);
        }
        self.read_line(b"", sink);
    }

    fn read_line(&mut self, mut line: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            if self.has_data {
                sink(Item::Event { name: &self.name, data: &self.data });
            }
            self.data.clear();
            self.has_data = false;
            self.name.clear();
            return;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(0) => return sink(Item::Comment),
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut seen = Vec::new();
        let mut sink = |item: Item<'_>| {
            seen.push(match item {
                Item::Comment => "comment".to_owned(),
                Item::Event { name, data } => {
                    format!("{}|{}", String::from_utf8_lossy(name), String::from_utf8_lossy(data))
                }
            });
        };
        for piece in pieces {
            parser.push(piece, &mut sink);
        }
        parser.finish(&mut sink);
        seen
    }

    /// Shapes that real servers send, and those of the standard's own examples.
    const CORPUS: &[(&str, &[&str])] = &[
        ("data: {\"a\":1}\n\ndata: [DONE]\n\n", &["|{\"a\":1}", "|[DONE]"]),
        ("data:{\"a\":1}\r\n\r\ndata:[DONE]\r\n\r\n", &["|{\"a\":1}", "|[DONE]"]),
        ("data: x\r\rdata: y\r\r", &["|x", "|y"]),
        (": ping\n\n: ping\r\n\r\ndata: ä漢🙂\n\n", &["comment", "comment", "|ä漢🙂"]),
        ("event: error\ndata: {\"message\":\"x\"}\n\n", &["error|{\"message\":\"x\"}"]),
        ("data: YHOO\ndata: +2\ndata: 10\n\n", &["|YHOO\n+2\n10"]),
        ("data\n\ndata\ndata\n\ndata:", &["|", "|\n", "|"]),
        ("data:test\n\ndata: test\n\n", &["|test", "|test"]),
        ("data:  two spaces\n\n", &["| two spaces"]),
        ("\u{feff}data: marked\n\n", &["|marked"]),
        ("id: 7\nretry: 10\nunknown\ndata: kept\n\n", &["|kept"]),
        ("event: lonely\n\ndata: after\n\n", &["|after"]),
        ("data: no blank line at the end", &["|no blank line at the end"]),
        ("\n\n\r\n\rdata: late\n\n\n\n", &["|late"]),
        ("data: a:b: c\n\n", &["|a:b: c"]),
    ];

    #[test]
    fn the_corpus_reads_as_the_standard_says() {
        for (text, expected) in CORPUS {
            assert_eq!(parse(&[text.as_bytes()]), *expected, "{text:?}");
        }
    }

    #[test]
    fn every_byte_split_of_the_corpus_gives_the_same_events() {
        for (text, expected) in CORPUS {
            let bytes = text.as_bytes();
            for i in 0..=bytes.len() {
                for j in i..=bytes.len() {
                    assert_eq!(parse(&[&bytes[..i], &bytes[i..j], &bytes[j..]]), *expected, "{text:?} at {i}, {j}");
                }
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(parse(&single), *expected, "{text:?} byte by byte");
        }
    }

    #[test]
    fn an_event_is_handed_over_as_soon_as_its_blank_line_is_there() {
        let mut parser = Parser::default();
        let mut count = 0;
        parser.push(b"data: x\r\n\r", &mut |_| count += 1);
        assert_eq!(count, 1);
        parser.push(b"\n", &mut |_| count += 1);
        assert_eq!(count, 1);
    }

    fn pieces() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
        let word = prop::sample::select(vec![
            "data:",
            "data: ",
            "event: error",
            ":",
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "[DONE]",
            "{\"a\":\"ä\"}",
            "\u{feff}",
            "id: 1",
            "🙂",
            " ",
        ]);
        let structured = prop::collection::vec(word, 0..40).prop_map(|w| w.concat().into_bytes());
        let bytes = prop_oneof![structured, prop::collection::vec(any::<u8>(), 0..200)];
        bytes.prop_flat_map(|bytes| {
            let n = bytes.len();
            (Just(bytes), prop::collection::vec(0..=n, 0..8))
        })
    }

    proptest! {
        #[test]
        fn any_bytes_at_any_splits_give_the_same_events_and_no_panic((bytes, mut cuts) in pieces()) {
            cuts.push(0);
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let split: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(parse(&split), parse(&[&bytes]));
        }
    }
}
