//! `autotuner quickstart`: a real engine, a real small model, a tuned and verified result, in a few minutes.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use tuner_app::engines::InstallTarget;
use tuner_app::{engines, instance, results, tune};
use tuner_store::TaskQuery;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

/// The task for llama.cpp; the model's path is filled in.
const LLAMA_CPP: &str = include_str!("../../../../examples/quickstart-llama-cpp.yaml");
/// The task for machines where nothing can be installed.
const SIMULATED: &str = include_str!("../../../../examples/simulated.yaml");
/// What stands for the model's path in the example.
const MODEL: &str = "models/smollm2-135m-instruct.gguf";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Use the simulated engine without trying to install a real one.
    #[arg(long)]
    simulated: bool,
    /// Use this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// End after the result, without the page.
    #[arg(long)]
    no_page: bool,
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let file = if args.simulated {
        write_task(home.root(), SIMULATED)?
    } else {
        match real_task(settings).await {
            Ok(file) => file,
            Err(error) => {
                ui::error(&error);
                ui::say("no real engine could be provided here; the SIMULATED engine is used instead");
                ui::say("(its figures come from a model of a GPU, not from this machine)");
                write_task(home.root(), SIMULATED)?
            }
        }
    };
    ui::say(&format!("task file: {}", file.display()));
    let tuned = super::tune::run(super::tune::Args::of_file(file, args.seed), settings).await?;
    if args.no_page || settings.json || tuned != Exit::Success {
        return Ok(tuned);
    }
    page(settings).await
}

/// Shows the result on the page: of the server that runs, or of one that ends with Ctrl-C.
async fn page(settings: &Settings) -> anyhow::Result<Exit> {
    let home = settings.home();
    let newest = tune::open_store(&home).await?.find_tasks(&TaskQuery::default(), None, 1).await?.tasks.pop();
    let path = newest.map_or_else(|| "/".to_owned(), |task| format!("/tasks/{}", task.name));
    if let Some(server) = instance::running(&home)? {
        super::serve::show(&server.address, &path);
        return Ok(Exit::Success);
    }
    if !std::io::stdout().is_terminal() {
        ui::say(&format!("the page: autotuner serve --open {path}"));
        return Ok(Exit::Success);
    }
    ui::say("the page is served until Ctrl-C");
    // From here on this process is the server.
    let program = std::env::current_exe().context("this program does not know its own path")?;
    let mut command = Command::new(program);
    command.args(settings.same()).envs(settings.same_variables()).args(["serve", "--open", &path]);
    Err(command.exec()).context("the server does not start")
}

/// Provides engine and model and writes the task for them.
async fn real_task(settings: &Settings) -> anyhow::Result<PathBuf> {
    let home = settings.home();
    super::engines::install(InstallTarget::LlamaCpp, settings).await?;
    super::engines::install(InstallTarget::SampleModel, settings).await?;
    let model = engines::sample_model(&home).context("the sample model is not there after its installation")?;
    write_task(home.root(), &LLAMA_CPP.replace(MODEL, &model.display().to_string()))
}

fn write_task(folder: &Path, text: &str) -> anyhow::Result<PathBuf> {
    let place = folder.join("quickstart.yaml");
    results::write(&place, text)?;
    Ok(place)
}
