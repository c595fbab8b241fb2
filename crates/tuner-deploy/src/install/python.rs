//! The Python that makes private environments.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::InstallError;

const PROBE: &str = "import sys
print('%d.%d' % sys.version_info[:2])
import importlib.util
print(','.join(m for m in ('venv', 'ensurepip') if importlib.util.find_spec(m) is None))";

/// Whether `python` runs, is new enough, and can make environments.
pub(super) async fn check(python: &Path, folder: &Path) -> Result<(), InstallError> {
    let name = python.to_string_lossy().into_owned();
    let output = Command::new(python)
        .args(["-I", "-c", PROBE])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| InstallError::NoPython { python: name.clone(), source })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let version = lines.next().unwrap_or_default().trim().to_owned();
    if !at_least_3_10(&version) {
        return Err(InstallError::PythonTooOld { python: name, found: version });
    }
    match lines.next().map(str::trim) {
        Some(missing) if !missing.is_empty() => Err(InstallError::NoVenv { version, module: missing.to_owned() }),
        _ => Ok(()),
    }
}

fn at_least_3_10(version: &str) -> bool {
    let mut parts = version.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (3, 10)
}
