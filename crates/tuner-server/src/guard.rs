//! The guard before every route: may they, who is it, was it asked before.
//!
//! *Invariant*: a change is written into the audit log before it is tried, and goes on when its client goes away.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tuner_app::access::{self, Asker, Permit};
use tuner_policy::{Action, Effect, Resource};
use utoipa::openapi::PathItem;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::answer::Problem;
use crate::idempotency;
use crate::state::App;

/// Says in the document what a route needs.
pub(crate) const ACTION: &str = "x-action";

/// Puts the guard before routes, and their action into the document.
pub(crate) fn guarded(action: Action, routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    let (schemas, mut paths, methods) = routes;
    for item in paths.paths.values_mut() {
        for operation in operations(item) {
            let said = ExtensionsBuilder::new().add(ACTION, serde_json::json!(action.word())).build();
            operation.extensions = Some(said);
        }
    }
    (schemas, paths, methods.route_layer(from_fn(move |request: Request, next: Next| guard(action, request, next))))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

async fn guard(action: Action, request: Request, next: Next) -> Response {
    let known = (request.extensions().get::<App>().cloned(), request.extensions().get::<Asker>().cloned());
    let (Some(app), Some(asker)) = known else {
        return Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    };
    let target = request.uri().path().to_owned();
    let permit = match access::permit(asker.clone(), action, Resource::Kept) {
        Ok(permit) => permit,
        Err(refused) => {
            if let Err(error) = access::refused(app.service().store(), &asker, action, &target).await {
                tracing::error!(%error, "a refusal could not be written into the audit log");
            }
            return Problem::from(refused).into_response();
        }
    };
    let work = perform(app, permit, target, request, next);
    match action.effect() {
        Effect::Reads => work.await,
        Effect::Changes => match tokio::spawn(work).await {
            Ok(response) => response,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Problem::of_status(StatusCode::SERVICE_UNAVAILABLE).into_response(),
            },
        },
    }
}

async fn perform(app: App, permit: Permit, target: String, mut request: Request, next: Next) -> Response {
    let permit_of = permit.clone();
    request.extensions_mut().insert(permit.clone());
    let shared = app.clone();
    idempotency::once(&app, &permit_of, request, move |request| audited(shared, permit, target, request, next)).await
}

/// What is sent piece by piece has longer.
pub(crate) fn time_for(app: &App, action: Action) -> Duration {
    let limits = &app.options().limits;
    // What the agent does takes the time that it takes, and an answer waits for it; so does the copy of a program.
    let is_long =
        is_streamed(action) || matches!(action, Action::ChatWrite | Action::ChatApprove | Action::WorkerDeploy);
    if is_long { limits.upload } else { limits.request }
}

/// Whether its body is taken piece by piece, and may be larger than memory.
pub(crate) fn is_streamed(action: Action) -> bool {
    action == Action::DatasetCreate
}

/// Does it, in time, and with its line in the audit log if it changes something.
async fn audited(app: App, permit: Permit, target: String, request: Request, next: Next) -> Response {
    let store = app.service().store();
    let entry = match access::begin(store, &permit, &target).await {
        Ok(entry) => entry,
        Err(error) => return Problem::from(error).into_response(),
    };
    let limit = time_for(&app, permit.action());
    let response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", "the request took too long")
            .hint(format!("it was given {} s", limit.as_secs()))
            .into_response(),
    };
    if let Some(entry) = entry {
        let outcome = match response.extensions().get::<Problem>().map(|problem| problem.code) {
            None if response.status().is_success() => "done",
            None => "failed",
            Some(code) => code,
        };
        let made = response.headers().get(header::LOCATION).and_then(|place| place.to_str().ok()).map(str::to_owned);
        if let Err(error) = access::end(store, entry, outcome, made.as_deref()).await {
            tracing::error!(%error, "the end of a change could not be written into the audit log");
        }
    }
    response
}
