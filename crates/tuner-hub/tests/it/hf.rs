//! Models: found, described, downloaded, kept.

use std::path::Path;
use std::time::Duration;

use tuner_hub::hf::{HfSettings, HuggingFace, Progress, Want, scan};
use tuner_hub::{HubError, Secret};
use tuner_testkit::hugging_face::FakeHub;
use tuner_testkit::loopback::wait_until;

use crate::client;

fn hub(fake: &FakeHub, cache: &Path) -> HuggingFace {
    let settings = HfSettings {
        endpoint: Some(fake.url()),
        token: Secret::new("hf_abcdef123456"),
        cache: cache.to_owned(),
        offline: false,
    };
    HuggingFace::new(settings, client()).unwrap()
}

/// Bytes that differ everywhere.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 % 251) as u8).collect()
}

fn filled() -> FakeHub {
    let fake = FakeHub::start();
    fake.file("config.json", b"{}");
    fake.file("empty.txt", b"");
    fake.large_file("model.safetensors", &bytes(50_000));
    fake.large_file("original/model.pth", &bytes(9_000));
    fake
}

fn want() -> Want {
    Want { repo: FakeHub::REPO.into(), ..Want::default() }
}

async fn fetched(hub: &HuggingFace, want: &Want) -> (Result<tuner_hub::hf::Done, HubError>, Vec<Progress>) {
    let mut told = Vec::new();
    let done = hub.download(want, &mut |progress| told.push(progress)).await;
    (done, told)
}

// R13.1
#[tokio::test]
async fn models_are_found_and_described() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    let hub = hub(&fake, folder.path());
    let found = hub.search("tiny", Some("llama"), 5).await.unwrap();
    assert_eq!((found[0].id.as_str(), found[0].downloads, found[0].gated), ("acme/tiny", 12, false));
    assert!(hub.search("nothing", None, 5).await.unwrap().is_empty());
    let info = hub.model("acme/tiny", None).await.unwrap();
    assert_eq!((info.commit.as_str(), info.parameters), (FakeHub::COMMIT, Some(134_515_008)));
    assert_eq!(
        (info.license.as_deref(), info.architectures.as_slice()),
        (Some("apache-2.0"), &["LlamaForCausalLM".to_owned()][..])
    );
    let tree = hub.tree("acme/tiny", None).await.unwrap();
    let sizes: Vec<_> = tree.iter().map(|file| (file.path.as_str(), file.size, file.sha256.is_some())).collect();
    assert_eq!(
        sizes,
        [
            ("config.json", 2, false),
            ("empty.txt", 0, false),
            ("model.safetensors", 50_000, true),
            ("original/model.pth", 9_000, true)
        ]
    );
    for wrong in ["../x", "a/b/c", ""] {
        assert!(matches!(hub.model(wrong, None).await, Err(HubError::Argument { .. })), "{wrong}");
    }
    assert!(matches!(hub.model("acme/tiny", Some("nobody")).await, Err(HubError::NotFound { .. })));
}

// R13.1
#[tokio::test]
async fn who_the_token_is_and_how_things_are_set_up() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    fake.token("hf_abcdef123456");
    let auth = hub(&fake, folder.path()).whoami().await.unwrap().unwrap();
    assert_eq!((auth.name.as_str(), auth.role.as_deref(), auth.orgs.len()), ("ada", Some("read"), 1));
    let env = hub(&fake, folder.path()).env_info();
    assert!(env.token_is_set && env.cache_exists && env.endpoint.starts_with(&fake.url()), "{env:?}");
    fake.token("another");
    let error = hub(&fake, folder.path()).whoami().await.unwrap_err();
    assert!(matches!(error, HubError::Unauthorised { .. }) && !format!("{error:?}").contains("hf_abc"), "{error:?}");
    let settings = HfSettings { endpoint: None, token: None, cache: folder.path().join("none"), offline: true };
    let offline = HuggingFace::new(settings, client()).unwrap();
    assert_eq!(offline.whoami().await.unwrap(), None);
    assert!(!offline.env_info().cache_exists);
    assert!(offline.search("x", None, 5).await.unwrap_err().hint().contains("HF_HUB_OFFLINE"));
}

// R13.1
#[tokio::test]
async fn a_download_fills_the_cache_in_the_usual_layout_once() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    let hub = hub(&fake, folder.path());
    let (done, told) = fetched(&hub, &want()).await;
    let done = done.unwrap();
    assert_eq!((done.files, done.size, done.fetched), (4, 59_002, 59_002));
    let repo = folder.path().join("models--acme--tiny");
    assert_eq!(done.folder, repo.join("snapshots").join(FakeHub::COMMIT));
    assert_eq!(std::fs::read(done.folder.join("model.safetensors")).unwrap(), bytes(50_000));
    assert_eq!(std::fs::read(done.folder.join("original/model.pth")).unwrap(), bytes(9_000));
    let link = std::fs::read_link(done.folder.join("original/model.pth")).unwrap();
    assert!(link.starts_with("../../../blobs") && link.is_relative(), "{link:?}");
    assert_eq!(std::fs::read_to_string(repo.join("refs/main")).unwrap(), FakeHub::COMMIT);
    assert!(told.windows(2).all(|pair| pair[0].bytes <= pair[1].bytes));
    let last = told.last().unwrap();
    assert_eq!((last.bytes, last.size, last.files_done, last.files), (59_002, 59_002, 4, 4));

    let contents = |fake: &FakeHub| fake.asked().iter().filter(|asked| asked.starts_with("content")).count();
    let before = contents(&fake);
    let again = fetched(&hub, &Want { revision: Some("refs/pr/1".into()), ..want() }).await.0.unwrap();
    assert_eq!((again.fetched, contents(&fake)), (0, before));

    let scan = scan(folder.path());
    assert_eq!((scan.size_bytes, scan.repos.len(), scan.remarks.len()), (59_002, 1, 0), "{scan:?}");
    let kept = &scan.repos[0];
    assert_eq!((kept.id.as_str(), kept.kind.as_str(), kept.files, kept.unfinished_bytes), ("acme/tiny", "model", 4, 0));
    assert_eq!(kept.revisions[0].refs, ["main", "refs/pr/1"]);
    assert_eq!((kept.revisions[0].files, kept.revisions[0].size_bytes), (4, 59_002));
    std::fs::remove_file(
        repo.join("blobs").join(std::fs::read_link(done.folder.join("config.json")).unwrap().file_name().unwrap()),
    )
    .unwrap();
    assert_eq!(tuner_hub::hf::scan(folder.path()).repos[0].revisions[0].broken, ["config.json"]);
}

// R13.1
#[tokio::test]
async fn patterns_choose_and_a_folder_gets_plain_files() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    let hub = hub(&fake, &folder.path().join("cache"));
    let local = folder.path().join("here");
    let want = Want {
        local_dir: Some(local.clone()),
        include: vec!["*.json".into(), "*.safetensors".into(), "original/".into()],
        exclude: vec!["*.pth".into()],
        ..want()
    };
    let done = fetched(&hub, &want).await.0.unwrap();
    assert_eq!((done.files, done.folder.as_path()), (2, local.as_path()));
    assert_eq!(std::fs::read(local.join("model.safetensors")).unwrap(), bytes(50_000));
    assert!(!local.join("original").exists() && !local.join("model.safetensors").is_symlink());
    // A file that somebody changed is fetched again, one that is whole is not.
    let again = fetched(&hub, &want).await.0.unwrap();
    assert_eq!(again.fetched, 2);
    std::fs::write(local.join("model.safetensors"), vec![0; 50_000]).unwrap();
    assert_eq!(fetched(&hub, &want).await.0.unwrap().fetched, 50_002);
    let nothing = Want { include: vec!["*.gguf".into()], ..want };
    assert!(matches!(fetched(&hub, &nothing).await.0, Err(HubError::NotFound { .. })));
}

#[tokio::test]
async fn a_download_that_breaks_goes_on_where_it_was() {
    for ranges in [true, false] {
        let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
        if !ranges {
            fake.without_ranges();
        }
        fake.breaks(20_000, 2);
        let done = fetched(&hub(&fake, folder.path()), &want()).await.0.unwrap();
        assert_eq!(std::fs::read(done.folder.join("model.safetensors")).unwrap(), bytes(50_000));
        let continued = fake.asked().iter().any(|asked| asked == "content model.safetensors bytes=20000-");
        assert!(continued, "{:?}", fake.asked());
    }
}

#[tokio::test]
async fn a_download_that_was_given_up_is_continued_by_the_next_one() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    fake.breaks(3_000, 1000);
    let hub = hub(&fake, folder.path());
    let only = Want { include: vec!["*.safetensors".into()], ..want() };
    // Each try brings three thousand bytes, so it ends; a server that brings none is given up.
    fake.breaks(0, 1000);
    let error = fetched(&hub, &only).await.0.unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }) && error.again_helps(), "{error:?}");
    assert!(!folder.path().join("models--acme--tiny/refs/main").exists());
    fake.breaks(3_000, 1000);
    let done = fetched(&hub, &only).await.0.unwrap();
    assert_eq!(std::fs::read(done.folder.join("model.safetensors")).unwrap(), bytes(50_000));
}

// R13.1
#[tokio::test]
async fn a_dropped_download_stops_and_keeps_what_it_has() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    fake.hang(true);
    let hub = hub(&fake, folder.path());
    let only = Want { include: vec!["*.safetensors".into()], ..want() };
    let part = || scan(folder.path()).repos.first().map_or(0, |repo| repo.unfinished_bytes);
    let mut told = |_: Progress| {};
    tokio::select! {
        done = hub.download(&only, &mut told) => panic!("{done:?}"),
        () = async {
            while part() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        } => {}
    }
    let kept = part();
    assert!((1..50_000).contains(&kept), "{kept}");
    fake.hang(false);
    let done = fetched(&hub, &only).await.0.unwrap();
    assert_eq!(done.fetched, 50_000 - kept);
    assert!(wait_until(Duration::from_secs(5), || part() == 0));
}

#[tokio::test]
async fn what_is_not_what_was_published_is_not_kept() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    let hub = hub(&fake, folder.path());
    let only = Want { include: vec!["*.safetensors".into()], ..want() };
    fake.falsify("model.safetensors", Some(&"ab".repeat(32)));
    let error = fetched(&hub, &only).await.0.unwrap_err();
    assert!(matches!(&error, HubError::Checksum { file, .. } if file == "model.safetensors"), "{error:?}");
    let scan_ = scan(folder.path());
    assert_eq!(scan_.repos.iter().map(|repo| repo.size_bytes + repo.unfinished_bytes).sum::<u64>(), 0, "{scan_:?}");
    // A checksum that is no number would be a name of a file.
    fake.falsify("model.safetensors", Some("../../../../evil"));
    assert!(matches!(fetched(&hub, &only).await.0, Err(HubError::Unreadable { .. })));
}

#[tokio::test]
async fn a_name_that_leads_out_of_the_folder_spoils_the_download() {
    for name in ["../evil", "a/../../evil", "/tmp/evil", "a\\..\\evil", ".cache/huggingface/evil"] {
        let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
        fake.file(name, b"evil");
        let local = folder.path().join("in/here");
        let want = Want { local_dir: Some(local.clone()), ..want() };
        let error = fetched(&hub(&fake, folder.path()), &want).await.0.unwrap_err();
        assert!(matches!(&error, HubError::Escapes { name: found, .. } if found == name), "{error:?}");
        assert!(!local.exists(), "nothing is written: {name}");
    }
}

#[tokio::test]
async fn a_model_behind_conditions_says_where_to_accept_them() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    fake.gate();
    let hub = hub(&fake, folder.path());
    assert!(hub.model("acme/tiny", None).await.unwrap().facts.gated);
    let error = fetched(&hub, &want()).await.0.unwrap_err();
    assert!(matches!(error, HubError::Gated { .. }) && error.hint().contains("page of acme/tiny"), "{error:?}");
}

#[tokio::test]
async fn a_second_download_of_the_same_file_is_told_that_it_is_busy() {
    let (fake, folder) = (filled(), tempfile::tempdir().unwrap());
    fake.hang(true);
    let only = Want { include: vec!["*.safetensors".into()], ..want() };
    let (first, second) = (hub(&fake, folder.path()), hub(&fake, folder.path()));
    let part = || scan(folder.path()).repos.first().map_or(0, |repo| repo.unfinished_bytes);
    let mut told = |_: Progress| {};
    tokio::select! {
        done = first.download(&only, &mut told) => panic!("{done:?}"),
        () = async {
            while part() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let error = fetched(&second, &only).await.0.unwrap_err();
            assert!(matches!(error, HubError::Busy { .. }), "{error:?}");
        } => {}
    }
}
