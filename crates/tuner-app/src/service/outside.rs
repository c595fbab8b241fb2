//! Places outside: Hugging Face, GitHub, and whether a service answers.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tuner_hub::Secret;
use tuner_hub::github::{Github, GithubSettings, Issues};
use tuner_hub::hf::{HfSettings, HuggingFace, Progress, Want};
use tuner_policy::Action;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;
use crate::home::Home;
use crate::tune::Surroundings;

/// How long a service has to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be downloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownloadOrder {
    /// The repository, `OWNER/NAME`.
    pub repo: String,
    /// Branch, tag or commit.
    #[serde(default)]
    pub revision: Option<String>,
    /// A folder below the data directory's `models`; absent: the hub's cache.
    #[serde(default)]
    pub local_dir: Option<String>,
    /// Only files that match one of these patterns.
    #[serde(default)]
    pub include: Vec<String>,
    /// Without files that match one of these.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// Hugging Face as this process reaches it.
///
/// # Errors
/// [`AppError::Hub`]: its settings cannot be used.
pub(crate) fn hub(home: &Home, around: &Surroundings) -> Result<HuggingFace, AppError> {
    let settings = HfSettings {
        endpoint: around.hub_endpoint.clone(),
        token: around.secrets.get("HF_TOKEN").and_then(|token| Secret::new(token)),
        cache: around.hub_cache.clone().unwrap_or_else(|| home.root().join("hub")),
        offline: false,
    };
    Ok(HuggingFace::new(settings, around.client()?)?)
}

/// The known issues of this product, with their cache in the data directory.
///
/// # Errors
/// [`AppError::Hub`]: a setting is missing, and which.
pub(crate) fn issues(home: &Home, around: &Surroundings) -> Result<Issues, AppError> {
    let settings = GithubSettings {
        repo: around.github_repo.clone(),
        token: around.secrets.get("GH_TOKEN").and_then(|token| Secret::new(token)),
        base_url: around.github_url.clone(),
    };
    let github = Github::new(&settings, around.client()?)?;
    Ok(Issues::new(github, home.root().join(tuner_hub::github::CACHE_FILE)))
}

/// Downloads what an order says; gives where it is.
///
/// # Errors
/// [`AppError::Hub`]; [`AppError::Invalid`] for a folder that leads out.
pub(crate) async fn download(
    home: &Home,
    around: &Surroundings,
    order: DownloadOrder,
    told: &mut (dyn FnMut(Progress) + Send),
) -> Result<Value, AppError> {
    let local_dir = match order.local_dir {
        None => None,
        Some(folder) => {
            let plain = Path::new(&folder).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if folder.is_empty() || !plain {
                let message = "it is no folder below the data directory's models folder".to_owned();
                return Err(AppError::Invalid { field: "local_dir", message });
            }
            Some(home.root().join("models").join(folder))
        }
    };
    let DownloadOrder { repo, revision, include, exclude, .. } = order;
    let want = Want { repo, revision, local_dir, include, exclude };
    let done = hub(home, around)?.download(&want, told).await?;
    Ok(
        json!({ "path": done.folder, "commit": done.commit, "files": done.files, "bytes": done.size, "fetched": done.fetched }),
    )
}

impl Service {
    /// Hugging Face, to look something up.
    ///
    /// # Errors
    /// [`AppError::Hub`].
    pub fn hugging_face(&self, permit: &Permit) -> Result<HuggingFace, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        hub(self.home(), self.around())
    }

    /// The known issues of this product.
    ///
    /// # Errors
    /// [`AppError::Hub`]: a setting is missing, and which.
    pub fn known_issues(&self, permit: &Permit) -> Result<Issues, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        issues(self.home(), self.around())
    }

    /// The status with which an address answers, if this service may reach it.
    ///
    /// # Errors
    /// [`AppError::Deploy`]: it may not; [`AppError::Invalid`]: it does not answer.
    pub async fn answers(&self, permit: &Permit, url: &str) -> Result<u16, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        self.may_fetch(url)?;
        let client = self.around().egress.client(url, &self.around().proxies())?;
        let failed = |message: String| AppError::Invalid { field: "url", message };
        match tokio::time::timeout(PATIENCE, client.get(url).send()).await {
            Ok(Ok(response)) => Ok(response.status().as_u16()),
            Ok(Err(error)) => Err(failed(tuner_core::with_causes(&error.without_url()))),
            Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}
