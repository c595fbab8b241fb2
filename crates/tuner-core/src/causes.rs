//! An error and what caused it, on one line.

use std::error::Error;

/// The text of `error` and of each of its sources, joined by `: `. A source that the text already ends with is not
/// said twice, because some libraries put it into their own text.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn chain(texts: &[&'static str]) -> Link {
        let source = (texts.len() > 1).then(|| Box::new(chain(&texts[1..])));
        Link { text: texts[0], source }
    }

    #[test]
    fn every_cause_is_said_once() {
        for (texts, line) in [
            (&["alone"][..], "alone"),
            (&["cannot read x", "refused", "not yours"], "cannot read x: refused: not yours"),
            (&["cannot read x: refused", "refused", "not yours"], "cannot read x: refused: not yours"),
        ] {
            assert_eq!(with_causes(&chain(texts)), line);
        }
    }
}
