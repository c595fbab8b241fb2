//! What the command tells of itself while it runs: lines for programs, and traces for a collector.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::World;
use super::serving::Serving;

/// A collector that keeps what it is sent; its thread ends with the test's process.
struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut reader = BufReader::new(socket.unwrap());
                let head: Vec<String> =
                    reader.by_ref().lines().map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
                assert!(head[0].starts_with("POST /v1/traces "), "{head:?}");
                let length = head
                    .iter()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap()];
                reader.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push(ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                reader.get_mut().write_all(answer).unwrap();
            }
        });
        Self { address, received }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let scopes = received.iter().flat_map(|r| &r.resource_spans).flat_map(|r| &r.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    fn service(&self) -> Option<String> {
        let received = self.received.lock().unwrap();
        text(&received.first()?.resource_spans[0].resource.as_ref()?.attributes, "service.name")
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|a| a.key == key)?.value.clone()?;
    match found {
        AnyValue { value: Some(Value::StringValue(text)) } => Some(text),
        AnyValue { value: Some(Value::IntValue(number)) } => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn a_task_is_a_trace_of_its_attempts_and_levels() {
    let (world, collector) = (World::small(), Collector::start());
    let mut command = world.command(&["tune", "small.yaml"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()).env("OTEL_SERVICE_NAME", "mine");
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    let spans = collector.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let [task] = named("task")[..] else { panic!("{spans:?}") };
    assert!(text(&task.attributes, "task").is_some_and(|id| id.len() == 36), "{task:?}");
    let attempts = named("attempt");
    assert!(attempts.len() >= 4 && attempts.iter().all(|a| a.trace_id == task.trace_id), "{attempts:?}");
    let first = attempts.iter().find(|a| text(&a.attributes, "experiment").as_deref() == Some("1")).unwrap();
    assert_eq!(first.parent_span_id, task.span_id);
    let levels = named("level").into_iter().filter(|level| level.parent_span_id == first.span_id);
    assert!(levels.count() >= 2, "{spans:?}");
    assert_eq!(collector.service().as_deref(), Some("mine"));
}

#[test]
fn a_request_joins_the_trace_of_its_sender() {
    let (world, collector) = (World::new(), Collector::start());
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/v1/traces", collector.url()))];
    let server = Serving::start_with(&world, &["--listen", "127.0.0.1:0", "--workers", "0"], &variables);
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    server.get("/api/tasks/nothing", &format!("traceparent: 00-{trace}-{parent}-01\r\nx-request-id: my-id\r\n"));
    assert_eq!(server.stop(), Some(0));
    let spans = collector.spans();
    let span = spans.iter().find(|span| span.name == "GET /api/tasks/{task}").unwrap_or_else(|| panic!("{spans:?}"));
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (trace.to_owned(), parent.to_owned()));
    let said = |key: &str| text(&span.attributes, key).unwrap_or_default();
    assert_eq!([said("http.response.status_code"), said("request_id")], ["404", "my-id"]);
    assert_eq!(collector.service().as_deref(), Some("inference-autotuner"));
}

#[test]
fn a_collector_that_is_away_costs_nothing_and_a_wrong_setting_is_told() {
    let world = World::small();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = world.command(&["tune", "small.yaml"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{nobody}"));
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    let mut command = world.command(&["tasks", "list"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1").env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("http/protobuf") && said.contains("OTEL_EXPORTER_OTLP_PROTOCOL"), "{said}");
    let mut off = world.command(&["tasks", "list"]);
    off.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1").env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    assert_eq!(off.env("OTEL_SDK_DISABLED", "true").output().unwrap().status.code(), Some(0));
}

#[test]
fn lines_for_programs_name_the_task_and_the_experiment() {
    let world = World::small();
    let mut command = world.command(&["--log", "debug", "--log-format", "json", "tune", "small.yaml"]);
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let lines = said.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let spans = |line: &serde_json::Value| line["spans"].as_array().cloned().unwrap_or_default();
    let of_task = |line: &&serde_json::Value| spans(line).iter().any(|s| s["name"] == "task" && s["task"].is_string());
    assert!(lines.iter().filter(of_task).count() > 4, "{said}");
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{said}");
}
