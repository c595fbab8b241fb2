//! The simulated example, from its file to its verdict.

use std::path::Path;

use tuner_app::simulate::{self, Wish};
use tuner_app::tasks::Known;
use tuner_core::plan::{Decision, FinalStatus, Verdict};
use tuner_runner::RunEnd;

async fn verdict() -> (FinalStatus, Verdict) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/simulated.yaml");
    match simulate::run(&path, &Known::shipped(), &Wish::default()).await.unwrap().end {
        RunEnd::Finished { status, verdict } => (status, *verdict),
        RunEnd::Stopped => panic!("nobody asked it to stop"),
    }
}

#[tokio::test]
async fn the_simulated_example_finds_a_better_configuration_and_says_the_same_twice() {
    let (status, first) = verdict().await;
    assert_eq!(status, FinalStatus::Completed);
    assert_eq!(first.decision, Decision::Better, "{first:?}");
    assert_eq!(verdict().await, (status, first));
}
