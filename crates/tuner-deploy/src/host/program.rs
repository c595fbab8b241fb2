//! The output of a small program, within a limit.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Why a program gave no output.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoOutput {
    #[error("{program} is not installed")]
    Missing { program: String },
    #[error("{program} did not answer within {limit:?}")]
    Hangs { program: String, limit: Duration },
    #[error("{program} failed: {message}")]
    Failed { program: String, message: String },
}

/// Runs the program and returns its standard output. Made for outputs that fit into a pipe (64 KiB).
pub(crate) fn output(program: &str, args: &[&str], limit: Duration) -> Result<String, NoOutput> {
    let failed = |message: String| NoOutput::Failed { program: program.to_owned(), message };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => NoOutput::Missing { program: program.to_owned() },
            _ => failed(e.to_string()),
        })?;
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if began.elapsed() < limit => sleep(Duration::from_millis(5)),
            // Not waited for after the kill: a driver that hangs keeps its callers even then.
            Ok(None) => {
                let _ = child.kill();
                return Err(NoOutput::Hangs { program: program.to_owned(), limit });
            }
            Err(e) => return Err(failed(e.to_string())),
        }
    };
    let mut text = String::new();
    let mut errors = String::new();
    let _ = child.stdout.take().map(|mut out| out.read_to_string(&mut text));
    let _ = child.stderr.take().map(|mut err| err.read_to_string(&mut errors));
    if status.success() {
        Ok(text)
    } else {
        let said = if errors.trim().is_empty() { &text } else { &errors };
        let line = said.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("no message");
        Err(failed(line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_speaks_fails_hangs_or_is_missing() {
        assert_eq!(output("sh", &["-c", "echo hello"], LONG), Ok("hello\n".into()));
        assert!(matches!(output("sh", &["-c", "echo broken >&2; exit 3"], LONG),
            Err(NoOutput::Failed { message, .. }) if message == "broken"));
        assert!(matches!(output("sleep", &["600"], Duration::from_millis(1)), Err(NoOutput::Hangs { .. })));
        assert!(matches!(output("/nonexistent/x", &[], LONG), Err(NoOutput::Missing { .. })));
    }
}
