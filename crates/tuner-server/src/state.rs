//! What every request shares.

use std::sync::Arc;

use axum::http::HeaderMap;
use tokio_util::sync::CancellationToken;
use tuner_agent::Desk;
use tuner_app::service::Service;

use crate::hub::Hub;
use crate::limits::{Gate, Limits};
use crate::meter::Meter;

/// How the door is set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whoever is on this machine needs a token too.
    pub require_token: bool,
    /// How much one client may ask.
    pub limits: Limits,
    /// Makes a request's span part of its sender's trace, where traces are kept.
    pub adopt: Option<fn(&tracing::Span, &HeaderMap)>,
}

/// What every request shares. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    service: Service,
    desk: Desk,
    options: Options,
    gate: Gate,
    hub: Hub,
    meter: Arc<Meter>,
    stop: CancellationToken,
}

impl App {
    /// A door to a service and its agent, until `stop` is cancelled. Starts to follow events.
    pub fn new(service: Service, desk: Desk, options: Options, stop: CancellationToken) -> Self {
        let meter = Arc::new(Meter::get());
        let hub = Hub::start(service.store().clone(), meter.clone(), stop.clone());
        let gate = Gate::new(&options.limits);
        Self(Arc::new(Parts { service, desk, options, gate, hub, meter, stop }))
    }

    /// The use cases.
    pub fn service(&self) -> &Service {
        &self.0.service
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("options", &self.0.options).finish_non_exhaustive()
    }
}
