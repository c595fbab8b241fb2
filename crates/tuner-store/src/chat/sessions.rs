//! Conversations as wholes.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::Serialize;
use tuner_policy::chat::{CallState, Mode};
use uuid::Uuid;

use super::ChatChange;
use super::entity::{calls, grants, messages, runs, sessions};
use super::row::{CallRow, ChatMessageRow, ChatRole, ChatRun, ChatSession, GrantRow, MessageBody, MessageState};
use crate::dialect::Transaction;
use crate::entity::events;
use crate::json::{decode, encode, plain};
use crate::store::{Scope, Write, last_seq};
use crate::{Event, Store, StoreError};

/// A conversation that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSession {
    /// Its id: made twice under one id it is made once.
    pub id: Uuid,
    /// Whose it is.
    pub owner: String,
    /// What it is called.
    pub title: String,
    /// How it treats calls that need leave.
    pub mode: Mode,
}

impl NewSession {
    /// Its row, with nothing said in it yet.
    fn row(self, at: DateTime<Utc>) -> sessions::Model {
        sessions::Model {
            id: self.id.to_string(),
            owner: self.owner,
            title: self.title,
            mode: self.mode.word().to_owned(),
            summary: None,
            untrusted_at: None,
            messages: 0,
            created_at: at,
            updated_at: at,
        }
    }
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionItem {
    /// Itself.
    #[serde(flatten)]
    pub session: ChatSession,
    /// How its last message begins.
    pub last_message_preview: String,
    /// Calls that wait for a person.
    pub waiting: u32,
}

/// A part of the list of conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPage {
    /// Those that changed last come first.
    pub items: Vec<SessionItem>,
    /// Where the next part begins.
    pub next: Option<DateTime<Utc>>,
}

/// Everything of a conversation at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conversation {
    /// Itself.
    pub session: ChatSession,
    /// Its runs in order.
    pub runs: Vec<ChatRun>,
    /// Its messages in order.
    pub messages: Vec<ChatMessageRow>,
    /// Its calls in order.
    pub calls: Vec<CallRow>,
    /// Its grants in order.
    pub grants: Vec<GrantRow>,
    /// The number of the last event that it holds: follow from here.
    pub seq: i64,
}

impl Store {
    /// Begins a conversation.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn create_session(&self, new: NewSession) -> Result<ChatSession, StoreError> {
        let write = self.write().await?;
        if let Some(known) = sessions::Entity::find_by_id(new.id.to_string()).one(write.rows()).await? {
            return known.try_into();
        }
        let row = new.row(write.at);
        sessions::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        let session = ChatSession::try_from(row)?;
        let event = told(session.id, ChatChange::Session { row: Box::new(session.clone()) });
        write.commit_any([event]).await?;
        Ok(session)
    }

    /// Takes over a conversation that was kept elsewhere, with its messages in order; `None` if there is one with its id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn import_session(
        &self,
        new: NewSession,
        began: DateTime<Utc>,
        said: Vec<(ChatRole, String, DateTime<Utc>)>,
    ) -> Result<Option<ChatSession>, StoreError> {
        let write = self.write().await?;
        if sessions::Entity::find_by_id(new.id.to_string()).one(write.rows()).await?.is_some() {
            return Ok(None);
        }
        let row = sessions::Model {
            // Nobody here saw it written.
            untrusted_at: Some(write.at),
            messages: said.len() as i64,
            created_at: began,
            ..new.row(write.at)
        };
        sessions::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
        let session = ChatSession::try_from(row)?;
        let mut events = vec![told(session.id, ChatChange::Session { row: Box::new(session.clone()) })];
        for (at, (role, text, when)) in said.into_iter().enumerate() {
            let body = MessageBody { text, ..MessageBody::default() };
            let row = messages::Model {
                id: Uuid::now_v7().to_string(),
                session_id: session.id.to_string(),
                run_id: None,
                place: at as i64 + 1,
                role: role.word().to_owned(),
                state: MessageState::Complete.word().to_owned(),
                body: encode("message", &body)?,
                created_at: when,
                updated_at: when,
            };
            messages::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
            events.push(told(session.id, ChatChange::Message { row: Box::new(row.try_into()?) }));
        }
        write.commit_any(events).await?;
        Ok(Some(session))
    }

    /// A conversation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn session(&self, id: Uuid) -> Result<ChatSession, StoreError> {
        let read = self.read().await?;
        find(read.rows(), id).await?.try_into()
    }

    /// Conversations of an owner, or of all, whose title or messages hold a text; those that changed last come first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sessions(
        &self,
        owner: Option<&str>,
        text: Option<&str>,
        before: Option<DateTime<Utc>>,
        limit: u32,
    ) -> Result<SessionPage, StoreError> {
        let read = self.read().await?;
        let mut query = sessions::Entity::find().order_by_desc(sessions::Column::UpdatedAt);
        if let Some(owner) = owner {
            query = query.filter(sessions::Column::Owner.eq(owner));
        }
        if let Some(before) = before {
            query = query.filter(sessions::Column::UpdatedAt.lt(before));
        }
        if let Some(text) = text {
            let said = messages::Entity::find().select_only().column(messages::Column::SessionId);
            let said = said.filter(messages::Column::Body.contains(text));
            let ids: Vec<String> = said.into_tuple().all(read.rows()).await?;
            let either =
                Condition::any().add(sessions::Column::Title.contains(text)).add(sessions::Column::Id.is_in(ids));
            query = query.filter(either);
        }
        let mut rows = query.limit(u64::from(limit) + 1).all(read.rows()).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.updated_at);
        let mut items = Vec::new();
        for row in rows {
            let last = messages::Entity::find()
                .filter(messages::Column::SessionId.eq(&row.id))
                .filter(messages::Column::Role.ne(ChatRole::Note.word()))
                .order_by_desc(messages::Column::Place)
                .one(read.rows())
                .await?;
            let body: MessageBody = match last {
                Some(last) => decode(|| format!("message {}", last.id), &last.body)?,
                None => MessageBody::default(),
            };
            let waiting = calls::Entity::find()
                .filter(calls::Column::SessionId.eq(&row.id))
                .filter(calls::Column::State.eq(CallState::AwaitingAuthorization.word()))
                .count(read.rows())
                .await?;
            items.push(SessionItem {
                session: row.try_into()?,
                last_message_preview: body.text.chars().take(120).collect(),
                waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            });
        }
        Ok(SessionPage { items, next })
    }

    /// Everything of a conversation at one moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn conversation(&self, id: Uuid) -> Result<Conversation, StoreError> {
        let read = self.read().await?;
        let seq = last_seq(&read).await?;
        let rows = read.rows();
        let session = find(rows, id).await?.try_into()?;
        let id = id.to_string();
        let of_runs = runs::Entity::find().filter(runs::Column::SessionId.eq(&id));
        let of_runs = of_runs.order_by_asc(runs::Column::CreatedAt).order_by_asc(runs::Column::Id);
        let said = messages::Entity::find().filter(messages::Column::SessionId.eq(&id));
        let said = said.order_by_asc(messages::Column::Place);
        let done = calls::Entity::find().filter(calls::Column::SessionId.eq(&id));
        let mut calls: Vec<CallRow> =
            done.all(rows).await?.into_iter().map(CallRow::try_from).collect::<Result<_, _>>()?;
        calls.sort_by_key(|row| (row.call.proposed_at, row.call.step, row.call.place));
        let given = grants::Entity::find().filter(grants::Column::SessionId.eq(&id));
        let given = given.order_by_asc(grants::Column::CreatedAt).order_by_asc(grants::Column::Id);
        Ok(Conversation {
            session,
            runs: of_runs.all(rows).await?.into_iter().map(ChatRun::try_from).collect::<Result<_, _>>()?,
            messages: said.all(rows).await?.into_iter().map(ChatMessageRow::try_from).collect::<Result<_, _>>()?,
            calls,
            grants: given.all(rows).await?.into_iter().map(GrantRow::try_from).collect::<Result<_, _>>()?,
            seq,
        })
    }

    /// Calls a conversation otherwise, or has it treat calls otherwise.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn change_session(
        &self,
        id: Uuid,
        title: Option<String>,
        mode: Option<Mode>,
    ) -> Result<ChatSession, StoreError> {
        let write = self.write().await?;
        let mut row = find(write.rows(), id).await?;
        if let Some(title) = title {
            row.title = title;
        }
        if let Some(mode) = mode {
            mode.word().clone_into(&mut row.mode);
        }
        row.updated_at = write.at;
        save(&write, &row).await?;
        let session = ChatSession::try_from(row)?;
        write.commit_any([told(id, ChatChange::Session { row: Box::new(session.clone()) })]).await?;
        Ok(session)
    }

    /// Has a summary stand for the messages up to a place.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn compact_session(
        &self,
        id: Uuid,
        summary: &serde_json::Value,
        up_to: u32,
        dropped: serde_json::Value,
    ) -> Result<(), StoreError> {
        let write = self.write().await?;
        let mut row = find(write.rows(), id).await?;
        row.summary = Some(plain("summary", summary)?);
        save(&write, &row).await?;
        write.commit_any([told(id, ChatChange::Compacted { up_to, dropped })]).await
    }

    /// Removes a conversation with all that was said and done in it. What its calls did stays done.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_session(&self, id: Uuid) -> Result<(), StoreError> {
        let write = self.write().await?;
        find(write.rows(), id).await?;
        events::Entity::delete_many().filter(events::Column::SessionId.eq(id.to_string())).exec(write.rows()).await?;
        sessions::Entity::delete_by_id(id.to_string()).exec(write.rows()).await?;
        write.commit_any([told(id, ChatChange::Deleted)]).await
    }
}

/// The row of a conversation.
pub(super) async fn find(rows: &Transaction, id: Uuid) -> Result<sessions::Model, StoreError> {
    let row = sessions::Entity::find_by_id(id.to_string()).one(rows).await?;
    row.ok_or_else(|| StoreError::not_found(format!("conversation {id}")))
}

/// Writes it back.
pub(super) async fn save(write: &Write, row: &sessions::Model) -> Result<(), StoreError> {
    let change = sessions::ActiveModel {
        id: Set(row.id.clone()),
        owner: Set(row.owner.clone()),
        title: Set(row.title.clone()),
        mode: Set(row.mode.clone()),
        summary: Set(row.summary.clone()),
        untrusted_at: Set(row.untrusted_at),
        messages: Set(row.messages),
        created_at: Set(row.created_at),
        updated_at: Set(row.updated_at),
    };
    sessions::Entity::update(change).exec_without_returning(write.rows()).await?;
    Ok(())
}

/// An event about a conversation.
pub(super) fn told(session: Uuid, change: ChatChange) -> (Scope, Event) {
    (Scope::session(session), Event::Chat { session, change })
}
