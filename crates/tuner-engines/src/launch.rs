//! From a configuration to a command line: checked against the catalogue, in the form that each engine wants.
//!
//! *Invariant*: pure. The same request gives the same program, arguments and environment, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tuner_core::engine::EngineName;
use tuner_core::space::Configuration;
use tuner_core::task::{EngineSpec, Environment, ModelSpec};
use tuner_core::{Failure, FailureClass, Value};

use crate::catalogue::{Catalogue, Flag, FlagKind, SwitchForm};
use crate::{environment, value_of};

/// What is to be launched.
#[derive(Clone, Copy, Debug)]
pub struct LaunchRequest<'a> {
    /// What is served.
    pub model: &'a ModelSpec,
    /// The task's engine: version, environment, hardware.
    pub engine: &'a EngineSpec,
    /// Baseline, fixed values and candidate, already merged.
    pub configuration: &'a Configuration,
    /// Program and leading arguments, from an install or `engine.command`; empty: the engine's usual command.
    pub launcher: &'a [String],
    /// Address to listen on.
    pub host: &'a str,
    /// Port to listen on.
    pub port: u16,
    /// GPUs by index; empty: the engine sees what the machine has.
    pub gpus: &'a [u32],
    /// Proxy variables of the caller's environment; see [`environment::AMBIENT`].
    pub ambient: &'a Environment,
    /// The catalogue of the installed version, if another than the shipped one.
    pub catalogue: Option<&'a Catalogue>,
}

/// A command ready to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// Program.
    pub program: String,
    /// Arguments.
    pub args: Vec<String>,
    /// Variables to add to the process's environment.
    pub env: Environment,
    /// Variables in `env` that a person's shell has already or does not need: left out of the pasted command.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unprinted: BTreeSet<String>,
    /// Path that answers 200 when the engine is ready, `/health`.
    pub health_path: String,
    /// Prefix of the OpenAI routes, `/v1`.
    pub base_path: String,
    /// Name the engine will list under `/v1/models`; absent where it follows its own rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    /// What a person should know; nothing here stops the launch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The configuration cannot become a command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// A flag that the tuner sets itself.
    #[error("--{flag} is set by the tuner: {instead}")]
    Reserved {
        /// The flag.
        flag: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// Two spellings of one flag.
    #[error("`{first}` and `{second}` are the same flag, --{flag}")]
    Twice {
        /// Canonical name.
        flag: String,
        /// One spelling.
        first: String,
        /// The other.
        second: String,
    },
    /// The value is of the wrong kind.
    #[error("--{flag} takes {allowed}, not `{given}`")]
    WrongValue {
        /// The flag.
        flag: String,
        /// The value given.
        given: String,
        /// What it takes.
        allowed: String,
    },
    /// The engine lists the flag but refuses it.
    #[error("--{flag} was removed in {engine} {version}: {help}")]
    Removed {
        /// The flag.
        flag: String,
        /// Engine.
        engine: EngineName,
        /// Catalogue version.
        version: String,
        /// What the engine says to use.
        help: String,
    },
    /// Neither a path nor an id.
    #[error("the task names no model: set model.path or model.id")]
    NoModel,
}

impl From<LaunchError> for Failure {
    fn from(error: LaunchError) -> Self {
        Self::new(FailureClass::EngineArguments, error.to_string())
    }
}

/// How an engine's parser wants its arguments.
pub(crate) struct Dialect {
    /// Separator inside flag names.
    pub(crate) separator: char,
    /// `--x=-v` is understood, and needed where a value starts with a dash.
    pub(crate) equals: bool,
    /// Flags that the tuner sets, by canonical name.
    pub(crate) reserved: &'static [(&'static str, &'static str)],
}

/// Arguments made from a configuration.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) args: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// Renders a configuration in name order.
pub(crate) fn render(
    request: &LaunchRequest<'_>,
    catalogue: &Catalogue,
    dialect: &Dialect,
) -> Result<Rendered, LaunchError> {
    let same_version = request.engine.version.as_deref().is_none_or(|v| v == catalogue.version);
    let mut out = Rendered::default();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut set: Vec<&Flag> = Vec::new();
    for (given, value) in request.configuration.iter() {
        let bare = given.trim_start_matches('-');
        let Some(found) = catalogue.find(bare) else {
            unknown(bare, value, catalogue, dialect, &mut out);
            continue;
        };
        let flag = found.flag;
        if let Some((_, instead)) = dialect.reserved.iter().find(|(name, _)| *name == flag.name) {
            return Err(LaunchError::Reserved { flag: flag.name.clone(), instead });
        }
        if let Some(first) = seen.insert(&flag.name, given) {
            let (first, second) = (first.to_owned(), given.to_owned());
            return Err(LaunchError::Twice { flag: flag.name.clone(), first, second });
        }
        if *value == Value::Null {
            continue;
        }
        if flag.removed {
            return Err(LaunchError::Removed {
                flag: flag.name.clone(),
                engine: catalogue.engine,
                version: catalogue.version.clone(),
                help: flag.help.clone(),
            });
        }
        let spelling = spelling(bare, flag, found.negative, dialect);
        if spelling != given && !found.negative {
            out.warnings.push(format!("`{given}` is written --{spelling}"));
        }
        known_flag(flag, &spelling, found.negative, value, same_version, dialect, &mut out)?;
        if value.as_bool() != Some(false) {
            set.push(flag);
        }
    }
    for flag in &set {
        for other in &flag.conflicts {
            if set.iter().any(|f| f.name == *other) {
                out.warnings.push(format!("--{} and --{other} should not be set together", flag.name));
            }
        }
    }
    Ok(out)
}

/// The user's spelling where the engine knows it, else the canonical one; short forms become long.
fn spelling(given: &str, flag: &Flag, negative: bool, dialect: &Dialect) -> String {
    if negative {
        return flag.name.clone();
    }
    let folded = if dialect.separator == '-' { given.replace('_', "-") } else { given.replace('-', "_") };
    let long = |name: &&String| name.len() > 4 || **name == flag.name;
    std::iter::once(&flag.name)
        .chain(&flag.aliases)
        .filter(long)
        .find(|name| **name == folded)
        .unwrap_or(&flag.name)
        .clone()
}

fn known_flag(
    flag: &Flag,
    spelling: &str,
    negative: bool,
    value: &Value,
    same_version: bool,
    dialect: &Dialect,
    out: &mut Rendered,
) -> Result<(), LaunchError> {
    let wrong =
        || LaunchError::WrongValue { flag: spelling.to_owned(), given: value.to_string(), allowed: flag.takes() };
    let text = match &flag.kind {
        FlagKind::Switch { form } => {
            let on = as_switch(value).ok_or_else(wrong)? != negative;
            match (on, form) {
                (true, _) => out.args.push(format!("--{spelling}")),
                (false, SwitchForm::Paired { off, .. }) => out.args.push(format!("--{off}")),
                (false, SwitchForm::Present) => {}
            }
            return Ok(());
        }
        FlagKind::Int { words, suffix } => as_whole(value, words, *suffix).ok_or_else(wrong)?,
        FlagKind::Float => match value {
            Value::Int(_) | Value::Float(_) => value.to_string(),
            Value::Text(t) if t.trim().parse::<f64>().is_ok_and(f64::is_finite) => t.trim().to_owned(),
            _ => return Err(wrong()),
        },
        FlagKind::Choice { values } if flag.many => {
            let text = value.to_string();
            if !words(&text).all(|w| values.iter().any(|v| v == w)) && same_version {
                return Err(wrong());
            }
            text
        }
        FlagKind::Choice { values } => match as_choice(value, values) {
            Some(choice) => choice,
            // Another version may have another list; only its own parser can tell.
            None if !same_version && !matches!(value, Value::Bool(_)) => {
                out.warnings.push(format!("--{spelling} {value} is not in the list known for another version"));
                value.to_string()
            }
            None => return Err(wrong()),
        },
        FlagKind::Text => value.to_string(),
    };
    if flag.many {
        out.args.push(format!("--{spelling}"));
        out.args.extend(words(&text).map(str::to_owned));
        return Ok(());
    }
    push(spelling, text, dialect, out);
    Ok(())
}

fn push(name: &str, text: String, dialect: &Dialect, out: &mut Rendered) {
    let looks_like_a_flag = text.starts_with('-') && text.parse::<f64>().is_err();
    if dialect.equals && (looks_like_a_flag || text.is_empty()) {
        out.args.push(format!("--{name}={text}"));
    } else {
        out.args.extend([format!("--{name}"), text]);
    }
}

/// A flag that the catalogue lacks is used as given.
fn unknown(name: &str, value: &Value, catalogue: &Catalogue, dialect: &Dialect, out: &mut Rendered) {
    // `--compilation-config.mode 3` sets one key of a JSON flag.
    let inside_json = name.split_once('.').is_some_and(|(base, _)| catalogue.find(base).is_some());
    if !inside_json {
        let (engine, version) = (catalogue.engine, &catalogue.version);
        let hint = catalogue.nearest(name).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        out.warnings.push(format!("`{name}` is not a flag of {engine} {version} as far as known; used as given{hint}"));
    }
    match value {
        Value::Null => {}
        Value::Bool(true) if inside_json => push(name, "true".to_owned(), dialect, out),
        Value::Bool(false) if inside_json => push(name, "false".to_owned(), dialect, out),
        Value::Bool(true) => out.args.push(format!("--{name}")),
        Value::Bool(false) => {
            out.warnings.push(format!("`{name}: false` leaves the flag out; name its negative form if it has one"));
        }
        other => push(name, other.to_string(), dialect, out),
    }
}

/// The values of a flag that takes several: `1 2 4`, `1,2,4`, `[1, 2, 4]`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches('[').trim_end_matches(']').split([',', ' ']).filter(|w| !w.is_empty())
}

fn as_switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Text(t) => match t.trim().to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" => Some(true),
            "false" | "off" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn as_whole(value: &Value, words: &[String], suffix: bool) -> Option<String> {
    match value {
        Value::Int(i) => Some(i.to_string()),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(format!("{f:.0}")),
        Value::Text(t) => {
            let t = t.trim();
            let with_suffix = suffix
                && t.strip_suffix(['k', 'm', 'g', 't', 'K', 'M', 'G', 'T'])
                    .is_some_and(|n| n.parse::<f64>().is_ok_and(|x| x >= 0.0 && x.is_finite()));
            (t.parse::<i64>().is_ok() || with_suffix || words.iter().any(|w| w == t)).then(|| t.to_owned())
        }
        _ => None,
    }
}

fn as_choice(value: &Value, values: &[String]) -> Option<String> {
    let has = |word: &str| values.iter().find(|v| v.eq_ignore_ascii_case(word)).cloned();
    match value {
        Value::Bool(true) => has("on").or_else(|| has("true")).or_else(|| has("1")),
        Value::Bool(false) => has("off").or_else(|| has("false")).or_else(|| has("0")),
        other => {
            let text = other.to_string();
            values.iter().find(|v| **v == text).cloned()
        }
    }
}

/// What an engine adds around the rendered configuration.
pub(crate) struct Frame<'a> {
    /// The engine's usual command.
    pub(crate) launcher: &'a [&'a str],
    /// Arguments before the configuration: model, name, address.
    pub(crate) leading: Vec<String>,
    /// Name the engine will serve.
    pub(crate) served_model: Option<String>,
    /// It uses NCCL between GPUs.
    pub(crate) nccl: bool,
    /// It reads the hub through Hugging Face libraries.
    pub(crate) hugging_face: bool,
    /// Variables that make it report what it uses, left out of the pasted command.
    pub(crate) evidence: &'a [(&'a str, &'a str)],
}

/// Puts program, arguments and environment together.
pub(crate) fn assemble(request: &LaunchRequest<'_>, rendered: Rendered, frame: Frame<'_>) -> LaunchSpec {
    let mut words: Vec<String> = if request.launcher.is_empty() {
        frame.launcher.iter().map(|w| (*w).to_owned()).collect()
    } else {
        request.launcher.to_vec()
    };
    let program = if words.is_empty() { String::new() } else { words.remove(0) };
    let Rendered { args, mut warnings } = rendered;
    words.extend(frame.leading);
    words.extend(args);
    let parts = environment::build(request, frame.nccl, frame.hugging_face, frame.evidence);
    warnings.extend(parts.notes);
    LaunchSpec {
        program,
        args: words,
        env: parts.env,
        unprinted: parts.unprinted,
        health_path: "/health".to_owned(),
        base_path: "/v1".to_owned(),
        served_model: frame.served_model,
        warnings,
    }
}

/// Model source or the error that there is none.
pub(crate) fn source(model: &ModelSpec) -> Result<&str, LaunchError> {
    let source = model.source();
    if source.is_empty() { Err(LaunchError::NoModel) } else { Ok(source) }
}

/// The name that the engine serves under: the first of those in the configuration's `flag`, else the task's, which is
/// added to the `leading` arguments. `None` leaves the name to the engine. `between` separates names in the flag.
pub(crate) fn served_name(
    request: &LaunchRequest<'_>,
    catalogue: &Catalogue,
    flag: &str,
    between: &[char],
    leading: &mut Vec<String>,
) -> Option<String> {
    if let Some(own) = value_of(catalogue, request.configuration, flag) {
        return own.to_string().trim().split(between).next().map(|name| name.trim().to_owned());
    }
    let name = request.model.served_name.clone()?;
    leading.extend([format!("--{flag}"), name.clone()]);
    Some(name)
}
