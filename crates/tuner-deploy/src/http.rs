//! The HTTP clients of this crate: explicit proxies only, none for loopback (R14.2).

use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url};

use crate::{DeployError, Proxies};

/// A client for the endpoint at `origin`. Loopback is reached directly whatever the settings say; the process
/// environment is never read.
pub fn client(origin: &str, proxies: &Proxies) -> Result<Client, DeployError> {
    let (builder, _) = builder(&origin_url(origin)?, proxies)?;
    builder.build().map_err(|source| DeployError::Client { source })
}

/// A client for an address in the making, and the host of the proxy that takes its requests, where one does.
pub(crate) fn builder(url: &Url, proxies: &Proxies) -> Result<(ClientBuilder, Option<String>), DeployError> {
    // TLS needs a crypto provider; whoever came first has set the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder().no_proxy().pool_max_idle_per_host(1);
    let mut proxied = None;
    if !is_loopback(url) {
        let no = NoProxy::from_string(&proxies.no_proxy());
        let chosen = match url.scheme() {
            "https" => proxies.https.as_ref(),
            _ => proxies.http.as_ref(),
        };
        if let Some(proxy) = chosen.or(proxies.all.as_ref()) {
            proxied = Url::parse(proxy).ok().and_then(|url| url.host_str().map(str::to_owned));
            let proxy = Proxy::all(proxy).map_err(|source| DeployError::Client { source })?;
            builder = builder.proxy(proxy.no_proxy(no));
        }
    }
    Ok((builder, proxied))
}

/// The address as a URL, if it is one that HTTP can reach.
pub(crate) fn origin_url(origin: &str) -> Result<Url, DeployError> {
    let bad = || DeployError::BadUrl { url: tuner_engines::secrets::without_url_passwords(origin) };
    let url = Url::parse(origin).map_err(|_| bad())?;
    if matches!(url.scheme(), "http" | "https") && url.host().is_some() { Ok(url) } else { Err(bad()) }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    // R14.2
    #[test]
    fn loopback_has_many_names() {
        for (origin, loopback) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9:1", true),
            ("http://[::1]:1", true),
            ("http://0.0.0.0:1", true),
            ("http://10.0.0.1:1", false),
            ("https://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&origin_url(origin).unwrap()), loopback, "{origin}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for bad in ["", "127.0.0.1:8000", "ftp://x/", "localhost:8000"] {
            assert!(matches!(client(bad, &Proxies::default()), Err(DeployError::BadUrl { .. })), "{bad}");
        }
        let error = client("ftp://me:secret@x/", &Proxies::default()).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn a_proxy_that_is_none_is_an_error() {
        let proxies = Proxies { http: Some("::".into()), ..Proxies::default() };
        assert!(client("http://example.com", &proxies).is_err());
        assert!(client("http://127.0.0.1:1", &proxies).is_ok());
    }
}
