//! What this host has for jobs, and what of it is free.

use std::collections::BTreeMap;

use tuner_core::engine::EngineName;
use tuner_deploy::host;
use tuner_store::{Capabilities, Gpu, JobRow, Needs};

use crate::engines;
use crate::home::Home;
use crate::tune::Surroundings;

/// The backend of engines that are processes of this machine.
const LOCAL: &str = "local";

/// What a host has.
pub(super) fn of_this_host(
    home: &Home,
    around: &Surroundings,
    host: &str,
    labels: BTreeMap<String, String>,
) -> Capabilities {
    let gpus = host::gpus().visible(around.visible_gpus.as_deref());
    let gpus = gpus.list().iter().map(|g| Gpu { model: g.name.clone(), memory_mib: g.memory_total_mib }).collect();
    // An endpoint that runs already, and one that is computed, can be measured from anywhere.
    let backends = [LOCAL, "attached", "virtual"].map(str::to_owned).to_vec();
    Capabilities { host: host.to_owned(), gpus, backends, engines: engines::startable(home, around), labels }
}

/// What is left of it while these jobs run, whichever worker of the host runs them. Which GPU an engine gets is decided
/// when it is launched; here they are counted, so that no job is claimed only to wait.
pub(super) fn free(all: &Capabilities, running: &[JobRow]) -> Capabilities {
    let mut free = all.clone();
    let here = |job: &&JobRow| job.worker.as_ref().is_some_and(|worker| worker.host == all.host);
    for job in running.iter().filter(here) {
        for _ in 0..taken(&job.needs) {
            if let Some(at) = free.gpus.iter().position(|gpu| job.needs.takes(gpu)) {
                free.gpus.remove(at);
            }
        }
    }
    if free.gpus.is_empty() && !all.gpus.is_empty() {
        free.backends.retain(|backend| backend != LOCAL);
    }
    free
}

/// GPUs that a job takes on a host that has some: a real engine takes one even if its task does not ask.
fn taken(needs: &Needs) -> u32 {
    let real = needs.engine.as_deref() != Some(EngineName::Simulated.name());
    match needs.backend.as_deref() {
        Some(LOCAL) if real => needs.gpus.max(1),
        _ => needs.gpus,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn host(gpus: &[&str]) -> Capabilities {
        let gpu = |model: &&str| Gpu { model: (*model).to_owned(), memory_mib: 80_000 };
        let backends = [LOCAL, "virtual"].map(str::to_owned).to_vec();
        Capabilities { host: "here".to_owned(), gpus: gpus.iter().map(gpu).collect(), backends, ..Default::default() }
    }

    fn running(on: &str, needs: &Needs) -> JobRow {
        let at = "2026-11-27T08:00:00Z";
        let row = json!({
            "id": tuner_store::JobId::new(), "kind": "run_task", "payload": {}, "priority": 0, "run_after": at,
            "needs": needs, "status": "running", "attempts": 1, "max_attempts": 5, "fence": 1,
            "worker": { "host": on, "pid": 1, "start_ticks": 1 }, "cancel_requested": false, "created_at": at,
        });
        serde_json::from_value(row).unwrap()
    }

    fn local(gpus: u32, model: Option<&str>) -> Needs {
        let (backend, engine) = (Some(LOCAL.to_owned()), Some("vllm".to_owned()));
        Needs { gpus, gpu_model: model.map(str::to_owned), backend, engine, ..Needs::default() }
    }

    fn left(free: &Capabilities) -> Vec<&str> {
        free.gpus.iter().map(|gpu| gpu.model.as_str()).collect()
    }

    #[test]
    fn gpus_of_running_jobs_are_not_offered_again() {
        let all = host(&["L4", "H100", "H100", "H100"]);
        assert_eq!(left(&free(&all, &[running("here", &local(2, Some("h100")))])), ["L4", "H100"]);
        assert_eq!(left(&free(&all, &[running("elsewhere", &local(2, None))])).len(), 4);
        let two = [running("here", &local(2, Some("H100"))), running("here", &local(0, None))];
        assert_eq!(left(&free(&all, &two)), ["H100"], "a real engine takes one unasked");
    }

    #[test]
    fn a_host_whose_gpus_are_taken_still_does_what_needs_none() {
        let all = host(&["H100"]);
        let free = free(&all, &[running("here", &local(1, None))]);
        assert_eq!(free.backends, ["virtual"]);
        assert_eq!(local(0, None).unmet_by(&free).as_deref(), Some("the backend local"));
    }

    #[test]
    fn a_host_without_gpus_runs_engines_side_by_side() {
        let all = host(&[]);
        assert_eq!(free(&all, &[running("here", &local(0, None))]), all);
    }
}
