//! `autotuner simulate TASK`: a whole task in virtual time, without sockets, in milliseconds.

use std::path::PathBuf;

use tuner_app::report::Format;
use tuner_app::tasks::Known;
use tuner_app::{results, simulate};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;
use crate::ui::screen::{Mode, Screen};
use crate::ui::words;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The task file. Its backend is replaced by virtual time; its engine must be one the simulator speaks
    /// (simulated, vllm, sglang).
    file: PathBuf,
    /// The GPU to simulate, instead of the file's hardware.
    #[arg(long, value_name = "GPU")]
    gpu: Option<String>,
    /// How many of it.
    #[arg(long, value_name = "N", requires = "gpu", default_value_t = 1)]
    gpu_count: u32,
    /// The model to simulate, instead of the file's.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Use this seed instead of the file's.
    #[arg(long)]
    seed: Option<u64>,
    /// Write the HTML report to this file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Show every step, not just the result.
    #[arg(long)]
    steps: bool,
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let began = std::time::Instant::now();
    let wish = simulate::Wish { gpu: args.gpu, gpu_count: args.gpu_count, model: args.model, seed: args.seed };
    let done = simulate::run(&args.file, &Known::at(&settings.home()).await?, &wish).await?;
    done.notes.iter().for_each(|note| ui::say(note));
    let mode = if settings.json && args.steps {
        Mode::Json
    } else if args.steps {
        Mode::Lines
    } else {
        Mode::Silent
    };
    if let Some(mut screen) = Screen::new(mode, &done.spec, 0, 0, 0.0) {
        screen.take(&done.events);
        screen.finish();
    }
    let report = results::gather(&settings.home(), &done.store, done.task, &settings.surroundings()).await?;
    if let Some(place) = &args.report {
        results::write(place, &results::rendered(&report, Format::Html)?)?;
        ui::say(&format!("report: {}", place.display()));
    }
    if settings.json {
        ui::json(&report)?;
    } else {
        ui::answer(&results::rendered(&report, ui::brief_format(settings))?);
        let took = words::ms(began.elapsed().as_secs_f64() * 1e3);
        ui::say(&format!("\nsimulated in {took}; the figures are the model's, not a machine's"));
        if args.report.is_none() {
            ui::say("every experiment and the method: add --report FILE.html, or --json");
        }
    }
    Ok(super::tune::exit_of(&done.end))
}
