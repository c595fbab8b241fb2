//! One server per data directory, and who holds what a second one wants.
//!
//! *Invariant*: the lock is the kernel's and ends with its process; what the file says only names the holder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tuner_deploy::listening;
use tuner_runner::this_process;

use crate::error::AppError;
use crate::home::Home;

/// A server that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its process.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// Since when it runs.
    pub since: DateTime<Utc>,
    /// Where it listens.
    pub address: String,
    /// Its version.
    pub version: String,
}

/// The only server of a data directory, until it is dropped.
#[derive(Debug)]
pub struct Instance {
    file: File,
}

impl Instance {
    /// Becomes the only server of a data directory.
    ///
    /// # Errors
    /// [`AppError::SecondServer`] names the first; [`AppError::Write`].
    pub fn take(home: &Home) -> Result<Self, AppError> {
        let path = home.root().join("server.lock");
        let fail = |source| AppError::Write { path: path.clone(), source };
        std::fs::create_dir_all(home.root()).map_err(fail)?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::Error(source)) => Err(fail(source)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                let holder = match serde_json::from_str::<Server>(&text) {
                    Ok(s) => {
                        let since = s.since.format("%Y-%m-%d %H:%M:%S UTC");
                        format!("pid {} on {} since {since}, listening on {}", s.pid, s.host, s.address)
                    }
                    Err(_) => "it starts just now".to_owned(),
                };
                Err(AppError::SecondServer { place: home.root().to_owned(), holder })
            }
        }
    }

    /// Says where it listens, for whoever comes second.
    ///
    /// # Errors
    /// [`AppError::Write`].
    pub fn announce(&mut self, home: &Home, address: SocketAddr) -> Result<Server, AppError> {
        let here = this_process();
        let server = Server {
            pid: here.pid,
            host: here.host,
            since: Utc::now(),
            address: address.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let text = serde_json::to_string(&server).unwrap_or_default();
        let file = &mut self.file;
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(|source| AppError::Write { path: home.root().join("server.lock"), source })?;
        Ok(server)
    }
}

/// The server of a data directory, if one runs.
///
/// # Errors
/// [`AppError::Read`].
pub fn running(home: &Home) -> Result<Option<Server>, AppError> {
    let path = home.root().join("server.lock");
    let fail = |source| AppError::Read { path: path.clone(), source };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(fail(source)),
        Err(TryLockError::WouldBlock) => {}
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(fail)?;
    // One that starts at this moment has not said yet where it listens.
    Ok(serde_json::from_str(&text).ok())
}

/// Asks the server of a data directory to end, with its workers, and waits for it. Gives which one it was; `None` if none
/// runs.
///
/// # Errors
/// [`AppError::NotStopped`] if it runs on another machine, is somebody else's, or does not end within `limit`.
pub async fn stop(home: &Home, limit: Duration) -> Result<Option<Server>, AppError> {
    let Some(server) = running(home)? else { return Ok(None) };
    let refused = |why: String| AppError::NotStopped { pid: server.pid, host: server.host.clone(), why };
    if server.host != this_process().host {
        return Err(refused("it runs on another machine".to_owned()));
    }
    match kill(Pid::from_raw(server.pid as i32), Signal::SIGTERM) {
        // It has ended at this moment.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(refused(error.desc().to_owned())),
    }
    let began = Instant::now();
    while running(home)?.is_some_and(|now| now == server) {
        if began.elapsed() > limit {
            return Err(refused(format!("it did not end within {} s", limit.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Some(server))
}

/// Listens, or says who does already.
///
/// # Errors
/// [`AppError::AddressTaken`], [`AppError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => {
            let holder = listening::who(address.port()).map(|(pid, command)| format!("pid {pid} ({command})"));
            AppError::AddressTaken { address: address.to_string(), holder }
        }
        _ => AppError::Listen { address: address.to_string(), source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_refused_and_told_who_is_first() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let mut first = Instance::take(&home).unwrap();
        let told = |home: &Home| match Instance::take(home) {
            Err(AppError::SecondServer { holder, .. }) => holder,
            other => panic!("{other:?}"),
        };
        assert_eq!(told(&home), "it starts just now");
        assert_eq!(running(&home).unwrap(), None);
        let server = first.announce(&home, "127.0.0.1:8470".parse().unwrap()).unwrap();
        assert_eq!(running(&home).unwrap(), Some(server));
        let holder = told(&home);
        assert!(holder.starts_with(&format!("pid {} on ", std::process::id())), "{holder}");
        assert!(holder.ends_with("listening on 127.0.0.1:8470") && holder.contains(" since 20"), "{holder}");
        drop(first);
        assert_eq!(running(&home).unwrap(), None);
        assert!(Instance::take(&home).is_ok());
    }

    #[tokio::test]
    async fn who_holds_an_address_is_named() {
        let first = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let error = listen(first.local_addr().unwrap()).await.unwrap_err();
        let AppError::AddressTaken { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
        assert!(holder.starts_with(&format!("pid {} (", std::process::id())), "{holder}");
    }
}
