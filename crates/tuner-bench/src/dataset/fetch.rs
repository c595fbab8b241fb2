//! Data sets from an address: fetched once, kept by the address in a folder.
//!
//! *Invariant*: what lies in the folder is whole: it is written beside, checked, and renamed.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use reqwest::{Client, Response};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tuner_core::task::{DatasetSpec, WorkloadSpec};
use tuner_core::{hex, with_causes};

use super::{DatasetError, MOST_BYTES};

/// A data set that cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address does not answer as it should.
    #[error("{url} cannot be fetched: {what}")]
    Http {
        /// The address.
        url: String,
        /// What happened.
        what: String,
    },
    /// It is larger than what is read.
    #[error("{url} is larger than {most} bytes, the most that is fetched; fetch a part of it by hand")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit.
        most: u64,
    },
    /// It cannot be kept.
    #[error("{path} cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its content is not what the task expects.
    #[error(transparent)]
    Checksum(#[from] DatasetError),
}

/// What an address gives, as it comes.
#[derive(Debug)]
pub struct Download {
    url: String,
    response: Response,
}

impl Download {
    /// Asks for it.
    ///
    /// # Errors
    /// [`FetchError::Http`].
    pub async fn begin(url: &str, client: &Client) -> Result<Self, FetchError> {
        let response = client.get(url).send().await.map_err(|error| http(url, error))?;
        if !response.status().is_success() {
            let what = format!("HTTP {}", response.status().as_u16());
            return Err(FetchError::Http { url: shown(url), what });
        }
        Ok(Self { url: url.to_owned(), response })
    }

    /// How many bytes there are, if that was said.
    pub fn bytes(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next of them; `None` at the end.
    ///
    /// # Errors
    /// [`FetchError::Http`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        self.response.chunk().await.map_err(|error| http(&self.url, error))
    }
}

fn http(url: &str, error: reqwest::Error) -> FetchError {
    FetchError::Http { url: shown(url), what: with_causes(&error.without_url()) }
}

/// The address as it may be shown: without the name and password in it.
fn shown(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            // Only addresses without a host refuse it, and those have neither.
            let _ = parsed.set_username("***");
            let _ = parsed.set_password(None);
            parsed.into()
        }
        _ => url.to_owned(),
    }
}

/// Whether content has the SHA-256 that is expected of it.
pub(super) fn check(path: &Path, content: &[u8], expected: &str) -> Result<(), DatasetError> {
    same(path, hex(&Sha256::digest(content)), expected)
}

fn same(path: &Path, found: String, expected: &str) -> Result<(), DatasetError> {
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(DatasetError::Checksum { path: path.to_owned(), expected: expected.to_owned(), found })
}

/// The file that holds what an address gave; fetched if it is not there yet.
///
/// # Errors
/// It cannot be fetched or written, is too large, or has another SHA-256 than the data set's.
pub async fn fetch(dataset: &DatasetSpec, folder: &Path, client: &Client) -> Result<PathBuf, FetchError> {
    fetch_within(dataset, folder, client, MOST_BYTES).await
}

async fn fetch_within(dataset: &DatasetSpec, folder: &Path, client: &Client, most: u64) -> Result<PathBuf, FetchError> {
    let url = &dataset.source;
    let name = hex(&Sha256::digest(url.as_bytes()));
    let path = folder.join(&name[..32]);
    if path.is_file() {
        return Ok(path);
    }
    let write = |path: &Path| {
        let path = path.to_owned();
        |source| FetchError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(write(folder))?;
    let mut download = Download::begin(url, client).await?;
    let too_large = || FetchError::TooLarge { url: shown(url), most };
    if download.bytes().is_some_and(|n| n > most) {
        return Err(too_large());
    }
    let beside = folder.join(format!("{}.{}.part", &name[..32], std::process::id()));
    let written = async {
        let mut file = tokio::fs::File::create(&beside).await.map_err(write(&beside))?;
        let (mut digest, mut bytes) = (Sha256::new(), 0u64);
        while let Some(chunk) = download.next().await? {
            bytes += chunk.len() as u64;
            if bytes > most {
                return Err(too_large());
            }
            digest.update(&chunk);
            file.write_all(&chunk).await.map_err(write(&beside))?;
        }
        file.sync_all().await.map_err(write(&beside))?;
        if let Some(expected) = &dataset.sha256 {
            same(Path::new(&shown(url)), hex(&digest.finalize()), expected)?;
        }
        std::fs::rename(&beside, &path).map_err(write(&path))
    };
    let result = written.await;
    if result.is_err() {
        // What is not whole is of no use; that it cannot be removed does not matter.
        let _ = std::fs::remove_file(&beside);
    }
    result.map(|()| path)
}

/// The workload with every address replaced by the file that holds its content.
///
/// # Errors
/// As [`fetch`]; `client` makes the client for an address.
pub async fn fetch_all<E: std::fmt::Display>(
    workload: &WorkloadSpec,
    folder: &Path,
    client: impl Fn(&str) -> Result<Client, E>,
) -> Result<WorkloadSpec, FetchError> {
    let mut workload = workload.clone();
    let prompts = &mut workload.prompts;
    let classes = workload.classes.iter_mut().map(|class| (&mut class.prompts_file, &mut class.dataset));
    for (file, dataset) in std::iter::once((&mut prompts.prompts_file, &mut prompts.dataset)).chain(classes) {
        let Some(mut spec) = dataset.clone().or_else(|| file.as_deref().map(DatasetSpec::file)) else { continue };
        if !spec.is_url() {
            continue;
        }
        let client =
            client(&spec.source).map_err(|e| FetchError::Http { url: shown(&spec.source), what: e.to_string() })?;
        spec.source = fetch(&spec, folder, &client).await?.display().to_string();
        (*file, *dataset) = (None, Some(spec));
    }
    Ok(workload)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::*;

    /// A server on loopback that gives everybody the same bytes; how often it was asked.
    fn serve(head: &'static str, body: &'static str) -> (String, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/trace", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        break;
                    }
                    request.push(byte[0]);
                }
                count.fetch_add(1, SeqCst);
                let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes());
            }
        });
        (url, asked)
    }

    fn client() -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder().no_proxy().build().unwrap()
    }

    fn spec(url: &str) -> DatasetSpec {
        DatasetSpec::file(url)
    }

    #[tokio::test]
    async fn an_address_is_fetched_once_and_kept() {
        let (url, asked) = serve("HTTP/1.1 200 OK\r\nContent-Length: 6", "a,b\n1,");
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("datasets");
        let path = fetch(&spec(&url), &place, &client()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a,b\n1,");
        assert_eq!(fetch(&spec(&url), &place, &client()).await.unwrap(), path);
        assert_eq!(asked.load(SeqCst), 1);
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1, "nothing is left beside it");
        let prompts = tuner_core::task::Prompts { scenario: None, prompts_file: Some(url), ..Default::default() };
        let workload = WorkloadSpec { prompts, ..WorkloadSpec::default() };
        let local = fetch_all(&workload, &place, |_| Ok::<_, String>(client())).await.unwrap();
        assert_eq!(local.datasets()[0].as_ref().unwrap().source, path.display().to_string());
    }

    #[tokio::test]
    async fn what_is_wrong_or_too_large_or_cut_off_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, _) = serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0", "");
        let (large, _) = serve("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity", "0123456789");
        let (cut, _) = serve("HTTP/1.1 200 OK\r\nContent-Length: 9", "a,b\n");
        let (good, _) = serve("HTTP/1.1 200 OK\r\nContent-Length: 4", "a,b\n");
        let wrong = DatasetSpec { sha256: Some("0".repeat(64)), ..spec(&good) };
        let mut texts = Vec::new();
        for (dataset, most) in [(spec(&missing), 100), (spec(&large), 5), (spec(&cut), 100), (wrong, 100)] {
            let error = fetch_within(&dataset, folder.path(), &client(), most).await.unwrap_err();
            texts.push(error.to_string().replace(&dataset.source, "URL"));
        }
        assert_eq!(texts[0], "URL cannot be fetched: HTTP 404");
        assert_eq!(texts[1], "URL is larger than 5 bytes, the most that is fetched; fetch a part of it by hand");
        assert!(texts[2].starts_with("URL cannot be fetched: "), "{}", texts[2]);
        assert!(texts[3].starts_with("URL has SHA-256 ") && texts[3].ends_with(&"0".repeat(64)), "{}", texts[3]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
