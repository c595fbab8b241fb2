//! What is wanted and what must hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::{Metric, Percentile, Stat};

/// What is wanted: a name, or a metric spelled out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Objective {
    /// `maximize_throughput`
    Named(ObjectiveName),
    /// `{metric: ttft, stat: p99, goal: minimize, across: worst}`
    Metric(MetricObjective),
}

/// The usual objectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveName {
    /// Highest output tokens per second over the levels that meet the SLOs.
    MaximizeThroughput,
    /// The same per GPU.
    MaximizeThroughputPerGpu,
    /// Lowest mean end-to-end latency at the worst level.
    MinimizeLatency,
    /// Lowest mean time to first token at the worst level.
    MinimizeTtft,
    /// Lowest mean time per output token at the worst level.
    MinimizeTpot,
    /// Highest rate of requests that meet every SLO.
    MaximizeGoodput,
    /// The same per GPU.
    MaximizeGoodputPerGpu,
}

/// An objective spelled out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricObjective {
    /// The metric.
    pub metric: Metric,
    /// Which number of it; default `mean`.
    #[serde(default = "mean")]
    pub stat: Stat,
    /// Which way is better; default: the metric's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// Which level counts; default: `best` for rates, `worst` for times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub across: Option<Across>,
    /// Divide by the number of GPUs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_gpu: bool,
}

fn mean() -> Stat {
    Stat::Mean
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Smaller is better.
    Minimize,
    /// Larger is better.
    Maximize,
}

/// Which level counts. A level that misses a hard SLO does not count for `best`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Across {
    /// The level with the best value among those in the best SLO class.
    Best,
    /// The level with the worst value; every level must meet the SLOs.
    Worst,
    /// The level at this position, from 0.
    Level(u32),
}

impl Objective {
    /// The objective spelled out, defaults filled in.
    pub fn resolve(&self) -> ResolvedObjective {
        let of = |metric: Metric, stat, goal: Option<Goal>, across: Option<Across>, per_gpu| {
            let minimize = metric.smaller_is_better();
            ResolvedObjective {
                metric,
                stat,
                goal: goal.unwrap_or(if minimize { Goal::Minimize } else { Goal::Maximize }),
                across: across.unwrap_or(if minimize { Across::Worst } else { Across::Best }),
                per_gpu,
            }
        };
        match self {
            Self::Metric(m) => of(m.metric, m.stat, m.goal, m.across, m.per_gpu),
            Self::Named(name) => {
                let (metric, per_gpu) = match name {
                    ObjectiveName::MaximizeThroughput => (Metric::OutputThroughput, false),
                    ObjectiveName::MaximizeThroughputPerGpu => (Metric::OutputThroughput, true),
                    ObjectiveName::MinimizeLatency => (Metric::E2eLatency, false),
                    ObjectiveName::MinimizeTtft => (Metric::Ttft, false),
                    ObjectiveName::MinimizeTpot => (Metric::Tpot, false),
                    ObjectiveName::MaximizeGoodput => (Metric::Goodput, false),
                    ObjectiveName::MaximizeGoodputPerGpu => (Metric::Goodput, true),
                };
                of(metric, Stat::Mean, None, None, per_gpu)
            }
        }
    }
}

/// An objective with nothing left to default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolvedObjective {
    /// The metric.
    pub metric: Metric,
    /// Which number of it.
    pub stat: Stat,
    /// Which way is better.
    pub goal: Goal,
    /// Which level counts.
    pub across: Across,
    /// Divide by the number of GPUs.
    pub per_gpu: bool,
}

impl ResolvedObjective {
    /// The value turned so that smaller is better.
    pub fn minimised(&self, value: f64) -> f64 {
        match self.goal {
            Goal::Minimize => value,
            Goal::Maximize => -value,
        }
    }

    /// Words for people: `output_throughput (tok/s), best level`.
    pub fn label(&self) -> String {
        let stat = if self.metric.is_time() { format!(" {}", self.stat) } else { String::new() };
        let unit = self.metric.unit();
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" ({unit}{})", if self.per_gpu { "/GPU" } else { "" })
        };
        let across = match self.across {
            Across::Best => "best level".to_owned(),
            Across::Worst => "worst level".to_owned(),
            Across::Level(i) => format!("level {i}"),
        };
        format!("{}{stat}{unit}, {across}", self.metric)
    }
}

/// What must hold at every level that counts: `{metric: ttft, stat: p99, max_ms: 1000}`.
///
/// Exactly one of `max_ms` (times), `max` and `min` (all else) is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SloSpec {
    /// The metric.
    pub metric: Metric,
    /// Which number of it; default p99 for times, mean otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stat: Option<Stat>,
    /// Largest allowed time, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<f64>,
    /// Largest allowed value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Smallest allowed value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Weight of the penalty of a soft violation.
    #[serde(default = "weight")]
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub weight: f64,
    /// A violation beyond `fail_ratio` disqualifies instead of costing a penalty.
    #[serde(default = "yes")]
    pub hard_fail: bool,
    /// Relative violation from which a hard SLO disqualifies; below it counts as soft.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1_000.0))]
    pub fail_ratio: f64,
    /// Relative violation over which the penalty grows by a factor of e.
    #[serde(default = "steepness")]
    #[schemars(range(min = 0.001, max = 1_000.0))]
    pub steepness: f64,
}

fn weight() -> f64 {
    1.0
}
fn yes() -> bool {
    true
}
fn steepness() -> f64 {
    0.1
}

/// A limit in the metric's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Not above.
    AtMost(f64),
    /// Not below.
    AtLeast(f64),
}

impl SloSpec {
    /// The number it looks at.
    pub fn stat(&self) -> Stat {
        self.stat.unwrap_or(if self.metric.is_time() { Stat::Percentile(Percentile::P99) } else { Stat::Mean })
    }

    /// Its limit; `None` when the file gave none (refused by validation).
    pub fn bound(&self) -> Option<Bound> {
        self.max_ms.or(self.max).map(Bound::AtMost).or(self.min.map(Bound::AtLeast))
    }

    /// Words for people: `ttft p99 ≤ 1000 ms`.
    pub fn label(&self) -> String {
        let (sign, limit) = match self.bound() {
            Some(Bound::AtMost(x)) => ("≤", x.to_string()),
            Some(Bound::AtLeast(x)) => ("≥", x.to_string()),
            None => ("?", String::new()),
        };
        let unit = self.metric.unit();
        let space = if unit.is_empty() { "" } else { " " };
        format!("{} {} {sign} {limit}{space}{unit}", self.metric, self.stat())
    }
}
