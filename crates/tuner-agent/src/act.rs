//! Doing calls: those that only look at once, those that change something one after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tuner_policy::chat::{Call, CallState, Command, Ending, Risk};
use tuner_store::{CallEnd, CallResult, ChatRun, StoreError};
use uuid::Uuid;

use crate::context::{RESULT_SHOWN, cut_middle, untrusted};
use crate::driver::{Agent, unless_refused};
use crate::point::Point;
use crate::tools::ToolError;

/// How long a call may take to end after its run was stopped.
const GRACE: Duration = Duration::from_secs(10);
/// How often one looks for a decision that nothing told of.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes that are kept of what a tool said.
const KEPT: usize = 4 << 20;

impl Agent {
    /// Does calls until none is ready or running.
    ///
    /// # Errors
    /// The store failed; what runs is done all the same, and written down by who comes next.
    pub(crate) async fn act(&self, run: &ChatRun, holder: Uuid, stop: &CancellationToken) -> Result<(), StoreError> {
        let (store, id) = (self.store(), run.run.id);
        let mut wake = store.watch_events();
        let mut busy: JoinSet<(Call, CallResult, Option<String>, Ending)> = JoinSet::new();
        let mut changing = BTreeSet::new();
        loop {
            wake.mark_unchanged();
            let book = store.book(id).await?;
            if book.run.stop.is_some() {
                stop.cancel();
            }
            for call in book.calls.iter().filter(|call| call.state == CallState::UnknownOutcome) {
                self.settle_unknown(run, call).await?;
            }
            for call in book.calls.iter().filter(|call| call.state == CallState::Ready) {
                let changes = call.risk > Risk::Reads;
                if changes && !changing.is_empty() {
                    continue;
                }
                self.reach(Point::Beginning);
                match store.apply(id, Command::Start { call: call.id, holder }, self.rules()).await {
                    Ok(_) => {
                        self.reach(Point::Begun);
                        if changes {
                            changing.insert(call.id);
                        }
                        let (agent, run, call, stop) = (self.clone(), run.clone(), call.clone(), stop.clone());
                        busy.spawn(async move {
                            let (result, output, ending) = agent.perform(&run, &call, stop).await;
                            (call, result, output, ending)
                        });
                    }
                    Err(StoreError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            if busy.is_empty() {
                return Ok(());
            }
            tokio::select! {
                ended = busy.join_next() => match ended {
                    Some(Ok((call, result, output, ending))) => {
                        changing.remove(&call.id);
                        self.reach(Point::Done);
                        let end = CallEnd { call: call.id, holder, ending, result, output };
                        unless_refused(store.end_call(id, end, self.rules()).await)?;
                        self.reach(Point::Ended);
                    }
                    Some(Err(error)) => {
                        tracing::error!(%error, "a tool failed in a way that no tool should");
                        changing.clear();
                        // Its call is found as nobody's below.
                        store.apply(id, Command::Recover { holder: Uuid::now_v7() }, self.rules()).await?;
                    }
                    None => {}
                },
                () = self.news(&mut wake) => {}
            }
        }
    }

    /// Something may have changed.
    async fn news(&self, wake: &mut tokio::sync::watch::Receiver<i64>) {
        let _ = tokio::time::timeout(LOOK, wake.changed()).await;
        // A task under way tells a hundred things a second.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    /// Runs a tool.
    async fn perform(
        &self,
        run: &ChatRun,
        call: &Call,
        stop: CancellationToken,
    ) -> (CallResult, Option<String>, Ending) {
        let done = self.call_tool(run, call, stop).await;
        let ending = match &done {
            Ok(_) => Ending::Succeeded,
            Err(ToolError::Stopped) => Ending::Cancelled,
            Err(_) => Ending::Failed,
        };
        let tool = self.tools().find(&call.tool);
        let is_untrusted = tool.is_some_and(|tool| tool.untrusted);
        let document = match done {
            Ok(value) => json!({ "success": true, "result": value }),
            Err(error) => error.document(),
        };
        let (result, output) = self.told(call, &document, ending == Ending::Succeeded, is_untrusted);
        (result, output, ending)
    }

    async fn call_tool(&self, run: &ChatRun, call: &Call, stop: CancellationToken) -> Result<Value, ToolError> {
        let Some(tool) = self.tools().find(&call.tool) else {
            return Err(ToolError::Invalid(format!("there is no tool {:?}", call.tool)));
        };
        let arguments = serde_json::from_str(&call.arguments)
            .map_err(|error| ToolError::Invalid(format!("the arguments are not JSON: {error}")))?;
        let work = tool.run(self.cx(run.session, &run.asker, call.id, stop.clone())?, arguments);
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            done = tokio::time::timeout(tool.limit, work) => done.unwrap_or(Err(ToolError::TimedOut(tool.limit.as_secs()))),
            () = stopped => Err(ToolError::Stopped),
        }
    }

    /// What is told and what is kept of a result.
    fn told(&self, call: &Call, document: &Value, success: bool, is_untrusted: bool) -> (CallResult, Option<String>) {
        let whole = self.redactor().clean_json(document).to_string();
        let bytes = whole.len() as u64;
        let how = format!("read_result with call_id {} gives it in parts", call.id);
        let cut = whole.len() > RESULT_SHOWN;
        let mut text = cut_middle(&whole, RESULT_SHOWN, &how);
        if is_untrusted {
            text = untrusted(&call.tool, &text);
        }
        let output = cut.then(|| cut_middle(&whole, KEPT, "not kept"));
        (CallResult { success, text, bytes, cut, untrusted: is_untrusted }, output)
    }

    /// Whoever ran a call died, and doing it again might do it twice.
    async fn settle_unknown(&self, run: &ChatRun, call: &Call) -> Result<(), StoreError> {
        let message = "the service was started anew while this call ran, and whether it was done is not known; look \
                       before you do it again";
        let document = ToolError::Other { code: "unknown_outcome", message: message.to_owned(), hint: None }.document();
        let (result, _) = self.told(call, &document, false, false);
        let ending = if run.run.stop.is_some() { Ending::Cancelled } else { Ending::Failed };
        unless_refused(self.store().resolve_call(run.run.id, call.id, ending, result, self.rules()).await)
    }
}
