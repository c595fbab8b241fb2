//! Where requests go and what the engine there accepts.

use std::path::PathBuf;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Uri;
use tuner_core::task::Api;

use super::tls::{Tls, TlsError};
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
    /// `http://host:port` or `https://host:port`, with or without `/v1`.
    pub base_url: String,
    /// Model name to ask for.
    pub model: String,
    /// Sent as a bearer token.
    pub api_key: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Speak HTTP/2, one request at a time on each connection.
    pub http2: bool,
    /// A PEM file of authorities to trust besides those of the machine.
    pub authorities: Option<PathBuf>,
    /// What it accepts ([`crate::probe::features`]).
    pub features: Features,
    /// What stands for a picture in a prompt of llama.cpp's own endpoint ([`crate::probe::media_marker`]).
    pub media_marker: Option<String>,
}

/// An address or header that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL with a host.
    #[error("{0:?} is not a URL of the form http://host:port or https://host:port")]
    Url(String),
    /// A header that HTTP does not allow.
    #[error("header {0:?} is not a valid HTTP header")]
    Header(String),
    /// Its certificate could not be checked.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// An endpoint, resolved as far as it can be without the network.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) http2: bool,
    pub(crate) tls: Option<Tls>,
    authority: String,
    prefix: String,
    headers: HeaderMap,
}

impl Target {
    pub(crate) fn address(&self) -> Result<Address, TargetError> {
        let wrong = || TargetError::Url(self.base_url.clone());
        let uri: Uri = self.base_url.trim().parse().map_err(|_| wrong())?;
        let (secure, port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let path = uri.path().trim_end_matches('/');
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let tls = secure.then(|| Tls::new(&host, self.http2, self.authorities.as_deref())).transpose()?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let agent = concat!("inference-autotuner/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        let bearer = self.api_key.as_ref().map(|key| ("authorization".to_owned(), format!("Bearer {key}")));
        for (name, value) in bearer.iter().chain(&self.headers) {
            let bad = || TargetError::Header(name.clone());
            let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            // The length and the connection are not the caller's to decide.
            if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING || name == header::CONNECTION {
                return Err(bad());
            }
            headers.insert(name, value);
        }
        Ok(Address {
            host,
            port: authority.port_u16().unwrap_or(port),
            http2: self.http2,
            tls,
            authority: authority.as_str().to_owned(),
            prefix: path.strip_suffix("/v1").unwrap_or(path).to_owned(),
            headers,
        })
    }
}

impl Address {
    /// Whether it is this machine by its name or number.
    pub(crate) fn is_here(&self) -> bool {
        let ip = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// A request to the protocol's endpoint.
    pub(crate) fn ask(&self, api: Api, body: Bytes) -> Outgoing<'_> {
        let further = protocol::headers(api);
        Outgoing { address: self, method: "POST", path: protocol::path(api), further, body }
    }

    /// A request without a body.
    pub(crate) fn get<'a>(&'a self, path: &'a str) -> Outgoing<'a> {
        Outgoing { address: self, method: "GET", path, further: &[], body: Bytes::new() }
    }

    /// A request with a body to any path.
    pub(crate) fn post<'a>(&'a self, path: &'a str, body: Bytes) -> Outgoing<'a> {
        Outgoing { address: self, method: "POST", path, further: &[], body }
    }
}

/// A request that is about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing<'a> {
    address: &'a Address,
    method: &'static str,
    path: &'a str,
    further: &'static [(&'static str, &'static str)],
    body: Bytes,
}

impl Outgoing<'_> {
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let own = self.address.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let missing = |(name, _): &&(&str, &str)| !self.address.headers.contains_key(*name);
        own.chain(self.further.iter().filter(missing).map(|(name, value)| (*name, value.as_bytes())))
    }

    /// As HTTP/1.1 writes it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Address { prefix, authority, headers, .. } = self.address;
        let mut bytes = Vec::with_capacity(512 + self.body.len());
        let host = if headers.contains_key(header::HOST) { String::new() } else { format!("host: {authority}\r\n") };
        bytes.extend_from_slice(format!("{} {prefix}{} HTTP/1.1\r\n{host}", self.method, self.path).as_bytes());
        for (name, value) in self.headers() {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// As HTTP/2 takes it.
    ///
    /// # Errors
    /// The parts do not make a request, in words.
    pub(crate) fn parts(&self) -> Result<(http::Request<()>, Bytes), String> {
        let Address { prefix, authority, tls, .. } = self.address;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let uri = format!("{scheme}://{authority}{prefix}{}", self.path);
        let mut request = http::Request::builder().method(self.method).uri(uri);
        for (name, value) in self.headers().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        Ok((request.body(()).map_err(|e| e.to_string())?, self.body.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<(String, u16, String), TargetError> {
        let target = Target { base_url: url.to_owned(), ..Target::default() };
        let line =
            |a: &Address| String::from_utf8(a.get("/v1/models").bytes()).unwrap().lines().next().map(str::to_owned);
        target.address().map(|a| (a.host.clone(), a.port, line(&a).unwrap()))
    }

    #[test]
    fn addresses_are_read_with_or_without_the_version() {
        let asked = |host: &str, port, path: &str| Ok((host.to_owned(), port, format!("GET {path} HTTP/1.1")));
        for url in
            ["http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/"]
        {
            assert_eq!(address(url), asked("127.0.0.1", 8000, "/v1/models"), "{url}");
        }
        assert_eq!(address("http://h/api/v1"), asked("h", 80, "/api/v1/models"));
        assert_eq!(address("http://[::1]:80"), asked("::1", 80, "/v1/models"));
        assert_eq!(address("https://h"), asked("h", 443, "/v1/models"));
    }

    #[test]
    fn other_addresses_and_headers_are_refused() {
        assert!(matches!(address("ftp://h"), Err(TargetError::Url(_))));
        assert!(matches!(address("127.0.0.1:8000"), Err(TargetError::Url(_))));
        assert!(matches!(address(""), Err(TargetError::Url(_))));
        for name in ["content-length", "with space"] {
            let headers = vec![(name.to_owned(), "1".to_owned())];
            let target = Target { base_url: "http://h".to_owned(), headers, ..Target::default() };
            assert!(matches!(target.address(), Err(TargetError::Header(_))), "{name}");
        }
    }

    #[test]
    fn a_request_carries_its_headers_and_the_protocols_where_it_has_none_of_its_own() {
        let headers = vec![("Anthropic-Version".to_owned(), "2030-01-01".to_owned())];
        let target = Target { base_url: "http://h:1".to_owned(), api_key: Some("k".to_owned()), ..Target::default() };
        let text = |target: &Target| {
            let address = target.address().unwrap();
            String::from_utf8(address.ask(Api::Anthropic, Bytes::from_static(b"{}")).bytes()).unwrap()
        };
        let plain = text(&target);
        assert!(plain.starts_with("POST /v1/messages HTTP/1.1\r\nhost: h:1\r\n"), "{plain}");
        assert!(plain.contains("\r\nauthorization: Bearer k\r\n"), "{plain}");
        assert!(plain.ends_with("\r\nanthropic-version: 2023-06-01\r\ncontent-length: 2\r\n\r\n{}"), "{plain}");
        let own = text(&Target { headers, ..target });
        assert!(own.contains("anthropic-version: 2030-01-01") && !own.contains("2023-06-01"), "{own}");
    }
}
