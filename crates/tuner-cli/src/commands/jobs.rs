//! `autotuner jobs …`: the run queue.

use tuner_app::tune;
use tuner_store::{JobFilter, JobId, JobRow, JobStatus};

use crate::exit::Exit;
use crate::settings::Settings;
use crate::ui;
use crate::ui::table::Table;

/// Jobs in a list at most.
const MOST: u32 = 200;

/// What can be done with jobs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Jobs {
    /// List the jobs that wait or run, newest first.
    List {
        /// Those that have ended too: done, cancelled, or dead (given up after their last attempt).
        #[arg(long)]
        all: bool,
    },
    /// Show all that is known of a job.
    Show {
        /// Its id.
        job: JobId,
    },
    /// Stop a job: at once if it waits, by its worker if it runs. A task that it ran can be started again.
    Cancel {
        /// Its id.
        job: JobId,
    },
    /// Have a dead or cancelled job tried again.
    Retry {
        /// Its id.
        job: JobId,
    },
}

pub(crate) async fn run(command: Jobs, settings: &Settings) -> anyhow::Result<Exit> {
    let store = tune::open_store(&settings.home()).await?;
    match command {
        Jobs::List { all } => {
            let statuses = if all { Vec::new() } else { vec![JobStatus::Queued, JobStatus::Running] };
            let page = store.list_jobs(&JobFilter { statuses, ..JobFilter::default() }, None, MOST).await?;
            if settings.json {
                ui::json(&page.jobs)?;
                return Ok(Exit::Success);
            }
            if page.jobs.is_empty() {
                ui::say("no job waits or runs; queue a task with: autotuner tasks start TASK");
                return Ok(Exit::Success);
            }
            ui::answer(&table(&page.jobs).to_string());
            if page.next.is_some() {
                ui::say(&format!("and older ones; this list ends after {MOST}"));
            }
        }
        Jobs::Show { job } => ui::json(&store.job(job).await?)?,
        Jobs::Cancel { job } => {
            let status = store.cancel_job(job).await?;
            let what = if status == JobStatus::Running {
                "its worker is asked to stop it".to_owned()
            } else {
                status.to_string()
            };
            ui::say(&format!("job {job}: {what}"));
        }
        Jobs::Retry { job } => {
            let row = store.retry_job(job).await?;
            ui::say(&format!("job {job} is {}", row.status));
        }
    }
    Ok(Exit::Success)
}

fn table(jobs: &[JobRow]) -> Table {
    let mut table = Table::new(["job", "kind", "status", "attempt", "worker", "at", "queued", "last error"]);
    for job in jobs {
        table.row([
            job.id.to_string(),
            job.kind.to_string(),
            job.status.to_string(),
            format!("{} of {}", job.attempts, job.max_attempts),
            job.worker.as_ref().map(ToString::to_string).unwrap_or_default(),
            at(job),
            job.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            job.last_error.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// Where a running job is, in words.
fn at(job: &JobRow) -> String {
    let progress = job.progress.as_ref().filter(|_| job.status == JobStatus::Running);
    let number = |name: &str| progress.and_then(|progress| progress.get(name)?.as_u64());
    let does = progress.and_then(|progress| progress.get("does")?.as_str());
    match (number("experiment"), does) {
        (Some(experiment), _) => format!("experiment {experiment}"),
        (None, Some(does)) => does.to_owned(),
        (None, None) => String::new(),
    }
}
