//! The model's own tokenizer: from its folder, its GGUF, the hub's local cache, or the engine that serves it.
//!
//! *Invariant*: another model's tokenizer is never used; where none can be had, the error names what was looked for
//! and what is missing.

mod engine;
mod gguf;
mod pool;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokenizers::Tokenizer;
use tuner_core::task::ModelSpec;

use crate::client::Target;

pub use engine::EngineTokenizer;
pub use gguf::GgufError;
pub use pool::{Prompt, WordPool};

/// Special tokens by which models of pictures are known, with what stands for one picture in their prompts. The order
/// matters: some models have several.
const PICTURE_MARKS: [(&str, &str); 9] = [
    ("<|image_pad|>", "<|vision_start|><|image_pad|><|vision_end|>"),
    ("<start_of_image>", "<start_of_image>"),
    ("<image_soft_token>", "<image_soft_token>"),
    ("<|media_pad|>", "<|media_pad|>"),
    ("<IMG_CONTEXT>", "<image>"),
    ("<|imgpad|>", "<|img|><|imgpad|><|endofimg|>"),
    ("[IMG]", "[IMG]"),
    ("<|image|>", "<|image|>"),
    ("<image>", "<image>"),
];
/// What the transformers library asks for beside `tokenizer.json`.
const TRANSFORMERS_CONFIG: &str = "tokenizer_config.json";

/// Why there is no tokenizer, or why it cannot do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not a tokenizer.
    #[error("{path} is not a tokenizer: {what}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the tokenizer library says.
        what: String,
    },
    /// A GGUF without a usable tokenizer.
    #[error("{path} {source}")]
    Gguf {
        /// The file.
        path: PathBuf,
        /// Why.
        source: GgufError,
    },
    /// Files are missing where they should be.
    #[error("{place} lacks {missing}: {hint}")]
    Missing {
        /// Folder that was looked into.
        place: PathBuf,
        /// What is not there.
        missing: String,
        /// What to do.
        hint: String,
    },
    /// The engine has no `/tokenize`, or it failed.
    #[error("the engine cannot tokenize: {0}")]
    Engine(String),
    /// Nowhere.
    #[error("no tokenizer was found: {tried}; give model.tokenizer a folder, a tokenizer.json or a GGUF")]
    Nowhere {
        /// Each place with what was wrong there.
        tried: String,
    },
    /// The tokenizer has no words of which texts of exact length can be made.
    #[error("no text of exactly {tokens} tokens can be made with {tokenizer}: {what}")]
    NoExactText {
        /// Length wanted.
        tokens: u32,
        /// Which tokenizer.
        tokenizer: String,
        /// Why not.
        what: String,
    },
}

/// A tokenizer in this process.
pub struct LocalTokenizer {
    inner: Tokenizer,
    /// Where it came from, for people.
    pub origin: String,
    /// A remark, where its splitting rule had to be guessed.
    pub note: Option<String>,
}

impl std::fmt::Debug for LocalTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalTokenizer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl LocalTokenizer {
    /// Reads a `tokenizer.json`, a GGUF, or a folder that holds a `tokenizer.json`.
    ///
    /// # Errors
    /// Names the file and what is wrong or missing.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        if path.is_dir() {
            let file = path.join("tokenizer.json");
            if file.is_file() {
                return Self::load(&file);
            }
            let hint = "a fast tokenizer is needed; save one with AutoTokenizer.from_pretrained(…).save_pretrained(…)";
            let missing = "tokenizer.json".to_owned();
            return Err(TokenError::Missing { place: path.to_owned(), missing, hint: hint.to_owned() });
        }
        let origin = path.display().to_string();
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) {
            let read = gguf::read(path).map_err(|source| TokenError::Gguf { path: path.to_owned(), source })?;
            let note = read.guessed_rule.map(|rule| {
                format!("the GGUF's splitting rule {rule:?} is not known; GPT-2's is used, which may differ on numbers and symbols")
            });
            return Self::from_json(read.json.to_string().as_bytes(), path, origin, note);
        }
        let bytes = std::fs::read(path).map_err(|source| TokenError::Read { path: path.to_owned(), source })?;
        Self::from_json(&bytes, path, origin, None)
    }

    fn from_json(bytes: &[u8], path: &Path, origin: String, note: Option<String>) -> Result<Self, TokenError> {
        let mut inner = Tokenizer::from_bytes(bytes)
            .map_err(|e| TokenError::Parse { path: path.to_owned(), what: e.to_string() })?;
        // Files may carry the padding and truncation of their training; both would falsify counts.
        inner.with_padding(None);
        let _ = inner.with_truncation(None);
        Ok(Self { inner, origin, note })
    }

    /// A folder from which the transformers library loads this tokenizer: its own, where it came from one that has all
    /// the library asks for, else `at`, which is written.
    ///
    /// # Errors
    /// The folder or its files cannot be written.
    pub fn transformers_folder(&self, at: &Path) -> std::io::Result<PathBuf> {
        let origin = Path::new(&self.origin);
        if let Some(own) = origin.parent().filter(|own| own.join(TRANSFORMERS_CONFIG).is_file())
            && origin.file_name().is_some_and(|name| name == "tokenizer.json")
        {
            return std::path::absolute(own);
        }
        let json = self.inner.to_string(false).map_err(|e| std::io::Error::other(e.to_string()))?;
        // Tokens that stand for no text must not be drawn into random prompts.
        let special: Vec<String> =
            self.inner.get_added_tokens_decoder().into_values().filter(|t| t.special).map(|t| t.content).collect();
        let config = serde_json::json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "additional_special_tokens": special,
            "clean_up_tokenization_spaces": false,
            "model_max_length": 1_000_000,
        });
        std::fs::create_dir_all(at)?;
        std::fs::write(at.join("tokenizer.json"), json)?;
        std::fs::write(at.join(TRANSFORMERS_CONFIG), config.to_string())?;
        std::path::absolute(at)
    }

    /// Finds a model in the hub's local cache, without the network.
    ///
    /// # Errors
    /// The model is not there, or its snapshot is incomplete: the missing files are named.
    pub fn from_hub_cache(id: &str, cache: &Path) -> Result<Self, TokenError> {
        let repository = cache.join(format!("models--{}", id.replace('/', "--")));
        let snapshots = repository.join("snapshots");
        let hint = format!("fetch it once with network (huggingface-cli download {id}), or give model.tokenizer");
        let missing =
            |place: PathBuf, what: &str| TokenError::Missing { place, missing: what.to_owned(), hint: hint.clone() };
        if !repository.is_dir() {
            return Err(missing(cache.to_owned(), &format!("the model {id}")));
        }
        let named = std::fs::read_to_string(repository.join("refs/main")).ok().map(|r| snapshots.join(r.trim()));
        let newest = || {
            let entries = std::fs::read_dir(&snapshots).ok()?;
            entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).max()
        };
        let snapshot = named.filter(|p| p.is_dir()).or_else(newest);
        let snapshot = snapshot.ok_or_else(|| missing(repository.clone(), "a complete snapshot"))?;
        // A broken link: the entry is there, the blob it points to is not.
        let file = snapshot.join("tokenizer.json");
        if !file.is_file() {
            let what = if file.is_symlink() { "the content of tokenizer.json" } else { "tokenizer.json" };
            return Err(missing(snapshot, what));
        }
        Self::load(&file)
    }

    /// Token ids of a text. `special`: with the tokens that the model wants around a text.
    ///
    /// # Errors
    /// The tokenizer refuses the text.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, TokenError> {
        let encoding = self.inner.encode_fast(text, special).map_err(|e| self.refused(&e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Tokens of a text without special ones.
    ///
    /// # Errors
    /// The tokenizer refuses the text.
    pub fn count(&self, text: &str) -> Result<u32, TokenError> {
        Ok(self.encode(text, false)?.len() as u32)
    }

    /// Every token of the vocabulary with its id, by id.
    /// What stands for a picture in a prompt of this model, by the special tokens that it has.
    pub(crate) fn picture_mark(&self) -> Option<&'static str> {
        let known = PICTURE_MARKS.iter().find(|(token, _)| self.inner.token_to_id(token).is_some());
        known.map(|(_, mark)| *mark)
    }

    pub(crate) fn vocabulary(&self) -> Vec<(u32, String)> {
        let mut all: Vec<(u32, String)> = self.inner.get_vocab(false).into_iter().map(|(t, id)| (id, t)).collect();
        all.sort_unstable();
        all
    }

    fn refused(&self, what: &str) -> TokenError {
        TokenError::Parse { path: PathBuf::from(&self.origin), what: what.to_owned() }
    }
}

/// Where token counts and exact texts come from.
#[derive(Debug)]
pub enum TokenSource {
    /// A tokenizer in this process.
    Local(Box<LocalTokenizer>),
    /// The engine's `/tokenize`.
    Engine(Box<EngineTokenizer>),
}

impl TokenSource {
    /// Finds the model's tokenizer: `model.tokenizer`, `model.path`, `model.id` in the hub's cache, then the engine.
    ///
    /// # Errors
    /// None was found: every place with what was wrong there. A `model.tokenizer` that was given and fails is not
    /// replaced by another.
    pub async fn find(
        model: &ModelSpec,
        hub_cache: Option<&Path>,
        engine: Option<&Target>,
    ) -> Result<Self, TokenError> {
        let local = |tokenizer: LocalTokenizer| Self::Local(Box::new(tokenizer));
        let in_cache = |id: &str| hub_cache.map(|cache| LocalTokenizer::from_hub_cache(id, cache));
        if let Some(given) = &model.tokenizer {
            let path = Path::new(given);
            let looks_like_an_id =
                !path.exists() && given.split('/').count() == 2 && !given.starts_with(['.', '/', '~']);
            return match in_cache(given).filter(|_| looks_like_an_id) {
                Some(found) => found.map(local),
                None => LocalTokenizer::load(path).map(local),
            };
        }
        let mut tried = Vec::new();
        if let Some(path) = &model.path {
            match LocalTokenizer::load(Path::new(path)) {
                Ok(found) => return Ok(local(found)),
                Err(error) => tried.push(describe(&error)),
            }
        }
        if let Some(id) = &model.id {
            match in_cache(id) {
                Some(Ok(found)) => return Ok(local(found)),
                Some(Err(error)) => tried.push(describe(&error)),
                None => tried.push(format!("no hub cache to look for {id} in")),
            }
        }
        if let Some(target) = engine {
            match EngineTokenizer::connect(target).await {
                Ok(found) => return Ok(Self::Engine(Box::new(found))),
                Err(error) => tried.push(describe(&error)),
            }
        }
        if tried.is_empty() {
            tried.push("the model has neither a path nor an id".to_owned());
        }
        Err(TokenError::Nowhere { tried: tried.join("; ") })
    }

    /// The same tokenizer for another engine that serves the same model: a tokenizer in this process is shared, an
    /// engine's is asked there.
    ///
    /// # Errors
    /// The target's address cannot be used.
    pub fn moved_to(self: &Arc<Self>, target: &Target) -> Result<Arc<Self>, TokenError> {
        match self.as_ref() {
            Self::Local(_) => Ok(self.clone()),
            Self::Engine(_) => Ok(Arc::new(Self::Engine(Box::new(EngineTokenizer::at(target)?)))),
        }
    }

    /// Words for people: where counts come from.
    pub fn origin(&self) -> String {
        match self {
            Self::Local(tokenizer) => tokenizer.origin.clone(),
            Self::Engine(_) => "the engine's /tokenize".to_owned(),
        }
    }

    /// Tokens of a text without special ones.
    ///
    /// # Errors
    /// The tokenizer or the engine refuses.
    pub async fn count(&self, text: &str) -> Result<u32, TokenError> {
        match self {
            Self::Local(tokenizer) => tokenizer.count(text),
            Self::Engine(engine) => engine.count(text).await,
        }
    }

    /// Words of which texts of exact length are made.
    ///
    /// # Errors
    /// There are too few.
    pub async fn words(&self) -> Result<WordPool, TokenError> {
        match self {
            Self::Local(tokenizer) => WordPool::of(tokenizer),
            Self::Engine(engine) => engine.words().await,
        }
    }
}

fn describe(error: &TokenError) -> String {
    match std::error::Error::source(error) {
        // The GGUF variant's text holds its source already: both belong to one sentence.
        Some(source) if !matches!(error, TokenError::Gguf { .. }) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
