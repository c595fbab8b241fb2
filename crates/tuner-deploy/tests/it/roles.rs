//! Parts that this binary plays in processes of its own, started by other tests through [`play`].
//! Without the variables of such a test they do nothing.

use std::env;
use std::io::{BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tuner_deploy::local::{Lifeline, lifeline};
use tuner_deploy::{Backend, Launch, LocalBackend, ports};

use crate::server::{good, serve};
use crate::world::{TAG, World, id, until};

/// Program and arguments that play a part.
pub(crate) fn play(role: &str) -> (PathBuf, Vec<String>) {
    let args = ["--exact", &format!("roles::{role}"), "--ignored", "--nocapture", "--test-threads=1"];
    (env::current_exe().unwrap(), args.map(str::to_owned).to_vec())
}

/// An engine that serves `smol` on `ports[0]`, ignores being asked to end, has a child without our mark, and one that
/// forked twice, leads a session of its own and holds `ports[1]`.
pub(crate) fn wild_engine(world: &World, ports: [u16; 2]) -> Launch {
    let (program, args) = play("engine");
    let mut launch = Launch { program: "sh".into(), ports: ports.to_vec(), ..Launch::default() };
    launch.args = vec!["-c".into(), r#"trap "" TERM; exec "$@""#.into(), "sh".into(), program.display().to_string()];
    launch.args.extend(args);
    let [serve, hold] = ports.map(|p| p.to_string());
    for (name, value) in [(TAG, &world.tag), ("ENGINE_PORT", &serve), ("ESCAPEE_PORT", &hold)] {
        launch.env.insert(name.into(), value.clone());
    }
    launch
}

/// Processes of a wild engine once it is up.
pub(crate) const WILD: usize = 3;

/// Whether all of a wild engine is there for good: it answers only after it started its last child.
pub(crate) fn family_is_up(world: &World, ports: [u16; 2]) -> bool {
    let answers = || {
        let mut stream = TcpStream::connect(("127.0.0.1", ports[0])).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(200))).ok()?;
        stream.write_all(b"GET /health HTTP/1.1\r\n\r\n").ok()?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).ok()?;
        (&start == b"HTTP/1.1 200").then_some(())
    };
    answers().is_some() && !ports::is_free(ports[1]) && world.tagged().len() == WILD
}

#[test]
#[ignore = "a part played for other tests"]
fn engine() {
    let Ok(port) = env::var("ENGINE_PORT") else { return };
    let listener = bind(&port);
    let (program, args) = play("escapee");
    // The shell in the middle ends at once, so the escapee is nobody's child.
    let script = r#""$@" >/dev/null 2>&1 & "#;
    Command::new("sh").args(["-c", script, "sh"]).arg(program).args(args).status().unwrap();
    let tag = format!("{TAG}={}", env::var(TAG).unwrap());
    let mut bare = Command::new("env").args(["-i", &tag, "sleep", "600"]).spawn().unwrap();
    std::thread::spawn(move || serve(listener, |request| good("smol", request)));
    bare.wait().unwrap();
}

#[test]
#[ignore = "a part played for other tests"]
fn escapee() {
    let Ok(port) = env::var("ESCAPEE_PORT") else { return };
    rustix::process::setsid().unwrap();
    let _held = bind(&port);
    forever();
}

/// A tuner that launches a wild engine, says so, and then does nothing until it is killed.
#[test]
#[ignore = "a part played for other tests"]
fn launcher() {
    let (Ok(root), Ok(ports)) = (env::var("LAUNCHER_ROOT"), env::var("LAUNCHER_PORTS")) else { return };
    let mut world = World::new();
    world.tag = env::var("LAUNCHER_TAG").unwrap();
    let root = Path::new(&root);
    let mut backend = LocalBackend::new(root).unwrap();
    if env::var("LAUNCHER_LIFELINE").is_ok() {
        let (program, args) = play("lifeline_process");
        let vars = [("LIFELINE_ROOT".to_owned(), root.display().to_string())];
        backend = backend.with_lifeline(Lifeline::start(&program, &args, &vars).unwrap());
    }
    let ports: Vec<u16> = ports.split(',').map(|p| p.parse().unwrap()).collect();
    let launch = wild_engine(&world, [ports[0], ports[1]]);
    println!("launching");
    std::io::stdout().flush().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(backend.launch(&id("wild"), &launch, &root.join("wild.log"))).unwrap();
    println!("launched");
    std::io::stdout().flush().unwrap();
    forever();
}

#[test]
#[ignore = "a part played for other tests"]
fn lifeline_process() {
    let Ok(root) = env::var("LIFELINE_ROOT") else { return };
    lifeline::watch(Path::new(&root), std::io::stdin().lock(), Duration::from_millis(100)).unwrap();
}

/// Starts a launcher; returns when it printed `line`.
pub(crate) fn start_launcher(world: &World, ports: [u16; 2], with_lifeline: bool, line: &str) -> std::process::Child {
    let (program, args) = play("launcher");
    let mut command = Command::new(program);
    command
        .args(args)
        .env("LAUNCHER_ROOT", world.root())
        .env("LAUNCHER_TAG", &world.tag)
        .env("LAUNCHER_PORTS", format!("{},{}", ports[0], ports[1]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if with_lifeline {
        command.env("LAUNCHER_LIFELINE", "1");
    }
    let mut child = command.spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    // The test harness writes the name of the part before the first line.
    while !said.trim_end().ends_with(line) {
        said.clear();
        assert!(out.read_line(&mut said).unwrap() > 0, "the launcher ended before it said {line:?}");
    }
    // Kept open: whoever is killed must not die of a broken pipe first.
    child.stdout = Some(out.into_inner());
    child
}

/// Between the choice of a free port and its use a test beside us may have it for a moment.
fn bind(port: &str) -> TcpListener {
    let mut bound = None;
    until("the port is ours", || {
        bound = TcpListener::bind(format!("127.0.0.1:{port}")).ok();
        bound.is_some()
    });
    bound.unwrap()
}

fn forever() -> ! {
    loop {
        std::thread::park();
    }
}
