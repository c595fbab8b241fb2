//! Environment of an engine: proxies, offline hub, GPU choice, NCCL.

use std::collections::BTreeSet;

use tuner_core::task::Environment;

use crate::launch::LaunchRequest;

/// Variables that a caller should hand in as `ambient` if its own environment has them.
pub const AMBIENT: [&str; 8] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

pub(crate) struct Parts {
    pub(crate) env: Environment,
    pub(crate) unprinted: BTreeSet<String>,
    pub(crate) notes: Vec<String>,
}

/// The task's own variables win over everything set here.
pub(crate) fn build(request: &LaunchRequest<'_>, nccl: bool, hugging_face: bool, evidence: &[(&str, &str)]) -> Parts {
    let mut env = Environment::new();
    let mut unprinted = BTreeSet::new();
    let mut notes = Vec::new();
    for (name, value) in proxies(request.ambient, request.host) {
        unprinted.insert(name.clone());
        env.insert(name, value);
    }
    for (name, value) in evidence {
        unprinted.insert((*name).to_owned());
        env.insert((*name).to_owned(), (*value).to_owned());
    }
    // R14.1: a local model must work with the network cut, so the libraries are not to ask the hub.
    if hugging_face && request.model.path.is_some() {
        env.insert("HF_HUB_OFFLINE".to_owned(), "1".to_owned());
        env.insert("TRANSFORMERS_OFFLINE".to_owned(), "1".to_owned());
    }
    if !request.gpus.is_empty() {
        let list: Vec<String> = request.gpus.iter().map(u32::to_string).collect();
        env.insert("CUDA_VISIBLE_DEVICES".to_owned(), list.join(","));
        // CUDA's own order is fastest first; indices here are the driver's.
        env.insert("CUDA_DEVICE_ORDER".to_owned(), "PCI_BUS_ID".to_owned());
    }
    // R14.3
    if nccl && request.gpus.len() > 1 {
        env.insert("NCCL_DEBUG".to_owned(), "INFO".to_owned());
        env.insert("NCCL_IB_DISABLE".to_owned(), "1".to_owned());
        notes.push(format!(
            "NCCL_DEBUG=INFO and NCCL_IB_DISABLE=1 for {} GPUs; engine.env overrides them",
            request.gpus.len()
        ));
    }
    for (name, value) in &request.engine.env {
        unprinted.remove(name);
        env.insert(name.clone(), value.clone());
    }
    Parts { env, unprinted, notes }
}

/// Proxy variables in both cases, and loopback out of their reach (R14.2).
fn proxies(ambient: &Environment, host: &str) -> Environment {
    let mut out = Environment::new();
    let pick = |name: &str| {
        let value = ambient.get(&name.to_ascii_lowercase()).or_else(|| ambient.get(name));
        value.filter(|v| !v.is_empty()).cloned()
    };
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        if let Some(value) = pick(name) {
            out.insert(name.to_owned(), value.clone());
            out.insert(name.to_ascii_lowercase(), value);
        }
    }
    let listed = pick("NO_PROXY");
    if out.is_empty() && listed.is_none() {
        return out;
    }
    let mut hosts: Vec<String> =
        listed.iter().flat_map(|l| l.split(',')).map(|h| h.trim().to_owned()).filter(|h| !h.is_empty()).collect();
    for own in ["localhost", "127.0.0.1", "::1", host] {
        if !hosts.iter().any(|h| h == own || h == "*") && !own.is_empty() && own != "0.0.0.0" {
            hosts.push(own.to_owned());
        }
    }
    let joined = hosts.join(",");
    out.insert("NO_PROXY".to_owned(), joined.clone());
    out.insert("no_proxy".to_owned(), joined);
    out
}

/// Whether a variable or flag of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let words: Vec<&str> = upper.split('_').collect();
    words.iter().any(|w| matches!(*w, "TOKEN" | "SECRET" | "PASSWORD" | "PASSWD" | "CREDENTIALS" | "AUTHORIZATION"))
        || upper.ends_with("API_KEY")
        || upper.ends_with("APIKEY")
        || upper.ends_with("ACCESS_KEY")
        || upper == "KEY"
}

/// A URL without the user and password in it.
pub fn without_credentials(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(entries: &[(&str, &str)]) -> Environment {
        entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    // R14.2
    #[test]
    fn proxies_come_in_both_cases_and_never_cover_loopback() {
        let out =
            proxies(&env(&[("https_proxy", "http://p:3128"), ("NO_PROXY", "corp.example, localhost")]), "127.0.0.1");
        assert_eq!(out["HTTPS_PROXY"], "http://p:3128");
        assert_eq!(out["https_proxy"], "http://p:3128");
        assert_eq!(out["no_proxy"], "corp.example,localhost,127.0.0.1,::1");
        assert_eq!(out["NO_PROXY"], out["no_proxy"]);
        assert!(proxies(&env(&[]), "127.0.0.1").is_empty());
    }

    #[test]
    fn secrets_are_known_by_name_and_token_counts_are_not_secrets() {
        for name in
            ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY", "api-key", "AWS_SECRET_ACCESS_KEY", "hf-token"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["max-num-batched-tokens", "MONKEY", "max-prefill-tokens", "VLLM_CPU_KVCACHE_SPACE"] {
            assert!(!is_secret(name), "{name}");
        }
        assert_eq!(without_credentials("http://u:p@proxy:1/x"), "http://***@proxy:1/x");
        assert_eq!(without_credentials("http://proxy:1"), "http://proxy:1");
    }
}
