//! Files and programs of this machine, for the agent: confined, without a shell.
//!
//! *Invariant*: paths stay below the data directory, whatever links lie on the way; files are written into its `notes`
//! folder alone; a program is one of an allow-list, its arguments are handed over as they are, and it dies with its time;
//! of containers and Kubernetes objects only those with our label are seen.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tuner_policy::Action;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;

/// Bytes of a file that are read at once.
pub const FILE_PART: u64 = 256 << 10;
/// Bytes of a file that is written.
const FILE_MOST: usize = 1 << 20;
/// Bytes that are kept of what a program says.
const OUTPUT: u64 = 256 << 10;
/// How long a program may run.
const PATIENCE: Duration = Duration::from_secs(60);
/// The variable that may hold the database's password.
const DATABASE: &str = "AUTOTUNER_DATABASE";
/// The label of what this service started.
const LABEL: &str = "inference-autotuner";
/// Beginnings of names that are read by nobody: the database holds hashes of tokens and everything else, the agent's
/// settings a key, and its rules are not its own to know.
const CLOSED: [&str; 3] = ["autotuner.sqlite", "agent.json", "policy.json"];

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its path below the data directory.
    pub path: String,
    /// Bytes; absent for folders.
    pub bytes: Option<u64>,
}

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its exit code; absent if it was killed.
    pub exit_code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

fn invalid(field: &'static str, message: impl Into<String>) -> AppError {
    AppError::Invalid { field, message: message.into() }
}

fn is_closed(name: &str) -> bool {
    CLOSED.iter().any(|beginning| name.starts_with(beginning))
}

/// A path below a folder; refuses whatever leads out of it.
fn below(root: &Path, wanted: &str) -> Result<PathBuf, AppError> {
    let path = Path::new(wanted);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain || wanted.contains('\0') || wanted.len() > 1024 {
        return Err(invalid("path", format!("{wanted:?} is no path below the data directory")));
    }
    if path.file_name().and_then(|name| name.to_str()).is_some_and(is_closed) {
        return Err(invalid("path", format!("{wanted:?} is not for reading")));
    }
    Ok(root.join(path))
}

/// The same for what is there: links are followed before it is judged.
fn inside(root: &Path, wanted: &str) -> Result<PathBuf, AppError> {
    let path = below(root, wanted)?;
    let absent = || AppError::Absent { what: format!("file {wanted:?} in the data directory") };
    let (root, path) = (root.canonicalize().map_err(|_| absent())?, path.canonicalize().map_err(|_| absent())?);
    if !path.starts_with(&root) {
        return Err(invalid("path", format!("{wanted:?} leads out of the data directory")));
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if is_closed(name) {
        return Err(invalid("path", format!("{wanted:?} is not for reading")));
    }
    Ok(path)
}

impl Service {
    /// What is in a folder of the data directory.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a path that leads out; [`AppError::Absent`].
    pub async fn list_files(&self, permit: &Permit, folder: &str) -> Result<Vec<Item>, AppError> {
        permit.must_be_for(Action::MachineUse)?;
        let root = self.home().root().to_owned();
        let place = inside(&root, if folder.is_empty() { "." } else { folder })?;
        let read = |source| AppError::Read { path: place.clone(), source };
        let mut items = Vec::new();
        for entry in std::fs::read_dir(&place).map_err(read)?.flatten().take(1000) {
            let shown = Path::new(folder).join(entry.file_name()).to_string_lossy().into_owned();
            let bytes = entry.metadata().ok().filter(|m| m.is_file()).map(|m| m.len());
            items.push(Item { path: shown, bytes });
        }
        items.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(items)
    }

    /// A part of a file of the data directory, and how long the whole is.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a path that leads out; [`AppError::Absent`].
    pub async fn read_file(&self, permit: &Permit, path: &str, offset: u64) -> Result<(String, u64), AppError> {
        permit.must_be_for(Action::MachineUse)?;
        let path = inside(self.home().root(), path)?;
        let fail = |source| AppError::Read { path: path.clone(), source };
        if !path.is_file() {
            return Err(invalid("path", "it is no file"));
        }
        let mut file = tokio::fs::File::open(&path).await.map_err(fail)?;
        let size = file.metadata().await.map_err(fail)?.len();
        tokio::io::AsyncSeekExt::seek(&mut file, std::io::SeekFrom::Start(offset.min(size))).await.map_err(fail)?;
        let mut bytes = Vec::new();
        file.take(FILE_PART).read_to_end(&mut bytes).await.map_err(fail)?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), size))
    }

    /// Writes a file of the `notes` folder of the data directory, whole.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a path that leads out, or a text that is too long; [`AppError::Write`].
    pub async fn write_note(&self, permit: &Permit, path: &str, text: &str) -> Result<Item, AppError> {
        permit.must_be_for(Action::MachineUse)?;
        if text.len() > FILE_MOST {
            return Err(invalid("text", format!("it is longer than {FILE_MOST} bytes")));
        }
        let notes = self.home().root().join("notes");
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| AppError::Write { path, source }
        };
        std::fs::create_dir_all(&notes).map_err(fail(&notes))?;
        let place = below(&notes, path)?;
        let folder = place.parent().unwrap_or(&notes);
        std::fs::create_dir_all(folder).map_err(fail(folder))?;
        // A link on the way would lead out.
        let real = folder.canonicalize().map_err(fail(folder))?;
        if !real.starts_with(notes.canonicalize().map_err(fail(&notes))?) || place.is_symlink() {
            return Err(invalid("path", format!("{path:?} leads out of the notes folder")));
        }
        tokio::fs::write(&place, text).await.map_err(fail(&place))?;
        Ok(Item { path: format!("notes/{path}"), bytes: Some(text.len() as u64) })
    }

    /// Runs a program of an allow-list with arguments as they are.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a program that is not listed.
    pub async fn run_program(
        &self,
        permit: &Permit,
        allowed: &BTreeMap<String, String>,
        program: &str,
        arguments: &[String],
    ) -> Result<Said, AppError> {
        permit.must_be_for(Action::MachineUse)?;
        let Some(path) = allowed.get(program) else {
            let known: Vec<&String> = allowed.keys().collect();
            return Err(invalid("program", format!("{program:?} is not on the allow-list; there are {known:?}")));
        };
        self.run(path, arguments).await
    }

    /// Looks at or stops containers with our label.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a container that is not ours, or where there is no Docker.
    pub async fn containers(&self, permit: &Permit, wish: &str, container: Option<&str>) -> Result<Said, AppError> {
        permit.must_be_for(Action::MachineUse)?;
        let label = format!("label={LABEL}");
        let all = ["ps", "--all", "--no-trunc", "--filter", &label, "--format", "{{json .}}"].map(str::to_owned);
        let listed = self.run("docker", &all).await?;
        if wish == "list" {
            return Ok(listed);
        }
        let wanted = container.ok_or_else(|| invalid("container", "name one of the list"))?;
        // Only what the list with our label names.
        let ours = listed.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let id = ours
            .filter(|row| row["Names"].as_str() == Some(wanted) || row["ID"].as_str() == Some(wanted))
            .find_map(|row| row["ID"].as_str().map(str::to_owned))
            .ok_or_else(|| invalid("container", format!("{wanted:?} is no container of this service")))?;
        let words: Vec<String> = match wish {
            "logs" => ["logs", "--tail", "400", &id].map(str::to_owned).to_vec(),
            "stop" => ["stop", "--time", "20", &id].map(str::to_owned).to_vec(),
            other => return Err(invalid("action", format!("{other:?} is not list, logs or stop"))),
        };
        self.run("docker", &words).await
    }

    /// Looks at or deletes Kubernetes objects with our label, in one namespace.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for names that are none, or where there is no kubectl.
    pub async fn kubernetes(
        &self,
        permit: &Permit,
        wish: &str,
        kind: &str,
        name: Option<&str>,
    ) -> Result<Said, AppError> {
        permit.must_be_for(Action::MachineUse)?;
        const KINDS: [&str; 5] = ["pods", "deployments", "services", "jobs", "inferenceservices"];
        if !KINDS.contains(&kind) {
            return Err(invalid("kind", format!("{kind:?} is not one of {}", KINDS.join(", "))));
        }
        let word =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
        if let Some(name) = name
            && !(word(name) && !name.starts_with('-'))
        {
            return Err(invalid("name", format!("{name:?} is no name of an object")));
        }
        let namespace = ["--namespace", LABEL];
        let selector = format!("--selector=app.kubernetes.io/managed-by={LABEL}");
        let words: Vec<&str> = match (wish, name) {
            ("list", _) => [&["get", kind, "--output", "wide", &selector][..], &namespace].concat(),
            ("logs", Some(name)) => [&["logs", name, "--tail", "400"][..], &namespace].concat(),
            // The selector keeps it to ours; the name to one of them.
            ("delete", Some(name)) => {
                let field = format!("--field-selector=metadata.name={name}");
                let words: Vec<String> = [&["delete", kind, &selector, &field, "--wait=false"][..], &namespace]
                    .concat()
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
                return self.run("kubectl", &words).await;
            }
            ("logs" | "delete", None) => return Err(invalid("name", "name the object")),
            (other, _) => return Err(invalid("action", format!("{other:?} is not list, logs or delete"))),
        };
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        self.run("kubectl", &words).await
    }

    async fn run(&self, program: &str, arguments: &[String]) -> Result<Said, AppError> {
        run(program, arguments, self.home().root(), &self.around().secrets).await
    }
}

/// What comes out of a pipe, as far as it is kept.
async fn text(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(OUTPUT).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a program; it ends with its time, or when nobody waits for it any more.
async fn run(
    program: &str,
    arguments: &[String],
    folder: &Path,
    secrets: &BTreeMap<String, String>,
) -> Result<Said, AppError> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    // What is secret of our environment is no program's.
    for name in secrets.keys().map(String::as_str).chain([DATABASE]) {
        command.env_remove(name);
    }
    let mut child =
        command.spawn().map_err(|error| invalid("program", format!("{program} cannot be started: {error}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async { tokio::join!(text(stdout), text(stderr), child.wait()) };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok((stdout, stderr, status)) => {
            let exit_code = status.ok().and_then(|status| status.code());
            Ok(Said { exit_code, stdout, stderr })
        }
        Err(_) => Err(invalid("program", format!("{program} took longer than {} s and was ended", PATIENCE.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.txt"), "a").unwrap();
        std::fs::write(root.path().join("autotuner.sqlite"), "secret").unwrap();
        std::os::unix::fs::symlink("/etc", root.path().join("etc")).unwrap();
        std::os::unix::fs::symlink(root.path().join("autotuner.sqlite"), root.path().join("innocent")).unwrap();
        assert!(inside(root.path(), "a.txt").is_ok() && inside(root.path(), "./a.txt").is_ok());
        for wrong in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            "etc/passwd",
            "autotuner.sqlite",
            "autotuner.sqlite-wal",
            "agent.json",
            "innocent",
            "a\0b",
            "",
        ] {
            let refused = inside(root.path(), wrong);
            assert!(refused.is_err() || wrong.is_empty(), "{wrong:?}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn arguments_reach_a_program_as_they_are() {
        let here = std::env::temp_dir();
        let (words, none) = (["%s|", "a b; rm -rf /", "$HOME"].map(str::to_owned), BTreeMap::new());
        let said = run("printf", &words, &here, &none).await;
        assert_eq!(said.unwrap().stdout, "a b; rm -rf /|$HOME|");
    }
}
