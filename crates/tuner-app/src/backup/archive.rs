//! The file itself: a packed tar whose last entry says what the others are.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tuner_core::hex;

use super::{BackupError, Entry, FORMAT, MANIFEST, Manifest, VERSION, unreadable, unwritable};
use crate::files::Fleeting;

/// The largest manifest that is read.
const MOST: u64 = 256 << 20;

/// A backup in the making. Dropped before its end, it leaves nothing.
pub(super) struct Writer {
    part: Fleeting,
    tar: tar::Builder<GzEncoder<BufWriter<File>>>,
    pub(super) files: Vec<Entry>,
}

impl Writer {
    pub(super) fn begin(place: &Path) -> Result<Self, BackupError> {
        let part = Fleeting::beside(place, ".part");
        // It holds the hashes of tokens, and task files may hold more.
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part.0);
        let file = BufWriter::new(file.map_err(unwritable(&part.0))?);
        Ok(Self { part, tar: tar::Builder::new(GzEncoder::new(file, Compression::fast())), files: Vec::new() })
    }

    /// Adds a file as it is now: what is written to it meanwhile is left out.
    pub(super) fn add(&mut self, name: &str, from: &Path) -> Result<(), BackupError> {
        let file = match File::open(from) {
            Ok(file) => file,
            // It was there when the folder was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(from)(error)),
        };
        let bytes = file.metadata().map_err(unreadable(from))?.len();
        let mut content = Hashed { from: BufReader::new(file), left: bytes, digest: Sha256::new() };
        self.tar.append_data(&mut header(bytes), name, &mut content).map_err(unwritable(&self.part.0))?;
        let sha256 = hex(&content.digest.finalize());
        self.files.push(Entry { path: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    /// Says what it is and gives it its name.
    pub(super) fn finish(self, manifest: &Manifest, place: &Path) -> Result<(), BackupError> {
        let Self { part, mut tar, .. } = self;
        let text = serde_json::to_vec_pretty(manifest).unwrap_or_default();
        let fail = unwritable(&part.0);
        tar.append_data(&mut header(text.len() as u64), MANIFEST, text.as_slice()).map_err(&fail)?;
        let file = tar.into_inner().and_then(GzEncoder::finish).map_err(&fail)?;
        let file = file.into_inner().map_err(|error| fail(error.into_error()))?;
        file.sync_all().map_err(&fail)?;
        // A link, unlike a renaming, replaces nothing.
        std::fs::hard_link(&part.0, place).map_err(unwritable(place))
    }
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

/// Exactly so many bytes of a file, and their checksum: one that was cut meanwhile is filled up.
struct Hashed<R> {
    from: R,
    left: u64,
    digest: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|b| !b.is_empty()) else { return Ok(0) };
        let mut n = self.from.read(buffer)?;
        if n == 0 {
            buffer.fill(0);
            n = buffer.len();
        }
        self.left -= n as u64;
        self.digest.update(&buffer[..n]);
        Ok(n)
    }
}

/// Hands every entry but the manifest to `take`, in order; gives the manifest and what the entries really are.
pub(super) fn read(
    place: &Path,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<(), BackupError>,
) -> Result<(Manifest, Vec<Entry>), BackupError> {
    let file = File::open(place).map_err(unreadable(place))?;
    let damaged = |why: String| BackupError::Damaged { path: place.to_owned(), why };
    let broken = |error: io::Error| damaged(error.to_string());
    let mut tar = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    let (mut manifest, mut found): (Option<Manifest>, Vec<Entry>) = (None, Vec::new());
    for entry in tar.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !is_inside(&name) {
            return Err(damaged(format!("it has an entry {name:?}")));
        }
        if manifest.is_some() {
            return Err(damaged("something follows its end".to_owned()));
        }
        let bytes = entry.size();
        if name == MANIFEST {
            let mut text = Vec::new();
            entry.take(MOST).read_to_end(&mut text).map_err(broken)?;
            manifest = Some(serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?);
            continue;
        }
        let mut content = Counted { from: entry, bytes: 0, digest: Sha256::new() };
        take(&name, &mut content)?;
        io::copy(&mut content, &mut io::sink()).map_err(broken)?;
        if content.bytes != bytes {
            return Err(damaged(format!("{name} is cut short")));
        }
        found.push(Entry { path: name, bytes, sha256: hex(&content.digest.finalize()) });
    }
    // The packing's own checksum stands behind everything.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(broken)?;
    let manifest = manifest.ok_or_else(|| damaged("its end is missing".to_owned()))?;
    Ok((manifest, found))
}

/// What is read, counted.
struct Counted<R> {
    from: R,
    bytes: u64,
    digest: Sha256,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.bytes += n as u64;
        self.digest.update(&buffer[..n]);
        Ok(n)
    }
}

/// A path that stays where it is put.
fn is_inside(name: &str) -> bool {
    !name.starts_with('/') && name.split('/').all(|part| !part.is_empty() && part != ".." && part != ".")
}

/// Reads every byte of a backup and compares it with what the backup says.
pub(super) fn check(place: &Path) -> Result<Manifest, BackupError> {
    let (manifest, found) = read(place, |_, _| Ok(()))?;
    let damaged = |why: String| BackupError::Damaged { path: place.to_owned(), why };
    if manifest.format != FORMAT {
        return Err(damaged(format!("it is a {:?}", manifest.format)));
    }
    if manifest.version > VERSION || !tuner_store::Dumped::is_readable(&manifest.schema) {
        let Manifest { program, schema, .. } = manifest;
        return Err(BackupError::Newer { path: place.to_owned(), program, schema });
    }
    let differ = found.iter().zip(&manifest.files).find(|(found, said)| found != said);
    match differ {
        Some((found, said)) if found.path == said.path => Err(damaged(format!("{} was changed", found.path))),
        Some((found, said)) => Err(damaged(format!("it has {} in the place of {}", found.path, said.path))),
        None if found.len() != manifest.files.len() => {
            Err(damaged(format!("it has {} files instead of {}", found.len(), manifest.files.len())))
        }
        None => Ok(manifest),
    }
}

/// Writes what is left of an entry to a new file.
pub(super) fn put(content: &mut dyn Read, to: &Path) -> Result<(), BackupError> {
    let fail = unwritable(to);
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(&fail)?;
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(to).map_err(&fail)?;
    io::copy(content, &mut file).map_err(&fail)?;
    file.flush().map_err(&fail)
}
