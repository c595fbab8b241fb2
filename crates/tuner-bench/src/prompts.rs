//! Prompts from a file: JSONL with `prompt`, `messages` or `request_body` per line, or CSV with a `prompt` or
//! `request_body` column (quoted by RFC 4180).
//!
//! *Invariant*: roles, order of messages and sampling parameters are kept as they are in the file.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tuner_core::task::Api;

use crate::plan::DEFAULT_OUTPUT_TOKENS;
use crate::protocol::adopt;
use crate::tokens::{TokenError, TokenSource};

/// Request fields that a line may carry beside its prompt; any others (ids, labels) stay behind.
const SAMPLING: [&str; 19] = [
    "max_tokens",
    "max_completion_tokens",
    "min_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "n",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "response_format",
    "tools",
    "tool_choice",
    "ignore_eos",
    "chat_template_kwargs",
];

/// A prompts file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptFileError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{path}, line {line}: {what}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong and what is allowed.
        what: String,
    },
    /// It holds nothing.
    #[error("{path} holds no prompts")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// One prompt, as the request fields that it fixes.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePrompt {
    /// Line in the file, from 1.
    pub line: u64,
    /// `messages` or `prompt`, and every parameter that the line carries.
    pub body: Map<String, Value>,
}

impl FilePrompt {
    /// Output length that the line asks for.
    pub fn output_tokens(&self) -> Option<u32> {
        let names = ["max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict", "max_new_tokens"];
        let nested = self.body.get("sampling_params");
        let field = |name| self.body.get(name).or_else(|| nested?.get(name)).and_then(Value::as_u64);
        names.into_iter().find_map(field).map(|n| n.min(u64::from(u32::MAX)) as u32)
    }

    /// All text of the prompt, for counting.
    fn text(&self) -> String {
        fn collect(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::String(text) => into.push(text.clone()),
                Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
                Value::Object(fields) => {
                    ["content", "text"].iter().filter_map(|k| fields.get(*k)).for_each(|v| collect(v, into));
                }
                _ => {}
            }
        }
        let mut parts = Vec::new();
        let places = ["system", "messages", "prompt", "input", "text", "query", "documents"];
        places.iter().filter_map(|k| self.body.get(*k)).for_each(|v| collect(v, &mut parts));
        parts.join("\n")
    }
}

/// The prompts of a file, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptFile {
    /// At least one.
    pub prompts: Vec<FilePrompt>,
}

impl PromptFile {
    /// Reads a file for one endpoint. A name that ends in `.csv` is read as CSV, any other as JSONL.
    ///
    /// # Errors
    /// Names the line and what is wrong with it.
    pub fn load(path: &Path, api: Api) -> Result<Self, PromptFileError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| PromptFileError::Read { path: path.to_owned(), source })?;
        let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        let read = if csv { read_csv(&text, api) } else { read_jsonl(&text, api) };
        let prompts = read.map_err(|(line, what)| PromptFileError::Line { path: path.to_owned(), line, what })?;
        if prompts.is_empty() {
            return Err(PromptFileError::Empty { path: path.to_owned() });
        }
        Ok(Self { prompts })
    }

    /// (input, output) lengths of each prompt. Without a tokenizer the input counts as unknown (0). `output`: for
    /// lines that do not say.
    ///
    /// # Errors
    /// The tokenizer refuses a text.
    pub async fn lengths(
        &self,
        tokens: Option<&TokenSource>,
        output: Option<u32>,
    ) -> Result<Vec<(u32, u32)>, TokenError> {
        let mut lengths = Vec::with_capacity(self.prompts.len());
        for prompt in &self.prompts {
            let input = match tokens {
                Some(tokens) => tokens.count(&prompt.text()).await?,
                None => 0,
            };
            lengths.push((input, prompt.output_tokens().or(output).unwrap_or(DEFAULT_OUTPUT_TOKENS)));
        }
        Ok(lengths)
    }
}

type Wrong = (u64, String);

fn read_jsonl(text: &str, api: Api) -> Result<Vec<FilePrompt>, Wrong> {
    let mut prompts = Vec::new();
    for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = index as u64 + 1;
        if raw.trim().is_empty() {
            continue;
        }
        let value: Value =
            serde_json::from_str(raw).map_err(|e| (line, format!("not JSON at column {}: {e}", e.column())))?;
        let Value::Object(fields) = value else {
            return Err((line, "expected an object with prompt, messages or request_body".to_owned()));
        };
        prompts.push(FilePrompt { line, body: body(fields, api).map_err(|what| (line, what))? });
    }
    Ok(prompts)
}

fn read_csv(text: &str, api: Api) -> Result<Vec<FilePrompt>, Wrong> {
    let mut records = records(text.trim_start_matches('\u{feff}'))?.into_iter();
    let Some((_, header)) = records.next() else { return Ok(Vec::new()) };
    let header: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    if !header.iter().any(|name| name == "prompt" || name == "request_body") {
        let found = header.join(", ");
        return Err((1, format!("expected a column prompt or request_body in the first line, found {found}")));
    }
    let mut prompts = Vec::new();
    for (line, record) in records {
        if record.len() != header.len() {
            return Err((line, format!("{} fields where the first line names {}", record.len(), header.len())));
        }
        let mut fields = Map::new();
        for (name, cell) in header.iter().zip(record) {
            if cell.is_empty() && name != "prompt" {
                continue;
            }
            let value = match name.as_str() {
                "prompt" => Value::String(cell),
                // Every other column is JSON where it can be (numbers, lists), else text.
                _ => serde_json::from_str(&cell).unwrap_or(Value::String(cell)),
            };
            fields.insert(name.clone(), value);
        }
        if fields.contains_key("request_body") && fields.get("prompt").and_then(Value::as_str) == Some("") {
            fields.remove("prompt");
        }
        prompts.push(FilePrompt { line, body: body(fields, api).map_err(|what| (line, what))? });
    }
    Ok(prompts)
}

/// RFC 4180 records with the line each begins on.
fn records(text: &str) -> Result<Vec<(u64, Vec<String>)>, Wrong> {
    let mut records = Vec::new();
    let mut chars = text.chars().peekable();
    let mut line = 1;
    while chars.peek().is_some() {
        let begun = line;
        let mut record = Vec::new();
        loop {
            let mut cell = String::new();
            if chars.next_if_eq(&'"').is_some() {
                loop {
                    match chars.next() {
                        Some('"') if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                        Some('"') => break,
                        Some(c) => {
                            line += u64::from(c == '\n');
                            cell.push(c);
                        }
                        None => return Err((begun, "a quoted field is not closed".to_owned())),
                    }
                }
                if !matches!(chars.peek(), None | Some(',' | '\r' | '\n')) {
                    return Err((line, "text after a closing quote; double the quotes inside a field".to_owned()));
                }
            } else {
                while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\r' | '\n')) {
                    if c == '"' {
                        return Err((line, "a quote inside a field that does not begin with one".to_owned()));
                    }
                    cell.push(c);
                }
            }
            record.push(cell);
            if chars.next_if_eq(&',').is_none() {
                break;
            }
        }
        let cr = chars.next_if_eq(&'\r').is_some();
        let lf = chars.next_if_eq(&'\n').is_some();
        line += u64::from(cr || lf);
        if record.len() > 1 || !record[0].is_empty() {
            records.push((begun, record));
        }
    }
    Ok(records)
}

/// The request fields of a line, in the endpoint's form.
fn body(mut fields: Map<String, Value>, api: Api) -> Result<Map<String, Value>, String> {
    let given: Vec<&str> =
        ["prompt", "messages", "request_body"].into_iter().filter(|k| fields.contains_key(*k)).collect();
    if given.len() != 1 {
        let found = if given.is_empty() { "none of them".to_owned() } else { given.join(" and ") };
        return Err(format!("expected exactly one of prompt, messages and request_body, found {found}"));
    }
    let body = match fields.remove("request_body") {
        Some(Value::Object(body)) => body,
        Some(_) => return Err("request_body must be a JSON object".to_owned()),
        None => {
            let named = ["prompt", "messages"].into_iter().chain(SAMPLING);
            let mut body: Map<String, Value> =
                named.filter_map(|name| Some((name.to_owned(), fields.remove(name)?))).collect();
            if let (Some(tokens), false) = (fields.remove("output_tokens"), body.contains_key("max_tokens")) {
                body.insert("max_tokens".to_owned(), tokens);
            }
            body
        }
    };
    adopt(api, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn load(name: &str, text: &str, api: Api) -> Result<Vec<Value>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let place = folder.path().display().to_string();
        PromptFile::load(&path, api)
            .map(|f| f.prompts.into_iter().map(|p| Value::Object(p.body)).collect())
            .map_err(|e| e.to_string().replace(&place, ""))
    }

    #[test]
    fn lines_keep_their_roles_and_sampling_parameters() {
        let text = concat!(
            "{\"prompt\": \"a\", \"temperature\": 0.7, \"max_tokens\": 5, \"id\": \"x\"}\n\n",
            "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"u\"}]}\n",
            "{\"request_body\": {\"messages\": [{\"role\": \"user\", \"content\": \"u\"}], \"vendor\": 1}}\n",
        );
        let expected = vec![
            json!({"messages": [{"role": "user", "content": "a"}], "max_tokens": 5, "temperature": 0.7}),
            json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}),
            json!({"messages": [{"role": "user", "content": "u"}], "vendor": 1}),
        ];
        assert_eq!(load("p.jsonl", text, Api::Chat), Ok(expected));
    }

    #[test]
    fn csv_is_quoted_as_the_standard_says() {
        let text = "prompt,max_tokens\r\n\"a, \"\"b\"\"\r\nc\",7\r\nplain,\r\n";
        let expected = vec![json!({"prompt": "a, \"b\"\r\nc", "max_tokens": 7}), json!({"prompt": "plain"})];
        assert_eq!(load("p.CSV", text, Api::Completions), Ok(expected));
        let body = "request_body\n\"{\"\"prompt\"\": \"\"x\"\", \"\"top_p\"\": 0.5}\"\n";
        assert_eq!(load("p.csv", body, Api::Completions), Ok(vec![json!({"prompt": "x", "top_p": 0.5})]));
    }

    #[test]
    fn mistakes_name_their_line() {
        let cases = [
            ("p.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": }", Api::Chat),
            ("p.jsonl", "[1]", Api::Chat),
            ("p.jsonl", "{\"text\": \"a\"}", Api::Chat),
            ("p.jsonl", "{\"prompt\": \"a\", \"messages\": []}", Api::Chat),
            ("p.jsonl", "{\"messages\": [{\"content\": \"a\"}]}", Api::Chat),
            ("p.jsonl", "{\"messages\": [{\"role\": \"user\"}]}", Api::Completions),
            ("p.jsonl", "{\"request_body\": \"x\"}", Api::Chat),
            ("p.jsonl", "{\"prompt\": 5}", Api::Chat),
            ("p.jsonl", "\n \n", Api::Chat),
            ("p.csv", "text\na\n", Api::Chat),
            ("p.csv", "prompt\n\"a\n", Api::Chat),
            ("p.csv", "prompt\na\nb,c\n", Api::Chat),
            ("p.csv", "prompt\n\"a\"b\n", Api::Chat),
            ("p.csv", "prompt\na\"b\n", Api::Chat),
            ("p.csv", "", Api::Chat),
        ];
        let errors: Vec<String> = cases.iter().map(|(name, text, api)| load(name, text, *api).unwrap_err()).collect();
        insta::assert_snapshot!(errors.join("\n"));
    }
}
