//! Workers on other machines: deployed over ssh, brought back, named.
//!
//! *Invariants*: of the workers that are deployed to one machine one runs, however often and by whomever it is asked for:
//! one process at a time deploys, under a lease, and over there a lock decides. A machine's row is written before anything
//! is done to it. The database's address leaves this process only through a pipe.

mod error;
mod order;
mod place;
mod setup;
mod there;

pub use error::{Kind, MachineError};
pub use order::{Order, Said};
pub use place::{Held, Place, carry_out, start};
pub use setup::{Setup, check_name};
pub use tuner_deploy::ssh::{BadTarget, Target};

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tuner_deploy::ssh::Ssh;
use tuner_runner::{Pulse, is_dead, take, this_process};
use tuner_store::{MachineRow, NewMachine, Resource, Store, StoreError, WorkerRow};
use uuid::Uuid;

use self::there::There;
use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// How long a worker that was started may take until the database hears of it.
const REGISTERS: Duration = Duration::from_secs(60);
/// How much longer one waits for its last words.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(200);
/// The variable that holds the database's address, which no other program gets from us.
const DATABASE: &str = "AUTOTUNER_DATABASE";

/// Told what is being done.
pub type Say<'a> = &'a (dyn Fn(String) + Send + Sync);

/// What deploying works with.
#[derive(Clone, Copy)]
pub struct Deploying<'a> {
    /// Where machines and workers are known.
    pub store: &'a Store,
    /// The data directory, which knows the database's address.
    pub home: &'a Home,
    /// This program and its secrets.
    pub around: &'a Surroundings,
    /// Who watches.
    pub say: Say<'a>,
}

/// A worker on another machine.
#[derive(Clone, Debug, Serialize)]
pub struct Deployed {
    /// What it is called.
    pub name: String,
    /// Where its machine is reached.
    pub target: String,
    /// It was started now; false: it lived already.
    pub started: bool,
    /// The program was copied.
    pub installed: bool,
    /// Its messages, on its machine; none if that was not asked.
    pub log: Option<PathBuf>,
    /// The worker.
    pub worker: WorkerRow,
}

impl Deployed {
    /// What was done, in a line.
    pub fn note(&self) -> String {
        let (name, worker) = (&self.name, &self.worker);
        if self.started {
            return format!(
                "worker {name} runs on {} (pid {}), version {}",
                self.target, worker.owner.pid, worker.version
            );
        }
        format!(
            "worker {name} lives already: {}, heard of {:.0} s ago; nothing was started",
            worker.owner, worker.silent_s
        )
    }
}

/// A machine and its worker.
#[derive(Clone, Debug, Serialize)]
pub struct MachineState {
    /// What it and its worker are called.
    pub name: String,
    /// Where it is reached; none: nothing was deployed to it, it only has a name.
    pub target: Option<String>,
    /// Its host, as its worker registered it last.
    pub host: Option<String>,
    /// How its worker is started.
    pub setup: Option<Setup>,
    /// When a worker was last deployed to it.
    pub deployed_at: Option<DateTime<Utc>>,
    /// `online`, `offline`, or `unknown` if no worker ever came of it.
    pub status: &'static str,
    /// Its worker, if one lives.
    pub worker: Option<WorkerRow>,
}

/// Every machine with its worker, by name.
///
/// # Errors
/// [`AppError::Store`].
pub async fn list(store: &Store) -> Result<Vec<MachineState>, AppError> {
    let workers = store.list_workers().await?;
    Ok(store.machines().await?.into_iter().map(|machine| state(machine, &workers)).collect())
}

fn state(machine: MachineRow, workers: &[WorkerRow]) -> MachineState {
    let worker = workers.iter().find(|worker| machine.has(worker) && lives(worker)).cloned();
    let status = match (&worker, machine.deployed_at) {
        (Some(_), _) => "online",
        (None, None) if machine.target.is_some() => "unknown",
        _ => "offline",
    };
    MachineState {
        status,
        worker,
        setup: Setup::of(&machine).ok(),
        name: machine.name,
        target: machine.target,
        host: machine.host,
        deployed_at: machine.deployed_at,
    }
}

fn lives(worker: &WorkerRow) -> bool {
    worker.alive && !is_dead(&worker.owner)
}

async fn living(store: &Store, machine: &MachineRow) -> Result<Option<WorkerRow>, StoreError> {
    Ok(store.list_workers().await?.into_iter().find(|worker| machine.has(worker) && lives(worker)))
}

/// What deploying or restoring would do, found out without asking the machine.
#[derive(Clone, Debug, Serialize)]
pub struct Foreseen {
    /// What the worker is called.
    pub name: String,
    /// The machine on which programs would be run.
    pub target: String,
    /// The database that its worker would be told, with its password.
    pub database: String,
    /// The program may be copied there.
    pub may_copy_program: bool,
    /// Jobs that it would run at once.
    pub slots: u32,
    /// The worker that lives there; it stays as it is unless it is to be replaced.
    pub lives: Option<String>,
    /// The worker that lives there is ended in order, and what it runs goes back to the queue.
    pub replaces: bool,
}

/// What [`deploy`] would do.
///
/// # Errors
/// Those of [`deploy`], as far as they can be known before.
pub async fn foresee(store: &Store, home: &Home, name: &str, setup: &Setup) -> Result<Foreseen, AppError> {
    check_name(name)?;
    setup.check()?;
    let known = store.machine(name).await?;
    if let Some(known) = &known {
        must_be_there(known, setup)?;
    }
    foreseen(store, home, name, setup, known.as_ref(), false).await
}

/// What [`restore`] would do.
///
/// # Errors
/// Those of [`restore`], as far as they can be known before.
pub async fn foresee_restore(store: &Store, home: &Home, name: &str, force: bool) -> Result<Foreseen, AppError> {
    let machine = deployable(store, name).await?;
    foreseen(store, home, name, &Setup::of(&machine)?, Some(&machine), force).await
}

async fn foreseen(
    store: &Store,
    home: &Home,
    name: &str,
    setup: &Setup,
    known: Option<&MachineRow>,
    force: bool,
) -> Result<Foreseen, AppError> {
    let database = setup::without_user(&setup.database(home)?);
    let lives = match known {
        Some(machine) => living(store, machine).await?.map(|worker| worker.owner.to_string()),
        None => None,
    };
    Ok(Foreseen {
        name: name.to_owned(),
        target: setup.ssh.to_string(),
        database,
        may_copy_program: setup.auto_install || force,
        slots: setup.slots,
        replaces: force && lives.is_some(),
        lives,
    })
}

/// Refuses a name that stands for another place.
fn must_be_there(known: &MachineRow, setup: &Setup) -> Result<(), MachineError> {
    let target = setup.ssh.to_string();
    match known.target.clone().filter(|at| *at != target && known.deployed_at.is_some()) {
        Some(target) => Err(MachineError::Elsewhere { name: known.name.clone(), target }),
        None => Ok(()),
    }
}

/// The machine of a name that something was deployed to, or was to be.
async fn deployable(store: &Store, name: &str) -> Result<MachineRow, AppError> {
    let machine = store.machine(name).await?;
    let machine = machine.ok_or_else(|| AppError::Absent { what: format!("machine {name:?}") })?;
    match machine.target {
        Some(_) => Ok(machine),
        None => Err(MachineError::OnlyAName { name: machine.name }.into()),
    }
}

/// Deploys a worker to a machine, unless one of that name lives. `id` is the machine's if it is new.
///
/// # Errors
/// [`AppError::Machine`], [`AppError::Invalid`], [`AppError::Store`].
pub async fn deploy(with: Deploying<'_>, id: Uuid, name: &str, setup: Setup) -> Result<Deployed, AppError> {
    check_name(name)?;
    setup.check()?;
    setup.database(with.home)?;
    let target = setup.ssh.to_string();
    let options = serde_json::to_value(&setup).unwrap_or_default();
    let machine = match with.store.machine(name).await? {
        None => {
            let new = NewMachine { id, name: name.to_owned(), host: None, target: Some(target), options };
            with.store.create_machine(new).await?
        }
        Some(known) => {
            must_be_there(&known, &setup)?;
            if let Some(worker) = living(with.store, &known).await? {
                let (started, installed) = (false, false);
                return Ok(Deployed { name: known.name, target, started, installed, log: None, worker });
            }
            if known.target.as_ref() == Some(&target) && known.options == options {
                known
            } else {
                with.store.change_machine(known.id, &target, &options).await?
            }
        }
    };
    alone(with, &machine, &setup, false).await
}

/// Brings the worker of a known machine back. With `force` the program is copied again, and a worker that runs is ended in
/// order and another one started.
///
/// # Errors
/// [`AppError::Absent`]; those of [`deploy`].
pub async fn restore(with: Deploying<'_>, name: &str, force: bool) -> Result<Deployed, AppError> {
    let machine = deployable(with.store, name).await?;
    let setup = Setup::of(&machine)?;
    alone(with, &machine, &setup, force).await
}

/// Does it while nobody else does.
async fn alone(with: Deploying<'_>, machine: &MachineRow, setup: &Setup, force: bool) -> Result<Deployed, AppError> {
    let (store, resource) = (with.store, Resource::named(format!("machine:{}", machine.id)));
    let Some(lease) = take(store, &this_process(), &resource).await? else {
        let holder = store.holder(&resource).await?.map_or("somebody".to_owned(), |holder| holder.owner.to_string());
        return Err(MachineError::Busy { name: machine.name.clone(), holder }.into());
    };
    let (wish, lost) = (CancellationToken::new(), CancellationToken::new());
    let pulse = Pulse::of_lease(store, &lease, &wish, &lost);
    let done = tokio::select! {
        done = put(with, machine, setup, force) => done,
        () = lost.cancelled() => Err(MachineError::TakenOver.into()),
    };
    drop(pulse);
    store.release(&lease).await?;
    done
}

/// The program to the machine, a worker there, and its word in the database.
async fn put(with: Deploying<'_>, machine: &MachineRow, setup: &Setup, force: bool) -> Result<Deployed, AppError> {
    let database = setup.database(with.home)?;
    let without = with.around.secrets.keys().cloned().chain([DATABASE.to_owned()]).collect();
    let there = There {
        ssh: Ssh::new(setup.ssh.clone(), without).map_err(MachineError::from)?,
        target: setup.ssh.to_string(),
        secrets: setup::secrets(with.home, &database),
    };
    let ours = with.around.program.clone();
    let ours = ours.ok_or_else(|| MachineError::Program(std::io::ErrorKind::NotFound.into()))?;
    (with.say)(format!("asking {} what it is", there.target));
    let (program, installed) = there.program(&ours, setup.auto_install || force, force, with.say).await?;
    let order = Order {
        machine: machine.id,
        database,
        data_dir: setup.data_dir.clone().map(PathBuf::from),
        slots: setup.slots,
        replace: force,
    };
    let line = serde_json::to_string(&order).unwrap_or_default() + "\n";
    (with.say)(format!("starting the worker {} on {}", machine.name, there.target));
    let (worker, started, log) = follow(with, machine, &there, &program, &line).await?;
    with.store.machine_deployed(machine.id, &worker.owner.host).await?;
    // With the name that it has from now on.
    let worker = with.store.worker(worker.id).await?;
    let (name, target) = (machine.name.clone(), there.target);
    Ok(Deployed { name, target, started, installed, log: Some(log), worker })
}

/// Starts a worker and waits until the database has heard of it. Whether it was started now, and where it writes.
async fn follow(
    with: Deploying<'_>,
    machine: &MachineRow,
    there: &There,
    program: &str,
    order: &str,
) -> Result<(WorkerRow, bool, PathBuf), AppError> {
    let mut begun = Instant::now();
    let command = there::start_command(program);
    let mut talk = there.ssh.talk(&command, order).await.map_err(|error| there.failed(error))?;
    let mut runs: Option<(u32, bool, PathBuf)> = None;
    let mut ended = false;
    let mut last_words = Vec::new();
    loop {
        let line = if ended { None } else { timeout(LOOK, talk.line()).await.ok() };
        match line {
            Some(Ok(Some(line))) => match serde_json::from_str(&line) {
                Ok(Said::Lives { pid, log }) => (runs, begun) = (Some((pid, false, log)), Instant::now()),
                Ok(Said::Started { pid, log }) => (runs, begun) = (Some((pid, true, log)), Instant::now()),
                Ok(Said::Ended { code, lines }) => {
                    let (target, said) = (there.target.clone(), there.told(&lines));
                    return Err(MachineError::Ended { target, code, said }.into());
                }
                Ok(Said::Goes { lines }) => last_words = lines,
                // A login may say things of its own.
                Err(_) => {}
            },
            Some(Ok(None)) => ended = true,
            Some(Err(error)) => return Err(there.failed(error).into()),
            None if ended => tokio::time::sleep(LOOK).await,
            None => {}
        }
        if let Some((pid, started, log)) = &runs {
            let heard = living(with.store, machine).await?.filter(|worker| worker.owner.pid == *pid);
            if let Some(worker) = heard {
                return Ok((worker, *started, log.clone()));
            }
            // After its last words, or without any.
            let over = begun.elapsed() > REGISTERS && (ended || begun.elapsed() > REGISTERS + LAST_WORDS);
            if over {
                let (target, seconds) = (there.target.clone(), REGISTERS.as_secs());
                return Err(MachineError::Silent { target, pid: *pid, seconds, said: there.told(&last_words) }.into());
            }
        } else if ended {
            talk.end().await.map_err(|error| there.failed(error))?;
            let said = "nothing of a worker".to_owned();
            return Err(MachineError::Odd { target: there.target.clone(), said }.into());
        } else if begun.elapsed() > REGISTERS + LAST_WORDS * 12 {
            let (target, limit) = (there.target.clone(), begun.elapsed());
            return Err(MachineError::Ssh(tuner_deploy::ssh::SshError::Hangs { target, limit }).into());
        }
    }
}

/// Gives a worker another name: the one that is called so, or whose id begins so; also one that died and has a name. One that
/// was not deployed from here is known by its host. `id` is for the name's row if it is new.
///
/// # Errors
/// [`AppError::Absent`]; [`AppError::Invalid`]; [`StoreError::Taken`].
pub async fn rename(store: &Store, id: Uuid, wanted: &str, name: &str) -> Result<MachineState, AppError> {
    check_name(name)?;
    let machines = store.machines().await?;
    let named = machines.iter().find(|machine| machine.name == wanted);
    let row = match named {
        Some(machine) => store.rename_machine(machine.id, name).await?,
        None => {
            let worker = find(store, wanted).await?;
            match machines.iter().find(|machine| machine.has(&worker)) {
                Some(machine) => store.rename_machine(machine.id, name).await?,
                None => {
                    let (host, options) = (Some(worker.owner.host), serde_json::Value::Object(serde_json::Map::new()));
                    let new = NewMachine { id, name: name.to_owned(), host, target: None, options };
                    store.create_machine(new).await?
                }
            }
        }
    };
    Ok(state(row, &store.list_workers().await?))
}

/// Forgets a machine. A worker that lives there goes on, without a name.
///
/// # Errors
/// [`AppError::Absent`].
pub async fn forget(store: &Store, name: &str) -> Result<(), AppError> {
    let machine = store.machine(name).await?;
    let machine = machine.ok_or_else(|| AppError::Absent { what: format!("machine {name:?}") })?;
    Ok(store.forget_machine(machine.id).await?)
}

/// The worker of a name, or whose id begins so.
///
/// # Errors
/// [`AppError::Absent`]; [`AppError::Invalid`] if several begin so.
pub async fn find(store: &Store, wanted: &str) -> Result<WorkerRow, AppError> {
    let workers = store.list_workers().await?;
    let named: Vec<&WorkerRow> = workers.iter().filter(|worker| worker.name.as_deref() == Some(wanted)).collect();
    if let Some(worker) = named.iter().find(|worker| lives(worker)).or(named.last()) {
        return Ok((*worker).clone());
    }
    let begins = |worker: &&WorkerRow| !wanted.is_empty() && worker.id.to_string().starts_with(wanted);
    let found: Vec<&WorkerRow> = workers.iter().filter(begins).collect();
    match found[..] {
        [worker] => Ok(worker.clone()),
        [] => Err(AppError::Absent { what: format!("worker {wanted:?}") }),
        _ => {
            let message = format!("{wanted:?} begins the id of several workers");
            Err(AppError::Invalid { field: "worker", message })
        }
    }
}
