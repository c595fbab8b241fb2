//! Evidence that too many requests are over a limit, valid however often one looks.
//!
//! *Invariant*: requests that are in flight together share their fate (a pause of the engine hits them all), so together
//! they are one observation: the share of a block's requests that are over. A block lasts for at least two seconds and
//! for two requests one after the other, so that what is over at once lies in two neighbouring blocks at most; the first
//! one, with the start of the level in it, is left out. The evidence is an e-value, a bet against "a share of at most
//! `allowed` is over" with a uniform prior on how many are (Waudby-Smith and Ramdas 2024, "Estimating means of bounded
//! random variables by betting"), one for every other block and one for those between; their mean is an e-value whatever
//! neighbours have in common. By Ville's inequality it ever reaches 1 / α in at most a share α of levels.

use tuner_core::record::RequestRecord;

/// Seconds that a block lasts at least.
const MIN_BLOCK_S: f64 = 2.0;
/// Blocks before a verdict, the one that is left out not counted.
const MIN_BLOCKS: u32 = 3;
/// Requests in them before a verdict.
const MIN_REQUESTS: u64 = 30;
/// Points at which the prior is evaluated.
const POINTS: usize = 32;

/// Follows the requests of a level in the order of their ends.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    allowed: f64,
    /// Logarithm of what each point of the prior has won so far, in every other block and in those between.
    won: [[f64; POINTS]; 2],
    blocks: u32,
    requests: u64,
    /// Of the block that is open: when it began, when a request of its own had ended, its requests, and those over.
    began_s: Option<f64>,
    half_s: Option<f64>,
    seen: u64,
    over: u64,
    started: bool,
}

impl Evidence {
    /// `allowed`: the share that may be over, 0..1.
    pub(super) fn against(allowed: f64) -> Self {
        Self {
            allowed: allowed.clamp(1e-9, 1.0 - 1e-9),
            won: [[0.0; POINTS]; 2],
            blocks: 0,
            requests: 0,
            began_s: None,
            half_s: None,
            seen: 0,
            over: 0,
            started: false,
        }
    }

    /// Takes a request.
    pub(super) fn take(&mut self, record: &RequestRecord, over: bool) {
        let sent = record.sent_s.unwrap_or(record.planned_s);
        let ended = record.ended_s.unwrap_or(sent);
        self.seen += 1;
        self.over += u64::from(over);
        let Some(began) = self.began_s else {
            self.began_s = Some(ended);
            return;
        };
        let Some(half) = self.half_s else {
            self.half_s = (sent >= began).then_some(ended);
            return;
        };
        if sent < half || ended - began < MIN_BLOCK_S {
            return;
        }
        if self.started {
            self.bet(self.over as f64 / self.seen as f64);
            self.blocks += 1;
            self.requests += self.seen;
        }
        (self.began_s, self.half_s, self.seen, self.over, self.started) = (Some(ended), None, 0, 0, true);
    }

    fn bet(&mut self, share: f64) {
        let allowed = self.allowed;
        for (point, won) in self.won[self.blocks as usize % 2].iter_mut().enumerate() {
            let p = allowed + (1.0 - allowed) * (point as f64 + 0.5) / POINTS as f64;
            *won += (share * p / allowed + (1.0 - share) * (1.0 - p) / (1.0 - allowed)).ln();
        }
    }

    /// Whether more than the allowed share is over, at an error rate that holds over all looks together; 0 never says so.
    pub(super) fn convinces(&self, error_rate: f64) -> bool {
        if error_rate <= 0.0 || self.blocks < MIN_BLOCKS || self.requests < MIN_REQUESTS {
            return false;
        }
        let all = || self.won.iter().flatten();
        let most = all().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = all().map(|won| (won - most).exp()).sum();
        most + (sum / all().count() as f64).ln() >= -error_rate.ln()
    }
}
