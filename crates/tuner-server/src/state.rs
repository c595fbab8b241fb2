//! What every request shares.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
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
}

/// What every request shares. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    service: Service,
    options: Options,
    gate: Gate,
    hub: Hub,
    meter: Meter,
    stop: CancellationToken,
}

impl App {
    /// A door to a service, until `stop` is cancelled. Starts to follow events.
    pub fn new(service: Service, options: Options, stop: CancellationToken) -> Self {
        let hub = Hub::start(service.store().clone(), stop.clone());
        let gate = Gate::new(&options.limits);
        Self(Arc::new(Parts { service, options, gate, hub, meter: Meter::get(), stop }))
    }

    /// The use cases.
    pub fn service(&self) -> &Service {
        &self.0.service
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
