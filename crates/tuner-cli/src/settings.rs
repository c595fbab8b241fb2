//! Settings: flags over environment variables over defaults. Nothing else reads the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tuner_app::tune::Surroundings;
use tuner_app::{Egress, Home, Hosts};
use tuner_engines::environment::AMBIENT;

use crate::telemetry::{self, LogFormat, Telemetry};

/// What people type.
const NAME: &str = "autotuner";

/// The database's URL.
const DATABASE: &str = "AUTOTUNER_DATABASE";

/// Head over the options below in every help.
const EVERYWHERE: &str = "Options of every command";

/// Options of every subcommand.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Where tasks, logs and engines are kept [default: $XDG_DATA_HOME/inference-autotuner].
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "AUTOTUNER_DATA_DIR", value_name = "DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
    /// Database of tasks and jobs, postgres://USER:PASSWORD@HOST:PORT/NAME, for workers on several machines [default: a
    /// file in the data directory].
    #[arg(long, global = true, help_heading = EVERYWHERE, env = DATABASE, value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Machine-readable output on standard output.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// Plain lines instead of bars and colours (the default when standard error is not a terminal).
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) plain: bool,
    /// What the tuner logs about itself to standard error: error, warn, info, debug, or a tracing filter.
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "AUTOTUNER_LOG",
        default_value = "warn",
        value_name = "FILTER",
        hide_env_values = true
    )]
    log: String,
    /// How the lines of that log look: text, or json, one object a line.
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "AUTOTUNER_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT",
        hide_possible_values = true,
        hide_env_values = true
    )]
    log_format: LogFormat,
}

impl Settings {
    /// The data directory.
    pub(crate) fn home(&self) -> Home {
        Home::new(self.data_dir.clone().unwrap_or_else(default_data_dir)).with_database_url(self.database.clone())
    }

    /// The words that give a process of ours the same settings. The database's address stays in the environment: it may
    /// hold a password, and command lines are everybody's to read.
    pub(crate) fn same(&self) -> Vec<String> {
        let root = self.home().root().display().to_string();
        let words = ["--data-dir", &root, "--log", &self.log, "--log-format", self.log_format.word()];
        words.map(str::to_owned).to_vec()
    }

    /// Variables of such a process.
    pub(crate) fn same_variables(&self) -> Vec<(String, String)> {
        self.database.iter().map(|url| (DATABASE.to_owned(), url.clone())).collect()
    }

    /// Starts what this process tells of itself while it runs.
    ///
    /// # Errors
    /// Those of [`telemetry::start`].
    pub(crate) fn start_telemetry(&self) -> anyhow::Result<Telemetry> {
        telemetry::start(&self.log, self.log_format)
    }

    /// All that the application may know of this process's environment.
    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            proxies: self.proxies(),
            // Whoever types a command could fetch without us; services say what they may: [`Fetching`].
            egress: Egress::open(),
            secrets: secrets(),
            hub_endpoint: set("HF_ENDPOINT"),
            github_repo: set("GH_REPO"),
            github_url: set("GH_API_URL"),
            hub_cache: hub_cache(),
            path: std::env::var_os("PATH"),
            visible_gpus: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
            called: std::env::current_exe().ok().filter(|program| is_on_path(program)).map(|_| NAME.to_owned()),
            program: std::env::current_exe().ok(),
        }
    }

    /// Proxy variables as the engines and downloads get them.
    fn proxies(&self) -> BTreeMap<String, String> {
        AMBIENT.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect()
    }
}

/// From where a service fetches data sets.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Fetching {
    /// Fetch data sets only from this host (data.example.com, *.example.com, 10.1.2.3, 10.0.0.0/8); one that is named may be
    /// inside this network. May be given again [default: every public host, none inside].
    #[arg(long, env = "AUTOTUNER_FETCH_FROM", value_delimiter = ',', value_name = "HOST", hide_env_values = true)]
    fetch_from: Vec<Hosts>,
    /// Fetch data sets over plain http too.
    #[arg(long, env = "AUTOTUNER_FETCH_HTTP", value_parser = clap::builder::FalseyValueParser::new(), hide_env_values = true)]
    fetch_http: bool,
}

impl Fetching {
    /// What may be fetched.
    pub(crate) fn egress(&self) -> Egress {
        Egress::limited(self.fetch_http, self.fetch_from.clone())
    }

    /// The words that give a process of ours the same.
    pub(crate) fn words(&self) -> Vec<String> {
        let hosts = self.fetch_from.iter().flat_map(|host| ["--fetch-from".to_owned(), host.to_string()]);
        hosts.chain(self.fetch_http.then(|| "--fetch-http".to_owned())).collect()
    }
}

/// `$XDG_DATA_HOME/inference-autotuner`, else `~/.local/share/inference-autotuner`, else a folder beside us.
fn default_data_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
    base.unwrap_or_else(|| PathBuf::from(".")).join("inference-autotuner")
}

/// Whether a person who types our name gets this very program.
fn is_on_path(program: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(NAME)).find(|file| file.is_file());
    found.and_then(|file| Some(file.canonicalize().ok()? == program.canonicalize().ok()?)).unwrap_or(false)
}

/// The hub's cache as its own tools find it: `HF_HUB_CACHE`, `HF_HOME/hub`, `~/.cache/huggingface/hub`.
fn hub_cache() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || Some(set("HOME")?.join(".cache/huggingface/hub"));
    set("HF_HUB_CACHE").or_else(|| Some(set("HF_HOME")?.join("hub"))).or_else(home)
}

/// Names of variables that may hold a key that a task file refers to.
/// A variable that holds something.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// What the environment holds under names of secrets.
pub(crate) fn secrets() -> BTreeMap<String, String> {
    std::env::vars().filter(|(name, _)| is_secret(name)).collect()
}

fn is_secret(name: &str) -> bool {
    ["KEY", "TOKEN", "SECRET", "PASSWORD"].iter().any(|word| name.to_uppercase().contains(word))
}
