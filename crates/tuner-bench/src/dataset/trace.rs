//! Traces: lengths and arrival times of requests that were really made, without their words.

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Map, Value};

use super::csv::Table;
use super::{DatasetRow, Refused};

/// `TIMESTAMP,ContextTokens,GeneratedTokens`.
pub(super) fn azure(table: &Table, record: &[String]) -> Result<DatasetRow, Refused> {
    let at_s = Some(date(cell(table, record, "timestamp")?)?);
    let (input, output) = (tokens(table, record, "contexttokens")?, tokens(table, record, "generatedtokens")?);
    row(input, output, at_s)
}

/// `Timestamp,Model,Request tokens,Response tokens,…`; a response of no tokens is a failure.
pub(super) fn burstgpt(table: &Table, record: &[String]) -> Result<DatasetRow, Refused> {
    let at_s = Some(number(cell(table, record, "timestamp")?, "Timestamp")?);
    row(tokens(table, record, "request tokens")?, tokens(table, record, "response tokens")?, at_s)
}

/// `arrived_at,num_prefill_tokens,num_decode_tokens`; without `arrived_at` there are only lengths.
pub(super) fn vidur(table: &Table, record: &[String]) -> Result<DatasetRow, Refused> {
    let at_s = match table.column("arrived_at") {
        Some(at) => Some(number(&record[at], "arrived_at")?),
        None => None,
    };
    row(tokens(table, record, "num_prefill_tokens")?, tokens(table, record, "num_decode_tokens")?, at_s)
}

/// `timestamp` in milliseconds, `input_length`, `output_length`, `hash_ids`.
pub(super) fn mooncake(fields: &Map<String, Value>) -> Result<DatasetRow, Refused> {
    let field = |name: &str| fields.get(name).and_then(Value::as_f64).filter(|x| x.is_finite() && *x >= 0.0);
    let needed =
        |name: &str| field(name).ok_or_else(|| Refused::Wrong(format!("`{name}` must be a number, at least 0")));
    let at_s = match fields.get("timestamp") {
        Some(_) => Some(needed("timestamp")? / 1000.0),
        None => None,
    };
    let (input, output) = (needed("input_length")?, needed("output_length")?);
    let blocks = match fields.get("hash_ids") {
        None => Vec::new(),
        Some(Value::Array(ids)) => ids
            .iter()
            .map(|id| id.as_u64().or_else(|| id.as_i64().map(|i| i as u64)))
            .collect::<Option<Vec<u64>>>()
            .ok_or_else(|| Refused::Wrong("`hash_ids` must be a list of whole numbers".to_owned()))?,
        Some(_) => return Err(Refused::Wrong("`hash_ids` must be a list of whole numbers".to_owned())),
    };
    Ok(DatasetRow { blocks, ..row(input, output, at_s)? })
}

fn row(input: f64, output: f64, at_s: Option<f64>) -> Result<DatasetRow, Refused> {
    match (input as u32, output as u32) {
        (0, _) => Err(Refused::Drop("without a prompt")),
        (_, 0) => Err(Refused::Drop("without an answer")),
        (input, output) => {
            Ok(DatasetRow { input_tokens: Some(input), output_tokens: Some(output), at_s, ..DatasetRow::default() })
        }
    }
}

fn cell<'r>(table: &Table, record: &'r [String], name: &str) -> Result<&'r str, Refused> {
    let at = table.column(name).ok_or_else(|| Refused::Wrong(format!("there is no column {name}")))?;
    Ok(record[at].trim())
}

/// A whole number; some traces write it with a fraction of zero.
fn tokens(table: &Table, record: &[String], name: &str) -> Result<f64, Refused> {
    let text = cell(table, record, name)?;
    let count = number(text, name)?;
    if count.fract() != 0.0 || count > f64::from(u32::MAX) {
        return Err(Refused::Wrong(format!("{name} is {text}, which is no number of tokens")));
    }
    Ok(count)
}

fn number(text: &str, name: &str) -> Result<f64, Refused> {
    let number = text.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
    number.ok_or_else(|| Refused::Wrong(format!("{name} is {text:?}, not a number of at least 0")))
}

/// Seconds since 1970 of `2023-11-16 18:15:46.6805900`, with or without a zone.
fn date(text: &str) -> Result<f64, Refused> {
    let zoned =
        DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z").or_else(|_| DateTime::parse_from_rfc3339(text));
    let plain = || {
        let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
        formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    };
    let at = zoned.ok().map(|at| at.naive_utc()).or_else(plain);
    let at = at.ok_or_else(|| Refused::Wrong(format!("TIMESTAMP is {text:?}, not like 2023-11-16 18:15:46.68")))?;
    let at = at.and_utc();
    Ok(at.timestamp() as f64 + f64::from(at.timestamp_subsec_nanos()) / 1e9)
}
