//! Workers on another machine: a real ssh server on loopback, whose users have another home; a real PostgreSQL.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tuner_testkit::model::{Script, ScriptedModel, Turn, When};
use tuner_testkit::postgres::Postgres;
use tuner_testkit::procs::{send, wait_for};
use tuner_testkit::sshd::Sshd;

use super::agent::Server;
use super::home::{Done, Home, PATIENCE};
use super::virtual_time::TASK;

/// The password of a database, which nobody may see: another one for each test. The server lets everybody in.
fn word() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("s3cret-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

/// Two machines and what they share.
struct World {
    home: Home,
    sshd: Sshd,
    word: String,
    database: String,
}

impl World {
    /// None where PostgreSQL or an ssh server is missing.
    fn new() -> Option<Self> {
        let Some(sshd) = Sshd::start() else {
            println!("SKIPPED: no ssh server (/usr/sbin/sshd) is installed");
            return None;
        };
        let Some(server) = Postgres::shared() else {
            println!("SKIPPED: PostgreSQL is not installed");
            return None;
        };
        let word = word();
        let database = server.database().replace("tuner@", &format!("tuner:{word}@"));
        Some(Self { home: Home::new(), sshd, word, database })
    }

    fn variables(&self) -> [(&str, &str); 1] {
        [("AUTOTUNER_DATABASE", &self.database)]
    }

    /// The password is in nothing that anybody says.
    fn run(&self, arguments: &[&str]) -> Done {
        let done = self.home.run_in(&self.variables(), arguments);
        assert!(!done.out.contains(&self.word) && !done.err.contains(&self.word), "{done:?}");
        done
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}\n{}", self.sshd.log());
        serde_json::from_str(&done.out).unwrap()
    }

    /// Refused with this exit code and these words.
    fn refused(&self, arguments: &[&str], code: i32, words: &[&str]) {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(code), "{arguments:?}: {done:?}");
        for part in words {
            assert!(done.err.contains(part), "{part:?} is not in {done:?}");
        }
    }

    fn deploy(&self, name: &str, target: &str) -> Value {
        self.json(&["workers", "deploy", name, target, "--remote-dir", &self.data().display().to_string()])
    }

    /// The data directory over there.
    fn data(&self) -> PathBuf {
        self.sshd.home().join("its data")
    }

    /// Workers that live, with their names.
    fn workers(&self) -> Vec<(Option<String>, u32)> {
        let rows = self.json(&["workers", "list"]);
        let alive = rows.as_array().unwrap().iter().filter(|row| row["alive"] == true);
        alive.map(|row| (row["name"].as_str().map(str::to_owned), pid(row))).filter(|(_, pid)| lives(*pid)).collect()
    }

    /// The one worker, when it is another one than these.
    fn next(&self, gone: &[u32]) -> u32 {
        wait_for("the next worker", PATIENCE, || {
            let pids: Vec<u32> = self.workers().into_iter().map(|(_, pid)| pid).collect();
            (pids.len() == 1 && !gone.contains(&pids[0])).then(|| pids[0])
        })
    }
}

impl Drop for World {
    /// Workers outlive whoever deployed them: those of this world are found by the locks that they hold.
    fn drop(&mut self) {
        let locks = std::fs::read_dir(self.data().join("workers")).into_iter().flatten().flatten();
        for path in locks.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "lock")) {
            let owner: Value =
                serde_json::from_str(&std::fs::read_to_string(path).unwrap_or_default()).unwrap_or_default();
            let Some(pid) = owner["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| is_worker(*pid))
            else {
                continue;
            };
            send(pid, Signal::SIGKILL);
            wait_for("the worker to be gone", Duration::from_secs(60), || (!lives(pid)).then_some(()));
        }
    }
}

fn pid(row: &Value) -> u32 {
    u32::try_from(row["owner"]["pid"].as_u64().unwrap()).unwrap()
}

fn of_process(pid: u32, file: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default()).into_owned()
}

/// Whether it runs; one that has ended and was not collected does not.
fn lives(pid: u32) -> bool {
    !of_process(pid, "cmdline").is_empty()
}

fn is_worker(pid: u32) -> bool {
    of_process(pid, "cmdline").contains("worker\0--order")
}

/// Processes with the password in their arguments, or in their variables unless they are this machine's own part of the
/// service, which is told it there.
fn leaks(world: &World) -> Vec<String> {
    let (word, own) = (world.word.as_str(), world.home.data().display().to_string());
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let told = |pid: u32| of_process(pid, "environ").contains(word);
    // Looked at twice: between fork and exec a process is still its parent.
    let foreign = |pid: u32| told(pid) && !of_process(pid, "cmdline").contains(&own) && told(pid);
    let holds = |pid: &u32| of_process(*pid, "cmdline").contains(word) || foreign(*pid);
    pids.filter(|pid| *pid != std::process::id()).filter(holds).map(|pid| of_process(pid, "cmdline")).collect()
}

/// Files below a folder that hold the password.
fn files_with(word: &str, folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files_with(word, &path));
        } else if path.file_name().is_some_and(|name| name != "autotuner")
            && String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).contains(word)
        {
            found.push(path);
        }
    }
    found
}

/// W44: results would be lost in another machine's file.
#[test]
fn a_worker_elsewhere_needs_a_database_that_both_machines_reach() {
    let home = Home::new();
    let done = home.run(&["workers", "deploy", "lab", "me@lab.example"]);
    assert_eq!(done.code, Some(6), "{done:?}");
    assert!(done.err.contains("the database is a file of this machine"), "{done:?}");
    assert!(done.err.contains("AUTOTUNER_DATABASE"), "{done:?}");
    assert_eq!(home.json(&["workers", "machines"]), json!([]));
    for (target, said) in [
        ("ssh -o ProxyCommand=reboot lab", "ssh's option -o ProxyCommand=reboot is not taken here"),
        ("-oProxyCommand=reboot", ""),
        ("ssh lab reboot", "what is run there is not yours to say"),
    ] {
        let done = home.run(&["workers", "deploy", "lab", target]);
        assert_eq!(done.code, Some(2), "{target}: {done:?}");
        assert!(done.err.contains(said), "{target}: {done:?}");
    }
    let near = [("AUTOTUNER_DATABASE", "postgres://me:hunter22@localhost:1/x")];
    let unreached = home.run_in(&near, &["workers", "machines"]);
    assert!(!unreached.err.contains("hunter22"), "{unreached:?}");
}

/// R7.1, R12.2, W44, B8: deployed, used, deployed again, killed, restored, renamed, restarted, replaced: always one worker,
/// with a clear word for whatever is in the way, and the database's password nowhere.
#[test]
fn a_worker_is_deployed_to_another_machine_and_brought_back() {
    let Some(world) = World::new() else { return };
    let (sshd, home) = (&world.sshd, &world.home);
    let folder = world.data().display().to_string();
    let (unknown, stranger) = (sshd.with_unknown_host_key(), sshd.with_a_strangers_key());
    world.refused(&["workers", "deploy", "lab", &unknown], 6, &["the host key of", "is not known", "fingerprint"]);
    world.refused(
        &["workers", "deploy", "lab", &stranger],
        6,
        &["lets us not in", "Permission denied", "authorized_keys"],
    );
    let without = sshd.command();
    world.refused(&["workers", "deploy", "lab", &without, "--no-install"], 6, &["has no autotuner", "auto_install"]);
    world.refused(&["workers", "restore", "nobody"], 4, &["there is no machine \"nobody\""]);
    assert_eq!(world.json(&["workers", "machines"])[0]["status"], "unknown");

    // While it is deployed somebody looks at every process.
    let (over, target) = (AtomicBool::new(false), sshd.command());
    let (first, seen) = std::thread::scope(|scope| {
        let mut command = home.command(&["workers", "deploy", "lab", &target, "--remote-dir", &folder, "--json"]);
        command.envs(world.variables()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        let (world, over) = (&world, &over);
        let watch = scope.spawn(move || {
            let mut seen = Vec::new();
            while !over.load(Ordering::Relaxed) {
                seen.extend(leaks(world));
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        let output = child.wait_with_output().unwrap();
        over.store(true, Ordering::Relaxed);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}\n{}", sshd.log());
        assert!(!said.contains(&world.word), "{said}");
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), watch.join().unwrap())
    });
    assert_eq!(seen, Vec::<String>::new(), "the password was to be seen");
    let mut careless = std::process::Command::new("sleep").arg("600").env("X", &world.word).spawn().unwrap();
    wait_for("it to be seen where it is", PATIENCE, || (leaks(&world) == ["sleep\u{0}600\u{0}"]).then_some(()));
    careless.kill().unwrap();
    careless.wait().unwrap();
    assert_eq!((&first["started"], &first["installed"], &first["name"]), (&json!(true), &json!(true), &json!("lab")));
    assert!(!first.to_string().contains(&world.word), "{first:#}");
    let one = pid(&first["worker"]);
    assert!(is_worker(one) && first["log"].as_str().unwrap().starts_with(&folder), "{first:#}");
    assert_eq!(world.workers(), [(Some("lab".to_owned()), one)]);

    let file = home.task(TASK);
    world.json(&["tasks", "start", &file]);
    let done = wait_for("the task", PATIENCE, || {
        let jobs = world.json(&["jobs", "list", "--all"]);
        jobs.as_array().unwrap().iter().find(|job| job["status"] == "succeeded").cloned()
    });
    assert_eq!(done["worker"]["pid"], one, "done by it: {done:#}");

    let again = world.deploy("lab", &target);
    assert_eq!((&again["started"], pid(&again["worker"])), (&json!(false), one));
    world.refused(
        &["workers", "deploy", "lab", "ssh -p 1 me@elsewhere", "--database-host", "db"],
        2,
        &["already deployed to"],
    );
    let kept = world.json(&["workers", "restore", "lab"]);
    assert_eq!((&kept["started"], pid(&kept["worker"])), (&json!(false), one), "it lives: {kept:#}");

    send(one, Signal::SIGKILL);
    wait_for("its end", PATIENCE, || (!lives(one)).then_some(()));
    let back = world.json(&["workers", "restore", "lab"]);
    let two = pid(&back["worker"]);
    assert_eq!(
        (&back["started"], &back["installed"]),
        (&json!(true), &json!(false)),
        "the program was there: {back:#}"
    );
    assert_ne!(one, two);
    assert_eq!(world.next(&[one]), two);

    world.refused(&["workers", "rename", "lab", "not a name"], 2, &["name: 1 to 63 letters"]);
    assert_eq!(world.run(&["workers", "rename", "lab", "gpu-a"]).code, Some(0));
    assert_eq!(world.workers(), [(Some("gpu-a".to_owned()), two)]);
    let machine = world.json(&["workers", "machines"])[0].clone();
    assert_eq!((&machine["name"], &machine["status"]), (&json!("gpu-a"), &json!("online")));
    assert!(world.run(&["workers", "list"]).out.contains("gpu-a"));

    // Nobody supervises it, and yet it comes back.
    assert_eq!(world.run(&["workers", "restart", "gpu-a"]).code, Some(0));
    let three = world.next(&[one, two]);
    assert_eq!(world.workers(), [(Some("gpu-a".to_owned()), three)]);
    let forced = world.json(&["workers", "restore", "gpu-a", "--force"]);
    assert_eq!((&forced["started"], &forced["installed"]), (&json!(true), &json!(true)), "{forced:#}");
    let four = world.next(&[one, two, three]);
    assert_eq!(pid(&forced["worker"]), four);

    assert_eq!(leaks(&world), Vec::<String>::new());
    assert_eq!(files_with(&world.word, &sshd.home()), Vec::<PathBuf>::new());
    assert_eq!(files_with(&world.word, &home.data()), Vec::<PathBuf>::new());
    let backup = home.data().join("all.backup");
    assert_eq!(world.run(&["backup", &backup.display().to_string()]).code, Some(0));
    let unpacked = std::process::Command::new("tar").args(["-xzOf"]).arg(&backup).output().unwrap();
    let rows = String::from_utf8_lossy(&unpacked.stdout).into_owned();
    assert!(
        rows.contains("gpu-a") && !rows.contains(&world.word),
        "the store holds no password: {:?}",
        unpacked.status
    );

    assert_eq!(world.run(&["workers", "stop", "gpu-a"]).code, Some(0));
    wait_for("its end", PATIENCE, || (!lives(four)).then_some(()));
    assert_eq!(world.json(&["workers", "machines"])[0]["status"], "offline");
    assert_eq!(world.run(&["workers", "forget", "gpu-a"]).code, Some(0));
    assert_eq!(world.json(&["workers", "machines"]), json!([]));
}

/// R1.4, R13: the agent deploys a worker only when it is let, the card says where to, and the model hears how it went.
#[test]
fn the_agent_deploys_a_worker_when_it_is_let() {
    let Some(world) = World::new() else { return };
    let order = json!({ "name": "lab", "ssh_command": world.sshd.command(), "data_dir": world.data() }).to_string();
    let model = ScriptedModel::start(
        Script::new()
            .turn(Turn::call("deploy_worker", &order).when(When::user("deploy it")))
            .turn(
                Turn::call("rename_distributed_worker", r#"{"worker_id": "lab", "name": "gpu-a"}"#)
                    .when(When::result("deploy_worker", "\"status\":\"started\"")),
            )
            .turn(
                Turn::call("restore_worker", r#"{"name": "gpu-a"}"#)
                    .when(When::result("rename_distributed_worker", "online")),
            )
            .turn(Turn::call("list_worker_slots", "{}").when(When::result("restore_worker", "lives_already")))
            .turn(Turn::text("It works.").when(When::result("list_worker_slots", "gpu-a"))),
    );
    let variables = world.variables();
    let more = [variables.as_slice(), &[("AUTOTUNER_LISTEN", "127.0.0.1:0")]].concat();
    let server = Server::start_in(&world.home, &model, &more);
    let session = server.session();
    server.post(&format!("{session}/messages"), &json!({ "content": "deploy it" }));
    let card = server.cards(&session).pop().unwrap();
    assert_eq!((card["status"].as_str(), card["auth_scope"].as_str()), (Some("requires_auth"), Some("arq_control")));
    let would = &card["effects"]["would"];
    assert!(would["target"].as_str().unwrap().contains("@127.0.0.1:"), "{card:#}");
    assert!(would["database"].as_str().unwrap().starts_with("postgres://127.0.0.1:"), "{card:#}");
    assert_eq!(world.json(&["workers", "machines"]), json!([]), "without leave nothing changes");
    let granted = server.post(&format!("{session}/authorize"), &json!({ "scopes": ["arq_control"] }));
    let mut said = granted["llm_continuation"].clone();
    // What machines say is others' text: standing leave from before it covers nothing more.
    for _ in 0..4 {
        if said == "It works." {
            break;
        }
        let waits = server.cards(&session).into_iter().any(|card| card["status"] == "requires_auth");
        assert!(waits, "{:#}", server.get(&format!("{session}/messages")));
        said = server.post(&format!("{session}/authorize"), &json!({ "scopes": ["arq_control"] }))["llm_continuation"]
            .clone();
    }
    assert_eq!(said, "It works.", "{:#}", server.get(&format!("{session}/messages")));
    model.assert_complete();
    let names: Vec<Option<String>> = world.workers().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&Some("gpu-a".to_owned())), "{names:?}");
    assert!(!server.get(&format!("{session}/messages")).to_string().contains(&world.word));
    assert_eq!(leaks(&world), [""; 0]);
    server.end();
}
