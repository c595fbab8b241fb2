//! One file: fetched into a place beside, continued where it broke off, checked, and put under its name.
//!
//! *Invariant*: bytes are appended only where the server says that they continue; the checksum is of what lies on the
//! disk, from its first byte.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{StatusCode, Url};
use sha2::{Digest, Sha256};

use super::api::TreeFile;
use crate::HubError;
use crate::web::Web;

/// Breaks that are overcome without a byte between them.
const TRIES: u32 = 4;
/// Bytes between two reports and two looks at the disk.
const STEP: u64 = 1 << 20;

/// What is fetched.
pub(super) struct Fetch<'a> {
    pub(super) web: &'a Web,
    pub(super) url: Url,
    pub(super) repo: &'a str,
    pub(super) file: &'a TreeFile,
    /// Where it grows.
    pub(super) beside: &'a Path,
}

/// The part that is there.
struct Part {
    file: File,
    bytes: u64,
    sum: Sha256,
}

impl Part {
    /// Opens the part and takes it for this process alone.
    fn open(path: &Path) -> Result<Self, HubError> {
        let failed = |source| HubError::File { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HubError::Busy { file: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (sum, bytes) = read_through(&mut file).map_err(failed)?;
        Ok(Self { file, bytes, sum })
    }

    fn begin_anew(&mut self) -> std::io::Result<()> {
        self.file.set_len(0)?;
        std::io::Seek::rewind(&mut self.file)?;
        (self.bytes, self.sum) = (0, Sha256::new());
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)?;
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// The checksum of a file, so far, and its length.
fn read_through(file: &mut File) -> std::io::Result<(Sha256, u64)> {
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((sum, bytes));
        }
        sum.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// The SHA-256 of a file.
pub(super) fn sha256(path: &Path) -> std::io::Result<String> {
    Ok(written(read_through(&mut File::open(path)?)?.0))
}

fn written(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Fetch<'_> {
    fn disk(&self) -> impl Fn(std::io::Error) -> HubError + use<> {
        let path: PathBuf = self.beside.to_owned();
        move |source| HubError::File { path: path.clone(), source }
    }

    /// Fetches the rest and checks the whole; `told` hears how many bytes are there.
    pub(super) async fn run(&self, told: &mut (dyn FnMut(u64) + Send)) -> Result<(), HubError> {
        let place = self.beside.to_owned();
        // Reading gigabytes for their checksum blocks; other work goes on meanwhile.
        let opened = tokio::task::spawn_blocking(move || Part::open(&place)).await;
        let mut part = opened.map_err(|error| self.disk()(std::io::Error::other(error)))??;
        if part.bytes > self.file.size {
            part.begin_anew().map_err(self.disk())?;
        }
        told(part.bytes);
        let mut tries = 0;
        while part.bytes < self.file.size {
            let before = part.bytes;
            match self.rest(&mut part, told).await {
                Ok(()) => {}
                Err(error @ HubError::Unreachable { .. }) => {
                    tries = if part.bytes > before { 1 } else { tries + 1 };
                    if tries >= TRIES {
                        return Err(error);
                    }
                    tokio::time::sleep(Duration::from_millis(100 << (2 * tries))).await;
                }
                Err(error) => return Err(error),
            }
        }
        self.check(part)
    }

    async fn rest(&self, part: &mut Part, told: &mut (dyn FnMut(u64) + Send)) -> Result<(), HubError> {
        let mut request = self.web.http.get(self.url.clone());
        if part.bytes > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.bytes));
        }
        let mut response = self.web.send(request).await?;
        let status = response.status();
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let continues = status == StatusCode::PARTIAL_CONTENT && range.starts_with(&format!("bytes {}-", part.bytes));
        match status {
            StatusCode::PARTIAL_CONTENT if continues => {}
            StatusCode::OK => part.begin_anew().map_err(self.disk())?,
            StatusCode::PARTIAL_CONTENT => return Err(self.web.unreadable("it sends another range than asked for")),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                part.begin_anew().map_err(self.disk())?;
                return Err(self.web.unreadable("the file is shorter than its list says"));
            }
            _ => return Err(self.web.refused(response, self.repo).await),
        }
        let mut reported = part.bytes;
        while let Some(bytes) = self.web.next(&mut response).await? {
            if part.bytes + bytes.len() as u64 > self.file.size {
                part.begin_anew().map_err(self.disk())?;
                return Err(self.web.unreadable("the file is longer than its list says"));
            }
            part.add(&bytes).map_err(self.disk())?;
            if part.bytes - reported >= STEP || part.bytes == self.file.size {
                reported = part.bytes;
                told(part.bytes);
                tokio::task::yield_now().await;
            }
        }
        if part.bytes < self.file.size {
            let why = format!("{} ended early", self.file.path);
            return Err(HubError::Unreachable { host: self.web.host(), why });
        }
        Ok(())
    }

    fn check(&self, mut part: Part) -> Result<(), HubError> {
        let found = written(std::mem::take(&mut part.sum));
        if let Some(published) = self.file.sha256.as_ref().filter(|published| **published != found) {
            // Nothing of it can be used again.
            let _ = std::fs::remove_file(self.beside);
            return Err(HubError::Checksum { file: self.file.path.clone(), published: published.clone(), found });
        }
        part.file.sync_all().map_err(self.disk())
    }
}
