//! Endpoints that already run.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tuner_deploy::Proxies;
use tuner_deploy::attached::Attached;
use tuner_deploy::ready::Why;

use crate::server::{Server, good};
use crate::world::LIMIT;

#[tokio::test]
async fn an_endpoint_is_ready_when_it_lists_one_model_and_generates() {
    let server = Server::start(|request| match request.path.as_str() {
        "/health" => panic!("nobody asks a gateway for its health"),
        _ => good("theirs", request),
    });
    for url in [server.origin(), format!("{}/v1/", server.origin())] {
        let attached = Attached::new(&url, None, None, &Proxies::default()).unwrap();
        let ready = attached.ready(LIMIT, &CancellationToken::new()).await.unwrap();
        assert_eq!(ready.model, "theirs");
    }
    let named = Attached::new(&server.origin(), Some("ours"), None, &Proxies::default()).unwrap();
    let error = named.ready(LIMIT, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error.why, Why::WrongModel { .. }));
}

#[tokio::test]
async fn a_proxy_is_used_for_other_hosts_and_not_for_those_excepted() {
    // The "proxy" answers for any host, as an engine would.
    let proxy = Server::start(|request| {
        let path = request.path.strip_prefix("http://engine.invalid").unwrap_or(&request.path).to_owned();
        good("far", &crate::server::Request { path, authorization: None, body: request.body.clone() })
    });
    let settings = Proxies { http: Some(proxy.origin()), ..Proxies::default() };
    let far = Attached::new("http://engine.invalid", None, None, &settings).unwrap();
    assert_eq!(far.ready(LIMIT, &CancellationToken::new()).await.unwrap().model, "far");
    let spared = Proxies { no: Some("engine.invalid".into()), ..settings };
    let far = Attached::new("http://engine.invalid", None, None, &spared).unwrap();
    let error = far.ready(Duration::from_millis(200), &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error.why, Why::TimedOut { .. }), "{error}");
}
