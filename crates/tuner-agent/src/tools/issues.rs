//! Known issues on GitHub. What stands in them others have written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tuner_app::AppError;
use tuner_hub::github::{Issues, NewIssue};
use tuner_policy::chat::{Cost, Risk};
use tuner_policy::{Action, Scope};

use super::{Cx, Forecast, Group, Intent, Kind, Tool, ToolError, does, shown};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Search>(), Tool::of::<Get>(), Tool::of::<Refresh>(), Tool::of::<Create>(), Tool::of::<Comment>()]
}

/// The repository's issues, with the cache in the data directory.
fn issues(cx: &Cx) -> Result<Issues, ToolError> {
    Ok(cx.service.known_issues(&cx.permit(Action::SystemRead)?)?)
}

struct Search;

/// Search the known issues of this product by words, in the cache and on GitHub: number, title, state, URL.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchArgs {
    /// Words, in any order.
    query: String,
}

impl Kind for Search {
    const NAME: &'static str = "search_known_issues";
    const GROUP: Group = Group::Issue;
    const UNTRUSTED: bool = true;
    type Args = SearchArgs;

    fn intent(arguments: &SearchArgs) -> Intent {
        does(format!("Search known issues for {:?}", arguments.query))
    }

    async fn run(cx: Cx, arguments: SearchArgs) -> Result<Value, ToolError> {
        let found = issues(&cx)?.search(&arguments.query).await.map_err(AppError::from)?;
        let list: Vec<Value> = found
            .issues
            .iter()
            .map(
                |issue| json!({ "number": issue.number, "title": issue.title, "state": issue.state, "url": issue.url }),
            )
            .collect();
        Ok(json!({
            "issues": list,
            "cache_refreshed_at": found.cache_refreshed_at,
            "from_cache_only_because": found.from_cache_only,
        }))
    }
}

struct Get;

/// Show an issue by its number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetArgs {
    /// Its number.
    issue_number: u64,
}

impl Kind for Get {
    const NAME: &'static str = "get_issue_by_number";
    const GROUP: Group = Group::Issue;
    const UNTRUSTED: bool = true;
    type Args = GetArgs;

    fn intent(arguments: &GetArgs) -> Intent {
        does(format!("Show issue {}", arguments.issue_number))
    }

    async fn run(cx: Cx, arguments: GetArgs) -> Result<Value, ToolError> {
        let (issue, from_cache) = issues(&cx)?.issue(arguments.issue_number).await.map_err(AppError::from)?;
        Ok(json!({ "issue": shown(&issue), "from_cache_only_because": from_cache }))
    }
}

struct Refresh;

/// Bring the cache of known issues up to date.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RefreshArgs {}

impl Kind for Refresh {
    const NAME: &'static str = "refresh_issues_cache";
    const GROUP: Group = Group::Issue;
    type Args = RefreshArgs;

    fn intent(_: &RefreshArgs) -> Intent {
        does("Bring the cache of known issues up to date")
    }

    async fn run(cx: Cx, _: RefreshArgs) -> Result<Value, ToolError> {
        let done = issues(&cx)?.refresh().await.map_err(AppError::from)?;
        Ok(
            json!({ "issues": done.issues, "changed": done.changed, "only_a_part": done.is_part, "refreshed_at": done.refreshed_at }),
        )
    }
}

struct Create;

/// Open an issue in the configured repository. One that is likely known already is refused and named; search first.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateArgs {
    /// Its title.
    title: String,
    /// Its text, in Markdown: what happened, what was expected, how to repeat it, versions.
    body: String,
    /// Labels.
    #[serde(default)]
    labels: Vec<String>,
    /// Open it although a similar one is known.
    #[serde(default)]
    even_if_known: bool,
}

impl Kind for Create {
    const NAME: &'static str = "create_issue";
    const GROUP: Group = Group::Issue;
    const SCOPE: Option<Scope> = Some(Scope::IssueWrite);
    const RISK: Risk = Risk::Shared;
    const REPEATABLE: bool = false;
    type Args = CreateArgs;

    fn intent(arguments: &CreateArgs) -> Intent {
        does(format!("Open the issue {:?}", arguments.title))
    }

    async fn dry_run(cx: Cx, arguments: CreateArgs) -> Result<Forecast, ToolError> {
        let known = issues(&cx)?;
        let found = known.search(&arguments.title).await.map_err(AppError::from)?;
        let similar: Vec<Value> =
            found.issues.iter().take(5).map(|issue| json!({ "number": issue.number, "title": issue.title })).collect();
        Ok(Forecast { effects: Some(json!({ "repository": known.repo(), "similar": similar })), cost: Cost::default() })
    }

    async fn run(cx: Cx, arguments: CreateArgs) -> Result<Value, ToolError> {
        cx.permit(Action::ChatWrite)?;
        let CreateArgs { title, body, labels, even_if_known } = arguments;
        let issue =
            issues(&cx)?.create(&NewIssue { title, body, labels, even_if_known }).await.map_err(AppError::from)?;
        Ok(json!({ "number": issue.number, "url": issue.url }))
    }
}

struct Comment;

/// Comment on an issue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommentArgs {
    /// Its number.
    issue_number: u64,
    /// The comment, in Markdown; not blank.
    body: String,
}

impl Kind for Comment {
    const NAME: &'static str = "add_issue_comment";
    const GROUP: Group = Group::Issue;
    const SCOPE: Option<Scope> = Some(Scope::IssueWrite);
    const RISK: Risk = Risk::Shared;
    const REPEATABLE: bool = false;
    type Args = CommentArgs;

    fn intent(arguments: &CommentArgs) -> Intent {
        does(format!("Comment on issue {}", arguments.issue_number))
    }

    async fn run(cx: Cx, arguments: CommentArgs) -> Result<Value, ToolError> {
        cx.permit(Action::ChatWrite)?;
        let comment = issues(&cx)?.comment(arguments.issue_number, &arguments.body).await.map_err(AppError::from)?;
        Ok(json!({ "url": comment.url, "id": comment.id }))
    }
}
