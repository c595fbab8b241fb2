//! An OpenSSH server of the system's package on a free port of the loopback address: "another machine", with a home of its
//! own, whose processes are this machine's.
//!
//! *Invariant*: it is ended by its process id when its value is dropped, and its directory goes with it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};

/// Where Debian puts it, which is not in the search path.
const PROGRAM: &str = "/usr/sbin/sshd";
/// Where it leaves itself when it serves as root.
const EMPTY: &str = "/run/sshd";
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. Dropped, it ends.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
    user: String,
}

impl Sshd {
    /// Starts one; `None` where it is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[allow(clippy::expect_used, reason = "a test without its server has failed")]
    pub fn start() -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("tuner-sshd").tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for key in ["host", "user", "stranger"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at(key)).output();
            assert!(made.as_ref().is_ok_and(|made| made.status.success()), "no key: {made:?}");
        }
        fs::copy(at("user.pub"), at("authorized")).expect("the key");
        fs::create_dir(at("home")).expect("a home");
        if geteuid().is_root() {
            fs::create_dir_all(EMPTY).expect("sshd's empty folder");
        }
        // The port is free now; somebody else may be faster to take it.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let port = free.expect("a port").port();
        let shown = |name: &str| at(name).display().to_string();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM \
             no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSetEnv \
             HOME={} PATH=/usr/bin:/bin\nPrintMotd no\nPrintLastLog no\n",
            shown("host"),
            shown("authorized"),
            shown("home"),
        );
        fs::write(at("config"), config).expect("the configuration");
        let key = fs::read_to_string(at("host.pub")).expect("the host key");
        fs::write(at("known"), format!("[127.0.0.1]:{port} {key}")).expect("the known hosts");
        fs::write(at("nobody"), "").expect("no known hosts");
        let log = File::create(at("log")).expect("the log");
        let mut command = Command::new(PROGRAM);
        command.args(["-D", "-e", "-f"]).arg(at("config")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("sshd");
        let user = User::from_uid(geteuid()).ok().flatten().expect("a user").name;
        let mut server = Self { child, folder, port, user };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = server.child.try_wait().ok().flatten();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "sshd does not start: {}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The home of whoever logs in.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// As one would type it.
    pub fn command(&self) -> String {
        self.typed("user", "known")
    }

    /// The same with a key that opens nothing.
    pub fn with_a_strangers_key(&self) -> String {
        self.typed("stranger", "known")
    }

    /// The same for somebody who has never been there.
    pub fn with_unknown_host_key(&self) -> String {
        self.typed("user", "nobody")
    }

    fn typed(&self, key: &str, known: &str) -> String {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let (key, known) = (at(key), at(known));
        format!("ssh -p {} -i {key} -o UserKnownHostsFile={known} {}@127.0.0.1", self.port, self.user)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
