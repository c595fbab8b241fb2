//! What a level did not come to.

use std::collections::HashSet;

use tuner_core::record::RequestRecord;

use super::LevelPlan;

impl LevelPlan {
    /// Adds the planned requests that were never begun, so that every planned request has one record. `ended_early`: it
    /// was cut off or stopped. A closed loop that its duration ended planned no more than it sent, and so did an open one
    /// with the later turns of its conversations.
    pub fn add_unsent(&self, records: &mut Vec<RequestRecord>, ended_early: bool) {
        let open = self.is_open_loop();
        if !open && !(ended_early && self.requests.is_some()) {
            return;
        }
        let known: HashSet<u64> = records.iter().map(|r| r.index).collect();
        let missing = self.planned().filter(|p| !known.contains(&p.index) && (!open || p.planned_s.is_some()));
        let unsent = missing.map(|p| RequestRecord::unsent(&p, p.planned_s.unwrap_or(0.0)));
        let more: Vec<RequestRecord> = match self.total().filter(|_| self.talks() && !open) {
            // Which of endlessly many turns would have been sent is not known, only how many, and how many as warm-up.
            Some(total) => {
                let warm = records.iter().filter(|r| r.warmup).count();
                let counted = unsent.take((total as usize).saturating_sub(records.len()));
                let still_warm = (self.warmup as usize).saturating_sub(warm);
                counted.enumerate().map(|(i, r)| RequestRecord { warmup: i < still_warm, ..r }).collect()
            }
            None => unsent.collect(),
        };
        records.extend(more);
        records.sort_by_key(|r| r.index);
    }
}
