//! The server's protocol, by a client that looks at every byte.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tuner_core::{FailureClass, Value};
use tuner_sim::{Clock, Drive, Server, SimEngine, run_level, serve};

use crate::client::{call, open};
use crate::support::{closed, try_engine};

const MODEL: &str = "meta-llama/Llama-3.2-1B";

type Lines = Arc<Mutex<Vec<String>>>;

async fn start_at(engine: SimEngine, speed: f64) -> (Server, Lines) {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let log = Arc::new(move |line: &str| sink.lock().unwrap().push(line.to_owned()));
    (serve(engine, listener, Clock { speed }, 0, log).unwrap(), lines)
}

/// Polls until `done`, for at most 30 s.
async fn until<F: Future<Output = bool>>(mut done: impl FnMut() -> F) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !done().await {
        assert!(Instant::now() < limit, "it did not happen within 30 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ready(server: &Server) {
    until(|| async { call(server.address(), "/health", None).await.status == 200 }).await;
}

/// A small model on a large GPU, a hundred times faster than life, ready.
async fn start(flags: &[(&str, Value)]) -> (Server, Lines) {
    let engine = try_engine(MODEL, "h100-80g", 1, flags).unwrap().without_noise();
    let (server, lines) = start_at(engine, 200.0).await;
    ready(&server).await;
    (server, lines)
}

fn question(tokens: u32, max_tokens: u32) -> Json {
    let text = tuner_sim::tokenizer::synthetic_text(tokens, 1);
    json!({"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": max_tokens, "ignore_eos": true})
}

fn with(mut body: Json, more: Json) -> Json {
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn metric(page: &str, name: &str) -> f64 {
    let line = page.lines().find(|l| l.strip_prefix(name).is_some_and(|rest| rest.starts_with('{')));
    line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn health_is_503_while_loading_and_then_200() {
    let engine = try_engine(MODEL, "h100-80g", 1, &[("slow-start", Value::Int(100))]).unwrap();
    let (server, lines) = start_at(engine, 200.0).await;
    let loading = call(server.address(), "/health", None).await;
    assert_eq!((loading.status, loading.json()["error"]["code"].clone()), (503, json!(503)));
    assert_eq!(call(server.address(), "/v1/chat/completions", Some(&question(4, 4))).await.status, 503);
    ready(&server).await;
    let lines = lines.lock().unwrap();
    assert_eq!(lines[0], "INFO non-default args: {'slow_start': 100}");
    assert!(lines.iter().any(|l| l.starts_with("INFO GPU KV cache size: ")), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("INFO Application startup complete."));
}

#[tokio::test]
async fn a_chat_stream_is_role_tokens_finish_usage_done() {
    let (server, _) = start(&[]).await;
    let options = json!({"stream": true, "stream_options": {"include_usage": true}});
    let reply = call(server.address(), "/v1/chat/completions", Some(&with(question(20, 5), options))).await;
    assert!(reply.complete && reply.status == 200);
    assert!(reply.head.to_ascii_lowercase().contains("content-type: text/event-stream"));
    let chunks = reply.chunks();
    assert_eq!(chunks.len(), 1 + 5 + 1);
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
    for chunk in &chunks[1..6] {
        let text = chunk["choices"][0]["delta"]["content"].as_str().unwrap();
        assert_eq!(tuner_sim::tokenizer::count(text), 1);
        assert!(chunk.get("usage").is_none());
    }
    let reasons: Vec<_> = chunks[1..6].iter().map(|c| c["choices"][0]["finish_reason"].clone()).collect();
    assert_eq!(reasons, [Json::Null, Json::Null, Json::Null, Json::Null, json!("length")]);
    assert_eq!(chunks[6]["choices"], json!([]));
    let usage = &chunks[6]["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(20), &json!(5)));
    assert!(chunks.iter().all(|c| c["model"] == MODEL && c["object"] == "chat.completion.chunk"));
}

#[tokio::test]
async fn completions_take_token_ids_and_count_as_they_go() {
    let (server, _) = start(&[]).await;
    let body = json!({
        "prompt": [5, 6, 7, 8], "max_tokens": 3, "ignore_eos": true, "stream": true,
        "stream_options": {"include_usage": true, "continuous_usage_stats": true},
    });
    let reply = call(server.address(), "/v1/completions", Some(&body)).await;
    let counts: Vec<_> = reply.chunks().iter().map(|c| c["usage"]["completion_tokens"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2, 3, 3]);
    assert!(reply.chunks()[..3].iter().all(|c| !c["choices"][0]["text"].as_str().unwrap().is_empty()));
}

#[tokio::test]
async fn a_whole_answer_carries_its_text_and_usage() {
    let (server, _) = start(&[]).await;
    let reply = call(server.address(), "/v1/chat/completions", Some(&question(10, 7))).await.json();
    let text = reply["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(tuner_sim::tokenizer::count(text), 7);
    assert_eq!(reply["usage"]["total_tokens"], json!(17));
    assert_eq!(reply["choices"][0]["finish_reason"], json!("length"));
    let tokens = call(server.address(), "/tokenize", Some(&json!({"prompt": text}))).await.json();
    assert_eq!(tokens["count"], json!(7));
}

#[tokio::test]
async fn an_answer_that_may_end_ends_by_itself_between_the_limits() {
    let (server, _) = start(&[]).await;
    let free = with(question(10, 4000), json!({"ignore_eos": false}));
    let reply = call(server.address(), "/v1/chat/completions", Some(&free)).await.json();
    assert_eq!(reply["choices"][0]["finish_reason"], json!("stop"));
    let natural = reply["usage"]["completion_tokens"].as_u64().unwrap();
    let forced = with(free, json!({"min_tokens": natural + 10}));
    let reply = call(server.address(), "/v1/chat/completions", Some(&forced)).await.json();
    assert_eq!(reply["usage"]["completion_tokens"], json!(natural + 10));
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_in_openais_form() {
    let (server, _) = start(&[("max-model-len", Value::Int(512))]).await;
    let chat = "/v1/chat/completions";
    let cases = [
        (chat, json!({"model": MODEL}), 400, "messages: field required"),
        (chat, with(question(4, 4), json!({"model": "other"})), 404, "The model `other` does not exist."),
        (chat, question(600, 4), 400, "This model's maximum context length is 512 tokens."),
        (chat, with(question(4, 4), json!({"n": 2})), 400, "n must be 1"),
        (chat, with(question(4, 4), json!({"max_tokens": 0})), 400, "max_tokens must be at least 1"),
        ("/v1/completions", json!({"prompt": ["a", "b"]}), 400, "one prompt per request"),
        ("/v1/completions", json!({"prompt": 7}), 400, "invalid request body"),
        ("/v1/embeddings", json!({}), 404, "Not Found"),
    ];
    for (path, body, status, message) in cases {
        let reply = call(server.address(), path, Some(&body)).await;
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status, error["code"].clone()), (status, json!(status)), "{body}");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
}

#[tokio::test]
async fn the_metrics_count_every_token_under_vllms_names() {
    let (server, _) = start(&[]).await;
    for _ in 0..3 {
        call(server.address(), "/v1/chat/completions", Some(&question(160, 20))).await;
    }
    let page = call(server.address(), "/metrics", None).await.body;
    assert_eq!(metric(&page, "vllm:prompt_tokens_total"), 480.0);
    assert_eq!(metric(&page, "vllm:generation_tokens_total"), 60.0);
    assert_eq!(metric(&page, "vllm:prefix_cache_queries_total"), 480.0);
    assert_eq!(metric(&page, "vllm:prefix_cache_hits_total"), 2.0 * 144.0);
    assert_eq!(metric(&page, "vllm:time_to_first_token_seconds_count"), 3.0);
    assert_eq!(metric(&page, "vllm:time_per_output_token_seconds_count"), 57.0);
    assert!(page.contains(
        "vllm:request_success_total{engine=\"0\",model_name=\"meta-llama/Llama-3.2-1B\",finished_reason=\"length\"} 3"
    ));
    for name in ["num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "gpu_cache_usage_perc"] {
        assert_eq!(metric(&page, &format!("vllm:{name}")), 0.0);
    }
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_place() {
    let (server, _) = start(&[]).await;
    let body = with(question(100, 100_000), json!({"stream": true}));
    let socket = open(server.address(), "/v1/chat/completions", Some(&body)).await;
    let running = || async {
        let page = call(server.address(), "/metrics", None).await.body;
        metric(&page, "vllm:num_requests_running")
    };
    until(|| async { running().await == 1.0 }).await;
    drop(socket);
    until(|| async { running().await == 0.0 }).await;
    let page = call(server.address(), "/metrics", None).await.body;
    assert_eq!(metric(&page, "vllm:kv_cache_usage_perc"), 0.0);
}

#[tokio::test]
async fn a_dying_engine_cuts_its_streams_and_says_why() {
    let (server, lines) = start(&[("die-at-concurrency", Value::Int(2))]).await;
    let address = server.address();
    let body = with(question(10, 100_000), json!({"stream": true}));
    let second = body.clone();
    let first = tokio::spawn(async move { call(address, "/v1/chat/completions", Some(&body)).await });
    until(|| async { metric(&call(address, "/metrics", None).await.body, "vllm:num_requests_running") == 1.0 }).await;
    let second = call(address, "/v1/chat/completions", Some(&second)).await;
    assert!(!second.complete && !first.await.unwrap().complete);
    assert_eq!(server.ended().await.map(|f| f.class), Some(FailureClass::EngineCrash));
    assert!(lines.lock().unwrap().iter().any(|l| l.contains("Traceback")));
    assert_eq!(call(address, "/health", None).await.status, 500);
}

#[tokio::test]
async fn a_stopped_server_cuts_its_streams_and_leaves_its_port() {
    let (server, _) = start(&[]).await;
    let address = server.address();
    let body = with(question(10, 100_000), json!({"stream": true}));
    let stream = tokio::spawn(async move { call(address, "/v1/chat/completions", Some(&body)).await });
    until(|| async { metric(&call(address, "/metrics", None).await.body, "vllm:num_requests_running") == 1.0 }).await;
    drop(server);
    assert!(!stream.await.unwrap().complete);
    until(|| async { TcpListener::bind(address).await.is_ok() }).await;
}

#[tokio::test]
async fn requests_beyond_the_injected_limit_fail_with_500() {
    let (server, _) = start(&[("fail-after-requests", Value::Int(1))]).await;
    let status = || async { call(server.address(), "/v1/chat/completions", Some(&question(4, 4))).await.status };
    assert_eq!((status().await, status().await), (200, 500));
}

#[tokio::test]
async fn the_served_name_and_the_arguments_can_be_read_back() {
    let flags = [("served-model-name", Value::from("liar")), ("max-num-seqs", Value::Int(17))];
    let (server, _) = start(&flags).await;
    let models = call(server.address(), "/v1/models", None).await.json();
    assert_eq!((&models["data"][0]["id"], &models["data"][0]["root"]), (&json!("liar"), &json!(MODEL)));
    let info = call(server.address(), "/server_info", None).await.json();
    assert_eq!((&info["max_num_seqs"], &info["block_size"]), (&json!(17), &json!(16)));
    assert_eq!(call(server.address(), "/v1/chat/completions", Some(&question(4, 4))).await.status, 404);
}

#[tokio::test]
async fn the_server_takes_the_time_that_the_level_in_virtual_time_takes() {
    let engine = try_engine(MODEL, "h100-80g", 1, &[]).unwrap().without_noise().without_startup();
    let run = run_level(&engine, &mut closed(6, 0, 200, 200).into_iter(), &Drive::default(), 0);
    let mean = |f: &dyn Fn(&tuner_core::record::RequestRecord) -> f64| run.records.iter().map(f).sum::<f64>() / 6.0;
    let ttft = mean(&|r| r.first_token_s().unwrap() - r.sent_s.unwrap());
    let tpot = mean(&|r| (r.last_token_s().unwrap() - r.first_token_s().unwrap()) / 199.0);
    let (server, _) = start_at(engine, 5.0).await;
    ready(&server).await;
    for seed in 0..6 {
        let text = tuner_sim::tokenizer::synthetic_text(200, 1000 + seed);
        let body = json!({"prompt": text, "max_tokens": 200, "ignore_eos": true, "stream": true});
        assert_eq!(call(server.address(), "/v1/completions", Some(&body)).await.chunks().len(), 200);
    }
    let page = call(server.address(), "/metrics", None).await.body;
    let served = |name: &str| metric(&page, &format!("vllm:{name}_sum")) / metric(&page, &format!("vllm:{name}_count"));
    let ratio = served("time_per_output_token_seconds") / tpot;
    // A stalled machine can only make the server slower.
    assert!((0.99..1.5).contains(&ratio), "{ratio}");
    assert!(served("time_to_first_token_seconds") > 0.9 * ttft);
}

#[tokio::test]
async fn the_subcommand_exits_as_the_real_engines_do() {
    let exit = async |line: &str| tuner_sim::run_command(&line.split(' ').collect::<Vec<_>>()).await;
    assert_eq!(exit("--port 0").await, 2);
    assert_eq!(exit("llama-3.1-8b --port 0 --max-num-sequences 4").await, 2);
    assert_eq!(exit("llama-3.3-70b --port 0 --speed 1000000").await, 1);
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(exit(&format!("llama-3.1-8b --port {port} --speed 1000000")).await, 1);
}
