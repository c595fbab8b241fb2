//! The scheduler against the clock: one task per replica takes steps and hands out tokens when their time has come.
//!
//! *Invariant*: tokens leave at the simulated end of their step; a step starts when the one before it ended, so late
//! timers do not add up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};
use tuner_core::Failure;

use super::Log;
use super::metrics::Metrics;
use crate::engine::SimEngine;
use crate::fleet::{Fleet, Rejection};
use crate::scheduler::{Emission, SimRequest};

/// Real seconds that a late step may be made up for; beyond it the machine was stalled, and so was the engine.
const CATCH_UP_S: f64 = 0.05;

/// Real time to simulated time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Simulated seconds per real second.
    pub speed: f64,
}

/// How far the engine is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Loading,
    Ready,
    Died(Failure),
    Stopped,
}

struct Client {
    sender: mpsc::UnboundedSender<Emission>,
    arrived_s: f64,
    last_s: Option<f64>,
    prompt_tokens: u32,
    full_length: bool,
}

struct Inner {
    fleet: Fleet,
    clients: HashMap<u64, Client>,
    metrics: Metrics,
    next_id: u64,
}

/// The engine as its connections see it.
pub(super) struct Core {
    inner: Mutex<Inner>,
    wake: Vec<Notify>,
    clock: Clock,
    started: Instant,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) engine: SimEngine,
    pub(super) log: Log,
}

impl Core {
    pub(super) fn new(engine: SimEngine, clock: Clock, seed: u64, log: Log) -> Arc<Self> {
        let fleet = Fleet::new(&engine, seed);
        Arc::new(Self {
            wake: (0..fleet.len()).map(|_| Notify::new()).collect(),
            inner: Mutex::new(Inner { fleet, clients: HashMap::new(), metrics: Metrics::new(), next_id: 0 }),
            clock,
            started: Instant::now(),
            phase: watch::Sender::new(Phase::Loading),
            engine,
            log,
        })
    }

    /// A panic elsewhere leaves counters that are still readable.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * self.clock.speed
    }

    async fn sleep_until(&self, simulated_s: f64) {
        let at = self.started + Duration::from_secs_f64(simulated_s / self.clock.speed);
        if at > Instant::now() {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Queues a request; `make` gets its id. The ticket yields its tokens, and aborts it when dropped early.
    pub(super) fn submit(
        self: &Arc<Self>,
        full_length: bool,
        make: impl FnOnce(u64) -> SimRequest,
    ) -> Result<Ticket, Rejection> {
        let mut inner = self.lock();
        let id = inner.next_id;
        inner.next_id += 1;
        let request = make(id);
        let prompt_tokens = request.prompt_tokens;
        let home = inner.fleet.submit(request)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let client = Client { sender, arrived_s: self.now_s(), last_s: None, prompt_tokens, full_length };
        inner.clients.insert(id, client);
        drop(inner);
        self.wake[home].notify_one();
        Ok(Ticket { core: Arc::clone(self), id, receiver })
    }

    pub(super) fn metrics_page(&self) -> String {
        let inner = self.lock();
        inner.metrics.render(&inner.fleet.gauges(), self.engine.served_name())
    }

    /// Loads for as long as the model says, then serves until it dies or is stopped.
    pub(super) async fn run(self: Arc<Self>) {
        for line in self.engine.startup_log() {
            (self.log)(&line);
        }
        self.sleep_until(self.engine.startup().as_secs_f64()).await;
        (self.log)("INFO Application startup complete.");
        self.phase.send_if_modified(|phase| {
            let loading = *phase == Phase::Loading;
            if loading {
                *phase = Phase::Ready;
            }
            loading
        });
        let replicas = (0..self.wake.len()).map(|replica| Arc::clone(&self).drive(replica));
        futures::future::join_all(replicas).await;
    }

    async fn drive(self: Arc<Self>, replica: usize) {
        let mut now = self.now_s();
        loop {
            if !matches!(*self.phase.borrow(), Phase::Ready) {
                return;
            }
            let step = self.lock().fleet.step(replica);
            let Some(step) = step else {
                self.wake[replica].notified().await;
                now = now.max(self.now_s());
                continue;
            };
            let end = now.max(self.now_s() - CATCH_UP_S * self.clock.speed) + step.duration_s;
            self.sleep_until(end).await;
            if let Some(failure) = step.crash {
                self.die(failure);
                return;
            }
            self.hand_out(&step.emissions, end);
            now = end;
        }
    }

    fn hand_out(&self, emissions: &[Emission], at: f64) {
        let mut guard = self.lock();
        let Inner { clients, metrics, .. } = &mut *guard;
        for emission in emissions {
            let Some(client) = clients.get_mut(&emission.id) else { continue };
            metrics.tokens(emission.tokens);
            match client.last_s.replace(at) {
                None => metrics.first_token(client.prompt_tokens, (at - client.arrived_s).max(0.0)),
                Some(last) => metrics.next_tokens(emission.tokens, at - last),
            }
            // A closed receiver means that the client has gone; its ticket aborts the request.
            let _ = client.sender.send(*emission);
            if emission.finished {
                metrics.finished(client.full_length, (at - client.arrived_s).max(0.0));
                clients.remove(&emission.id);
            }
        }
    }

    fn die(&self, failure: Failure) {
        for line in &failure.log_tail {
            (self.log)(line);
        }
        self.end(Phase::Died(failure));
    }

    /// Cuts every stream; the first end counts.
    pub(super) fn end(&self, last: Phase) {
        self.phase.send_if_modified(|phase| {
            let open = matches!(phase, Phase::Loading | Phase::Ready);
            if open {
                *phase = last;
            }
            open
        });
        self.lock().clients.clear();
        for wake in &self.wake {
            wake.notify_one();
        }
    }
}

/// A request in the engine.
pub(super) struct Ticket {
    core: Arc<Core>,
    /// Its id.
    pub(super) id: u64,
    receiver: mpsc::UnboundedReceiver<Emission>,
}

impl Ticket {
    /// Its next tokens; `None` when the engine died.
    pub(super) async fn next(&mut self) -> Option<Emission> {
        self.receiver.recv().await
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.core.lock();
        if inner.clients.remove(&self.id).is_some() {
            inner.fleet.abort(self.id);
            inner.metrics.aborted();
        }
    }
}
