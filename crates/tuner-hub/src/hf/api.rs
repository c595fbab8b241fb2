//! The requests.
//!
//! *Invariant*: names of repositories and revisions are checked before they become part of an address or a path.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use serde_json::Value;
use tuner_wire::Secret;

use super::names;
use crate::HubError;
use crate::web::Web;

/// Pages of a repository's list of files that are read at most.
const PAGES: usize = 100;

/// Where models come from and where they are kept.
#[derive(Clone, Debug)]
pub struct HfSettings {
    /// `HF_ENDPOINT`: a mirror's address.
    pub endpoint: Option<String>,
    /// `HF_TOKEN`.
    pub token: Option<Secret>,
    /// `HF_HUB_CACHE`, or what it is by default: the folder with `models--OWNER--NAME`.
    pub cache: PathBuf,
    /// `HF_HUB_OFFLINE`: nothing is fetched.
    pub offline: bool,
}

/// The client.
#[derive(Clone, Debug)]
pub struct HuggingFace {
    pub(super) web: Web,
    pub(super) settings: HfSettings,
}

/// A model in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFacts {
    /// owner/name.
    pub id: String,
    /// Downloads of the last month.
    pub downloads: u64,
    /// Likes.
    pub likes: u64,
    /// What it does.
    pub pipeline_tag: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// When it last changed.
    pub last_modified: Option<DateTime<Utc>>,
    /// Whether it is private.
    pub private: bool,
    /// Whether conditions must be accepted.
    pub gated: bool,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelInfo {
    /// What a list says too.
    #[serde(flatten)]
    pub facts: ModelFacts,
    /// The commit of the revision that was asked for.
    pub commit: String,
    /// The library that it is made for.
    pub library: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Its architectures.
    pub architectures: Vec<String>,
    /// The kind of model, by its configuration.
    pub model_type: Option<String>,
    /// Number of parameters.
    pub parameters: Option<u64>,
    /// Names of its files.
    pub files: Vec<String>,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TreeFile {
    /// Its name in the repository, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Its name in the cache: of a large file its SHA-256, of others git's.
    pub oid: String,
    /// Published for large files.
    pub sha256: Option<String>,
}

/// Who the token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Auth {
    /// The account.
    pub name: String,
    /// Its organisations.
    pub orgs: Vec<String>,
    /// What the token may do: `read`, `write`, `fineGrained`.
    pub role: Option<String>,
}

/// How things are set up here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Env {
    /// Where models come from.
    pub endpoint: String,
    /// Whether there is a token.
    pub token_is_set: bool,
    /// Where models are kept.
    pub cache: PathBuf,
    /// Whether that folder exists.
    pub cache_exists: bool,
    /// Whether nothing is fetched.
    pub offline: bool,
    /// The program's version.
    pub version: String,
}

impl HuggingFace {
    /// Checks the settings; sends nothing.
    ///
    /// # Errors
    /// [`HubError::Settings`].
    pub fn new(settings: HfSettings, http: Client) -> Result<Self, HubError> {
        let endpoint = settings.endpoint.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let base = endpoint.unwrap_or("https://huggingface.co");
        let web = Web::new(http, base, settings.token.clone(), "HF_ENDPOINT", "HF_TOKEN")?;
        Ok(Self { web, settings })
    }

    /// How things are set up; asks nobody.
    pub fn env_info(&self) -> Env {
        Env {
            endpoint: self.web.base.to_string(),
            token_is_set: self.web.token.is_some(),
            cache: self.settings.cache.clone(),
            cache_exists: self.settings.cache.is_dir(),
            offline: self.settings.offline,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    pub(super) fn online(&self) -> Result<(), HubError> {
        if !self.settings.offline {
            return Ok(());
        }
        Err(HubError::Settings {
            what: "HF_HUB_OFFLINE is set, so Hugging Face is not asked".into(),
            hint: "unset HF_HUB_OFFLINE, or use what the cache holds".into(),
        })
    }

    fn get(&self, parts: &[&str]) -> RequestBuilder {
        self.web.http.get(self.web.url(parts))
    }

    /// Models whose name holds the words, most downloaded first; `tag` narrows them.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn search(&self, words: &str, tag: Option<&str>, limit: usize) -> Result<Vec<ModelFacts>, HubError> {
        self.online()?;
        let limit = limit.clamp(1, 100).to_string();
        let mut query = vec![("search", words), ("limit", limit.as_str()), ("sort", "downloads"), ("direction", "-1")];
        query.extend(tag.map(|tag| ("filter", tag)));
        let url = self.web.url_with(&["api", "models"], &query);
        let page = self.web.page(self.web.http.get(url), "the search").await?;
        let list = page.json.as_array().ok_or_else(|| self.web.unreadable("its list of models is no list"))?;
        Ok(list.iter().filter_map(facts).collect())
    }

    /// A model at a revision (`main` if `None`).
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn model(&self, repo: &str, revision: Option<&str>) -> Result<ModelInfo, HubError> {
        self.online()?;
        let (owner, name) = names::repo(repo)?;
        let revision = names::revision(revision.unwrap_or("main"))?;
        let mut parts = vec!["api", "models"];
        parts.extend(owner);
        parts.extend([name, "revision", revision]);
        let page = self.web.page(self.get(&parts), &format!("{repo} at {revision}")).await?;
        let value = &page.json;
        let commit = value["sha"].as_str().filter(|sha| names::is_hex(sha, &[40]));
        let (Some(facts), Some(commit)) = (facts(value), commit) else {
            return Err(self.web.unreadable("it names no commit"));
        };
        let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Ok(ModelInfo {
            facts,
            commit: commit.to_owned(),
            library: word("/library_name"),
            license: word("/cardData/license"),
            architectures: texts(&value["config"]["architectures"]),
            model_type: word("/config/model_type"),
            parameters: value.pointer("/safetensors/total").and_then(Value::as_u64),
            files: value["siblings"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|sibling| sibling["rfilename"].as_str().map(str::to_owned))
                .collect(),
        })
    }

    /// The files of a model at a revision, with their sizes.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn tree(&self, repo: &str, revision: Option<&str>) -> Result<Vec<TreeFile>, HubError> {
        self.online()?;
        let (owner, name) = names::repo(repo)?;
        let revision = names::revision(revision.unwrap_or("main"))?;
        let mut parts = vec!["api", "models"];
        parts.extend(owner);
        parts.extend([name, "tree", revision]);
        let what = format!("{repo} at {revision}");
        let mut request = self.web.http.get(self.web.url_with(&parts, &[("recursive", "true")]));
        let mut files = Vec::new();
        for _ in 0..PAGES {
            let page = self.web.page(request, &what).await?;
            let entries = page.json.as_array().ok_or_else(|| self.web.unreadable("its list of files is no list"))?;
            for entry in entries.iter().filter(|entry| entry["type"] == "file") {
                files.push(file(entry).ok_or_else(|| self.web.unreadable("a file without name, size or checksum"))?);
            }
            match self.web.next_page(&page.headers) {
                Some(next) => request = self.web.http.get(next),
                None => return Ok(files),
            }
        }
        Err(self.web.unreadable(format!("its list of files has more than {PAGES} pages")))
    }

    /// Who the token belongs to; `None` without a token.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn whoami(&self) -> Result<Option<Auth>, HubError> {
        if self.web.token.is_none() {
            return Ok(None);
        }
        self.online()?;
        let page = self.web.page(self.get(&["api", "whoami-v2"]), "the account").await?;
        let orgs = page.json["orgs"].as_array().into_iter().flatten();
        Ok(Some(Auth {
            name: page.json["name"].as_str().unwrap_or_default().to_owned(),
            orgs: orgs.filter_map(|org| org["name"].as_str().map(str::to_owned)).collect(),
            role: page.json.pointer("/auth/accessToken/role").and_then(Value::as_str).map(str::to_owned),
        }))
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn facts(value: &Value) -> Option<ModelFacts> {
    Some(ModelFacts {
        id: value["id"].as_str().or(value["modelId"].as_str())?.to_owned(),
        downloads: value["downloads"].as_u64().unwrap_or(0),
        likes: value["likes"].as_u64().unwrap_or(0),
        pipeline_tag: value["pipeline_tag"].as_str().map(str::to_owned),
        tags: texts(&value["tags"]),
        last_modified: value["lastModified"].as_str().and_then(|text| text.parse().ok()),
        private: value["private"] == true,
        gated: !matches!(value["gated"], Value::Null | Value::Bool(false)),
    })
}

fn file(entry: &Value) -> Option<TreeFile> {
    let sha256 = entry.pointer("/lfs/oid").and_then(Value::as_str).map(|sum| sum.trim_start_matches("sha256:"));
    let oid = sha256.or(entry["oid"].as_str()).filter(|oid| names::is_hex(oid, &[40, 64]))?;
    Some(TreeFile {
        path: entry["path"].as_str()?.to_owned(),
        size: entry.pointer("/lfs/size").and_then(Value::as_u64).or(entry["size"].as_u64())?,
        oid: oid.to_owned(),
        sha256: sha256.map(str::to_owned),
    })
}
