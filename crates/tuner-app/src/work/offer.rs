//! What this host has for jobs, and what of it is free.

use std::collections::BTreeMap;

use tuner_deploy::host;
use tuner_store::{Capabilities, Gpu, JobId, Needs};

use crate::engines;
use crate::home::Home;
use crate::tune::Surroundings;

/// What the host has, less what jobs hold.
pub(super) struct Offer {
    all: Capabilities,
    /// Of the GPUs, as their driver counts them.
    indexes: Vec<u32>,
    /// Positions in the list of GPUs, by job.
    held: BTreeMap<JobId, Vec<usize>>,
}

impl Offer {
    pub(super) fn of_this_host(
        home: &Home,
        around: &Surroundings,
        host: &str,
        labels: BTreeMap<String, String>,
    ) -> Self {
        let seen = host::gpus().visible(around.visible_gpus.as_deref());
        let gpus = seen.list().iter().map(|g| Gpu { model: g.name.clone(), memory_mib: g.memory_total_mib }).collect();
        let indexes = seen.list().iter().map(|g| g.index).collect();
        let engines = engines::startable(home, around);
        // An endpoint that runs already, and one that is computed, can be measured from anywhere.
        let backends = ["local", "attached", "virtual"].map(str::to_owned).to_vec();
        let all = Capabilities { host: host.to_owned(), gpus, backends, engines, labels };
        Self { all, indexes, held: BTreeMap::new() }
    }

    pub(super) fn all(&self) -> &Capabilities {
        &self.all
    }

    pub(super) fn free(&self) -> Capabilities {
        let free = |at: &usize| !self.held.values().flatten().any(|held| held == at);
        let gpus = (0..self.all.gpus.len()).filter(free).map(|at| self.all.gpus[at].clone()).collect();
        Capabilities { gpus, ..self.all.clone() }
    }
}

impl Offer {
    /// Sets aside what a job needs; gives the GPUs, by their indexes on this host.
    pub(super) fn take(&mut self, job: JobId, needs: &Needs) -> Vec<u32> {
        let held: Vec<usize> = self.held.values().flatten().copied().collect();
        let fit = |at: &usize| !held.contains(at) && needs.takes(&self.all.gpus[*at]);
        let taken: Vec<usize> = (0..self.all.gpus.len()).filter(fit).take(needs.gpus as usize).collect();
        let indexes = taken.iter().map(|at| self.indexes[*at]).collect();
        self.held.insert(job, taken);
        indexes
    }

    pub(super) fn give_back(&mut self, job: JobId) {
        self.held.remove(&job);
    }
}

/// What a job may know of this process's environment: of the GPUs, only those it holds.
pub(super) fn only(gpus: Vec<u32>, around: &Surroundings) -> Surroundings {
    let words: Vec<String> = gpus.iter().map(u32::to_string).collect();
    let visible_gpus = if words.is_empty() { around.visible_gpus.clone() } else { Some(words.join(",")) };
    Surroundings { visible_gpus, ..around.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Offer {
        let gpu = |model: &str| Gpu { model: model.to_owned(), memory_mib: 80_000 };
        let gpus = vec![gpu("NVIDIA L4"), gpu("NVIDIA H100"), gpu("NVIDIA H100"), gpu("NVIDIA H100")];
        Offer {
            all: Capabilities { gpus, ..Capabilities::default() },
            indexes: vec![0, 2, 3, 5],
            held: BTreeMap::new(),
        }
    }

    #[test]
    fn two_jobs_never_hold_one_gpu() {
        let (mut offer, one, two) = (offer(), JobId::new(), JobId::new());
        let h100 = Needs { gpus: 2, gpu_model: Some("h100".to_owned()), ..Needs::default() };
        assert_eq!(offer.take(one, &h100), [2, 3]);
        assert_eq!(h100.unmet_by(&offer.free()).as_deref(), Some("2 h100 GPUs (1 there)"));
        assert_eq!(offer.take(two, &Needs { gpus: 2, ..Needs::default() }), [0, 5]);
        assert!(offer.free().gpus.is_empty());
        offer.give_back(one);
        assert_eq!(offer.free().gpus.len(), 2);
        assert_eq!(offer.take(one, &h100), [2, 3]);
    }

    #[test]
    fn a_job_that_needs_no_gpu_holds_none() {
        let mut offer = offer();
        assert!(offer.take(JobId::new(), &Needs::default()).is_empty());
        assert_eq!(offer.free().gpus.len(), 4);
    }
}
