//! Presets for doors.

use tuner_core::task::{Merge, Merged};
use tuner_policy::Action;

use super::Service;
use crate::access::Permit;
use crate::error::AppError;
use crate::presets::{self, Existing, PresetEntry, PresetFilter, PresetsImported};

impl Service {
    /// The presets, stored ones first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_presets(&self, permit: &Permit, filter: &PresetFilter) -> Result<Vec<PresetEntry>, AppError> {
        permit.must_be_for(Action::PresetRead)?;
        presets::list(self.store(), filter).await
    }

    /// A preset.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`].
    pub async fn show_preset(&self, permit: &Permit, name: &str) -> Result<PresetEntry, AppError> {
        permit.must_be_for(Action::PresetRead)?;
        presets::get(self.store(), name).await
    }

    /// Several presets as one.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::NotFound`]; [`AppError::Invalid`] if they are for different engines.
    pub async fn merge_presets(&self, permit: &Permit, names: &[String], how: Merge) -> Result<Merged, AppError> {
        permit.must_be_for(Action::PresetRead)?;
        presets::merge(self.store(), names, how).await
    }

    /// Stores the one preset of a document.
    ///
    /// # Errors
    /// [`AppError::Preset`], [`AppError::BuiltIn`]; [`tuner_store::StoreError::Taken`].
    pub async fn create_preset(&self, permit: &Permit, text: &str) -> Result<PresetEntry, AppError> {
        permit.must_be_for(Action::PresetCreate)?;
        presets::create(self.store(), only(text)?, Some(permit.makes())).await
    }

    /// Stores the presets of an exported file.
    ///
    /// # Errors
    /// As [`Service::create_preset`].
    pub async fn import_presets(
        &self,
        permit: &Permit,
        text: &str,
        existing: Existing,
    ) -> Result<PresetsImported, AppError> {
        permit.must_be_for(Action::PresetCreate)?;
        let (found, _) = presets::read(text, "document")?;
        presets::import(self.store(), found, existing, Some(permit.makes())).await
    }

    /// Changes a preset to what a document says.
    ///
    /// # Errors
    /// As [`Service::create_preset`]; [`tuner_store::StoreError::NotFound`].
    pub async fn change_preset(&self, permit: &Permit, name: &str, text: &str) -> Result<PresetEntry, AppError> {
        permit.must_be_for(Action::PresetEdit)?;
        presets::change(self.store(), name, only(text)?).await
    }

    /// Removes a preset.
    ///
    /// # Errors
    /// [`AppError::BuiltIn`]; [`tuner_store::StoreError::NotFound`].
    pub async fn delete_preset(&self, permit: &Permit, name: &str) -> Result<(), AppError> {
        permit.must_be_for(Action::PresetDelete)?;
        presets::delete(self.store(), name).await
    }
}

fn only(text: &str) -> Result<tuner_core::task::PresetSpec, AppError> {
    let (mut found, _) = presets::read(text, "document")?;
    match (found.pop(), found.is_empty()) {
        (Some(preset), true) => Ok(preset),
        _ => Err(AppError::Invalid { field: "presets", message: "this stores one preset; import several".to_owned() }),
    }
}
