//! A real llama.cpp with a real small model, as the live test of `tuner-cli` installs it; skipped where it is not
//! there. What the model says is its own affair: only the form is checked.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tuner_llm::{CheckStep, LlmError, Provider, ProviderKind, ToolSupport, Verdict};

use crate::ask::{ask, model, provider_at, question};

struct Engine(Child);

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("live")
}

/// A server that is ready, and its address.
fn llama() -> Option<(Engine, String)> {
    let folder = home().join("engines/llama.cpp");
    let weights = std::fs::read_dir(home().join("models/smollm2-135m-gguf")).ok()?.flatten().map(|entry| entry.path());
    let weights = weights.into_iter().find(|path| path.extension().is_some_and(|end| end == "gguf"))?;
    if !folder.join("complete.json").is_file() {
        return None;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let mut command = Command::new(folder.join("venv/bin/python"));
    command.arg(folder.join("llama_server.py")).arg("-m").arg(weights).arg("--jinja");
    command.args(["--host", "127.0.0.1", "--ctx-size", "2048", "--threads", "1", "--parallel", "1", "--port"]);
    command.arg(port.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let engine = Engine(command.spawn().ok()?);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((engine, format!("http://127.0.0.1:{port}/v1")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

#[tokio::test]
async fn a_real_small_model_answers_streamed_checked_and_by_schema() {
    let Some((_engine, url)) = llama() else {
        eprintln!("SKIPPED: no llama.cpp in {}; the live test of tuner-cli installs it", home().display());
        return;
    };
    let base =
        Provider { max_output_tokens: Some(24), temperature: Some(0.0), ..provider_at(&url, ProviderKind::Local) };
    let limits = tuner_llm::Limits {
        tries: 8,
        wait: tuner_llm::Backoff { first: Duration::from_millis(300), longest: Duration::from_secs(5) },
        ..base.limits
    };
    let base = Provider { limits, ..base };

    let talker = model(base.clone());
    let mut request = question("Say hello.");
    request.tools.clear();
    let (reply, told) = ask(&talker, &request).await;
    let reply = reply.unwrap();
    assert!(!reply.text.is_empty() && told.len() > 1, "{reply:?}");
    assert!(reply.usage.is_some_and(|usage| usage.output_tokens > 0), "{reply:?}");

    let check = talker.check().await;
    for step in [CheckStep::Reachable, CheckStep::Authorised, CheckStep::Streams] {
        assert_eq!(check.of(step).unwrap().verdict, Verdict::Good, "{check:#?}");
    }

    let by_schema = Provider { tools: ToolSupport::Schema, max_output_tokens: Some(96), ..base };
    match ask(&model(by_schema), &question("Add 1.")).await.0 {
        Ok(reply) => eprintln!("by schema: {:?} {:?}", reply.text, reply.calls),
        // A model this small may run into its limit of tokens.
        Err(error) => assert!(matches!(error, LlmError::OffSchema { .. }), "{error:?}"),
    }
}
