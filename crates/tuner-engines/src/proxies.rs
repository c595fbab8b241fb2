//! Proxy settings as the caller read them, and what an engine gets of them.
//!
//! *Invariant*: loopback is never proxied (R14.2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secrets::without_url_passwords;

/// Hosts that no proxy may see.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The proxy variables that were set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxies {
    /// For `http://` addresses.
    pub http: Option<String>,
    /// For `https://` addresses.
    pub https: Option<String>,
    /// For either, where the two above are absent.
    pub all: Option<String>,
    /// Hosts that are reached directly, separated by commas.
    pub no: Option<String>,
}

impl Proxies {
    /// Picks the proxy variables out of an environment. Lower case wins over upper case, as in curl; empty is unset.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let vars: BTreeMap<String, String> = vars.into_iter().filter(|(_, v)| !v.is_empty()).collect();
        let pick = |name: &str| vars.get(name).or_else(|| vars.get(&name.to_uppercase())).cloned();
        Self { http: pick("http_proxy"), https: pick("https_proxy"), all: pick("all_proxy"), no: pick("no_proxy") }
    }

    /// With one more host that is reached directly: the one an engine listens on.
    pub fn and_directly(mut self, host: &str) -> Self {
        let covered = host.is_empty() || host == "0.0.0.0" || LOOPBACK.contains(&host);
        if !covered && (self.any() || self.no.is_some()) {
            let listed = self.no.take().filter(|no| !no.trim().is_empty());
            self.no = Some(listed.map_or(host.to_owned(), |no| format!("{no},{host}")));
        }
        self
    }

    /// Whether any proxy is set.
    pub fn any(&self) -> bool {
        self.http.is_some() || self.https.is_some() || self.all.is_some()
    }

    /// The hosts to reach directly, loopback among them.
    pub fn no_proxy(&self) -> String {
        with_loopback(self.no.as_deref())
    }

    /// What an engine and its downloads get: both spellings of each variable. Empty when nothing is set.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        if !self.any() && self.no.is_none() {
            return env;
        }
        let no = Some(self.no_proxy());
        let named =
            [("http_proxy", &self.http), ("https_proxy", &self.https), ("all_proxy", &self.all), ("no_proxy", &no)];
        for (name, value) in named {
            if let Some(value) = value {
                env.insert(name.to_owned(), value.clone());
                env.insert(name.to_uppercase(), value.clone());
            }
        }
        env
    }

    /// The same without passwords, for people.
    pub fn redacted(&self) -> Self {
        let clean = |v: &Option<String>| v.as_deref().map(without_url_passwords);
        Self { http: clean(&self.http), https: clean(&self.https), all: clean(&self.all), no: self.no.clone() }
    }
}

/// What a launch sets for proxies: the settings, overridden by the task's own variables, loopback always direct.
pub fn overlay(proxies: &Proxies, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut env = proxies.environment();
    let own_no = own.get("no_proxy").or_else(|| own.get("NO_PROXY"));
    let own_proxy = ["http_proxy", "https_proxy", "all_proxy"]
        .iter()
        .any(|name| own.contains_key(*name) || own.contains_key(&name.to_uppercase()));
    env.extend(own.clone());
    if own_no.is_some() || own_proxy {
        let no = with_loopback(own_no.map(String::as_str).or(proxies.no.as_deref()));
        env.insert("no_proxy".into(), no.clone());
        env.insert("NO_PROXY".into(), no);
    }
    env
}

fn with_loopback(no: Option<&str>) -> String {
    let mut hosts: Vec<&str> = no.unwrap_or_default().split(',').map(str::trim).filter(|h| !h.is_empty()).collect();
    if !hosts.contains(&"*") {
        for host in LOOPBACK {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    hosts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    // R14.2
    #[test]
    fn loopback_is_never_proxied() {
        let proxies = Proxies::from_vars(vars(&[("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "corp, localhost")]));
        let env = proxies.environment();
        assert_eq!(env["no_proxy"], "corp,localhost,127.0.0.1,::1");
        assert_eq!(env["NO_PROXY"], env["no_proxy"]);
        assert_eq!(env["http_proxy"], "http://p:1");
    }

    // R14.2
    #[test]
    fn a_tasks_own_proxy_wins_and_still_spares_loopback() {
        let settings = Proxies { http: Some("http://p:1".into()), no: Some("corp".into()), ..Proxies::default() };
        let env = overlay(&settings, &vars(&[("HTTPS_PROXY", "http://q:2")]));
        assert_eq!(env["HTTPS_PROXY"], "http://q:2");
        assert_eq!(env["NO_PROXY"], "corp,localhost,127.0.0.1,::1");
        let env = overlay(&settings, &vars(&[("NO_PROXY", "mine")]));
        assert_eq!(env["no_proxy"], "mine,localhost,127.0.0.1,::1");
    }

    // R14.2
    #[test]
    fn the_address_an_engine_listens_on_is_reached_directly() {
        let settings = Proxies { https: Some("http://p:1".into()), ..Proxies::default() };
        let no = |host: &str| settings.clone().and_directly(host).no_proxy();
        assert_eq!(no("10.0.0.5"), "10.0.0.5,localhost,127.0.0.1,::1");
        assert_eq!(no("0.0.0.0"), "localhost,127.0.0.1,::1");
        assert_eq!(no("127.0.0.1"), "localhost,127.0.0.1,::1");
    }

    #[test]
    fn nothing_set_sets_nothing() {
        assert!(Proxies::default().environment().is_empty());
        assert!(Proxies::default().and_directly("10.0.0.5").environment().is_empty());
        assert_eq!(Proxies { no: Some("*".into()), ..Proxies::default() }.no_proxy(), "*");
    }
}
