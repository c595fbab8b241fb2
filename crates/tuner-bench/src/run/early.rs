//! Ends a level before its plan does.
//!
//! *Invariant*: the threads that send and read only hand over what happened; rules are asked on the live tick.

use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::mpsc;
use tuner_core::record::RequestRecord;

use super::Shared;
use crate::plan::LevelPlan;
use crate::stopping::{LevelWatch, Verdict};

/// What happened to a measured request.
pub(super) enum News {
    FirstToken { planned_s: f64, at_s: f64 },
    Ended(Box<RequestRecord>),
}

/// Where client threads leave their news; nowhere where no rule wants them.
pub(super) type Desk = Option<mpsc::UnboundedSender<News>>;

/// Follows a level that is under way.
pub(super) struct Early {
    rules: Option<(LevelWatch, mpsc::UnboundedReceiver<News>)>,
    pub(super) verdict: Option<Verdict>,
}

impl Early {
    pub(super) fn of(plan: &LevelPlan) -> (Self, Desk) {
        let rules = LevelWatch::of(plan).map(|watch| {
            let (desk, news) = mpsc::unbounded_channel();
            ((watch, news), desk)
        });
        let (rules, desk) = rules.unzip();
        (Self { rules, verdict: None }, desk)
    }

    /// Asks the rules, and ends the level where one says so.
    pub(super) fn look(&mut self, shared: &Shared, now_ns: u64) {
        let Some((watch, news)) = self.rules.as_mut().filter(|_| self.verdict.is_none()) else { return };
        while let Ok(news) = news.try_recv() {
            match news {
                News::FirstToken { planned_s, at_s } => watch.first_token(planned_s, at_s),
                News::Ended(record) => watch.ended(&record),
            }
        }
        if !shared.in_window(now_ns) {
            return;
        }
        if let Some(verdict) = watch.look(shared.clock.seconds(now_ns)) {
            shared.stopped_ns.store(now_ns, Relaxed);
            shared.queue.close();
            shared.end();
            self.verdict = Some(verdict);
        }
    }
}
