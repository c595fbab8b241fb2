//! Server, workers and database killed, ended, suspended and cut off at random moments while tasks run; then everything
//! is looked at.
//!
//! `cargo xtask chaos` runs it. On PostgreSQL there are two machines' worth of processes, each machine with its own host
//! name and the second with its own network; on SQLite one machine. The processes are the real program, started anew
//! whenever they end as a service manager would.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod checks;
mod faults;
mod follow;
mod link;
mod machine;
mod place;
mod process;
mod record;
mod tasks;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::sync::watch;
use tuner_testkit::dice::Dice;

use crate::place::{Kind, Place};
use crate::record::Record;

/// Kill, end, suspend and cut off server, workers and database at random moments, and look whether anything is lost,
/// doubled or left.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos")]
struct Wish {
    /// The `autotuner` to hurt; the chore fills it in.
    autotuner: PathBuf,
    /// Faults on each database.
    #[arg(long, default_value_t = 25)]
    faults: u32,
    /// Seed of every choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds after which no more faults come, whether all came or not.
    #[arg(long, default_value_t = 1800)]
    limit: u64,
    /// Seconds between two faults on average.
    #[arg(long, default_value_t = 2.2)]
    gap: f64,
    /// Seconds that the tasks which are under way at the last fault may take; more where other work has the cores.
    #[arg(long, default_value_t = 300)]
    drain: u64,
    /// Tasks that are under way at once.
    #[arg(long, default_value_t = 6)]
    tasks: usize,
    /// sqlite, postgres or both, one after the other.
    #[arg(long, default_value = "both", value_parser = ["both", "sqlite", "postgres"])]
    database: String,
    /// Say everything that happens.
    #[arg(long)]
    verbose: bool,
    /// Keep the folder of a run in which everything held, too.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let wish = Wish::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")
        .and_then(|runtime| runtime.block_on(run(&wish)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(wish: &Wish) -> Result<bool> {
    let kinds: &[Kind] = match wish.database.as_str() {
        "sqlite" => &[Kind::Sqlite],
        "postgres" => &[Kind::Postgres],
        _ => &[Kind::Postgres, Kind::Sqlite],
    };
    let mut all = true;
    for kind in kinds {
        all &= on(*kind, wish).await?;
    }
    println!("{}", if all { "chaos: everything held" } else { "chaos: NOT everything held" });
    Ok(all)
}

/// One run; whether everything held.
async fn on(kind: Kind, wish: &Wish) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("tuner-chaos-").tempdir()?;
    let record = Record::new(&folder.path().join("chaos.log"), wish.verbose)?;
    let title = match kind {
        Kind::Sqlite => "SQLite, one machine, two workers of the server",
        Kind::Postgres => "PostgreSQL, two machines, one worker of the server and three beside it",
    };
    println!("{title}; seed {}, log {}", wish.seed, folder.path().join("chaos.log").display());
    record.say(format!("{title}; {wish:?}"));
    let held = hurt(kind, wish, folder.path(), &record).await;
    let kept = wish.keep || !matches!(held, Ok(true));
    if kept {
        println!("  kept: {}", folder.keep().display());
    }
    held
}

async fn hurt(kind: Kind, wish: &Wish, folder: &Path, record: &Record) -> Result<bool> {
    let expected = checks::in_peace(&wish.autotuner, folder, &[tasks::REAL, tasks::SHARED, tasks::VIRTUAL]).await?;
    // Half of them are done by several workers.
    let sorts = [tasks::REAL, tasks::SHARED, tasks::SHARED, tasks::VIRTUAL];
    let place = Arc::new(Place::new(kind, &wish.autotuner, folder, record).await?);
    tasks::answers(place.address, Duration::from_secs(60)).await?;
    let (end, last) = watch::channel(None);
    let follower = tokio::spawn(follow::follow(place.address, last, record.clone()));
    let (enough, told) = watch::channel(false);
    let customer = tasks::Customer::new(place.address, record.clone())?;
    let (many, mut dice) = (wish.tasks, Dice::seeded(wish.seed ^ 0x7461_736b));
    let drain = Duration::from_secs(wish.drain);
    let customer = tokio::spawn(async move { customer.work(&sorts, many, &mut dice, told, drain).await });
    let plan = faults::Wish {
        faults: wish.faults,
        gap: Duration::from_secs_f64(wish.gap),
        end: Instant::now() + Duration::from_secs(wish.limit),
    };
    let done = faults::hurt(&place, kind, plan, &mut Dice::seeded(wish.seed), record).await;
    let took = record.elapsed_s();
    enough.send_replace(true);
    let asked = customer.await?.context("the client gave up")?;
    let store = place.store().await?;
    place.stop().await;
    checks::nothing_left(&place, &store, folder, record).await?;
    let last_number = store.last_event_seq().await?;
    // The server is back for the client that has not seen the end yet.
    place.server_again()?;
    end.send_replace(Some(last_number));
    let seen = tokio::time::timeout(Duration::from_secs(60), follower).await;
    let Ok(seen) = seen else { bail!("the client never saw the last event") };
    place.server.stop().await;
    checks::events(&store, &seen??, last_number, record).await?;
    checks::rows(&store, &asked, &expected, record).await?;
    store.close().await?;
    println!("  {} requests, sent again {} times, one effect each", asked.requests, asked.again);
    println!("  {done} faults in {took:.0} s:");
    let [faults, aside] = record.counts();
    faults.iter().for_each(|(what, times)| println!("    {times:>4}  {what}"));
    println!("  what came of them:");
    aside.iter().for_each(|(what, times)| println!("    {times:>4}  {what}"));
    let findings = record.findings();
    for finding in &findings {
        println!("  WRONG: {finding}");
    }
    println!("  {}", if findings.is_empty() { "held".to_owned() } else { format!("{} findings", findings.len()) });
    Ok(findings.is_empty())
}
