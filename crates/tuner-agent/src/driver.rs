//! Takes up runs in which something can be done, and does it: one process a conversation, under a lease.
//!
//! *Invariant*: a run that waits for a person holds no task, no socket and no lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tuner_app::service::Service;
use tuner_llm::{ChatModel, LlmError, Provider};
use tuner_policy::chat::{Command, Rules, RunState};
use tuner_runner::{Pulse, take, this_process};
use tuner_store::{ChatRun, Resource, Store, StoreError};
use uuid::Uuid;

use crate::live::Live;
use crate::next::{Next, hopeless, next};
use crate::point::Point;
use crate::redact::Redactor;
use crate::settings::AgentSettings;
use crate::tools::{Intent, Registry};

/// How often one looks for runs that nothing told of, and for time that ran out.
const LOOK: Duration = Duration::from_secs(1);
/// How often waits that are over are ended, and conversations told of tasks.
const EXPIRE: Duration = Duration::from_secs(2);
/// Between two looks at the runs.
const PAUSE: Duration = Duration::from_millis(20);

/// What was refused is another one's matter by now: the run was stopped, or somebody else has it.
pub(crate) fn unless_refused<T>(done: Result<T, StoreError>) -> Result<(), StoreError> {
    match done {
        Ok(_) | Err(StoreError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The agent of this process. Clones share it.
#[derive(Clone)]
pub struct Agent(Arc<Parts>);

struct Parts {
    service: Service,
    settings: Arc<AgentSettings>,
    connection: RwLock<Arc<Connection>>,
    tools: Registry,
    live: Live,
    /// What stops each run that is driven here.
    driven: Mutex<HashMap<Uuid, CancellationToken>>,
}

/// What can be set anew while the agent runs.
pub(crate) struct Connection {
    /// Whose model it is, and which.
    pub(crate) provider: Option<Provider>,
    /// Settings that are missing, by their names.
    pub(crate) missing: Vec<&'static str>,
    model: Option<Arc<ChatModel>>,
    redactor: Redactor,
    /// What is removed by the redactor, earlier keys too.
    secrets: Vec<String>,
}

impl Connection {
    /// As the settings say, after one that had secrets of its own.
    fn new(settings: &AgentSettings, model: Option<ChatModel>, before: &[String]) -> Arc<Self> {
        let mut secrets: Vec<String> = settings.secrets.iter().chain(before).cloned().collect();
        secrets.sort_unstable();
        secrets.dedup();
        Arc::new(Self {
            provider: settings.provider.clone(),
            missing: settings.missing.clone(),
            model: model.map(Arc::new),
            redactor: Redactor::new(&secrets),
            secrets,
        })
    }
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("tools", &self.0.tools).finish_non_exhaustive()
    }
}

impl Agent {
    /// An agent on a service. It does nothing until it is [started](Agent::start).
    pub fn new(service: Service, settings: AgentSettings, model: Option<ChatModel>) -> Self {
        let connection = RwLock::new(Connection::new(&settings, model, &[]));
        let (tools, live) = (Registry::matching(&settings.tools), Live::default());
        let settings = Arc::new(settings);
        Self(Arc::new(Parts { service, settings, connection, tools, live, driven: Mutex::default() }))
    }

    /// Asks another model from now on. An answer that is under way goes on as it was.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub(crate) fn connect(&self, settings: &AgentSettings) -> Result<(), LlmError> {
        let next = Connection::new(settings, settings.model()?, &self.connection().secrets);
        *self.0.connection.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    pub(crate) fn connection(&self) -> Arc<Connection> {
        self.0.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up runs until `stop`; then lets go of them, so that whoever comes next goes on.
    pub fn start(&self, stop: CancellationToken) -> JoinHandle<()> {
        let agent = self.clone();
        tokio::spawn(async move { agent.tend(stop).await })
    }

    /// What is being said now.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// What the model may call.
    pub fn tools(&self) -> &Registry {
        &self.0.tools
    }

    /// How it is set.
    pub fn settings(&self) -> &Arc<AgentSettings> {
        &self.0.settings
    }

    /// The model, if one is set.
    pub fn model(&self) -> Option<Arc<ChatModel>> {
        self.connection().model.clone()
    }

    pub(crate) fn service(&self) -> &Service {
        &self.0.service
    }

    pub(crate) fn store(&self) -> &Store {
        self.0.service.store()
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.0.settings.rules
    }

    /// The task that a call means, by its id.
    pub(crate) async fn task_of(&self, intent: &Intent) -> Option<String> {
        let row = self.store().task(intent.task.as_deref()?).await.ok()?;
        Some(row.id.to_string())
    }

    /// How long a person has to decide about a call.
    pub(crate) fn patience(&self) -> TimeDelta {
        TimeDelta::from_std(self.settings().bounds.patience).unwrap_or(TimeDelta::hours(8))
    }

    pub(crate) fn redactor(&self) -> Redactor {
        self.connection().redactor.clone()
    }

    /// A named moment has come.
    pub(crate) fn reach(&self, point: Point) {
        if let Some(probe) = self.settings().probe.filter(|probe| probe.point == point) {
            (probe.then)();
        }
    }

    /// Stops what this process does for a run, now; the store has been told before.
    pub(crate) fn interrupt(&self, run: Uuid) {
        if let Some(stop) = self.driven().get(&run) {
            stop.cancel();
        }
    }

    fn driven(&self) -> MutexGuard<'_, HashMap<Uuid, CancellationToken>> {
        self.0.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tend(&self, stop: CancellationToken) {
        let mut wake = self.store().watch_events();
        let mut work = tokio::task::JoinSet::new();
        let mut expired = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            wake.mark_unchanged();
            match self.store().live_runs().await {
                Ok(runs) => {
                    let (waiting, ready): (Vec<ChatRun>, Vec<ChatRun>) =
                        runs.into_iter().partition(|run| run.run.state == RunState::AwaitingAuthorization);
                    // Another process may have a model; without one, its runs would only be failed here.
                    let can = |run: &ChatRun| run.run.outside || self.model().is_some();
                    ready.into_iter().filter(can).for_each(|run| self.take_up(run, &mut work, &stop));
                    if expired.elapsed() > EXPIRE {
                        expired = tokio::time::Instant::now();
                        for run in waiting {
                            self.expire(run.run.id).await;
                        }
                        self.tell_of_tasks().await;
                    }
                }
                Err(error) => tracing::warn!(error = %error.in_words(), "runs cannot be read; trying again"),
            }
            while work.try_join_next().is_some() {}
            let news = async {
                let _ = tokio::time::timeout(LOOK, wake.changed()).await;
                tokio::time::sleep(PAUSE).await;
            };
            stop.run_until_cancelled(news).await;
        }
        // Calls that are under way have until the process ends; who comes next finds out what became of them.
        let all = async { while work.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(3), all).await;
    }

    /// Ends waits for a person that have lasted long enough.
    async fn expire(&self, run: Uuid) {
        if let Err(error) = self.store().apply(run, Command::Expire, self.rules()).await {
            tracing::warn!(error = %error.in_words(), "waits that are over could not be ended; trying again");
        }
    }

    fn take_up(&self, run: ChatRun, work: &mut tokio::task::JoinSet<()>, stop: &CancellationToken) {
        let id = run.run.id;
        let token = stop.child_token();
        {
            let mut driven = self.driven();
            if driven.contains_key(&id) {
                return;
            }
            driven.insert(id, token.clone());
        }
        let agent = self.clone();
        work.spawn(async move {
            if let Err(error) = agent.drive(&run, token).await {
                // It stays in the store as it is, and is taken up again.
                tracing::warn!(run = %id, error = %error.in_words(), "a run was let go");
                tokio::time::sleep(LOOK).await;
            }
            agent.driven().remove(&id);
        });
    }

    /// Drives a run as far as it goes without a person.
    #[tracing::instrument(level = "error", name = "run", skip_all, fields(run = %run.run.id))]
    async fn drive(&self, run: &ChatRun, stop: CancellationToken) -> Result<(), StoreError> {
        let (store, id) = (self.store(), run.run.id);
        let resource = Resource::named(format!("chat:{}", run.session));
        let Some(lease) = take(store, &this_process(), &resource).await? else {
            // Another process has it; one looks again when it may be free.
            stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            return Ok(());
        };
        let (wish, lost) = (CancellationToken::new(), CancellationToken::new());
        let pulse = Pulse::of_lease(store, &lease, &wish, &lost);
        let done = tokio::select! {
            done = self.go(run, &stop) => done,
            // Somebody else has the conversation.
            () = lost.cancelled() => Ok(()),
        };
        drop(pulse);
        self.reach(Point::Leaving);
        store.release(&lease).await?;
        // A run that began when this one ended is another one's.
        tracing::debug!(run = %id, "let go");
        done
    }

    async fn go(&self, run: &ChatRun, stop: &CancellationToken) -> Result<(), StoreError> {
        let (store, id) = (self.store(), run.run.id);
        let (holder, begun) = (Uuid::now_v7(), tokio::time::Instant::now());
        store.apply(id, Command::Recover { holder }, self.rules()).await?;
        self.reach(Point::TakenUp);
        loop {
            let run = store.chat_run(id).await?;
            let book = store.book(id).await?;
            // The process ends; a person's stop is in the book.
            if stop.is_cancelled() && book.run.stop.is_none() {
                return Ok(());
            }
            match next(&book, run.usage, begun.elapsed(), self.settings()) {
                Next::Over | Next::Wait => return Ok(()),
                Next::Think => match hopeless(&book) {
                    Some(why) => self.give_up(run.session, id, RunState::Failed, why).await?,
                    None => self.think(&run, stop).await?,
                },
                Next::Act => self.act(&run, holder, stop).await?,
                Next::Exhausted(why) => {
                    self.give_up(run.session, id, RunState::LimitReached, &why).await?;
                }
            }
        }
    }
}
