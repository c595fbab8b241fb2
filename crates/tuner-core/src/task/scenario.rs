//! Scenario strings: the token lengths of synthetic prompts and answers.

use std::fmt;
use std::str::FromStr;

/// Lengths in tokens: `D(512,128)`, `N(480,240)/(300,150)`, `U(100,500)/(50,200)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// `D(input,output)`: always these.
    Deterministic {
        /// Prompt tokens.
        input: u32,
        /// Answer tokens.
        output: u32,
    },
    /// `N(mean,stddev)/(mean,stddev)`: normal, input then output.
    Normal {
        /// Mean and standard deviation of the prompt.
        input: (u32, u32),
        /// Mean and standard deviation of the answer.
        output: (u32, u32),
    },
    /// `U(from,to)/(from,to)`: uniform, both ends included, input then output. `U(input,output)` starts both at 1.
    Uniform {
        /// Shortest and longest prompt.
        input: (u32, u32),
        /// Shortest and longest answer.
        output: (u32, u32),
    },
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not of a known form.
    #[error("`{0}` is not a scenario")]
    Form(String),
    /// A form of other tools that is not supported.
    #[error("scenarios of the form `{0}(…)` are not supported")]
    Unsupported(char),
    /// A length of zero tokens.
    #[error("a prompt and an answer have at least one token")]
    Zero,
    /// A range whose end lies before its start.
    #[error("the range {0} to {1} is empty")]
    EmptyRange(u32, u32),
    /// Longer than any model reads.
    #[error("{0} tokens are more than any model reads")]
    TooLong(u64),
}

/// The forms, for messages.
pub const SCENARIO_FORMS: &str = "D(512,128), N(480,240)/(300,150) or U(100,500)/(50,200)";

const LONGEST: f64 = 10_000_000.0;

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ScenarioError::Form(text.to_owned());
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let kind = compact.chars().next().ok_or_else(form)?;
        if !compact.ends_with(')') || compact.chars().nth(1) != Some('(') {
            return Err(form());
        }
        let groups: Option<Vec<(f64, f64)>> =
            compact.chars().skip(1).collect::<String>().split('/').map(pair).collect();
        match (kind, groups.as_deref()) {
            ('P' | 'E' | 'R' | 'I', _) => Err(ScenarioError::Unsupported(kind)),
            ('D', Some([(input, output)])) => {
                Ok(Self::Deterministic { input: whole(*input, text)?, output: whole(*output, text)? })
            }
            ('N', Some([input, output])) => {
                Ok(Self::Normal { input: spread(*input, text)?, output: spread(*output, text)? })
            }
            ('U', Some([(input, output)])) => {
                Ok(Self::Uniform { input: range((1.0, *input), text)?, output: range((1.0, *output), text)? })
            }
            ('U', Some([input, output])) => {
                Ok(Self::Uniform { input: range(*input, text)?, output: range(*output, text)? })
            }
            _ => Err(form()),
        }
    }
}

fn pair(group: &str) -> Option<(f64, f64)> {
    let (a, b) = group.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let number = |s: &str| s.parse::<f64>().ok().filter(|x| x.is_finite());
    Some((number(a)?, number(b)?))
}

fn whole(x: f64, text: &str) -> Result<u32, ScenarioError> {
    if x < 0.0 || x.fract() != 0.0 {
        return Err(ScenarioError::Form(text.to_owned()));
    }
    if x < 1.0 {
        return Err(ScenarioError::Zero);
    }
    if x > LONGEST {
        return Err(ScenarioError::TooLong(x as u64));
    }
    Ok(x as u32)
}

fn spread((mean, deviation): (f64, f64), text: &str) -> Result<(u32, u32), ScenarioError> {
    let deviation = if deviation == 0.0 { 0 } else { whole(deviation, text)? };
    Ok((whole(mean, text)?, deviation))
}

fn range((from, to): (f64, f64), text: &str) -> Result<(u32, u32), ScenarioError> {
    let (from, to) = (whole(from, text)?, whole(to, text)?);
    if from > to {
        return Err(ScenarioError::EmptyRange(from, to));
    }
    Ok((from, to))
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deterministic { input, output } => write!(f, "D({input},{output})"),
            Self::Normal { input: (a, b), output: (c, d) } => write!(f, "N({a},{b})/({c},{d})"),
            Self::Uniform { input: (a, b), output: (c, d) } => write!(f, "U({a},{b})/({c},{d})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_forms_are_read_and_written_back() {
        for text in ["D(512,128)", "N(480,240)/(300,150)", "U(100,500)/(50,200)"] {
            assert_eq!(text.parse::<Scenario>().unwrap().to_string(), text);
        }
        assert_eq!("U(10, 20)".parse::<Scenario>().unwrap().to_string(), "U(1,10)/(1,20)");
    }

    #[test]
    fn what_is_not_a_scenario_is_refused_with_the_reason() {
        for (text, expected) in [
            ("", "`` is not a scenario"),
            ("D", "`D` is not a scenario"),
            ("D(1)", "`D(1)` is not a scenario"),
            ("D(1.5,2)", "`D(1.5,2)` is not a scenario"),
            ("D(0,2)", "a prompt and an answer have at least one token"),
            ("N(480,-1)/(300,150)", "`N(480,-1)/(300,150)` is not a scenario"),
            ("U(500,100)/(1,2)", "the range 500 to 100 is empty"),
            ("E(100,1)", "scenarios of the form `E(…)` are not supported"),
            ("D(99999999,1)", "99999999 tokens are more than any model reads"),
            ("D(NaN,1)", "`D(NaN,1)` is not a scenario"),
        ] {
            assert_eq!(text.parse::<Scenario>().unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,30}") {
            let _ = text.parse::<Scenario>();
        }

        #[test]
        fn a_scenario_that_can_be_read_can_be_written_and_read_again(text in "[DNUER]?[(),/0-9. ]{0,20}") {
            if let Ok(scenario) = text.parse::<Scenario>() {
                prop_assert_eq!(scenario.to_string().parse::<Scenario>(), Ok(scenario));
            }
        }
    }
}
