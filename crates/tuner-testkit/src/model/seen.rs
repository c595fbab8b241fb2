//! A request, seen in one way whatever protocol it came in.
//!
//! *Invariant*: the body is kept as it was sent; everything else is read from it.

use serde_json::Value;

/// The protocol of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Openai,
    Anthropic,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub(super) protocol: Protocol,
    /// The body, as it was sent.
    pub body: Value,
    /// The key that it carried.
    pub key: Option<String>,
}

impl Seen {
    /// Whether it asked for a stream.
    pub fn wants_stream(&self) -> bool {
        self.body["stream"] == true
    }

    /// Whether it asks for an answer in the form of a schema, and offers no tools: then calls are written into the text.
    pub fn wants_schema(&self) -> bool {
        self.body["response_format"]["type"] == "json_schema" && self.tools().is_empty()
    }

    fn messages(&self) -> impl Iterator<Item = &Value> {
        self.body["messages"].as_array().into_iter().flatten()
    }

    /// The system text.
    pub fn system(&self) -> String {
        match self.protocol {
            Protocol::Anthropic => texts(&self.body["system"]),
            Protocol::Openai => {
                let system = self.messages().filter(|message| message["role"] == "system");
                system.map(|message| texts(&message["content"])).collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// What the person said last.
    pub fn last_user(&self) -> String {
        let said =
            self.messages().filter(|message| message["role"] == "user").map(|message| texts(&message["content"]));
        said.filter(|text| !text.is_empty() && !text.starts_with(RESULT)).last().unwrap_or_default()
    }

    /// The tools that it offers, by name.
    pub fn tools(&self) -> Vec<String> {
        let offered = self.body["tools"].as_array().into_iter().flatten();
        offered
            .filter_map(|tool| tool["function"]["name"].as_str().or(tool["name"].as_str()).map(str::to_owned))
            .collect()
    }

    /// Names and contents of the results that came after the person spoke last.
    pub fn results(&self) -> Vec<(String, String)> {
        let mut results = Vec::new();
        let mut names: Vec<(String, String)> = Vec::new();
        for message in self.messages() {
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                names.push((word(&call["id"]), word(&call["function"]["name"])));
            }
            let blocks = message["content"].as_array().cloned().unwrap_or_default();
            for block in blocks.iter().filter(|block| block["type"] == "tool_use") {
                names.push((word(&block["id"]), word(&block["name"])));
            }
            let name = |id: &Value| names.iter().rev().find(|(known, _)| id == known.as_str()).map(|(_, n)| n.clone());
            let text = texts(&message["content"]);
            match message["role"].as_str().unwrap_or_default() {
                "tool" => results.push((name(&message["tool_call_id"]).unwrap_or_default(), text)),
                "user" if text.starts_with(RESULT) => results.extend(written_results(&text)),
                "user" => {
                    let given = blocks.iter().filter(|block| block["type"] == "tool_result");
                    let given: Vec<_> = given
                        .map(|block| (name(&block["tool_use_id"]).unwrap_or_default(), texts(&block["content"])))
                        .collect();
                    if !text.is_empty() {
                        results.clear();
                    }
                    results.extend(given);
                }
                _ => {}
            }
        }
        results
    }
}

/// How results are written where a server takes no tools.
const RESULT: &str = "Result of ";

fn written_results(text: &str) -> Vec<(String, String)> {
    let parts = text.split(RESULT).skip(1).filter_map(|part| part.split_once(":\n"));
    parts.map(|(name, content)| (name.to_owned(), content.trim_end().to_owned())).collect()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A text, or the texts of blocks.
fn texts(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(protocol: Protocol, body: Value) -> Seen {
        Seen { protocol, body, key: None }
    }

    #[test]
    fn both_protocols_are_seen_alike() {
        let openai = json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "and?"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": {"name": "add"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "seven"},
        ], "tools": [{"type": "function", "function": {"name": "add"}}]});
        let anthropic = json!({"system": [{"type": "text", "text": "Be brief."}], "messages": [
            {"role": "user", "content": [{"type": "text", "text": "and?"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "add", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "seven"}]},
        ], "tools": [{"name": "add"}]});
        let schema = json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "and?"},
            {"role": "assistant", "content": "{}"},
            {"role": "user", "content": "Result of add:\nseven"},
        ], "tools": [{"name": "add"}]});
        for seen in
            [seen(Protocol::Openai, openai), seen(Protocol::Anthropic, anthropic), seen(Protocol::Openai, schema)]
        {
            assert_eq!(seen.system(), "Be brief.");
            assert_eq!(seen.last_user(), "and?");
            assert_eq!(seen.results(), [("add".to_owned(), "seven".to_owned())], "{seen:?}");
            assert_eq!(seen.tools(), ["add"]);
        }
    }
}
