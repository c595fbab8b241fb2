//! What every backend can do, and the words for it.
//!
//! *Contract*, checked by `tests/it/conformance.rs`: launching an id that runs adopts it; a status of what was never
//! launched is `Absent`; stopping what is not there succeeds; after a stop the id is `Absent` and nothing it started
//! lives; `list` names exactly what lives. Retries and time-outs are the caller's.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::DeployError;

/// Name of one deployment, chosen before it is launched and carried by all that belongs to it.
/// 1 to 100 of `a-z A-Z 0-9 . _ -`, the first a letter or digit, so that it can name a file and a label anywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeploymentId(String);

impl DeploymentId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id derived from this one, for something that lives beside the engine: `t1-e2-a1` gives `t1-e2-a1.guard`.
    ///
    /// Fails where the result would be too long.
    pub fn beside(&self, suffix: &str) -> Result<Self, DeployError> {
        format!("{}.{suffix}", self.0).parse()
    }

    /// Whether this is `other`, or was derived from it: it is stopped with it, and spared with it.
    pub fn belongs_to(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl FromStr for DeploymentId {
    type Err = DeployError;
    fn from_str(text: &str) -> Result<Self, DeployError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let good =
            text.len() <= 100 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain);
        if good { Ok(Self(text.to_owned())) } else { Err(DeployError::BadId { id: text.to_owned() }) }
    }
}

impl TryFrom<String> for DeploymentId {
    type Error = DeployError;
    fn try_from(text: String) -> Result<Self, DeployError> {
        text.parse()
    }
}
impl From<DeploymentId> for String {
    fn from(id: DeploymentId) -> Self {
        id.0
    }
}
impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to run. The environment is added to the one the tuner runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// Path or name looked up in `PATH`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables to set, name to value.
    pub env: BTreeMap<String, String>,
    /// Where it runs; where the tuner runs if absent.
    pub cwd: Option<PathBuf>,
    /// Ports it will listen on; a stop waits until they can be bound again.
    pub ports: Vec<u16>,
    /// GPUs it will use, by index; a stop waits until their memory is back.
    pub gpus: Vec<u32>,
    /// A file of its own for standard error; the log takes both if absent.
    pub stderr: Option<PathBuf>,
}

/// A deployment that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its first process.
    pub pid: u32,
    /// When that process started, in clock ticks since boot: what tells it from a later one with the same number.
    pub start_ticks: u64,
    /// Its process group.
    pub pgid: u32,
    /// It was there already: launched by an earlier call, or by a process that died since.
    pub adopted: bool,
}

/// How the first process of a deployment ended. Both are absent when nobody was there to see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Exit code.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("unknown exit status"),
        }
    }
}

/// What is known of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Never launched, or stopped.
    Absent,
    /// Its first process lives.
    Running(Running),
    /// Its first process ended by itself; children may still live until it is stopped.
    Exited(Exit),
}

/// What a stop did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// From the call until nothing was left.
    pub took: Duration,
    /// Processes that lived when it began or appeared meanwhile.
    pub processes: usize,
    /// How many of them outlived the grace and were killed.
    pub killed: usize,
    /// Ports that still cannot be bound although nothing of the deployment lives: someone else took them.
    pub busy_ports: Vec<u16>,
    /// GPUs with more memory in use than before the launch although nothing of the deployment lives, and MiB too much:
    /// someone else took it, or the driver has not given it back.
    pub gpu_memory_held: BTreeMap<u32, u64>,
}

/// A deployment found alive by its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: DeploymentId,
    /// Its processes, in order of their numbers.
    pub pids: Vec<u32>,
}

/// Where engines run.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Launches `launch` under `id`, or adopts what runs under it. Output is appended to `log`. Nothing happens before
    /// the future is polled.
    fn launch<'a>(
        &'a self,
        id: &'a DeploymentId,
        launch: &'a Launch,
        log: &'a Path,
    ) -> BoxFuture<'a, Result<Running, DeployError>>;

    /// What is known of `id`; cheap enough to be asked several times a second.
    fn status<'a>(&'a self, id: &'a DeploymentId) -> BoxFuture<'a, Result<Status, DeployError>>;

    /// Ends everything that belongs to `id`, and what lives beside it ([`DeploymentId::beside`]): asks, waits at most
    /// `grace`, then kills. Returns when nothing is left, with no memory or port held: [`Stopped`] names what someone else
    /// may have taken meanwhile. Goes on in the background when the future is dropped.
    fn stop<'a>(&'a self, id: &'a DeploymentId, grace: Duration) -> BoxFuture<'a, Result<Stopped, DeployError>>;

    /// Everything of this data directory that lives, in order of ids.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Found>, DeployError>>;

    /// Stops everything that `list` names and that belongs to none of `except`, and forgets what is left of dead ones.
    /// Returns what it stopped.
    fn reap<'a>(
        &'a self,
        except: &'a [DeploymentId],
        grace: Duration,
    ) -> BoxFuture<'a, Result<Vec<Found>, DeployError>> {
        Box::pin(async move {
            let mut reaped = Vec::new();
            for found in self.list().await? {
                if !except.iter().any(|spared| found.id.belongs_to(spared)) {
                    self.stop(&found.id, grace).await?;
                    reaped.push(found);
                }
            }
            Ok(reaped)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_name_a_file_and_nothing_else() {
        for good in ["a", "t1-e2-a3", "0193.x_Y", &"a".repeat(100)] {
            assert!(good.parse::<DeploymentId>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-a", "a/b", "a b", "a\n", "ä", "a=b", &"a".repeat(101)] {
            assert!(bad.parse::<DeploymentId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_exit_says_what_is_known() {
        assert_eq!(Exit { code: Some(3), signal: None }.to_string(), "exit code 3");
        assert_eq!(Exit { code: None, signal: Some(9) }.to_string(), "signal 9");
        assert_eq!(Exit::default().to_string(), "unknown exit status");
    }
}
