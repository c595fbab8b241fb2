//! Tasks: read a file, store it, find it, cancel it, delete it.

use std::path::{Path, PathBuf};

use tuner_core::task::{self, BackendSpec, DatasetSpec, Diagnostic, PresetSpec, ReadContext, SamplerSpec, TaskSpec};
use tuner_core::{SearchSpace, engine::EngineName};
use tuner_engines::engine;
use tuner_store::{NewTask, Resource, Store, StoreError, TaskId, TaskRow};

use crate::error::AppError;
use crate::home::Home;
use crate::report::count;
use crate::{presets, tune};

/// A task file that can be run.
#[derive(Clone, Debug)]
pub struct TaskFile {
    /// The file with every default filled in, paths made absolute.
    pub spec: TaskSpec,
    /// What is searched.
    pub space: SearchSpace,
    /// Remarks, rendered.
    pub notes: Vec<String>,
    /// The same with their places.
    pub findings: Vec<Diagnostic>,
    /// The file as it was written.
    pub source: String,
}

impl TaskFile {
    /// What a person should know before the task is stored or run: remarks on the file, and what the sampler will do
    /// with the space under the budget as it stands now.
    pub fn remarks(&self) -> Vec<String> {
        let sampler = &self.spec.sampler;
        let mut remarks = self.notes.clone();
        let mut searched = tuner_search::check(sampler, &self.space).unwrap_or_default();
        if *sampler == SamplerSpec::Grid {
            searched.extend(tuner_search::samplers::grid::note(&self.space, self.spec.budget.experiments));
        }
        remarks.extend(searched.into_iter().map(|text| format!("note: {text}")));
        remarks
    }
}

/// What a task file may call by its name.
#[derive(Clone, Debug)]
pub struct Known {
    presets: Vec<PresetSpec>,
    /// Name and file.
    datasets: Vec<(String, PathBuf)>,
}

impl Known {
    /// What comes with this program.
    pub fn shipped() -> Self {
        Self { presets: tuner_engines::presets::presets().to_vec(), datasets: Vec::new() }
    }

    /// That and what a store holds.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn of(store: &Store) -> Result<Self, AppError> {
        let datasets = store.datasets().await?.into_iter().map(|row| (row.name, PathBuf::from(row.path)));
        Ok(Self { presets: presets::all(store).await?, datasets: datasets.collect() })
    }

    /// The same for a data directory. Where nothing was stored yet, no database is made for it.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn at(home: &Home) -> Result<Self, AppError> {
        if home.database_url().is_none() && !home.database().exists() {
            return Ok(Self::shipped());
        }
        Self::of(&tune::open_store(home).await?).await
    }

    /// A data set by its name, unless a file beside the task is called so.
    fn resolve(&self, folder: &Path, source: &str) -> String {
        let beside = absolute(folder, source);
        match self.datasets.iter().find(|(name, _)| name == source) {
            Some((_, file)) if !Path::new(&beside).exists() => file.display().to_string(),
            _ => beside,
        }
    }
}

/// Reads a task file. Relative paths in it are relative to the file.
pub fn read_file(path: &Path, known: &Known) -> Result<TaskFile, AppError> {
    let source = read_text(path)?;
    read_text_as(&source, path, known)
}

/// Reads a task file's text; `path` is where it came from.
pub fn read_text_as(source: &str, path: &Path, known: &Known) -> Result<TaskFile, AppError> {
    let name = path.display().to_string();
    let refused = |found| refused(found, &name, source);
    let loaded = read_informed(source, known).map_err(refused)?;
    let mut spec = loaded.spec;
    let folder = path.parent().unwrap_or(Path::new("."));
    let workload = &mut spec.workload;
    let classes =
        workload.classes.iter_mut().flat_map(|c| [c.prompts_file.as_mut(), c.dataset.as_mut().map(|d| &mut d.source)]);
    let own = [workload.prompts.prompts_file.as_mut(), workload.prompts.dataset.as_mut().map(|d| &mut d.source)];
    let sources = own.into_iter().chain(classes).flatten().filter(|source| !DatasetSpec::file(source).is_url());
    let model = [spec.model.path.as_mut(), spec.model.tokenizer.as_mut()].into_iter().flatten();
    model.for_each(|text| *text = absolute(folder, text));
    sources.for_each(|text| *text = known.resolve(folder, text));
    let notes = loaded.notes.iter().map(|note| note.render(&name, source)).collect();
    if let Err(message) = tuner_search::check(&spec.sampler, &loaded.space) {
        return Err(AppError::Search { file: name, message });
    }
    Ok(TaskFile { spec, space: loaded.space, notes, findings: loaded.notes, source: source.to_owned() })
}

fn refused(found: Vec<Diagnostic>, name: &str, source: &str) -> AppError {
    AppError::TaskFile { rendered: task::render_all(&found, name, source), found }
}

fn read_text(path: &Path) -> Result<String, AppError> {
    std::fs::read_to_string(path).map_err(|source| AppError::Read { path: path.to_owned(), source })
}

/// Reads with all that is known of the world: the engines' flags and the simulator's GPUs.
fn read_informed(source: &str, known: &Known) -> Result<task::LoadedTask, Vec<Diagnostic>> {
    let gpus = tuner_sim::hardware::GPUS.each_ref().map(|gpu| gpu.name);
    task::read(
        source,
        &ReadContext {
            known_flags: Some(&known_flags),
            known_gpus: Some(&gpus),
            presets: &known.presets,
            canonical: Some(&canonical),
        },
    )
}

/// The one spelling of an engine's flag that has several.
pub(crate) fn canonical(name: EngineName, flag: &str) -> String {
    tuner_engines::presets::canonical(name, flag)
}

pub(crate) fn known_flags(name: EngineName) -> Option<Vec<String>> {
    let catalogue = engine(name).catalogue();
    let names = catalogue.flags().iter().flat_map(|f| std::iter::once(&f.name).chain(&f.aliases));
    Some(names.cloned().collect())
}

/// `~` is the home directory of the shell that wrote it, so it is left to the shell.
fn absolute(folder: &Path, text: &str) -> String {
    let path = PathBuf::from(text);
    let joined = if path.is_absolute() { path } else { folder.join(path) };
    std::path::absolute(&joined).unwrap_or(joined).display().to_string()
}

/// Stores a task. When its name belongs to another task, a number is appended: `name-2`.
pub async fn create(store: &Store, file: &TaskFile) -> Result<TaskRow, AppError> {
    create_as(store, TaskId::new(), file).await
}

/// The same under a chosen id. If that is known, it was done before.
pub(crate) async fn create_as(store: &Store, id: TaskId, file: &TaskFile) -> Result<TaskRow, AppError> {
    match store.task(&id.to_string()).await {
        Err(StoreError::NoSuchTask { .. }) => {}
        known => return Ok(known?),
    }
    let base = file.spec.name.clone();
    let mut spec = file.spec.clone();
    for n in 2.. {
        match store.create_task(NewTask { id, spec: spec.clone(), source: file.source.clone() }).await {
            Err(StoreError::NameTaken { .. }) if n < 10_000 => spec.name = format!("{base}-{n}"),
            result => return Ok(result?),
        }
    }
    unreachable!("the loop returns")
}

/// The search space of a stored task.
pub fn space_of(spec: &TaskSpec) -> Result<SearchSpace, AppError> {
    task::search_space(spec).map_err(|error| AppError::Unreadable { name: spec.name.clone(), message: error.message })
}

/// The newest task that can be resumed.
pub async fn newest_unfinished(store: &Store) -> Result<Option<TaskRow>, AppError> {
    let page = store.find_tasks(&tuner_store::TaskQuery::default(), None, 200).await?;
    Ok(page.tasks.into_iter().find(|t| !t.status.is_end()))
}

/// Deletes a task with everything of it. One that is being worked on is refused.
pub async fn delete(store: &Store, home: &crate::Home, row: &TaskRow) -> Result<(), AppError> {
    let of_task = Resource::task(row.id);
    let planner = store.holder(&of_task).await?.map(|holder| (of_task, holder));
    let runs = |(number, holder)| (Resource::experiment(row.id, number), holder);
    let runners = store.held_experiments(row.id).await?.into_iter().map(runs);
    for (resource, holder) in planner.into_iter().chain(runners) {
        if !tuner_runner::is_dead(&holder.owner) {
            return Err(AppError::InUse { name: row.name.clone() });
        }
        store.break_lease(&resource, holder.fence).await?;
    }
    store.delete_task(row.id).await?;
    let logs = home.logs().join(row.id.to_string());
    match std::fs::remove_dir_all(&logs) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(AppError::Write { path: logs, source }),
        _ => Ok(()),
    }
}

/// Whether the task runs without any engine process.
pub fn is_virtual(spec: &TaskSpec) -> bool {
    spec.backend == BackendSpec::Virtual
}

/// What a checked file would do, in a few lines.
pub fn summary(file: &TaskFile) -> String {
    let spec = &file.spec;
    let points = match file.space.cardinality_bound() {
        Some(1) => "one configuration".to_owned(),
        Some(n) => format!("at most {n} configurations"),
        None => "a continuous space".to_owned(),
    };
    let levels: Vec<String> = spec.load.levels.iter().map(task::Level::label).collect();
    format!(
        "{}: {} ({points}), {} at {} {}, then {} to verify the best",
        spec.name,
        count(file.space.parameters.len(), "parameter"),
        count(spec.budget.experiments as usize, "experiment"),
        if levels.len() == 1 { "level" } else { "levels" },
        levels.join(", "),
        count(spec.verification.blocks as usize, "pair"),
    )
}

/// A predecessor's file, translated.
#[derive(Clone, Debug)]
pub struct ImportedFile {
    /// The task as YAML.
    pub yaml: String,
    /// What changed its meaning, rendered.
    pub notes: Vec<String>,
    /// The same with their places in the predecessor's file.
    pub findings: Vec<Diagnostic>,
}

/// Translates a task file of the predecessor (R0.6).
pub fn import(path: &Path, backend: Option<BackendSpec>) -> Result<ImportedFile, AppError> {
    import_text(&read_text(path)?, &path.display().to_string(), backend)
}

/// Translates the text of a predecessor's task file; `name` is what its findings call it.
pub fn import_text(source: &str, name: &str, backend: Option<BackendSpec>) -> Result<ImportedFile, AppError> {
    let imported = task::import_predecessor(source, &task::ImportOptions { backend });
    let imported = imported.map_err(|found| refused(found, name, source))?;
    let notes = imported.notes.iter().map(|note| note.render(name, source)).collect();
    Ok(ImportedFile { yaml: task::to_yaml(&imported.spec), notes, findings: imported.notes })
}
