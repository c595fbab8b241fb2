//! Time.

use std::time::Duration;

use chrono::{Local, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Cx, Group, Intent, Kind, Tool, ToolError, does};

/// The longest sleep.
const LONGEST: f64 = 300.0;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Sleep>(), Tool::of::<Now>()]
}

struct Sleep;

/// Wait for some seconds, 1 to 300. To wait for a task use wait_for_task instead.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SleepArgs {
    /// Seconds; less than 1 is 1, more than 300 is 300.
    seconds: f64,
}

impl Kind for Sleep {
    const NAME: &'static str = "sleep";
    const GROUP: Group = Group::System;
    const LIMIT: Duration = Duration::from_secs(330);
    type Args = SleepArgs;

    fn intent(arguments: &SleepArgs) -> Intent {
        does(format!("Wait for {} s", arguments.seconds))
    }

    async fn run(cx: Cx, arguments: SleepArgs) -> Result<Value, ToolError> {
        let seconds = if arguments.seconds.is_finite() { arguments.seconds.clamp(1.0, LONGEST) } else { 1.0 };
        let (begun, whole) = (tokio::time::Instant::now(), Duration::from_secs_f64(seconds));
        while begun.elapsed() < whole {
            let rest = whole.saturating_sub(begun.elapsed());
            let nap = tokio::time::sleep(rest.min(Duration::from_secs(1)));
            if cx.stop.run_until_cancelled(nap).await.is_none() {
                return Err(ToolError::Stopped);
            }
            cx.progress(json!({ "done": (begun.elapsed().as_secs_f64() / seconds).min(1.0) }));
        }
        Ok(json!({ "requested_s": arguments.seconds, "waited_s": begun.elapsed().as_secs_f64() }))
    }
}

struct Now;

/// The server's time, in several forms.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NowArgs {}

impl Kind for Now {
    const NAME: &'static str = "get_current_time";
    const GROUP: Group = Group::System;
    type Args = NowArgs;

    fn intent(_: &NowArgs) -> Intent {
        does("Look at the clock")
    }

    async fn run(_: Cx, _: NowArgs) -> Result<Value, ToolError> {
        let (utc, local) = (Utc::now(), Local::now());
        Ok(json!({
            "utc": utc.to_rfc3339(),
            "local": local.to_rfc3339(),
            "zone": local.format("%Z").to_string(),
            "utc_offset": local.format("%:z").to_string(),
            "epoch_s": utc.timestamp(),
            "epoch_ms": utc.timestamp_millis(),
            "date": utc.format("%Y-%m-%d").to_string(),
            "weekday": utc.format("%A").to_string(),
        }))
    }
}
