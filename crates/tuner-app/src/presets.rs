//! Presets: those that come with the engines and those that people store, listed and used as one.
//!
//! *Invariant*: what comes with an engine is never changed or deleted, and no stored preset takes its name.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tuner_core::engine::EngineName;
use tuner_core::task::{
    self, Diagnostic, Merge, Merged, PresetSpec, ReadContext, merge_presets, read_presets, render_all,
};
use tuner_engines::presets as shipped;
use tuner_store::{PresetRow, Store, StoreError};
use uuid::Uuid;

use crate::error::AppError;
use crate::tasks::{canonical, known_flags};

/// Version of the export file; the predecessor's has the same.
const EXPORT: &str = "1.0";

/// A preset in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PresetEntry {
    /// What it says.
    #[serde(flatten)]
    pub preset: PresetSpec,
    /// It comes with the engine: it can be copied, not changed.
    pub built_in: bool,
    /// When it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl From<PresetRow> for PresetEntry {
    fn from(row: PresetRow) -> Self {
        let (created_at, updated_at) = (Some(row.created_at), Some(row.updated_at));
        Self { preset: row.preset, built_in: false, created_at, updated_at }
    }
}

fn built_in(preset: &PresetSpec) -> PresetEntry {
    PresetEntry { preset: preset.clone(), built_in: true, created_at: None, updated_at: None }
}

/// Which presets; what is absent does not matter.
#[derive(Clone, Debug, Default)]
pub struct PresetFilter {
    /// Of this category.
    pub category: Option<String>,
    /// For this engine, or for any.
    pub engine: Option<EngineName>,
}

/// What to do with an imported preset whose name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Refuse the whole file.
    #[default]
    Refuse,
    /// Leave that one out.
    Skip,
    /// Change the stored one.
    Replace,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PresetsImported {
    /// Stored or changed.
    pub stored: Vec<PresetEntry>,
    /// Names that were left out.
    pub skipped: Vec<String>,
}

/// Every preset that a task may name: those that come with the engines, then the stored ones.
///
/// # Errors
/// [`AppError::Store`].
pub async fn all(store: &Store) -> Result<Vec<PresetSpec>, AppError> {
    let stored = store.presets().await?.into_iter().map(|row| row.preset);
    Ok(shipped::presets().iter().cloned().chain(stored).collect())
}

/// The presets, by name; those that people stored come first.
///
/// # Errors
/// [`AppError::Store`].
pub async fn list(store: &Store, filter: &PresetFilter) -> Result<Vec<PresetEntry>, AppError> {
    let stored = store.presets().await?.into_iter().map(PresetEntry::from);
    let wanted = |entry: &PresetEntry| {
        filter.category.as_ref().is_none_or(|category| *category == entry.preset.category)
            && filter.engine.is_none_or(|engine| entry.preset.engine.is_none_or(|of| of == engine))
    };
    Ok(stored.chain(shipped::presets().iter().map(built_in)).filter(wanted).collect())
}

/// A preset by its name.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn get(store: &Store, name: &str) -> Result<PresetEntry, AppError> {
    match shipped_one(name) {
        Some(preset) => Ok(built_in(preset)),
        None => Ok(store.preset(name).await?.into()),
    }
}

fn shipped_one(name: &str) -> Option<&'static PresetSpec> {
    shipped::presets().iter().find(|preset| preset.name == name)
}

/// Reads the text of one preset or of an export, this project's or the predecessor's. Gives what is worth knowing too.
///
/// # Errors
/// [`AppError::Preset`] with every finding.
pub fn read(text: &str, place: &str) -> Result<(Vec<PresetSpec>, Vec<Diagnostic>), AppError> {
    let context = ReadContext { known_flags: Some(&known_flags), ..ReadContext::default() };
    match read_presets(text, &context) {
        Ok(known) => Ok((known.presets, known.notes)),
        Err(found) => Err(AppError::Preset { rendered: render_all(&found, place, text), found }),
    }
}

/// Stores a preset; `made_by`: the request that may be a second one for the same.
///
/// # Errors
/// [`StoreError::Taken`]; [`AppError::BuiltIn`] if a preset of an engine is called so.
pub async fn create(store: &Store, preset: PresetSpec, made_by: Option<Uuid>) -> Result<PresetEntry, AppError> {
    must_not_be_shipped(&preset.name)?;
    let name = preset.name.clone();
    let row = store.create_presets(vec![preset], made_by).await?.into_iter().next();
    row.map(PresetEntry::from).ok_or_else(|| AppError::Absent { what: format!("preset {name:?}") })
}

/// Changes a preset, its name included. Tasks that took it over stay as they are.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Taken`]; [`AppError::BuiltIn`].
pub async fn change(store: &Store, name: &str, preset: PresetSpec) -> Result<PresetEntry, AppError> {
    must_not_be_shipped(name)?;
    must_not_be_shipped(&preset.name)?;
    Ok(store.change_preset(name, preset).await?.into())
}

/// Removes a preset. Tasks that took it over stay as they are.
///
/// # Errors
/// [`StoreError::NotFound`]; [`AppError::BuiltIn`].
pub async fn delete(store: &Store, name: &str) -> Result<(), AppError> {
    must_not_be_shipped(name)?;
    Ok(store.delete_preset(name).await?)
}

fn must_not_be_shipped(name: &str) -> Result<(), AppError> {
    match shipped_one(name) {
        Some(_) => Err(AppError::BuiltIn { name: name.to_owned() }),
        None => Ok(()),
    }
}

/// Stores the presets of a file; what the same request stored before counts as stored by it.
///
/// # Errors
/// As [`create`]; with [`Existing::Refuse`] nothing is stored then.
pub async fn import(
    store: &Store,
    presets: Vec<PresetSpec>,
    existing: Existing,
    made_by: Option<Uuid>,
) -> Result<PresetsImported, AppError> {
    let mut done = PresetsImported { stored: Vec::new(), skipped: Vec::new() };
    let mut new = Vec::new();
    for preset in presets {
        let taken = match store.preset(&preset.name).await {
            Ok(_) => true,
            Err(StoreError::NotFound { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        let ours = match made_by {
            Some(id) if taken => store.made_preset(&preset.name, id).await?,
            _ => false,
        };
        match existing {
            _ if ours => new.push(preset),
            Existing::Skip if taken || shipped_one(&preset.name).is_some() => done.skipped.push(preset.name),
            Existing::Replace if taken => {
                let name = preset.name.clone();
                done.stored.push(change(store, &name, preset).await?);
            }
            _ => {
                must_not_be_shipped(&preset.name)?;
                new.push(preset);
            }
        }
    }
    done.stored.extend(store.create_presets(new, made_by).await?.into_iter().map(PresetEntry::from));
    Ok(done)
}

/// Presets as a file that [`read`] takes, here and elsewhere.
pub fn export(presets: &[PresetSpec]) -> Value {
    match presets {
        [one] => json!({ "version": EXPORT, "preset": one }),
        several => json!({ "version": EXPORT, "presets": several }),
    }
}

/// Several presets as one, with what was not followed.
///
/// # Errors
/// [`StoreError::NotFound`]; [`AppError::Invalid`] if they are for different engines.
pub async fn merge(store: &Store, names: &[String], how: Merge) -> Result<Merged, AppError> {
    let mut presets = Vec::new();
    for name in names {
        presets.push(get(store, name).await?.preset);
    }
    let engine = presets.iter().find_map(|preset| preset.engine);
    let same = |flag: &str| engine.map_or_else(|| flag.replace('_', "-"), |engine| canonical(engine, flag));
    let invalid = |error: task::EnginesDiffer| AppError::Invalid { field: "presets", message: error.to_string() };
    merge_presets(&presets, how, &same).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<PresetSpec> {
        read(text, "test").unwrap().0
    }

    #[tokio::test]
    async fn what_comes_with_an_engine_is_listed_copied_and_never_changed() {
        let store = Store::in_memory().await.unwrap();
        let vllm = PresetFilter { category: Some("quantisation".to_owned()), engine: Some(EngineName::Vllm) };
        let listed = list(&store, &vllm).await.unwrap();
        assert!(listed.len() > 3 && listed.iter().all(|entry| entry.built_in));
        let first = listed[0].preset.clone();
        for refused in [
            delete(&store, &first.name).await.err(),
            change(&store, &first.name, first.clone()).await.err(),
            create(&store, first.clone(), None).await.err(),
        ] {
            assert!(matches!(refused, Some(AppError::BuiltIn { .. })), "{refused:?}");
        }
        let mine = create(&store, PresetSpec { name: "mine".to_owned(), ..first }, None).await.unwrap();
        assert_eq!(list(&store, &vllm).await.unwrap()[0], mine);
    }

    // W68: nothing is lost between an export and its import.
    #[tokio::test]
    async fn what_is_exported_is_imported_whole() {
        let store = Store::in_memory().await.unwrap();
        let text = "presets: [{name: a, category: mine, engine: sglang, description: d, parameters: {tp-size: [1, 2]}, \
                    constraints: [tp-size >= 1], metadata: {k: {v: [1]}}}, {name: b, parameters: {x: bool}}]";
        let presets = of(text);
        let (one, two) = (export(&presets[..1]).to_string(), export(&presets).to_string());
        assert_eq!((of(&one), of(&two)), (presets[..1].to_vec(), presets.clone()));
        import(&store, of(&two), Existing::Refuse, None).await.unwrap();
        assert!(import(&store, of(&one), Existing::Refuse, None).await.is_err());
        let skipped = import(&store, of(&two), Existing::Skip, None).await.unwrap();
        assert_eq!(skipped, PresetsImported { stored: Vec::new(), skipped: vec!["a".to_owned(), "b".to_owned()] });
        let changed = of("{name: b, parameters: {x: [1]}}");
        import(&store, changed.clone(), Existing::Replace, None).await.unwrap();
        assert_eq!(get(&store, "b").await.unwrap().preset, changed[0]);
    }

    #[tokio::test]
    async fn presets_are_merged_over_every_spelling_of_a_flag() {
        let store = Store::in_memory().await.unwrap();
        import(&store, of("presets: [{name: a, parameters: {tensor-parallel-size: [4, 8]}}]"), Existing::Refuse, None)
            .await
            .unwrap();
        let names = ["sglang-parallel-single-gpu".to_owned(), "a".to_owned()];
        let merged = merge(&store, &names, Merge::Union).await.unwrap();
        let shown = serde_json::to_string(&merged.parameters).unwrap();
        assert_eq!(shown, r#"{"tp-size":[1,4,8],"pp-size":[1],"dp-size":[1]}"#);
        let both = ["sglang-performance".to_owned(), "vllm-performance".to_owned()];
        assert!(matches!(merge(&store, &both, Merge::Union).await, Err(AppError::Invalid { .. })));
        assert!(merge(&store, &["zz".to_owned()], Merge::Union).await.is_err());
    }
}
