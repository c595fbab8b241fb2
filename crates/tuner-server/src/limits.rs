//! How much one client may ask.
//!
//! *Invariant*: whoever is on this machine is not counted; what it can ask for here it could do without us.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Limits of the door.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests that one client on the network may make in a second, on average.
    pub requests_per_second: NonZeroU32,
    /// And at once.
    pub burst: NonZeroU32,
    /// Wrong tokens that one address may send in a minute.
    pub wrong_tokens_per_minute: NonZeroU32,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Bytes of a data set that is sent.
    pub upload_bytes: u64,
    /// Time for that.
    pub upload: Duration,
    /// Time for a request that does not stream.
    pub request: Duration,
    /// Time for the head of a request to arrive.
    pub head: Duration,
    /// Connections at the same time.
    pub connections: usize,
    /// Event streams at the same time.
    pub streams: usize,
    /// How long an answer is kept for its idempotency key.
    pub keep_answers: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: NonZeroU32::MIN.saturating_add(49),
            burst: NonZeroU32::MIN.saturating_add(199),
            wrong_tokens_per_minute: NonZeroU32::MIN.saturating_add(9),
            body_bytes: 1 << 20,
            upload_bytes: 2 << 30,
            upload: Duration::from_secs(1800),
            request: Duration::from_secs(30),
            head: Duration::from_secs(15),
            connections: 4096,
            streams: 2048,
            keep_answers: Duration::from_secs(24 * 3600),
        }
    }
}

/// Counts what clients ask.
pub(crate) struct Gate {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    wrong_tokens: DefaultKeyedRateLimiter<IpAddr>,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            requests: RateLimiter::keyed(Quota::per_second(limits.requests_per_second).allow_burst(limits.burst)),
            wrong_tokens: RateLimiter::keyed(Quota::per_minute(limits.wrong_tokens_per_minute)),
        }
    }

    /// Lets a request in, or says how long to wait.
    pub(crate) fn request(&self, peer: IpAddr) -> Result<(), Duration> {
        if peer.is_loopback() {
            return Ok(());
        }
        if self.requests.len() > 10_000 {
            self.requests.retain_recent();
        }
        check(&self.requests, peer)
    }

    /// Counts a wrong token, or says how long to wait before the next.
    pub(crate) fn wrong_token(&self, peer: IpAddr) -> Result<(), Duration> {
        if self.wrong_tokens.len() > 10_000 {
            self.wrong_tokens.retain_recent();
        }
        check(&self.wrong_tokens, peer)
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<IpAddr>, peer: IpAddr) -> Result<(), Duration> {
    limiter.check_key(&peer).map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
}
