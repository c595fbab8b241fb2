//! The service and its machine.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_policy::Action;

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Health>(), Tool::of::<Doctor>()]
}

struct Health;

/// How this service is: its own checks, version, uptime, queue, workers, memory.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HealthArgs {}

impl Kind for Health {
    const NAME: &'static str = "get_system_status";
    const GROUP: Group = Group::System;
    type Args = HealthArgs;

    fn intent(_: &HealthArgs) -> Intent {
        does("Look at the service")
    }

    async fn run(cx: Cx, _: HealthArgs) -> Result<Value, ToolError> {
        let health = cx.service.health(&cx.permit(Action::HealthRead)?).await?;
        let permit = cx.permit(Action::SystemRead)?;
        let facts = cx.service.facts(&permit)?;
        let queue = cx.service.queue(&permit).await?;
        let waiting: Vec<Value> = queue
            .depth
            .iter()
            .map(|(kind, depth)| json!({ "kind": kind, "queued": depth.queued, "running": depth.running }))
            .collect();
        let workers = json!({ "alive": queue.alive, "silent": queue.silent, "busy_slots": queue.busy_slots });
        Ok(json!({ "health": health, "service": facts, "queue": waiting, "workers": workers }))
    }
}

struct Doctor;

/// Check this machine: data directory, disk, GPUs, Python, installed engines, proxies; each with what to do.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DoctorArgs {}

impl Kind for Doctor {
    const NAME: &'static str = "run_doctor";
    const GROUP: Group = Group::System;
    type Args = DoctorArgs;

    fn intent(_: &DoctorArgs) -> Intent {
        does("Check the machine")
    }

    async fn run(cx: Cx, _: DoctorArgs) -> Result<Value, ToolError> {
        Ok(shown(&cx.service.check_machine(&cx.permit(Action::SystemRead)?).await?))
    }
}
