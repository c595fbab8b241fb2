//! The tokenizer inside a GGUF file, read from its metadata and turned into a Hugging Face tokenizer.
//!
//! *Invariant*: only the metadata is read, never the tensors, and no length in the file is trusted further than the
//! file's own size. Format: `docs/gguf.md` of the ggml project; pre-tokenizers: `llama-vocab.cpp` of llama.cpp.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};

/// Why a GGUF's tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// It cannot be read.
    #[error("cannot be read")]
    Io(#[from] std::io::Error),
    /// It is not a GGUF file, or a damaged one.
    #[error("is not a readable GGUF file: {0}")]
    Format(String),
    /// It holds no tokenizer, or one of a kind that is not known.
    #[error("holds no tokenizer that can be used ({0}): give model.tokenizer a Hugging Face folder or tokenizer.json")]
    Tokenizer(String),
}

/// A value of the metadata; what no tokenizer needs is skipped.
#[derive(Clone, Debug, PartialEq)]
enum Meta {
    Number(f64),
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

/// A tokenizer in Hugging Face's format, and whether its splitting rule had to be guessed.
pub(super) struct GgufTokenizer {
    pub(super) json: Value,
    pub(super) guessed_rule: Option<String>,
}

pub(super) fn read(path: &Path) -> Result<GgufTokenizer, GgufError> {
    let meta = metadata(path)?;
    let tokens = texts(&meta, "tokenizer.ggml.tokens")?;
    let kind = match meta.get("tokenizer.ggml.model") {
        Some(Meta::Text(kind)) => kind.as_str(),
        _ => return Err(GgufError::Tokenizer("no tokenizer.ggml.model".to_owned())),
    };
    match kind {
        "gpt2" => byte_level(&meta, tokens),
        "llama" => sentence_piece(&meta, tokens),
        other => Err(GgufError::Tokenizer(format!("its kind is {other:?}"))),
    }
}

fn texts<'a>(meta: &'a BTreeMap<String, Meta>, key: &str) -> Result<&'a [String], GgufError> {
    match meta.get(key) {
        Some(Meta::Texts(texts)) if !texts.is_empty() => Ok(texts),
        _ => Err(GgufError::Tokenizer(format!("no {key}"))),
    }
}

fn flag(meta: &BTreeMap<String, Meta>, key: &str, default: bool) -> bool {
    match meta.get(key) {
        Some(Meta::Bool(flag)) => *flag,
        _ => default,
    }
}

/// What `tokenizer.ggml.token_type` calls control tokens and tokens that users added.
const CONTROL: f64 = 3.0;
const USER_DEFINED: f64 = 4.0;

fn added_tokens(meta: &BTreeMap<String, Meta>, tokens: &[String]) -> Vec<Value> {
    let Some(Meta::Numbers(types)) = meta.get("tokenizer.ggml.token_type") else { return Vec::new() };
    let added = |kind: &f64| *kind == CONTROL || *kind == USER_DEFINED;
    let chosen = tokens.iter().zip(types).enumerate().filter(|(_, (token, kind))| added(kind) && !token.is_empty());
    chosen
        .map(|(id, (content, kind))| {
            json!({
                "id": id, "content": content, "special": *kind == CONTROL,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })
        })
        .collect()
}

/// Puts the beginning-of-text token before a text, where the model wants it.
fn begin_of_text(meta: &BTreeMap<String, Meta>, tokens: &[String], default: bool) -> Value {
    let id = match meta.get("tokenizer.ggml.bos_token_id") {
        Some(Meta::Number(id)) if flag(meta, "tokenizer.ggml.add_bos_token", default) => *id as usize,
        _ => return Value::Null,
    };
    let Some(token) = tokens.get(id) else { return Value::Null };
    let special = json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let first = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let second = json!({ "Sequence": { "id": "B", "type_id": 0 } });
    let mut known = serde_json::Map::new();
    known.insert(token.clone(), json!({ "id": token, "ids": [id], "tokens": [token] }));
    json!({
        "type": "TemplateProcessing",
        "single": [special, first], "pair": [special, first, second],
        "special_tokens": known,
    })
}

fn assemble(added: Vec<Value>, parts: Value, model: Value) -> Value {
    let mut json = json!({ "version": "1.0", "truncation": null, "padding": null, "added_tokens": added });
    if let (Some(whole), Value::Object(parts)) = (json.as_object_mut(), parts) {
        whole.extend(parts);
        whole.insert("model".to_owned(), model);
    }
    json
}

fn vocabulary(tokens: &[String]) -> Value {
    tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), Value::from(id)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

fn byte_level(meta: &BTreeMap<String, Meta>, tokens: &[String]) -> Result<GgufTokenizer, GgufError> {
    let merges = texts(meta, "tokenizer.ggml.merges")?;
    let rule = match meta.get("tokenizer.ggml.pre") {
        Some(Meta::Text(rule)) => rule.as_str(),
        _ => "default",
    };
    let bytes = |regex: bool| json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex });
    let split = |pattern: &str| {
        json!({ "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false },
            bytes(false),
        ] })
    };
    let mut guessed_rule = None;
    let pre_tokenizer = match rule {
        "gpt-2" | "phi-2" | "mpt" | "olmo" | "jais" | "dbrx-gpt2" | "gpt-neox" => bytes(true),
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" => {
            json!({ "type": "Sequence", "pretokenizers": [{ "type": "Digits", "individual_digits": true }, bytes(true)] })
        }
        "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "dbrx" | "smaug-bpe" | "pixtral" => split(LLAMA3),
        "qwen2" | "deepseek-r1-qwen" | "stablelm2" | "megrez" | "qwen35" => split(QWEN2),
        other => {
            guessed_rule = Some(other.to_owned());
            bytes(true)
        }
    };
    let parts = json!({
        "normalizer": null,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": begin_of_text(meta, tokens, false),
        "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
    });
    let model = json!({
        "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": rule == "llama-bpe",
        "vocab": vocabulary(tokens), "merges": merges,
    });
    Ok(GgufTokenizer { json: assemble(added_tokens(meta, tokens), parts, model), guessed_rule })
}

/// SentencePiece BPE: scores rank the merges, as Hugging Face's own conversion does it.
fn sentence_piece(meta: &BTreeMap<String, Meta>, tokens: &[String]) -> Result<GgufTokenizer, GgufError> {
    let Some(Meta::Numbers(scores)) = meta.get("tokenizer.ggml.scores") else {
        return Err(GgufError::Tokenizer("no tokenizer.ggml.scores".to_owned()));
    };
    let ids: BTreeMap<&str, usize> = tokens.iter().enumerate().map(|(id, t)| (t.as_str(), id)).collect();
    let mut merges: Vec<(f64, usize, usize, &str, &str)> = Vec::new();
    for (token, score) in tokens.iter().zip(scores) {
        for (cut, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(cut);
            if let (Some(l), Some(r)) = (ids.get(left), ids.get(right)) {
                merges.push((*score, *l, *r, left, right));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let merges: Vec<Value> = merges.iter().map(|m| json!([m.3, m.4])).collect();
    let unknown = match meta.get("tokenizer.ggml.unknown_token_id") {
        Some(Meta::Number(id)) => tokens.get(*id as usize).cloned(),
        _ => None,
    };
    let mut normalizers = vec![json!({ "type": "Replace", "pattern": { "String": " " }, "content": "▁" })];
    if flag(meta, "tokenizer.ggml.add_space_prefix", true) {
        normalizers.insert(0, json!({ "type": "Prepend", "prepend": "▁" }));
    }
    let parts = json!({
        "normalizer": { "type": "Sequence", "normalizers": normalizers },
        "pre_tokenizer": null,
        "post_processor": begin_of_text(meta, tokens, true),
        "decoder": { "type": "Sequence", "decoders": [
            { "type": "Replace", "pattern": { "String": "▁" }, "content": " " },
            { "type": "ByteFallback" }, { "type": "Fuse" },
        ] },
    });
    let model = json!({
        "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
        "vocab": vocabulary(tokens), "merges": merges,
    });
    Ok(GgufTokenizer { json: assemble(added_tokens(meta, tokens), parts, model), guessed_rule: None })
}

fn metadata(path: &Path) -> Result<BTreeMap<String, Meta>, GgufError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut reader = Reader { inner: BufReader::new(file), size };
    let mut magic = [0; 4];
    reader.inner.read_exact(&mut magic).map_err(|_| GgufError::Format("it is too short".to_owned()))?;
    if &magic != b"GGUF" {
        return Err(GgufError::Format("it does not begin with GGUF".to_owned()));
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(GgufError::Format(format!("version {version} is not 2 or 3")));
    }
    let _tensors = reader.u64()?;
    let entries = reader.u64()?;
    let mut meta = BTreeMap::new();
    for _ in 0..entries {
        let key = reader.text()?;
        let kind = reader.u32()?;
        if let Some(value) = reader.value(kind, key.starts_with("tokenizer."))? {
            meta.insert(key, value);
        }
    }
    Ok(meta)
}

struct Reader {
    inner: BufReader<File>,
    size: u64,
}

const TEXT: u32 = 8;
const ARRAY: u32 = 9;

impl Reader {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(|_| GgufError::Format("it ends in its metadata".to_owned()))?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    /// A length, which cannot exceed the file.
    fn length(&mut self, each: u64) -> Result<usize, GgufError> {
        let n = self.u64()?;
        if n.saturating_mul(each) > self.size {
            return Err(GgufError::Format(format!("a length of {n} in a file of {} bytes", self.size)));
        }
        Ok(n as usize)
    }

    fn text(&mut self) -> Result<String, GgufError> {
        let mut bytes = vec![0; self.length(1)?];
        self.inner.read_exact(&mut bytes).map_err(|_| GgufError::Format("it ends in a text".to_owned()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn number(&mut self, kind: u32) -> Result<f64, GgufError> {
        Ok(match kind {
            0 | 7 => f64::from(u8::from_le_bytes(self.bytes()?)),
            1 => f64::from(i8::from_le_bytes(self.bytes()?)),
            2 => f64::from(u16::from_le_bytes(self.bytes()?)),
            3 => f64::from(i16::from_le_bytes(self.bytes()?)),
            4 => f64::from(u32::from_le_bytes(self.bytes()?)),
            5 => f64::from(i32::from_le_bytes(self.bytes()?)),
            6 => f64::from(f32::from_le_bytes(self.bytes()?)),
            10 => u64::from_le_bytes(self.bytes()?) as f64,
            11 => i64::from_le_bytes(self.bytes()?) as f64,
            12 => f64::from_le_bytes(self.bytes()?),
            other => return Err(GgufError::Format(format!("value type {other} is unknown"))),
        })
    }

    /// Bytes of one number, where all have the same.
    fn width(kind: u32) -> u64 {
        match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            _ => 8,
        }
    }

    fn value(&mut self, kind: u32, keep: bool) -> Result<Option<Meta>, GgufError> {
        Ok(match kind {
            TEXT => Some(Meta::Text(self.text()?)).filter(|_| keep),
            ARRAY => {
                let items = self.u32()?;
                if items == ARRAY {
                    let n = self.length(12)?;
                    for _ in 0..n {
                        self.value(ARRAY, false)?;
                    }
                    return Ok(None);
                }
                if items == TEXT {
                    let n = self.length(8)?;
                    let mut texts = Vec::new();
                    for _ in 0..n {
                        let text = self.text()?;
                        if keep {
                            texts.push(text);
                        }
                    }
                    return Ok(keep.then_some(Meta::Texts(texts)));
                }
                let n = self.length(Self::width(items))?;
                if !keep {
                    self.inner.seek(SeekFrom::Current((n as u64 * Self::width(items)) as i64))?;
                    return Ok(None);
                }
                let numbers: Result<Vec<f64>, _> = (0..n).map(|_| self.number(items)).collect();
                Some(Meta::Numbers(numbers?))
            }
            7 => Some(Meta::Bool(self.number(kind)? != 0.0)),
            _ => Some(Meta::Number(self.number(kind)?)),
        })
    }
}
