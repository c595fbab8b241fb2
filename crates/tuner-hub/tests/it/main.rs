//! The hubs against local fakes of their documented APIs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod github;
mod hf;

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
