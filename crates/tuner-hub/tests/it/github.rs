//! Issues: searched, read, written, kept.

use std::path::Path;

use tuner_hub::github::{CACHE_FILE, Github, GithubSettings, Issues, IssuesCache, NewIssue};
use tuner_hub::{Fault, HubError, Secret};
use tuner_testkit::github::{FakeGithub, Trouble};

use crate::client;

fn settings(fake: &FakeGithub) -> GithubSettings {
    GithubSettings {
        repo: Some(FakeGithub::REPO.into()),
        token: Secret::new("ghp_abcdef123456"),
        base_url: Some(fake.url()),
    }
}

fn issues(fake: &FakeGithub, folder: &Path) -> Issues {
    Issues::new(Github::new(&settings(fake), client()).unwrap(), folder.join(CACHE_FILE))
}

fn new(title: &str) -> NewIssue {
    NewIssue { title: title.into(), body: "what happened".into(), labels: vec!["bug".into()], even_if_known: false }
}

// R11.1
#[test]
fn without_settings_it_says_what_to_set() {
    let hint = |settings: GithubSettings| Github::new(&settings, client()).unwrap_err().hint();
    let token = Secret::new("ghp_abcdef123456");
    assert!(hint(GithubSettings { token: token.clone(), ..GithubSettings::default() }).contains("GH_REPO"));
    let repo = Some("acme/tuner".to_owned());
    assert!(hint(GithubSettings { repo, ..GithubSettings::default() }).contains("GH_TOKEN"));
    for wrong in ["acme", "acme/tuner/x", "https://github.com/acme/tuner", "acme/..", "acme/t?x"] {
        let repo = Some(wrong.to_owned());
        assert!(hint(GithubSettings { repo, token: token.clone(), base_url: None }).contains("owner/name"), "{wrong}");
    }
}

// R11.2
#[tokio::test]
async fn issues_are_found_by_words_in_the_cache_and_on_github() {
    let (fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    let old = fake.issue("Worker crashes when the GPU runs out of memory", "CUDA error");
    fake.pull_request("Fix the GPU memory crash of the worker");
    let issues = issues(&fake, folder.path());
    assert_eq!(issues.refresh().await.unwrap().issues, 1, "a pull request is no issue");
    let newer = fake.issue("GPU memory is not freed", "after a crash of the worker");
    let found = issues.search("gpu  MEMORY crash!").await.unwrap();
    let numbers: Vec<u64> = found.issues.iter().map(|issue| issue.number).collect();
    assert_eq!(numbers, [old, newer]);
    assert_eq!((found.from_cache_only, found.cache_refreshed_at.is_some()), (None, true));
    let first = &found.issues[0];
    assert_eq!((first.state.as_str(), first.url.ends_with("/issues/1")), ("open", true));
    assert!(matches!(issues.search(" ?! ").await, Err(HubError::Argument { .. })));
    let asked = fake.asked();
    assert!(asked.last().unwrap().contains("(memory OR crash OR gpu) repo:acme/tuner is:issue"), "{asked:?}");
    // One word of several is enough for GitHub, half of them for the answer.
    let last = fake.issue("The page forgets its filters", "after a reload");
    let found = issues.search("does the page forget what was chosen?").await.unwrap();
    assert_eq!(found.issues.iter().map(|issue| issue.number).collect::<Vec<_>>(), [last]);
    // Nobody's words choose another repository.
    issues.search("memory repo:other/secret is:open").await.unwrap();
    assert!(!fake.asked().last().unwrap().contains("repo:other"), "{:?}", fake.asked());
}

// R11.3
#[tokio::test]
async fn a_likely_duplicate_is_refused_and_named_and_a_new_issue_gets_its_number() {
    let (fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    let known = fake.issue("Worker crashes on GPU out of memory", "");
    let issues = issues(&fake, folder.path());
    let error = issues.create(&new("The worker crashed on GPU out-of-memory")).await.unwrap_err();
    assert!(matches!(&error, HubError::Duplicate { number, .. } if *number == known), "{error:?}");
    assert!(error.to_string().contains("Worker crashes on GPU out of memory") && error.hint().contains("#1"));
    assert!(!fake.asked().iter().any(|asked| asked.starts_with("POST")));

    let written = issues.create(&new("Report lacks units")).await.unwrap();
    assert_eq!((written.number, written.labels.as_slice()), (2, &["bug".to_owned()][..]));
    assert!(written.url.ends_with("/issues/2"));
    // GitHub's own search may lag; the cache knows what we wrote.
    fake.trouble(Some(Trouble::TooFast { seconds: 30 }));
    let error = issues.create(&new("report lacks UNITS")).await.unwrap_err();
    assert!(matches!(error, HubError::Duplicate { number: 2, .. }), "{error:?}");
    fake.trouble(None);
    let again = NewIssue { even_if_known: true, ..new("Report lacks units") };
    assert_eq!(issues.create(&again).await.unwrap().number, 3);
    fake.close(known);
    assert_eq!(issues.create(&new("Worker crashes on GPU out of memory")).await.unwrap().number, 4);
    assert!(matches!(issues.create(&new("  ")).await, Err(HubError::Argument { .. })));
}

// R11.4
#[tokio::test]
async fn the_cache_is_refreshed_page_by_page_and_not_at_all_if_nothing_changed() {
    let (fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    for n in 0..250 {
        fake.issue(&format!("Number {n}"), "");
    }
    let issues = issues(&fake, folder.path());
    let first = issues.refresh().await.unwrap();
    assert_eq!((first.issues, first.changed, first.is_part), (250, true, false));
    assert_eq!(fake.asked().len(), 3);
    let second = issues.refresh().await.unwrap();
    assert_eq!((second.issues, second.changed, fake.not_modified()), (250, false, 1));
    assert!(second.refreshed_at >= first.refreshed_at);
    fake.issue("One more", "");
    assert_eq!(issues.refresh().await.unwrap().issues, 251);
    let (issue, note) = issues.issue(7).await.unwrap();
    assert_eq!((issue.title.as_str(), note), ("Number 6", None));
    assert!(matches!(issues.issue(9999).await, Err(HubError::NotFound { .. })));
}

#[tokio::test]
async fn at_most_ten_pages_are_kept_and_it_says_so() {
    let (fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    for n in 0..1010 {
        fake.issue(&format!("Number {n}"), "");
    }
    let refreshed = issues(&fake, folder.path()).refresh().await.unwrap();
    assert_eq!((refreshed.issues, refreshed.is_part, fake.asked().len()), (1000, true, 10));
}

// R11.5
#[tokio::test]
async fn the_cache_serves_alone_when_github_is_limited_or_gone_and_says_so() {
    let (mut fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    let known = fake.issue("Worker crashes on GPU out of memory", "");
    let issues = issues(&fake, folder.path());
    issues.refresh().await.unwrap();
    let before = std::fs::read(folder.path().join(CACHE_FILE)).unwrap();

    let reset = chrono::Utc::now().timestamp() + 1234;
    for (trouble, sign) in [
        (Trouble::Limited { reset }, "limits requests until"),
        (Trouble::TooFast { seconds: 60 }, "limits requests until"),
        (Trouble::Status(503, "unicorn".into()), "it fails with 503"),
    ] {
        fake.trouble(Some(trouble));
        let found = issues.search("worker crash").await.unwrap();
        assert_eq!(found.issues[0].number, known);
        let note = found.from_cache_only.unwrap();
        assert!(note.starts_with("from the cache alone, refreshed at 2") && note.contains(sign), "{note}");
        assert_eq!(issues.issue(known).await.unwrap().0.number, known);
        assert!(issues.refresh().await.is_err());
    }
    fake.trouble(Some(Trouble::Limited { reset }));
    let error = issues.comment(known, "me too").await.unwrap_err();
    assert!(matches!(&error, HubError::Limited { until: Some(until), .. } if until.timestamp() == reset), "{error:?}");
    assert!(error.again_helps() && error.fault() == Fault::Server && error.hint().contains("after 20"));
    fake.stop();
    let found = issues.search("worker crash").await.unwrap();
    assert!(found.from_cache_only.unwrap().contains("cannot be reached"));
    assert_eq!(std::fs::read(folder.path().join(CACHE_FILE)).unwrap(), before, "a failed refresh changes nothing");
}

#[tokio::test]
async fn a_wrong_token_is_no_outage_and_is_never_shown() {
    let (fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    fake.token("another");
    let error = issues(&fake, folder.path()).search("worker").await.unwrap_err();
    assert!(matches!(error, HubError::Unauthorised { status: 401, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("ghp_"), "{error}");
    assert!(error.hint().contains("GH_TOKEN"));
}

// R13.3
#[tokio::test]
async fn a_comment_gives_its_address_and_a_blank_one_is_refused() {
    let (fake, folder) = (FakeGithub::start(), tempfile::tempdir().unwrap());
    let number = fake.issue("Worker crashes", "");
    let issues = issues(&fake, folder.path());
    for blank in ["", " \n\t", "\u{a0}"] {
        assert!(matches!(issues.comment(number, blank).await, Err(HubError::Argument { .. })), "{blank:?}");
    }
    assert_eq!(fake.asked().len(), 0, "nothing was sent");
    let comment = issues.comment(number, "It also does so on ROCm.").await.unwrap();
    assert_eq!((comment.id, comment.url.ends_with("#issuecomment-1001")), (1001, true));
    assert_eq!(fake.comments(), [(number, "It also does so on ROCm.".to_owned())]);
    assert!(matches!(issues.comment(77, "x").await, Err(HubError::NotFound { .. })));
}

// R11.6
#[tokio::test]
async fn requests_go_through_the_proxy_of_the_client() {
    let fake = FakeGithub::start();
    let number = fake.issue("Worker crashes", "");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = reqwest::Proxy::all(fake.url()).unwrap();
    let through = reqwest::Client::builder().proxy(proxy).build().unwrap();
    // A host that does not exist: only the proxy can answer.
    let settings = GithubSettings { base_url: Some("http://api.github.invalid".into()), ..settings(&fake) };
    let github = Github::new(&settings, through).unwrap();
    assert_eq!(github.issue(number).await.unwrap().title, "Worker crashes");
}

#[test]
fn a_cache_that_is_damaged_or_of_another_repository_counts_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep").join(CACHE_FILE);
    let cache = IssuesCache { repo: "acme/tuner".into(), refreshed_at: Some(chrono::Utc::now()), ..Default::default() };
    cache.store(&file).unwrap();
    assert_eq!(IssuesCache::load(&file, "acme/tuner"), cache);
    assert_eq!(IssuesCache::load(&file, "acme/other").refreshed_at, None);
    std::fs::write(&file, "{\"repo\":").unwrap();
    assert_eq!(IssuesCache::load(&file, "acme/tuner").refreshed_at, None);
    let left: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside it");
}
