//! Engines that do not want to end, and tuners that end too early.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use tuner_deploy::{Backend, DeploymentId, Launch, LocalBackend, Proxies, Status, ports};

use crate::roles::{WILD, family_is_up, start_launcher, wild_engine};
use crate::world::{World, id, until};

const GRACE: Duration = Duration::from_millis(300);

fn two_ports() -> [u16; 2] {
    let seed = u64::from(std::process::id()) * 31;
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    // Tests of one binary run side by side: each gets a stretch of its own.
    let turn = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let found: Vec<u16> = ports::free_ports(ports::ENGINE_PORTS, seed + turn * 97, &[]).take(2).collect();
    [found[0], found[1]]
}

fn records(world: &World) -> Vec<String> {
    let folder = tuner_deploy::local::records_folder(&world.root());
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "lock").collect()
}

// R0.2
#[tokio::test]
async fn an_engine_that_forks_away_and_ignores_signals_is_ended_whole() {
    let (world, ports) = (World::new(), two_ports());
    let backend = LocalBackend::new(world.root()).unwrap();
    backend.launch(&id("wild"), &wild_engine(&world, ports), &world.log()).await.unwrap();
    until("the whole family is up", || family_is_up(&world, ports));
    // R14.9
    for port in ports {
        assert_eq!(backend.listens(&id("wild"), port).await.unwrap(), Some(true));
        assert_eq!(backend.listens(&id("other"), port).await.unwrap(), Some(false));
    }
    let found = backend.list().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].pids.iter().copied().collect::<BTreeSet<_>>(), world.tagged());

    let stopped = backend.stop(&id("wild"), GRACE).await.unwrap();
    assert_eq!(world.tagged(), BTreeSet::new());
    assert!(ports.iter().all(|p| ports::is_free(*p)));
    assert_eq!(backend.listens(&id("wild"), ports[0]).await.unwrap(), None);
    assert_eq!((stopped.processes, stopped.killed, stopped.busy_ports), (WILD, WILD, vec![]));
    assert_eq!(records(&world), Vec::<String>::new());
}

// B8
#[tokio::test]
async fn what_a_killed_tuner_left_is_found_adopted_and_reaped_by_the_next_one() {
    let (world, ports) = (World::new(), two_ports());
    let mut launcher = start_launcher(&world, ports, false, "launched");
    until("the whole family is up", || family_is_up(&world, ports));
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    assert_eq!(world.tagged().len(), WILD);

    let backend = LocalBackend::new(world.root()).unwrap();
    let Status::Running(running) = backend.status(&id("wild")).await.unwrap() else { panic!("it runs") };
    assert!(running.adopted && world.tagged().contains(&running.pid));
    let adopted = backend.launch(&id("wild"), &wild_engine(&world, ports), &world.log()).await.unwrap();
    assert_eq!(adopted, running);

    let spared = backend.reap(&[id("wild")], GRACE).await.unwrap();
    assert_eq!((spared, world.tagged().len()), (vec![], WILD));
    let reaped = backend.reap(&[], GRACE).await.unwrap();
    assert_eq!(reaped[0].pids.len(), WILD);
    assert_eq!(world.tagged(), BTreeSet::new());
    assert!(ports.iter().all(|p| ports::is_free(*p)));
    assert_eq!(records(&world), Vec::<String>::new());
    assert_eq!(backend.status(&id("wild")).await.unwrap(), Status::Absent);
}

// B8
#[tokio::test]
async fn a_tuner_killed_at_any_moment_of_a_launch_leaves_nothing_unfound() {
    for delay in 0..12 {
        let (world, ports) = (World::new(), two_ports());
        let mut launcher = start_launcher(&world, ports, false, "launching");
        let began = Instant::now();
        until("the moment to kill", || began.elapsed() >= Duration::from_micros(delay * 700));
        launcher.kill().unwrap();
        launcher.wait().unwrap();
        let backend = LocalBackend::new(world.root()).unwrap();
        backend.reap(&[], GRACE).await.unwrap();
        assert_eq!(world.tagged(), BTreeSet::new(), "killed {delay} x 0.7 ms into the launch");
        assert_eq!(records(&world), Vec::<String>::new());
    }
}

// B8
#[tokio::test]
async fn with_a_lifeline_nothing_outlives_a_killed_tuner() {
    let (world, ports) = (World::new(), two_ports());
    let mut launcher = start_launcher(&world, ports, true, "launched");
    until("the whole family is up", || family_is_up(&world, ports));
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    until("the lifeline ended everything", || world.tagged().is_empty() && records(&world).is_empty());
    assert!(ports.iter().all(|p| ports::is_free(*p)));
}

#[tokio::test]
async fn a_lost_record_is_made_up_for_by_the_mark() {
    let world = World::new();
    let first = LocalBackend::new(world.root()).unwrap();
    let running = first.launch(&id("a"), &world.sh("exec sleep 600"), &world.log()).await.unwrap();
    fs::remove_file(tuner_deploy::local::records_folder(&world.root()).join("a.json")).unwrap();
    // Another process of the same data directory.
    let second = LocalBackend::new(world.root()).unwrap();
    assert!(matches!(second.status(&id("a")).await.unwrap(), Status::Running(r) if r.pid == running.pid));
    assert_eq!(second.reap(&[], GRACE).await.unwrap().len(), 1);
    assert_eq!(world.tagged(), BTreeSet::new());
    assert!(matches!(first.status(&id("a")).await.unwrap(), Status::Exited(_)));
}

#[tokio::test]
async fn a_recycled_process_number_is_not_killed() {
    let world = World::new();
    let backend = LocalBackend::new(world.root()).unwrap();
    let mut bystander = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", bystander.id())).unwrap();
    let ticks: u64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let pid = bystander.id();
    let record = |start_ticks: u64| {
        let text = format!(
            r#"{{"id":"a","boot_id":"{}","log":"x","first":{{"pid":{pid},"start_ticks":{start_ticks}}}}}"#,
            boot.trim()
        );
        fs::write(tuner_deploy::local::records_folder(&world.root()).join("a.json"), text).unwrap();
    };
    record(ticks - 1);
    assert!(matches!(backend.status(&id("a")).await.unwrap(), Status::Exited(_)));
    assert_eq!(backend.stop(&id("a"), GRACE).await.unwrap().processes, 0);
    assert!(bystander.try_wait().unwrap().is_none());
    // The same record with the true start time names it: the test can fail.
    record(ticks);
    assert_eq!(backend.stop(&id("a"), GRACE).await.unwrap().processes, 1);
    // It was a child of this process, so the stop took it off the table too.
    assert_eq!(bystander.wait().unwrap_err().raw_os_error(), Some(rustix::io::Errno::CHILD.raw_os_error()));
}

#[tokio::test]
async fn two_data_directories_do_not_reap_each_other() {
    let (one, two) = (World::new(), World::new());
    let (first, second) = (LocalBackend::new(one.root()).unwrap(), LocalBackend::new(two.root()).unwrap());
    first.launch(&id("a"), &one.sh("exec sleep 600"), &one.log()).await.unwrap();
    assert_eq!(second.reap(&[], GRACE).await.unwrap(), []);
    assert_eq!(second.stop(&id("a"), GRACE).await.unwrap().processes, 0);
    assert_eq!(one.tagged().len(), 1);
    assert!(second.strangers().contains(&(first.home().to_owned(), "a".to_owned(), 1)));
    first.stop(&id("a"), GRACE).await.unwrap();
}

#[tokio::test]
async fn children_of_an_engine_that_died_go_before_its_id_starts_again() {
    let world = World::new();
    let backend = LocalBackend::new(world.root()).unwrap();
    backend.launch(&id("a"), &world.sh("sleep 600 & exit 7"), &world.log()).await.unwrap();
    let exited = || async { backend.status(&id("a")).await.unwrap() };
    while matches!(exited().await, Status::Running(_)) {}
    assert!(matches!(exited().await, Status::Exited(e) if e.code == Some(7)));
    // Another process of the data directory learns the exit from the record.
    let other = LocalBackend::new(world.root()).unwrap();
    assert!(matches!(other.status(&id("a")).await.unwrap(), Status::Exited(e) if e.code == Some(7)));
    let orphan = world.tagged();
    assert_eq!(orphan.len(), 1);
    let again = backend.launch(&id("a"), &world.sh("exec sleep 600"), &world.log()).await.unwrap();
    assert_eq!(world.tagged(), BTreeSet::from([again.pid]));
    backend.stop(&id("a"), GRACE).await.unwrap();
}

#[tokio::test]
async fn a_polite_engine_is_asked_and_not_killed() {
    let world = World::new();
    let backend = LocalBackend::new(world.root()).unwrap();
    let script = r#"trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done"#;
    backend.launch(&id("a"), &world.sh(script), &world.log()).await.unwrap();
    until("it is up", || fs::read_to_string(world.log()).unwrap().contains("\nup"));
    let stopped = backend.stop(&id("a"), Duration::from_secs(60)).await.unwrap();
    assert_eq!(stopped.killed, 0);
    assert!(fs::read_to_string(world.log()).unwrap().ends_with("bye\n"));
}

#[tokio::test]
async fn a_dropped_stop_goes_on() {
    let world = World::new();
    let backend = LocalBackend::new(world.root()).unwrap();
    let name: DeploymentId = id("a");
    backend.launch(&name, &world.sh(r#"trap "" TERM; sleep 600"#), &world.log()).await.unwrap();
    let stop = backend.stop(&name, Duration::ZERO);
    let _ = tokio::time::timeout(Duration::ZERO, stop).await;
    until("it ended all the same", || world.tagged().is_empty() && records(&world).is_empty());
}

// R: cancel ends with nothing running
#[tokio::test]
async fn a_stop_waits_for_a_launch_that_was_dropped_half_way() {
    let world = World::new();
    let backend = LocalBackend::new(world.root()).unwrap();
    for _ in 0..20 {
        let (name, launch, log) = (id("a"), world.sh("exec sleep 600"), world.log());
        let mut dropped = backend.launch(&name, &launch, &log);
        assert!(futures::poll!(&mut dropped).is_pending());
        drop(dropped);
        backend.stop(&name, Duration::ZERO).await.unwrap();
        assert_eq!(world.tagged(), BTreeSet::new());
        assert_eq!(records(&world), Vec::<String>::new());
    }
}

// R14.2
#[tokio::test]
async fn an_engine_gets_the_proxies_and_its_directory_and_no_input() {
    let world = World::new();
    let proxies = Proxies { http: Some("http://p:3128".into()), ..Proxies::default() };
    let backend = LocalBackend::new(world.root()).unwrap().with_proxies(proxies);
    let launch = Launch {
        cwd: Some(world.dir.path().to_owned()),
        ..world.sh(r#"echo "$HTTP_PROXY $no_proxy"; pwd; read -r x || echo eof; echo err >&2"#)
    };
    backend.launch(&id("a"), &launch, &world.log()).await.unwrap();
    while matches!(backend.status(&id("a")).await.unwrap(), Status::Running(_)) {}
    let lines = tuner_deploy::logs::log_tail(&world.log(), 4);
    let here = world.dir.path().canonicalize().unwrap().display().to_string();
    assert_eq!(lines, ["http://p:3128 localhost,127.0.0.1,::1", &here, "eof", "err"]);
    backend.stop(&id("a"), GRACE).await.unwrap();
    let nowhere = Launch { cwd: Some("/nonexistent".into()), ..world.sh("true") };
    assert!(backend.launch(&id("a"), &nowhere, &world.log()).await.unwrap_err().to_string().contains("/nonexistent"));
}
