//! The side of a machine that workers are deployed to: `autotuner start-worker`, which whoever deploys calls over ssh, and the
//! worker that it starts. Both read one line of JSON from standard input, the order.
//!
//! *Invariant*: the order holds the database's address; it goes from pipe to pipe.

use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tuner_app::Home;
use tuner_app::machines::{Held, Order, Place, carry_out, start};
use tuner_store::MACHINE_LABEL;

use crate::exit::{Exit, Refusal};
use crate::settings::Settings;
use crate::ui;

/// Longest order.
const LONGEST: u64 = 64 << 10;

fn read_order() -> anyhow::Result<Order> {
    let mut line = String::new();
    std::io::stdin().lock().take(LONGEST).read_line(&mut line).context("there is no order on standard input")?;
    // What cannot be read is not shown: it may hold a password.
    serde_json::from_str(&line).map_err(|_| {
        let hint = "this command is called by: autotuner workers deploy";
        Refusal::usage("there is no order on standard input that this version understands", hint).into()
    })
}

fn home(order: &Order, settings: &Settings) -> Home {
    let root = order.data_dir.clone().unwrap_or_else(|| settings.home().root().to_owned());
    Home::new(root).with_database_url(Some(order.database.clone()))
}

/// `autotuner start-worker`
pub(crate) fn run(settings: &Settings) -> anyhow::Result<Exit> {
    let order = read_order()?;
    let program = std::env::current_exe().context("this program does not know its own path")?;
    // Whoever asked is gone, or has heard enough.
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let watch = move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        told.store(true, Ordering::Relaxed);
    };
    std::thread::Builder::new().name("asker".to_owned()).spawn(watch)?;
    let mut broken = None;
    let is_over = || over.load(Ordering::Relaxed);
    carry_out(&home(&order, settings), &order, &program, is_over, |said| broken = ui::json_line(said).err())
        .map_err(tuner_app::AppError::from)?;
    broken.map_or(Ok(Exit::Success), Err)
}

/// This process as a worker that was deployed.
pub(super) struct Deployed {
    order: Order,
    home: Home,
    program: PathBuf,
    place: Place,
    held: Held,
}

/// Takes the order and the place.
pub(super) fn take(settings: &Settings) -> anyhow::Result<Deployed> {
    let order = read_order()?;
    let program = std::env::current_exe().context("this program does not know its own path")?;
    // No session of whoever deployed it ends it. One that leads a group already is in no session that could.
    let _ = nix::unistd::setsid();
    let home = home(&order, settings);
    let place = Place::new(&home, order.machine);
    let Some(held) = place.hold().map_err(tuner_app::AppError::from)? else {
        let message = "another worker that was deployed to this machine runs".to_owned();
        return Err(
            Refusal { exit: Exit::Busy, message, hint: "see it with: autotuner workers list".to_owned() }.into()
        );
    };
    Ok(Deployed { order, home, program, place, held })
}

impl Deployed {
    pub(super) fn home(&self) -> Home {
        self.home.clone()
    }

    pub(super) fn slots(&self) -> u32 {
        self.order.slots
    }

    /// By which it is known.
    pub(super) fn label(&self) -> (String, String) {
        (MACHINE_LABEL.to_owned(), self.order.machine.to_string())
    }

    /// Starts the next one in its place: nobody supervises it.
    pub(super) fn start_anew(self) -> anyhow::Result<()> {
        drop(self.held);
        start(&self.place, &self.order, &self.program).map_err(tuner_app::AppError::from)?;
        Ok(())
    }
}
