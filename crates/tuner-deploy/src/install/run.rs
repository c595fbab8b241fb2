//! Carries out one step of a plan.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tuner_engines::install::{Action, Step};

use super::InstallError;

/// Lines of a failed program that an error shows.
const SHOWN: usize = 15;

/// Runs a step. Every step may be run again over what an interrupted one left.
pub(super) async fn step(
    step: &Step,
    python: &Path,
    data_dir: &Path,
    log: &Path,
    say: &mut impl FnMut(Option<String>),
) -> Result<(), InstallError> {
    let at = |relative: &str| data_dir.join(relative);
    let full = |args: &[String]| -> Vec<String> {
        args.iter().map(|a| a.replace("{data}", &data_dir.to_string_lossy())).collect()
    };
    let program = |venv: &str| at(venv).join("bin/python");
    match &step.action {
        Action::Venv { at: venv } => {
            // An interrupted one may lack pip; making it again is cheap.
            let mut command = Command::new(python);
            command.args(["-m", "venv", "--clear"]).arg(at(venv));
            run(command, log, say).await?.map_err(|lines| failed(step, lines))
        }
        Action::Pip { venv, package, args } => {
            let mut command = Command::new(program(venv));
            command.args([
                "-m",
                "pip",
                "--disable-pip-version-check",
                "--no-input",
                "install",
                "--progress-bar",
                "off",
            ]);
            command.args(full(args));
            let done = run(command, log, say).await?;
            done.map_err(|lines| InstallError::Package { package: package.clone(), lines })
        }
        Action::Python { venv, args } => {
            let mut command = Command::new(program(venv));
            command.args(full(args));
            run(command, log, say).await?.map_err(|lines| failed(step, lines))
        }
        Action::Write { at: path, text, executable } => {
            let path = at(path);
            write(&path, text, *executable).map_err(|e| InstallError::io("write", &path, e))
        }
        Action::Rename { venv, from, to } => {
            let venv = at(venv);
            rename_metadata(&venv, from, to).map_err(|e| InstallError::io("rename a package in", &venv, e))
        }
        Action::Move { from, to } => {
            let (from, to) = (at(from), at(to));
            // Interrupted after the move: there is nothing left to do.
            if !from.exists() && to.exists() {
                return Ok(());
            }
            fs::rename(&from, &to).map_err(|e| InstallError::io("move", &from, e))
        }
        Action::Remove { at: path } => {
            let path = at(path);
            match fs::remove_dir_all(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(InstallError::io("remove", &path, e)),
                _ => Ok(()),
            }
        }
    }
}

fn failed(step: &Step, lines: Vec<String>) -> InstallError {
    InstallError::Step { label: step.label.clone(), lines }
}

/// Runs a program to its end, its output going to the log line by line. The inner error is its last lines.
async fn run(
    mut command: Command,
    log: &Path,
    say: &mut impl FnMut(Option<String>),
) -> Result<Result<(), Vec<String>>, InstallError> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let (reader, writer) = io::pipe().map_err(|e| InstallError::io("make a pipe for", log, e))?;
    let twin = writer.try_clone().map_err(|e| InstallError::io("make a pipe for", log, e))?;
    command.stdin(Stdio::null()).stdout(writer).stderr(twin).kill_on_drop(true);
    // Neither a person's virtual environment nor a plugin may leak into a private one.
    for name in ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"] {
        command.env_remove(name);
    }
    command.env("PYTHONUNBUFFERED", "1");
    let mut child = command.spawn().map_err(|source| InstallError::NoPython { python: name, source })?;
    // The command holds the writing ends; the reader would never see the end of the pipe.
    drop(command);
    let receiver = tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into())
        .map_err(|e| InstallError::io("read the output for", log, e))?;
    let mut lines = BufReader::new(receiver).split(b'\n');
    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .await
        .map_err(|e| InstallError::io("open", log, e))?;
    let mut tail: VecDeque<String> = VecDeque::new();
    while let Some(line) = lines.next_segment().await.map_err(|e| InstallError::io("read the output for", log, e))? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        file.write_all(format!("{line}\n").as_bytes()).await.map_err(|e| InstallError::io("write", log, e))?;
        if line.trim().is_empty() {
            continue;
        }
        say(Some(short(&line)));
        tail.push_back(line);
        if tail.len() > SHOWN {
            tail.pop_front();
        }
    }
    file.flush().await.map_err(|e| InstallError::io("write", log, e))?;
    let status = child.wait().await.map_err(|e| InstallError::io("wait for a program of", log, e))?;
    Ok(if status.success() { Ok(()) } else { Err(tail.into()) })
}

/// A line for a progress display.
fn short(line: &str) -> String {
    let line = line.trim();
    if line.chars().count() <= 100 { line.to_owned() } else { line.chars().take(99).chain(['…']).collect() }
}

fn write(path: &Path, text: &str, executable: bool) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let beside = path.with_extension("tmp");
    fs::write(&beside, text)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
    fs::rename(&beside, path)
}

/// Copies `FROM-x.y.dist-info` to `TO-x.y.dist-info` with the other name in it.
fn rename_metadata(venv: &Path, from: &str, to: &str) -> io::Result<()> {
    let packages = site_packages(venv)?;
    let prefix = format!("{from}-");
    let found = entries(&packages)?.into_iter().find_map(|path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let version = name.strip_prefix(&prefix)?.strip_suffix(".dist-info")?.to_owned();
        Some((path, version))
    });
    let (source, version) =
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no metadata of {from}")))?;
    let target = packages.join(format!("{to}-{version}.dist-info"));
    fs::create_dir_all(&target)?;
    for file in entries(&source)?.into_iter().filter(|f| f.is_file()) {
        let Some(name) = file.file_name() else { continue };
        fs::copy(&file, target.join(name))?;
    }
    let metadata = target.join("METADATA");
    let text = fs::read_to_string(&metadata)?;
    let renamed: Vec<String> = text
        .lines()
        .map(|line| if line.starts_with("Name: ") { format!("Name: {to}") } else { line.to_owned() })
        .collect();
    fs::write(metadata, renamed.join("\n") + "\n")
}

fn site_packages(venv: &Path) -> io::Result<PathBuf> {
    let lib = venv.join("lib");
    let inside = entries(&lib)?.into_iter().map(|p| p.join("site-packages")).find(|p| p.is_dir());
    inside.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no site-packages"))
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?;
    all.sort();
    Ok(all)
}
