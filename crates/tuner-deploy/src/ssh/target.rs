//! Where another machine is reached, and with which of ssh's options.
//!
//! *Invariant*: no option that is taken runs a program on this machine, forwards anything, or lets host keys go unchecked.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Another machine, as `ssh` reaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name or address, or a `Host` of the ssh configuration.
    pub host: String,
    /// Who logs in there; none: as the ssh configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The port; none: as the ssh configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The private key's file on this machine; none: as the ssh configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_file: Option<String>,
    /// Further options of ssh by name: those of [`OPTIONS`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// Why this is no way to another machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// The words cannot be told apart.
    #[error("a quotation mark is not closed")]
    Unclosed,
    /// It begins with something else.
    #[error("it begins with {found:?}, not with ssh")]
    NotSsh {
        /// The first word.
        found: String,
    },
    /// Nobody is meant.
    #[error("it names no host")]
    NoHost,
    /// An option that is not taken.
    #[error("ssh's option {option} is not taken here")]
    Option {
        /// Which.
        option: String,
    },
    /// A value that cannot be.
    #[error("{value:?} is no {what}")]
    Value {
        /// What it should be.
        what: &'static str,
        /// What it is.
        value: String,
    },
    /// A command to be run there.
    #[error("{word:?} follows the host: what is run there is not yours to say")]
    Command {
        /// Its first word.
        word: String,
    },
}

impl BadTarget {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Option { .. } => {
                let known: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
                format!(
                    "taken are -p, -l, -i, -4, -6, -C and -o with {}; anything else goes into the ssh configuration of the \
                     user that this service runs as, below a Host that you name here",
                    known.join(", ")
                )
            }
            Self::Value { .. } | Self::NoHost | Self::Unclosed | Self::NotSsh { .. } | Self::Command { .. } => {
                "write user@host, or ssh -p 2222 user@host".to_owned()
            }
        }
    }
}

/// What the value of an option may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Seconds or a count, 1 to 600.
    Number,
    /// `yes` or `no`.
    YesNo,
    /// `yes`: it is so anyway.
    Yes,
    /// A file of this machine.
    File,
    /// `any`, `inet` or `inet6`.
    Family,
    /// A host's name.
    Name,
}

/// The options of ssh that are taken, beside user, port and identity.
pub const OPTIONS: [(&str, Value); 10] = [
    ("AddressFamily", Value::Family),
    ("BatchMode", Value::Yes),
    ("Compression", Value::YesNo),
    ("ConnectTimeout", Value::Number),
    ("HostKeyAlias", Value::Name),
    ("IdentitiesOnly", Value::YesNo),
    ("ServerAliveCountMax", Value::Number),
    ("ServerAliveInterval", Value::Number),
    ("StrictHostKeyChecking", Value::Yes),
    ("UserKnownHostsFile", Value::File),
];

/// What holds whatever the ssh configuration says; ssh takes the first value that it meets.
const ALWAYS: [&str; 11] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "PermitLocalCommand=no",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ControlMaster=no",
    "ControlPath=none",
    "RequestTTY=no",
    "LogLevel=ERROR",
    "UpdateHostKeys=no",
];
/// What holds unless something else is asked for: a machine that is gone is noticed.
const UNLESS: [(&str, &str); 3] =
    [("ConnectTimeout", "15"), ("ServerAliveInterval", "10"), ("ServerAliveCountMax", "3")];

impl Value {
    fn takes(self, text: &str) -> bool {
        match self {
            Self::Number => text.parse::<u16>().is_ok_and(|n| (1..=600).contains(&n)),
            Self::YesNo => matches!(text, "yes" | "no"),
            Self::Yes => text == "yes",
            Self::File => is_file(text),
            Self::Family => matches!(text, "any" | "inet" | "inet6"),
            Self::Name => is_host(text),
        }
    }
}

fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    !text.is_empty() && text.len() <= 253 && !text.starts_with('-') && text.chars().all(plain)
}

fn is_user(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.chars().all(plain)
}

/// A path that ssh takes as it stands: it would put other things into the place of `%h` and `${HOME}`.
fn is_file(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\"'\\%$`".contains(c);
    (text.starts_with('/') || text.starts_with("~/")) && text.len() <= 1000 && !text.contains(odd)
}

impl Target {
    /// Reads `host`, `user@host` or `user@host:port`.
    ///
    /// # Errors
    /// [`BadTarget`].
    pub fn parse(text: &str) -> Result<Self, BadTarget> {
        let mut target = Self::default();
        target.set_host(text.trim())?;
        target.check()?;
        Ok(target)
    }

    /// Reads what somebody would type: `ssh -p 2222 user@host`.
    ///
    /// # Errors
    /// [`BadTarget`].
    pub fn parse_command(text: &str) -> Result<Self, BadTarget> {
        let words = shlex::split(text).ok_or(BadTarget::Unclosed)?;
        let mut words = words.into_iter();
        match words.next() {
            Some(first) if first == "ssh" => {}
            Some(found) => return Err(BadTarget::NotSsh { found }),
            None => return Err(BadTarget::NoHost),
        }
        let mut target = Self::default();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix('-').filter(|_| word.len() > 1) else {
                if !target.host.is_empty() {
                    return Err(BadTarget::Command { word });
                }
                target.set_host(&word)?;
                continue;
            };
            let (letter, rest) = flag.split_at(flag.chars().next().map_or(0, char::len_utf8));
            let mut value = || match rest {
                "" => words.next().ok_or_else(|| BadTarget::Option { option: word.clone() }),
                rest => Ok(rest.to_owned()),
            };
            match letter {
                "p" => target.port = Some(port(&value()?)?),
                "l" => target.user = Some(value()?),
                "i" => target.identity_file = Some(value()?),
                "o" => target.set_option(&value()?)?,
                "4" | "6" | "C" | "q" | "T" | "x" | "a" if rest.is_empty() => target.set_flag(letter),
                _ => return Err(BadTarget::Option { option: word }),
            }
        }
        target.check()?;
        Ok(target)
    }

    fn set_host(&mut self, text: &str) -> Result<(), BadTarget> {
        let text = text.strip_prefix("ssh://").unwrap_or(text);
        let host = match text.rsplit_once('@') {
            Some((user, host)) => {
                self.user = Some(user.to_owned());
                host
            }
            None => text,
        };
        let inside = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, after) = match (inside, host.split_once(':')) {
            (Some((host, after)), _) => (host, after.strip_prefix(':')),
            // Several colons are an address.
            (None, Some((host, after))) if !after.contains(':') => (host, Some(after)),
            _ => (host, None),
        };
        host.clone_into(&mut self.host);
        if let Some(after) = after {
            self.port = Some(port(after)?);
        }
        Ok(())
    }

    fn set_flag(&mut self, letter: &str) {
        let option = match letter {
            "4" => ("AddressFamily", "inet"),
            "6" => ("AddressFamily", "inet6"),
            "C" => ("Compression", "yes"),
            // Quiet, without a terminal, without forwardings: so it is anyway.
            _ => return,
        };
        self.options.insert(option.0.to_owned(), option.1.to_owned());
    }

    /// `Name=value` or `Name value`.
    fn set_option(&mut self, text: &str) -> Result<(), BadTarget> {
        let unknown = || BadTarget::Option { option: format!("-o {text}") };
        let (name, value) = text.split_once(['=', ' ']).ok_or_else(unknown)?;
        let (name, value) = (name.trim(), value.trim());
        match name.to_ascii_lowercase().as_str() {
            "user" => self.user = Some(value.to_owned()),
            "port" => self.port = Some(port(value)?),
            "identityfile" => self.identity_file = Some(value.to_owned()),
            _ => {
                let known = OPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).ok_or_else(unknown)?;
                self.options.insert(known.0.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }

    /// Refuses what is not on the lists, however it came to be here.
    ///
    /// # Errors
    /// [`BadTarget`].
    pub fn check(&self) -> Result<(), BadTarget> {
        let value = |what, value: &str| BadTarget::Value { what, value: value.to_owned() };
        if self.host.is_empty() {
            return Err(BadTarget::NoHost);
        }
        if !is_host(&self.host) {
            return Err(value("name or address of a host", &self.host));
        }
        if let Some(user) = self.user.as_deref().filter(|user| !is_user(user)) {
            return Err(value("name of a user", user));
        }
        if self.port == Some(0) {
            return Err(value("port", "0"));
        }
        if let Some(file) = self.identity_file.as_deref().filter(|file| !is_file(file)) {
            return Err(value("whole path of a file (without spaces, quotes, % or $)", file));
        }
        for (name, text) in &self.options {
            let known = OPTIONS.iter().find(|(known, _)| known == name);
            let (_, kind) = known.ok_or_else(|| BadTarget::Option { option: format!("-o {name}") })?;
            if !kind.takes(text) {
                return Err(BadTarget::Option { option: format!("-o {name}={text}") });
            }
        }
        Ok(())
    }

    /// Arguments of `ssh` up to the host, and with it.
    pub fn arguments(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut option = |text: String| words.extend(["-o".to_owned(), text]);
        ALWAYS.iter().for_each(|text| option((*text).to_owned()));
        self.options.iter().for_each(|(name, value)| option(format!("{name}={value}")));
        UNLESS.iter().for_each(|(name, value)| option(format!("{name}={value}")));
        if let Some(file) = &self.identity_file {
            // No other key is tried, and so none is given away.
            option("IdentitiesOnly=yes".to_owned());
            words.extend(["-i".to_owned(), file.clone()]);
        }
        words.extend(self.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
        words.extend(self.user.iter().flat_map(|user| ["-l".to_owned(), user.clone()]));
        words.extend(["-T".to_owned(), "--".to_owned(), self.host.clone()]);
        words
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match (self.host.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (_, None) => f.write_str(&self.host),
        }
    }
}

fn port(text: &str) -> Result<u16, BadTarget> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| BadTarget::Value { what: "port", value: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Target::parse_command(text) {
            Ok(target) => format!("{target} {:?} {:?}", target.identity_file.as_deref().unwrap_or(""), target.options),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_ssh_command_is_read_as_a_shell_would() {
        insta::assert_snapshot!(shown("ssh -p 2222 user@host"), @r#"user@host:2222 "" {}"#);
        insta::assert_snapshot!(shown("ssh -p2222 -l 'user' -i ~/.ssh/lab host"), @r#"user@host:2222 "~/.ssh/lab" {}"#);
        insta::assert_snapshot!(shown("ssh root@[fd00::7] -o ConnectTimeout=5 -4"), @r#"root@fd00::7 "" {"AddressFamily": "inet", "ConnectTimeout": "5"}"#);
        insta::assert_snapshot!(shown("ssh -o 'Port 22' -o user=me lab"), @r#"me@lab:22 "" {}"#);
        insta::assert_snapshot!(shown("ssh -T -q -o StrictHostKeyChecking=yes lab"), @r#"lab "" {"StrictHostKeyChecking": "yes"}"#);
        assert_eq!(Target::parse("me@lab:2222"), Target::parse_command("ssh -p 2222 me@lab"));
        assert_eq!(Target::parse("ssh://me@lab").unwrap().to_string(), "me@lab");
        assert_eq!(Target::parse("fd00::7").unwrap().host, "fd00::7");
    }

    /// Nothing that runs programs here, forwards, or lets a host key go unchecked; no option in the place of a host.
    #[test]
    fn what_could_do_something_here_is_refused() {
        for text in [
            "ssh -o ProxyCommand='sh -c reboot' host",
            "ssh -oProxyCommand=x host",
            "ssh -o LocalCommand=x host",
            "ssh -o PermitLocalCommand=yes host",
            "ssh -o KnownHostsCommand=x host",
            "ssh -o PKCS11Provider=/tmp/x.so host",
            "ssh -o SecurityKeyProvider=/tmp/x.so host",
            "ssh -o Include=/tmp/x host",
            "ssh -o StrictHostKeyChecking=no host",
            "ssh -o StrictHostKeyChecking=accept-new host",
            "ssh -o BatchMode=no host",
            "ssh -o UserKnownHostsFile='/a b' host",
            "ssh -o UserKnownHostsFile=/a%h host",
            "ssh -o ConnectTimeout=0 host",
            "ssh -F /tmp/config host",
            "ssh -J jump host",
            "ssh -R 1:localhost:1 host",
            "ssh -L 1:localhost:1 host",
            "ssh -A host",
            "ssh -t host",
            "ssh -I /tmp/x.so host",
            "ssh -S /tmp/socket host",
            "ssh -E /tmp/log host",
            "ssh host reboot",
            "ssh",
            "ssh -p 0 host",
            "ssh -p 70000 host",
            "ssh -p",
            "ssh 'user@-oProxyCommand=x'",
            "ssh -l '$(reboot)' host",
            "ssh -- -oProxyCommand=x",
            "ssh 'host;reboot'",
            "ssh 'host",
            "scp host",
            "ssh -i relative host",
            "",
        ] {
            let refused = Target::parse_command(text);
            assert!(refused.is_err(), "{text}: {refused:?}");
            assert!(!refused.unwrap_err().hint().is_empty());
        }
        for text in ["", "-oProxyCommand=x", "me@", "a b", "host:0", "host:x", "@host"] {
            assert!(Target::parse(text).is_err(), "{text:?}");
        }
        let by_hand = Target {
            host: "lab".to_owned(),
            options: [("ProxyCommand".into(), "x".into())].into(),
            ..Target::default()
        };
        assert!(by_hand.check().is_err(), "whatever way it came in");
    }

    #[test]
    fn what_always_holds_comes_first() {
        let words = Target::parse_command("ssh -p 22 -i /k me@lab").unwrap().arguments();
        assert_eq!(words[..4], ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]);
        assert_eq!(words[words.len() - 8..], ["/k", "-p", "22", "-l", "me", "-T", "--", "lab"]);
    }
}
