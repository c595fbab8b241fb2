//! Presets by name.

use chrono::{DateTime, Utc};
use sea_orm::{EntityTrait, IntoActiveModel, QueryOrder};
use serde::Serialize;
use tuner_core::task::PresetSpec;
use uuid::Uuid;

use super::entity::presets;
use super::{ShelfChange, ShelfKind};
use crate::json::{decode, encode};
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

/// A stored preset.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PresetRow {
    /// What it says.
    #[serde(flatten)]
    pub preset: PresetSpec,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<presets::Model> for PresetRow {
    type Error = StoreError;
    fn try_from(row: presets::Model) -> Result<Self, StoreError> {
        Ok(Self {
            preset: decode(|| format!("preset {:?}", row.name), &row.preset)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Store {
    /// Stores presets, all or none. One that was made by the same request is given as it is.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if one of their names belongs to another.
    pub async fn create_presets(
        &self,
        new: Vec<PresetSpec>,
        made_by: Option<Uuid>,
    ) -> Result<Vec<PresetRow>, StoreError> {
        let write = self.write().await?;
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        let made_by = made_by.map(|id| id.to_string());
        for preset in new {
            if let Some(known) = of_name(&write, &preset.name).await? {
                if made_by.is_none() || known.made_by != made_by {
                    return Err(StoreError::Taken { what: "preset", name: preset.name });
                }
                rows.push(known.try_into()?);
                continue;
            }
            let row = model(&write, &preset, (write.at, made_by.clone()))?;
            presets::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
            events.push(told(&preset.name, ShelfChange::Stored));
            rows.push(row.try_into()?);
        }
        write.commit_any(events).await?;
        Ok(rows)
    }

    /// Whether a preset of this name was made by this request.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn made_preset(&self, name: &str, by: Uuid) -> Result<bool, StoreError> {
        let read = self.read().await?;
        let row = presets::Entity::find_by_id(name).one(read.rows()).await?;
        Ok(row.is_some_and(|row| row.made_by == Some(by.to_string())))
    }

    /// Every stored preset, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn presets(&self) -> Result<Vec<PresetRow>, StoreError> {
        let read = self.read().await?;
        let rows = presets::Entity::find().order_by_asc(presets::Column::Name).all(read.rows()).await?;
        rows.into_iter().map(PresetRow::try_from).collect()
    }

    /// A stored preset.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn preset(&self, name: &str) -> Result<PresetRow, StoreError> {
        let read = self.read().await?;
        let row = presets::Entity::find_by_id(name).one(read.rows()).await?;
        row.ok_or_else(|| absent(name))?.try_into()
    }

    /// Changes a preset, its name included.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Taken`] if its new name belongs to another.
    pub async fn change_preset(&self, name: &str, preset: PresetSpec) -> Result<PresetRow, StoreError> {
        let write = self.write().await?;
        let known = presets::Entity::find_by_id(name).one(write.rows()).await?.ok_or_else(|| absent(name))?;
        if preset.name != name && of_name(&write, &preset.name).await?.is_some() {
            return Err(StoreError::Taken { what: "preset", name: preset.name });
        }
        let row = model(&write, &preset, (known.created_at, known.made_by))?;
        presets::Entity::delete_by_id(name).exec(write.rows()).await?;
        presets::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        write.commit_scoped(told(&preset.name, ShelfChange::Changed), Vec::new()).await?;
        row.try_into()
    }

    /// Removes a preset. Tasks that took it over stay as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_preset(&self, name: &str) -> Result<(), StoreError> {
        let write = self.write().await?;
        let gone = presets::Entity::delete_by_id(name).exec(write.rows()).await?;
        if gone.rows_affected == 0 {
            return Err(absent(name));
        }
        write.commit_scoped(told(name, ShelfChange::Deleted), Vec::new()).await
    }
}

fn absent(name: &str) -> StoreError {
    StoreError::not_found(format!("preset {name:?}"))
}

fn told(name: &str, change: ShelfChange) -> (Scope, Event) {
    (Scope::default(), Event::Shelf { item: ShelfKind::Preset, name: name.to_owned(), change })
}

/// A preset as it will stand there, with when and by which request its name was first taken.
fn model(
    write: &Write,
    preset: &PresetSpec,
    (created_at, made_by): (DateTime<Utc>, Option<String>),
) -> Result<presets::Model, StoreError> {
    Ok(presets::Model {
        name: preset.name.clone(),
        category: preset.category.clone(),
        engine: preset.engine.map(|engine| engine.name().to_owned()),
        preset: encode("preset", preset)?,
        created_at,
        updated_at: write.at,
        made_by,
    })
}

async fn of_name(write: &Write, name: &str) -> Result<Option<presets::Model>, StoreError> {
    Ok(presets::Entity::find_by_id(name).one(write.rows()).await?)
}
