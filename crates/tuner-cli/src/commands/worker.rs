//! `autotuner worker`

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tuner_app::tune::Surroundings;
use tuner_app::work::{WorkEnd, WorkerSettings, work};
use tuner_app::{Home, tune};

use super::deployed;
use crate::exit::{Exit, Refusal};
use crate::interrupts::Interrupts;
use crate::settings::{Fetching, Settings};
use crate::ui;

const JOBS: &str = "It claims what is queued (see autotuner jobs list) and what this machine can do: GPUs, engines and labels are \
matched with what a job needs. Start one on each machine that reaches the database (--database).";

/// How often one looks whether a slot is free.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
#[command(after_help = JOBS)]
pub(crate) struct Args {
    /// Jobs that it runs at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    slots: u32,
    /// A label that jobs may ask for. May be given again.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    #[command(flatten)]
    fetching: Fetching,
    /// The supervisor's number of this worker. It ends when standard input ends, which the supervisor holds.
    #[arg(long, hide = true, value_name = "N")]
    slot: Option<u32>,
    /// It was deployed from another machine, and its order comes over standard input.
    #[arg(long, hide = true, conflicts_with = "slot")]
    order: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example zone=a")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let Some(deployed) = args.order.then(|| deployed::take(settings)).transpose()? else {
        return work_here(args, settings, settings.home()).await.map(|(exit, _)| exit);
    };
    let args = Args { slots: deployed.slots(), label: [args.label, vec![deployed.label()]].concat(), ..args };
    let (exit, end) = work_here(args, settings, deployed.home()).await?;
    if end == Some(WorkEnd::Restart) {
        deployed.start_anew()?;
    }
    Ok(exit)
}

async fn work_here(args: Args, settings: &Settings, home: Home) -> anyhow::Result<(Exit, Option<WorkEnd>)> {
    let stop = CancellationToken::new();
    let _interrupts = Interrupts::heed(&stop)?;
    let mut place = None;
    if let Some(slot) = args.slot {
        end_with_input(stop.clone())?;
        place = slot_lock(&home, slot, &stop).await?;
        if place.is_none() {
            return Ok((Exit::Success, None));
        }
    }
    let store = tune::open_store(&home).await?;
    let labels: BTreeMap<String, String> = args.label.into_iter().collect();
    let wish = WorkerSettings { slots: args.slots, labels, version: env!("CARGO_PKG_VERSION").to_owned() };
    if args.slot.is_none() {
        let place = home.root().display();
        ui::say(&format!("at work on up to {} at once, data in {place}; Ctrl-C gives back what runs", args.slots));
    }
    let around = Surroundings { egress: args.fetching.egress(), ..settings.surroundings() };
    let end = work(&home, &store, &around, &wish, &stop).await?;
    drop(place);
    match end {
        WorkEnd::Stopped | WorkEnd::Drained | WorkEnd::Restart => Ok((Exit::Success, Some(end))),
        WorkEnd::Dismissed => {
            let message =
                "this worker was dismissed: it was removed, or a newer version of this program works on the database";
            let hint = "start it again, from the newest version".to_owned();
            Err(Refusal { exit: Exit::NotReady, message: message.to_owned(), hint }.into())
        }
    }
}

/// The one place of a slot, when the worker that a dead supervisor left has gone; `None` if there is no need any more.
async fn slot_lock(home: &Home, slot: u32, stop: &CancellationToken) -> anyhow::Result<Option<File>> {
    let folder = home.root().join("slots");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    let path = folder.join(format!("{slot}.lock"));
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).context("a slot cannot be locked"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return Ok(None),
        }
    }
}

/// Cancels `stop` when standard input ends. A thread of its own: a read of a pipe cannot be called off.
fn end_with_input(stop: CancellationToken) -> std::io::Result<()> {
    let watch = move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        stop.cancel();
    };
    std::thread::Builder::new().name("supervisor".to_owned()).spawn(watch).map(drop)
}
