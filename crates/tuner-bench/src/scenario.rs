//! Length distributions in genai-bench's notation: `D(in,out)`, `N(mean,sd)/(mean,sd)`, `U(min,max)/(min,max)` or
//! `U(max_in,max_out)`.
//!
//! *Invariant*: the lengths of request `index` are a function of (scenario, generator of that index): no request's
//! lengths depend on how many came before.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Normal};

/// Smallest output length that a normal scenario gives, as in genai-bench: one token has no inter-token time.
const MIN_NORMAL_OUTPUT: f64 = 2.0;
/// Longest length accepted, so that a typing error does not ask for gigabytes.
const MAX_TOKENS: u32 = 10_000_000;

/// Input and output lengths in tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Always the same.
    Deterministic {
        /// Input tokens.
        input: u32,
        /// Output tokens.
        output: u32,
    },
    /// Normal, truncated to whole numbers, at least 1 in and 2 out.
    Normal {
        /// Mean and standard deviation of input tokens.
        input: (u32, u32),
        /// Mean and standard deviation of output tokens.
        output: (u32, u32),
    },
    /// Uniform between both bounds, which are possible values themselves.
    Uniform {
        /// Smallest and largest input.
        input: (u32, u32),
        /// Smallest and largest output.
        output: (u32, u32),
    },
}

/// A scenario string that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scenario {text:?}, at character {position}: {what}")]
pub struct ScenarioError {
    /// What was written.
    pub text: String,
    /// Where reading stopped, in characters from 1.
    pub position: usize,
    /// What was expected there.
    pub what: String,
}

impl Scenario {
    /// Lengths (input, output) drawn with `rng`.
    pub fn lengths(&self, rng: &mut impl Rng) -> (u32, u32) {
        match *self {
            Self::Deterministic { input, output } => (input, output),
            Self::Normal { input, output } => (normal(input, 1.0, rng), normal(output, MIN_NORMAL_OUTPUT, rng)),
            Self::Uniform { input, output } => {
                (rng.random_range(input.0..=input.1), rng.random_range(output.0..=output.1))
            }
        }
    }
}

/// `max(least, int(normal))`: genai-bench truncates toward zero, which lowers the mean by about half a token.
fn normal((mean, sd): (u32, u32), least: f64, rng: &mut impl Rng) -> u32 {
    let drawn = match Normal::new(f64::from(mean), f64::from(sd)) {
        Ok(distribution) => distribution.sample(rng),
        Err(_) => f64::from(mean),
    };
    drawn.trunc().clamp(least, f64::from(MAX_TOKENS)) as u32
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deterministic { input, output } => write!(f, "D({input},{output})"),
            Self::Normal { input, output } => {
                write!(f, "N({},{})/({},{})", input.0, input.1, output.0, output.1)
            }
            Self::Uniform { input, output } => {
                write!(f, "U({},{})/({},{})", input.0, input.1, output.0, output.1)
            }
        }
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let mut reader = Reader { text, rest: text };
        reader.skip_spaces();
        let letter = reader.rest.chars().next();
        let scenario = match letter {
            Some('D') => {
                reader.literal("D")?;
                let (input, output) = reader.pair(1)?;
                if output == 0 {
                    return Err(reader.error("at least one output token"));
                }
                Self::Deterministic { input, output }
            }
            Some('N') => {
                reader.literal("N")?;
                let input = reader.pair(1)?;
                reader.literal("/")?;
                Self::Normal { input, output: reader.pair(1)? }
            }
            Some('U') => {
                reader.literal("U")?;
                let first = reader.pair(1)?;
                if reader.at_end() {
                    if first.1 == 0 {
                        return Err(reader.error("at least one output token"));
                    }
                    Self::Uniform { input: (1, first.0), output: (1, first.1) }
                } else {
                    reader.ordered(first)?;
                    reader.literal("/")?;
                    let output = reader.pair(1)?;
                    reader.ordered(output)?;
                    Self::Uniform { input: first, output }
                }
            }
            Some(c @ ('E' | 'R' | 'I' | 'A')) => {
                return Err(reader.error(&format!(
                    "{c}(…) is not a text generation scenario; expected D(in,out), N(mean,sd)/(mean,sd) or U(min,max)/(min,max)"
                )));
            }
            _ => {
                return Err(
                    reader.error("expected D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max) or U(max_in,max_out)")
                );
            }
        };
        if reader.at_end() { Ok(scenario) } else { Err(reader.error("nothing more was expected")) }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn error(&self, what: &str) -> ScenarioError {
        let read = self.text.len() - self.rest.len();
        let position = self.text[..read].chars().count() + 1;
        ScenarioError { text: self.text.to_owned(), position, what: what.to_owned() }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn at_end(&mut self) -> bool {
        self.skip_spaces();
        self.rest.is_empty()
    }

    fn literal(&mut self, word: &str) -> Result<(), ScenarioError> {
        self.skip_spaces();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.error(&format!("expected {word:?}"))),
        }
    }

    fn number(&mut self, least: u32) -> Result<u32, ScenarioError> {
        self.skip_spaces();
        let digits = self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = self.rest[..digits].parse::<u32>().ok().filter(|n| *n <= MAX_TOKENS);
        let Some(number) = number else {
            return Err(self.error(&format!("expected a whole number from {least} to {MAX_TOKENS}")));
        };
        if number < least {
            return Err(self.error(&format!("expected at least {least}")));
        }
        self.rest = &self.rest[digits..];
        if self.rest.starts_with('.') {
            return Err(self.error("lengths are whole numbers of tokens"));
        }
        Ok(number)
    }

    /// `(first,second)` with `first` at least `least`; what `second` may be is the caller's business.
    fn pair(&mut self, least: u32) -> Result<(u32, u32), ScenarioError> {
        self.literal("(")?;
        let first = self.number(least)?;
        self.literal(",")?;
        let second = self.number(0)?;
        self.literal(")")?;
        Ok((first, second))
    }

    fn ordered(&self, (least, most): (u32, u32)) -> Result<(), ScenarioError> {
        if least <= most {
            Ok(())
        } else {
            Err(self.error(&format!("the smallest length {least} is above the largest {most}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Dimension, rng};
    use proptest::prelude::*;

    fn draw(scenario: &str, n: u64) -> Vec<(u32, u32)> {
        let scenario: Scenario = scenario.parse().unwrap();
        (0..n).map(|i| scenario.lengths(&mut rng(3, Dimension::Lengths, 0, 0, i))).collect()
    }

    fn mean_and_sd(values: impl Iterator<Item = u32> + Clone) -> (f64, f64) {
        let n = values.clone().count() as f64;
        let mean = values.clone().map(f64::from).sum::<f64>() / n;
        (mean, (values.map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    }

    #[test]
    fn the_notation_reads_back() {
        for text in ["D(512,128)", "N(480,240)/(300,150)", "U(100,500)/(50,200)"] {
            assert_eq!(text.parse::<Scenario>().unwrap().to_string(), text);
        }
        assert_eq!("U(500,200)".parse::<Scenario>().unwrap().to_string(), "U(1,500)/(1,200)");
        assert_eq!(" N ( 480 , 240 ) / ( 300 , 150 ) ".parse::<Scenario>(), "N(480,240)/(300,150)".parse());
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        let cases = [
            "",
            "D",
            "D(1)",
            "D(0,1)",
            "D(1,0)",
            "D(1.5,2)",
            "D(1,2",
            "D(1,2)x",
            "N(1,2)",
            "N(1,2)/(3)",
            "U(5,1)/(1,2)",
            "U(1,2)/(9,3)",
            "E(10)",
            "X(1,2)",
            "D(-1,2)",
            "D(99999999999,1)",
            "d(1,2)",
        ];
        let errors: Vec<String> = cases.iter().map(|case| case.parse::<Scenario>().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn normal_lengths_follow_the_published_rule() {
        let drawn = draw("N(480,50)/(300,30)", 20_000);
        let (mean, sd) = mean_and_sd(drawn.iter().map(|d| d.0));
        assert!((mean - 479.5).abs() < 1.5, "mean {mean}");
        assert!((sd - 50.0).abs() < 1.0, "sd {sd}");
        let clamped = draw("N(1,100)/(1,100)", 5_000);
        assert_eq!(clamped.iter().map(|d| d.0).min(), Some(1));
        assert_eq!(clamped.iter().map(|d| d.1).min(), Some(2));
    }

    #[test]
    fn uniform_lengths_reach_both_bounds() {
        let drawn = draw("U(3,6)/(10,12)", 2_000);
        assert_eq!((drawn.iter().map(|d| d.0).min(), drawn.iter().map(|d| d.0).max()), (Some(3), Some(6)));
        assert_eq!((drawn.iter().map(|d| d.1).min(), drawn.iter().map(|d| d.1).max()), (Some(10), Some(12)));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,30}") {
            let _ = text.parse::<Scenario>();
        }

        #[test]
        fn near_misses_do_not_panic_either(text in "[DNUER]?[(),/0-9. ]{0,20}") {
            if let Ok(scenario) = text.parse::<Scenario>() {
                prop_assert_eq!(scenario.to_string().parse::<Scenario>(), Ok(scenario));
            }
        }
    }
}
