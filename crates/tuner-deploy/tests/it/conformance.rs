//! What every backend must do. A new backend is one `conformance!` line.

use std::path::PathBuf;
use std::time::Duration;

use tuner_core::FailureClass;
use tuner_deploy::{Backend, DeployError, DeploymentId, Exit, FakeBackend, Launch, LocalBackend, Running, Status};

use crate::world::{World, id, until};

const GRACE: Duration = Duration::from_secs(5);

type Kill = dyn Fn(&DeploymentId, &Running);

/// A backend with something to launch in it, and a way to end that from outside.
struct Bench {
    backend: Box<dyn Backend>,
    world: World,
    launch: Launch,
    kill: Box<Kill>,
}

fn local() -> Bench {
    let world = World::new();
    let launch = world.sh("exec sleep 600");
    let kill = |_: &DeploymentId, running: &Running| {
        let pid = rustix::process::Pid::from_raw(running.pid.try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    };
    Bench { backend: Box::new(LocalBackend::new(world.root()).unwrap()), world, launch, kill: Box::new(kill) }
}

fn fake() -> Bench {
    let (world, backend) = (World::new(), FakeBackend::new().without_program("no-such-engine"));
    let (launch, crashed) = (world.sh("exec sleep 600"), backend.clone());
    let kill = move |id: &DeploymentId, _: &Running| crashed.crash(id, Exit { code: None, signal: Some(9) });
    Bench { backend: Box::new(backend), world, launch, kill: Box::new(kill) }
}

impl Bench {
    fn log(&self) -> PathBuf {
        self.world.log()
    }

    async fn launch(&self, name: &str) -> Running {
        self.backend.launch(&id(name), &self.launch, &self.log()).await.unwrap()
    }

    async fn status(&self, name: &str) -> Status {
        self.backend.status(&id(name)).await.unwrap()
    }

    async fn listed(&self) -> Vec<String> {
        self.backend.list().await.unwrap().into_iter().map(|f| f.id.to_string()).collect()
    }
}

macro_rules! conformance {
    ($backend:ident) => {
        mod $backend {
            conformance!(
                $backend,
                an_unknown_id_is_absent_and_can_be_stopped,
                a_launch_that_nobody_waits_for_has_not_begun,
                launching_twice_is_launching_once,
                after_a_stop_nothing_is_left_and_stopping_again_succeeds,
                a_death_is_an_exit_and_the_id_can_be_launched_again,
                the_list_names_exactly_what_lives,
                reaping_spares_the_exceptions,
                a_missing_program_leaves_nothing_behind,
                the_log_begins_with_the_command_without_secrets,
                a_stopped_id_starts_afresh,
                what_lives_beside_an_engine_is_spared_and_ends_with_it,
            );
        }
    };
    ($backend:ident, $($test:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $test() {
            super::$test(super::$backend()).await;
        })+
    };
}

conformance!(local);
conformance!(fake);

async fn an_unknown_id_is_absent_and_can_be_stopped(bench: Bench) {
    assert_eq!(bench.status("never").await, Status::Absent);
    let stopped = bench.backend.stop(&id("never"), GRACE).await.unwrap();
    assert_eq!((stopped.processes, stopped.killed), (0, 0));
    assert_eq!(bench.listed().await, Vec::<String>::new());
    assert_eq!(bench.backend.reap(&[], GRACE).await.unwrap(), []);
}

/// Whoever selects between a launch and a cancellation relies on it.
async fn a_launch_that_nobody_waits_for_has_not_begun(bench: Bench) {
    drop(bench.backend.launch(&id("a"), &bench.launch, &bench.log()));
    assert_eq!(bench.status("a").await, Status::Absent);
    assert!(!bench.log().exists());
}

async fn launching_twice_is_launching_once(bench: Bench) {
    let first = bench.launch("a").await;
    assert!(!first.adopted);
    let second = bench.launch("a").await;
    assert_eq!(second, Running { adopted: true, ..first.clone() });
    assert!(matches!(bench.status("a").await, Status::Running(r) if r.pid == first.pid));
    assert_eq!(bench.backend.list().await.unwrap()[0].pids.len(), 1);
    bench.backend.stop(&id("a"), GRACE).await.unwrap();
}

async fn after_a_stop_nothing_is_left_and_stopping_again_succeeds(bench: Bench) {
    bench.launch("a").await;
    let stopped = bench.backend.stop(&id("a"), GRACE).await.unwrap();
    assert_eq!(stopped.processes, 1);
    assert_eq!(bench.status("a").await, Status::Absent);
    assert_eq!(bench.listed().await, Vec::<String>::new());
    assert_eq!(bench.backend.stop(&id("a"), GRACE).await.unwrap().processes, 0);
    assert!(bench.world.tagged().is_empty());
}

async fn a_death_is_an_exit_and_the_id_can_be_launched_again(bench: Bench) {
    let first = bench.launch("a").await;
    (bench.kill)(&id("a"), &first);
    let mut status = bench.status("a").await;
    while matches!(status, Status::Running(_)) {
        status = bench.status("a").await;
    }
    assert_eq!(status, Status::Exited(Exit { code: None, signal: Some(9) }));
    assert_eq!(bench.listed().await, Vec::<String>::new());
    let second = bench.launch("a").await;
    assert!(!second.adopted && (second.pid, second.start_ticks) != (first.pid, first.start_ticks));
    assert!(matches!(bench.status("a").await, Status::Running(_)));
    bench.backend.stop(&id("a"), GRACE).await.unwrap();
}

async fn the_list_names_exactly_what_lives(bench: Bench) {
    for name in ["c", "a", "b"] {
        bench.launch(name).await;
    }
    bench.backend.stop(&id("b"), GRACE).await.unwrap();
    assert_eq!(bench.listed().await, ["a", "c"]);
    bench.backend.reap(&[], GRACE).await.unwrap();
}

async fn reaping_spares_the_exceptions(bench: Bench) {
    for name in ["a", "b", "c"] {
        bench.launch(name).await;
    }
    let reaped = bench.backend.reap(&[id("b")], GRACE).await.unwrap();
    assert_eq!(reaped.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(bench.listed().await, ["b"]);
    assert!(matches!(bench.status("b").await, Status::Running(_)));
    bench.backend.reap(&[], GRACE).await.unwrap();
    assert_eq!(bench.listed().await, Vec::<String>::new());
}

async fn a_missing_program_leaves_nothing_behind(bench: Bench) {
    let launch = Launch { program: "no-such-engine".into(), ..Launch::default() };
    let error = bench.backend.launch(&id("a"), &launch, &bench.log()).await.unwrap_err();
    // A user whose PATH has folders closed to them is told of a refusal instead.
    assert!(matches!(&error, DeployError::ProgramMissing { .. } | DeployError::NotExecutable { .. }), "{error:?}");
    assert!(error.to_string().contains("no-such-engine"));
    assert_eq!(error.class(), FailureClass::EngineMissing);
    assert_eq!(bench.status("a").await, Status::Absent);
    assert_eq!(bench.listed().await, Vec::<String>::new());
}

// R14.7
async fn the_log_begins_with_the_command_without_secrets(bench: Bench) {
    let mut launch = bench.launch.clone();
    launch.env.insert("HF_TOKEN".into(), "hf_very_secret".into());
    bench.backend.launch(&id("a"), &launch, &bench.log()).await.unwrap();
    let text = std::fs::read_to_string(bench.log()).unwrap();
    assert!(text.starts_with("=== a: ") && text.contains("HF_TOKEN=*** sh -c 'exec sleep 600'"), "{text}");
    assert!(!text.contains("hf_very_secret"));
    bench.backend.stop(&id("a"), GRACE).await.unwrap();
}

async fn what_lives_beside_an_engine_is_spared_and_ends_with_it(bench: Bench) {
    for name in ["a", "a.guard", "ab"] {
        bench.launch(name).await;
    }
    let reaped = bench.backend.reap(&[id("a")], GRACE).await.unwrap();
    assert_eq!(reaped.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["ab"]);
    bench.backend.stop(&id("a"), GRACE).await.unwrap();
    assert_eq!(bench.listed().await, Vec::<String>::new());
    assert_eq!(bench.status("a.guard").await, Status::Absent);
}

async fn a_stopped_id_starts_afresh(bench: Bench) {
    bench.launch("a").await;
    bench.backend.stop(&id("a"), GRACE).await.unwrap();
    assert!(!bench.launch("a").await.adopted);
    bench.backend.stop(&id("a"), GRACE).await.unwrap();
    until("nothing of it lives", || bench.world.tagged().is_empty());
}

// R0.2: nothing of a deployment survives its end, GPU memory least of all.
#[tokio::test]
async fn a_stop_waits_until_its_gpus_have_their_memory_back() {
    let world = World::new();
    let tool = world.dir.path().join("nvidia-smi");
    let answers = world.dir.path().join("answers");
    // Before the launch; then the driver takes its time.
    std::fs::write(&answers, "4\n30000\n12000\n5\n").unwrap();
    let script = format!(
        "#!/bin/sh\necho \"0, $(head -n 1 '{0}')\"\necho '1, 60000'\ntail -n +2 '{0}' > '{0}.rest' && mv '{0}.rest' '{0}'\n",
        answers.display()
    );
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let backend = LocalBackend::new(world.root()).unwrap().with_gpu_tool(tool.display().to_string());
    let launch = Launch { gpus: vec![0], ..world.sh("sleep 600") };
    backend.launch(&id("e1"), &launch, &world.log()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&answers).unwrap(), "30000\n12000\n5\n");
    let stopped = backend.stop(&id("e1"), Duration::from_secs(5)).await.unwrap();
    assert_eq!(std::fs::read_to_string(&answers).unwrap(), "", "it asked until the memory was back");
    assert!(stopped.gpu_memory_held.is_empty(), "{stopped:?}");
}
