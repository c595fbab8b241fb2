//! What the tests share: a model for a script, a question, what was told.

use std::time::Duration;

use serde_json::json;
use tuner_llm::{
    Backoff, ChatMessage, ChatModel, ChatRequest, Delta, Limits, LlmError, Provider, ProviderKind, Reply, Secret,
    ToolCall, ToolSpec,
};
use tuner_testkit::model::ScriptedModel;

/// Longest wait for something that must come.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) const BOTH: [ProviderKind; 2] = [ProviderKind::Local, ProviderKind::Anthropic];

/// So many events of an answer hold some of its text and not its end.
pub(crate) fn within(kind: ProviderKind) -> usize {
    if kind == ProviderKind::Anthropic { 4 } else { 2 }
}

/// A provider for the scripted model, with short waits between tries.
pub(crate) fn provider(server: &ScriptedModel, kind: ProviderKind) -> Provider {
    let base = if kind == ProviderKind::Anthropic { server.anthropic_url() } else { server.base_url() };
    provider_at(&base, kind)
}

pub(crate) fn provider_at(base: &str, kind: ProviderKind) -> Provider {
    Provider {
        base_url: Some(base.to_owned()),
        api_key: Secret::new("sk-abcdef123456"),
        limits: Limits {
            wait: Backoff { first: Duration::from_millis(1), longest: Duration::from_secs(1) },
            ..Limits::default()
        },
        ..Provider::new(kind, "scripted")
    }
}

pub(crate) fn model(provider: Provider) -> ChatModel {
    let http = provider.limits.client(reqwest::Client::builder().no_proxy()).unwrap();
    ChatModel::new(provider, http).unwrap()
}

pub(crate) fn tool(name: &str) -> ToolSpec {
    let parameters = json!({"type": "object", "properties": {"x": {"type": "integer"}}});
    ToolSpec { name: name.to_owned(), description: "Does it.".into(), parameters }
}

pub(crate) fn question(text: &str) -> ChatRequest {
    ChatRequest {
        system: "Be brief.".into(),
        messages: vec![ChatMessage::User { text: text.to_owned() }],
        tools: vec![tool("add"), tool("mul")],
    }
}

/// Asks, and checks that what was told comes to the reply.
pub(crate) async fn ask(model: &ChatModel, request: &ChatRequest) -> (Result<Reply, LlmError>, Vec<Delta>) {
    let mut told = Vec::new();
    let answer = model.ask(request, &mut |delta| told.push(delta)).await;
    if let Ok(reply) = &answer {
        let (mut text, mut reasoning, mut calls) = (String::new(), String::new(), Vec::<ToolCall>::new());
        for delta in &told {
            match delta {
                Delta::Text(piece) => text.push_str(piece),
                Delta::Reasoning(piece) => reasoning.push_str(piece),
                Delta::CallBegun { index, id, name } => {
                    assert_eq!(*index, calls.len());
                    calls.push(ToolCall { id: id.clone(), name: name.clone(), arguments: String::new() });
                }
                Delta::CallArguments { index, piece } => calls[*index].arguments.push_str(piece),
                Delta::Retrying { .. } => {}
            }
        }
        assert_eq!((&text, &reasoning, &calls), (&reply.text, &reply.reasoning, &reply.calls));
        let mut ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert!(ids.len() == calls.len() && !ids.contains(&""), "{calls:?}");
    }
    (answer, told)
}

/// The calls as `name(arguments)`.
pub(crate) fn calls(reply: &Reply) -> Vec<String> {
    reply.calls.iter().map(|call| format!("{}({})", call.name, call.arguments)).collect()
}
