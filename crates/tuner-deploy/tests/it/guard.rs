//! The quality guard as a process.

use std::collections::BTreeMap;
use std::fs;

use tokio_util::sync::CancellationToken;
use tuner_core::task::QualityGuard;
use tuner_deploy::guard::{GuardError, GuardReport, run_guard};
use tuner_deploy::{Backend, Exit, LocalBackend};

use crate::world::{LIMIT, TAG, World, id};

fn guard(script: &str, timeout_s: f64) -> QualityGuard {
    QualityGuard { command: ["sh", "-c", script].map(str::to_owned).to_vec(), min: Some(0.5), max: None, timeout_s }
}

async fn run(world: &World, guard: &QualityGuard, cancel: &CancellationToken) -> Result<GuardReport, GuardError> {
    let backend = LocalBackend::new(world.root()).unwrap();
    let env = BTreeMap::from([(TAG.into(), world.tag.clone()), ("AUTOTUNER_MODEL".into(), "smol".into())]);
    let report = run_guard(&backend, &id("t1-e1-a1"), guard, env, &world.log(), cancel).await;
    assert_eq!(backend.list().await.unwrap(), []);
    assert!(world.tagged().is_empty());
    report
}

#[tokio::test]
async fn the_last_line_of_standard_output_gives_the_number() {
    let world = World::new();
    let guard =
        guard(r#"echo "model $AUTOTUNER_MODEL"; echo "accuracy: 0.75"; echo "warning: 3" >&2"#, LIMIT.as_secs_f64());
    let report = run(&world, &guard, &CancellationToken::new()).await.unwrap();
    assert_eq!((report.exit.unwrap().code, report.number), (Some(0), Some(0.75)));
    assert_eq!(report.veto(&guard), None);
    assert!(fs::read_to_string(world.log()).unwrap().contains("model smol\n"));
    assert_eq!(fs::read_to_string(world.log().with_added_extension("err")).unwrap(), "warning: 3\n");
}

#[tokio::test]
async fn a_silent_guard_has_no_number_even_when_an_earlier_one_had() {
    let world = World::new();
    let cancel = CancellationToken::new();
    assert_eq!(run(&world, &guard("echo 0.9", 60.0), &cancel).await.unwrap().number, Some(0.9));
    let silent = guard("exit 4", 60.0);
    let report = run(&world, &silent, &cancel).await.unwrap();
    assert_eq!((report.exit, report.last_line.clone()), (Some(Exit { code: Some(4), signal: None }), None));
    assert!(report.veto(&silent).unwrap().message.contains("exit code 4"));
}

#[tokio::test]
async fn a_guard_that_hangs_is_ended_with_its_children() {
    let world = World::new();
    let hanging = guard("sleep 600 & setsid sleep 600 & wait", 0.2);
    let report = run(&world, &hanging, &CancellationToken::new()).await.unwrap();
    assert_eq!(report.exit, None);
    assert!(report.veto(&hanging).unwrap().message.contains("did not end within 0.2 s"));
}

#[tokio::test]
async fn children_that_a_guard_leaves_behind_end_with_it() {
    let world = World::new();
    let report = run(&world, &guard("sleep 600 & echo 1", 60.0), &CancellationToken::new()).await.unwrap();
    assert_eq!(report.number, Some(1.0));
}

#[tokio::test]
async fn a_cancelled_guard_ends() {
    let world = World::new();
    let cancel = CancellationToken::new();
    let when_up = async {
        while world.tagged().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let hanging = guard("sleep 600", LIMIT.as_secs_f64());
    let (result, ()) = tokio::join!(run(&world, &hanging, &cancel), when_up);
    assert!(matches!(result, Err(GuardError::Cancelled)));
}
