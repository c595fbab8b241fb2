//! Data sets out of what they were packed in: gzip, Zstandard, zip, tar. What a file is, its first bytes say.
//!
//! *Invariant*: names inside an archive choose what is read and never where something is written: one file is made, the one
//! that the caller names. It is never larger than the limit, however small the archive is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Entries of an archive that are looked at.
const MOST_ENTRIES: usize = 10_000;
/// Names that a message shows.
const SHOWN: usize = 8;

/// What a file is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Nothing.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
}

/// Why nothing could be taken out.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The content would be larger than what is read.
    #[error("what is packed is larger than {most} bytes, the most that is kept; cut it, or split it")]
    TooLarge {
        /// The limit.
        most: u64,
    },
    /// There are several files, or the one that was named is missing.
    #[error("{}{}", which(wanted.as_deref()), listed(files, *more))]
    Which {
        /// What was asked for.
        wanted: Option<String>,
        /// Files in it.
        files: Vec<String>,
        /// Further ones.
        more: usize,
    },
    /// An archive of too many parts.
    #[error("the archive has more than {MOST_ENTRIES} entries")]
    TooMany,
    /// A member was named, and there are none.
    #[error("a member is named, and the file is no archive")]
    NoArchive,
    /// Packed twice in a way that is not taken apart.
    #[error("what is packed is packed again; unpack it once")]
    Nested,
    /// It is damaged, or packed in a way that is not read.
    #[error("it cannot be unpacked")]
    Damaged(#[source] io::Error),
    /// What is unpacked cannot be written.
    #[error("what is unpacked cannot be written")]
    Write(#[source] io::Error),
}

fn which(wanted: Option<&str>) -> String {
    match wanted {
        Some(wanted) => format!("the archive has no file {wanted:?}; it has "),
        None => "the archive has not one file of data; name one of ".to_owned(),
    }
}

fn listed(files: &[String], more: usize) -> String {
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if files.is_empty() { "no files".to_owned() } else { format!("{}{more}", files.join(", ")) }
}

impl Packing {
    /// What the first bytes of a file say.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(input: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut head = [0; 512];
        let n = fill(input, &mut head)?;
        input.seek(SeekFrom::Start(0))?;
        Ok(Self::of_head(&head[..n]))
    }

    fn of_head(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            _ if head.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => Self::Plain,
        }
    }
}

/// Takes the data out of a file into a new one. `member` names a file of an archive that has several. Gives the number of
/// bytes.
///
/// # Errors
/// [`UnpackError`]; then the new file may hold a part.
pub fn unpack(from: &mut File, to: &mut File, member: Option<&str>, most: u64) -> Result<u64, UnpackError> {
    let packing = Packing::of(from).map_err(UnpackError::Damaged)?;
    let mut out = Limited { to, written: 0, most };
    let input = BufReader::new(from);
    match packing {
        Packing::Plain if member.is_some() => return Err(UnpackError::NoArchive),
        Packing::Plain => out.copy(input)?,
        Packing::Gzip => stream(MultiGzDecoder::new(input), member, &mut out)?,
        Packing::Zstd => stream(Frames::new(input).map_err(UnpackError::Damaged)?, member, &mut out)?,
        Packing::Zip => zipped(input, member, &mut out)?,
        Packing::Tar => tarred(input, member, &mut out)?,
    }
    out.to.flush().map_err(UnpackError::Write)?;
    Ok(out.written)
}

/// Zstandard frames, one after the other.
struct Frames<R: Read>(Option<StreamingDecoder<R, FrameDecoder>>);

impl<R: BufRead> Frames<R> {
    fn new(input: R) -> io::Result<Self> {
        let decoder = StreamingDecoder::new(input);
        Ok(Self(Some(decoder.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?)))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.0 else { return Ok(0) };
            let n = decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Some(mut input) = self.0.take().map(StreamingDecoder::into_inner) else { return Ok(0) };
            if !input.fill_buf()?.is_empty() {
                *self = Self::new(input)?;
            }
        }
    }
}

/// One packed stream: the data itself, or a tar of it.
fn stream(mut input: impl Read, member: Option<&str>, out: &mut Limited<'_>) -> Result<(), UnpackError> {
    let mut head = vec![0; 512];
    let n = fill(&mut input, &mut head).map_err(UnpackError::Damaged)?;
    head.truncate(n);
    let packing = Packing::of_head(&head);
    let whole = io::Cursor::new(head).chain(input);
    match packing {
        Packing::Tar => tarred(whole, member, out),
        Packing::Plain if member.is_some() => Err(UnpackError::NoArchive),
        Packing::Plain => out.copy(whole),
        _ => Err(UnpackError::Nested),
    }
}

/// A tar is read once from its beginning: what is taken is known only when everything was seen, so the first file is kept
/// until a second one shows up.
fn tarred(input: impl Read, member: Option<&str>, out: &mut Limited<'_>) -> Result<(), UnpackError> {
    let mut archive = tar::Archive::new(input);
    let mut found = Choice::new(member);
    for (n, entry) in archive.entries().map_err(UnpackError::Damaged)?.enumerate() {
        if n >= MOST_ENTRIES {
            return Err(UnpackError::TooMany);
        }
        let entry = entry.map_err(UnpackError::Damaged)?;
        // Links, devices and directories are no data, whatever they point at.
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if found.takes(&name) {
            out.copy(entry)?;
        }
    }
    found.done()
}

fn zipped(input: impl Read + Seek, member: Option<&str>, out: &mut Limited<'_>) -> Result<(), UnpackError> {
    let damaged = |error: zip::result::ZipError| UnpackError::Damaged(io::Error::other(error));
    let mut archive = zip::ZipArchive::new(input).map_err(damaged)?;
    if archive.len() > MOST_ENTRIES {
        return Err(UnpackError::TooMany);
    }
    let mut found = Choice::new(member);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        if entry.is_dir() || entry.is_symlink() {
            continue;
        }
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if found.takes(&name) {
            out.copy(entry)?;
        }
    }
    found.done()
}

/// Which file of an archive is taken: the one that was named, or the only one.
struct Choice<'a> {
    member: Option<&'a str>,
    files: Vec<String>,
    taken: usize,
}

impl<'a> Choice<'a> {
    fn new(member: Option<&'a str>) -> Self {
        Self { member, files: Vec::new(), taken: 0 }
    }

    /// Notes a file; whether it is to be taken.
    fn takes(&mut self, name: &str) -> bool {
        if !is_data(name) && self.member != Some(name) {
            return false;
        }
        self.files.push(name.to_owned());
        let wanted = self.member.map_or(self.files.len() == 1, |member| member == name && self.taken == 0);
        self.taken += usize::from(wanted);
        wanted
    }

    fn done(mut self) -> Result<(), UnpackError> {
        let one = match self.member {
            Some(_) => self.taken == 1,
            None => self.files.len() == 1,
        };
        if one {
            return Ok(());
        }
        let more = self.files.len().saturating_sub(SHOWN);
        self.files.truncate(SHOWN);
        Err(UnpackError::Which { wanted: self.member.map(str::to_owned), files: self.files, more })
    }
}

/// Whether a file of an archive may be the data set: no note beside it, nothing hidden.
fn is_data(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let beside = ["readme", "license", "licence", "notice", "changelog"].iter().any(|word| base.starts_with(word));
    !base.is_empty() && !base.starts_with('.') && !name.starts_with("__MACOSX/") && !beside
}

/// The new file, up to the limit.
struct Limited<'a> {
    to: &'a mut File,
    written: u64,
    most: u64,
}

impl Limited<'_> {
    /// Writes everything; one byte over the limit is an error.
    fn copy(&mut self, mut from: impl Read) -> Result<(), UnpackError> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            let n = match from.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(UnpackError::Damaged(error)),
            };
            self.written += n as u64;
            if self.written > self.most {
                return Err(UnpackError::TooLarge { most: self.most });
            }
            self.to.write_all(&chunk[..n]).map_err(UnpackError::Write)?;
        }
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match input.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}

/// The SHA-256 of a file, in hexadecimal, and its size.
///
/// # Errors
/// It cannot be read.
pub fn digest(path: &Path) -> io::Result<(String, u64)> {
    use sha2::{Digest, Sha256};
    let mut file = File::open(path)?;
    let (mut digest, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; 64 << 10]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((tuner_core::hex(&digest.finalize()), bytes)),
            n => {
                digest.update(&chunk[..n]);
                bytes += n as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const DATA: &[u8] = b"{\"prompt\": \"hello\"}\n";

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            // By hand, as somebody hostile would: the library refuses such names.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append(&header, *bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn zst(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn taken(bytes: &[u8], member: Option<&str>, most: u64) -> Result<Vec<u8>, UnpackError> {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        std::fs::write(&from, bytes).unwrap();
        let n = unpack(&mut File::open(&from).unwrap(), &mut File::create(&to).unwrap(), member, most)?;
        let found = std::fs::read(&to).unwrap();
        assert_eq!(n, found.len() as u64);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "nothing else was written");
        Ok(found)
    }

    #[test]
    fn every_packing_gives_the_data_that_was_packed() {
        let one: &[(&str, &[u8])] = &[("README.md", b"about"), ("data/.hidden", b"x"), ("data/chats.jsonl", DATA)];
        for packed in [DATA.to_vec(), gz(DATA), zst(DATA), zip(one), tar(one), gz(&tar(one)), zst(&tar(one))] {
            assert_eq!(taken(&packed, None, 1000).unwrap(), DATA);
        }
        for twice in [[gz(DATA), gz(DATA)].concat(), [zst(DATA), zst(DATA)].concat()] {
            assert_eq!(
                taken(&twice, None, 1000).unwrap(),
                [DATA, DATA].concat(),
                "streams that follow each other are one"
            );
        }
    }

    #[test]
    fn of_several_files_one_is_named() {
        let several: &[(&str, &[u8])] = &[("a.jsonl", b"a"), ("b.jsonl", DATA), ("README", b"r")];
        for packed in [zip(several), gz(&tar(several))] {
            let told = taken(&packed, None, 1000).unwrap_err().to_string();
            assert_eq!(told, "the archive has not one file of data; name one of a.jsonl, b.jsonl");
            assert_eq!(taken(&packed, Some("b.jsonl"), 1000).unwrap(), DATA);
            assert_eq!(taken(&packed, Some("README"), 1000).unwrap(), b"r");
            assert!(matches!(taken(&packed, Some("c"), 1000), Err(UnpackError::Which { .. })));
        }
        assert!(matches!(taken(DATA, Some("a"), 1000), Err(UnpackError::NoArchive)));
        assert!(matches!(taken(&zip(&[]), None, 1000), Err(UnpackError::Which { .. })));
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let zeros = vec![b'0'; 5 << 20];
        let packed = [gz(&zeros), zst(&zeros), zip(&[("a", &zeros)]), gz(&tar(&[("a", &zeros)]))];
        for bomb in packed {
            assert!(bomb.len() < 100_000, "{}", bomb.len());
            assert!(matches!(taken(&bomb, None, 1 << 20), Err(UnpackError::TooLarge { .. })));
        }
        assert!(matches!(taken(&gz(&gz(&zeros)), None, 1 << 30), Err(UnpackError::Nested)));
        assert!(matches!(taken(&gz(&zip(&[("a", DATA)])), None, 1 << 30), Err(UnpackError::Nested)));
    }

    #[test]
    fn names_that_climb_and_links_write_nothing_elsewhere() {
        let hostile: &[(&str, &[u8])] = &[("../../evil", DATA)];
        for packed in [tar(hostile), zip(hostile), tar(&[("/etc/evil", DATA)])] {
            assert_eq!(taken(&packed, None, 1000).unwrap(), DATA);
        }
        let mut archive = tar::Builder::new(Vec::new());
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        link.set_link_name("/etc/passwd").unwrap();
        link.set_path("data.jsonl").unwrap();
        link.set_cksum();
        archive.append(&link, io::empty()).unwrap();
        assert!(matches!(taken(&archive.into_inner().unwrap(), None, 1000), Err(UnpackError::Which { .. })));
    }

    #[test]
    fn what_is_cut_short_or_damaged_is_refused() {
        for whole in [gz(DATA), zip(&[("a", DATA)])] {
            assert!(taken(&whole[..whole.len() - 9], None, 1000).is_err());
        }
        let mut flipped = gz(DATA);
        flipped[14] ^= 0xff;
        assert!(matches!(taken(&flipped, None, 1000), Err(UnpackError::Damaged(_))));
        assert!(taken(&[0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3], None, 1000).is_err());
    }
}
