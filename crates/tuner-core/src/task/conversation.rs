//! Conversations: how many turns, what the history holds, and how long a user thinks between turns.
//!
//! *Invariant*: what can be read can be written, and reads back as the same.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests that follow each other: each carries everything that was said before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConversationSpec {
    /// Requests of a conversation: a number, or `{low: 2, high: 8}`, each as likely as the others. Of a data set at most so
    /// many of each row's; by default all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<Turns>,
    /// Seconds that a user thinks after an answer: a number, `{mean_s: 5}` (exponential) or `{low_s: 1, high_s: 9}`
    /// (uniform). Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think_s: Option<Think>,
    /// What stands in the history as the model's part.
    #[serde(skip_serializing_if = "is_engine")]
    pub answers: Answers,
}

fn is_engine(answers: &Answers) -> bool {
    *answers == Answers::Engine
}

/// What stands in a conversation's history as the model's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// What the engine answered, without its reasoning.
    #[default]
    Engine,
    /// What the data set says.
    Recorded,
}

/// Turns of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Turns {
    /// Always so many.
    Always(#[schemars(range(min = 1, max = 1000))] u32),
    /// From the first to the second, each as likely as the others.
    Between(TurnRange),
}

/// Fewest and most turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnRange {
    /// Fewest.
    #[schemars(range(min = 1, max = 1000))]
    pub low: u32,
    /// Most.
    #[schemars(range(min = 1, max = 1000))]
    pub high: u32,
}

impl Turns {
    /// Fewest and most.
    pub fn bounds(self) -> (u32, u32) {
        match self {
            Self::Always(n) => (n, n),
            Self::Between(TurnRange { low, high }) => (low, high),
        }
    }

    /// Mean.
    pub fn mean(self) -> f64 {
        let (low, high) = self.bounds();
        f64::midpoint(f64::from(low), f64::from(high))
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bounds() {
            (low, high) if low == high && matches!(self, Self::Always(_)) => write!(f, "{low}"),
            (low, high) => write!(f, "{low}-{high}"),
        }
    }
}

/// Why turns or think times cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// Not of a known form.
    #[error("`{0}` is no number of turns; write 4, or 2-8 for 2 to 8, at most 1000")]
    Turns(String),
    /// Not of a known form.
    #[error("`{0}` is no think time; write 2.5 (seconds), exp:5 (exponential, mean 5 s) or 1-9 (uniform)")]
    Think(String),
}

impl FromStr for Turns {
    type Err = ConversationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ConversationError::Turns(text.to_owned());
        let number = |s: &str| s.trim().parse::<u32>().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(wrong);
        match text.split_once('-') {
            None => Ok(Self::Always(number(text)?)),
            Some((low, high)) => {
                let range = TurnRange { low: number(low)?, high: number(high)? };
                if range.low <= range.high { Ok(Self::Between(range)) } else { Err(wrong()) }
            }
        }
    }
}

/// How long a user thinks, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Think {
    /// Always so long.
    Always(#[schemars(range(min = 0.0, max = 86_400.0))] f64),
    /// Drawn anew each time.
    Drawn(ThinkSpread),
}

/// Exponential think times (`mean_s`), or uniform ones (`low_s`, `high_s`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThinkSpread {
    /// Mean of exponential times.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_s: Option<f64>,
    /// Shortest of uniform times.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_s: Option<f64>,
    /// Longest of uniform times.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_s: Option<f64>,
}

impl Think {
    /// Exponential times of this mean.
    pub fn exponential(mean_s: f64) -> Self {
        Self::Drawn(ThinkSpread { mean_s: Some(mean_s), ..ThinkSpread::default() })
    }

    /// The time that a uniform draw from (0, 1] stands for.
    pub fn at(self, draw: f64) -> f64 {
        match self {
            Self::Always(seconds) => seconds,
            Self::Drawn(ThinkSpread { mean_s: Some(mean), .. }) => -mean * draw.ln(),
            Self::Drawn(ThinkSpread { low_s, high_s, .. }) => {
                let (low, high) = (low_s.unwrap_or(0.0), high_s.unwrap_or(0.0));
                low + (high - low).max(0.0) * draw
            }
        }
    }

    /// Mean, seconds.
    pub fn mean_s(self) -> f64 {
        match self {
            Self::Always(seconds) => seconds,
            Self::Drawn(ThinkSpread { mean_s: Some(mean), .. }) => mean,
            Self::Drawn(ThinkSpread { low_s, high_s, .. }) => {
                f64::midpoint(low_s.unwrap_or(0.0), high_s.unwrap_or(0.0))
            }
        }
    }
}

impl fmt::Display for Think {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(seconds) => write!(f, "{seconds}"),
            Self::Drawn(ThinkSpread { mean_s: Some(mean), .. }) => write!(f, "exp:{mean}"),
            Self::Drawn(ThinkSpread { low_s, high_s, .. }) => {
                write!(f, "{}-{}", low_s.unwrap_or(0.0), high_s.unwrap_or(0.0))
            }
        }
    }
}

impl FromStr for Think {
    type Err = ConversationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ConversationError::Think(text.to_owned());
        let seconds = |s: &str| s.trim().parse::<f64>().ok().filter(|x| (0.0..=86_400.0).contains(x)).ok_or_else(wrong);
        if let Some(mean) = text.strip_prefix("exp:") {
            return Ok(Self::exponential(seconds(mean)?));
        }
        match text.split_once('-').filter(|(low, _)| !low.is_empty()) {
            None => Ok(Self::Always(seconds(text)?)),
            Some((low, high)) => {
                let (low, high) = (seconds(low)?, seconds(high)?);
                let spread = ThinkSpread { low_s: Some(low), high_s: Some(high), ..ThinkSpread::default() };
                if low <= high { Ok(Self::Drawn(spread)) } else { Err(wrong()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_forms_are_read_and_written_back() {
        for text in ["1", "4", "2-8", "3-3"] {
            assert_eq!(text.parse::<Turns>().unwrap().to_string(), text);
        }
        for text in ["0", "2.5", "exp:5", "1-9", "0.5-0.5"] {
            assert_eq!(text.parse::<Think>().unwrap().to_string(), text);
        }
        for wrong in ["", "0", "8-2", "2-", "-3", "1001", "two", "2.5"] {
            assert!(wrong.parse::<Turns>().is_err(), "{wrong}");
        }
        for wrong in ["", "-1", "exp:", "exp:-1", "9-1", "inf", "NaN", "2s"] {
            assert!(wrong.parse::<Think>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_says_turns_and_think_times_in_either_form() {
        let read = |json| serde_json::from_value::<ConversationSpec>(json).unwrap();
        let fixed = read(serde_json::json!({"turns": 4, "think_s": 2}));
        assert_eq!((fixed.turns, fixed.think_s), (Some(Turns::Always(4)), Some(Think::Always(2.0))));
        let drawn = read(serde_json::json!({"turns": {"low": 2, "high": 8}, "think_s": {"mean_s": 5.0}}));
        assert_eq!((drawn.turns.unwrap().bounds(), drawn.think_s.unwrap().mean_s()), ((2, 8), 5.0));
        assert_eq!(read(serde_json::to_value(&drawn).unwrap()), drawn);
    }

    proptest! {
        #[test]
        fn think_times_stay_within_their_bounds(low in 0.0f64..100.0, width in 0.0f64..100.0, draw in 1e-12f64..=1.0) {
            let spread = ThinkSpread { low_s: Some(low), high_s: Some(low + width), ..ThinkSpread::default() };
            let think = Think::Drawn(spread).at(draw);
            prop_assert!((low..=low + width).contains(&think));
            prop_assert!(Think::exponential(width).at(draw) >= 0.0);
        }
    }
}
