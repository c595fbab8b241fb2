//! The bytes of an answer, cut and ended as the script says, in their own time.
//!
//! *Invariant*: whoever goes away before the end is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use super::say::{Cut, End, Say};

/// What comes after the pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    End,
    Break,
    Hang,
}

/// Counts a client that goes away, unless the answer was whole.
struct Watch {
    gone: Arc<AtomicUsize>,
    over: bool,
}

impl Watch {
    fn settle(&mut self) {
        self.over = true;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.over {
            self.gone.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The body of a streamed answer.
pub(super) fn body(
    say: &Say,
    mut events: Vec<String>,
    error: impl Fn(&serde_json::Value) -> String,
    gone: Arc<AtomicUsize>,
) -> Body {
    let last = match &say.end {
        End::Whole => Last::End,
        End::WithoutLast => {
            events.pop();
            Last::End
        }
        End::Close(after) => {
            events.truncate(*after);
            Last::End
        }
        End::Disconnect(after) => {
            events.truncate(*after);
            Last::Break
        }
        End::Hang(after) => {
            events.truncate(*after);
            Last::Hang
        }
        End::Error(after, value) => {
            events.truncate(*after);
            events.push(error(value));
            Last::End
        }
    };
    pieces(cut(events, &say.cut), say.first_after, say.pause, last, gone)
}

/// These pieces, and a proper end.
pub(super) fn raw(pieces_: Vec<Bytes>, gone: Arc<AtomicUsize>) -> Body {
    pieces(pieces_, Duration::ZERO, Duration::ZERO, Last::End, gone)
}

/// Nothing, until the client goes.
pub(super) async fn hang(gone: Arc<AtomicUsize>) {
    let _watch = Watch { gone, over: false };
    std::future::pending::<()>().await;
}

fn cut(events: Vec<String>, cut: &Cut) -> Vec<Bytes> {
    let at = match cut {
        Cut::Events => return events.into_iter().map(Bytes::from).collect(),
        Cut::Every(size) => (0..).map(|n| n * (*size).max(1)).skip(1).take(100_000).collect(),
        Cut::At(at) => at.clone(),
    };
    let mut rest = Bytes::from(events.concat());
    let (mut pieces, mut done) = (Vec::new(), 0);
    for at in at {
        let size = at.saturating_sub(done).min(rest.len());
        if size > 0 {
            pieces.push(rest.split_to(size));
            done = at;
        }
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn pieces(pieces: Vec<Bytes>, first_after: Duration, pause: Duration, last: Last, gone: Arc<AtomicUsize>) -> Body {
    let watch = Watch { gone, over: false };
    let state = (pieces.into_iter(), first_after, watch);
    Body::from_stream(stream::unfold(state, move |(mut pieces, wait, mut watch)| async move {
        if wait > Duration::ZERO {
            tokio::time::sleep(wait).await;
        }
        match pieces.next() {
            Some(piece) => Some((Ok(piece), (pieces, pause, watch))),
            None if last == Last::Hang => std::future::pending().await,
            None if last == Last::Break && !watch.over => {
                // So that what was written goes out before the connection is torn down.
                tokio::time::sleep(Duration::from_millis(5)).await;
                watch.settle();
                Some((Err(std::io::Error::other("the script breaks the connection")), (pieces, pause, watch)))
            }
            None => {
                watch.settle();
                None
            }
        }
    }))
}
