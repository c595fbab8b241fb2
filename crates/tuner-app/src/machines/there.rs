//! Another machine, as far as this one sees it over ssh: what it is, our program there, a worker started by it.
//!
//! *Invariant*: what is run there is one of the scripts below; what varies comes to them as quoted arguments or over
//! standard input, and what they say goes through the redactor before anybody sees it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tuner_deploy::redact::Secrets;
use tuner_deploy::ssh::{Input, Ssh, SshError};
use tuner_engines::quote;

use super::error::MachineError;
use crate::service::apart;

/// Version of this program.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How long a machine may take to say what it is.
const ANSWERS: Duration = Duration::from_secs(45);
/// How long the copy of the program may take.
const COPY: Duration = Duration::from_secs(900);
/// Marks our lines: a login may say things of its own.
const MARK: &str = "tuner> ";

/// Says what the machine is and what it has. No quote, line end or backslash: any login shell passes it on as it is.
const PROBE: &str = r#"echo "tuner> system $(uname -s)"; echo "tuner> machine $(uname -m)"; p="$HOME/.local/bin/autotuner"; [ -x "$p" ] || p=$(command -v autotuner); if [ -n "$p" ] && [ -x "$p" ]; then echo "tuner> program $p"; echo "tuner> version $("$p" --version 2>/dev/null </dev/null)"; echo "tuner> sha256 $( (sha256sum "$p" || shasum -a 256 "$p") 2>/dev/null | cut -d" " -f1)"; fi; true"#;

/// Takes a program from standard input into its place, if its checksum is the argument. A copy that is cut off is removed.
const COPY_HERE: &str = r#"d="$HOME/.local/bin"; n="$d/.autotuner.$$"; mkdir -p "$d" || exit 3; gone() { rm -f "$n"; }; trap gone EXIT; cat >"$n" || exit 3; chmod 755 "$n"; s=$( (sha256sum "$n" || shasum -a 256 "$n") 2>/dev/null | cut -d" " -f1); if [ "$s" = "$1" ]; then mv -f "$n" "$d/autotuner" && echo "tuner> program $d/autotuner"; else echo "tuner> sha256 $s"; fi; v=$("$d/autotuner" --version 2>&1 </dev/null) || echo "tuner> broken $v"; true"#;

/// A program there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: String,
    pub(super) version: Option<String>,
    pub(super) sha256: String,
}

/// What a machine says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    system: String,
    machine: String,
    program: Option<Program>,
}

/// The machine.
pub(super) struct There {
    pub(super) ssh: Ssh,
    pub(super) target: String,
    pub(super) secrets: Secrets,
}

/// This program.
pub(super) struct Ours {
    path: PathBuf,
    sha256: String,
    bytes: u64,
}

impl Ours {
    /// Reads it.
    pub(super) async fn read(path: &Path) -> Result<Self, MachineError> {
        let path = path.to_owned();
        apart(move || {
            let mut file = std::fs::File::open(&path)?;
            let mut hash = Sha256::new();
            let mut part = vec![0; 1 << 20];
            let mut bytes = 0;
            loop {
                let n = std::io::Read::read(&mut file, &mut part)?;
                if n == 0 {
                    break;
                }
                bytes += n as u64;
                hash.update(&part[..n]);
            }
            Ok(Self { path, sha256: tuner_core::hex(&hash.finalize()), bytes })
        })
        .await
        .map_err(MachineError::Program)
    }
}

/// A script as one command, with arguments.
fn script(text: &str, arguments: &[&str]) -> String {
    let words = arguments.iter().map(|word| quote(word));
    ["sh".to_owned(), "-c".to_owned(), quote(text), "autotuner".to_owned()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Our lines of an answer: name, value.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix(MARK))
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
}

fn found(text: &str) -> Option<Found> {
    let mut found = Found::default();
    for (name, value) in lines(text) {
        let value = value.trim().to_owned();
        match name {
            "system" => found.system = value,
            "machine" => found.machine = value,
            "program" => found.program = Some(Program { path: value, ..Program::default() }),
            "version" => {
                if let Some(program) = &mut found.program {
                    program.version = Some(value).filter(|text| !text.is_empty());
                }
            }
            "sha256" => {
                if let Some(program) = &mut found.program {
                    program.sha256 = value;
                }
            }
            _ => {}
        }
    }
    (!found.system.is_empty()).then_some(found)
}

/// What is done about the program.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// The one that is there serves.
    Use(String),
    /// It is copied.
    Copy,
    /// Nobody may copy it.
    NotAllowed,
    /// A copy would not run.
    Foreign,
}

/// The name that the kernel gives to this program's processor.
fn here() -> (&'static str, &'static str) {
    ("Linux", std::env::consts::ARCH)
}

impl Found {
    fn decide(&self, ours: &str, copy: bool, again: bool) -> Decision {
        let fits = (self.system.as_str(), self.machine.as_str()) == here();
        let version = format!("autotuner {VERSION}");
        match &self.program {
            Some(program) if program.sha256 == ours && !again => Decision::Use(program.path.clone()),
            _ if copy && fits => Decision::Copy,
            // A build of the same version for another machine, or a person's own.
            Some(program) if program.version.as_deref() == Some(version.as_str()) => {
                Decision::Use(program.path.clone())
            }
            _ if !copy => Decision::NotAllowed,
            _ => Decision::Foreign,
        }
    }
}

impl There {
    /// What a machine said, for people.
    fn clean(&self, text: &str) -> String {
        self.secrets.clean(text)
    }

    /// The same of an error.
    pub(super) fn failed(&self, error: SshError) -> MachineError {
        MachineError::Ssh(match error {
            SshError::Failed { target, said } => SshError::Failed { target, said: self.clean(&said) },
            SshError::Unreachable { target, said } => SshError::Unreachable { target, said: self.clean(&said) },
            other => other,
        })
    }

    /// The last lines of a worker, for people.
    pub(super) fn told(&self, lines: &[String]) -> String {
        if lines.is_empty() { "nothing".to_owned() } else { self.clean(&lines.join(" | ")) }
    }

    /// Sees to it that this version of the program is there. Gives its path, and whether it was copied.
    pub(super) async fn program(
        &self,
        ours: &Path,
        copy: bool,
        again: bool,
        say: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(String, bool), MachineError> {
        let said = self.ssh.run(&script(PROBE, &[]), Input::Nothing, ANSWERS).await.map_err(|e| self.failed(e))?;
        let odd = || MachineError::Odd { target: self.target.clone(), said: self.clean(said.trim()) };
        let found = found(&said).ok_or_else(odd)?;
        // A large file: read only now that the machine is there.
        let ours = Ours::read(ours).await?;
        match found.decide(&ours.sha256, copy, again) {
            Decision::Use(path) => return Ok((path, false)),
            Decision::Copy => {}
            Decision::NotAllowed => {
                let found = found.program.map(|program| match program.version {
                    Some(version) => format!("{version} at {}", program.path),
                    None => format!("a program at {} that does not run", program.path),
                });
                let found = found.map(|text| self.clean(&text));
                return Err(MachineError::NotInstalled { target: self.target.clone(), found, wanted: VERSION });
            }
            Decision::Foreign => {
                let (system, machine) = here();
                return Err(MachineError::Platform {
                    target: self.target.clone(),
                    ours: format!("{system} on {machine}"),
                    theirs: self.clean(&format!("{} on {}", found.system, found.machine)),
                });
            }
        }
        say(format!("copying the program to {} ({} MiB)", self.target, ours.bytes.div_ceil(1 << 20)));
        let command = script(COPY_HERE, &[&ours.sha256]);
        let said = self.ssh.run(&command, Input::File(ours.path), COPY).await.map_err(|e| self.failed(e))?;
        let damaged = |said: &str| MachineError::Copy { target: self.target.clone(), said: self.clean(said) };
        let mut path = None;
        for (name, value) in lines(&said) {
            match name {
                "program" => path = Some(value.to_owned()),
                "sha256" if value.is_empty() => {
                    return Err(damaged("it has neither sha256sum nor shasum, or no room"));
                }
                "sha256" => return Err(damaged("its checksum is another one")),
                "broken" => return Err(damaged(&format!("it does not run there: {value}"))),
                _ => {}
            }
        }
        path.map(|path| (path, true)).ok_or_else(|| damaged(said.trim()))
    }
}

/// The command that starts a worker there and reads its order.
pub(super) fn start_command(program: &str) -> String {
    format!("{} start-worker", quote(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(program: Option<(&str, &str)>) -> Found {
        let (system, machine) = here();
        let program = program.map(|(version, sha256)| Program {
            path: "/bin/autotuner".to_owned(),
            version: Some(version.to_owned()),
            sha256: sha256.to_owned(),
        });
        Found { system: system.to_owned(), machine: machine.to_owned(), program }
    }

    #[test]
    fn the_program_is_copied_where_it_is_absent_or_another_one_and_would_run() {
        let version = format!("autotuner {VERSION}");
        let used = || Decision::Use("/bin/autotuner".to_owned());
        assert_eq!(there(None).decide("a", true, false), Decision::Copy);
        assert_eq!(there(None).decide("a", false, false), Decision::NotAllowed);
        assert_eq!(there(Some((&version, "a"))).decide("a", false, false), used());
        assert_eq!(there(Some((&version, "a"))).decide("a", true, true), Decision::Copy, "again");
        assert_eq!(there(Some((&version, "b"))).decide("a", true, false), Decision::Copy);
        assert_eq!(there(Some((&version, "b"))).decide("a", false, false), used());
        assert_eq!(there(Some(("autotuner 0.0.1", "b"))).decide("a", false, false), Decision::NotAllowed);
        let foreign = |program| Found { machine: "sparc64".to_owned(), ..there(program) };
        assert_eq!(foreign(None).decide("a", true, false), Decision::Foreign);
        assert_eq!(foreign(Some((&version, "b"))).decide("a", true, false), used(), "its own build of this version");
    }

    #[test]
    fn a_machine_is_understood_whatever_its_login_says() {
        let text = "Welcome!\ntuner> system Linux\r\ntuner> machine x86_64\ntuner> program /a b/autotuner\ntuner> version autotuner 0.1.0\ntuner> sha256 ab\nbye";
        let program =
            Program { path: "/a b/autotuner".into(), version: Some("autotuner 0.1.0".into()), sha256: "ab".into() };
        let wanted = Found { system: "Linux".into(), machine: "x86_64".into(), program: Some(program) };
        assert_eq!(found(text), Some(wanted));
        assert_eq!(found("This account is currently not available."), None);
        for text in [PROBE, COPY_HERE] {
            assert!(!text.contains(['\'', '\\', '\n', '!']), "{text}");
        }
    }

    /// The scripts do here what they do there.
    #[test]
    fn a_copy_is_taken_only_whole() {
        let home = tempfile::tempdir().unwrap();
        let run = |text: &str, argument: &str, input: &[u8]| {
            use std::io::Write;
            let mut shell = std::process::Command::new("sh");
            shell.arg("-c").arg(script(text, &[argument])).env("HOME", home.path());
            shell.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            let mut child = shell.spawn().unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
        };
        let program = b"#!/bin/sh\necho autotuner 9\n";
        let sum = tuner_core::hex(&Sha256::digest(program));
        let cut = run(COPY_HERE, &sum, &program[..5]);
        assert!(lines(&cut).any(|(name, _)| name == "sha256"), "{cut}");
        let folder = home.path().join(".local/bin");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing of it is left");
        let whole = run(COPY_HERE, &sum, program);
        assert_eq!(whole.trim(), format!("tuner> program {}", folder.join("autotuner").display()));
        let seen = found(&run(PROBE, "", b"")).unwrap().program.unwrap();
        assert_eq!((seen.version.as_deref(), seen.sha256), (Some("autotuner 9"), sum));
    }
}
