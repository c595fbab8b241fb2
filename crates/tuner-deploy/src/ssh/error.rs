//! Why nothing could be done on another machine, as far as `ssh` says it.

use std::time::Duration;

/// Another machine was not reached, or what was to be done there failed.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// There is no `ssh` here.
    #[error("the program ssh is not installed on this machine")]
    Missing,
    /// It does not start, or its pipes break.
    #[error("ssh cannot be run")]
    Run(#[source] std::io::Error),
    /// It took too long.
    #[error("{target} did not answer within {} s", limit.as_secs())]
    Hangs {
        /// The machine.
        target: String,
        /// The limit.
        limit: Duration,
    },
    /// Nobody has vouched for the machine's key.
    #[error("the host key of {target} is not known to this machine")]
    HostKeyUnknown {
        /// The machine.
        target: String,
    },
    /// The machine has another key than before.
    #[error("the host key of {target} is not the one that is known: it was installed anew, or somebody stands between")]
    HostKeyChanged {
        /// The machine.
        target: String,
    },
    /// It lets us not in.
    #[error("{target} lets us not in: {said}")]
    Refused {
        /// The machine.
        target: String,
        /// What ssh said.
        said: String,
    },
    /// It cannot be reached.
    #[error("{target} is not reached: {said}")]
    Unreachable {
        /// The machine.
        target: String,
        /// What ssh said.
        said: String,
    },
    /// The command failed there.
    #[error("a command failed on {target}: {}", if said.is_empty() { "it said nothing" } else { said })]
    Failed {
        /// The machine.
        target: String,
        /// Its last lines.
        said: String,
    },
}

/// Lines that are kept of what was said.
const LINES: usize = 12;

/// The last lines of a text, in one.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join(" | ")
}

impl SshError {
    /// What an end with this exit code means, by what was said on standard error.
    pub(super) fn of(target: &str, code: Option<i32>, said: &str) -> Self {
        let target = target.to_owned();
        let has = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
        // 255 is ssh's own; everything else is the command's.
        if code != Some(255) {
            return Self::Failed { target, said: last_lines(said) };
        }
        if has(&["REMOTE HOST IDENTIFICATION HAS CHANGED", "Offending "]) {
            return Self::HostKeyChanged { target };
        }
        if has(&["Host key verification failed", "host key is known for"]) {
            return Self::HostKeyUnknown { target };
        }
        let said = last_lines(said);
        if said.contains("Permission denied") || said.contains("Too many authentication failures") {
            return Self::Refused { target, said };
        }
        let said = if said.is_empty() { "the connection ended".to_owned() } else { said };
        Self::Unreachable { target, said }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "install OpenSSH's client (package openssh-client)",
            Self::Run(_) => "look at the system's limits on processes and files",
            Self::Hangs { .. } => "look whether the machine is overloaded or its network slow, then try again",
            Self::HostKeyUnknown { .. } => {
                "log in once by hand as the user that this service runs as, compare the key's fingerprint, and say yes"
            }
            Self::HostKeyChanged { .. } => {
                "compare the fingerprint with the machine's own; if it is right, remove the old line with: ssh-keygen -R HOST"
            }
            Self::Refused { .. } => {
                "put this machine's public key into ~/.ssh/authorized_keys of that user there, or name another key with -i; a \
                 key with a passphrase needs an agent"
            }
            Self::Unreachable { .. } => "check host, port and network: ssh has to get through from this machine",
            Self::Failed { .. } => "log in there and look",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What OpenSSH's client really says.
    #[test]
    fn what_ssh_says_is_understood() {
        let of = |said: &str| SshError::of("me@lab", Some(255), said).to_string();
        let unknown = "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\nHost key verification failed.";
        assert_eq!(of(unknown), "the host key of me@lab is not known to this machine");
        let changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nOffending ED25519 key in /k:1\nHost key verification failed.";
        assert!(of(changed).contains("not the one that is known"));
        let refused = "me@lab: Permission denied (publickey).";
        assert_eq!(of(refused), "me@lab lets us not in: me@lab: Permission denied (publickey).");
        for said in [
            "ssh: connect to host lab port 22: Connection refused",
            "ssh: connect to host lab port 22: Connection timed out",
            "ssh: Could not resolve hostname lab: Name or service not known",
            "kex_exchange_identification: Connection closed by remote host",
        ] {
            assert!(of(said).starts_with("me@lab is not reached: "), "{said}");
        }
        assert_eq!(SshError::of("lab", Some(3), "a\n\n b \n").to_string(), "a command failed on lab: a | b");
    }
}
