//! The body of an answer as it comes: decompressed where it must be, then followed as a stream or kept as a whole.

use std::io::{self, Write};

use flate2::write::{MultiGzDecoder, ZlibDecoder};

use super::collector::Collector;
use super::connection::Broken;
use super::http1::{Head, Part};
use super::transport::Stamp;

/// Most bytes of an answer that does not stream.
const MAX_BODY: usize = 64 * 1024 * 1024;

enum Inflate {
    Gzip(MultiGzDecoder<Vec<u8>>),
    Deflate(ZlibDecoder<Vec<u8>>),
}

impl Inflate {
    /// What these bytes bring, up to the first that is wrong.
    fn feed(&mut self, bytes: &[u8]) -> (Vec<u8>, io::Result<()>) {
        fn through(decoder: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
            let written = decoder.write_all(bytes);
            // Also hands over what was decompressed before something went wrong.
            let flushed = decoder.flush();
            written.and(flushed)
        }
        match self {
            Self::Gzip(decoder) => {
                let result = through(decoder, bytes);
                (std::mem::take(decoder.get_mut()), result)
            }
            Self::Deflate(decoder) => {
                let result = through(decoder, bytes);
                (std::mem::take(decoder.get_mut()), result)
            }
        }
    }
}

/// An answer's head and body so far.
#[derive(Default)]
pub(super) struct Incoming {
    head: Option<Head>,
    inflate: Option<Inflate>,
    whole: Vec<u8>,
    ended: bool,
    stamp: Stamp,
    problem: Option<String>,
}

impl Incoming {
    /// Takes the next part; events go to `answer`.
    pub(super) fn take(&mut self, part: Part<'_>, at: Stamp, answer: &mut Collector) {
        self.stamp = at;
        match part {
            Part::Head(head) => {
                self.inflate = match head.encoding.as_deref() {
                    None => None,
                    Some("gzip" | "x-gzip") => Some(Inflate::Gzip(MultiGzDecoder::new(Vec::new()))),
                    Some("deflate") => Some(Inflate::Deflate(ZlibDecoder::new(Vec::new()))),
                    Some(other) => {
                        self.problem = Some(format!("the answer is compressed with {other}, which was not asked for"));
                        None
                    }
                };
                self.head = Some(head);
            }
            // Nothing after the first wrong byte means anything.
            Part::Data(_) if self.problem.is_some() => {}
            Part::Data(bytes) => match &mut self.inflate {
                None => self.plain(bytes, answer),
                Some(inflate) => {
                    let (bytes, result) = inflate.feed(bytes);
                    self.plain(&bytes, answer);
                    if let Err(e) = result {
                        self.problem = Some(format!("the answer cannot be decompressed: {e}"));
                    }
                }
            },
            Part::End => self.ended = true,
        }
    }

    /// Takes a part that no longer matters.
    pub(super) fn skip(&mut self, part: Part<'_>) {
        self.ended |= part == Part::End;
    }

    fn plain(&mut self, bytes: &[u8], answer: &mut Collector) {
        if self.streams() {
            answer.stream(self.stamp.at_ns, bytes);
        } else if self.whole.len() + bytes.len() <= MAX_BODY {
            self.whole.extend_from_slice(bytes);
        } else {
            self.problem = Some(format!("the answer is longer than {MAX_BODY} bytes"));
        }
    }

    fn streams(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.events && (200..300).contains(&head.status))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What made it unreadable.
    pub(super) fn problem(&mut self) -> Result<(), Broken> {
        self.problem.take().map_or(Ok(()), |what| Err(("parse", what)))
    }

    /// Status and body of an answer that says no.
    pub(super) fn refusal(&self) -> Option<(u16, &[u8])> {
        let status = self.head.as_ref()?.status;
        (!(200..300).contains(&status)).then_some((status, self.whole.as_slice()))
    }

    pub(super) fn retry_after(&self) -> Option<&str> {
        self.head.as_ref()?.retry_after.as_deref()
    }

    /// An answer that did not stream, with the read that completed it.
    pub(super) fn document(&self) -> Option<(Stamp, &[u8])> {
        (self.head.is_some() && !self.streams()).then_some((self.stamp, self.whole.as_slice()))
    }

    pub(super) fn into_whole(self) -> (u16, Vec<u8>) {
        (self.head.map_or(0, |head| head.status), self.whole)
    }
}
