//! From where a service may fetch: public hosts over TLS, unless a person said otherwise.
//!
//! *Invariant*: a connection goes to an address that was allowed, never to a name that is looked up once more: the check is
//! in the resolver that the connection uses, so a name that changes its address between check and use gains nothing. Each
//! redirect is a new address that is checked.
//!
//! Where a proxy is set, that one resolves names and connects; then names and literal addresses are checked here, and what
//! they resolve to is the proxy's matter. What goes past the proxy is checked like everything else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Url};

use crate::{DeployError, Proxies, http};

/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// Why an address is not fetched from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Not over this protocol.
    #[error("{url} is not fetched: plain http can be read and changed on its way")]
    PlainHttp {
        /// The address, without a password.
        url: String,
    },
    /// Neither http nor https.
    #[error("{url} is not fetched: only https and http addresses are")]
    Scheme {
        /// The address.
        url: String,
    },
    /// The host is not listed.
    #[error("{host} is not fetched from: it is not on the list of hosts that are")]
    NotListed {
        /// The host.
        host: String,
    },
    /// The host is this machine, or one of its network.
    #[error("{host} is not fetched from: {address} is {what}")]
    Inside {
        /// The host.
        host: String,
        /// Where it is.
        address: IpAddr,
        /// What kind of address that is.
        what: &'static str,
    },
}

impl EgressError {
    /// What whoever runs the service can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::PlainHttp { .. } => "use https, or allow it for this service: --fetch-http",
            Self::Scheme { .. } => "give an https:// address, or upload the file",
            Self::NotListed { .. } | Self::Inside { .. } => {
                "upload the file, or name the host for this service: --fetch-from HOST"
            }
        }
    }
}

/// Hosts that are named in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// A name. Whatever address it has is allowed.
    Name(String),
    /// The names below this one. Their addresses must be public.
    Below(String),
    /// A network, or one address.
    Network(IpNet),
}

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Network(address.to_canonical().into()));
        }
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text.as_str(), false),
        };
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(good) {
            return Err(format!("{text:?} is no host: write data.example.com, *.example.com, 10.1.2.3 or 10.0.0.0/8"));
        }
        Ok(if below { Self::Below(name.to_owned()) } else { Self::Name(name.to_owned()) })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

/// From where may be fetched. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Egress(Option<Arc<Rules>>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Rules {
    plain_http: bool,
    hosts: Vec<Hosts>,
}

impl Default for Egress {
    /// Public hosts over TLS.
    fn default() -> Self {
        Self::limited(false, Vec::new())
    }
}

impl Egress {
    /// Everywhere: for the person at this machine, who could fetch without us.
    pub fn open() -> Self {
        Self(None)
    }

    /// Public hosts, or where some are named, only those; over plain http too if that is said.
    pub fn limited(plain_http: bool, hosts: Vec<Hosts>) -> Self {
        Self(Some(Arc::new(Rules { plain_http, hosts })))
    }

    /// Whether an address may be fetched, as far as that can be seen before its name is resolved.
    ///
    /// # Errors
    /// It may not.
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        let shown = tuner_engines::secrets::without_url_passwords(url);
        let url = Url::parse(url).map_err(|_| EgressError::Scheme { url: shown })?;
        self.check_url(&url)
    }

    fn check_url(&self, url: &Url) -> Result<(), EgressError> {
        let shown = || tuner_engines::secrets::without_url_passwords(url.as_str());
        let Some(rules) = &self.0 else { return Ok(()) };
        match url.scheme() {
            "https" => {}
            "http" if rules.plain_http => {}
            "http" => return Err(EgressError::PlainHttp { url: shown() }),
            _ => return Err(EgressError::Scheme { url: shown() }),
        }
        let host = url.host_str().unwrap_or_default();
        if host.is_empty() {
            return Err(EgressError::Scheme { url: shown() });
        }
        rules.check_host(host)
    }

    /// A client that goes only where it may.
    ///
    /// # Errors
    /// [`DeployError::Egress`]; [`DeployError::BadUrl`], [`DeployError::Client`].
    pub fn client(&self, url: &str, proxies: &Proxies) -> Result<Client, DeployError> {
        let parsed = http::origin_url(url)?;
        self.check_url(&parsed)?;
        let (builder, proxy) = http::builder(&parsed, proxies)?;
        let built = match &self.0 {
            None => builder,
            Some(rules) => self.guard(builder, rules, proxy),
        };
        built.build().map_err(|source| DeployError::Client { source })
    }

    fn guard(&self, builder: ClientBuilder, rules: &Arc<Rules>, proxy: Option<String>) -> ClientBuilder {
        let egress = self.clone();
        let follow = move |attempt: Attempt<'_>| {
            if attempt.previous().len() > REDIRECTS {
                return attempt.error(format!("more than {REDIRECTS} redirects"));
            }
            match egress.check_url(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(refused) => attempt.error(refused),
            }
        };
        let resolver = Allowed { rules: Arc::clone(rules), proxy };
        builder.redirect(Policy::custom(follow)).dns_resolver(Arc::new(resolver))
    }
}

impl Rules {
    /// The list, and addresses that need no resolving.
    fn check_host(&self, host: &str) -> Result<(), EgressError> {
        let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.check_address(host, address);
        }
        if self.names(&name) {
            return Ok(());
        }
        let below = |hosts: &Hosts| matches!(hosts, Hosts::Below(of) if name.strip_suffix(of.as_str()).is_some_and(|rest| rest.ends_with('.')));
        if !self.hosts.is_empty() && !self.hosts.iter().any(below) {
            // A network on the list may be where the name leads; that is seen when it is resolved.
            let networks = self.hosts.iter().any(|hosts| matches!(hosts, Hosts::Network(_)));
            return if networks { Ok(()) } else { Err(EgressError::NotListed { host: host.to_owned() }) };
        }
        if name == "localhost" || name.ends_with(".localhost") {
            let address = Ipv4Addr::LOCALHOST.into();
            return Err(EgressError::Inside { host: host.to_owned(), address, what: "this machine" });
        }
        Ok(())
    }

    /// It is on the list by its whole name.
    fn names(&self, name: &str) -> bool {
        self.hosts.iter().any(|hosts| matches!(hosts, Hosts::Name(n) if n == name))
    }

    /// Whether a host may be reached at an address.
    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), EgressError> {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let address = address.to_canonical();
        let listed = |hosts: &Hosts| matches!(hosts, Hosts::Network(network) if network.contains(&address));
        if self.names(&name) || self.hosts.iter().any(listed) {
            return Ok(());
        }
        if let Some(what) = inside(address) {
            return Err(EgressError::Inside { host: host.to_owned(), address, what });
        }
        let below = |hosts: &Hosts| matches!(hosts, Hosts::Below(of) if name.strip_suffix(of.as_str()).is_some_and(|rest| rest.ends_with('.')));
        match self.hosts.is_empty() || self.hosts.iter().any(below) {
            true => Ok(()),
            false => Err(EgressError::NotListed { host: host.to_owned() }),
        }
    }
}

/// What kind of address it is, if it is none of the open network.
fn inside(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => inside_v4(v4),
        IpAddr::V6(v6) => inside_v6(v6),
    }
}

fn inside_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Some("this machine"),
        (0, ..) => Some("this machine's network"),
        (10, ..) | (192, 168, _) => Some("a private address"),
        (172, 16..=31, _) => Some("a private address"),
        (169, 254, _) => Some("a link-local address"),
        (100, 64..=127, _) => Some("an address inside a provider's network"),
        (192, 0, 0 | 2) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => Some("reserved"),
        (224..=255, ..) => Some("no address of one host"),
        _ => None,
    }
}

fn inside_v6(address: Ipv6Addr) -> Option<&'static str> {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        inside_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("this machine"),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("this machine's network"),
        // Addresses of IPv4 in other clothes: compatible, translated, 6to4.
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        [0x64, 0xff9b, 1, ..] => Some("a private address"),
        [0x2001, 0 | 0xdb8, ..] => Some("reserved"),
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a private address"),
        [0xff00..=0xffff, ..] => Some("no address of one host"),
        _ => None,
    }
}

/// Resolves names to addresses that are allowed. The connection takes what this gives.
struct Allowed {
    rules: Arc<Rules>,
    /// A person's own setting.
    proxy: Option<String>,
}

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.rules);
        let proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            let (mut allowed, mut refused): (Vec<SocketAddr>, Option<EgressError>) = (Vec::new(), None);
            for place in found {
                match rules.check_address(host, place.ip()) {
                    _ if proxy => allowed.push(place),
                    Ok(()) => allowed.push(place),
                    Err(error) => refused = Some(error),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(error)) => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests;
