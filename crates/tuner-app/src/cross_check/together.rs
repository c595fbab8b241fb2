//! Both sides of a pair at the same time, half of the requests in flight each.
//!
//! *Invariant*: both go through a door of their own, so that what a door adds is on both sides; ours begins when all of
//! the tool's streams have asked for something. In every other round the tool's first requests wait until ours have
//! passed. What an engine does at some moment, it does to both; each is a part of the other's load.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::watch;
use tuner_bench::BenchRequest;
use tuner_bench::peers::{self, Gate, PeerLoad, PeerRun};

use super::{CrossCheck, CrossCheckError, OurRun, Ours, Peer, our_run};

/// Where both sides go through.
pub(super) struct Doors {
    /// Host and port of the endpoint, and what follows them in its address.
    upstream: String,
    path: String,
    streams: u32,
    ours: Gate,
}

impl Doors {
    pub(super) async fn open(url: &str, streams: u32) -> Result<Self, CrossCheckError> {
        let plain = || CrossCheckError::NotPlain { url: url.to_owned() };
        let rest = url.strip_prefix("http://").ok_or_else(plain)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let upstream = if has_port { host.to_owned() } else { format!("{host}:80") };
        let ours = Gate::open(upstream.clone(), streams, None).await.map_err(CrossCheckError::NoDoor)?;
        Ok(Self { upstream, path: path.to_owned(), streams, ours })
    }

    /// The same request, through our door.
    pub(super) fn through(&self, bench: &BenchRequest) -> BenchRequest {
        let mut bench = bench.clone();
        bench.target.base_url = format!("{}{}", self.ours.url(), self.path);
        bench
    }

    /// One pair; `None` where it was cut off.
    pub(super) async fn side_by_side(
        &self,
        ours: Ours<'_>,
        Peer { tool, launcher }: &Peer,
        load: PeerLoad<'_>,
        place: &Path,
        mut cancel: watch::Receiver<bool>,
        check: &mut CrossCheck,
    ) -> Result<Option<(OurRun, PeerRun)>, CrossCheckError> {
        let ours_first = ours.round % 2 == 1;
        let (come, there) = watch::channel(false);
        let theirs = Gate::open(self.upstream.clone(), self.streams, ours_first.then_some(there)).await;
        let theirs = theirs.map_err(CrossCheckError::NoDoor)?;
        let url = format!("{}{}", theirs.url(), self.path);
        let (begun, (stop, stopped)) = (AtomicBool::new(false), watch::channel(false));
        let tool_run = async {
            let run = peers::run(*tool, launcher, &PeerLoad { url: &url, ..load }, place, ours.request.limit).await;
            if run.is_err() || !begun.load(Relaxed) {
                stop.send_replace(true);
            }
            run
        };
        let (mut given_up, mut let_go) = (stopped.clone(), stopped.clone());
        let begin = async {
            tokio::select! {
                () = theirs.full() => begun.store(true, Relaxed),
                _ = given_up.wait_for(|stop| *stop) => {}
            }
        };
        let let_them_in = async {
            tokio::select! {
                () = self.ours.full() => { come.send_replace(true); }
                _ = let_go.wait_for(|stop| *stop) => {}
            }
        };
        let both = async { tokio::join!(tool_run, our_run(ours, begin, &stopped, check), let_them_in) };
        let (theirs, ours, ()) = tokio::select! {
            both = both => both,
            Ok(_) = cancel.wait_for(|stop| *stop) => {
                check.cancelled = true;
                return Ok(None);
            }
        };
        // Ours is cut off where the tool failed; then that is what there is to say.
        let theirs = theirs?;
        if !begun.load(Relaxed) {
            return Err(CrossCheckError::NeverTogether { tool: *tool, streams: self.streams });
        }
        Ok(ours?.map(|ours| (ours, theirs)))
    }
}
