//! `cargo xtask container`: builds the image of `examples/Containerfile` without a registry and without a daemon, on a root
//! file system of Debian's packages as this machine gets them, and runs it as process 1 of namespaces of its own.
//!
//! *Invariant*: everything is below the target directory; the processes of the trial run end with the chore.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::quickstart::release;
use crate::{codegen, shell};

const IMAGE: &str = "localhost/autotuner";
const BASE: &str = "localhost/autotuner-base";
/// How long the server may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Becomes process 1 in the image's root, as the image's user. `$1` is the root, the rest the program's words.
const ENTER: &str = "root=$1; shift; mount -t proc proc \"$root/proc\"; mount --rbind /dev \"$root/dev\"; \
    exec chroot --userspec=autotuner \"$root\" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin \
    AUTOTUNER_DATA_DIR=/var/lib/autotuner autotuner \"$@\"";

pub(crate) fn run() -> Result<ExitCode> {
    ensure!(shell::is_root()?, "root is needed: for a root file system, mounts and namespaces");
    let wanted = [("buildah", "buildah"), ("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux")];
    let missing: Vec<&str> = wanted.iter().filter(|(p, _)| !shell::works(p, &["--version"])).map(|(_, p)| *p).collect();
    if !missing.is_empty() {
        shell::install_packages(&missing)?;
    }
    let place = codegen::target_directory()?.join("container");
    let context = place.join("context");
    std::fs::create_dir_all(&context)?;
    std::fs::copy(release()?, context.join("autotuner"))?;
    let builder = Builder { place };
    builder.base()?;
    println!("building {IMAGE}");
    let file = shell::root().join("examples/Containerfile");
    let base = format!("BASE={BASE}");
    let mut build = builder.command(&["build", "--isolation", "chroot", "--pull-never", "--build-arg", &base]);
    shell::capture(build.args(["--tag", IMAGE, "--file"]).args([&file, &context]))?;
    let made = builder.say(&["from", "--pull-never", IMAGE])?;
    let tried = builder.say(&["mount", &made]).and_then(|root| try_out(&root));
    builder.say(&["rm", &made])?;
    tried?;
    println!("{IMAGE} is built and was tried: it refuses without a token, serves with one, tunes, and ends when asked");
    println!("copy it elsewhere with: {:?}", builder.command(&["push", IMAGE, "docker-archive:autotuner.tar"]));
    Ok(ExitCode::SUCCESS)
}

/// Buildah with a store of its own.
struct Builder {
    place: PathBuf,
}

impl Builder {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("buildah");
        command.arg("--root").arg(self.place.join("storage")).arg("--runroot").arg(self.place.join("run"));
        command.args(["--storage-driver", "vfs"]).args(words);
        command
    }

    fn say(&self, words: &[&str]) -> Result<String> {
        Ok(shell::capture(&mut self.command(words))?.trim().to_owned())
    }

    /// The root file system as an image, made once.
    fn base(&self) -> Result<()> {
        if self.say(&["images", "--quiet", BASE]).is_ok() {
            return Ok(());
        }
        println!("making a root file system of Debian's packages; some minutes");
        let root = self.place.join("rootfs.tar");
        let release = std::fs::read_to_string("/etc/os-release").context("this is not Debian")?;
        let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        let name = name.context("/etc/os-release has no VERSION_CODENAME")?;
        let mut make = Command::new("mmdebstrap");
        make.args(["--variant=minbase", "--include=ca-certificates", name]).arg(&root).args(sources()?);
        shell::capture(&mut make)?;
        let made = self.say(&["from", "scratch"])?;
        shell::capture(self.command(&["add", &made]).arg(&root).arg("/"))?;
        self.say(&["commit", "--rm", &made, BASE])?;
        std::fs::remove_file(root)?;
        Ok(())
    }
}

/// Where this machine gets its packages.
fn sources() -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::from("/etc/apt/sources.list")];
    for entry in std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten() {
        found.push(entry?.path());
    }
    let ends = |path: &Path| path.extension().is_some_and(|e| e == "list" || e == "sources");
    found.retain(|path| ends(path) && path.metadata().is_ok_and(|m| m.len() > 0));
    ensure!(!found.is_empty(), "this machine names no source of packages");
    Ok(found)
}

/// A process 1 in the image; all of its namespace ends with it.
fn enter(root: &str, words: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--mount", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", root]).args(words);
    command.stdin(Stdio::null());
    command
}

/// A container that ends with the chore, whatever happens.
struct Container(Child);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn try_out(root: &str) -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let address = format!("0.0.0.0:{port}");
    let serve = ["serve", "--listen", &address];
    let refused = enter(root, &serve).output()?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(!refused.status.success() && said.contains("token create"), "it must not serve without a token: {said}");
    let token = shell::capture(&mut enter(root, &["token", "create", "--role", "admin"]))?.trim().to_owned();
    let mut server = Container(enter(root, &serve).spawn()?);
    let begun = Instant::now();
    while !ask(port, &token).is_ok_and(|answer| answer.contains("200 OK") && answer.contains("\"good\"")) {
        ensure!(begun.elapsed() < PATIENCE, "the server in the container does not become ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    std::fs::copy(shell::root().join("examples/simulated.yaml"), Path::new(root).join("tmp/task.yaml"))?;
    let told = shell::capture(&mut enter(root, &["tune", "/tmp/task.yaml"]))?;
    ensure!(told.contains("sim-engine") || told.contains("simulated"), "no launch command: {told}");
    let first = first_of(server.0.id())?;
    shell::capture(Command::new("kill").args(["-TERM", &first]))?;
    let begun = Instant::now();
    loop {
        match server.0.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("asked to end, process 1 ended with {status}"),
            None if begun.elapsed() > PATIENCE => bail!("process 1 does not end when it is asked to"),
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The pid, seen from outside, of a container's process 1: the only child of `unshare`.
fn first_of(unshare: u32) -> Result<String> {
    let children = std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))?;
    Ok(children.split_whitespace().next().context("the container has no process")?.to_owned())
}

fn ask(port: u16, token: &str) -> Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    let request =
        format!("GET /ready HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}
