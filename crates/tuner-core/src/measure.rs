//! What one level of load gave: figures with their sample sizes, errors by class, and whether to believe them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::server_side::ServerSide;
pub use crate::steady::{Steady, Unsteady};
use crate::stopped::Stopped;

/// A measured quantity. Times are milliseconds, rates are per second of the measured window.
///
/// Definitions: `docs/measuring.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Send to first token-bearing event, ms.
    Ttft,
    /// Planned arrival to first token-bearing event, ms.
    TtftResp,
    /// Send to first answer (non-reasoning) token, ms.
    Ttfat,
    /// Time per output token after the first token read, ms.
    Tpot,
    /// Inter-token latency where tokens per chunk are known, ms.
    Itl,
    /// Gap between successive token-bearing reads, ms.
    Icl,
    /// Send to last token, ms.
    E2eLatency,
    /// Planned arrival to last token, ms.
    E2eResp,
    /// Output tokens per second in the window.
    OutputThroughput,
    /// Prompt tokens per second in the window.
    InputThroughput,
    /// Prompt and output tokens per second in the window.
    TotalThroughput,
    /// Completed requests per second in the window.
    RequestThroughput,
    /// Requests per second that meet every SLO.
    Goodput,
    /// Share of planned requests that meet every SLO, 0..1.
    Attainment,
    /// Share of finished requests that failed, 0..1.
    ErrorRate,
    /// Requests in flight, time-weighted mean.
    Concurrency,
    /// Output tokens per request.
    OutputTokens,
    /// Prompt tokens per request.
    InputTokens,
    /// Number returned by the quality guard's command.
    Quality,
}

impl Metric {
    /// Every metric, in declaration order.
    pub const ALL: [Self; 19] = [
        Self::Ttft,
        Self::TtftResp,
        Self::Ttfat,
        Self::Tpot,
        Self::Itl,
        Self::Icl,
        Self::E2eLatency,
        Self::E2eResp,
        Self::OutputThroughput,
        Self::InputThroughput,
        Self::TotalThroughput,
        Self::RequestThroughput,
        Self::Goodput,
        Self::Attainment,
        Self::ErrorRate,
        Self::Concurrency,
        Self::OutputTokens,
        Self::InputTokens,
        Self::Quality,
    ];

    /// The word used in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::TtftResp => "ttft_resp",
            Self::Ttfat => "ttfat",
            Self::Tpot => "tpot",
            Self::Itl => "itl",
            Self::Icl => "icl",
            Self::E2eLatency => "e2e_latency",
            Self::E2eResp => "e2e_resp",
            Self::OutputThroughput => "output_throughput",
            Self::InputThroughput => "input_throughput",
            Self::TotalThroughput => "total_throughput",
            Self::RequestThroughput => "request_throughput",
            Self::Goodput => "goodput",
            Self::Attainment => "attainment",
            Self::ErrorRate => "error_rate",
            Self::Concurrency => "concurrency",
            Self::OutputTokens => "output_tokens",
            Self::InputTokens => "input_tokens",
            Self::Quality => "quality",
        }
    }

    /// The unit shown beside a figure; empty for shares and counts.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Ttft
            | Self::TtftResp
            | Self::Ttfat
            | Self::Tpot
            | Self::Itl
            | Self::Icl
            | Self::E2eLatency
            | Self::E2eResp => "ms",
            Self::OutputThroughput | Self::InputThroughput | Self::TotalThroughput => "tok/s",
            Self::RequestThroughput | Self::Goodput => "req/s",
            Self::Attainment | Self::ErrorRate | Self::Quality | Self::Concurrency => "",
            Self::OutputTokens | Self::InputTokens => "tok",
        }
    }

    /// Whether it is a time, measured per request.
    pub fn is_time(self) -> bool {
        self.unit() == "ms"
    }

    /// Whether smaller is better.
    pub fn smaller_is_better(self) -> bool {
        self.is_time() || self == Self::ErrorRate
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownWord;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|m| m.name() == s).ok_or_else(|| UnknownWord(s.to_owned()))
    }
}

/// A word that is not in the list of metrics or statistics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

/// A percentile in thousandths of a percent, so that it can key maps: p99.9 is `Percentile(99_900)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentile(pub u32);

impl Percentile {
    /// The median.
    pub const P50: Self = Self(50_000);
    /// The 90th.
    pub const P90: Self = Self(90_000);
    /// The 99th.
    pub const P99: Self = Self(99_000);
    /// Those every distribution reports.
    pub const STANDARD: [Self; 7] =
        [Self(25_000), Self::P50, Self(75_000), Self::P90, Self(95_000), Self::P99, Self(99_900)];

    /// As a share, 0..1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 100_000.0
    }
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", f64::from(self.0) / 1000.0)
    }
}

impl FromStr for Percentile {
    type Err = UnknownWord;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownWord(s.to_owned());
        let number: f64 = s.strip_prefix('p').ok_or_else(unknown)?.parse().map_err(|_| unknown())?;
        let inside = number.is_finite() && number > 0.0 && number < 100.0;
        inside.then(|| Self((number * 1000.0).round() as u32)).ok_or_else(unknown)
    }
}

/// Which number of a distribution is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stat {
    /// Arithmetic mean.
    Mean,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// A percentile.
    Percentile(Percentile),
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Percentile(p) => p.fmt(f),
        }
    }
}

impl FromStr for Stat {
    type Err = UnknownWord;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s {
            "mean" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => Self::Percentile(s.parse()?),
        })
    }
}

macro_rules! string_serde {
    ($type:ty, $pattern:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $description })
            }
        }
    };
}
string_serde!(Percentile, r"^p[0-9]{1,2}(\.[0-9]{1,3})?$", "A percentile: p50, p99, p99.9.");
string_serde!(Stat, r"^(mean|min|max|p[0-9]{1,2}(\.[0-9]{1,3})?)$", "mean, min, max, or a percentile such as p99.");

/// A distribution in numbers. Percentiles are exact, linearly interpolated between order statistics (NumPy's rule).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Sample size.
    pub n: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (n − 1); 0 for one sample.
    pub stddev: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Percentiles: the standard ones and those that the task's SLOs and objectives name.
    pub percentiles: BTreeMap<Percentile, f64>,
    /// Upper 99 % confidence bound of each percentile whose sample is large enough for one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub upper_bounds: BTreeMap<Percentile, f64>,
    /// Lower 99 % confidence bound of each percentile whose sample is large enough for one. Together with the upper
    /// bound it is a 98 % interval.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lower_bounds: BTreeMap<Percentile, f64>,
}

impl Summary {
    /// The number that `stat` names, if it was computed.
    pub fn stat(&self, stat: Stat) -> Option<f64> {
        if self.n == 0 {
            return None;
        }
        match stat {
            Stat::Mean => Some(self.mean),
            Stat::Min => Some(self.min),
            Stat::Max => Some(self.max),
            Stat::Percentile(p) => self.percentiles.get(&p).copied(),
        }
    }
}

/// A metric's value: one number for the window, or a distribution over requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Figure {
    /// One number for the whole window.
    Scalar(f64),
    /// Over requests (or gaps).
    Distribution(Summary),
}

impl Figure {
    /// The number that `stat` names; a scalar is its own mean and every other statistic.
    pub fn stat(&self, stat: Stat) -> Option<f64> {
        match self {
            Self::Scalar(x) => Some(*x),
            Self::Distribution(s) => s.stat(stat),
        }
    }
}

/// Confidence interval of a mean over the window, from batch means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeanInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How often such intervals hold the true mean, 0..1.
    pub confidence: f64,
    /// Batches it rests on.
    pub batches: u32,
}

impl MeanInterval {
    /// Half its width as a share of its middle; `None` around 0.
    pub fn relative_half_width(&self) -> Option<f64> {
        let middle = f64::midpoint(self.low, self.high).abs();
        (middle > 0.0).then(|| (self.high - self.low) / 2.0 / middle)
    }
}

/// One request class of a level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassReport {
    /// Requests by fate.
    pub requests: RequestCounts,
    /// Failed requests by error class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// Every metric that could be determined over this class's requests. Throughputs are its share of the level's;
    /// attainment and goodput are against the class's own SLOs.
    pub metrics: BTreeMap<Metric, Figure>,
}

impl ClassReport {
    /// The number of one metric.
    pub fn stat(&self, metric: Metric, stat: Stat) -> Option<f64> {
        self.metrics.get(&metric)?.stat(stat)
    }
}

/// One turn of the conversations of a level: the first requests, the second ones, and so on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurnReport {
    /// Requests by fate.
    pub requests: RequestCounts,
    /// Failed requests by error class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// Every metric that could be determined over the requests of this turn. Throughputs are its share of the level's.
    pub metrics: BTreeMap<Metric, Figure>,
    /// Share of the prompt tokens that the engine found in a cache, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_prompt_share: Option<f64>,
}

impl TurnReport {
    /// The number of one metric.
    pub fn stat(&self, metric: Metric, stat: Stat) -> Option<f64> {
        self.metrics.get(&metric)?.stat(stat)
    }
}

/// Evidence: threads that sent and read.
pub const CLIENT_THREADS: &str = "client_threads";
/// Evidence: as many of them as the machine can spare.
pub const CLIENT_THREADS_MOST: &str = "client_threads_most";

/// Whether a measurement may be scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Validity {
    /// The client proved that it was not the bottleneck.
    #[default]
    Valid,
    /// It was, or the run could not be measured as asked.
    Invalid {
        /// Each reason with its numbers.
        reasons: Vec<String>,
    },
}

/// Requests by fate. `planned = completed + failed + cancelled + unsent`, over the measured set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestCounts {
    /// Meant to be sent in the window.
    pub planned: u64,
    /// Ended well.
    pub completed: u64,
    /// Ended in an error.
    pub failed: u64,
    /// Cut off by the end of the run.
    pub cancelled: u64,
    /// Never sent.
    pub unsent: u64,
}

/// What one level gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// Position of the level in the task's list, from 0.
    pub level: u32,
    /// Repeat of this level within the attempt, from 0.
    pub repeat: u32,
    /// Length of the measured window in seconds.
    pub window_s: f64,
    /// Wall time the level took, warm-up and drain included, in seconds.
    pub elapsed_s: f64,
    /// Requests by fate.
    pub requests: RequestCounts,
    /// Failed requests by error class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// Every metric that could be determined.
    pub metrics: BTreeMap<Metric, Figure>,
    /// Confidence interval of each metric's mean over the window, where the window is long enough for batch means.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<Metric, MeanInterval>,
    /// Why it ended before its plan did, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Whether the engine was in a steady state; absent where nothing was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<Steady>,
    /// Each request class, where requests have classes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, ClassReport>,
    /// Each turn, from 1, where requests belong to conversations of several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub turns: BTreeMap<u32, TurnReport>,
    /// Whether it may be scored.
    pub validity: Validity,
    /// It is invalid because a client thread was busy all the time: more of them, or a lighter level, may help.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_bound: bool,
    /// The client's own evidence (schedule lag, CPU, …), name with unit to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, f64>,
    /// Remarks for people: shortened run, token sources, disagreements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What the engine and its GPUs showed, where they show anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSide>,
}

impl Measurement {
    /// The number of one metric.
    pub fn stat(&self, metric: Metric, stat: Stat) -> Option<f64> {
        self.metrics.get(&metric)?.stat(stat)
    }

    /// Whether it may be scored.
    pub fn is_valid(&self) -> bool {
        self.validity == Validity::Valid
    }
}
