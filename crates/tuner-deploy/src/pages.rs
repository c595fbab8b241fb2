//! Pages in which an engine reports about itself, for the read-back of its arguments (B9).

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use crate::ready::Endpoint;

/// A page is a report, not a download.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Fetches `paths` (each from the root of the endpoint, `/props`) and returns those that answered with 200: JSON as
/// JSON, anything else as one text. A page that is missing, slow or broken is left out.
pub async fn fetch_pages(
    client: &Client,
    endpoint: &Endpoint,
    paths: &[&str],
    each: Duration,
) -> BTreeMap<String, Value> {
    let mut pages = BTreeMap::new();
    for path in paths {
        let page = tokio::time::timeout(each, fetch(client, endpoint, path)).await;
        match page {
            Ok(Some(value)) => {
                pages.insert((*path).to_owned(), value);
            }
            _ => tracing::debug!(path, "the engine has no such page"),
        }
    }
    pages
}

async fn fetch(client: &Client, endpoint: &Endpoint, path: &str) -> Option<Value> {
    let mut response = endpoint.get(client, path).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return None;
        }
    }
    Some(serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into()))
}
