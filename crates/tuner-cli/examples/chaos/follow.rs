//! A client that follows the events over everything that happens to its connection and to the server.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use futures::StreamExt;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::watch;

use crate::record::Record;

/// A stream says something at least every 15 s.
const SILENCE: Duration = Duration::from_secs(25);
const AGAIN: Duration = Duration::from_millis(100);

/// What a client saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Numbers in the order in which they came.
    pub(crate) numbers: Vec<i64>,
    /// How often it had to come back.
    pub(crate) connections: u32,
}

/// Follows until `last` names a number and that was seen.
pub(crate) async fn follow(address: SocketAddr, last: watch::Receiver<Option<i64>>, record: Record) -> Result<Seen> {
    let client = Client::builder().no_proxy().connect_timeout(Duration::from_secs(2)).build()?;
    let mut seen = Seen::default();
    loop {
        let until = *last.borrow();
        if until.is_some_and(|until| seen.numbers.last().is_some_and(|at| *at >= until)) {
            return Ok(seen);
        }
        seen.connections += 1;
        if let Err(error) = once(&client, address, &last, &mut seen).await {
            record.say(format!("the stream of events ended after {:?}: {error:#}", seen.numbers.last()));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Reads one stream to its end.
async fn once(
    client: &Client,
    address: SocketAddr,
    last: &watch::Receiver<Option<i64>>,
    seen: &mut Seen,
) -> Result<()> {
    let mut request = client.get(format!("http://{address}/api/events?after=0"));
    if let Some(number) = seen.numbers.last() {
        request = request.header("last-event-id", number.to_string());
    }
    let answer = tokio::time::timeout(SILENCE, request.send()).await??;
    if !answer.status().is_success() {
        bail!("answered with {}", answer.status());
    }
    let mut bytes = answer.bytes_stream();
    let mut text = Vec::new();
    while let Some(piece) = tokio::time::timeout(SILENCE, bytes.next()).await? {
        text.extend_from_slice(&piece?);
        while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = text.drain(..end + 2).collect();
            if let Some(number) = number(&String::from_utf8_lossy(&event))? {
                seen.numbers.push(number);
            }
        }
        if last.borrow().is_some_and(|until| seen.numbers.last().is_some_and(|at| *at >= until)) {
            return Ok(());
        }
    }
    bail!("the server ended it")
}

/// The number of an event, which its id and its data agree on; none of a comment.
fn number(event: &str) -> Result<Option<i64>> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let Some(id) = field("id:") else { return Ok(None) };
    let data: Value = serde_json::from_str(field("data:").unwrap_or_default())?;
    let id: i64 = id.parse()?;
    if data["seq"] != id {
        bail!("the event with id {id} says {}", data["seq"]);
    }
    Ok(Some(id))
}
