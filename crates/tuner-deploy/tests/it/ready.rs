//! The three stages of readiness against real sockets, and every way not to become ready.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tuner_core::FailureClass;
use tuner_core::task::Timeouts;
use tuner_deploy::ready::{Budgets, Endpoint, NotReady, Ready, Stage, Watch, Why, launch_within, wait_ready};
use tuner_deploy::redact::Secrets;
use tuner_deploy::{Backend, DeploymentId, Exit, FakeBackend, Launch, LocalBackend, Proxies, http, pages, ports};

use crate::roles::wild_engine;
use crate::server::{Answer, Request, Server, good};
use crate::world::{LIMIT, World, id};

fn patient() -> Budgets {
    Budgets { provision: LIMIT, ready: LIMIT, limit: LIMIT, quiet: LIMIT }
}

fn hasty() -> Budgets {
    let short = Duration::from_millis(300);
    Budgets { provision: short, ready: short, limit: short, quiet: short }
}

async fn ask(endpoint: &Endpoint, watch: Option<Watch<'_>>, budgets: Budgets) -> Result<Ready, NotReady> {
    let client = http::client(&endpoint.origin, &Proxies::default()).unwrap();
    wait_ready(&client, endpoint, watch, &budgets, &CancellationToken::new()).await
}

async fn ask_server(
    script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    budgets: Budgets,
) -> Result<Ready, NotReady> {
    let server = Server::start(script);
    ask(&Endpoint::local(server.port, "/v1", Some("/health"), "smol"), None, budgets).await
}

#[tokio::test]
async fn loading_is_waited_for_and_then_all_stages_pass() {
    let asked = AtomicU32::new(0);
    let ready = ask_server(
        move |request| match (request.path.as_str(), asked.fetch_add(1, Ordering::Relaxed)) {
            ("/health", 0..=2) => Some((503, "loading".into())),
            ("/v1/models", 0..=5) => Some((200, r#"{"data":[]}"#.into())),
            ("/v1/completions", 0..=7) => Some((503, "loading".into())),
            _ => good("smol", request),
        },
        patient(),
    )
    .await
    .unwrap();
    assert_eq!((ready.model.as_str(), ready.max_context, ready.text.as_str()), ("smol", Some(2048), " a king"));
    let stages: Vec<Stage> = ready.passed.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages, [Stage::Health, Stage::Model, Stage::Generation]);
    assert!(ready.passed.is_sorted_by_key(|(_, after)| *after));
}

// R14.9
#[tokio::test]
async fn another_model_on_the_port_is_refused_at_once() {
    let error = ask_server(|request| good("other", request), patient()).await.unwrap_err();
    assert_eq!((error.stage, error.class()), (Stage::Model, Some(FailureClass::WrongModel)));
    assert!(error.to_string().starts_with("the endpoint serves other instead of smol while asking for its model"));
}

#[tokio::test]
async fn an_engine_with_chat_only_is_ready_too() {
    let ready = ask_server(
        |request| match request.path.as_str() {
            "/v1/completions" => Some((404, "no".into())),
            "/v1/chat/completions" => Some((200, r#"{"choices":[{"message":{"content":"Hi"}}]}"#.into())),
            _ => good("smol", request),
        },
        patient(),
    )
    .await
    .unwrap();
    assert_eq!(ready.text, "Hi");
}

#[tokio::test]
async fn an_engine_that_generates_nothing_is_not_ready() {
    let error = ask_server(
        |request| match request.path.as_str() {
            "/v1/completions" => Some((200, r#"{"choices":[{"text":""}]}"#.into())),
            "/v1/chat/completions" => Some((500, "CUDA error: an illegal memory access".into())),
            _ => good("smol", request),
        },
        patient(),
    )
    .await
    .unwrap_err();
    assert_eq!((error.stage, error.class()), (Stage::Generation, Some(FailureClass::NoAnswers)));
    assert!(error.to_string().contains("illegal memory access"), "{error}");
}

#[tokio::test]
async fn a_key_is_sent_and_its_refusal_is_final() {
    let script = |request: &Request| match request.authorization.as_deref() {
        Some("Bearer sk-1") => good("smol", request),
        _ => Some((401, String::new())),
    };
    let error = ask_server(script, patient()).await.unwrap_err();
    assert!(matches!(error.why, Why::Unauthorized { status: 401 }));
    let server = Server::start(script);
    let endpoint = Endpoint { api_key: Some("sk-1".into()), ..Endpoint::local(server.port, "/v1", None, "smol") };
    assert!(ask(&endpoint, None, patient()).await.is_ok());
}

#[tokio::test]
async fn an_engine_that_never_answers_is_given_up_or_cancelled() {
    let error = ask_server(|_| None, hasty()).await.unwrap_err();
    assert_eq!((error.stage, error.class()), (Stage::Health, Some(FailureClass::TimeoutReady)));
    assert!(error.after >= hasty().ready);

    // R: cancel reaches every step, also one that hangs in a request.
    for mute in ["/health", "/v1/models", "/v1/completions"] {
        let cancel = CancellationToken::new();
        let reached = cancel.clone();
        let server = Server::start(move |request| {
            if request.path == mute {
                reached.cancel();
                return None;
            }
            good("smol", request)
        });
        let endpoint = Endpoint::local(server.port, "/v1", Some("/health"), "smol");
        let client = http::client(&endpoint.origin, &Proxies::default()).unwrap();
        let error = wait_ready(&client, &endpoint, None, &patient(), &cancel).await.unwrap_err();
        assert!(matches!(error.why, Why::Cancelled), "{mute}");
        assert_eq!(error.failure(), None);
    }
}

#[tokio::test]
async fn a_refused_connection_is_explained_when_time_is_up() {
    let port = ports::free_ports(ports::ENGINE_PORTS, 4711, &[]).next().unwrap();
    let error = ask(&Endpoint::local(port, "/v1", None, "smol"), None, hasty()).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
    assert_eq!(error.stage, Stage::Model);
}

// R14.7
#[tokio::test]
async fn a_death_ends_the_wait_at_once_with_exit_and_last_lines_without_secrets() {
    let world = World::new();
    let backend = LocalBackend::new(world.root()).unwrap();
    let mut launch = world.sh("echo using sk-secret-7; echo 'ValueError: no such flag'; exit 3");
    launch.env.insert("VLLM_API_KEY".into(), "sk-secret-7".into());
    let (name, log, secrets) = (id("a"), world.log(), Secrets::of(&launch));
    let watch = Watch { backend: &backend, id: &name, log: &log, secrets: &secrets };
    launch_within(watch, &launch, &patient(), &CancellationToken::new()).await.unwrap();
    // Someone mute on the port: the wait must end by the death, not by an answer.
    let server = Server::start(|_| None);
    let endpoint = Endpoint::local(server.port, "/v1", Some("/health"), "smol");
    let error = ask(&endpoint, Some(watch), patient()).await.unwrap_err();
    assert!(matches!(error.why, Why::Exited { exit: Exit { code: Some(3), .. } }), "{error}");
    let failure = error.failure().unwrap();
    assert_eq!(failure.class, FailureClass::EngineCrash);
    assert_eq!(failure.log_tail[1..], ["using ***", "ValueError: no such flag"]);
    backend.stop(&name, Duration::ZERO).await.unwrap();
}

async fn start_fake<'a>(
    fake: &'a FakeBackend,
    name: &'a DeploymentId,
    log: &'a Path,
    secrets: &'a Secrets,
) -> Watch<'a> {
    fake.launch(name, &Launch { program: "x".into(), ..Launch::default() }, log).await.unwrap();
    Watch { backend: fake, id: name, log, secrets }
}

#[tokio::test]
async fn a_log_that_moves_extends_the_wait_up_to_its_limit() {
    let (world, fake, name, secrets) = (World::new(), FakeBackend::new(), id("a"), Secrets::default());
    let log = world.log();
    let watch = start_fake(&fake, &name, &log, &secrets).await;
    let server = Server::start(|_| Some((503, String::new())));
    let endpoint = Endpoint::local(server.port, "/v1", Some("/health"), "smol");
    let ms = Duration::from_millis;
    let budgets = Budgets { provision: LIMIT, ready: ms(100), limit: ms(900), quiet: Duration::from_secs(30) };
    let writing = async {
        let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
        loop {
            file.write_all(b"loading weights\r").unwrap();
            tokio::time::sleep(ms(20)).await;
        }
    };
    let error = tokio::select! {
        result = ask(&endpoint, Some(watch), budgets) => result.unwrap_err(),
        () = writing => unreachable!(),
    };
    assert!(matches!(error.why, Why::TimedOut { log_moved: true, .. }) && error.after >= budgets.limit, "{error}");

    // The same without a move: the budget counts.
    let still = Budgets { limit: LIMIT, quiet: ms(50), ..budgets };
    let error = ask(&endpoint, Some(watch), still).await.unwrap_err();
    assert!(matches!(&error.why, Why::TimedOut { log_moved: false, last } if last == "HTTP 503"), "{error}");
}

#[tokio::test]
async fn a_cancelled_launch_launches_nothing() {
    let (world, fake, name, secrets) = (World::new(), FakeBackend::new(), id("a"), Secrets::default());
    let log = world.log();
    let watch = Watch { backend: &fake, id: &name, log: &log, secrets: &secrets };
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = launch_within(watch, &Launch::default(), &patient(), &cancel).await.unwrap_err();
    assert!(matches!(error.why, Why::Cancelled) && fake.launches().is_empty());
}

#[tokio::test]
async fn a_real_process_becomes_ready_reports_and_goes() {
    let world = World::new();
    let ports: Vec<u16> = ports::free_ports(ports::ENGINE_PORTS, 9000, &[]).take(2).collect();
    let backend = LocalBackend::new(world.root()).unwrap();
    let launch = wild_engine(&world, [ports[0], ports[1]]);
    let (name, log, secrets) = (id("a"), world.log(), Secrets::of(&launch));
    let watch = Watch { backend: &backend, id: &name, log: &log, secrets: &secrets };
    launch_within(watch, &launch, &patient(), &CancellationToken::new()).await.unwrap();
    let endpoint = Endpoint::local(ports[0], "/v1", Some("/health"), "smol");
    // R14.2: a proxy that would swallow everything is not used for loopback.
    let proxies = Proxies { http: Some("http://127.0.0.1:9".into()), ..Proxies::default() };
    let client = http::client(&endpoint.origin, &proxies).unwrap();
    let ready = wait_ready(&client, &endpoint, Some(watch), &patient(), &CancellationToken::new()).await.unwrap();
    assert_eq!(ready.model, "smol");

    let pages = pages::fetch_pages(&client, &endpoint, &["/props", "metrics", "/nowhere"], LIMIT).await;
    assert_eq!(pages["/props"]["n_ctx"], 2048);
    assert_eq!(pages["metrics"], "vllm:x 1\n");
    assert_eq!(pages.len(), 2);

    backend.stop(&name, Duration::from_millis(200)).await.unwrap();
    assert!(world.tagged().is_empty() && ports::is_free(ports[0]));
}

#[test]
fn budgets_come_from_the_task() {
    let budgets = Budgets::from(&Timeouts { ready_s: 2.5, ready_limit_s: f64::INFINITY, ..Timeouts::default() });
    assert_eq!((budgets.ready, budgets.limit), (Duration::from_millis(2500), Duration::MAX));
}
