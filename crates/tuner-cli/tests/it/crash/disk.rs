//! Disks that are full, may only be read, or lost a page: the program says so, and loses nothing.
//!
//! The disks are small file systems in memory, which only root can make; elsewhere these tests say that they skip.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tuner_testkit::procs::wait_for;

use super::ask::{difference, findings};
use super::home::{Home, PATIENCE};
use super::http::{get, post};
use super::virtual_time::{TASK, undisturbed};

/// What a data directory stands on; gone with its value.
struct Disk(PathBuf);

impl Disk {
    fn under(home: &Home) -> Option<Self> {
        let place = home.data();
        fs::create_dir_all(&place).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", "size=16m", "tuner-test"], &place);
        if !mounted {
            eprintln!("SKIPPED: no file system can be mounted here, which needs root");
        }
        mounted.then_some(Self(place))
    }

    /// Fills it to the last byte; gives the file to remove.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        for piece in [1 << 16, 1] {
            let piece = vec![0; piece];
            while file.write_all(&piece).is_ok() {}
        }
        path
    }

    fn make(&self, way: &str) {
        assert!(mount(&["-o", &format!("remount,{way}")], &self.0));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(options: &[&str], place: &Path) -> bool {
    let output = Command::new("mount").args(options).arg(place).output();
    output.is_ok_and(|output| output.status.success())
}

/// B8
#[test]
fn a_task_whose_disk_is_full_waits_for_room_and_ends_as_if_nothing_had_happened() {
    let home = Home::new();
    let Some(disk) = Disk::under(&home) else { return };
    let (expected, _) = undisturbed();
    let file = home.task(TASK);
    let mut run = home.start(&["tune", &file]);
    run.wait_for("an experiment", |event| event["kind"] == "experiment_ended");
    let filler = disk.fill();
    wait_for("the warning", PATIENCE, || run.said().contains("free some disk space").then_some(()));
    assert!(run.said().contains("the store is away; trying again"), "{}", run.said());
    assert_eq!(run.ended_within(Duration::from_secs(2)), None, "it waits: {}", run.said());
    fs::remove_file(filler).unwrap();
    assert_eq!(run.end().0, Some(0), "{}", run.said());
    if let Some(difference) = difference(&expected, &findings(&home, "crash"), "") {
        panic!("{difference}");
    }
}

/// B8: a write that failed for want of room leaves nothing behind that spoils the next one.
#[test]
fn a_server_whose_disk_was_full_stores_what_it_says_that_it_stored() {
    let home = Home::new();
    let Some(disk) = Disk::under(&home) else { return };
    let mut server = home.start(&["serve", "--listen", "127.0.0.1:0", "--workers", "0"]);
    let said = server.wait_for("the address", |line| line["address"].is_string());
    let address = said["address"].as_str().unwrap();
    let create = |n: usize| post(address, "/api/tasks", &TASK.replace("name: crash", &format!("name: t{n}")));
    let filler = disk.fill();
    for n in 0..4 {
        let answer = create(n);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("free some disk space"), "{answer}");
    }
    let ready = get(address, "/ready");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("free some disk space"), "{ready}");
    fs::remove_file(filler).unwrap();
    for n in 4..16 {
        let answer = create(n);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    let ready = get(address, "/ready");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    server.kill();
    let stored = home.json(&["tasks", "list"]);
    assert_eq!(stored.as_array().unwrap().len(), 12, "{stored:#}");
}

/// B8
#[test]
fn a_data_directory_that_may_only_be_read_is_named_with_what_to_do() {
    let home = Home::new();
    let Some(disk) = Disk::under(&home) else { return };
    let file = home.task(TASK);
    assert_eq!(home.run(&["tune", &file]).code, Some(0));
    let before = findings(&home, "crash");
    disk.make("ro");
    for arguments in [&["tasks", "list"][..], &["tune", &file], &["serve", "--listen", "127.0.0.1:0"], &["worker"]] {
        let refused = home.run(arguments);
        assert!(matches!(refused.code, Some(1 | 6)), "{arguments:?}: {refused:?}");
        assert!(refused.err.contains(&home.data().display().to_string()), "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains("Read-only file system"), "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains("hint: "), "{arguments:?}: {}", refused.err);
    }
    disk.make("rw");
    assert_eq!(difference(&before, &findings(&home, "crash"), ""), None);
}

/// B8: what is damaged is named, never shown as if it were whole, and a backup brings everything back.
#[test]
fn a_damaged_database_is_called_damaged_and_a_backup_takes_its_place() {
    let home = Home::new();
    let file = home.task(TASK);
    assert_eq!(home.run(&["tune", &file]).code, Some(0));
    let before = findings(&home, "crash");
    let database = home.data().join("autotuner.sqlite");
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = elsewhere.path().join("backup").display().to_string();
    let kept = home.run(&["backup", &backup]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let damage = File::options().write(true).open(&database).unwrap();
    let pages = damage.metadata().unwrap().len() / PAGE;
    let mut damaged = 0;
    // The last page, and those before it until one is found that these commands read.
    for page in (1..pages).rev() {
        damage.write_all_at(&[0xa5; PAGE as usize], page * PAGE).unwrap();
        damaged += 1;
        let looks: [&[&str]; 3] = [&["experiments", "list", "crash"], &["report", "crash"], &["status"]];
        let said: Vec<_> = looks.iter().map(|look| home.run(look)).filter(|done| done.code != Some(0)).collect();
        for done in &said {
            assert!(done.err.contains("the database is damaged"), "{done:?}");
            assert!(done.err.contains("put a backup in its place"), "{done:?}");
        }
        if !said.is_empty() {
            break;
        }
        assert_eq!(difference(&before, &findings(&home, "crash"), ""), None, "with {damaged} damaged pages");
    }
    let restored = home.run(&["restore", "--force", &backup]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(difference(&before, &findings(&home, "crash"), ""), None);
}

/// SQLite's own size of a page.
const PAGE: u64 = 4096;
