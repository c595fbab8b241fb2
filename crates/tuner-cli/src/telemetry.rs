//! What this process tells of itself while it runs: its log on standard error, and traces for OpenTelemetry.
//!
//! *Invariant*: nothing is sent anywhere unless the environment names a collector, by OpenTelemetry's own variables.

use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt};

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl LogFormat {
    /// As it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Sends what is still to be sent when it is dropped.
#[must_use]
pub(crate) struct Telemetry(Option<traces::Provider>);

/// How long a process that ends waits for its collector.
const PATIENCE: Duration = Duration::from_secs(2);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is away loses the last spans, never the exit status.
            let _ = provider.shutdown_with_timeout(PATIENCE);
        }
    }
}

/// Starts the log, and the traces if the environment asks for them. To be called outside of an asynchronous runtime.
///
/// # Errors
/// The environment asks for traces that cannot be sent; the log is started all the same.
pub(crate) fn start(filter: &str, format: LogFormat) -> anyhow::Result<Telemetry> {
    let (provider, failure) = match traces::wanted().then(traces::provider).transpose() {
        Ok(provider) => (provider, None),
        Err(error) => (None, Some(error)),
    };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let log: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => log.with_filter(filter).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_filter(filter).boxed(),
    };
    let traces = provider.as_ref().map(traces::layer);
    tracing_subscriber::registry().with(log).with(traces).init();
    match failure {
        None => Ok(Telemetry(provider)),
        Some(error) => Err(error).context("OpenTelemetry's traces cannot be sent"),
    }
}

pub(crate) use traces::adopt;

mod traces {
    use http::HeaderMap;
    use opentelemetry::propagation::Extractor;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry::{KeyValue, global};
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Span;
    use tracing::level_filters::LevelFilter;
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::layer::Layer;
    use tracing_subscriber::registry::LookupSpan;
    use tuner_runner::this_process;

    pub(super) type Provider = SdkTracerProvider;

    /// Our name among services, unless `OTEL_SERVICE_NAME` says another.
    const SERVICE: &str = "inference-autotuner";

    fn set(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Whether the environment names a place for traces and does not switch them off.
    pub(super) fn wanted() -> bool {
        let named = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
            .into_iter()
            .any(|name| set(name).is_some());
        let off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        named && !off && set("OTEL_TRACES_EXPORTER").is_none_or(|exporters| exporters != "none")
    }

    /// What sends spans, as OpenTelemetry's variables say.
    pub(super) fn provider() -> anyhow::Result<Provider> {
        let protocol = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"].into_iter().find_map(set);
        if let Some(protocol) = protocol.filter(|protocol| protocol != "http/protobuf") {
            anyhow::bail!("they are sent by http/protobuf, not by {protocol}; unset OTEL_EXPORTER_OTLP_PROTOCOL");
        }
        let exporter = SpanExporter::builder().with_http().build()?;
        let here = this_process();
        let mut resource = Resource::builder().with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("host.name", here.host),
            KeyValue::new("process.pid", i64::from(here.pid)),
        ]);
        if set("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build())
    }

    /// Our own spans only: what sends them has spans too.
    pub(super) fn layer<S>(provider: &Provider) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let ours = Targets::new().with_target("tuner", LevelFilter::INFO);
        tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE)).with_level(true).with_filter(ours)
    }

    /// Makes a request's span part of the trace that its sender says it belongs to.
    pub(crate) fn adopt(span: &Span, headers: &HeaderMap) {
        let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)));
        // Refused only where no traces are kept.
        let _ = span.set_parent(parent);
    }

    struct Headers<'a>(&'a HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(|name| name.as_str()).collect()
        }
    }
}
