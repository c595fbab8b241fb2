//! Scenario strings: the token lengths of synthetic prompts and answers, in the notation of genai-bench with a
//! lognormal form and weighted mixes beside it.
//!
//! *Invariant*: what can be read can be written, and reads back as the same.

use std::fmt;
use std::str::FromStr;

use super::conversation::{TurnRange, Turns};
use super::load::Api;

/// What one request is made of. Lengths are tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// `L(mu,sigma)/(mu,sigma)`: lognormal, input then output; `exp(mu)` is the median.
    Lognormal {
        /// Mean and standard deviation of the prompt's logarithm.
        input: (f64, f64),
        /// Mean and standard deviation of the answer's logarithm.
        output: (f64, f64),
    },
    /// `E(tokens)`: a document to embed.
    Embedding {
        /// Tokens of the document.
        document: u32,
    },
    /// `R(document,query)`: a document to rank for a query.
    Rerank {
        /// Tokens of the document.
        document: u32,
        /// Tokens of the query.
        query: u32,
    },
    /// `I(width,height)` or `I(width,height,images)`: images to look at.
    Image {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Images per request.
        images: u32,
    },
}

/// One scenario, or several in proportion: `0.7*D(512,128)+0.3*N(2000,500)/(300,80)`; as conversations of four turns
/// each: `T(4)+D(512,128)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// `T(4)+…` or `T(2,8)+…`: turns of a conversation. The parts are then kinds of conversations.
    pub turns: Option<Turns>,
    /// Weight and scenario of each part; at least one. Weights are relative to their sum.
    pub parts: Vec<(f64, Scenario)>,
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// A part of a mix without a share.
    #[error("the weight of `{0}` must be a number above 0")]
    Weight(String),
    /// Turns that are none.
    #[error("`{0}` is no number of turns: T(4), or T(2,8) for 2 to 8, at most 1000, then `+` and a scenario")]
    Turns(String),
    /// A part of a mix that stands there twice.
    #[error("`{0}` stands in the mix twice")]
    Twice(String),
}

/// The forms, for messages.
pub const SCENARIO_FORMS: &str = "D(512,128), N(480,240)/(300,150), U(100,500)/(50,200), L(6,0.5)/(5,0.5), E(1024), R(1024,100), \
                                  I(512,512), a mix: 0.7*D(512,128)+0.3*U(100,500)/(50,200), or conversations: T(4)+D(512,128)";

const LONGEST: f64 = 10_000_000.0;
/// Parts of a mix at most; each is a class of the report.
const MOST_PARTS: usize = 20;

impl Scenario {
    /// The endpoint that its requests go to, where the workload's is `given`; `None` if that takes no pictures.
    pub fn api(&self, given: Api) -> Option<Api> {
        match self {
            Self::Embedding { .. } => Some(Api::Embeddings),
            Self::Rerank { .. } => Some(Api::Rerank),
            Self::Image { .. } => given.takes_pictures().then_some(given),
            _ => Some(given),
        }
    }

    /// Whether a text is asked and answered with a text.
    pub fn is_text(&self) -> bool {
        !matches!(self, Self::Embedding { .. } | Self::Rerank { .. } | Self::Image { .. })
    }

    /// Whether every request has the same lengths.
    pub fn is_fixed(&self) -> bool {
        !matches!(self, Self::Normal { .. } | Self::Uniform { .. } | Self::Lognormal { .. })
    }
}

impl FromStr for Mix {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (turns, compact) = turns(&compact)?;
        let terms: Vec<&str> = compact.split('+').collect();
        if let [only] = terms.as_slice()
            && !only.contains('*')
        {
            return Ok(Self { turns, parts: vec![(1.0, only.parse().map_err(|e| named(e, text))?)] });
        }
        if terms.len() > MOST_PARTS {
            return Err(ScenarioError::Form(text.to_owned()));
        }
        let mut parts: Vec<(f64, Scenario)> = Vec::new();
        for term in terms {
            let (weight, scenario) = term.split_once('*').ok_or_else(|| ScenarioError::Weight(term.to_owned()))?;
            let weight = weight.parse::<f64>().ok().filter(|w| w.is_finite() && *w > 0.0 && *w <= 1e9);
            let weight = weight.ok_or_else(|| ScenarioError::Weight(scenario.to_owned()))?;
            let scenario: Scenario = scenario.parse()?;
            if parts.iter().any(|(_, known)| *known == scenario) {
                return Err(ScenarioError::Twice(scenario.to_string()));
            }
            parts.push((weight, scenario));
        }
        Ok(Self { turns, parts })
    }
}

/// The turns that lead a scenario, and the rest of it.
fn turns(text: &str) -> Result<(Option<Turns>, &str), ScenarioError> {
    let Some(inner) = text.strip_prefix("T(") else { return Ok((None, text)) };
    let wrong = || ScenarioError::Turns(text.split('+').next().unwrap_or_default().to_owned());
    let (inner, rest) = inner.split_once(")+").ok_or_else(wrong)?;
    let number = |s: &str| s.parse::<u32>().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(wrong);
    let turns = match inner.split_once(',') {
        None => Turns::Always(number(inner)?),
        Some((low, high)) => Turns::Between(TurnRange { low: number(low)?, high: number(high)? }),
    };
    let (low, high) = turns.bounds();
    if low <= high { Ok((Some(turns), rest)) } else { Err(wrong()) }
}

/// The error with the text as it was written.
fn named(error: ScenarioError, text: &str) -> ScenarioError {
    match error {
        ScenarioError::Form(_) => ScenarioError::Form(text.to_owned()),
        other => other,
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ScenarioError::Form(text.to_owned());
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let kind = compact.chars().next().ok_or_else(form)?;
        if !compact.ends_with(')') || compact.chars().nth(1) != Some('(') {
            return Err(form());
        }
        let groups: Option<Vec<Vec<f64>>> =
            compact.chars().skip(1).collect::<String>().split('/').map(numbers).collect();
        let groups = groups.ok_or_else(form)?;
        let pair = |i: usize| match groups.get(i).map(Vec::as_slice) {
            Some([a, b]) => Ok((*a, *b)),
            _ => Err(form()),
        };
        let whole = |x: f64| whole(x, text);
        let length = |x: f64| length(x, text);
        match (kind, groups.len()) {
            ('P' | 'A', _) => Err(ScenarioError::Unsupported(kind)),
            ('D', 1) => {
                let (input, output) = pair(0)?;
                Ok(Self::Deterministic { input: length(input)?, output: length(output)? })
            }
            ('N', 2) => {
                let spread = |(mean, sd): (f64, f64)| Ok((length(mean)?, whole(sd)?));
                Ok(Self::Normal { input: spread(pair(0)?)?, output: spread(pair(1)?)? })
            }
            ('U', 1) => {
                let (input, output) = pair(0)?;
                Ok(Self::Uniform { input: (1, length(input)?), output: (1, length(output)?) })
            }
            ('U', 2) => Ok(Self::Uniform { input: range(pair(0)?, text)?, output: range(pair(1)?, text)? }),
            ('L', 2) => Ok(Self::Lognormal { input: logarithm(pair(0)?, text)?, output: logarithm(pair(1)?, text)? }),
            ('E', 1) => match groups[0].as_slice() {
                [document] => Ok(Self::Embedding { document: length(*document)? }),
                _ => Err(form()),
            },
            ('R', 1) => {
                let (document, query) = pair(0)?;
                Ok(Self::Rerank { document: length(document)?, query: length(query)? })
            }
            ('I', 1) => match groups[0].as_slice() {
                [width, height] => Ok(Self::Image { width: length(*width)?, height: length(*height)?, images: 1 }),
                [width, height, images] => {
                    Ok(Self::Image { width: length(*width)?, height: length(*height)?, images: length(*images)? })
                }
                _ => Err(form()),
            },
            _ => Err(form()),
        }
    }
}

fn numbers(group: &str) -> Option<Vec<f64>> {
    let inner = group.strip_prefix('(')?.strip_suffix(')')?;
    inner.split(',').map(|s| s.parse::<f64>().ok().filter(|x| x.is_finite())).collect()
}

fn whole(x: f64, text: &str) -> Result<u32, ScenarioError> {
    if x < 0.0 || x.fract() != 0.0 {
        return Err(ScenarioError::Form(text.to_owned()));
    }
    if x > LONGEST { Err(ScenarioError::TooLong(x as u64)) } else { Ok(x as u32) }
}

fn length(x: f64, text: &str) -> Result<u32, ScenarioError> {
    match whole(x, text)? {
        0 => Err(ScenarioError::Zero),
        tokens => Ok(tokens),
    }
}

fn range((from, to): (f64, f64), text: &str) -> Result<(u32, u32), ScenarioError> {
    let (from, to) = (length(from, text)?, length(to, text)?);
    if from > to {
        return Err(ScenarioError::EmptyRange(from, to));
    }
    Ok((from, to))
}

fn logarithm((mu, sigma): (f64, f64), text: &str) -> Result<(f64, f64), ScenarioError> {
    if sigma < 0.0 || mu < 0.0 {
        return Err(ScenarioError::Form(text.to_owned()));
    }
    if mu > LONGEST.ln() {
        return Err(ScenarioError::TooLong(mu.exp().min(1e18) as u64));
    }
    Ok((mu, sigma))
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.turns {
            Some(Turns::Always(n)) => write!(f, "T({n})+")?,
            Some(Turns::Between(TurnRange { low, high })) => write!(f, "T({low},{high})+")?,
            None => {}
        }
        if let [(weight, only)] = self.parts.as_slice()
            && *weight == 1.0
        {
            return only.fmt(f);
        }
        for (i, (weight, scenario)) in self.parts.iter().enumerate() {
            write!(f, "{}{weight}*{scenario}", if i > 0 { "+" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deterministic { input, output } => write!(f, "D({input},{output})"),
            Self::Normal { input: (a, b), output: (c, d) } => write!(f, "N({a},{b})/({c},{d})"),
            Self::Uniform { input: (a, b), output: (c, d) } => write!(f, "U({a},{b})/({c},{d})"),
            Self::Lognormal { input: (a, b), output: (c, d) } => write!(f, "L({a},{b})/({c},{d})"),
            Self::Embedding { document } => write!(f, "E({document})"),
            Self::Rerank { document, query } => write!(f, "R({document},{query})"),
            Self::Image { width, height, images: 1 } => write!(f, "I({width},{height})"),
            Self::Image { width, height, images } => write!(f, "I({width},{height},{images})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for text in [
            "D(512,128)",
            "N(480,240)/(300,150)",
            "U(100,500)/(50,200)",
            "L(6.2,0.8)/(5,0.6)",
            "E(1024)",
            "R(1024,100)",
            "I(512,512)",
            "I(2048,1024,3)",
            "0.7*D(512,128)+0.3*N(480,240)/(300,150)",
            "2*D(512,128)",
            "T(4)+D(512,128)",
            "T(2,8)+0.7*D(512,128)+0.3*U(1,4)/(1,2)",
        ] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), text);
        }
        assert_eq!("U(10, 20)".parse::<Scenario>().unwrap().to_string(), "U(1,10)/(1,20)");
        let spaced = "0.7 * D(1, 2) + 0.3 * U(1, 4)/(1, 2)".parse::<Mix>().unwrap();
        assert_eq!(spaced.to_string(), "0.7*D(1,2)+0.3*U(1,4)/(1,2)");
    }

    #[test]
    fn what_is_not_a_scenario_is_refused_with_the_reason() {
        for (text, expected) in [
            ("", "`` is not a scenario"),
            ("D", "`D` is not a scenario"),
            ("D(1)", "`D(1)` is not a scenario"),
            ("D(1,2,3)", "`D(1,2,3)` is not a scenario"),
            ("D(1.5,2)", "`D(1.5,2)` is not a scenario"),
            ("D(0,2)", "a prompt and an answer have at least one token"),
            ("N(480,-1)/(300,150)", "`N(480,-1)/(300,150)` is not a scenario"),
            ("U(500,100)/(1,2)", "the range 500 to 100 is empty"),
            ("E(100,1)", "`E(100,1)` is not a scenario"),
            ("A(100)", "scenarios of the form `A(…)` are not supported"),
            ("D(99999999,1)", "99999999 tokens are more than any model reads"),
            ("D(NaN,1)", "`D(NaN,1)` is not a scenario"),
            ("L(6,-1)/(5,1)", "`L(6,-1)/(5,1)` is not a scenario"),
            ("L(20,1)/(5,1)", "485165195 tokens are more than any model reads"),
            ("D(1,2)+D(3,4)", "the weight of `D(1,2)` must be a number above 0"),
            ("0*D(1,2)+1*D(3,4)", "the weight of `D(1,2)` must be a number above 0"),
            ("1*D(1,2)+1*D(1,2)", "`D(1,2)` stands in the mix twice"),
            ("0.5*D(1,2)+0.5*Q(1,2)", "`Q(1,2)` is not a scenario"),
            ("T(4)", "`T(4)` is no number of turns: T(4), or T(2,8) for 2 to 8, at most 1000, then `+` and a scenario"),
            (
                "T(0)+D(1,2)",
                "`T(0)` is no number of turns: T(4), or T(2,8) for 2 to 8, at most 1000, then `+` and a scenario",
            ),
            (
                "T(8,2)+D(1,2)",
                "`T(8,2)` is no number of turns: T(4), or T(2,8) for 2 to 8, at most 1000, then `+` and a scenario",
            ),
            ("T(2)+T(3)+D(1,2)", "the weight of `T(3)` must be a number above 0"),
        ] {
            assert_eq!(text.parse::<Mix>().unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,30}") {
            let _ = text.parse::<Mix>();
        }

        #[test]
        fn a_scenario_that_can_be_read_can_be_written_and_read_again(text in "(T\\([0-9]\\)\\+)?([0-9.*+]{0,4}[DNULERIT]?[(),/0-9. ]{0,20}){1,2}") {
            if let Ok(scenario) = text.parse::<Mix>() {
                prop_assert_eq!(scenario.to_string().parse::<Mix>(), Ok(scenario));
            }
        }
    }
}
