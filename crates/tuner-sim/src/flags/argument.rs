//! One flag with its value, read as what the knob needs.

use tuner_core::Value;

use super::Context;
use crate::error::SimError;

pub(super) struct Argument<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a Value,
    pub(super) negated: bool,
}

impl Argument<'_> {
    fn refuse(&self, allowed: impl Into<String>) -> SimError {
        SimError::InvalidValue { flag: self.name.to_owned(), value: self.value.to_string(), allowed: allowed.into() }
    }

    pub(super) fn count(&self, least: u32) -> Result<u32, SimError> {
        let number = match self.value {
            Value::Int(i) => u32::try_from(*i).ok(),
            Value::Float(f) if f.fract() == 0.0 && *f >= 0.0 && *f <= f64::from(u32::MAX) => Some(*f as u32),
            Value::Text(text) => human(text),
            _ => None,
        };
        number.filter(|n| *n >= least).ok_or_else(|| self.refuse(format!("a whole number, at least {least}")))
    }

    pub(super) fn number(&self, low: f64, high: f64) -> Result<f64, SimError> {
        self.value
            .as_f64()
            .filter(|v| (low..=high).contains(v))
            .ok_or_else(|| self.refuse(format!("a number from {low} to {high}")))
    }

    pub(super) fn share(&self) -> Result<f64, SimError> {
        self.value
            .as_f64()
            .filter(|v| *v > 0.0 && *v <= 1.0)
            .ok_or_else(|| self.refuse("a share above 0 and at most 1"))
    }

    pub(super) fn switch(&self) -> Result<bool, SimError> {
        let on = match self.value {
            Value::Bool(b) => Some(*b),
            Value::Text(t) if matches!(t.as_str(), "on" | "true" | "True") => Some(true),
            Value::Text(t) if matches!(t.as_str(), "off" | "false" | "False") => Some(false),
            _ => None,
        };
        on.map(|b| b != self.negated).ok_or_else(|| self.refuse("a switch"))
    }

    pub(super) fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, SimError> {
        let text = self.value.to_string();
        choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text)).map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.refuse(format!("choose from {}", words.join(", ")))
        })
    }

    pub(super) fn context(&self) -> Result<Context, SimError> {
        match self.value {
            Value::Int(-1) => Ok(Context::Fit),
            Value::Text(t) if t == "auto" || t == "-1" => Ok(Context::Fit),
            _ => self.count(1).map(Context::Tokens),
        }
    }
}

/// `8192`, `8k` (8000), `8K` (8192), `25.6k`, as vLLM reads them.
fn human(text: &str) -> Option<u32> {
    let (digits, factor) = match text.chars().last()? {
        'k' => (&text[..text.len() - 1], 1e3),
        'K' => (&text[..text.len() - 1], 1024.0),
        'm' => (&text[..text.len() - 1], 1e6),
        'M' => (&text[..text.len() - 1], 1024.0 * 1024.0),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok()? * factor;
    (number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0).then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn lengths_are_read_in_the_human_form() {
        assert_eq!(human("8K"), Some(8192));
        assert_eq!(human("25.6k"), Some(25_600));
        assert_eq!(human("x"), None);
        assert_eq!(human("é"), None);
        assert_eq!(human(""), None);
    }
}
