//! What `tune` and `simulate` show while they run: bars on a terminal, plain lines elsewhere, JSON lines for machines.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;
use tuner_core::TaskSpec;
use tuner_core::plan::Verdict;
use tuner_runner::Activity;
use tuner_store::{EventRow, Follower};

use super::fold::Fold;
use super::words;

/// Often enough to look alive, also over a slow connection.
const FRAMES_PER_SECOND: u8 = 8;

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
    planned: u32,
}

struct Bars {
    all: MultiProgress,
    task: ProgressBar,
    line: ProgressBar,
}

impl Screen {
    /// A screen for a task of `planned` experiments that has taken `spent_s` seconds before; events up to
    /// `quiet_until` are history.
    pub(crate) fn new(mode: Mode, spec: &TaskSpec, planned: u32, quiet_until: i64, spent_s: f64) -> Option<Self> {
        let fold = Fold::new(spec)?;
        let bars = (mode == Mode::Bars).then(|| Bars::new(planned, spent_s));
        Some(Self { mode, fold, bars, quiet_until, planned })
    }

    /// Follows events until the future is dropped; [`Screen::take`] shows the last ones after the run.
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
        let total = self.fold.total(self.planned);
        let left = self.fold.left_s(total, chrono::Utc::now());
        let left = left.map(|s| format!("about {} left", words::duration(s))).unwrap_or_default();
        bars.task.set_length(u64::from(total));
        bars.task.set_position(u64::from(self.fold.done));
        bars.task.set_message(
            [self.fold.best(), left].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · "),
        );
        let live = activity.live.as_ref().map(words::live_figures).unwrap_or_default();
        // Last, because it may be cut off: it was printed when the experiment began.
        let current = [self.fold.current.clone(), live, self.fold.configuration.clone()]
            .into_iter()
            .filter(|s| !s.is_empty())
            .collect::<Vec<_>>();
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
    fn new(total: u32, spent_s: f64) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND));
        // Written over instead of cleared: no flicker.
        all.set_move_cursor(true);
        let task = all.add(ProgressBar::new(u64::from(total)));
        let task = task.with_elapsed(Duration::try_from_secs_f64(spent_s).unwrap_or_default());
        let style = ProgressStyle::with_template("{bar:24.cyan/blue} {pos}/{len} experiments  {elapsed}  {wide_msg}");
        task.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        let line = all.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {wide_msg}");
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.enable_steady_tick(Duration::from_millis(120));
        Self { all, task, line }
    }
}
