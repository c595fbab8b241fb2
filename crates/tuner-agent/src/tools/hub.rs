//! Hugging Face, and the health of other services. What stands on model cards others have written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_app::AppError;
use tuner_hub::hf::{self, HuggingFace};
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};
use tuner_store::{JobKind, NewJob};

use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::of::<Search>(),
        Tool::of::<Info>(),
        Tool::of::<RepoInfo>(),
        Tool::of::<CacheScan>(),
        Tool::of::<EnvInfo>(),
        Tool::of::<AuthStatus>(),
        Tool::of::<Download>(),
        Tool::of::<ServiceHealth>(),
    ]
}

fn hub(cx: &Cx) -> Result<HuggingFace, ToolError> {
    Ok(cx.service.hugging_face(&cx.permit(Action::SystemRead)?)?)
}

struct Search;

/// Search models on Hugging Face.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArgs {
    /// Words.
    query: String,
    /// Models at most, 1 to 20. Default 5.
    limit: Option<usize>,
    /// Only with this tag, such as text-generation.
    filter_tag: Option<String>,
}

impl Kind for Search {
    const NAME: &'static str = "search_huggingface_models";
    const GROUP: Group = Group::Api;
    const UNTRUSTED: bool = true;
    type Args = SearchArgs;

    fn intent(arguments: &SearchArgs) -> Intent {
        does(format!("Search models for {:?}", arguments.query))
    }

    async fn run(cx: Cx, arguments: SearchArgs) -> Result<Value, ToolError> {
        let limit = arguments.limit.unwrap_or(5).clamp(1, 20);
        Ok(shown(
            &hub(&cx)?
                .search(&arguments.query, arguments.filter_tag.as_deref(), limit)
                .await
                .map_err(AppError::from)?,
        ))
    }
}

struct Info;

/// Facts about a model on Hugging Face: architecture, parameters, licence, files.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InfoArgs {
    /// The model, OWNER/NAME.
    model_id: String,
}

impl Kind for Info {
    const NAME: &'static str = "get_huggingface_model_info";
    const GROUP: Group = Group::Api;
    const UNTRUSTED: bool = true;
    type Args = InfoArgs;

    fn intent(arguments: &InfoArgs) -> Intent {
        does(format!("Look up the model {}", arguments.model_id))
    }

    async fn run(cx: Cx, arguments: InfoArgs) -> Result<Value, ToolError> {
        Ok(shown(&hub(&cx)?.model(&arguments.model_id, None).await.map_err(AppError::from)?))
    }
}

struct RepoInfo;

/// The files of a Hugging Face repository with their sizes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RepoInfoArgs {
    /// The repository, OWNER/NAME.
    repo_id: String,
    /// Branch, tag or commit.
    revision: Option<String>,
}

impl Kind for RepoInfo {
    const NAME: &'static str = "hf_repo_info";
    const GROUP: Group = Group::Api;
    const UNTRUSTED: bool = true;
    type Args = RepoInfoArgs;

    fn intent(arguments: &RepoInfoArgs) -> Intent {
        does(format!("List the files of {}", arguments.repo_id))
    }

    async fn run(cx: Cx, arguments: RepoInfoArgs) -> Result<Value, ToolError> {
        let files = hub(&cx)?.tree(&arguments.repo_id, arguments.revision.as_deref()).await.map_err(AppError::from)?;
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        Ok(json!({ "repo_id": arguments.repo_id, "total_bytes": bytes, "files": files }))
    }
}

struct CacheScan;

/// What is in this machine's Hugging Face cache: models, revisions, sizes, downloads that were cut off.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CacheScanArgs {}

impl Kind for CacheScan {
    const NAME: &'static str = "hf_cache_scan";
    const GROUP: Group = Group::Api;
    type Args = CacheScanArgs;

    fn intent(_: &CacheScanArgs) -> Intent {
        does("Look into the model cache")
    }

    async fn run(cx: Cx, _: CacheScanArgs) -> Result<Value, ToolError> {
        let cache = hub(&cx)?.env_info().cache;
        let scanned = tokio::task::spawn_blocking(move || hf::scan(&cache)).await;
        let failed = |error: tokio::task::JoinError| ToolError::Invalid(error.to_string());
        Ok(shown(&scanned.map_err(failed)?))
    }
}

struct EnvInfo;

/// How this machine reaches Hugging Face: endpoint, cache, whether a token is set (never the token).
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EnvInfoArgs {}

impl Kind for EnvInfo {
    const NAME: &'static str = "hf_env_info";
    const GROUP: Group = Group::Api;
    type Args = EnvInfoArgs;

    fn intent(_: &EnvInfoArgs) -> Intent {
        does("Look at the Hugging Face settings")
    }

    async fn run(cx: Cx, _: EnvInfoArgs) -> Result<Value, ToolError> {
        Ok(shown(&hub(&cx)?.env_info()))
    }
}

struct AuthStatus;

/// Whether the Hugging Face token works, and whose it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuthStatusArgs {}

impl Kind for AuthStatus {
    const NAME: &'static str = "hf_auth_status";
    const GROUP: Group = Group::Api;
    type Args = AuthStatusArgs;

    fn intent(_: &AuthStatusArgs) -> Intent {
        does("Check the Hugging Face token")
    }

    async fn run(cx: Cx, _: AuthStatusArgs) -> Result<Value, ToolError> {
        Ok(match hub(&cx)?.whoami().await.map_err(AppError::from)? {
            Some(who) => json!({ "logged_in": true, "who": who }),
            None => json!({ "logged_in": false, "hint": "set HF_TOKEN" }),
        })
    }
}

struct Download;

/// Download a model from Hugging Face to this machine, as a job of the run queue: it shows its progress there, can be
/// stopped, and goes on where it was cut off. list_arq_jobs shows how far it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DownloadArgs {
    /// The repository, OWNER/NAME.
    repo_id: String,
    /// A folder below the data directory; absent: the Hugging Face cache.
    local_dir: Option<String>,
    /// Only files that match one of these patterns, separated by commas.
    include: Option<String>,
    /// Without files that match one of these patterns, separated by commas.
    exclude: Option<String>,
    /// Branch, tag or commit.
    revision: Option<String>,
}

fn words(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

impl Kind for Download {
    const NAME: &'static str = "hf_download_model";
    const GROUP: Group = Group::Api;
    const SCOPE: Option<Scope> = Some(Scope::ModelDownload);
    const RISK: Risk = Risk::Spends;
    type Args = DownloadArgs;

    fn intent(arguments: &DownloadArgs) -> Intent {
        does(format!("Download {}", arguments.repo_id))
    }

    async fn dry_run(cx: Cx, arguments: DownloadArgs) -> Result<Forecast, ToolError> {
        let files = hub(&cx)?.tree(&arguments.repo_id, arguments.revision.as_deref()).await.map_err(AppError::from)?;
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        let effects = json!({ "files": files.len(), "at_most_bytes": bytes });
        Ok(Forecast { effects: Some(effects), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: DownloadArgs) -> Result<Value, ToolError> {
        let payload = json!({
            "repo": arguments.repo_id,
            "revision": arguments.revision,
            "local_dir": arguments.local_dir,
            "include": words(arguments.include),
            "exclude": words(arguments.exclude),
        });
        let (service, new) = (cx.service.clone(), NewJob::new(JobKind::DownloadModel, payload));
        let act = |permit| async move { service.create_job(&permit, new, None).await };
        let job = cx.change(Action::JobCreate, &format!("download {}", arguments.repo_id), act).await?;
        Ok(json!({ "job": job.id, "status": job.status, "next": "list_arq_jobs shows its progress" }))
    }
}

struct ServiceHealth;

/// Whether a service answers at an address: status and time. Only public hosts over https, unless this service was told
/// otherwise; addresses inside the network are refused.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServiceHealthArgs {
    /// The address.
    url: String,
}

impl Kind for ServiceHealth {
    const NAME: &'static str = "check_service_health";
    const GROUP: Group = Group::Api;
    type Args = ServiceHealthArgs;

    fn intent(arguments: &ServiceHealthArgs) -> Intent {
        does(format!("Ask whether {} answers", arguments.url))
    }

    async fn run(cx: Cx, arguments: ServiceHealthArgs) -> Result<Value, ToolError> {
        let begun = tokio::time::Instant::now();
        let status = cx.service.answers(&cx.permit(Action::SystemRead)?, &arguments.url).await?;
        Ok(
            json!({ "url": arguments.url, "status": status, "healthy": status < 400, "took_ms": begun.elapsed().as_millis() as u64 }),
        )
    }
}
