//! The book of a run: loaded, changed by one command, written back with what happened.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::Value as Json;
use tuner_policy::chat::{Book, Call, CallState, Command, Ending, Grant, Happened, Proposal, Rules, Run, RunState};
use uuid::Uuid;

use super::ChatChange;
use super::entity::{calls, grants, runs, sessions};
use super::messages::{active, add, begin, queued, run_row, session_of, take_up, used};
use super::row::{
    CallResult, CallRow, ChatRole, ChatSession, ChatUsage, GrantRow, MessageBody, MessageState, read_uuid,
};
use super::sessions::{find, save, told};
use crate::dialect::Transaction;
use crate::json::{decode, encode, encode_option, plain};
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError};

/// Calls of one client that may wait for a person.
const MOST_WAITING: usize = 30;

/// A call as it is proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCall {
    /// What the policy looks at.
    pub proposal: Proposal,
    /// What the provider calls it.
    pub provider_id: String,
    /// What it would do, as this service sees it.
    pub effects: Option<Json>,
    /// Why it cannot be done, if it cannot.
    pub unfit: Option<CallResult>,
}

/// What the model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAnswer {
    /// The id of its message.
    pub message: Uuid,
    /// What it says.
    pub body: MessageBody,
    /// What it cost.
    pub usage: ChatUsage,
    /// What it wants done; nothing: it is done.
    pub calls: Vec<NewCall>,
    /// How long a person has to decide.
    pub patience: TimeDelta,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CallEnd {
    /// Which.
    pub call: Uuid,
    /// Who ran it.
    pub holder: Uuid,
    /// How.
    pub ending: Ending,
    /// What the model is told.
    pub result: CallResult,
    /// All that the tool said, if that is more.
    pub output: Option<String>,
}

/// What is loaded for one change.
struct Open {
    write: Write,
    session: sessions::Model,
    id: Uuid,
    run: runs::Model,
    calls: Vec<calls::Model>,
    book: Book,
}

impl Store {
    /// The book of a run as it is now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn book(&self, run: Uuid) -> Result<Book, StoreError> {
        let read = self.read().await?;
        let row = run_row(read.rows(), run).await?;
        let session = find(read.rows(), session_of(&row)?).await?;
        Ok(book(read.rows(), &row, session).await?.1)
    }

    /// Changes the book of a run.
    ///
    /// # Errors
    /// [`StoreError::Refused`]; [`StoreError::NotFound`].
    pub async fn apply(&self, run: Uuid, command: Command, rules: &Rules) -> Result<Vec<Happened>, StoreError> {
        let mut open = open(self.write().await?, run).await?;
        let thinks = command == Command::Think;
        let before = open.book.clone();
        let happened = open.book.apply(command, rules, open.write.at)?;
        let mut events = open.save(&before, &happened).await?;
        if thinks {
            events.extend(take_up(&open.write, open.id, Some(run)).await?);
        }
        open.write.commit_any(events).await?;
        Ok(happened)
    }

    /// Writes down what the model answered, and what may become of the calls in it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the run was stopped meanwhile; [`StoreError::NotFound`].
    pub async fn answer(&self, run: Uuid, answer: NewAnswer, rules: &Rules) -> Result<Vec<Happened>, StoreError> {
        let open = open(self.write().await?, run).await?;
        self.take_down(open, run, answer, rules).await
    }

    /// Writes down a call that a client's own model wants done, in the run that such calls share. The same call, while
    /// the first is not over, is the first. Gives its id.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] while the service's own model is at work in the conversation; [`StoreError::NotFound`].
    pub async fn propose(
        &self,
        session: Uuid,
        asker: &Json,
        client: &str,
        new: NewCall,
        patience: TimeDelta,
        rules: &Rules,
    ) -> Result<Uuid, StoreError> {
        let write = self.write().await?;
        find(write.rows(), session).await?;
        let run = match active(&write, session).await? {
            Some(active) => read_uuid(&active.id)?,
            None => read_uuid(&begin(&write, session, asker, true).await?.id)?,
        };
        let open = open(write, run).await?;
        if !open.book.run.outside {
            let (what, state) = (format!("conversation {session}"), open.book.run.state.word().to_owned());
            return Err(StoreError::WrongState { what, state, wanted: "take a client's call" });
        }
        let same = |call: &&Call| !call.state.is_end() && call.digest == new.proposal.digest;
        if let Some(known) = open.book.calls.iter().find(same) {
            return Ok(known.id);
        }
        let waiting = open.book.calls.iter().filter(|call| call.state == CallState::AwaitingAuthorization).count();
        if waiting >= MOST_WAITING {
            let (what, state) = (format!("conversation {session}"), format!("full: {waiting} calls wait for a person"));
            return Err(StoreError::WrongState { what, state, wanted: "take a client's call" });
        }
        let id = new.proposal.id;
        let body = MessageBody { model: Some(client.to_owned()), ..MessageBody::default() };
        let usage = ChatUsage::default();
        let answer = NewAnswer { message: Uuid::now_v7(), body, usage, calls: vec![new], patience };
        self.take_down(open, run, answer, rules).await?;
        Ok(id)
    }

    async fn take_down(
        &self,
        mut open: Open,
        run: Uuid,
        answer: NewAnswer,
        rules: &Rules,
    ) -> Result<Vec<Happened>, StoreError> {
        let before = open.book.clone();
        let proposals = answer.calls.iter().map(|call| call.proposal.clone()).collect();
        let command = Command::Answer { calls: proposals, patience: answer.patience };
        let happened = open.book.apply(command, rules, open.write.at)?;
        let (of_run, whole) = (Some(run.to_string()), MessageState::Complete);
        let said =
            add(&open.write, &mut open.session, answer.message, of_run, ChatRole::Assistant, whole, &answer.body)
                .await?;
        open.run.usage = used(&open.run, answer.usage)?;
        let mut events = vec![told(open.id, ChatChange::Message { row: Box::new(said) })];
        for (call, new) in open.book.step().zip(answer.calls) {
            open.calls.push(calls::Model {
                id: call.id.to_string(),
                session_id: open.id.to_string(),
                run_id: run.to_string(),
                message_id: answer.message.to_string(),
                step: i64::from(call.step),
                place: i64::from(call.place),
                state: String::new(),
                provider_id: new.provider_id,
                call: String::new(),
                effects: new.effects.map(|effects| plain("effects", &effects)).transpose()?,
                result: encode_option("result", new.unfit.as_ref())?,
                output: None,
            });
        }
        events.extend(open.save(&before, &happened).await?);
        open.write.commit_any(events).await?;
        Ok(happened)
    }

    /// Writes down how a call ended, with what its tool gave.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if somebody else has it; [`StoreError::NotFound`].
    pub async fn end_call(&self, run: Uuid, end: CallEnd, rules: &Rules) -> Result<Vec<Happened>, StoreError> {
        let CallEnd { call, holder, ending, result, output } = end;
        let command = Command::End { call, holder, ending, untrusted: result.untrusted };
        self.conclude(run, call, command, result, output, rules).await
    }

    /// Writes down what became of a call whose outcome was unknown.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it is known; [`StoreError::NotFound`].
    pub async fn resolve_call(
        &self,
        run: Uuid,
        call: Uuid,
        ending: Ending,
        result: CallResult,
        rules: &Rules,
    ) -> Result<Vec<Happened>, StoreError> {
        self.conclude(run, call, Command::Resolve { call, ending }, result, None, rules).await
    }

    async fn conclude(
        &self,
        run: Uuid,
        call: Uuid,
        command: Command,
        result: CallResult,
        output: Option<String>,
        rules: &Rules,
    ) -> Result<Vec<Happened>, StoreError> {
        let mut open = open(self.write().await?, run).await?;
        let before = open.book.clone();
        let happened = open.book.apply(command, rules, open.write.at)?;
        if let Some(row) = open.calls.iter_mut().find(|row| row.id == call.to_string()) {
            row.result = Some(encode("result", &result)?);
            row.output = output;
        }
        let events = open.save(&before, &happened).await?;
        open.write.commit_any(events).await?;
        Ok(happened)
    }

    /// Gives a conversation standing leave, whether the model is at work in it or not.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn grant(&self, session: Uuid, grant: Grant, rules: &Rules) -> Result<Vec<Happened>, StoreError> {
        let write = self.write().await?;
        if let Some(known) = grants::Entity::find_by_id(grant.id.to_string()).one(write.rows()).await? {
            // The same request again.
            let known = GrantRow::try_from(known)?;
            return Ok(vec![Happened::Granted(known.grant.id)]);
        }
        self.change_leave(write, session, Command::Grant(Box::new(grant)), rules).await
    }

    /// Takes leave back.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is none; [`StoreError::NotFound`].
    pub async fn revoke(
        &self,
        session: Uuid,
        grant: Option<Uuid>,
        scope: Option<tuner_policy::Scope>,
    ) -> Result<Vec<Happened>, StoreError> {
        let write = self.write().await?;
        self.change_leave(write, session, Command::Revoke { grant, scope }, &Rules::default()).await
    }

    /// Grants belong to conversations, and change calls of the run that is not over, or of none.
    async fn change_leave(
        &self,
        write: Write,
        session: Uuid,
        command: Command,
        rules: &Rules,
    ) -> Result<Vec<Happened>, StoreError> {
        find(write.rows(), session).await?;
        if let Some(active) = active(&write, session).await? {
            let run = read_uuid(&active.id)?;
            let mut open = open(write, run).await?;
            let before = open.book.clone();
            let happened = open.book.apply(command, rules, open.write.at)?;
            let events = open.save(&before, &happened).await?;
            open.write.commit_any(events).await?;
            return Ok(happened);
        }
        let over = Run { state: RunState::Completed, ..Run::new(Uuid::nil()) };
        let known = given(write.rows(), session).await?;
        let row = ChatSession::try_from(find(write.rows(), session).await?)?;
        let mut book =
            Book { run: over, calls: Vec::new(), grants: known, mode: row.mode, untrusted_at: row.untrusted_at };
        let before = book.clone();
        let happened = book.apply(command, rules, write.at)?;
        let events = save_grants(&write, session, &before, &book).await?;
        write.commit_any(events).await?;
        Ok(happened)
    }
}

async fn given(rows: &Transaction, session: Uuid) -> Result<Vec<Grant>, StoreError> {
    let found = grants::Entity::find().filter(grants::Column::SessionId.eq(session.to_string()));
    let found = found.order_by_asc(grants::Column::CreatedAt).order_by_asc(grants::Column::Id).all(rows).await?;
    found.into_iter().map(|row| Ok(GrantRow::try_from(row)?.grant)).collect()
}

async fn open(write: Write, run: Uuid) -> Result<Open, StoreError> {
    let row = run_row(write.rows(), run).await?;
    let id = session_of(&row)?;
    let session = find(write.rows(), id).await?;
    let (calls, book) = book(write.rows(), &row, session.clone()).await?;
    Ok(Open { write, session, id, run: row, calls, book })
}

/// The rows of a run's calls, and its book.
async fn book(
    rows: &Transaction,
    run: &runs::Model,
    session: sessions::Model,
) -> Result<(Vec<calls::Model>, Book), StoreError> {
    let calls = calls::Entity::find().filter(calls::Column::RunId.eq(&run.id));
    let calls = calls.order_by_asc(calls::Column::Step).order_by_asc(calls::Column::Place).all(rows).await?;
    let session = ChatSession::try_from(session)?;
    let book = Book {
        run: decode(|| format!("run {}", run.id), &run.run)?,
        calls: calls
            .iter()
            .map(|row| decode(|| format!("call {}", row.id), &row.call))
            .collect::<Result<_, StoreError>>()?,
        grants: given(rows, session.id).await?,
        mode: session.mode,
        untrusted_at: session.untrusted_at,
    };
    Ok((calls, book))
}

impl Open {
    /// Writes back what changed; gives the events.
    async fn save(&mut self, before: &Book, happened: &[Happened]) -> Result<Vec<(Scope, Event)>, StoreError> {
        let mut events = save_grants(&self.write, self.id, before, &self.book).await?;
        let known: BTreeMap<Uuid, &Call> = before.calls.iter().map(|call| (call.id, call)).collect();
        for (call, row) in self.book.calls.iter().zip(&mut self.calls) {
            if known.get(&call.id) == Some(&call) {
                continue;
            }
            row.call = encode("call", call)?;
            call.state.word().clone_into(&mut row.state);
            if known.contains_key(&call.id) {
                let change = calls::ActiveModel {
                    id: Set(row.id.clone()),
                    state: Set(row.state.clone()),
                    call: Set(row.call.clone()),
                    result: Set(row.result.clone()),
                    output: Set(row.output.clone()),
                    ..Default::default()
                };
                calls::Entity::update(change).exec_without_returning(self.write.rows()).await?;
            } else {
                calls::Entity::insert(row.clone().into_active_model())
                    .exec_without_returning(self.write.rows())
                    .await?;
            }
            events.push(told(self.id, ChatChange::Call { row: Box::new(CallRow::try_from(row.clone())?) }));
        }
        for what in happened {
            if let Happened::Shadow(call, said) = what {
                events.push(told(self.id, ChatChange::Shadow { call: *call, said: said.clone() }));
            }
        }
        if self.book.untrusted_at != before.untrusted_at || self.session.updated_at != self.write.at {
            self.session.untrusted_at = self.book.untrusted_at;
            self.session.updated_at = self.write.at;
        }
        let was_over = before.run.state.is_end();
        if self.book.run != before.run {
            let run = &self.book.run;
            self.run.run = encode("run", run)?;
            run.state.word().clone_into(&mut self.run.state);
            if run.state.is_end() {
                self.run.ended_at = Some(self.write.at);
            }
            let change = runs::ActiveModel {
                id: Set(self.run.id.clone()),
                state: Set(self.run.state.clone()),
                run: Set(self.run.run.clone()),
                usage: Set(self.run.usage.clone()),
                ended_at: Set(self.run.ended_at),
                ..Default::default()
            };
            runs::Entity::update(change).exec_without_returning(self.write.rows()).await?;
            events.push(told(self.id, ChatChange::Run { row: Box::new(self.run.clone().try_into()?) }));
            if run.state.is_end() && !was_over {
                events.extend(self.go_on().await?);
            }
        }
        save(&self.write, &self.session).await?;
        Ok(events)
    }

    /// What people said meanwhile begins the next run, unless they stopped this one.
    async fn go_on(&self) -> Result<Vec<(Scope, Event)>, StoreError> {
        let waiting = !queued(&self.write, self.id).await?.is_empty();
        if !waiting || self.book.run.state == RunState::Stopped {
            return take_up(&self.write, self.id, None).await;
        }
        let asker: Json = decode(|| "asker".to_owned(), &self.run.asker)?;
        let next = begin(&self.write, self.id, &asker, false).await?;
        let id = read_uuid(&next.id)?;
        let mut events = vec![told(self.id, ChatChange::Run { row: Box::new(next.try_into()?) })];
        events.extend(take_up(&self.write, self.id, Some(id)).await?);
        Ok(events)
    }
}

async fn save_grants(
    write: &Write,
    session: Uuid,
    before: &Book,
    after: &Book,
) -> Result<Vec<(Scope, Event)>, StoreError> {
    let mut events = Vec::new();
    for grant in &after.grants {
        let was = before.grants.iter().find(|known| known.id == grant.id);
        if was == Some(grant) {
            continue;
        }
        let row = grants::Model {
            id: grant.id.to_string(),
            session_id: session.to_string(),
            scope: grant.scope.word().to_owned(),
            granted: encode("grant", grant)?,
            created_at: grant.created_at,
        };
        if was.is_some() {
            let change = grants::ActiveModel { id: Set(row.id), granted: Set(row.granted), ..Default::default() };
            grants::Entity::update(change).exec_without_returning(write.rows()).await?;
        } else {
            grants::Entity::insert(row.into_active_model()).exec_without_returning(write.rows()).await?;
        }
        events.push(told(session, ChatChange::Grant { row: Box::new(GrantRow { grant: grant.clone(), session }) }));
    }
    Ok(events)
}
