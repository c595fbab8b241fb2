//! How a machine is reached and what is started there: what people say, and what is kept of it.
//!
//! *Invariant*: nothing secret is in it.

use serde::{Deserialize, Serialize};
use tuner_deploy::redact::Secrets;
use tuner_deploy::ssh::Target;
use tuner_store::{MachineRow, StoreError};

use super::error::MachineError;
use crate::error::AppError;
use crate::home::Home;

/// Longest name.
const LONGEST_NAME: usize = 63;
/// Most slots.
const MOST_SLOTS: u32 = 256;

/// How a worker gets to a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// How the machine is reached.
    pub ssh: Target,
    /// Jobs that its worker runs at once.
    #[serde(default = "one")]
    pub slots: u32,
    /// Copy this program there if it is absent or another one.
    #[serde(default = "yes")]
    pub auto_install: bool,
    /// The worker's data directory there; none: its user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// Where the database is reached from there, `HOST` or `HOST:PORT`; none: as from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_host: Option<String>,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

impl Setup {
    /// One slot, the program copied where that is needed.
    pub fn new(ssh: Target) -> Self {
        Self { ssh, slots: one(), auto_install: yes(), data_dir: None, database_host: None }
    }

    /// The same from `user@host`, `user@host:port` or what somebody would type: `ssh -p 2222 user@host`.
    ///
    /// # Errors
    /// [`AppError::Machine`].
    pub fn reached_by(text: &str) -> Result<Self, AppError> {
        let is_command = text.split_whitespace().nth(1).is_some();
        let target = if is_command { Target::parse_command(text) } else { Target::parse(text) };
        Ok(Self::new(target.map_err(MachineError::from)?))
    }

    /// What is kept of a machine.
    pub(super) fn of(machine: &MachineRow) -> Result<Self, AppError> {
        serde_json::from_value(machine.options.clone()).map_err(|source| {
            AppError::Store(StoreError::Corrupt {
                what: format!("options of machine {:?}", machine.name),
                source: Box::new(source),
            })
        })
    }

    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Machine`].
    pub fn check(&self) -> Result<(), AppError> {
        let invalid = |field, message: &str| Err(AppError::Invalid { field, message: message.to_owned() });
        self.ssh.check().map_err(MachineError::from)?;
        if !(1..=MOST_SLOTS).contains(&self.slots) {
            return invalid("slots", "1 to 256");
        }
        let plain = |path: &String| path.starts_with('/') && path.len() <= 1000 && !path.contains(char::is_control);
        if self.data_dir.as_ref().is_some_and(|path| !plain(path)) {
            return invalid("data_dir", "it is no whole path of a folder there");
        }
        if self.database_host.as_deref().is_some_and(|text| host_and_port(text).is_none()) {
            return invalid("database_host", "write HOST or HOST:PORT");
        }
        Ok(())
    }

    /// The database's URL as it is said on the machine.
    ///
    /// # Errors
    /// [`MachineError::NotShared`], [`MachineError::NearDatabase`].
    pub(super) fn database(&self, home: &Home) -> Result<String, MachineError> {
        let url = home.database_url().filter(|url| url.starts_with("postgres:") || url.starts_with("postgresql:"));
        let mut url = reqwest::Url::parse(url.ok_or(MachineError::NotShared)?).map_err(|_| MachineError::NotShared)?;
        if let Some((host, port)) = self.database_host.as_deref().and_then(host_and_port) {
            let changed = url.set_host(Some(host)).is_ok() && port.is_none_or(|port| url.set_port(Some(port)).is_ok());
            return if changed { Ok(url.into()) } else { Err(MachineError::NotShared) };
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let near = host.is_empty() || is_loopback(&host);
        if near && !is_loopback(&self.ssh.host) {
            let host = if host.is_empty() { "a socket of this machine".to_owned() } else { host };
            return Err(MachineError::NearDatabase { host, target: self.ssh.to_string() });
        }
        Ok(url.into())
    }
}

/// A database's URL as people may see it.
pub(super) fn without_user(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        Err(_) => String::new(),
    }
}

/// The secrets that nobody may be told.
pub(super) fn secrets(home: &Home, there: &str) -> Secrets {
    let mut secrets = Secrets::default();
    for url in home.database_url().into_iter().chain([there]) {
        secrets.add(url);
        if let Some(word) = reqwest::Url::parse(url).ok().and_then(|url| url.password().map(str::to_owned)) {
            secrets.add(&word);
        }
    }
    secrets
}

/// Refuses a name that cannot be one.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn check_name(name: &str) -> Result<(), AppError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && name.len() <= LONGEST_NAME && name.chars().all(plain) && name.parse::<uuid::Uuid>().is_err() {
        return Ok(());
    }
    let message = format!(
        "1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, of which the first is a letter or digit, and no worker's id"
    );
    Err(AppError::Invalid { field: "name", message })
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if text.is_empty() || text.starts_with('-') || !text.chars().all(plain) {
        return None;
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            Some((host, Some(port.parse().ok().filter(|port| *port > 0)?))).filter(|(host, _)| !host.is_empty())
        }
        // An address of version 6 stands in brackets.
        Some(_) if !text.ends_with(']') => None,
        _ => Some((text, None)),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(target: &str, database_host: Option<&str>) -> Setup {
        let ssh = Target::parse(target).unwrap();
        Setup { database_host: database_host.map(str::to_owned), ..Setup::new(ssh) }
    }

    fn url(home: Option<&str>, target: &str, there: Option<&str>) -> String {
        let home = Home::new("/data").with_database_url(home.map(str::to_owned));
        setup(target, there).database(&home).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn the_database_is_one_that_the_other_machine_reaches() {
        let local = "postgres://me:w%40rd@localhost:5432/db";
        let near = Some(local);
        let not_shared = "the database is a file of this machine, which a worker elsewhere cannot reach";
        assert_eq!(url(None, "me@lab", None), not_shared);
        assert_eq!(url(Some("sqlite:/data/x"), "me@lab", None), not_shared);
        assert_eq!(
            url(near, "me@lab", None),
            "the database is reached at localhost, which is another machine when it is said on me@lab"
        );
        assert_eq!(url(near, "me@127.0.0.1", None), local);
        assert_eq!(url(near, "me@lab", Some("db.lab")), "postgres://me:w%40rd@db.lab:5432/db");
        assert_eq!(url(near, "me@lab", Some("db:6000")), "postgres://me:w%40rd@db:6000/db");
        assert_eq!(url(near, "me@lab", Some("[fd00::1]:6000")), "postgres://me:w%40rd@[fd00::1]:6000/db");
        let far = "postgres://me@db/x?sslmode=require";
        assert_eq!(url(Some(far), "lab", None), far);
        assert!(url(Some("postgres:///db?host=/run/pg"), "lab", None).contains("a socket of this machine"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_field() {
        let refused = |setup: &Setup| setup.check().unwrap_err().to_string();
        let good = setup("me@lab", None);
        good.check().unwrap();
        assert_eq!(refused(&Setup { slots: 0, ..good.clone() }), "slots: 1 to 256");
        let relative = Setup { data_dir: Some("data".to_owned()), ..good.clone() };
        assert_eq!(refused(&relative), "data_dir: it is no whole path of a folder there");
        for host in ["", "a b", "a:0", "a:x", "fd00::1", "-x", ":5432"] {
            assert!(refused(&setup("lab", Some(host))).starts_with("database_host"), "{host}");
        }
        for name in ["gpu-a", "A.b_1", "7"] {
            check_name(name).unwrap();
        }
        let long = "x".repeat(64);
        for name in ["", "-a", "a b", "a/b", "ä", "019abcde-0000-7000-8000-000000000001", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_kept_of_it_is_read_again() {
        let kept = serde_json::to_value(setup("me@lab:2222", Some("db"))).unwrap();
        assert_eq!(kept["ssh"], serde_json::json!({ "host": "lab", "user": "me", "port": 2222 }));
        assert_eq!(serde_json::from_value::<Setup>(kept).unwrap(), setup("me@lab:2222", Some("db")));
    }
}
