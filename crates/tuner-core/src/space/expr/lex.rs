//! Text to tokens. Columns are one-based and count characters.

use super::{Comparison, ExprError, Operation};
use crate::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Literal(Value),
    Compare(Comparison),
    Operate(Operation),
    And,
    Or,
    Not,
    In,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

impl Token {
    /// Whether an operand ends here, so that a dash after it is a minus.
    fn ends_operand(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Literal(_) | Self::Close | Self::CloseList)
    }

    /// How messages call it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("the name `{name}`"),
            Self::Literal(Value::Text(text)) => format!("the text \"{text}\""),
            Self::Literal(value) => format!("`{value}`"),
            Self::Compare(_) => "a comparison".to_owned(),
            Self::Operate(_) => "an operator".to_owned(),
            Self::And => "`and`".to_owned(),
            Self::Or => "`or`".to_owned(),
            Self::Not => "`not`".to_owned(),
            Self::In => "`in`".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::OpenList => "`[`".to_owned(),
            Self::CloseList => "`]`".to_owned(),
            Self::Comma => "`,`".to_owned(),
        }
    }
}

fn error(message: impl Into<String>, at: usize) -> ExprError {
    ExprError { message: message.into(), column: at + 1 }
}

/// The tokens with their columns.
pub(super) fn tokens(source: &str) -> Result<Vec<(Token, usize)>, ExprError> {
    let text: Vec<char> = source.chars().collect();
    let mut out: Vec<(Token, usize)> = Vec::new();
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let next = text.get(at + 1).copied();
        let after_operand = out.last().is_some_and(|(t, _)| t.ends_operand());
        let negative = c == '-' && !after_operand && next.is_some_and(|n| n.is_ascii_digit() || n == '.');
        let (token, length) =
            if negative || c.is_ascii_digit() || (c == '.' && next.is_some_and(|n| n.is_ascii_digit())) {
                number(&text, at)?
            } else if c.is_alphabetic() || c == '_' {
                word(&text, at)?
            } else if c == '"' || c == '\'' {
                quoted(&text, at)?
            } else {
                symbol(c, next, at, after_operand)?
            };
        out.push((token, at + 1));
        at += length;
    }
    Ok(out)
}

fn number(text: &[char], start: usize) -> Result<(Token, usize), ExprError> {
    let mut end = start + 1;
    while let Some(&c) = text.get(end) {
        let exponent_sign = (c == '-' || c == '+') && matches!(text.get(end - 1), Some('e' | 'E'));
        if c.is_ascii_alphanumeric() || c == '.' || c == '_' || exponent_sign {
            end += 1;
        } else {
            break;
        }
    }
    let word: String = text.iter().skip(start).take(end - start).collect();
    let value = match word.parse::<i64>() {
        Ok(whole) => Value::Int(whole),
        Err(_) => match word.parse::<f64>() {
            Ok(real) if real.is_finite() => Value::Float(real),
            _ => return Err(error(format!("`{word}` is not a number; text needs quotes: \"{word}\""), start)),
        },
    };
    Ok((Token::Literal(value), end - start))
}

fn word(text: &[char], start: usize) -> Result<(Token, usize), ExprError> {
    let inside = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let word: String = text.iter().skip(start).take_while(|c| inside(c)).collect();
    if word.ends_with('-') {
        return Err(error(
            format!("`{word}` ends in a dash; names may contain dashes, so put a space before a minus"),
            start,
        ));
    }
    let length = word.chars().count();
    let token = match word.as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "in" => Token::In,
        "true" => Token::Literal(Value::Bool(true)),
        "false" => Token::Literal(Value::Bool(false)),
        "null" => Token::Literal(Value::Null),
        "True" | "False" | "AND" | "OR" | "NOT" | "IN" | "And" | "Or" | "Not" | "Null" | "TRUE" | "FALSE" => {
            return Err(error(format!("write `{}` in small letters", word.to_lowercase()), start));
        }
        "None" => return Err(error("write `null` for a flag that is left out", start)),
        _ => Token::Name(word),
    };
    Ok((token, length))
}

fn quoted(text: &[char], start: usize) -> Result<(Token, usize), ExprError> {
    let quote = text.get(start).copied().unwrap_or('"');
    let inner: String = text.iter().skip(start + 1).take_while(|c| **c != quote).collect();
    let length = inner.chars().count() + 2;
    if text.get(start + length - 1) != Some(&quote) {
        return Err(error(format!("the text that starts here has no closing {quote}"), start));
    }
    Ok((Token::Literal(Value::Text(inner)), length))
}

fn symbol(c: char, next: Option<char>, at: usize, after_operand: bool) -> Result<(Token, usize), ExprError> {
    Ok(match (c, next) {
        ('=', Some('=')) => (Token::Compare(Comparison::Equal), 2),
        ('!', Some('=')) => (Token::Compare(Comparison::NotEqual), 2),
        ('<', Some('=')) => (Token::Compare(Comparison::LessOrEqual), 2),
        ('>', Some('=')) => (Token::Compare(Comparison::GreaterOrEqual), 2),
        ('<', Some('>')) => return Err(error("write `!=` for \"is not equal\"", at)),
        ('<', _) => (Token::Compare(Comparison::Less), 1),
        ('>', _) => (Token::Compare(Comparison::Greater), 1),
        ('=', _) => return Err(error("write `==` to compare", at)),
        ('&', _) => return Err(error("write `and`", at)),
        ('|', _) => return Err(error("write `or`", at)),
        ('!', _) => return Err(error("write `not`", at)),
        ('-', Some('-')) => return Err(error("names are written without leading dashes", at)),
        ('+', _) => (Token::Operate(Operation::Add), 1),
        ('-', _) if after_operand => (Token::Operate(Operation::Subtract), 1),
        ('-', _) => return Err(error("a minus needs a number or a name on its left", at)),
        ('*', Some('*')) => return Err(error("powers are not part of this language", at)),
        ('*', _) => (Token::Operate(Operation::Multiply), 1),
        ('/', _) => (Token::Operate(Operation::Divide), 1),
        ('%', _) => (Token::Operate(Operation::Remainder), 1),
        ('(', _) => (Token::Open, 1),
        (')', _) => (Token::Close, 1),
        ('[', _) => (Token::OpenList, 1),
        (']', _) => (Token::CloseList, 1),
        (',', _) => (Token::Comma, 1),
        _ => return Err(error(format!("`{}` is not part of this language", c.escape_debug()), at)),
    })
}
