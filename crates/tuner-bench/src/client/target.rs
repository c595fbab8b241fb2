//! Where requests go and what the engine there accepts.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};

use http_body_util::Full;
use tuner_core::task::Api;

use crate::protocol;

/// Request features that engines differ in; all on is what vLLM, SGLang and llama.cpp take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Features {
    /// `stream_options.include_usage`
    pub include_usage: bool,
    /// `stream_options.continuous_usage_stats`: exact tokens of every chunk.
    pub continuous_usage: bool,
    /// `ignore_eos`
    pub ignore_eos: bool,
    /// A prompt on `/v1/completions` may be a list of token ids.
    pub token_ids: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self { include_usage: true, continuous_usage: true, ignore_eos: true, token_ids: false }
    }
}

/// An endpoint.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `http://host:port`, with or without `/v1`.
    pub base_url: String,
    /// Model name to ask for.
    pub model: String,
    /// Sent as a bearer token.
    pub api_key: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What it accepts ([`crate::probe::features`]).
    pub features: Features,
}

/// An address or header that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL with a host.
    #[error("{0:?} is not a URL of the form http://host:port")]
    Url(String),
    /// Another scheme than http.
    #[error("{0:?}: the load generator speaks plain http only; measure behind the TLS proxy")]
    Scheme(String),
    /// A header that HTTP does not allow.
    #[error("header {0:?} is not a valid HTTP header")]
    Header(String),
}

/// An endpoint, resolved as far as it can be without the network.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    prefix: String,
    headers: HeaderMap,
}

impl Target {
    pub(crate) fn address(&self) -> Result<Address, TargetError> {
        let wrong = || TargetError::Url(self.base_url.clone());
        let uri: Uri = self.base_url.trim().parse().map_err(|_| wrong())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(_) => return Err(TargetError::Scheme(self.base_url.clone())),
            None => return Err(wrong()),
        }
        let authority = uri.authority().ok_or_else(wrong)?;
        let path = uri.path().trim_end_matches('/');
        let mut headers = HeaderMap::new();
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?;
        headers.insert(hyper::header::HOST, host);
        headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let agent = concat!("inference-autotuner/", env!("CARGO_PKG_VERSION"));
        headers.insert(hyper::header::USER_AGENT, HeaderValue::from_static(agent));
        let bearer = self.api_key.as_ref().map(|key| ("authorization".to_owned(), format!("Bearer {key}")));
        for (name, value) in bearer.iter().chain(&self.headers) {
            let bad = || TargetError::Header(name.clone());
            let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
        }
        Ok(Address {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            prefix: path.strip_suffix("/v1").unwrap_or(path).to_owned(),
            headers,
        })
    }
}

impl Address {
    /// A request to the protocol's endpoint.
    pub(crate) fn ask(&self, api: Api, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = self.request(Method::POST, protocol::path(api), body);
        for (name, value) in protocol::headers(api) {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
            request.headers_mut().entry(name).or_insert(value);
        }
        request
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // Both halves were parsed before; a path that does not fit together would be answered with 404.
        *request.uri_mut() = format!("{}{path}", self.prefix).parse().unwrap_or_default();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<(String, u16, String), TargetError> {
        let target = Target { base_url: url.to_owned(), ..Target::default() };
        target
            .address()
            .map(|a| (a.host.clone(), a.port, a.request(Method::GET, "/v1/models", Bytes::new()).uri().to_string()))
    }

    #[test]
    fn addresses_are_read_with_or_without_the_version() {
        let expected = Ok(("127.0.0.1".to_owned(), 8000, "/v1/models".to_owned()));
        for url in
            ["http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/"]
        {
            assert_eq!(address(url), expected, "{url}");
        }
        assert_eq!(address("http://h/api/v1"), Ok(("h".to_owned(), 80, "/api/v1/models".to_owned())));
        assert_eq!(address("http://[::1]:80"), Ok(("::1".to_owned(), 80, "/v1/models".to_owned())));
    }

    #[test]
    fn other_addresses_are_refused() {
        assert!(matches!(address("https://h"), Err(TargetError::Scheme(_))));
        assert!(matches!(address("127.0.0.1:8000"), Err(TargetError::Url(_))));
        assert!(matches!(address(""), Err(TargetError::Url(_))));
    }
}
