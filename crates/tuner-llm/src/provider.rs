//! Which model is asked, where, and within which limits.
//!
//! *Invariant*: each provider has its own default address; none is sent to another's, and a local server has none.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use tuner_wire::{Backoff, Secret};

use crate::LlmError;

/// A model behind an address.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Which protocol and defaults.
    pub kind: ProviderKind,
    /// The model's name at that server.
    pub model: String,
    /// Address of the API, with or without `/v1`; needed for [`ProviderKind::Local`].
    pub base_url: Option<String>,
    /// Needed for all but [`ProviderKind::Local`].
    pub api_key: Option<Secret>,
    /// Times and tries.
    pub limits: Limits,
    /// How tools are offered.
    pub tools: ToolSupport,
    /// Longest answer; the server's own default if `None`.
    pub max_output_tokens: Option<u32>,
    /// The server's own default if `None`.
    pub temperature: Option<f64>,
    /// Size of the model's window, where it is known; not sent.
    pub context_tokens: Option<u32>,
}

/// Protocol and defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenAI itself.
    Openai,
    /// Anthropic's messages protocol.
    #[serde(alias = "claude")]
    Anthropic,
    /// Any server with OpenAI's protocol: vLLM, SGLang, llama.cpp, Ollama, a proxy.
    #[serde(alias = "jiekou")]
    Local,
}

/// How a model is offered tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolSupport {
    /// In the protocol's own field.
    Native,
    /// Described in the system text; the model answers with one JSON object that a schema describes.
    Schema,
    /// Natively, and by schema once the server has refused tools.
    #[default]
    Auto,
}

/// Times and tries of one question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Until a connection stands; kept by the client that [`Limits::client`] makes.
    pub connect: Duration,
    /// From sending to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two bytes of the answer.
    pub idle: Duration,
    /// Tries in all, while nothing was said yet.
    pub tries: u32,
    /// Waiting between tries; a server that asks for more than its longest is not asked again.
    pub wait: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            tries: 4,
            wait: Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(60) },
        }
    }
}

impl Limits {
    /// A client that keeps these limits, with the proxies that `builder` was given. It follows no redirect, because a
    /// redirect could carry the key to another host.
    pub fn client(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::Client, LlmError> {
        // TLS needs a crypto provider; whoever came first has set the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = builder.connect_timeout(self.connect).redirect(reqwest::redirect::Policy::none());
        builder.build().map_err(|error| LlmError::Settings {
            what: format!("no HTTP client can be made: {}", error.without_url()),
            hint: "check the proxy settings".into(),
        })
    }
}

impl ProviderKind {
    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Local => "local",
        }
    }

    /// Where the API is, unless settings say otherwise.
    pub fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Local => None,
        }
    }
}

impl std::str::FromStr for ProviderKind {
    type Err = LlmError;

    fn from_str(word: &str) -> Result<Self, LlmError> {
        match word.trim().to_ascii_lowercase().as_str() {
            "openai" => Ok(Self::Openai),
            "anthropic" | "claude" => Ok(Self::Anthropic),
            "local" | "jiekou" => Ok(Self::Local),
            other => Err(LlmError::Settings {
                what: format!("no provider is called {other:?}"),
                hint: "set AGENT_PROVIDER to openai, anthropic or local".into(),
            }),
        }
    }
}

impl Provider {
    /// A provider with the usual limits.
    pub fn new(kind: ProviderKind, model: &str) -> Self {
        Self {
            kind,
            model: model.to_owned(),
            base_url: None,
            api_key: None,
            limits: Limits::default(),
            tools: ToolSupport::Auto,
            max_output_tokens: None,
            temperature: None,
            context_tokens: None,
        }
    }

    /// The key, if it is more than blanks.
    pub(crate) fn key(&self) -> Option<&Secret> {
        self.api_key.as_ref().filter(|key| !key.reveal().trim().is_empty())
    }

    /// The address that paths are added to: with `/v1` for OpenAI's protocol, without for Anthropic's. People paste
    /// it with and without a slash, the version, or the whole path of the endpoint.
    pub(crate) fn base(&self) -> Result<Url, LlmError> {
        let given = self.base_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let text = given.or(self.kind.default_base_url()).ok_or_else(|| LlmError::Settings {
            what: "the local provider has no address".into(),
            hint: "set AGENT_BASE_URL to an OpenAI-compatible server, such as http://localhost:8000/v1".into(),
        })?;
        let wrong = |why: String| LlmError::Settings {
            what: format!("AGENT_BASE_URL is no address: {why}"),
            hint: "write it as http://HOST:PORT/v1".into(),
        };
        let mut url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong(format!("it begins with {}:", url.scheme())));
        }
        url.set_query(None);
        url.set_fragment(None);
        let mut path = url.path().trim_end_matches('/');
        for endpoint in ["/chat/completions", "/messages", "/models"] {
            path = path.strip_suffix(endpoint).unwrap_or(path);
        }
        let path = match self.kind {
            ProviderKind::Anthropic => path.strip_suffix("/v1").unwrap_or(path).to_owned(),
            _ if path.is_empty() => "/v1".to_owned(),
            _ => path.to_owned(),
        };
        url.set_path(&path);
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(kind: ProviderKind, url: &str) -> Result<String, LlmError> {
        let provider = Provider { base_url: Some(url.into()), ..Provider::new(kind, "m") };
        provider.base().map(|url| url.to_string())
    }

    #[test]
    fn the_names_of_the_predecessor_are_read() {
        for (word, kind) in [
            ("local", ProviderKind::Local),
            ("openai", ProviderKind::Openai),
            ("jiekou", ProviderKind::Local),
            ("claude", ProviderKind::Anthropic),
            ("anthropic", ProviderKind::Anthropic),
        ] {
            assert_eq!(serde_json::from_value::<ProviderKind>(word.into()).unwrap(), kind);
            assert_eq!(word.parse::<ProviderKind>().unwrap(), kind);
        }
        assert_eq!(serde_json::to_value(ProviderKind::Anthropic).unwrap(), "anthropic");
        assert!("gpt".parse::<ProviderKind>().unwrap_err().hint().contains("AGENT_PROVIDER"));
    }

    #[test]
    fn an_address_is_understood_however_it_was_pasted() {
        for url in ["http://h:8000", "http://h:8000/", "http://h:8000/v1/", " http://h:8000/v1/chat/completions?x=1 "] {
            assert_eq!(base(ProviderKind::Local, url).unwrap(), "http://h:8000/v1");
        }
        assert_eq!(base(ProviderKind::Local, "http://h/proxy/openai").unwrap(), "http://h/proxy/openai");
        for url in ["https://a.example", "https://a.example/v1", "https://a.example/v1/messages"] {
            assert_eq!(base(ProviderKind::Anthropic, url).unwrap(), "https://a.example/");
        }
        assert!(base(ProviderKind::Local, "localhost:8000").unwrap_err().to_string().contains("localhost:"));
    }

    // W64
    #[test]
    fn each_provider_has_its_own_address_and_a_local_one_must_be_named() {
        let of = |kind| Provider { base_url: Some(" ".into()), ..Provider::new(kind, "m") }.base();
        assert_eq!(of(ProviderKind::Openai).unwrap().host_str(), Some("api.openai.com"));
        assert_eq!(of(ProviderKind::Anthropic).unwrap().host_str(), Some("api.anthropic.com"));
        assert!(of(ProviderKind::Local).unwrap_err().hint().contains("AGENT_BASE_URL"));
    }
}
