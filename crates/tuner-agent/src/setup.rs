//! How the agent is set: variables over the file `agent.json` of the data directory over defaults.
//!
//! *Invariant*: a key goes in and never comes out, and is sent to no address but the one that it was given for. What a
//! variable says, the file cannot change.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tuner_llm::{LlmError, Provider, ProviderKind, Secret, ToolSupport};
use tuner_policy::chat::Rules;

use crate::settings::{AgentSettings, Bounds, Prices};
use crate::tools::Registry;

/// The settings file in the data directory.
const FILE: &str = "agent.json";
/// The rules in the data directory.
const RULES: &str = "policy.json";
/// The address that stands for "not set" in the predecessor's examples.
const UNSET: &str = "http://localhost:8000/v1";
/// Programs that the agent may run, with leave, unless the file names others.
const PROGRAMS: [&str; 5] = ["nvidia-smi", "df", "free", "uptime", "uname"];
/// The longest setting that is taken, in characters.
const LONGEST: usize = 4000;

/// What the file may hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    provider: Option<String>,
    model: Option<String>,
    base_url: Option<String>,
    api_key: Option<String>,
    temperature: Option<f64>,
    max_output_tokens: Option<u32>,
    context_tokens: Option<u32>,
    max_iterations: Option<u32>,
    max_tokens_per_run: Option<u64>,
    max_minutes_per_run: Option<u64>,
    approval_hours: Option<f64>,
    programs: Option<Vec<String>>,
    tools: Option<Vec<String>>,
    tool_calls: Option<String>,
    /// For a million tokens: `{"input": 0.4, "cached": 0.1, "output": 1.6}`.
    prices: Option<Prices>,
    max_cost_per_run: Option<f64>,
}

/// Why settings cannot be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file is there and cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds what cannot be used.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting cannot be used.
    #[error("{what}")]
    Value {
        /// Its name in the file.
        field: &'static str,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// A variable goes before what was to be changed.
    #[error("{variable} of the service's environment sets this")]
    SetBy {
        /// The variable.
        variable: &'static str,
    },
    /// The provider cannot be used as it is set.
    #[error(transparent)]
    Provider(#[from] LlmError),
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A variable of the service's environment.
    Variable,
    /// The file.
    File,
    /// Nobody set it.
    Default,
}

/// One setting as everybody may see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingView {
    /// Its value, as far as there is one.
    pub value: Option<String>,
    /// Where that comes from.
    pub from: Origin,
    /// The variable that goes before the file.
    pub variable: &'static str,
}

/// Whether there is a key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyView {
    /// There is one.
    pub is_set: bool,
    /// Where it comes from.
    pub from: Origin,
    /// The variable that goes before the file.
    pub variable: &'static str,
}

/// Which model is asked, and by whose word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionView {
    /// `local`, `openai` or `anthropic`.
    pub provider: SettingView,
    /// The model's name there.
    pub model: SettingView,
    /// The address.
    pub base_url: SettingView,
    /// The key.
    pub api_key: KeyView,
}

/// What shall be changed in the file; `Some(None)` takes a setting out.
#[derive(Clone, Default)]
pub struct ConnectionChange {
    /// The provider's word.
    pub provider: Option<Option<String>>,
    /// The model's name.
    pub model: Option<Option<String>>,
    /// The address.
    pub base_url: Option<Option<String>>,
    /// The key.
    pub api_key: Option<Option<String>>,
}

/// Where settings are kept.
#[derive(Clone)]
pub struct Setup {
    root: PathBuf,
    variable: fn(&str) -> Option<String>,
    secrets: Vec<String>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("root", &self.root).finish_non_exhaustive()
    }
}

fn read<T: for<'a> Deserialize<'a> + Default>(path: &Path) -> Result<T, SetupError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|e| SetupError::File { path: path.to_owned(), source: e.into() })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(source) => Err(SetupError::Read { path: path.to_owned(), source }),
    }
}

/// A provider's own name, whichever word it was set by; what is no provider stays as it is.
fn provider_name(word: Option<String>) -> String {
    let word = word.unwrap_or_else(|| ProviderKind::Local.name().to_owned());
    word.parse::<ProviderKind>().map_or(word, |kind| kind.name().to_owned())
}

/// An address is shown: it may hold no secret.
fn check_address(text: &str) -> Result<(), SetupError> {
    let url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let (what, hint) = match url {
        None => (format!("{text:?} is no address"), "give one that begins with http:// or https://"),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            ("the address holds a name or a password".to_owned(), "give the key apart, as api_key")
        }
        Some(_) => return Ok(()),
    };
    Err(SetupError::Value { field: "base_url", what, hint })
}

impl Setup {
    /// In a data directory. `variable` reads the environment; `secrets` are values in it that nobody may see.
    pub fn new(root: &Path, variable: fn(&str) -> Option<String>, secrets: Vec<String>) -> Self {
        Self { root: root.to_owned(), variable, secrets }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn path(&self) -> PathBuf {
        self.root.join(FILE)
    }

    /// The settings as they are.
    ///
    /// # Errors
    /// A file of the data directory, or a variable, cannot be used.
    pub fn read(&self) -> Result<AgentSettings, SetupError> {
        self.settings(read(&self.path())?)
    }

    /// Which model is asked, and by whose word.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn view(&self) -> Result<ConnectionView, SetupError> {
        let file: File = read(&self.path())?;
        let from = |variable: &str, kept: bool| match self.variable(variable) {
            Some(_) => Origin::Variable,
            None if kept => Origin::File,
            None => Origin::Default,
        };
        let shown = |variable: &'static str, kept: Option<String>| SettingView {
            from: from(variable, kept.is_some()),
            value: self.variable(variable).or(kept),
            variable,
        };
        let provider = shown("AGENT_PROVIDER", file.provider);
        let key = from("AGENT_API_KEY", file.api_key.is_some());
        Ok(ConnectionView {
            provider: SettingView { value: Some(provider_name(provider.value)), ..provider },
            model: shown("AGENT_MODEL", file.model),
            base_url: shown("AGENT_BASE_URL", file.base_url),
            api_key: KeyView { is_set: key != Origin::Default, from: key, variable: "AGENT_API_KEY" },
        })
    }

    /// Changes the file, if it can be used then, and gives the settings. A key that was kept goes with a change of
    /// provider or address, unless it is given anew: it was meant for the other one.
    ///
    /// # Errors
    /// [`SetupError::SetBy`]: a variable sets it, or the key that would go to another address; [`SetupError::Value`], [`SetupError::Provider`]: it cannot be used so;
    /// [`SetupError::Write`]. The file is as it was then.
    pub fn change(&self, change: &ConnectionChange) -> Result<AgentSettings, SetupError> {
        let before: Map<String, Value> = read(&self.path())?;
        let mut kept = before.clone();
        for (field, variable, wanted) in [
            ("provider", "AGENT_PROVIDER", &change.provider),
            ("model", "AGENT_MODEL", &change.model),
            ("base_url", "AGENT_BASE_URL", &change.base_url),
            ("api_key", "AGENT_API_KEY", &change.api_key),
        ] {
            let Some(wanted) = wanted else { continue };
            if self.variable(variable).is_some() {
                return Err(SetupError::SetBy { variable });
            }
            let wanted = wanted.as_deref().map(str::trim).filter(|text| !text.is_empty());
            if wanted.is_some_and(|text| text.chars().count() > LONGEST) {
                let what = format!("{field} is longer than {LONGEST} characters");
                return Err(SetupError::Value { field, what, hint: "give a shorter one" });
            }
            if let (true, Some(text)) = (field == "base_url", wanted) {
                check_address(text)?;
            }
            match wanted {
                Some(text) => kept.insert(field.to_owned(), text.into()),
                None => kept.remove(field),
            };
        }
        let said = |of: &Map<String, Value>, field: &str| of.get(field).and_then(Value::as_str).map(str::to_owned);
        let address_moved = said(&before, "base_url") != said(&kept, "base_url");
        let provider_moved = provider_name(said(&before, "provider")) != provider_name(said(&kept, "provider"));
        if address_moved && self.variable("AGENT_API_KEY").is_some() {
            return Err(SetupError::SetBy { variable: "AGENT_API_KEY" });
        }
        if (address_moved || provider_moved) && change.api_key.is_none() {
            kept.remove("api_key");
        }
        let text = serde_json::to_string_pretty(&kept).unwrap_or_default();
        let file = serde_json::from_str(&text).map_err(|e| SetupError::File { path: self.path(), source: e.into() })?;
        let settings = self.settings(file)?;
        settings.model()?;
        let failed = |source| SetupError::Write { path: self.path(), source };
        // Made for its owner alone, and there whole or not at all.
        let mut beside = tempfile::NamedTempFile::new_in(&self.root).map_err(failed)?;
        beside.write_all(text.as_bytes()).map_err(failed)?;
        beside.as_file().sync_all().map_err(failed)?;
        beside.persist(self.path()).map_err(|error| failed(error.error))?;
        Ok(settings)
    }

    fn number(&self, field: &'static str, name: &'static str) -> Result<Option<u64>, SetupError> {
        let parse = |text: String| {
            let what = format!("{name} is no number: {text}");
            text.parse().map_err(|_| SetupError::Value { field, what, hint: "give digits" })
        };
        self.variable(name).map(parse).transpose()
    }

    fn settings(&self, file: File) -> Result<AgentSettings, SetupError> {
        let rules: Rules = read(&self.root.join(RULES))?;
        rules.check().map_err(|e| SetupError::File { path: self.root.join(RULES), source: e.into() })?;
        let var = |name: &str| self.variable(name);
        let word = var("AGENT_PROVIDER").or(file.provider).unwrap_or_else(|| "local".to_owned());
        let kind: ProviderKind = word.parse()?;
        let model = var("AGENT_MODEL").or(file.model);
        let base_url =
            var("AGENT_BASE_URL").or(file.base_url).filter(|url| kind == ProviderKind::Local || url != UNSET);
        let api_key = var("AGENT_API_KEY").or(file.api_key);
        let mut missing = Vec::new();
        if model.is_none() {
            missing.push("AGENT_MODEL");
        }
        match kind {
            ProviderKind::Local if base_url.is_none() => missing.push("AGENT_BASE_URL"),
            ProviderKind::Openai | ProviderKind::Anthropic if api_key.is_none() => missing.push("AGENT_API_KEY"),
            _ => {}
        }
        let small = |n: u64| u32::try_from(n).ok();
        let defaults = Bounds::default();
        let steps = self.number("max_iterations", "AGENT_MAX_ITERATIONS")?.and_then(small).or(file.max_iterations);
        let tokens = self.number("max_tokens_per_run", "AGENT_MAX_TOKENS_PER_RUN")?.or(file.max_tokens_per_run);
        let bounds = Bounds {
            steps: steps.unwrap_or(defaults.steps),
            tokens: tokens.unwrap_or(defaults.tokens),
            time: file.max_minutes_per_run.map_or(defaults.time, |minutes| Duration::from_secs(minutes * 60)),
            patience: file
                .approval_hours
                .map_or(defaults.patience, |hours| Duration::from_secs_f64(hours.clamp(0.01, 168.0) * 3600.0)),
            calls: defaults.calls,
            cost: file.max_cost_per_run,
        };
        if bounds.cost.is_some() && file.prices.is_none() {
            let what = format!("{FILE} limits the cost of a run and gives no prices");
            let hint = "add \"prices\": {\"input\": 0.4, \"output\": 1.6}, for a million tokens";
            return Err(SetupError::Value { field: "max_cost_per_run", what, hint });
        }
        let context_tokens = self.number("context_tokens", "AGENT_CONTEXT_TOKENS")?.and_then(small);
        let tool_calls = match var("AGENT_TOOL_CALLS").or(file.tool_calls) {
            None => ToolSupport::Auto,
            Some(word) => serde_json::from_value(word.clone().into()).map_err(|_| {
                let what = format!("AGENT_TOOL_CALLS cannot be {word:?}");
                SetupError::Value { field: "tool_calls", what, hint: "it is auto, native or schema" }
            })?,
        };
        let provider = model.filter(|_| missing.is_empty()).map(|model| Provider {
            base_url,
            api_key: api_key.as_deref().and_then(Secret::new),
            temperature: file.temperature,
            max_output_tokens: file.max_output_tokens,
            context_tokens: context_tokens.or(file.context_tokens),
            tools: tool_calls,
            ..Provider::new(kind, &model)
        });
        let names = file.programs.unwrap_or_else(|| PROGRAMS.map(str::to_owned).to_vec());
        let programs: BTreeMap<String, String> = names
            .into_iter()
            .map(|path| {
                (Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned()), path)
            })
            .collect();
        let listed = |text: String| text.split(',').map(|word| word.trim().to_owned()).collect();
        let tools: Vec<String> = var("AGENT_TOOLS").map(listed).or(file.tools).unwrap_or_default();
        let names_none = |pattern: &&String| Registry::matching(std::slice::from_ref(*pattern)).iter().count() == 0;
        if let Some(none) = tools.iter().find(names_none) {
            let what = format!("no tool of the agent is called {none:?} (AGENT_TOOLS, or \"tools\" in {FILE})");
            let hint = "give names, or beginnings such as list_*, separated by commas; GET /api/agent/tools lists all";
            return Err(SetupError::Value { field: "tools", what, hint });
        }
        Ok(AgentSettings {
            provider,
            missing,
            bounds,
            prices: file.prices,
            rules,
            secrets: self.secrets.iter().cloned().chain(api_key).collect(),
            programs,
            tools,
            kept: Some(self.clone()),
            probe: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn some(text: &str) -> Option<Option<String>> {
        Some(Some(text.to_owned()))
    }

    fn local() -> ConnectionChange {
        let base_url = some("http://127.0.0.1:8080/v1");
        ConnectionChange { model: some("m"), base_url, api_key: some("sk-hunter2"), ..ConnectionChange::default() }
    }

    #[test]
    fn a_change_is_kept_with_what_else_the_file_says_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, r#"{"max_iterations": 7}"#).unwrap();
        let setup = Setup::new(folder.path(), nothing, Vec::new());
        assert_eq!(setup.read().unwrap().missing, ["AGENT_MODEL", "AGENT_BASE_URL"]);
        let settings = setup.change(&local()).unwrap();
        assert_eq!((settings.bounds.steps, settings.missing.len()), (7, 0));
        assert!(settings.secrets.contains(&"sk-hunter2".to_owned()));
        let view = setup.view().unwrap();
        assert_eq!((view.model.value.as_deref(), view.model.from), (Some("m"), Origin::File));
        assert_eq!((view.api_key.is_set, view.provider.from), (true, Origin::Default));
        assert!(!serde_json::to_string(&view).unwrap().contains("hunter2"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_does_not_follow_to_another_address() {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(folder.path(), nothing, Vec::new());
        setup.change(&local()).unwrap();
        setup.change(&ConnectionChange { model: some("other"), ..ConnectionChange::default() }).unwrap();
        let same = ConnectionChange { provider: some("local"), ..ConnectionChange::default() };
        setup.change(&same).unwrap();
        assert!(setup.view().unwrap().api_key.is_set);
        let elsewhere = ConnectionChange { base_url: some("http://elsewhere/v1"), ..ConnectionChange::default() };
        setup.change(&elsewhere).unwrap();
        assert!(!setup.view().unwrap().api_key.is_set);
    }

    #[test]
    fn what_cannot_be_used_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(folder.path(), nothing, Vec::new());
        setup.change(&local()).unwrap();
        let before = std::fs::read(folder.path().join(FILE)).unwrap();
        let long = "x".repeat(LONGEST + 1);
        for wrong in [
            ConnectionChange { provider: some("closed"), ..ConnectionChange::default() },
            ConnectionChange { base_url: some("no address"), ..ConnectionChange::default() },
            ConnectionChange { model: some(&long), ..ConnectionChange::default() },
            ConnectionChange { base_url: some("http://me:hunter2@host/v1"), ..ConnectionChange::default() },
        ] {
            assert!(setup.change(&wrong).is_err());
            assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), before);
        }
    }

    #[test]
    fn a_variable_goes_before_and_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let variable = |name: &str| (name == "AGENT_API_KEY").then(|| "sk-of-the-service".to_owned());
        let setup = Setup::new(folder.path(), variable, Vec::new());
        let view = setup.view().unwrap();
        assert_eq!((view.api_key.is_set, view.api_key.from), (true, Origin::Variable));
        let error = setup.change(&local()).unwrap_err();
        assert!(matches!(error, SetupError::SetBy { variable: "AGENT_API_KEY" }), "{error}");
        // It may be meant for another provider, but is not sent where somebody else points to.
        let provider = ConnectionChange { provider: some("openai"), model: some("m"), ..ConnectionChange::default() };
        assert!(setup.change(&provider).unwrap().missing.is_empty());
        let elsewhere = ConnectionChange { base_url: some("http://elsewhere/v1"), ..ConnectionChange::default() };
        assert!(matches!(setup.change(&elsewhere).unwrap_err(), SetupError::SetBy { .. }));
    }
}
