//! Embeddings and reranking: whole answers that are computed in one go. Their arrival is the output, of no tokens.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::client::event::{Reading, Unparsed, Usage, error_text};

#[derive(Deserialize)]
struct Answer {
    /// Vectors.
    #[serde(default)]
    data: Option<Vec<IgnoredAny>>,
    /// A ranking.
    #[serde(default)]
    results: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: Option<u32>,
    #[serde(default)]
    total_tokens: Option<u32>,
}

/// Reads the vectors of an embeddings request.
pub(super) fn read_vectors(body: &[u8]) -> Result<Reading<'_>, Unparsed> {
    read(body, |answer| answer.data.as_ref())
}

/// Reads the ranking of a rerank request.
pub(super) fn read_ranking(body: &[u8]) -> Result<Reading<'_>, Unparsed> {
    read(body, |answer| answer.results.as_ref())
}

fn read(body: &[u8], items: fn(&Answer) -> Option<&Vec<IgnoredAny>>) -> Result<Reading<'_>, Unparsed> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Unparsed)?;
    if let Some(error) = answer.error.as_ref().filter(|e| !e.is_null()) {
        return Ok(Reading { error: Some(error_text(error)), ..Reading::default() });
    }
    let count = items(&answer).ok_or(Unparsed)?.len();
    let prompt = answer.usage.and_then(|counts| counts.prompt_tokens.or(counts.total_tokens));
    Ok(Reading {
        other_output: count > 0,
        running: true,
        index: Some(0),
        finish: Some("stop".into()),
        finished: 1,
        usage: Some(Usage { prompt_tokens: prompt, completion_tokens: Some(0), ..Usage::default() }),
        ..Reading::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_output_of_no_tokens() {
        let vectors = br#"{"object":"list","data":[{"index":0,"embedding":[0.5,1.5]}],"usage":{"prompt_tokens":6,"total_tokens":6}}"#;
        let ranking =
            br#"{"id":"r","results":[{"index":1,"document":{"text":"d"},"relevance_score":0.9}],"usage":{"total_tokens":6}}"#;
        for reading in [read_vectors(vectors).unwrap(), read_ranking(ranking).unwrap()] {
            let usage = reading.usage.unwrap();
            assert_eq!((usage.prompt_tokens, usage.completion_tokens), (Some(6), Some(0)));
            assert!(reading.has_output() && reading.finish.is_some());
        }
        assert!(!read_vectors(br#"{"data":[]}"#).unwrap().has_output(), "nothing came back");
        assert!(read_vectors(ranking).is_err() && read_ranking(vectors).is_err());
        assert_eq!(read_ranking(br#"{"error":{"message":"no"}}"#).unwrap().error.as_deref(), Some("no"));
    }
}
