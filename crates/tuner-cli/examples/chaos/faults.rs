//! What is done to the place, at random moments.
//!
//! *Invariant*: two faults never hurt the same part at once; different parts are hurt at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;
use tuner_testkit::dice::Dice;
use tuner_testkit::procs::send;

use crate::link::Way as Mode;
use crate::place::{Kind, Place, Truth, Way};
use crate::process::Process;
use crate::record::Record;

/// Past the expiry of a claim, which is 30 s.
const LONG: Duration = Duration::from_secs(32);

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Kill,
    Terminate,
    Pause,
    PausePastLease,
    Close,
    Hole,
    HolePastLease,
    Reset,
    Slow,
    Lock,
}

/// What it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Server,
    Worker,
    Database,
    Link,
    Door,
}

/// How often each comes, in shares of all.
const POSTGRES: &[(u32, Fault, Part)] = &[
    (8, Fault::Kill, Part::Server),
    (18, Fault::Kill, Part::Worker),
    (6, Fault::Kill, Part::Database),
    (4, Fault::Terminate, Part::Server),
    (8, Fault::Terminate, Part::Worker),
    (3, Fault::Terminate, Part::Database),
    (4, Fault::Pause, Part::Server),
    (8, Fault::Pause, Part::Worker),
    (6, Fault::PausePastLease, Part::Worker),
    (3, Fault::Pause, Part::Database),
    (6, Fault::Close, Part::Link),
    (6, Fault::Hole, Part::Link),
    (3, Fault::HolePastLease, Part::Link),
    (6, Fault::Reset, Part::Link),
    (4, Fault::Slow, Part::Link),
    (4, Fault::Reset, Part::Door),
    (2, Fault::Hole, Part::Door),
    (1, Fault::Slow, Part::Door),
];
const SQLITE: &[(u32, Fault, Part)] = &[
    (15, Fault::Kill, Part::Server),
    (30, Fault::Kill, Part::Worker),
    (6, Fault::Terminate, Part::Server),
    (12, Fault::Terminate, Part::Worker),
    (6, Fault::Pause, Part::Server),
    (10, Fault::Pause, Part::Worker),
    (6, Fault::PausePastLease, Part::Worker),
    (7, Fault::Lock, Part::Database),
    (5, Fault::Reset, Part::Door),
    (2, Fault::Hole, Part::Door),
    (1, Fault::Slow, Part::Door),
];

/// How many, how often, until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) faults: u32,
    /// Between two of them, on average.
    pub(crate) gap: Duration,
    pub(crate) end: Instant,
}

/// Hurts the place until all faults were done or the time is over; gives how many there were.
pub(crate) async fn hurt(place: &Arc<Place>, kind: Kind, wish: Wish, dice: &mut Dice, record: &Record) -> u32 {
    let table = match kind {
        Kind::Sqlite => SQLITE,
        Kind::Postgres => POSTGRES,
    };
    let mut under_way = JoinSet::new();
    let mut done = 0;
    while done < wish.faults && Instant::now() < wish.end {
        // Gaps of a Poisson process.
        tokio::time::sleep(wish.gap.mul_f64(-(1.0 - dice.share()).ln())).await;
        if let Some(act) = choose(place, table, dice) {
            done += 1;
            record.fault(&act.name());
            record.say(format!("fault {done}: {} ({:?}, {})", act.name(), act.fault, act.on()));
            let record = record.clone();
            under_way.spawn(async move { act.run(&record).await });
        }
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
    done
}

/// What somebody may be hurt in.
enum Subject {
    Process(Arc<Process>),
    /// A worker that a server started; the server's own lock keeps it.
    Child(u32),
    Way(Arc<Way>),
    Truth(Arc<Truth>),
}

struct Act {
    fault: Fault,
    part: Part,
    subject: Subject,
    pause: Duration,
    _alone: OwnedMutexGuard<()>,
}

/// A fault by chance, on a part that nobody hurts now.
fn choose(place: &Place, table: &[(u32, Fault, Part)], dice: &mut Dice) -> Option<Act> {
    let all: u32 = table.iter().map(|(share, ..)| share).sum();
    for _ in 0..50 {
        let mut at = dice.below(all as usize) as u32;
        let found = table.iter().find(|(share, ..)| {
            let here = at < *share;
            at = at.saturating_sub(*share);
            here
        });
        let (_, fault, part) = *found?;
        let Some((subject, lock)) = subject(place, part, dice) else { continue };
        // The length comes from the dice whether the part is free or not.
        let share = dice.share();
        let Ok(alone) = lock.try_lock_owned() else { continue };
        if let Subject::Process(process) = &subject
            && process.pid().is_none()
        {
            continue;
        }
        return Some(Act { fault, part, subject, pause: length(fault, part, share), _alone: alone });
    }
    None
}

fn subject(place: &Place, part: Part, dice: &mut Dice) -> Option<(Subject, Arc<Mutex<()>>)> {
    Some(match part {
        Part::Server => (Subject::Process(Arc::clone(&place.server)), Arc::clone(&place.server.busy)),
        Part::Database => (Subject::Truth(Arc::clone(&place.truth)), Arc::clone(&place.truth_busy)),
        Part::Door => (Subject::Way(Arc::clone(&place.door)), Arc::clone(&place.door.busy)),
        Part::Link => {
            let way = place.links.get(dice.below(place.links.len()))?;
            (Subject::Way(Arc::clone(way)), Arc::clone(&way.busy))
        }
        Part::Worker => {
            let children = place.server.workers();
            let at = dice.below(place.workers.len() + children.len());
            match place.workers.get(at) {
                Some(worker) => (Subject::Process(Arc::clone(worker)), Arc::clone(&worker.busy)),
                None => {
                    let child = *children.get(at - place.workers.len())?;
                    (Subject::Child(child), Arc::clone(&place.server.busy))
                }
            }
        }
    })
}

/// How long it lasts: until the start after an end, until the end of a pause or a cut.
fn length(fault: Fault, part: Part, share: f64) -> Duration {
    let (from, to) = match (fault, part) {
        (Fault::Kill | Fault::Terminate, _) => (0.0, 2.0),
        (Fault::PausePastLease | Fault::HolePastLease, _) => (LONG.as_secs_f64(), LONG.as_secs_f64() + 6.0),
        (Fault::Pause, Part::Database) => (0.5, 12.0),
        (Fault::Pause, _) => (0.5, 6.0),
        (Fault::Lock, _) => (2.0, 24.0),
        (Fault::Slow, _) => (2.0, 8.0),
        (Fault::Reset, _) => (0.0, 0.0),
        (Fault::Close | Fault::Hole, _) => (0.5, 6.0),
    };
    Duration::from_secs_f64(from + (to - from) * share)
}

impl Act {
    fn name(&self) -> String {
        let part = match self.part {
            Part::Server => "server",
            Part::Worker => "worker",
            Part::Database if self.fault == Fault::Lock => "database file",
            Part::Database => "PostgreSQL",
            Part::Link => "way to the database",
            Part::Door => "way to the server",
        };
        match self.fault {
            Fault::Kill => format!("kill {part}"),
            Fault::Terminate => format!("terminate {part}"),
            Fault::Pause => format!("pause {part}"),
            Fault::PausePastLease => format!("pause {part} past its lease"),
            Fault::Close => format!("close {part}"),
            Fault::Hole => format!("swallow on {part}"),
            Fault::HolePastLease => format!("swallow on {part} past a lease"),
            Fault::Reset => format!("reset {part}"),
            Fault::Slow => format!("delay on {part}"),
            Fault::Lock => format!("lock {part}"),
        }
    }

    fn on(&self) -> String {
        let what = match &self.subject {
            Subject::Process(process) => format!("{}, process {:?}", process.name, process.pid()),
            Subject::Child(pid) => format!("a worker of the server, process {pid}"),
            Subject::Way(way) => way.name.clone(),
            Subject::Truth(_) => "the database".to_owned(),
        };
        format!("{what}, {:.2} s", self.pause.as_secs_f64())
    }

    async fn run(self, record: &Record) {
        let (fault, pause) = (self.fault, self.pause);
        let signal = if fault == Fault::Kill { Signal::SIGKILL } else { Signal::SIGTERM };
        match &self.subject {
            Subject::Process(process) => match (fault, process.pid()) {
                (Fault::Kill | Fault::Terminate, _) => process.end(signal, pause).await,
                (_, Some(pid)) => suspend(pid, pause).await,
                (_, None) => {}
            },
            Subject::Child(pid) => match fault {
                // Whoever started it starts another one.
                Fault::Kill | Fault::Terminate => send(*pid, signal),
                _ => suspend(*pid, pause).await,
            },
            Subject::Way(way) => {
                match fault {
                    Fault::Close => way.link.set(Mode::Closed),
                    Fault::Hole | Fault::HolePastLease => way.link.set(Mode::Hole),
                    Fault::Slow => way.link.set(Mode::Slow(Duration::from_millis(150))),
                    _ => return way.link.reset(),
                }
                tokio::time::sleep(pause).await;
                way.link.set(Mode::Open);
            }
            Subject::Truth(truth) => {
                let done = match fault {
                    Fault::Kill => truth.end(Signal::SIGKILL, pause).await,
                    // A fast shutdown: transactions are ended, then the server.
                    Fault::Terminate => truth.end(Signal::SIGINT, pause).await,
                    Fault::Lock => truth.lock(pause).await,
                    _ => {
                        truth.pause(pause).await;
                        Ok(())
                    }
                };
                if let Err(error) = done {
                    record.wrong(format!("the chaos itself: {}: {error:#}", self.name()));
                }
            }
        }
    }
}

async fn suspend(pid: u32, pause: Duration) {
    send(pid, Signal::SIGSTOP);
    tokio::time::sleep(pause).await;
    send(pid, Signal::SIGCONT);
}
