//! Small questions about files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file that goes with its name: what is not whole, or only needed for a moment.
#[derive(Debug)]
pub(crate) struct Fleeting(pub(crate) PathBuf);

impl Fleeting {
    /// One beside `place`, whose name ends with `ending`.
    pub(crate) fn beside(place: &Path, ending: &str) -> Self {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        Self(place.with_file_name(name))
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        // That it cannot be removed does not matter: nobody looks for it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Whether a program can be executed: a path as it is, a bare name by looking through `path`.
pub(crate) fn is_executable(program: &str, path: Option<&OsStr>) -> bool {
    let good = |file: &Path| file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return good(Path::new(program));
    }
    !program.is_empty() && path.is_some_and(|path| std::env::split_paths(path).any(|dir| good(&dir.join(program))))
}

/// Whether a Python program finds a module; of `a.b` the package `a` is looked for, without running any of it.
pub(crate) fn has_module(python: &str, module: &str) -> bool {
    const LOOK: &str = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)";
    let package = module.split('.').next().unwrap_or(module);
    let output = std::process::Command::new(python).args(["-c", LOOK, package]).output();
    output.is_ok_and(|o| o.status.success())
}

/// Bytes of the weights in a Hugging Face folder: what its index says, else what its files hold. `None` without weights.
pub(crate) fn weights_bytes(folder: &Path) -> Option<u64> {
    let index = std::fs::read_to_string(folder.join("model.safetensors.index.json")).ok();
    let index: Option<serde_json::Value> = index.and_then(|text| serde_json::from_str(&text).ok());
    let total = index.and_then(|i| i.pointer("/metadata/total_size")?.as_u64());
    // Some folders hold the same weights twice, in another layout under another name.
    let weights = |name: &str| name.starts_with("model") && name.ends_with(".safetensors");
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let sizes = files.filter(|f| f.file_name().to_str().is_some_and(weights));
    let stored: u64 = sizes.filter_map(|f| std::fs::metadata(f.path()).ok()).map(|m| m.len()).sum();
    total.or((stored > 0).then_some(stored))
}

/// Files that a Hugging Face folder needs and does not have: `config.json`, some weights, and every shard that its
/// index names.
pub(crate) fn missing_shards(folder: &Path) -> Vec<String> {
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    let index = std::fs::read_to_string(folder.join("model.safetensors.index.json")).ok();
    let index: Option<serde_json::Value> = index.and_then(|text| serde_json::from_str(&text).ok());
    let mut wanted = BTreeSet::from(["config.json".to_owned()]);
    let shards = index.as_ref().and_then(|i| i.get("weight_map")?.as_object());
    wanted.extend(shards.into_iter().flat_map(|m| m.values()).filter_map(|v| v.as_str().map(str::to_owned)));
    let weights = |name: &String| [".safetensors", ".bin", ".pt", ".gguf"].iter().any(|end| name.ends_with(end));
    if !there.iter().any(weights) {
        wanted.insert("model.safetensors".to_owned());
    }
    wanted.into_iter().filter(|name| !there.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // R14.1
    #[test]
    fn an_incomplete_folder_names_the_missing_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(missing_shards(folder.path()), ["config.json", "model.safetensors"]);
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("config.json", "{}");
        write("model.safetensors.index.json", r#"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#);
        write("m-1.safetensors", "");
        assert_eq!(missing_shards(folder.path()), ["m-2.safetensors"]);
    }

    #[test]
    fn a_program_is_found_on_the_path_and_by_its_path() {
        let path = std::ffi::OsString::from("/usr/bin:/bin");
        assert!(is_executable("sh", Some(&path)) && is_executable("/bin/sh", None));
        assert!(has_module("python3", "json.decoder") && !has_module("python3", "no_such_module.x"));
        assert!(!is_executable("no-such-program", Some(&path)) && !is_executable("", Some(&path)));
    }
}
