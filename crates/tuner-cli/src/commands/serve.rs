//! `autotuner serve`

use std::fmt::Display;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tuner_app::AppError;
use tuner_app::instance::{self, Instance};
use tuner_app::service::Service;
use tuner_app::tune::Surroundings;
use tuner_app::{tokens, tune};
use tuner_server::supervisor::{Launch, supervise};
use tuner_server::{App, Limits, Options};

use crate::agent;
use crate::exit::Exit;
use crate::interrupts::Interrupts;
use crate::settings::{Fetching, Settings};
use crate::telemetry;
use crate::ui;

const ACCESS: &str = "Whoever is on this machine needs no token; everybody else does, and proxy headers are not believed. \
Make one with: autotuner token create\nRequests are logged with --log info.";

#[derive(Debug, clap::Args)]
#[command(after_help = ACCESS)]
pub(crate) struct Args {
    /// Address and port to listen on. One that other machines reach needs a token to exist.
    #[arg(
        long,
        env = "AUTOTUNER_LISTEN",
        default_value = "127.0.0.1:8470",
        value_name = "ADDR:PORT",
        hide_env_values = true
    )]
    listen: SocketAddr,
    /// Demand a token of whoever is on this machine too.
    #[arg(long)]
    require_token: bool,
    /// Requests that one client on the network may make in a second, on average.
    #[arg(long, value_name = "N", default_value = "50")]
    rate_limit: NonZeroU32,
    /// Workers on this machine, each of which does one job at a time; 0 where others do the work.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=64))]
    workers: u32,
    /// Open the page in the browser: its front, or this path of it.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "/")]
    open: Option<String>,
    #[command(flatten)]
    fetching: Fetching,
    /// Largest data set that may be sent, MiB.
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..=2048))]
    max_upload: u64,
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let mut instance = Instance::take(&home)?;
    let store = tune::open_store(&home).await?;
    let closed = !args.listen.ip().is_loopback() || args.require_token;
    if closed && !tokens::any_works(&store).await? {
        return Err(AppError::NoTokens { address: args.listen.to_string() }.into());
    }
    let listener = instance::listen(args.listen).await?;
    let server = instance.announce(&home, listener.local_addr()?)?;
    let stop = CancellationToken::new();
    let _interrupts = Interrupts::heed(&stop)?;
    let upload_bytes = args.max_upload << 20;
    let limits = Limits { requests_per_second: args.rate_limit, upload_bytes, ..Limits::default() };
    let around = Surroundings { egress: args.fetching.egress(), ..settings.surroundings() };
    let options = Options { require_token: args.require_token, limits, adopt: Some(telemetry::adopt) };
    let service = Service::new(store.clone(), home.clone(), around);
    let desk = agent::desk(&home, service.clone())?;
    let driver = desk.agent().start(stop.clone());
    if settings.json {
        ui::json_line(&server)?;
    } else {
        ui::answer(&format!("listening on http://{}, data in {}", server.address, home.root().display()));
    }
    if let Some(path) = &args.open {
        show(&server.address, path);
    }
    let workers = tokio::spawn(supervise(launches(&args, settings)?, stop.clone()));
    let served = tuner_server::serve(App::new(service, desk, options, stop.clone()), listener).await;
    // Also where the server failed: workers end with it.
    stop.cancel();
    workers.await?;
    driver.await?;
    served?;
    store.close().await?;
    Ok(Exit::Success)
}

/// The page of a path, in the browser where there is one.
pub(crate) fn show(address: &impl Display, path: &str) {
    let url = format!("http://{address}/{}", path.trim_start_matches('/'));
    let how = if ui::browser::open(&url) { "opened in the browser" } else { "open it in a browser" };
    ui::say(&format!("the page: {url} ({how})"));
}

/// How the worker of each slot is started: this program with the same settings.
fn launches(args: &Args, settings: &Settings) -> anyhow::Result<Vec<Launch>> {
    let program = std::env::current_exe().context("this program does not know its own path")?;
    let launch = |slot: u32| {
        let mut words = settings.same();
        words.extend(["worker".to_owned(), "--slot".to_owned(), slot.to_string()]);
        words.extend(args.fetching.words());
        Launch { program: program.clone(), arguments: words, variables: settings.same_variables() }
    };
    Ok((0..args.workers).map(launch).collect())
}
