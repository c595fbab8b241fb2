//! Answers that are given again: what a POST with an idempotency key gave.
//!
//! *Invariant*: of requests with the same actor and key, one is done; the others get its answer, or are told that it is
//! not there yet, or that they ask something else.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};

use super::entity::answers;
use crate::json::{decode, encode};
use crate::{Store, StoreError};

/// An answer as it went over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers that belong to the answer.
    pub headers: Vec<(String, String)>,
    /// The body, which is text.
    pub body: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: do it.
    New,
    /// It was done; this was the answer.
    Done(Reply),
    /// Somebody does it now.
    Underway,
    /// It stood for another request.
    Different,
}

impl Store {
    /// Takes a key for a request, or says what is known of it. An unfinished one is free again after `patience`, a
    /// finished one after `keep`.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn begin_answer(
        &self,
        actor: &str,
        key: &str,
        fingerprint: &str,
        patience: Duration,
    ) -> Result<Begun, StoreError> {
        let write = self.write().await?;
        answers::Entity::delete_many().filter(answers::Column::ExpiresAt.lte(write.at)).exec(write.rows()).await?;
        let found = answers::Entity::find_by_id((actor.to_owned(), key.to_owned())).one(write.rows()).await?;
        let begun = match found {
            Some(row) if row.fingerprint != fingerprint => Begun::Different,
            Some(answers::Model { answer: Some(answer), .. }) => {
                Begun::Done(decode(|| format!("answer {key}"), &answer)?)
            }
            Some(_) => Begun::Underway,
            None => {
                let row = answers::Model {
                    actor: actor.to_owned(),
                    key: key.to_owned(),
                    fingerprint: fingerprint.to_owned(),
                    answer: None,
                    created_at: write.at,
                    expires_at: write.at + patience,
                };
                answers::Entity::insert(row.into_active_model()).exec_without_returning(write.rows()).await?;
                Begun::New
            }
        };
        write.commit_quietly().await?;
        Ok(begun)
    }

    /// Keeps an answer for `keep`; without one the key is free again.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_answer(
        &self,
        actor: &str,
        key: &str,
        reply: Option<&Reply>,
        keep: Duration,
    ) -> Result<(), StoreError> {
        let answer = reply.map(|reply| encode("answer", reply)).transpose()?;
        let write = self.write().await?;
        let id = (actor.to_owned(), key.to_owned());
        match answer {
            Some(answer) => {
                let change = answers::ActiveModel {
                    answer: Set(Some(answer)),
                    expires_at: Set(write.at + keep),
                    ..Default::default()
                };
                let of_it = answers::Column::Actor.eq(id.0).and(answers::Column::Key.eq(id.1));
                answers::Entity::update_many().set(change).filter(of_it).exec(write.rows()).await?;
            }
            None => {
                answers::Entity::delete_by_id(id).exec(write.rows()).await?;
            }
        }
        write.commit_quietly().await
    }
}
