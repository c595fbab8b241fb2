//! The subcommands, one file each.

mod backup;
mod bench;
mod chat;
mod completions;
mod dataset;
mod deployed;
mod doctor;
mod engines;
mod experiments;
mod jobs;
mod lifeline;
mod mcp;
mod presets;
mod quickstart;
mod report;
mod schema;
mod serve;
mod sim_engine;
mod simulate;
mod status;
mod stop;
mod tasks;
mod token;
mod tune;
mod worker;
mod workers;

use clap::Subcommand;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tune a task: deploy, measure, search, verify, report.
    Tune(tune::Args),
    /// Run a whole task against the simulated engine in virtual time, without sockets.
    Simulate(simulate::Args),
    /// Put load on an endpoint that already runs and report what it gave.
    Bench(Box<bench::Args>),
    /// Look at data sets of prompts and traces.
    #[command(subcommand)]
    Dataset(dataset::Datasets),
    /// List, check, show, import, start, cancel and delete tasks.
    #[command(subcommand)]
    Tasks(tasks::Tasks),
    /// List and explain the experiments of a task.
    #[command(subcommand)]
    Experiments(experiments::Experiments),
    /// Named sets of parameters that tasks take over: list, show, import, export, merge, delete.
    #[command(subcommand)]
    Presets(presets::Presets),
    /// Report what a task found: terminal, JSON, Markdown or one HTML file.
    Report(report::Args),
    /// List, describe and install engines.
    #[command(subcommand)]
    Engines(engines::Engines),
    /// Do queued jobs on this machine: run tasks, install engines, fetch data sets, render reports.
    Worker(worker::Args),
    /// List, show, stop and retry the jobs of the run queue.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// List workers, ask them to drain, restart or stop, and deploy them to other machines.
    #[command(subcommand)]
    Workers(workers::Workers),
    /// Check this machine, and a task file against it, before anything is deployed.
    Doctor(doctor::Args),
    /// Say what runs now: tasks, holders, deployments, versions.
    Status(status::Args),
    /// Talk with the agent: it looks at everything, and what it would change waits for your word.
    Chat(chat::Args),
    /// Serve the agent's tools to another program's model, over the Model Context Protocol.
    Mcp(mcp::Args),
    /// Serve tasks, experiments and events over HTTP.
    Serve(serve::Args),
    /// Make, list and revoke the tokens that let people in over the network.
    #[command(subcommand)]
    Token(token::Tokens),
    /// Write everything of the store to one file, while a server runs, from and for every database.
    Backup(backup::Backup),
    /// Put a backup back, into a file or PostgreSQL, whichever it came from.
    Restore(backup::Restore),
    /// Stop the server of this data directory and its workers; what they run waits for the next.
    Stop(stop::Args),
    /// Print the JSON Schema of a file format, or the document of the HTTP API.
    Schema(schema::Args),
    /// Print shell completions.
    Completions(completions::Args),
    /// Install a real engine and a real small model, tune it, show the result.
    Quickstart(quickstart::Args),
    /// Serve the simulated engine over HTTP.
    SimEngine(sim_engine::Args),
    /// End engines when the tuner that started this dies.
    #[command(hide = true)]
    Lifeline(lifeline::Args),
    /// Start a worker by an order on standard input, for whoever deploys it from another machine.
    #[command(hide = true)]
    StartWorker,
}

/// Runs one of them and renders its error.
pub(crate) async fn run(command: Command, settings: &Settings) -> Exit {
    let result = match command {
        Command::Tune(args) => tune::run(args, settings).await,
        Command::Simulate(args) => simulate::run(args, settings).await,
        Command::Bench(args) => bench::run(*args, settings).await,
        Command::Dataset(command) => dataset::run(command, settings).await,
        Command::Tasks(command) => tasks::run(command, settings).await,
        Command::Experiments(command) => experiments::run(command, settings).await,
        Command::Presets(command) => presets::run(command, settings).await,
        Command::Report(args) => report::run(args, settings).await,
        Command::Engines(command) => engines::run(command, settings).await,
        Command::Worker(args) => worker::run(args, settings).await,
        Command::Jobs(command) => jobs::run(command, settings).await,
        Command::Workers(command) => workers::run(command, settings).await,
        Command::Doctor(args) => doctor::run(args, settings).await,
        Command::Status(args) => status::run(args, settings).await,
        Command::Chat(args) => chat::run(args, settings).await,
        Command::Mcp(args) => mcp::run(args, settings).await,
        Command::Serve(args) => serve::run(args, settings).await,
        Command::Token(command) => token::run(command, settings).await,
        Command::Backup(args) => backup::back_up(args, settings).await,
        Command::Restore(args) => backup::restore(args, settings).await,
        Command::Stop(args) => stop::run(args, settings).await,
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Quickstart(args) => quickstart::run(args, settings).await,
        Command::SimEngine(args) => sim_engine::run(args).await,
        Command::Lifeline(args) => lifeline::run(args),
        Command::StartWorker => deployed::run(settings),
    };
    result.unwrap_or_else(|error| {
        ui::error(&error);
        Exit::of(&error)
    })
}
