//! GPUs: what is there, and whether it is enough for a task.

use tuner_core::TaskSpec;
use tuner_core::engine::EngineName;
use tuner_deploy::host::{Gpu, Gpus};
use tuner_engines::engine;

use super::{Check, Status, check};

/// A GPU with more of its memory in use belongs to someone; the driver and a desktop take less.
const BUSY_PERCENT: u64 = 5;

/// The GPUs of this machine.
pub(super) fn found(gpus: &Gpus) -> Check {
    let line = |g: &Gpu| {
        let capability = g.compute_capability.as_ref().map(|c| format!(", compute capability {c}")).unwrap_or_default();
        format!(
            "{} {}, {} of {} MiB in use, driver {}{capability}",
            g.index, g.name, g.memory_used_mib, g.memory_total_mib, g.driver
        )
    };
    match gpus {
        Gpus::Found { gpus } => check("GPUs", Status::Good, gpus.iter().map(line).collect::<Vec<_>>().join("; ")),
        Gpus::None { reason } => check("GPUs", Status::Good, format!("none (engines run on the CPU): {reason}")),
        Gpus::Broken { reason } => check("GPUs", Status::Warning, format!("none can be used: {reason}"))
            .hint("engines would run on the CPU or fail: repair the driver until nvidia-smi lists the GPUs"),
    }
}

/// Whether the baseline finds its GPUs (R14.4). Where there are none, the engine runs on the CPU unless the task asks.
pub(super) fn suffice(spec: &TaskSpec, gpus: &Gpus) -> Option<Check> {
    let there = gpus.list();
    let own = || engine(spec.engine.name).gpus_needed(&spec.effective_flags(&spec.baseline));
    let simulated = spec.engine.name == EngineName::Simulated;
    let needed = spec.engine.gpus.or_else(|| (!there.is_empty() && !simulated).then(own))? as usize;
    let text = format!("{needed} wanted, {} found", there.len());
    if needed > there.len() {
        let hint = "lower engine.gpus or the parallel sizes, or run where the GPUs are";
        return Some(check("GPUs", Status::Failed, text).hint(hint));
    }
    let busy = there[..needed].iter().find(|g| g.memory_used_mib > (g.memory_total_mib / 100 * BUSY_PERCENT));
    Some(match busy {
        Some(g) => check(
            "GPUs",
            Status::Warning,
            format!("{text}; {} of {} MiB of GPU {} are in use", g.memory_used_mib, g.memory_total_mib, g.index),
        )
        .hint("stop what uses it, or the engine finds less memory than it expects; nvidia-smi lists the processes"),
        None => check("GPUs", Status::Good, text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(used_mib: &[u64]) -> Gpus {
        let gpu = |(index, used): (usize, &u64)| Gpu {
            index: index as u32,
            uuid: format!("GPU-{index}"),
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            memory_total_mib: 81_559,
            memory_used_mib: *used,
            utilization_percent: Some(0),
            driver: "550.54.15".to_owned(),
            compute_capability: Some("9.0".to_owned()),
        };
        Gpus::Found { gpus: used_mib.iter().enumerate().map(gpu).collect() }
    }

    fn task(engine: &str) -> TaskSpec {
        let engine: serde_json::Value = serde_json::from_str(engine).unwrap();
        serde_json::from_value(serde_json::json!({
            "name": "t", "model": {"id": "m"}, "engine": engine, "search_space": {}
        }))
        .unwrap()
    }

    // R14.8
    #[test]
    fn a_person_is_told_what_the_driver_says() {
        let lines = [
            found(&machine(&[4, 70_000])),
            found(&Gpus::None { reason: "nvidia-smi is not installed".to_owned() }),
            found(&Gpus::Broken {
                reason: "nvidia-smi failed: couldn't communicate with the NVIDIA driver".to_owned(),
            }),
        ];
        insta::assert_snapshot!(lines.map(|c| c.to_string()).join("\n"), @r"
        ok       GPUs: 0 NVIDIA H100 80GB HBM3, 4 of 81559 MiB in use, driver 550.54.15, compute capability 9.0; 1 NVIDIA H100 80GB HBM3, 70000 of 81559 MiB in use, driver 550.54.15, compute capability 9.0
        ok       GPUs: none (engines run on the CPU): nvidia-smi is not installed
        warning  GPUs: none can be used: nvidia-smi failed: couldn't communicate with the NVIDIA driver
                 hint: engines would run on the CPU or fail: repair the driver until nvidia-smi lists the GPUs
        ");
    }

    // R14.4
    #[test]
    fn the_gpus_of_a_task_exist_and_are_free() {
        let says = |engine: &str, gpus: &Gpus| {
            suffice(&task(engine), gpus).map_or_else(|| "nothing to say".to_owned(), |c| c.to_string())
        };
        let (two, busy) = (machine(&[4, 70_000]), machine(&[70_000]));
        let none = Gpus::None { reason: "nvidia-smi is not installed".to_owned() };
        let lines = [
            says(r#"{"name": "vllm"}"#, &two),
            says(r#"{"name": "vllm", "fixed": {"tensor-parallel-size": 2}}"#, &two),
            says(r#"{"name": "sglang", "fixed": {"tp-size": 2, "pp-size": 2}}"#, &two),
            says(r#"{"name": "vllm"}"#, &busy),
            says(r#"{"name": "vllm"}"#, &none),
            says(r#"{"name": "vllm", "gpus": 1}"#, &none),
            says(r#"{"name": "simulated"}"#, &two),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        ok       GPUs: 1 wanted, 2 found
        warning  GPUs: 2 wanted, 2 found; 70000 of 81559 MiB of GPU 1 are in use
                 hint: stop what uses it, or the engine finds less memory than it expects; nvidia-smi lists the processes
        FAILED   GPUs: 4 wanted, 2 found
                 hint: lower engine.gpus or the parallel sizes, or run where the GPUs are
        warning  GPUs: 1 wanted, 1 found; 70000 of 81559 MiB of GPU 0 are in use
                 hint: stop what uses it, or the engine finds less memory than it expects; nvidia-smi lists the processes
        nothing to say
        FAILED   GPUs: 1 wanted, 0 found
                 hint: lower engine.gpus or the parallel sizes, or run where the GPUs are
        nothing to say
        ");
    }
}
