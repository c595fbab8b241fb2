//! What people say, and the runs that come of it.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::Value as Json;
use tuner_policy::chat::{Refused, Run, RunState};
use uuid::Uuid;

use super::ChatChange;
use super::entity::{calls, messages, runs, sessions};
use super::row::{
    CallRow, ChatMessageRow, ChatRole, ChatRun, ChatUsage, Feedback, MessageBody, MessageState, read_uuid,
};
use super::sessions::{find, save, told};
use crate::dialect::Transaction;
use crate::json::{decode, encode, plain};
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

/// What a person says.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Its id: said twice under one id it is said once.
    pub id: Uuid,
    /// The text.
    pub text: String,
    /// Who says it, as the application describes askers.
    pub asker: Json,
}

impl Store {
    /// Says something. If the model is at work in the conversation it waits until the model is asked next; else a run
    /// begins.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn say(&self, session: Uuid, new: NewMessage) -> Result<(ChatMessageRow, ChatRun), StoreError> {
        let write = self.write().await?;
        let mut row = find(write.rows(), session).await?;
        let active = active(&write, session).await?;
        if let Some(known) = messages::Entity::find_by_id(new.id.to_string()).one(write.rows()).await? {
            let known = ChatMessageRow::try_from(known)?;
            let run = match (known.run, active) {
                (Some(run), _) => run_row(write.rows(), run).await?,
                (None, Some(active)) => active,
                (None, None) => return Err(StoreError::not_found(format!("run of message {}", known.id))),
            };
            return Ok((known, run.try_into()?));
        }
        let mut events = Vec::new();
        let (run, state) = match active {
            Some(active) => (active, MessageState::Queued),
            None => {
                let run = begin(&write, session, &new.asker, false).await?;
                events.push(told(session, ChatChange::Run { row: Box::new(run.clone().try_into()?) }));
                (run, MessageState::Complete)
            }
        };
        let of_run = (state == MessageState::Complete).then(|| run.id.clone());
        let body = MessageBody { text: new.text, ..MessageBody::default() };
        let said = add(&write, &mut row, new.id, of_run, ChatRole::User, state, &body).await?;
        save(&write, &row).await?;
        events.push(told(session, ChatChange::Message { row: Box::new(said.clone()) }));
        write.commit_any(events).await?;
        Ok((said, run.try_into()?))
    }

    /// Begins a run without a message: the model goes on where it was.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] while a run is under way.
    pub async fn begin_run(&self, session: Uuid, asker: &Json) -> Result<ChatRun, StoreError> {
        let write = self.write().await?;
        find(write.rows(), session).await?;
        if let Some(active) = active(&write, session).await? {
            let (what, state) = (format!("conversation {session}"), active.state);
            return Err(StoreError::WrongState { what, state, wanted: "go on" });
        }
        let run = ChatRun::try_from(begin(&write, session, asker, false).await?)?;
        write.commit_any([told(session, ChatChange::Run { row: Box::new(run.clone()) })]).await?;
        Ok(run)
    }

    /// What a person thinks of a message; `None` takes it back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn rate_message(
        &self,
        session: Uuid,
        message: Uuid,
        feedback: Option<Feedback>,
    ) -> Result<ChatMessageRow, StoreError> {
        let write = self.write().await?;
        let row = messages::Entity::find_by_id(message.to_string()).one(write.rows()).await?;
        let row = row.filter(|row| row.session_id == session.to_string());
        let row = row.ok_or_else(|| StoreError::not_found(format!("message {message}")))?;
        let mut body: MessageBody = decode(|| format!("message {message}"), &row.body)?;
        body.feedback = feedback;
        let changed = change(&write, row, None, None, Some(&body)).await?;
        write.commit_any([told(session, ChatChange::Message { row: Box::new(changed.clone()) })]).await?;
        Ok(changed)
    }

    /// Adds a line of this service about the conversation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn note_in_session(&self, session: Uuid, run: Option<Uuid>, text: &str) -> Result<(), StoreError> {
        let write = self.write().await?;
        let mut row = find(write.rows(), session).await?;
        let body = MessageBody { text: text.to_owned(), ..MessageBody::default() };
        let run = run.map(|run| run.to_string());
        let said = add(&write, &mut row, Uuid::now_v7(), run, ChatRole::Note, MessageState::Complete, &body).await?;
        save(&write, &row).await?;
        write.commit_any([told(session, ChatChange::Message { row: Box::new(said) })]).await
    }

    /// The runs in which something can be done without a person, or time may run out: session and run.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn live_runs(&self) -> Result<Vec<ChatRun>, StoreError> {
        let read = self.read().await?;
        let live = [RunState::Queued, RunState::Thinking, RunState::Acting, RunState::AwaitingAuthorization];
        let rows = runs::Entity::find().filter(runs::Column::State.is_in(live.map(RunState::word)));
        let rows = rows.order_by_asc(runs::Column::CreatedAt).all(read.rows()).await?;
        rows.into_iter().map(ChatRun::try_from).collect()
    }

    /// A run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn chat_run(&self, id: Uuid) -> Result<ChatRun, StoreError> {
        let read = self.read().await?;
        run_row(read.rows(), id).await?.try_into()
    }

    /// Whether calls of a client's own model were taken down in a conversation.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_of_client(&self, session: Uuid) -> Result<bool, StoreError> {
        let read = self.read().await?;
        let rows = runs::Entity::find().filter(runs::Column::SessionId.eq(session.to_string()));
        Ok(rows.filter(runs::Column::Run.contains("\"outside\":true")).one(read.rows()).await?.is_some())
    }

    /// A call of a conversation.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the conversation has no such call.
    pub async fn chat_call(&self, session: Uuid, call: Uuid) -> Result<CallRow, StoreError> {
        let read = self.read().await?;
        let row = call_row(read.rows(), session, call).await?;
        row.ok_or(StoreError::Refused(Refused::NoSuchCall(call)))?.try_into()
    }

    /// All that a call's tool said.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the conversation has no such call, or it has said nothing yet.
    pub async fn call_output(&self, session: Uuid, call: Uuid) -> Result<String, StoreError> {
        let read = self.read().await?;
        let absent = || StoreError::not_found(format!("result of call {call}"));
        let row = call_row(read.rows(), session, call).await?.ok_or_else(absent)?;
        let row_result = CallRow::try_from(row.clone())?.result;
        row.output.or(row_result.map(|result| result.text)).ok_or_else(absent)
    }
}

/// The run of a conversation that is not over.
pub(super) async fn active(write: &Write, session: Uuid) -> Result<Option<runs::Model>, StoreError> {
    let rows = runs::Entity::find().filter(runs::Column::SessionId.eq(session.to_string()));
    Ok(rows.filter(runs::Column::EndedAt.is_null()).one(write.rows()).await?)
}

/// A new run; `outside`: of a client's own model.
pub(super) async fn begin(
    write: &Write,
    session: Uuid,
    asker: &Json,
    outside: bool,
) -> Result<runs::Model, StoreError> {
    let run = Run { outside, ..Run::new(Uuid::now_v7()) };
    let row = runs::Model {
        id: run.id.to_string(),
        session_id: session.to_string(),
        state: run.state.word().to_owned(),
        run: encode("run", &run)?,
        asker: plain("asker", asker)?,
        usage: encode("usage", &ChatUsage::default())?,
        created_at: write.at,
        ended_at: None,
    };
    runs::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
    Ok(row)
}

/// The row of a call, if it is of that conversation.
async fn call_row(rows: &Transaction, session: Uuid, call: Uuid) -> Result<Option<calls::Model>, StoreError> {
    let row = calls::Entity::find_by_id(call.to_string()).one(rows).await?;
    Ok(row.filter(|row| row.session_id == session.to_string()))
}

/// The row of a run.
pub(super) async fn run_row(rows: &Transaction, id: Uuid) -> Result<runs::Model, StoreError> {
    let row = runs::Entity::find_by_id(id.to_string()).one(rows).await?;
    row.ok_or_else(|| StoreError::not_found(format!("run {id}")))
}

/// A new message, the last of its conversation, whose row is the caller's to save.
pub(super) async fn add(
    write: &Write,
    session: &mut sessions::Model,
    id: Uuid,
    run: Option<String>,
    role: ChatRole,
    state: MessageState,
    body: &MessageBody,
) -> Result<ChatMessageRow, StoreError> {
    session.messages += 1;
    session.updated_at = write.at;
    let row = messages::Model {
        id: id.to_string(),
        session_id: session.id.clone(),
        run_id: run,
        place: session.messages,
        role: role.word().to_owned(),
        state: state.word().to_owned(),
        body: encode("message", body)?,
        created_at: write.at,
        updated_at: write.at,
    };
    messages::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
    row.try_into()
}

/// Changes a message.
async fn change(
    write: &Write,
    row: messages::Model,
    run: Option<&str>,
    state: Option<MessageState>,
    body: Option<&MessageBody>,
) -> Result<ChatMessageRow, StoreError> {
    let mut change = row.clone().into_active_model();
    let mut row = row;
    if let Some(run) = run {
        row.run_id = Some(run.to_owned());
        change.run_id = Set(row.run_id.clone());
    }
    if let Some(state) = state {
        state.word().clone_into(&mut row.state);
        change.state = Set(row.state.clone());
    }
    if let Some(body) = body {
        row.body = encode("message", body)?;
        change.body = Set(row.body.clone());
    }
    row.updated_at = write.at;
    change.updated_at = Set(row.updated_at);
    messages::Entity::update(change).exec_without_returning(write.rows()).await?;
    row.try_into()
}

/// What people said while the model was at work becomes part of a run; gives their events.
pub(super) async fn take_up(
    write: &Write,
    session: Uuid,
    run: Option<Uuid>,
) -> Result<Vec<(Scope, Event)>, StoreError> {
    let run = run.map(|run| run.to_string());
    let queued = queued(write, session).await?;
    let mut events = Vec::new();
    for row in queued {
        let row = change(write, row, run.as_deref(), Some(MessageState::Complete), None).await?;
        events.push(told(session, ChatChange::Message { row: Box::new(row) }));
    }
    Ok(events)
}

/// What people said while the model was at work.
pub(super) async fn queued(write: &Write, session: Uuid) -> Result<Vec<messages::Model>, StoreError> {
    let rows = messages::Entity::find().filter(messages::Column::SessionId.eq(session.to_string()));
    let rows = rows.filter(messages::Column::State.eq(MessageState::Queued.word()));
    Ok(rows.order_by_asc(messages::Column::Place).all(write.rows()).await?)
}

/// What a run used, with what its newest answer used.
pub(super) fn used(row: &runs::Model, more: ChatUsage) -> Result<String, StoreError> {
    let mut usage: ChatUsage = decode(|| format!("usage of run {}", row.id), &row.usage)?;
    usage += more;
    encode("usage", &usage)
}

/// The conversation of a run.
pub(super) fn session_of(row: &runs::Model) -> Result<Uuid, StoreError> {
    read_uuid(&row.session_id)
}
