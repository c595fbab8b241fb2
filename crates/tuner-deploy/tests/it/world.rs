//! What several tests need: a directory, a tag to find processes by without asking the code under test, and waiting.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tuner_deploy::{DeploymentId, Launch};

/// Far beyond what a busy machine needs; only a broken program meets it.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

pub(crate) const TAG: &str = "DEPLOY_TEST_TAG";

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) tag: String,
}

impl World {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let tag = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { dir: tempfile::tempdir().unwrap(), tag }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("engine.log")
    }

    /// Live processes that carry the tag of this test.
    pub(crate) fn tagged(&self) -> BTreeSet<u32> {
        let entry = format!("{TAG}={}", self.tag);
        let pids = fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let dead = stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']));
            !dead && environ.split(|b| *b == 0).any(|e| e == entry.as_bytes())
        })
        .collect()
    }

    /// A launch of a shell script.
    pub(crate) fn sh(&self, script: &str) -> Launch {
        let mut launch = Launch { program: "sh".into(), args: vec!["-c".into(), script.into()], ..Launch::default() };
        launch.env.insert(TAG.into(), self.tag.clone());
        launch
    }
}

/// A test that fails leaves nothing running.
impl Drop for World {
    fn drop(&mut self) {
        for pid in self.tagged() {
            let pid = rustix::process::Pid::from_raw(pid.cast_signed());
            let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        }
    }
}

pub(crate) fn id(text: &str) -> DeploymentId {
    text.parse().unwrap()
}

/// Waits for a condition; fails loudly when it never comes.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LIMIT, "never came: {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
