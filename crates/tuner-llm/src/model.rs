//! Asking a model: one question, tried again while nothing was said, in the form that the server takes.
//!
//! *Invariant*: once a piece of the answer was given out, it is finished or it is an error; it never begins anew.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use tuner_wire::sse::{Item, Parser};
use tuner_wire::{Secret, said};

use crate::answer::{Answer, Inside, Told};
use crate::openai::body::{Without, limit_field};
use crate::refusal::{Failed, of_inside};
use crate::transport::{Incoming, Wire, secret_header};
use crate::{ChatRequest, Delta, LlmError, Provider, ProviderKind, Reply, ToolSupport};
use crate::{anthropic, openai};

/// Version of Anthropic's protocol that is spoken.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A chat model, ready to be asked; many questions may run at once.
#[derive(Debug)]
pub struct ChatModel {
    pub(crate) provider: Provider,
    pub(crate) wire: Wire,
    learned: Mutex<Without>,
    /// The server took a request with tools.
    takes_tools: AtomicBool,
    /// The last answer came as a stream.
    pub(crate) streams: AtomicBool,
    /// The server refused tools and took the same question without.
    refuses_tools: AtomicBool,
}

impl ChatModel {
    /// Checks the settings; sends nothing. `http` decides on proxies ([`crate::Limits::client`] makes a fitting one).
    pub fn new(provider: Provider, http: reqwest::Client) -> Result<Self, LlmError> {
        let mut base = provider.base()?;
        if provider.model.trim().is_empty() {
            return Err(LlmError::Settings {
                what: "no model is named".into(),
                hint: "set AGENT_MODEL to the model's name at the server".into(),
            });
        }
        let key = provider.key().cloned();
        if key.is_none() && provider.kind != ProviderKind::Local {
            return Err(LlmError::Settings {
                what: format!("the provider {} needs a key", provider.kind.name()),
                hint: "set AGENT_API_KEY".into(),
            });
        }
        let mut headers = HeaderMap::new();
        let mut secrets: Vec<Secret> = key.iter().cloned().collect();
        secrets.extend(base.password().and_then(Secret::new));
        if let Some(key) = &key {
            match provider.kind {
                ProviderKind::Anthropic => headers.insert("x-api-key", secret_header(key.reveal())?),
                _ => headers.insert(AUTHORIZATION, secret_header(&format!("Bearer {}", key.reveal()))?),
            };
            // The key is the one authorization; a name in the address would replace it.
            let _ = base.set_username("");
            let _ = base.set_password(None);
        }
        if provider.kind == ProviderKind::Anthropic {
            headers.insert("anthropic-version", HeaderValue::from_static(ANTHROPIC_VERSION));
        }
        let (limits, model) = (provider.limits, provider.model.clone());
        Ok(Self {
            provider,
            wire: Wire { http, base, headers, limits, secrets, model },
            learned: Mutex::default(),
            takes_tools: AtomicBool::new(false),
            streams: AtomicBool::new(false),
            refuses_tools: AtomicBool::new(false),
        })
    }

    /// The settings that it was made of.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Whether tools are offered by schema, as far as is known by now.
    pub fn offers_tools_by_schema(&self) -> bool {
        match self.provider.tools {
            ToolSupport::Native => false,
            ToolSupport::Schema => true,
            ToolSupport::Auto => self.refuses_tools.load(Ordering::Relaxed),
        }
    }

    /// Asks, and tells every piece of the answer as it comes. Dropping the future closes the connection at once.
    ///
    /// # Errors
    /// See [`LlmError`]; [`LlmError::after_output`] says whether pieces were told before.
    pub async fn ask(&self, request: &ChatRequest, told: &mut (dyn FnMut(Delta) + Send)) -> Result<Reply, LlmError> {
        let mut told = Told::new(told);
        if request.tools.is_empty() {
            return self.question(request, None, &mut told).await.map_err(|failed| failed.error);
        }
        if self.offers_tools_by_schema() {
            return crate::schema::ask(self, request, &mut told).await;
        }
        let failed = match self.question(request, None, &mut told).await {
            Ok(reply) => {
                self.takes_tools.store(true, Ordering::Relaxed);
                return Ok(reply);
            }
            Err(failed) => failed,
        };
        if !self.may_be_about_tools(&failed) || told.given {
            return Err(failed.error);
        }
        tracing::debug!(error = %failed.error, "tools are refused; the schema is tried");
        match crate::schema::ask(self, request, &mut told).await {
            Ok(reply) => {
                self.refuses_tools.store(true, Ordering::Relaxed);
                Ok(reply)
            }
            // What the server said first is what a person can act upon.
            Err(LlmError::Refused { .. }) => Err(failed.error),
            Err(error) => Err(error),
        }
    }

    fn may_be_about_tools(&self, failed: &Failed) -> bool {
        let auto = self.provider.tools == ToolSupport::Auto && !self.takes_tools.load(Ordering::Relaxed);
        let status = matches!(failed.error, LlmError::Refused { status: 400 | 404 | 422 | 500 | 501, .. });
        auto && status && self.provider.kind != ProviderKind::Anthropic
    }

    /// One question in the protocol's own form, in as many tries as the limits allow. Fields that the server does not
    /// take are left out from then on; that is no try.
    pub(crate) async fn question(
        &self,
        request: &ChatRequest,
        schema: Option<&Value>,
        told: &mut Told<'_>,
    ) -> Result<Reply, Failed> {
        let mut tries = 1;
        loop {
            let without = self.learned();
            let mut failed = match self.attempt(request, schema, without, told).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            if let Some(less) = self.lesson(&failed, schema.is_some(), without) {
                if let Ok(mut learned) = self.learned.lock() {
                    *learned = less;
                }
                continue;
            }
            set_tries(&mut failed.error, tries);
            let limits = self.provider.limits;
            let wait = failed.after.unwrap_or_else(|| limits.wait.after(tries, chance()));
            if !failed.again || told.given || tries >= limits.tries || wait > limits.wait.longest {
                return Err(failed);
            }
            tries += 1;
            told.give(Delta::Retrying { attempt: tries, after: wait, why: failed.error.to_string() });
            tokio::time::sleep(wait).await;
        }
    }

    fn learned(&self) -> Without {
        self.learned.lock().map_or_else(|poisoned| *poisoned.into_inner(), |learned| *learned)
    }

    /// What to leave out after this refusal; `None` if it names nothing that was sent.
    fn lesson(&self, failed: &Failed, with_schema: bool, without: Without) -> Option<Without> {
        if !without.stream && !without.stream_options && failed.about("stream_options") {
            return Some(Without { stream_options: true, ..without });
        }
        if !without.usual_limit
            && self.provider.max_output_tokens.is_some()
            && self.provider.kind != ProviderKind::Anthropic
            && failed.about(limit_field(self.provider.kind, without))
        {
            return Some(Without { usual_limit: true, ..without });
        }
        if !without.temperature && self.provider.temperature.is_some() && failed.about("temperature") {
            return Some(Without { temperature: true, ..without });
        }
        let form = || failed.about("response_format") || failed.about("json_schema") || failed.about("grammar");
        if with_schema && !without.response_format && form() {
            return Some(Without { response_format: true, ..without });
        }
        let stream = || failed.about("stream") && !failed.words.contains("upstream");
        (!without.stream && stream()).then_some(Without { stream: true, ..without })
    }

    async fn attempt(
        &self,
        request: &ChatRequest,
        schema: Option<&Value>,
        without: Without,
        told: &mut Told<'_>,
    ) -> Result<Reply, Failed> {
        let (path, body) = match self.provider.kind {
            ProviderKind::Anthropic => ("v1/messages", anthropic::body::body(&self.provider, request, without)),
            _ => ("chat/completions", openai::body::body(&self.provider, request, schema, without)),
        };
        let incoming = self.wire.post(path, &body).await?;
        let mut answer = Answer::to(request);
        self.streams.store(incoming.is_stream, Ordering::Relaxed);
        if incoming.is_stream {
            self.read_stream(incoming, &mut answer, told).await?;
        } else {
            self.read_whole(incoming, &mut answer, told).await?;
        }
        Ok(answer.into_reply(&self.provider.model, told))
    }

    async fn read_stream(
        &self,
        mut incoming: Incoming,
        answer: &mut Answer,
        told: &mut Told<'_>,
    ) -> Result<(), Failed> {
        let mut parser = Parser::default();
        while !answer.over {
            let chunk = match incoming.next(told.given).await {
                Ok(chunk) => chunk,
                // The reason for the end had come; only the last words are missing.
                Err(_) if answer.may_end() => return Ok(()),
                Err(failed) => return Err(failed),
            };
            let Some(chunk) = chunk else {
                self.events(&mut parser, None, answer, told)?;
                return if answer.may_end() { Ok(()) } else { Err(broken_off(told.given)) };
            };
            self.events(&mut parser, Some(&chunk), answer, told)?;
            if answer.finish.is_some() {
                incoming.expect_end();
            }
        }
        incoming.settle().await;
        Ok(())
    }

    /// Feeds the parser (`None`: the end) and reads what it completes.
    fn events(
        &self,
        parser: &mut Parser,
        bytes: Option<&[u8]>,
        answer: &mut Answer,
        told: &mut Told<'_>,
    ) -> Result<(), Failed> {
        let mut found = Ok(());
        let mut sink = |item: Item<'_>| {
            let Item::Event { name, data } = item else { return };
            if found.is_ok() && !answer.over {
                found = match self.provider.kind {
                    ProviderKind::Anthropic => anthropic::stream::event(data, answer, told),
                    _ => openai::stream::event(name, data, answer, told),
                };
            }
        };
        match bytes {
            Some(bytes) => parser.push(bytes, &mut sink),
            None => parser.finish(&mut sink),
        }
        found.map_err(|inside| self.inside(&inside, told.given))
    }

    /// An answer in one piece, from a server that does not stream (or does not say so).
    async fn read_whole(&self, mut incoming: Incoming, answer: &mut Answer, told: &mut Told<'_>) -> Result<(), Failed> {
        let mut body = Vec::new();
        while let Some(chunk) = incoming.next(false).await? {
            body.extend_from_slice(&chunk);
        }
        let start = body.trim_ascii_start();
        if [&b"data:"[..], b"event:", b":"].iter().any(|sign| start.starts_with(sign)) {
            let mut parser = Parser::default();
            self.events(&mut parser, Some(&body), answer, told)?;
            self.events(&mut parser, None, answer, told)?;
            return if answer.may_end() { Ok(()) } else { Err(broken_off(told.given)) };
        }
        let unreadable = |why: String| Failed::finally(LlmError::Unreadable { host: self.wire.host(), why });
        let value: Value = serde_json::from_slice(&body).map_err(|_| {
            let text = String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned();
            unreadable(format!("it sent {:?}", self.wire.said(&text).chars().take(200).collect::<String>()))
        })?;
        let anthropic = self.provider.kind == ProviderKind::Anthropic;
        let read = match anthropic {
            true => anthropic::stream::object(&value, answer, told),
            false => openai::stream::object(&value, false, answer, told),
        };
        read.map_err(|inside| self.inside(&inside, told.given))?;
        let has_answer = if anthropic { value["content"].is_array() } else { value["choices"].get(0).is_some() };
        if has_answer { Ok(()) } else { Err(unreadable("its JSON holds no answer".into())) }
    }

    fn inside(&self, inside: &Inside, given: bool) -> Failed {
        if inside.kind == "unreadable" {
            let why = said(&inside.message, &self.wire.secrets.iter().collect::<Vec<_>>());
            return Failed::finally(LlmError::Interrupted { why, after_output: given, tries: 1 });
        }
        of_inside(inside, given, &self.wire.secrets.iter().collect::<Vec<_>>())
    }
}

fn broken_off(given: bool) -> Failed {
    let why = "the server closed the stream before its end".to_owned();
    let error = LlmError::Interrupted { why, after_output: given, tries: 1 };
    if given { Failed::finally(error) } else { Failed::for_now(error) }
}

fn set_tries(error: &mut LlmError, made: u32) {
    if let LlmError::Unreachable { tries, .. }
    | LlmError::Limited { tries, .. }
    | LlmError::ServerFailed { tries, .. }
    | LlmError::Interrupted { tries, .. } = error
    {
        *tries = made;
    }
}

/// A number in [0, 1).
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / (f64::from(u32::MAX) + 1.0))
}
