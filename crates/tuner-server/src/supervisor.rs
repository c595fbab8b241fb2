//! Keeps worker processes of this machine running: one child per slot, started anew when it ends.
//!
//! *Invariants*: a slot has one child at a time; a child ends with this process, however this process ends (its input
//! is a pipe that only we hold). What a child was doing is in the store, so ending it loses nothing.

use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Wait before a child that ended at once is started anew; it doubles up to [`MOST`].
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);
/// A child that lived this long was sound.
const SOUND: Duration = Duration::from_secs(60);
/// Time that a child gets to stop its engines and give its jobs back.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the worker of a slot is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub program: std::path::PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables to set beside ours.
    pub variables: Vec<(String, String)>,
}

/// Runs one child for each of `slots` until `stop` is cancelled, then ends them, and gives nothing back before the last
/// of them is gone.
pub async fn supervise(slots: Vec<Launch>, stop: CancellationToken) {
    let mut kept = JoinSet::new();
    for (slot, launch) in slots.into_iter().enumerate() {
        let stop = stop.clone();
        kept.spawn(async move { keep(slot, &launch, &stop).await });
    }
    while kept.join_next().await.is_some() {}
}

async fn keep(slot: usize, launch: &Launch, stop: &CancellationToken) {
    let mut wait = LEAST;
    loop {
        let began = Instant::now();
        let mut command = Command::new(&launch.program);
        // A group of its own: Ctrl-C is for us, who end it in order.
        command.args(&launch.arguments).envs(launch.variables.iter().cloned());
        command.stdin(Stdio::piped()).process_group(0).kill_on_drop(true);
        match command.spawn() {
            Ok(child) => {
                tracing::info!(slot, pid = child.id(), "worker started");
                match attend(child, stop).await {
                    None => return,
                    // As it was asked to.
                    Some(status) if status.success() => wait = LEAST / 2,
                    Some(status) => tracing::warn!(slot, %status, "worker ended; it is started anew"),
                }
            }
            Err(error) => {
                tracing::error!(slot, %error, program = %launch.program.display(), "no worker can be started")
            }
        }
        wait = next(wait, began.elapsed());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// How long to wait after a child that lived for `lived`.
fn next(last: Duration, lived: Duration) -> Duration {
    if lived >= SOUND { LEAST } else { (last * 2).min(MOST) }
}

/// Waits for a child's own end, or ends it.
async fn attend(mut child: Child, stop: &CancellationToken) -> Option<ExitStatus> {
    // Taken out, because waiting for a child closes what it holds.
    let _input = child.stdin.take();
    tokio::select! {
        status = child.wait() => return Some(status.unwrap_or_default()),
        () = stop.cancelled() => {}
    }
    if let Some(pid) = child.id() {
        // It may have ended at this moment.
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGTERM);
    }
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        tracing::error!("a worker did not end in time; it is killed, and the next one cleans up after it");
        let _ = child.kill().await;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Launch {
        let arguments = vec!["-c".to_owned(), text.to_owned()];
        Launch { program: "sh".into(), arguments, variables: Vec::new() }
    }

    fn lines(path: &std::path::Path) -> usize {
        std::fs::read_to_string(path).unwrap_or_default().lines().count()
    }

    async fn until(what: impl Fn() -> bool) {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not come about");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn a_worker_that_ends_is_started_anew_and_all_end_with_the_stop() {
        let folder = tempfile::tempdir().unwrap();
        let [short, long, input] = ["short", "long", "input"].map(|name| folder.path().join(name));
        let slots = vec![
            shell(&format!("echo $$ >> {}", short.display())),
            shell(&format!(
                "echo $$ >> {}; trap 'echo bye >> {0}; exit' TERM; while :; do sleep 0.05; done",
                long.display()
            )),
            shell(&format!("cat; echo 'my input ended' >> {}", input.display())),
        ];
        let stop = CancellationToken::new();
        let work = tokio::spawn(supervise(slots, stop.clone()));
        until(|| lines(&short) >= 2 && lines(&long) >= 1).await;
        stop.cancel();
        work.await.unwrap();
        let text = std::fs::read_to_string(&long).unwrap();
        assert!(text.ends_with("bye\n") && text.lines().count() == 2, "{text}");
        assert_eq!(lines(&input), 0, "a child's input is held for as long as it lives");
    }

    #[test]
    fn one_that_dies_at_once_is_tried_less_and_less_often() {
        let mut wait = LEAST;
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                wait = next(wait, Duration::from_millis(5));
                wait.as_secs()
            })
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(next(wait, SOUND), LEAST);
    }
}
