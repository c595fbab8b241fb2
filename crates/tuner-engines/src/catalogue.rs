//! What an engine's command line offers: flags, their kinds, defaults and what changing one costs.
//!
//! *Invariant*: a catalogue describes one version. What it does not know may still exist, so an unknown flag is
//! a warning and never an error; what it does know is checked before anything is launched.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tuner_core::engine::EngineName;
use tuner_core::task::ParameterSpec;

use crate::help;
use crate::known;

/// The command line of one version of one engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// Whose command line it is.
    pub engine: EngineName,
    /// The version it was read from, `0.32.0`.
    pub version: String,
    flags: Vec<Flag>,
    index: BTreeMap<String, Spelling>,
}

/// One flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Name as the engine spells it, without leading dashes.
    pub name: String,
    /// Other spellings, short ones included, without leading dashes; not the negative form of a switch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it takes.
    #[serde(flatten)]
    pub kind: FlagKind,
    /// It takes several values, separated by spaces in a configuration's text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub many: bool,
    /// The default as the engine prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// One line.
    pub help: String,
    /// Section of the help text.
    pub group: String,
    /// First version that has it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Flags that should not be set together with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// What a change of it costs.
    #[serde(default, skip_serializing_if = "ChangeCost::is_restart")]
    pub change: ChangeCost,
    /// Values worth trying; absent for flags that do not change speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunable: Option<ParameterSpec>,
    /// The engine still lists it but refuses it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// What a flag takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FlagKind {
    /// No value.
    Switch {
        /// How on and off are written.
        #[serde(flatten)]
        form: SwitchForm,
    },
    /// A whole number.
    Int {
        /// Words accepted in place of a number.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        words: Vec<String>,
        /// `8k` and `1M` are understood.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        suffix: bool,
    },
    /// A number.
    Float,
    /// One of a list.
    Choice {
        /// The list in the engine's order.
        values: Vec<String>,
    },
    /// Anything.
    Text,
}

/// How a switch is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum SwitchForm {
    /// `--x`; off is its absence.
    Present,
    /// `--x` and `--no-x`.
    Paired {
        /// The negative spelling without leading dashes.
        off: String,
    },
}

/// What has to happen so that a new value counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeCost {
    /// Can be changed on a running engine.
    Hot,
    /// Weights stay, caches are rebuilt.
    Reload,
    /// The engine is started again.
    #[default]
    Restart,
}

impl ChangeCost {
    fn is_restart(&self) -> bool {
        *self == Self::Restart
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spelling {
    flag: usize,
    negative: bool,
}

/// A flag found under a spelling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// The flag.
    pub flag: &'a Flag,
    /// The spelling is the switch's negative form: true means off.
    pub negative: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    version: Cow<'a, str>,
    flags: Cow<'a, [Flag]>,
}

impl Catalogue {
    /// Flags of `version`, enriched with what this crate knows about them.
    pub fn new(engine: EngineName, version: &str, flags: Vec<Flag>) -> Self {
        let mut flags = flags;
        known::enrich(engine, &mut flags);
        let mut index = BTreeMap::new();
        for (position, flag) in flags.iter().enumerate() {
            for spelling in std::iter::once(&flag.name).chain(&flag.aliases) {
                index.entry(fold(spelling)).or_insert(Spelling { flag: position, negative: false });
            }
        }
        for (position, flag) in flags.iter().enumerate() {
            if let FlagKind::Switch { form: SwitchForm::Paired { off } } = &flag.kind {
                index.entry(fold(off)).or_insert(Spelling { flag: position, negative: true });
            }
        }
        Self { engine, version: version.to_owned(), flags, index }
    }

    /// Reads the text that the engine prints for `--help` (vLLM: `--help=all`).
    pub fn from_help(engine: EngineName, version: &str, text: &str) -> Self {
        Self::new(engine, version, help::parse(engine, text))
    }

    /// Reads a stored catalogue.
    ///
    /// # Errors
    /// The text is not the JSON that [`to_json`] writes.
    pub fn from_json(engine: EngineName, json: &str) -> Result<Self, serde_json::Error> {
        let stored: Stored<'_> = serde_json::from_str(json)?;
        Ok(Self::new(engine, &stored.version, stored.flags.into_owned()))
    }

    /// Every flag in the order of the help text.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// The flag under any of its spellings; `-` and `_` are the same, leading dashes do not count.
    pub fn find(&self, spelling: &str) -> Option<Found<'_>> {
        let key = fold(spelling.trim_start_matches('-'));
        let hit = self.index.get(&key)?;
        Some(Found { flag: self.flags.get(hit.flag)?, negative: hit.negative })
    }

    /// The spelling nearest to an unknown one, if it is near enough to be a typing error.
    pub fn nearest(&self, spelling: &str) -> Option<&str> {
        let wanted = fold(spelling.trim_start_matches('-'));
        self.flags
            .iter()
            .flat_map(|f| std::iter::once(&f.name).chain(&f.aliases))
            .filter(|name| name.len() > 3)
            .map(|name| (strsim::jaro_winkler(&wanted, &fold(name)), name))
            .filter(|(likeness, _)| *likeness > 0.88)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name.as_str())
    }
}

impl Flag {
    /// A flag of this kind with nothing else known.
    pub fn new(name: &str, kind: FlagKind, group: &str, help: &str) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            kind,
            many: false,
            default: None,
            help: help.to_owned(),
            group: group.to_owned(),
            since: None,
            conflicts: Vec::new(),
            change: ChangeCost::Restart,
            tunable: None,
            removed: false,
        }
    }

    /// What it takes, for messages: `a whole number`, `one of auto, fp8`.
    pub fn takes(&self) -> String {
        match &self.kind {
            FlagKind::Switch { .. } => "true or false".to_owned(),
            FlagKind::Int { words, suffix } => {
                let mut text = "a whole number".to_owned();
                if *suffix {
                    text.push_str(" (8k, 1M are understood)");
                }
                if !words.is_empty() {
                    text.push_str(" or ");
                    text.push_str(&words.join(", "));
                }
                text
            }
            FlagKind::Float => "a number".to_owned(),
            FlagKind::Choice { values } => format!("one of {}", values.join(", ")),
            FlagKind::Text => "any text".to_owned(),
        }
    }
}

/// A catalogue file, one flag per line, so that a diff of two versions reads as what changed. It holds what the help
/// text says; what this crate knows beyond that is laid over it when the file is read.
pub fn to_json(version: &str, flags: &[Flag]) -> String {
    let rows: Vec<String> =
        flags.iter().map(|f| serde_json::to_string(f).unwrap_or_else(|e| format!("\"{e}\""))).collect();
    let version = serde_json::Value::from(version);
    format!("{{\"version\":{version},\"flags\":[\n{}\n]}}\n", rows.join(",\n"))
}

/// Spellings that differ only in `-` and `_` are one flag. Case counts: llama.cpp has `-c` and `-C`.
fn fold(spelling: &str) -> String {
    spelling.replace('_', "-")
}
