//! A control group per deployment, where the system lets us have one: membership nobody can leave by forking.
//!
//! *Invariant*: a help, never a need. Without a writable cgroup v2 everything works by marks alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a group may take to notice that it is empty.
const LEAVE_LIMIT: Duration = Duration::from_secs(2);

/// Where the group of a deployment would be, below the group this process is in. `None` without cgroup v2.
pub(crate) fn planned(home: &str, id: &str) -> Option<PathBuf> {
    let memberships = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own_path(&memberships)?;
    let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo").ok()?)?;
    Some(mount.join(own.trim_start_matches('/')).join(format!("autotuner-{home}-{id}")))
}

/// Creates the group and moves the process into it. `false` where that is not allowed.
pub(crate) fn enter(group: &Path, pid: u32) -> bool {
    if fs::create_dir(group).is_err() && !group.is_dir() {
        return false;
    }
    if fs::write(group.join("cgroup.procs"), pid.to_string()).is_ok() {
        return true;
    }
    leave(group);
    false
}

/// Processes in the group.
pub(crate) fn pids(group: &Path) -> Vec<u32> {
    fs::read_to_string(group.join("cgroup.procs"))
        .map(|text| text.lines().filter_map(|l| l.parse().ok()).filter(|pid| *pid != 0).collect())
        .unwrap_or_default()
}

/// Kills all of them at once (Linux 5.14 and later; earlier ones are killed one by one).
pub(crate) fn kill(group: &Path) {
    let _ = fs::write(group.join("cgroup.kill"), "1");
}

/// Removes the group once nobody is in it; the kernel counts the dead for a moment longer than `/proc` does.
pub(crate) fn leave(group: &Path) {
    let began = Instant::now();
    while let Err(error) = fs::remove_dir(group) {
        if error.kind() != ErrorKind::ResourceBusy || began.elapsed() > LEAVE_LIMIT {
            if error.kind() != ErrorKind::NotFound {
                tracing::debug!(group = %group.display(), %error, "a control group stays");
            }
            return;
        }
        sleep(Duration::from_millis(5));
    }
}

fn own_path(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::"))
}

fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        if kind.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = mount.split(' ').skip(3);
        // Only a mount of the whole hierarchy has our own path below it.
        (fields.next()? == "/").then(|| fields.next().map(PathBuf::from))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_in_both_layouts() {
        let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        let hybrid = "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n";
        assert_eq!(mount_point(unified), Some("/sys/fs/cgroup".into()));
        assert_eq!(mount_point(hybrid), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount_point("31 23 0:27 /part /x rw - cgroup2 none rw\n"), None);
        assert_eq!(own_path("4:memory:/a\n0::/user.slice/x\n"), Some("/user.slice/x"));
        assert_eq!(own_path("4:memory:/a\n"), None);
    }

    #[test]
    fn a_missing_group_is_empty_and_leaves_quietly() {
        let nowhere = Path::new("/nonexistent/group");
        assert!(!enter(nowhere, 1));
        assert_eq!(pids(nowhere), Vec::<u32>::new());
        kill(nowhere);
        leave(nowhere);
    }
}
