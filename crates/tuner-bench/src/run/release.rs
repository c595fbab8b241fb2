//! Who sends what: the threads' shares of a level, and the pacer that hands out what is due.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::{mpsc, oneshot};

use super::queue::{Prepared, Queue};
use super::talk::PreparedTalk;
use super::worker::Work;
use super::{Shared, pace, spawn_prompt, threads};
use crate::error::BenchError;
use crate::plan::LevelPlan;

/// Something of an open loop whose time has come.
pub(super) struct Due<T> {
    pub(super) what: T,
    pub(super) planned_ns: u64,
}

/// What an open loop hands out.
pub(super) trait Planned {
    /// Nothing else wakes the threads in between, so that they may sleep until the next one is due.
    const ALONE: bool;

    fn planned_s(&self) -> Option<f64>;

    /// Whose it is; what belongs to one user goes to one thread.
    fn user(&self) -> Option<u32> {
        None
    }
}

impl Planned for Prepared {
    const ALONE: bool = true;

    fn planned_s(&self) -> Option<f64> {
        self.planned.planned_s
    }
}

impl Planned for PreparedTalk {
    const ALONE: bool = false;

    fn planned_s(&self) -> Option<f64> {
        self.conversation.turns.first().and_then(|turn| turn.request.planned_s)
    }

    fn user(&self) -> Option<u32> {
        self.conversation.user
    }
}

type Shares = (Vec<Work>, Option<oneshot::Receiver<()>>);

/// The work of each client thread, and the pacer of an open loop.
pub(super) fn share_out(plan: &LevelPlan, shared: &Arc<Shared>) -> Result<Shares, BenchError> {
    let threads = threads::of(plan);
    if let Some(streams) = plan.streams() {
        let share = |thread| streams / threads + u32::from(thread < streams % threads);
        let work = |thread| if plan.talks() { Work::Users(share(thread)) } else { Work::Streams(share(thread)) };
        return Ok(((0..threads).map(work).collect(), None));
    }
    if plan.talks() {
        paced(shared, &shared.talks, threads, Work::Talks)
    } else {
        paced(shared, &shared.queue, threads, Work::Arrivals)
    }
}

fn paced<T: Planned + Send + 'static>(
    shared: &Arc<Shared>,
    queue: &Arc<Queue<T>>,
    threads: u32,
    work: fn(mpsc::UnboundedReceiver<Due<T>>) -> Work,
) -> Result<Shares, BenchError> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..threads).map(|_| mpsc::unbounded_channel()).unzip();
    let (shared, queue) = (shared.clone(), queue.clone());
    let pacer = spawn_prompt("bench-pacer", move || release(&shared, &queue, &senders))?;
    Ok((receivers.into_iter().map(work).collect(), Some(pacer)))
}

/// Hands out each thing at its planned moment, to the threads in turn, or to that of its user.
fn release<T: Planned>(shared: &Shared, queue: &Queue<T>, threads: &[mpsc::UnboundedSender<Due<T>>]) {
    let mut turn = 0;
    while let Some(what) = queue.take_blocking() {
        let planned_ns = shared.clock.at_ns(what.planned_s().unwrap_or(0.0));
        if T::ALONE {
            shared.next_ns.store(planned_ns, Relaxed);
        }
        if !pace::wait_until(planned_ns, || *shared.cancel.borrow() || shared.was_stopped()) {
            return;
        }
        let thread = what.user().map_or(turn, |user| user as usize);
        if threads[thread % threads.len()].send(Due { what, planned_ns }).is_err() {
            return;
        }
        turn += 1;
    }
    if T::ALONE {
        shared.next_ns.store(u64::MAX, Relaxed);
    }
}
