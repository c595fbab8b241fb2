//! `autotuner doctor [FILE]`

use std::path::PathBuf;

use tuner_app::doctor::{self, Status};
use tuner_app::tasks;
use tuner_app::tasks::Known;

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check this task file against this machine too.
    file: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, settings: &Settings) -> anyhow::Result<Exit> {
    let (home, around) = (settings.home(), settings.surroundings());
    let mut checks = doctor::check_machine(&home, &around);
    checks.extend(doctor::check_store(&home).await);
    if let Some(file) = &args.file {
        let file = tasks::read_file(file, &Known::at(&settings.home()).await?)?;
        file.remarks().iter().for_each(|remark| ui::say(remark));
        for check in doctor::check_task(&home, &file.spec, &around) {
            if !checks.contains(&check) {
                checks.push(check);
            }
        }
    }
    if settings.json {
        ui::json(&checks)?;
    } else {
        checks.iter().for_each(|check| ui::answer(&check.to_string()));
    }
    let bad = checks.iter().any(|c| c.status == Status::Failed);
    Ok(if bad { Exit::NotReady } else { Exit::Success })
}
