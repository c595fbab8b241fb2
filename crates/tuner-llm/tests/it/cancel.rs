//! Going away: the connection closes at once.

use std::time::Duration;

use tuner_llm::Delta;
use tuner_testkit::model::{End, Say, Script, ScriptedModel, Turn};

use crate::ask::{BOTH, LIMIT, model, provider, question, within};

#[tokio::test]
async fn a_dropped_question_closes_its_connection() {
    for kind in BOTH {
        let script = Script::new().turn(Turn::hang()).turn(Say::text("Hello").end(End::Hang(within(kind))).into());
        let server = ScriptedModel::start(script);
        let model = model(provider(&server, kind));
        for gone in 1..=2 {
            let request = question("x");
            let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
            let mut sink = move |delta: Delta| drop(tell.send(delta));
            let asking = model.ask(&request, &mut sink);
            tokio::select! {
                answer = asking => panic!("{answer:?}"),
                // The first question hangs before its answer, the second within it.
                () = async {
                    if gone == 1 {
                        while server.requests().is_empty() {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    } else {
                        assert!(matches!(heard.recv().await, Some(Delta::Text(_))));
                    }
                } => {}
            }
            let closed = async {
                while server.gone() < gone {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let closed = tokio::time::timeout(LIMIT, closed).await;
            assert!(closed.is_ok(), "{kind:?}: the server still has its client");
        }
        server.assert_complete();
    }
}

/// The future can be moved to another thread and be spawned.
#[test]
fn a_question_can_be_asked_from_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let server = ScriptedModel::start(Script::new());
    let model = model(provider(&server, BOTH[0]));
    let request = question("x");
    let mut sink = |_: Delta| {};
    is_send(&model.ask(&request, &mut sink));
    is_send(&model.check());
}
