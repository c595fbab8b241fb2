//! Tokens by their hashes.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::Serialize;

use super::entity::tokens;
use crate::{Store, StoreError};

/// A token to store.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its public name, chosen by chance.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The word of its role.
    pub role: String,
    /// SHA-256 of the secret, in hexadecimal.
    pub hash: String,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenRow {
    /// Its public name.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The word of its role.
    pub role: String,
    /// SHA-256 of the secret; not for lists.
    #[serde(skip)]
    pub hash: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it last let somebody in, to the minute.
    pub used_at: Option<DateTime<Utc>>,
}

impl TokenRow {
    /// Whether it lets anybody in at that time.
    pub fn works(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl From<tokens::Model> for TokenRow {
    fn from(row: tokens::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            role: row.role,
            hash: row.hash,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            used_at: row.used_at,
        }
    }
}

impl Store {
    /// Stores a token.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn create_token(&self, new: NewToken) -> Result<TokenRow, StoreError> {
        let write = self.write().await?;
        let row = tokens::Model {
            id: new.id,
            name: new.name,
            role: new.role,
            hash: new.hash,
            created_at: write.at,
            expires_at: new.expires_at,
            revoked_at: None,
            used_at: None,
        };
        tokens::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        write.commit_quietly().await?;
        Ok(row.into())
    }

    /// Every token, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let read = self.read().await?;
        let rows = tokens::Entity::find().order_by_asc(tokens::Column::CreatedAt).all(read.rows()).await?;
        Ok(rows.into_iter().map(TokenRow::from).collect())
    }

    /// The token with this id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        let read = self.read().await?;
        Ok(tokens::Entity::find_by_id(id).one(read.rows()).await?.map(TokenRow::from))
    }

    /// Takes tokens back by id or name; gives those that worked until now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such token.
    pub async fn revoke_token(&self, wanted: &str) -> Result<Vec<TokenRow>, StoreError> {
        let write = self.write().await?;
        let named = tokens::Column::Id.eq(wanted).or(tokens::Column::Name.eq(wanted));
        let rows = tokens::Entity::find().filter(named).all(write.rows()).await?;
        if rows.is_empty() {
            return Err(StoreError::not_found(format!("token {wanted:?}")));
        }
        let mut revoked = Vec::new();
        for row in rows.into_iter().filter(|row| row.revoked_at.is_none()) {
            let mut change = row.into_active_model();
            change.revoked_at = Set(Some(write.at));
            revoked.push(tokens::Entity::update(change).exec(write.rows()).await?.into());
        }
        write.commit_quietly().await?;
        Ok(revoked)
    }

    /// Notes that a token let somebody in.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn token_used(&self, id: &str) -> Result<(), StoreError> {
        let write = self.write().await?;
        let change = tokens::ActiveModel { used_at: Set(Some(write.at)), ..Default::default() };
        tokens::Entity::update_many().set(change).filter(tokens::Column::Id.eq(id)).exec(write.rows()).await?;
        write.commit_quietly().await
    }
}
