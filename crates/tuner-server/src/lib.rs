//! The HTTP door: thin routes over `tuner_app::service`, OpenAPI, server-sent events, metrics.
//!
//! *Invariant*: every route is registered with its action, and a handler calls a use case only with the permit that the
//! guard got for it. Every answer that is no success is `{code, message, hint, request_id}`.

mod answer;
mod extract;
mod front;
mod guard;
mod hub;
mod idempotency;
mod limits;
mod listen;
mod meter;
mod openapi;
mod page;
mod routes;
mod state;
pub mod supervisor;

pub use limits::Limits;
pub use listen::serve;
pub use openapi::document;
pub use state::{App, Options};

use axum::Router;

/// The whole service as a router; the peer's address is expected in the request's extensions.
pub fn router(app: &App) -> Router {
    front::wrap(routes::router(app), app)
}
