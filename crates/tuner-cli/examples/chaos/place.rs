//! Everything that can be hurt: two machines over one PostgreSQL, or one machine over a SQLite file.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tokio::sync::Mutex;
use tuner_store::Store;
use tuner_testkit::postgres::{NoPostgres, Postgres};
use tuner_testkit::procs::{children, exists, send};
use tuner_testkit::writer_lock::WriterLock;

use crate::link::Link;
use crate::machine::Machine;
use crate::process::Process;
use crate::record::Record;

/// How long PostgreSQL's processes may take to see that their first one is dead.
const GONE: Duration = Duration::from_secs(10);
/// How long a writer may hold SQLite's lock: one that is suspended does until it goes on.
const HELD: Duration = Duration::from_secs(60);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A way that can be cut, with a lock for whoever cuts it.
pub(crate) struct Way {
    pub(crate) name: String,
    pub(crate) link: Link,
    pub(crate) busy: Arc<Mutex<()>>,
}

impl Way {
    fn new(name: String, link: Link) -> Self {
        Self { name, link, busy: Arc::default() }
    }
}

/// The database.
pub(crate) enum Truth {
    /// A server of our own.
    Postgres(Box<Mutex<Postgres>>),
    /// A file of the only machine.
    File(PathBuf),
}

/// The whole world.
pub(crate) struct Place {
    pub(crate) machines: Vec<Machine>,
    pub(crate) server: Arc<Process>,
    pub(crate) workers: Vec<Arc<Process>>,
    /// Between a process and the database.
    pub(crate) links: Vec<Arc<Way>>,
    /// Between clients and the server.
    pub(crate) door: Arc<Way>,
    /// Where clients find the server.
    pub(crate) address: SocketAddr,
    pub(crate) truth: Arc<Truth>,
    pub(crate) truth_busy: Arc<Mutex<()>>,
    url: String,
}

impl Place {
    /// Starts everything.
    pub(crate) async fn new(kind: Kind, autotuner: &Path, folder: &Path, record: &Record) -> Result<Self> {
        let listen = free_address()?;
        let (link, address) = Link::tcp(listen).await?;
        let door = Arc::new(Way::new("client to server".to_owned(), link));
        let mut place = Maker { autotuner, folder, record, links: Vec::new(), database: None };
        let first = Machine::new("machine-a", folder, false)?;
        let listen = listen.to_string();
        let (truth, url, server, workers, machines) = match kind {
            Kind::Sqlite => {
                let file = first.data.join("autotuner.sqlite");
                let url = format!("sqlite:{}", file.display());
                let server = place.process(&first, "server", &["serve", "--workers", "2", "--listen", &listen])?;
                (Truth::File(file), url, server, Vec::new(), vec![first])
            }
            Kind::Postgres => {
                let postgres = match Postgres::start() {
                    Ok(postgres) => postgres,
                    Err(NoPostgres::NotInstalled) => bail!("PostgreSQL is not installed here"),
                    Err(NoPostgres::Failed(why)) => bail!("PostgreSQL does not start: {why}"),
                };
                let url = postgres.database();
                let name = url.rsplit('/').next().unwrap_or_default().to_owned();
                place.database = Some((name, SocketAddr::from((Ipv4Addr::LOCALHOST, postgres.port()))));
                let second = Machine::new("machine-b", folder, true)?;
                let server = place.process(&first, "server", &["serve", "--workers", "1", "--listen", &listen])?;
                let workers = vec![
                    place.process(&first, "worker-a", &["worker"])?,
                    place.process(&second, "worker-b", &["worker", "--slots", "2"])?,
                    place.process(&second, "worker-c", &["worker"])?,
                ];
                (Truth::Postgres(Box::new(Mutex::new(postgres))), url, server, workers, vec![first, second])
            }
        };
        let (links, truth) = (place.links, Arc::new(truth));
        let truth_busy = Arc::default();
        Ok(Self { machines, server, workers, links, door, address, truth, truth_busy, url })
    }

    /// The database itself, past every link.
    pub(crate) async fn store(&self) -> Result<Store> {
        Ok(Store::open_url(&self.url).await?)
    }

    /// Has the server once more, without a worker that could change anything: all tasks have ended.
    pub(crate) fn server_again(&self) -> Result<()> {
        self.server.once_more()
    }

    /// Ends every process of ours in order.
    pub(crate) async fn stop(&self) {
        let all = self.workers.iter().chain([&self.server]).map(|process| process.stop());
        futures::future::join_all(all).await;
    }
}

/// What every process is started with.
struct Maker<'a> {
    autotuner: &'a Path,
    folder: &'a Path,
    record: &'a Record,
    links: Vec<Arc<Way>>,
    /// Name and address of the PostgreSQL database.
    database: Option<(String, SocketAddr)>,
}

impl Maker<'_> {
    fn process(&mut self, machine: &Machine, name: &str, arguments: &[&str]) -> Result<Arc<Process>> {
        let url = match &self.database {
            None => None,
            Some((database, to)) => {
                let (link, folder) = Link::in_folder(&self.folder.join(format!("to-{name}")), *to)?;
                self.links.push(Arc::new(Way::new(format!("{name} to database"), link)));
                Some(format!("postgres://tuner@localhost/{database}?host={}", folder.display()))
            }
        };
        let (command, data) = (machine.command(self.autotuner), machine.data.clone());
        let (program, before): (_, Vec<_>) =
            (command.get_program().to_owned(), command.get_args().map(ToOwned::to_owned).collect());
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let make = move || {
            let mut command = std::process::Command::new(&program);
            command.args(&before).arg("--data-dir").arg(&data).args(["--log", "info"]).args(&arguments);
            for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "AUTOTUNER_DATABASE"] {
                command.env_remove(proxy);
            }
            if let Some(url) = &url {
                command.env("AUTOTUNER_DATABASE", url);
            }
            command
        };
        Process::new(name, self.folder.join(format!("{name}.log")), self.record.clone(), make)
    }
}

/// An address that nobody has at this moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Truth {
    /// Ends PostgreSQL's first process with a signal, and starts it anew after a while.
    pub(crate) async fn end(&self, signal: Signal, pause: Duration) -> Result<()> {
        let Self::Postgres(server) = self else { return Ok(()) };
        let mut server = server.lock().await;
        let pid = server.pid();
        let all = children(pid);
        send(pid, signal);
        let begun = Instant::now();
        // Those that serve somebody see it at the end of what they do.
        while all.iter().any(|pid| exists(*pid)) && begun.elapsed() < GONE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(pause).await;
        tokio::task::block_in_place(|| server.again()).map_err(anyhow::Error::msg)
    }

    /// Suspends every process of PostgreSQL.
    pub(crate) async fn pause(&self, pause: Duration) {
        let Self::Postgres(server) = self else { return };
        let server = server.lock().await;
        let first = server.pid();
        send(first, Signal::SIGSTOP);
        let all = children(first);
        all.iter().for_each(|pid| send(*pid, Signal::SIGSTOP));
        tokio::time::sleep(pause).await;
        all.iter().for_each(|pid| send(*pid, Signal::SIGCONT));
        send(first, Signal::SIGCONT);
    }

    /// Locks the file as another writer does.
    pub(crate) async fn lock(&self, pause: Duration) -> Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let lock = tokio::task::block_in_place(|| WriterLock::take(path, HELD)).context("the lock of the database")?;
        tokio::time::sleep(pause).await;
        drop(lock);
        Ok(())
    }
}
