//! What `tune` and `simulate` show while they run: bars on a terminal, plain lines elsewhere, JSON lines for machines.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tuner_core::TaskSpec;
use tuner_core::plan::Verdict;
use tuner_runner::Activity;
use tuner_store::{EventRow, Follower};

use super::fold::Fold;
use super::words;

/// How to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bars and colours.
    Bars,
    /// One line per thing that happened.
    Lines,
    /// Every event as a JSON line on standard output.
    Json,
    /// Nothing.
    Silent,
}

/// The screen of one task.
pub(crate) struct Screen {
    mode: Mode,
    fold: Fold,
    bars: Option<Bars>,
    /// Events up to here happened before this run and are not printed.
    quiet_until: i64,
    total: u32,
    mean_s: f64,
}

struct Bars {
    all: MultiProgress,
    task: ProgressBar,
    line: ProgressBar,
}

impl Screen {
    /// A screen for a task of `total` experiments; events up to `quiet_until` are history.
    pub(crate) fn new(mode: Mode, spec: &TaskSpec, total: u32, quiet_until: i64) -> Option<Self> {
        let fold = Fold::new(spec)?;
        let bars = (mode == Mode::Bars).then(|| Bars::new(total));
        Some(Self { mode, fold, bars, quiet_until, total, mean_s: 0.0 })
    }

    /// Follows events until the future is dropped; call [`Screen::drain`] after the run for the last ones.
    pub(crate) async fn follow(&mut self, follower: &mut Follower, mut activity: watch::Receiver<Activity>) {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                rows = follower.next(500) => match rows {
                    Ok(rows) => self.take(&rows),
                    Err(error) => {
                        tracing::warn!(%error, "events cannot be read");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
                _ = tick.tick(), if self.bars.is_some() => {
                    let now = activity.borrow_and_update().clone();
                    self.redraw(&now);
                }
            }
        }
    }

    /// Shows what happened since the last look.
    pub(crate) fn take(&mut self, rows: &[EventRow]) {
        for row in rows {
            let lines = self.fold.apply(row);
            if row.seq <= self.quiet_until {
                continue;
            }
            match self.mode {
                Mode::Bars | Mode::Lines => lines.iter().for_each(|line| self.print(line)),
                Mode::Json => {
                    if let Err(error) = super::json_line(row) {
                        tracing::warn!(%error, "an event cannot be printed");
                    }
                }
                Mode::Silent => {}
            }
        }
    }

    fn print(&self, line: &str) {
        match &self.bars {
            Some(bars) => {
                // Fails only where the terminal is gone, and then nobody reads it.
                let _ = bars.all.println(line);
            }
            None => super::say(line),
        }
    }

    fn redraw(&mut self, activity: &Activity) {
        let Some(bars) = &self.bars else { return };
        let elapsed = bars.task.elapsed().as_secs_f64();
        let done = self.fold.done;
        if done > 0 {
            self.mean_s = elapsed / f64::from(done);
        }
        let left = self.mean_s * f64::from(self.total.saturating_sub(done));
        let left = if done > 0 { format!("about {} left", words::duration(left)) } else { String::new() };
        bars.task.set_position(u64::from(done));
        bars.task.set_message(
            [self.fold.best(), left].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · "),
        );
        let live = activity.live.as_ref().map(words::live).unwrap_or_default();
        let current = [self.fold.current.clone(), live].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>();
        bars.line.set_message(current.join(" · "));
    }

    /// Takes the bars away and gives the verdict, if there is one.
    pub(crate) fn finish(self) -> Option<Verdict> {
        if let Some(bars) = &self.bars {
            bars.line.finish_and_clear();
            bars.task.finish_and_clear();
        }
        self.fold.verdict
    }
}

impl Bars {
    fn new(total: u32) -> Self {
        let all = MultiProgress::new();
        let task = all.add(ProgressBar::new(u64::from(total)));
        let style = ProgressStyle::with_template("{bar:24.cyan/blue} {pos}/{len} experiments  {elapsed}  {wide_msg}");
        task.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        let line = all.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {wide_msg}");
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.enable_steady_tick(Duration::from_millis(120));
        Self { all, task, line }
    }
}
