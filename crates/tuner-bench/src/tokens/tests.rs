//! Tokenizers from every source, and texts of exact length.

use std::path::Path;

use proptest::prelude::*;
use tuner_core::task::ModelSpec;

use super::*;
use crate::seed::Seeds;

const SYLLABLES: [&str; 10] = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu"];

fn words() -> Vec<String> {
    SYLLABLES.iter().flat_map(|a| SYLLABLES.iter().map(move |b| format!("{a}{b}"))).collect()
}

/// A vocabulary in the manner of GPT-2: bytes, syllables, syllables after a space, words.
fn byte_level() -> (Vec<String>, Vec<String>) {
    let mut tokens: Vec<String> = (b'!'..=b'~').map(|b| char::from(b).to_string()).collect();
    tokens.push("Ġ".to_owned());
    let pairs = SYLLABLES.iter().map(|s| (s[..1].to_owned(), s[1..].to_owned()));
    let spaced = SYLLABLES.iter().map(|s| ("Ġ".to_owned(), (*s).to_owned()));
    let both = |begin: &'static str| {
        SYLLABLES.iter().flat_map(move |a| SYLLABLES.iter().map(move |b| (format!("{begin}{a}"), (*b).to_owned())))
    };
    let merges: Vec<(String, String)> = pairs.chain(spaced).chain(both("Ġ")).chain(both("")).collect();
    tokens.extend(merges.iter().map(|(a, b)| format!("{a}{b}")));
    tokens.push("<|end|>".to_owned());
    (tokens, merges.into_iter().map(|(a, b)| format!("{a} {b}")).collect())
}

/// Writes the metadata of a GGUF.
struct Gguf(Vec<u8>, u64);

impl Gguf {
    fn text(&mut self, text: &str) {
        self.0.extend((text.len() as u64).to_le_bytes());
        self.0.extend(text.as_bytes());
    }
    fn entry(&mut self, key: &str, kind: u32) {
        self.1 += 1;
        self.text(key);
        self.0.extend(kind.to_le_bytes());
    }
    fn put_text(&mut self, key: &str, value: &str) {
        self.entry(key, 8);
        self.text(value);
    }
    fn put_u32(&mut self, key: &str, value: u32) {
        self.entry(key, 4);
        self.0.extend(value.to_le_bytes());
    }
    fn put_bool(&mut self, key: &str, value: bool) {
        self.entry(key, 7);
        self.0.push(u8::from(value));
    }
    fn put_texts(&mut self, key: &str, values: &[String]) {
        self.entry(key, 9);
        self.0.extend(8u32.to_le_bytes());
        self.0.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|v| self.text(v));
    }
    fn put_floats(&mut self, key: &str, values: &[f32]) {
        self.entry(key, 9);
        self.0.extend(6u32.to_le_bytes());
        self.0.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|v| self.0.extend(v.to_le_bytes()));
    }
    fn put_ints(&mut self, key: &str, values: &[i32]) {
        self.entry(key, 9);
        self.0.extend(5u32.to_le_bytes());
        self.0.extend((values.len() as u64).to_le_bytes());
        values.iter().for_each(|v| self.0.extend(v.to_le_bytes()));
    }
    fn write(self, path: &Path) {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(self.1.to_le_bytes());
        bytes.extend(self.0);
        std::fs::write(path, bytes).unwrap();
    }
}

fn gpt2_gguf(path: &Path, rule: &str) {
    let (tokens, merges) = byte_level();
    let mut kinds = vec![1; tokens.len()];
    kinds[tokens.len() - 1] = 3;
    let mut file = Gguf(Vec::new(), 0);
    file.put_text("general.name", "test");
    file.put_floats("test.skipped", &[1.0, 2.0, 3.0]);
    file.put_text("tokenizer.ggml.model", "gpt2");
    file.put_text("tokenizer.ggml.pre", rule);
    file.put_texts("tokenizer.ggml.tokens", &tokens);
    file.put_texts("tokenizer.ggml.merges", &merges);
    file.put_ints("tokenizer.ggml.token_type", &kinds);
    file.put_u32("tokenizer.ggml.bos_token_id", tokens.len() as u32 - 1);
    file.put_bool("tokenizer.ggml.add_bos_token", true);
    file.write(path);
}

fn in_folder(write: impl FnOnce(&Path)) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    write(&path);
    (folder, path)
}

#[test]
fn a_gguf_of_the_gpt2_kind_gives_a_tokenizer() {
    let (_folder, path) = in_folder(|p| gpt2_gguf(p, "smollm"));
    let tokenizer = LocalTokenizer::load(&path).unwrap();
    assert_eq!(tokenizer.note, None);
    assert_eq!(tokenizer.count("baba ceha kilo").unwrap(), 3);
    assert_eq!(tokenizer.count("12 3").unwrap(), 4, "digits one by one, the space its own token");
    assert_eq!(tokenizer.count("baba<|end|>").unwrap(), 2, "a control token is one token");
    assert_eq!(tokenizer.encode("", true).unwrap().len(), 1, "the model wants its beginning of text");
}

#[test]
fn an_unknown_splitting_rule_is_said() {
    let (_folder, path) = in_folder(|p| gpt2_gguf(p, "newmodel"));
    assert!(LocalTokenizer::load(&path).unwrap().note.unwrap().contains("newmodel"));
}

#[test]
fn a_gguf_of_the_sentence_piece_kind_gives_a_tokenizer() {
    let mut tokens: Vec<String> = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    tokens.extend((0..=255u8).map(|b| format!("<0x{b:02X}>")));
    let bytes = tokens.len();
    tokens.push("▁".to_owned());
    tokens.extend((b'a'..=b'z').map(|b| char::from(b).to_string()));
    for word in words() {
        let mut grown = "▁".to_owned();
        for letter in word.chars() {
            grown.push(letter);
            if !tokens.contains(&grown) {
                tokens.push(grown.clone());
            }
        }
    }
    let scores: Vec<f32> = (0..tokens.len()).map(|i| -(i as f32)).collect();
    let kinds: Vec<i32> = (0..tokens.len())
        .map(|i| match i {
            0 => 2,
            1 | 2 => 3,
            i if i < bytes => 6,
            _ => 1,
        })
        .collect();
    let (_folder, path) = in_folder(|path| {
        let mut file = Gguf(Vec::new(), 0);
        file.put_text("tokenizer.ggml.model", "llama");
        file.put_texts("tokenizer.ggml.tokens", &tokens);
        file.put_floats("tokenizer.ggml.scores", &scores);
        file.put_ints("tokenizer.ggml.token_type", &kinds);
        file.put_u32("tokenizer.ggml.unknown_token_id", 0);
        file.put_u32("tokenizer.ggml.bos_token_id", 1);
        file.write(path);
    });
    let tokenizer = LocalTokenizer::load(&path).unwrap();
    assert_eq!(tokenizer.count("baba ceha kilo").unwrap(), 3);
    assert_eq!(tokenizer.count("baba é").unwrap(), 4, "unknown letters fall back to their two bytes");
    assert_eq!(WordPool::of(&tokenizer).unwrap().special_tokens, 1);
}

#[test]
fn damaged_ggufs_are_refused_with_a_reason() {
    let (_folder, path) = in_folder(|p| gpt2_gguf(p, "gpt-2"));
    let whole = std::fs::read(&path).unwrap();
    for length in (0..200).chain((200..whole.len()).step_by(97)) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(LocalTokenizer::load(&path).is_err(), "{length} bytes");
    }
    let mut huge = whole.clone();
    huge[24..32].copy_from_slice(&u64::MAX.to_le_bytes());
    std::fs::write(&path, &huge).unwrap();
    let error = LocalTokenizer::load(&path).unwrap_err().to_string();
    assert!(error.contains("a length of"), "{error}");
    std::fs::write(&path, b"{}").unwrap();
    assert!(LocalTokenizer::load(&path).unwrap_err().to_string().contains("GGUF"));
}

#[test]
fn a_gguf_without_a_known_tokenizer_says_what_to_do() {
    let (_folder, path) = in_folder(|p| {
        let mut file = Gguf(Vec::new(), 0);
        file.put_text("tokenizer.ggml.model", "rwkv");
        file.put_texts("tokenizer.ggml.tokens", &["a".to_owned()]);
        file.write(p);
    });
    assert!(LocalTokenizer::load(&path).unwrap_err().to_string().contains("give model.tokenizer"));
}

fn hub(files: &[&str]) -> tempfile::TempDir {
    let cache = tempfile::tempdir().unwrap();
    let repository = cache.path().join("models--acme--tiny");
    let snapshot = repository.join("snapshots/abc");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(repository.join("refs")).unwrap();
    std::fs::write(repository.join("refs/main"), "abc").unwrap();
    for file in files {
        std::fs::write(snapshot.join(file), tuner_testkit::closed_form::tokenizer_json()).unwrap();
    }
    cache
}

#[tokio::test(flavor = "current_thread")]
async fn the_hub_cache_works_without_a_network() {
    // R14.1
    let cache = hub(&["tokenizer.json"]);
    let model = ModelSpec { id: Some("acme/tiny".to_owned()), ..ModelSpec::default() };
    let found = TokenSource::find(&model, Some(cache.path()), None).await.unwrap();
    assert_eq!(found.count("one two three").await.unwrap(), 3);
}

#[tokio::test(flavor = "current_thread")]
async fn an_incomplete_hub_cache_names_what_is_missing() {
    // R14.1
    let cache = hub(&["config.json"]);
    let find = |id: &str| {
        let model = ModelSpec { id: Some(id.to_owned()), ..ModelSpec::default() };
        let cache = cache.path().to_owned();
        async move { TokenSource::find(&model, Some(&cache), None).await.unwrap_err().to_string() }
    };
    let error = find("acme/tiny").await;
    assert!(error.contains("lacks tokenizer.json") && error.contains("download acme/tiny"), "{error}");
    assert!(find("acme/other").await.contains("lacks the model acme/other"));
    std::os::unix::fs::symlink(
        "../../blobs/none",
        cache.path().join("models--acme--tiny/snapshots/abc/tokenizer.json"),
    )
    .unwrap();
    assert!(find("acme/tiny").await.contains("lacks the content of tokenizer.json"));
}

#[test]
fn a_folder_without_a_tokenizer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = LocalTokenizer::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("lacks tokenizer.json"), "{error}");
}

#[test]
fn too_few_single_token_words_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let json = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,
        "model":{"type":"WordLevel","vocab":{"<unk>":0,"one":1},"unk_token":"<unk>"}}"#;
    std::fs::write(&path, json).unwrap();
    let error = WordPool::of(&LocalTokenizer::load(&path).unwrap()).unwrap_err().to_string();
    assert!(error.contains("only 1 words"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn texts_have_exactly_the_length_asked_for_and_share_no_beginning(
        tokens in 1u32..400, schedule: u64, prompts: u64,
    ) {
        let (_folder, path) = in_folder(|p| gpt2_gguf(p, "gpt-2"));
        let tokenizer = LocalTokenizer::load(&path).unwrap();
        let pool = WordPool::of(&tokenizer).unwrap();
        prop_assert!(pool.len() >= 90);
        let seeds = Seeds { schedule, prompts };
        let other = Seeds { schedule, prompts: prompts ^ 1 };
        let texts = [(seeds, 0, 0, 0), (seeds, 1, 0, 0), (seeds, 0, 1, 0), (seeds, 0, 0, 1), (other, 0, 0, 0)]
            .map(|(seeds, level, repeat, index)| {
                pool.exact_text(&tokenizer, Prompt { seeds, level, repeat, index, shared: &[] }, tokens).unwrap()
            });
        for text in &texts {
            prop_assert_eq!(tokenizer.count(text).unwrap(), tokens);
        }
        if tokens >= 6 {
            let beginnings: std::collections::HashSet<Vec<&str>> =
                texts.iter().map(|t| t.split(' ').take(6).collect()).collect();
            prop_assert_eq!(beginnings.len(), texts.len());
        }
        prop_assert_eq!(pool.exact_text(&tokenizer, Prompt { seeds, level: 0, repeat: 0, index: 0, shared: &[] }, tokens).unwrap(), texts[0].clone());
    }
}
