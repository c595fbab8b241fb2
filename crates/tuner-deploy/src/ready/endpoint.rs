//! An address at which an OpenAI-compatible engine answers.

use std::fmt;

use reqwest::{Client, RequestBuilder};

use crate::DeployError;
use crate::http::origin_url;

/// Where and how an engine is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port, and a prefix if a gateway has one; no slash at the end.
    pub origin: String,
    /// Path of the OpenAI routes below it, `/v1`.
    pub base_path: String,
    /// Page that answers 200 once the engine is up; skipped if absent.
    pub health_path: Option<String>,
    /// The model that must be served; if absent, the only one listed is taken.
    pub served_model: Option<String>,
    /// Sent as a bearer token.
    pub api_key: Option<String>,
}

impl Endpoint {
    /// An endpoint on this host, as engines launched here have it.
    pub fn local(port: u16, base_path: &str, health_path: Option<&str>, served_model: &str) -> Self {
        Self {
            origin: format!("http://127.0.0.1:{port}"),
            base_path: slashed(base_path),
            health_path: health_path.map(slashed),
            served_model: Some(served_model.to_owned()),
            api_key: None,
        }
    }

    /// An endpoint by the address a person gives: with or without `/v1`, with or without a slash at the end.
    pub fn parse(url: &str) -> Result<Self, DeployError> {
        let url = url.trim();
        let parsed = origin_url(url)?;
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(DeployError::BadUrl { url: tuner_engines::secrets::without_url_passwords(url) });
        }
        let trimmed = url.trim_end_matches('/');
        let origin = trimmed.strip_suffix("/v1").unwrap_or(trimmed).trim_end_matches('/').to_owned();
        Ok(Self { origin, base_path: "/v1".to_owned(), health_path: None, served_model: None, api_key: None })
    }

    /// Origin and base path: what OpenAI clients call the base URL.
    pub fn base_url(&self) -> String {
        format!("{}{}", self.origin, self.base_path)
    }

    pub(crate) fn get(&self, client: &Client, path: &str) -> RequestBuilder {
        self.keyed(client.get(format!("{}{}", self.origin, slashed(path))))
    }

    pub(crate) fn openai_get(&self, client: &Client, route: &str) -> RequestBuilder {
        self.keyed(client.get(format!("{}/{route}", self.base_url())))
    }

    pub(crate) fn openai_post(&self, client: &Client, route: &str) -> RequestBuilder {
        self.keyed(client.post(format!("{}/{route}", self.base_url())))
    }

    fn keyed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

fn slashed(path: &str) -> String {
    let path = path.trim_matches('/');
    if path.is_empty() { String::new() } else { format!("/{path}") }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("origin", &tuner_engines::secrets::without_url_passwords(&self.origin))
            .field("base_path", &self.base_path)
            .field("health_path", &self.health_path)
            .field("served_model", &self.served_model)
            .field("api_key", &self.api_key.as_ref().map(|_| tuner_engines::secrets::MASK))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_as_people_write_it() {
        for url in ["http://h:1", "http://h:1/", "http://h:1/v1", " http://h:1/v1/ "] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.base_url(), "http://h:1/v1", "{url}");
        }
        assert_eq!(Endpoint::parse("https://gw/team/v1").unwrap().origin, "https://gw/team");
        for bad in ["h:1", "", "http://h:1/v1?x=1", "unix:/x"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let endpoint = Endpoint { api_key: Some("sk-secret".into()), ..Endpoint::local(1, "v1/", Some("health"), "m") };
        assert!(!format!("{endpoint:?}").contains("sk-secret"));
        assert_eq!(endpoint.base_url(), "http://127.0.0.1:1/v1");
        assert_eq!(endpoint.health_path.as_deref(), Some("/health"));
    }
}
