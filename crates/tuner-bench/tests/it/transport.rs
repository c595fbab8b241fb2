//! TLS, HTTP/2 and headers.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tuner_bench::{LevelRun, Target};
use tuner_core::record::Fate;
use tuner_testkit::closed_form::{Case, ClosedForm, Timetable};

use crate::closed_form_run::{load, run, scenario, target};

fn fates(run: &LevelRun) -> Vec<&Fate> {
    run.records.iter().map(|r| &r.fate).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn encrypted_streams_are_read_and_keep_the_kernels_stamps() {
    for case in [Case::Clean, Case::HugeEvents, Case::EventsPerWrite, Case::NotChunked] {
        let server = ClosedForm::start_tls(Timetable::quick(case)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authorities = folder.path().join("ca.pem");
        std::fs::write(&authorities, server.certificate.as_ref().unwrap()).unwrap();
        let target = Target { authorities: Some(authorities), ..target(&server) };
        let (plan, run) = run(&target, &scenario("D(12,20)"), &load(4)).await;
        assert!(run.records.iter().all(|r| r.fate == Fate::Completed), "{case:?}: {:?}", fates(&run));
        assert!(run.records.iter().all(|r| r.warmup || r.output_tokens == Some(20)), "{case:?}");
        let measurement = run.measurement(&plan, &[], &[]);
        if cfg!(target_os = "linux") {
            assert!(measurement.evidence.contains_key("client_delay_p99_ms"), "{case:?}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_whose_certificate_nobody_vouches_for_is_a_failure_of_its_own_class() {
    let server = ClosedForm::start_tls(Timetable::quick(Case::Clean)).unwrap();
    let (plan, run) = run(&target(&server), &scenario("D(12,20)"), &load(2)).await;
    assert_eq!(run.measurement(&plan, &[], &[]).errors.get("tls"), Some(&2), "{:?}", fates(&run));
}

#[tokio::test(flavor = "current_thread")]
async fn headers_are_sent_with_every_request() {
    let server = ClosedForm::start(Timetable::quick(Case::Clean)).unwrap();
    let headers = vec![("X-Route".to_owned(), "Blue".to_owned())];
    let target = Target { headers, api_key: Some("key".to_owned()), ..target(&server) };
    let (_, run) = run(&target, &scenario("D(12,2)"), &load(2)).await;
    assert!(run.records.iter().all(|r| r.fate == Fate::Completed));
    for served in server.served() {
        assert!(served.head.contains("\nx-route: blue\r") && served.head.contains("\nauthorization: bearer key\r"));
    }
}

/// A server of HTTP/2 that answers each request with `tokens` events, one every 2 ms.
async fn http2_server(tokens: usize) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    tokio::spawn(async move {
                        let mut body = request.into_body();
                        while body.data().await.is_some() {}
                        let head = http::Response::builder().header("content-type", "text/event-stream");
                        let mut send = respond.send_response(head.body(()).unwrap(), false).unwrap();
                        for k in 0..tokens {
                            tokio::time::sleep(Duration::from_millis(2)).await;
                            let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\" w{k}\"}}}}]}}\n\n");
                            send.send_data(Bytes::from(event), false).unwrap();
                        }
                        let end = format!(
                            "data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"length\"}}],\"usage\":{{\"prompt_tokens\":12,\"completion_tokens\":{tokens}}}}}\n\ndata: [DONE]\n\n"
                        );
                        send.send_data(Bytes::from(end), true).unwrap();
                    });
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_over_http2_are_read_event_by_event() {
    let address = http2_server(20).await;
    let target = Target { base_url: format!("http://{address}"), http2: true, ..Target::default() };
    let (plan, run) = run(&target, &scenario("D(12,20)"), &load(6)).await;
    for record in run.records.iter().filter(|r| !r.warmup) {
        assert_eq!(record.fate, Fate::Completed);
        assert_eq!(record.reads.iter().map(|r| r.events).sum::<u32>(), 20);
        assert!(record.reads.len() > 5, "read as they came: {:?}", record.reads);
        assert_eq!(record.connect_s, None, "the connection is kept");
    }
    let measurement = run.measurement(&plan, &[], &[]);
    assert_eq!(measurement.requests.completed, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_only_http1_is_told_from_one_that_cannot_be_reached() {
    let server = ClosedForm::start(Timetable::quick(Case::Clean)).unwrap();
    let (plan, run) = run(&Target { http2: true, ..target(&server) }, &scenario("D(12,2)"), &load(2)).await;
    let errors = run.measurement(&plan, &[], &[]).errors;
    assert_eq!(errors.values().sum::<u64>(), 2, "{errors:?}");
}
