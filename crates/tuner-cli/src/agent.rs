//! The agent of this process.

#[cfg(debug_assertions)]
use tuner_agent::Point;
use tuner_agent::setup::{Setup, SetupError};
use tuner_agent::{Agent, AgentSettings, Desk, Probe};
use tuner_app::access::Asker;
use tuner_app::service::Service;
use tuner_app::tune::{self, Surroundings};
use tuner_app::{Egress, Home};
use tuner_policy::Actor;
use tuner_store::Store;
use uuid::Uuid;

use crate::exit::Refusal;
use crate::settings::Settings;

/// The settings of this process's agent.
///
/// # Errors
/// A file of the data directory, or a variable, cannot be used.
pub(crate) fn settings(home: &Home) -> anyhow::Result<AgentSettings> {
    let variable = |name: &str| std::env::var(name).ok();
    let setup = Setup::new(home.root(), variable, crate::settings::secrets().into_values().collect());
    match setup.read() {
        Ok(settings) => Ok(AgentSettings { probe: probe(), ..settings }),
        Err(SetupError::Value { what, hint, .. }) => Err(Refusal::usage(what, hint).into()),
        Err(error) => Err(error.into()),
    }
}

/// Where tests have this process killed.
#[cfg(debug_assertions)]
fn probe() -> Option<Probe> {
    let word = std::env::var("AUTOTUNER_DIE_AT").ok()?;
    let point = Point::ALL.into_iter().find(|point| point.word() == word)?;
    let then = || {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    };
    Some(Probe { point, then })
}

#[cfg(not(debug_assertions))]
fn probe() -> Option<Probe> {
    None
}

/// Who sits at this machine, by way of `from`.
pub(crate) fn here(from: &str) -> Asker {
    Asker {
        actor: Actor::Local,
        name: "local".to_owned(),
        token: None,
        peer: from.to_owned(),
        request_id: Uuid::now_v7().to_string(),
    }
}

/// The store of the data directory, and the agent of this process on it.
///
/// # Errors
/// The store cannot be opened, or the agent's settings not used.
pub(crate) async fn at_home(settings: &Settings) -> anyhow::Result<(Store, Desk)> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    // The agent reaches no further than a service lets it.
    let around = Surroundings { egress: Egress::default(), ..settings.surroundings() };
    let service = Service::new(store.clone(), home.clone(), around);
    let desk = desk(&home, service)?;
    Ok((store, desk))
}

/// The agent of this process, on a service. It does nothing until it is started.
///
/// # Errors
/// Its settings cannot be used.
pub(crate) fn desk(home: &Home, service: Service) -> anyhow::Result<Desk> {
    let settings = settings(home)?;
    let model = settings.model()?;
    Ok(Desk::new(Agent::new(service, settings, model)))
}
