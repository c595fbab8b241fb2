//! Answers that are given again: what a POST with an idempotency key gave.
//!
//! *Invariants*: of requests with the same actor and key, one is done; the others get its answer, or are told that it is
//! not there yet, or that they ask something else. Whoever does it again because nobody knows how it went does it under
//! the same id, so that what was made is found and not made twice.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::entity::answers;
use crate::json::{decode, encode};
use crate::{Store, StoreError};

/// How long the id of a request is remembered that nobody knows the end of.
const REMEMBERED: TimeDelta = TimeDelta::days(1);

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
    /// No answer: do it. What it makes has this id.
    New(Uuid),
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
        let forgotten = answers::Column::Answer.is_not_null().or(answers::Column::CreatedAt.lte(write.at - REMEMBERED));
        let forgotten = answers::Column::ExpiresAt.lte(write.at).and(forgotten);
        answers::Entity::delete_many().filter(forgotten).exec(write.rows()).await?;
        let found = answers::Entity::find_by_id((actor.to_owned(), key.to_owned())).one(write.rows()).await?;
        let is_free = |row: &answers::Model| row.answer.is_none() && row.expires_at <= write.at;
        let begun = match found {
            Some(row) if is_free(&row) => {
                let same = row.fingerprint == fingerprint;
                let begun_at = if same { row.created_at } else { write.at };
                let again = answers::Model {
                    fingerprint: fingerprint.to_owned(),
                    created_at: begun_at,
                    expires_at: write.at + patience,
                    ..row
                };
                let again = again.into_active_model().reset_all();
                answers::Entity::update(again).exec_without_returning(write.rows()).await?;
                Begun::New(id(actor, key, fingerprint, begun_at))
            }
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
                Begun::New(id(actor, key, fingerprint, write.at))
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
            // The row stays for its id: what failed may have made something.
            None => {
                let free = answers::ActiveModel { answer: Set(None), expires_at: Set(write.at), ..Default::default() };
                let of_it = answers::Column::Actor.eq(id.0).and(answers::Column::Key.eq(id.1));
                answers::Entity::update_many().set(free).filter(of_it).exec(write.rows()).await?;
            }
        }
        write.commit_quietly().await
    }
}

/// The id of what a request makes: a function of the request and of when it was first begun, and ordered by that time as
/// all ids are.
fn id(actor: &str, key: &str, fingerprint: &str, begun_at: DateTime<Utc>) -> Uuid {
    let mut digest = Sha256::new();
    for part in [actor, key, fingerprint] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut random = [0; 10];
    random.iter_mut().zip(digest.finalize()).for_each(|(to, byte)| *to = byte);
    let millis = u64::try_from(begun_at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
