//! The routes, one file per resource. Each is registered with its action.

mod agent;
mod audit;
mod datasets;
mod deployments;
mod document;
mod engines;
mod events;
mod experiments;
mod health;
mod jobs;
mod logs;
mod machines;
mod presets;
mod requests;
mod results;
mod system;
mod task_changes;
mod task_items;
mod tasks;
mod tokens;
mod workers;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::state::App;

/// Every route with its place in the document.
pub(crate) fn open() -> OpenApiRouter<App> {
    let resources = [
        health::routes(),
        tasks::routes(),
        task_changes::routes(),
        results::routes(),
        experiments::routes(),
        jobs::routes(),
        workers::routes(),
        machines::routes(),
        logs::routes(),
        requests::routes(),
        engines::routes(),
        presets::routes(),
        datasets::routes(),
        events::routes(),
        system::routes(),
        deployments::routes(),
        tokens::routes(),
        audit::routes(),
        agent::routes(),
    ];
    resources.into_iter().fold(OpenApiRouter::default(), OpenApiRouter::merge)
}

/// Every route, working.
pub(crate) fn router(app: &App) -> Router {
    let mcp = tuner_mcp::over_http(app.desk(), app.stop().clone());
    Router::from(open()).with_state(app.clone()).route_service("/mcp", mcp)
}
