//! Names that become addresses and paths: of repositories, revisions and files.
//!
//! *Invariant*: what passes here, joined to a folder, lies in that folder, links that lie there already included.

use std::path::{Component, Path, PathBuf};

use crate::HubError;

/// Owner (old models have none) and name.
pub(super) fn repo(id: &str) -> Result<(Option<&str>, &str), HubError> {
    let plain = |part: &str| {
        let letters = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        letters && !part.is_empty() && part.len() <= 96 && !part.starts_with(['.', '-']) && !part.contains("..")
    };
    let wrong = || HubError::Argument { what: format!("{id:?} names no model; write it as owner/name") };
    match id.split_once('/') {
        None if plain(id) => Ok((None, id)),
        Some((owner, name)) if plain(owner) && plain(name) => Ok((Some(owner), name)),
        _ => Err(wrong()),
    }
}

/// A branch, a tag, a commit, or a reference such as `refs/pr/1`.
pub(super) fn revision(name: &str) -> Result<&str, HubError> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./+".contains(c));
    let good = letters && name.len() <= 200 && inside(name).is_some();
    if good { Ok(name) } else { Err(HubError::Argument { what: format!("{name:?} is no revision") }) }
}

/// Whether it is a hexadecimal number of one of these lengths.
pub(super) fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name as a path that goes only down.
pub(super) fn inside(name: &str) -> Option<PathBuf> {
    let odd = name.is_empty()
        || name.len() > 1000
        || name.contains(['\\', '\0'])
        || name.chars().any(char::is_control)
        || name.split('/').any(|part| part.is_empty() || part == "." || part == ".." || part.len() > 255);
    if odd {
        return None;
    }
    let path = Path::new(name);
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| path.to_owned())
}

/// Makes the folder of `name` below `root`, refusing to pass a link that leads out, and gives the place of the file.
pub(super) fn place(root: &Path, name: &str, repo: &str) -> Result<PathBuf, HubError> {
    let escapes = || HubError::Escapes { repo: repo.to_owned(), name: name.to_owned() };
    let path = inside(name).ok_or_else(escapes)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| HubError::File { path, source }
    };
    std::fs::create_dir_all(root).map_err(failed(root))?;
    let root = root.canonicalize().map_err(failed(root))?;
    let mut folder = root.clone();
    for part in path.parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        if let Err(source) = std::fs::create_dir(&folder)
            && source.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(HubError::File { path: folder, source });
        }
        let real = folder.canonicalize().map_err(failed(&folder))?;
        if !real.starts_with(&root) {
            return Err(escapes());
        }
        folder = real;
    }
    Ok(folder.join(path.file_name().ok_or_else(escapes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_models_and_revisions_are_plain() {
        assert_eq!(repo("gpt2").unwrap(), (None, "gpt2"));
        assert_eq!(repo("acme/tiny-0.5B_x").unwrap(), (Some("acme"), "tiny-0.5B_x"));
        for wrong in ["", "a/b/c", "../x", "a/..", "a/b c", "/a", "a/", "a/.git", "-a/b", "a/b?c", "a/b%2e"] {
            assert!(repo(wrong).is_err(), "{wrong}");
        }
        for good in ["main", "v1.0", "refs/pr/1", &"a".repeat(40)] {
            assert!(revision(good).is_ok(), "{good}");
        }
        for wrong in ["", "../main", "a//b", "/a", "a b", "a?b"] {
            assert!(revision(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_leads_out_has_no_place() {
        for wrong in ["", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a\\..\\x", "a\0b", "a/\nb"] {
            assert_eq!(inside(wrong), None, "{wrong:?}");
        }
        assert_eq!(inside("a/b.c/.d"), Some(PathBuf::from("a/b.c/.d")));
    }

    #[test]
    fn a_link_that_leads_out_is_not_passed() {
        let home = tempfile::tempdir().unwrap();
        let (root, outside) = (home.path().join("root"), home.path().join("outside"));
        std::fs::create_dir_all(root.join("real")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        std::os::unix::fs::symlink("real", root.join("good")).unwrap();
        assert!(matches!(place(&root, "link/x", "a/b"), Err(HubError::Escapes { .. })));
        assert!(matches!(place(&root, "link/sub/x", "a/b"), Err(HubError::Escapes { .. })));
        assert!(!outside.join("sub").exists());
        assert!(place(&root, "good/x", "a/b").unwrap().ends_with("real/x"));
    }

    proptest! {
        #[test]
        fn whatever_passes_stays_below(name in "[a./\\\\\\x00-\\x7f]{0,12}") {
            if let Some(path) = inside(&name) {
                let joined = Path::new("/root-of-all").join(&path);
                prop_assert!(joined.starts_with("/root-of-all"));
                prop_assert!(!path.components().any(|part| part == Component::ParentDir));
            }
        }
    }
}
