//! Which format a text is in, by its first content.

use serde::Serialize;
use serde_json::Value;

use super::{Found, csv, json, requests, trace};

/// A line and what is wrong with it.
pub(super) type Wrong = (u64, String);

/// What a data set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object per line or list element: `prompt`, `messages`, or a whole request body.
    RequestsJson,
    /// A table with a column `prompt` or `request_body`.
    RequestsCsv,
    /// Conversations of ShareGPT: the first question and the length of its answer, or turn by turn.
    ShareGpt,
    /// Azure's inference traces: `TIMESTAMP,ContextTokens,GeneratedTokens`.
    Azure,
    /// Mooncake's traces: `timestamp`, `input_length`, `output_length`, `hash_ids` of blocks of 512 tokens.
    Mooncake,
    /// BurstGPT: `Timestamp`, `Request tokens`, `Response tokens`.
    BurstGpt,
    /// Vidur's and Splitwise's processed traces: `arrived_at`, `num_prefill_tokens`, `num_decode_tokens`.
    Vidur,
}

impl Format {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestsJson => "requests as JSON",
            Self::RequestsCsv => "requests as CSV",
            Self::ShareGpt => "ShareGPT conversations",
            Self::Azure => "Azure trace",
            Self::Mooncake => "Mooncake trace",
            Self::BurstGpt => "BurstGPT trace",
            Self::Vidur => "Vidur trace",
        }
    }
}

/// Recognises and reads a text.
pub(super) fn read(text: &str) -> Result<(Format, Found), Wrong> {
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Ok((Format::RequestsJson, Found::default())),
        Some('{' | '[') => Ok(read_json(text)),
        Some(_) => read_csv(text),
    }
}

fn read_json(text: &str) -> (Format, Found) {
    let values = json::values(text);
    let first = values.iter().flatten().find_map(|(_, value)| value.as_object());
    let has = |name: &str| first.is_some_and(|fields| fields.contains_key(name));
    let format = if has("conversations") || has("conversation") {
        Format::ShareGpt
    } else if has("hash_ids") || (has("input_length") && has("output_length")) {
        Format::Mooncake
    } else {
        Format::RequestsJson
    };
    let mut found = Found::default();
    for value in values {
        match value {
            Err(wrong) => found.wrong.push(wrong),
            Ok((line, Value::Object(fields))) => {
                let row = match format {
                    Format::ShareGpt => requests::conversation(&fields),
                    Format::Mooncake => trace::mooncake(&fields),
                    _ => requests::request(fields),
                };
                found.row(line, row);
            }
            Ok((line, _)) => {
                found.wrong.push((line, "expected an object with prompt, messages or request_body".to_owned()));
            }
        }
    }
    (format, found)
}

fn read_csv(text: &str) -> Result<(Format, Found), Wrong> {
    let table = csv::table(text)?;
    let has = |name: &str| table.column(name).is_some();
    let format = if has("prompt") || has("request_body") {
        Format::RequestsCsv
    } else if has("contexttokens") && has("generatedtokens") {
        Format::Azure
    } else if has("request tokens") && has("response tokens") {
        Format::BurstGpt
    } else if has("num_prefill_tokens") && has("num_decode_tokens") {
        Format::Vidur
    } else {
        let found = table.header.join(", ");
        return Err((
            1,
            format!(
                "neither JSON nor a table that is known: the columns are {found}; known are prompt or request_body, or \
                 those of the traces of Azure, BurstGPT and Vidur"
            ),
        ));
    };
    let mut found = Found::default();
    for (line, record) in &table.records {
        if record.len() != table.header.len() {
            let what = format!("{} fields where the first line names {}", record.len(), table.header.len());
            found.wrong.push((*line, what));
            continue;
        }
        let row = match format {
            Format::RequestsCsv => requests::record(&table, record),
            Format::Azure => trace::azure(&table, record),
            Format::BurstGpt => trace::burstgpt(&table, record),
            _ => trace::vidur(&table, record),
        };
        found.row(*line, row);
    }
    Ok((format, found))
}
