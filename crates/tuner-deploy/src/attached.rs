//! An endpoint that already runs: asked whether it is ready, never launched, never stopped.
//!
//! *Invariant*: nothing here can change the engine behind the address; only load parameters may vary.

use std::time::Duration;

use reqwest::Client;
use tokio_util::sync::CancellationToken;

use crate::ready::{Budgets, Endpoint, NotReady, Ready, wait_ready};
use crate::{DeployError, Proxies, http};

/// A running endpoint of someone else.
#[derive(Clone, Debug)]
pub struct Attached {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The client to ask it with.
    pub client: Client,
}

impl Attached {
    /// The endpoint at `url` (with or without `/v1`), serving `model` (the only one it lists, if absent).
    pub fn new(url: &str, model: Option<&str>, api_key: Option<&str>, proxies: &Proxies) -> Result<Self, DeployError> {
        let mut endpoint = Endpoint::parse(url)?;
        endpoint.served_model = model.map(str::to_owned);
        endpoint.api_key = api_key.map(str::to_owned);
        let client = http::client(&endpoint.origin, proxies)?;
        Ok(Self { endpoint, client })
    }

    /// Waits at most `limit` until it lists its model and generates. Health pages are not asked for: gateways in
    /// front of engines seldom have one.
    pub async fn ready(&self, limit: Duration, cancel: &CancellationToken) -> Result<Ready, NotReady> {
        let budgets = Budgets { provision: limit, ready: limit, limit, quiet: limit };
        wait_ready(&self.client, &self.endpoint, None, &budgets, cancel).await
    }
}
