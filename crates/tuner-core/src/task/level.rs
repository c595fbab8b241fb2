//! One level of load: how requests arrive, and how hard.
//!
//! *Invariant*: a level is either a closed loop (streams that send when their answer is complete) or an open loop
//! (arrivals planned in time, whatever the server does); [`Level::is_open_loop`] is the one place that says which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::Think;

/// One arrival process at one intensity: `{concurrency: 8}`, `{rate: 2.5, arrival: poisson}`, `{rate: 1, ramp_to: 20}`,
/// `{burst: 50, every_s: 10}` or `{users: 15, rate: 1.5}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Level {
    /// Closed loop: this many requests always in flight; with think times, this many users. With `rate` or `burst`: the
    /// most in flight.
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Open loop: requests per second.
    #[schemars(range(min = 0.001, max = 100_000.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// With `rate`: this many users share it, each sending a request every `users / rate` seconds, one at a time.
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    /// Seconds that a user thinks after an answer, in place of the conversation's: a number, `{mean_s: 5}` or
    /// `{low_s: 1, high_s: 9}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think_s: Option<Think>,
    /// How open-loop requests arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
    /// Shape of the gaps of `arrival: gamma`, as in vLLM: below 1 requests come in clumps, 1 is Poisson, above 1 they
    /// come more evenly. The variance of a gap is its mean squared, divided by this.
    #[schemars(range(min = 0.001, max = 1000.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burstiness: Option<f64>,
    /// The rate at the end of the window; it grows (or falls) from `rate`. Needs `duration_s`.
    #[schemars(range(min = 0.001, max = 100_000.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp_to: Option<f64>,
    /// How the rate gets there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
    /// Open loop: this many requests at once, every `every_s` seconds.
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Seconds from one burst to the next.
    #[schemars(range(min = 0.001, max = 86_400.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_s: Option<f64>,
    /// `arrival: trace`: every time of the data set is multiplied by this; 0.5 is twice as fast.
    #[schemars(range(min = 0.000_001, max = 1_000_000.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_scale: Option<f64>,
    /// `arrival: trace`: the share of the rows that is kept, drawn by chance; what is left keeps its times.
    #[schemars(range(min = 0.000_001, max = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<f64>,
}

/// How open-loop requests arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Exponential gaps.
    #[default]
    Poisson,
    /// Equal gaps.
    Constant,
    /// Gamma-distributed gaps of the shape `burstiness`.
    Gamma,
    /// When the rows of the data set say, once through.
    Trace,
}

/// How a rate moves from `rate` to `ramp_to`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ramp {
    /// By equal steps.
    #[default]
    Linear,
    /// By equal factors.
    Exponential,
}

impl Level {
    /// A closed loop of `concurrency` streams.
    pub fn closed(concurrency: u32) -> Self {
        Self { concurrency: Some(concurrency), ..Self::default() }
    }

    /// Poisson arrivals at `rate` per second.
    pub fn poisson(rate: f64) -> Self {
        Self { rate: Some(rate), arrival: Some(Arrival::Poisson), ..Self::default() }
    }

    /// Whether arrivals are planned in time rather than by free streams.
    pub fn is_open_loop(&self) -> bool {
        self.rate.is_some() || self.burst.is_some() || self.is_trace()
    }

    /// Whether the data set says when requests arrive.
    pub fn is_trace(&self) -> bool {
        self.arrival == Some(Arrival::Trace)
    }

    /// Whether arrivals are planned in time and as many come in one minute as in the next.
    pub fn has_one_rate(&self) -> bool {
        self.rate.is_some() && self.ramp_to.is_none() && !self.is_trace()
    }

    /// Whether it is of the same kind as `other` and asks for more at once.
    pub fn is_harder_than(&self, other: &Self) -> bool {
        let same = |a: &Self| Self { concurrency: None, rate: None, ..a.clone() };
        let kind = self.is_open_loop() == other.is_open_loop() && same(self) == same(other);
        let more = match (self.rate.zip(other.rate), self.concurrency.zip(other.concurrency)) {
            (Some((rate, other)), _) => rate > other,
            (None, Some((streams, other))) => streams > other,
            (None, None) => false,
        };
        kind && more
    }

    /// The highest rate that the level reaches on average, requests per second; `None` in a closed loop and
    /// for a trace.
    pub fn peak_rate(&self) -> Option<f64> {
        match (self.rate, self.burst, self.every_s) {
            (Some(rate), ..) => Some(self.ramp_to.unwrap_or(rate).max(rate)),
            (None, Some(burst), Some(every)) => Some(f64::from(burst) / every),
            _ => None,
        }
    }

    /// Short name for people: `c8`, `2.5/s poisson`, `2→20/s linear poisson`, `50 every 10 s`.
    pub fn label(&self) -> String {
        if let (Some(burst), Some(every)) = (self.burst, self.every_s) {
            return format!("{burst} every {every} s");
        }
        if self.is_trace() {
            let keep = self.keep.map_or(String::new(), |keep| format!(" {}%", keep * 100.0));
            return format!("trace{keep} ×{}", 1.0 / self.time_scale.unwrap_or(1.0));
        }
        let think = self.think_s.map_or(String::new(), |think| format!(" think {think} s"));
        let Some(rate) = self.rate else { return format!("c{}{think}", self.concurrency.unwrap_or(1)) };
        if let Some(users) = self.users {
            return format!("{users} users {rate}/s");
        }
        let mut label = match (self.ramp_to, self.ramp.unwrap_or_default()) {
            (None, _) => format!("{rate}/s"),
            (Some(to), Ramp::Linear) => format!("{rate}→{to}/s linear"),
            (Some(to), Ramp::Exponential) => format!("{rate}→{to}/s exponential"),
        };
        match self.arrival.unwrap_or_default() {
            Arrival::Poisson => label.push_str(" poisson"),
            Arrival::Constant => label.push_str(" constant"),
            Arrival::Gamma => label.push_str(&format!(" gamma {}", self.burstiness.unwrap_or(1.0))),
            Arrival::Trace => label.push_str(" trace"),
        }
        label + &think
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_level_has_a_short_name() {
        let gamma = Level { rate: Some(2.0), arrival: Some(Arrival::Gamma), burstiness: Some(0.5), ..Level::default() };
        let ramp = Level { rate: Some(2.0), ramp_to: Some(20.0), ..Level::default() };
        let steep = Level { ramp: Some(Ramp::Exponential), arrival: Some(Arrival::Constant), ..ramp.clone() };
        let bursts = Level { burst: Some(50), every_s: Some(10.0), ..Level::default() };
        let trace = Level { arrival: Some(Arrival::Trace), time_scale: Some(0.5), keep: Some(0.1), ..Level::default() };
        let users = Level { users: Some(15), rate: Some(1.5), ..Level::default() };
        let think = Level { think_s: Some(Think::exponential(5.0)), ..Level::closed(8) };
        let all = [&Level::closed(8), &Level::poisson(2.5), &gamma, &ramp, &steep, &bursts, &trace, &users, &think];
        let names: Vec<String> = all.into_iter().map(Level::label).collect();
        let expected = [
            "c8",
            "2.5/s poisson",
            "2/s gamma 0.5",
            "2→20/s linear poisson",
            "2→20/s exponential constant",
            "50 every 10 s",
            "trace 10% ×2",
            "15 users 1.5/s",
            "c8 think exp:5 s",
        ];
        assert_eq!(names, expected);
        assert_eq!([ramp.peak_rate(), bursts.peak_rate()], [Some(20.0), Some(5.0)]);
        assert_eq!(all.map(Level::has_one_rate), [false, true, true, false, false, false, false, true, false]);
    }

    #[test]
    fn a_level_is_harder_than_a_lower_one_of_its_kind_only() {
        let harder = |a: Level, b: Level| a.is_harder_than(&b);
        assert!(harder(Level::closed(8), Level::closed(4)) && !harder(Level::closed(4), Level::closed(4)));
        assert!(harder(Level::poisson(8.0), Level::poisson(4.0)) && !harder(Level::poisson(8.0), Level::closed(4)));
        let constant = Level { arrival: Some(Arrival::Constant), ..Level::poisson(8.0) };
        assert!(!harder(constant, Level::poisson(4.0)));
    }
}
