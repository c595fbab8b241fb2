//! The door itself: what is true of every request before a route sees it, and of every answer after.
//!
//! *Invariant*: proxy headers never give anybody rights. They can only take them: a request that came through a proxy is
//! not from whoever is on this machine.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tuner_app::access::Asker;
use tuner_app::tokens;
use tuner_policy::Actor;

use crate::answer::Problem;
use crate::page;
use crate::state::App;

/// Where the request's id stands.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Headers of proxies.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
/// What browsers are told with every answer.
const SECURITY: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the door around the routes.
pub(crate) fn wrap(routes: Router, app: &App) -> Router {
    routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(app.options().limits.body_bytes))
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(from_fn(page::serve))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), attend))
}

async fn nothing_here() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}

async fn not_so() -> Problem {
    Problem::of_status(StatusCode::METHOD_NOT_ALLOWED)
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", "the service met a bug of its own")
        .hint("please report it with the request id and the log")
        .into_response()
}

/// Names the request, measures and logs it, and finishes the answer.
async fn attend(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let peer = peer(&request);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = span(&request, &id, &route);
    if let Some(adopt) = app.options().adopt {
        adopt(&span, request.headers());
    }
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let headers = std::mem::take(response.headers_mut());
        response = problem.render(&id);
        keep(headers, response.headers_mut());
    } else if response.status().is_client_error() || response.status().is_server_error() {
        let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let told = kind == b"application/json" || kind.starts_with(b"text/html");
        if !told {
            response = Problem::of_status(response.status()).render(&id);
        }
    }
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    let (status, took) = (response.status(), begun.elapsed());
    app.meter().request(&method, &route, status, took);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let took_ms = took.as_secs_f64() * 1e3;
    span.in_scope(|| tracing::info!(status = status.as_u16(), took_ms, %peer, "request"));
    response
}

/// The span of a request, by OpenTelemetry's names; of the level of errors, so that each line of the log has it.
fn span(request: &Request, id: &str, route: &str) -> Span {
    tracing::error_span!(
        "request",
        request_id = id,
        http.request.method = %request.method(),
        url.path = request.uri().path(),
        http.route = route,
        http.response.status_code = Empty,
        otel.kind = "server",
        otel.name = format!("{} {route}", request.method()),
        otel.status_code = Empty,
    )
}

/// Headers that a problem was sent with and that its body does not change.
fn keep(from: HeaderMap, to: &mut HeaderMap) {
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

/// The request's id.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let usable = |id: &&str| (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    given.filter(usable).map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), str::to_owned)
}

/// Lets a request in: not too many, meant for us, from somebody who is known.
async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match enter(&app, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(refused) => refused,
    }
}

async fn enter(app: &App, request: &mut Request) -> Result<(), Response> {
    let peer = peer(request);
    app.gate().request(peer).map_err(too_many)?;
    let asker = identify(app, Said::by(request), peer).await?;
    if asker.actor == Actor::Anonymous {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "token_needed", "a token is needed");
        let problem = problem.hint("send Authorization: Bearer TOKEN; make one with: autotuner token create");
        return Err(challenge(problem));
    }
    same_site(request, &asker).map_err(IntoResponse::into_response)?;
    request.extensions_mut().insert(asker);
    request.extensions_mut().insert(app.clone());
    Ok(())
}

fn challenge(problem: Problem) -> Response {
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let problem =
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests from this address");
    let problem = problem.hint(format!("wait {seconds} s"));
    ([(header::RETRY_AFTER, seconds.to_string())], problem).into_response()
}

/// What a request says of its sender.
struct Said {
    authorization: Option<HeaderValue>,
    proxied: bool,
    request_id: String,
}

impl Said {
    fn by(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            authorization: headers.get(header::AUTHORIZATION).cloned(),
            proxied: FORWARDED.iter().any(|name| headers.contains_key(*name)),
            request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        }
    }

    fn token(&self) -> Option<&str> {
        let (scheme, token) = self.authorization.as_ref()?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }
}

/// Who asks. A token that does not work is refused wherever it comes from.
async fn identify(app: &App, said: Said, peer: IpAddr) -> Result<Asker, Response> {
    let asker = |actor, name: &str, token| Asker {
        actor,
        name: name.to_owned(),
        token,
        peer: peer.to_string(),
        request_id: said.request_id.clone(),
    };
    if said.authorization.is_none() {
        let local = peer.is_loopback() && !said.proxied && !app.options().require_token;
        let actor = if local { Actor::Local } else { Actor::Anonymous };
        return Ok(asker(actor, actor.word(), None));
    }
    let found = match said.token() {
        Some(text) => tokens::check(app.service().store(), text).await.map_err(|e| Problem::from(e).into_response())?,
        None => None,
    };
    if let Some((role, row)) = found {
        return Ok(asker(Actor::Token { role }, &row.name, Some(row.id)));
    }
    app.gate().wrong_token(peer).map_err(too_many)?;
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "token_wrong", "this token does not let anybody in");
    Err(challenge(problem.hint("it may be mistyped, expired or revoked; see: autotuner token list")))
}

/// The peer's address; one of IPv4 in IPv6 is one of IPv4.
fn peer(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip().to_canonical())
}

/// Whether a page of somebody else's may have made the browser send this.
fn same_site(request: &Request, asker: &Asker) -> Result<(), Problem> {
    let headers = request.headers();
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(&header::HOST).map(str::to_owned).or_else(|| Some(request.uri().authority()?.to_string()));
    let Some(host) = host else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "host_missing", "the request names no host"));
    };
    // With a token nothing is given to whoever only controls a name: the browser does not send tokens by itself.
    if asker.actor == Actor::Local && !names_this_machine(&host) {
        let problem = Problem::new(StatusCode::FORBIDDEN, "host_refused", format!("{host} is no name of this machine"));
        return Err(problem.hint("use http://localhost, or send a token"));
    }
    let navigates =
        request.method() == Method::GET && text(&HeaderName::from_static("sec-fetch-mode")) == Some("navigate");
    let site = text(&HeaderName::from_static("sec-fetch-site"));
    let foreign_site = matches!(site, Some("cross-site" | "same-site")) && !navigates;
    let foreign_origin = text(&header::ORIGIN).is_some_and(|origin| authority(origin).as_deref() != Some(&host));
    if foreign_site || foreign_origin {
        let problem = Problem::new(StatusCode::FORBIDDEN, "origin_refused", "a page of another site sent this");
        return Err(problem.hint("only this service's own page may use it from a browser"));
    }
    Ok(())
}

fn authority(origin: &str) -> Option<String> {
    origin.parse::<Uri>().ok()?.authority().map(ToString::to_string)
}

/// `localhost`, or an address that only this machine has.
fn names_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    local || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_names() {
        for host in
            ["localhost", "LOCALHOST:8470", "127.0.0.1", "127.8.8.8:1", "[::1]:8470", "a.localhost", "localhost."]
        {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", "127.0.0.1.nip.io", "", "a b"] {
            assert!(!names_this_machine(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_ours_only_with_the_same_port() {
        assert_eq!(authority("http://localhost:8470").as_deref(), Some("localhost:8470"));
        assert_ne!(authority("http://localhost:1").as_deref(), Some("localhost:8470"));
    }
}
