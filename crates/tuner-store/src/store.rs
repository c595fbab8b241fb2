//! The handle to the database, and the only two ways into it: [`Store::read`] and [`Store::write`].
//!
//! *Invariant*: a [`Write`] can be committed only together with its events, so no change can forget them. A [`Read`]
//! cannot be committed at all.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseConnection, EntityTrait, QueryOrder, QuerySelect,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::dialect::{Place, Transaction};
use crate::entity::events;
use crate::migration::Migrations;
use crate::row::TaskId;
use crate::wake::Signals;
use crate::{Event, StoreError, dialect, json};

/// Gives the time that rows and events are stamped with; a simulated task brings its own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// A database of tasks. Clones share it. Every call is one transaction; a call whose future is dropped has either
/// happened entirely or not at all.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    pub(crate) place: Place,
    pub(crate) signals: Arc<Signals>,
    /// The system's, or where machines share a database the database's, if none was given.
    clock: Option<Clock>,
    /// How long a server may take to answer.
    pub(crate) answer: Option<Duration>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("last_event_seq", &*self.signals.seq().borrow()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a database file. A missing one is made, with its directories; one of an older version is copied to
    /// `NAME.before-MIGRATION` beside it and brought up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::NewerSchema`], [`StoreError::Backup`], [`StoreError::Database`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::over(dialect::file::<Migrations>(path).await?, Place::File(path.to_owned())).await
    }

    /// Opens the database that a URL names: `sqlite:PATH` as [`Store::open`] does, `sqlite::memory:` as
    /// [`Store::in_memory`] does, or a PostgreSQL database, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, whose
    /// tables are made or brought up to date. There rows and events carry the server's time, so that the clocks of the
    /// machines that share it need not agree.
    ///
    /// # Errors
    /// [`StoreError::UnknownUrl`], [`StoreError::Connect`], and those of [`Store::open`].
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        let (db, place) = dialect::url::<Migrations>(url).await?;
        Self::over(db, place).await
    }

    /// A database that lives in this process's memory until the last clone is dropped.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn in_memory() -> Result<Self, StoreError> {
        Self::over(dialect::in_memory::<Migrations>().await?, Place::Memory).await
    }

    async fn over(db: DatabaseConnection, place: Place) -> Result<Self, StoreError> {
        let answer = (place == Place::Server).then_some(dialect::ANSWER);
        let store = Self { db, place, signals: Arc::new(Signals::new(0)), clock: None, answer };
        store.raise_protocol().await?;
        let last = store.last_event_seq().await?;
        store.signals.ring(last, false);
        Ok(store)
    }

    /// The same database, stamped with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same database, of which a server that does not answer for this long counts as away, instead of 30 s.
    #[must_use]
    pub fn answering_within(self, limit: Duration) -> Self {
        let answer = self.answer.map(|_| limit);
        Self { answer, ..self }
    }

    /// Waits until everything under way is done and closes the file. Dropping the last clone closes it too, later.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }

    /// Number of the newest event; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn last_event_seq(&self) -> Result<i64, StoreError> {
        let read = self.read().await?;
        last_seq(&read).await
    }

    /// Number of the newest event that was heard of: those that clones of this handle commit, and while a [`Follower`]
    /// or a [`Work`] waits, those of other processes.
    ///
    /// [`Follower`]: crate::Follower
    /// [`Work`]: crate::Work
    pub fn watch_events(&self) -> watch::Receiver<i64> {
        self.signals.seq().subscribe()
    }

    /// A moment of the database: every query in it sees the same rows.
    pub(crate) async fn read(&self) -> Result<Read, StoreError> {
        Ok(Read(dialect::begin_reading(&self.db, self.answer).await?))
    }

    /// The right to write, alone, until the end of it. Dropped, it changes nothing.
    pub(crate) async fn write(&self) -> Result<Write, StoreError> {
        let (txn, at) = dialect::begin_writing(&self.db, self.answer).await?;
        let at = match (&self.clock, at) {
            (None, Some(at)) => at,
            _ => self.now(),
        };
        Ok(Write { txn, at, signals: Arc::clone(&self.signals) })
    }

    /// A heartbeat, which tells nobody anything new. Others may write beside it.
    pub(crate) async fn beat(&self) -> Result<Beat, StoreError> {
        Ok(Beat(dialect::begin_beside(&self.db, self.answer).await?))
    }

    /// The time of whoever looks in a transaction: the database's, where machines share it.
    pub(crate) async fn time(&self, rows: &Transaction) -> Result<DateTime<Utc>, StoreError> {
        match &self.clock {
            None => Ok(dialect::time(rows).await?.unwrap_or_else(|| self.now())),
            Some(_) => Ok(self.now()),
        }
    }

    /// The time that leases are counted in, whatever rows are stamped with: the database's where machines share it, so that
    /// no machine's clock decides who may claim what another one holds; else the system's.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn lease_time(&self) -> Result<DateTime<Utc>, StoreError> {
        if self.place != Place::Server {
            return Ok(Utc::now());
        }
        let read = self.read().await?;
        Ok(dialect::time(read.rows()).await?.unwrap_or_else(Utc::now))
    }

    /// Now, as precise as every database keeps it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.as_ref().map_or_else(Utc::now, |clock| clock()).trunc_subsecs(6)
    }
}

/// Number of the newest event at that moment.
pub(crate) async fn last_seq(read: &Read) -> Result<i64, StoreError> {
    let newest = events::Entity::find().select_only().column(events::Column::Seq);
    let newest = newest.order_by_desc(events::Column::Seq).into_tuple::<i64>().one(read.rows()).await?;
    Ok(newest.unwrap_or(0))
}

/// A transaction that only reads.
pub(crate) struct Read(Transaction);

impl Read {
    /// Where to query.
    pub(crate) fn rows(&self) -> &Transaction {
        &self.0
    }
}

/// A transaction that writes.
pub(crate) struct Write {
    txn: Transaction,
    /// The time of everything in it.
    pub(crate) at: DateTime<Utc>,
    signals: Arc<Signals>,
}

/// Whom an event is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) task: Option<TaskId>,
    pub(crate) experiment: Option<u32>,
    pub(crate) session: Option<Uuid>,
}

impl Scope {
    pub(crate) fn task(task: TaskId) -> Self {
        Self { task: Some(task), ..Self::default() }
    }

    pub(crate) fn experiment(task: TaskId, number: u32) -> Self {
        Self { task: Some(task), experiment: Some(number), session: None }
    }

    pub(crate) fn session(id: Uuid) -> Self {
        Self { session: Some(id), ..Self::default() }
    }
}

impl Write {
    /// Where to query and change.
    pub(crate) fn rows(&self) -> &Transaction {
        &self.txn
    }

    /// Makes the change true, with the event that tells of it.
    pub(crate) async fn commit(self, scope: Scope, event: Event) -> Result<(), StoreError> {
        self.commit_all(scope, event, Vec::new()).await
    }

    /// The same with more than one event.
    pub(crate) async fn commit_all(self, scope: Scope, first: Event, more: Vec<Event>) -> Result<(), StoreError> {
        let more = more.into_iter().map(|event| (scope, event)).collect();
        self.commit_scoped((scope, first), more).await
    }

    /// The same with events about different experiments.
    pub(crate) async fn commit_scoped(
        self,
        first: (Scope, Event),
        more: Vec<(Scope, Event)>,
    ) -> Result<(), StoreError> {
        let (mut seq, mut work) = (0, false);
        for (scope, event) in std::iter::once(first).chain(more) {
            work |= matches!(event, Event::Job { .. } | Event::Worker { .. });
            let row = events::ActiveModel {
                seq: NotSet,
                task_id: Set(scope.task.map(|t| t.to_string())),
                experiment: Set(scope.experiment.map(i64::from)),
                kind: Set(event.kind().to_owned()),
                payload: Set(json::plain("event", &event)?),
                at: Set(self.at),
                session_id: Set(scope.session.map(|s| s.to_string())),
            };
            seq = events::Entity::insert(row).exec(&self.txn).await?.last_insert_id;
        }
        dialect::tell(&self.txn, seq, work).await?;
        self.txn.commit().await?;
        self.signals.ring(seq, work);
        Ok(())
    }

    /// Makes a change true with its events; without any nothing was changed, and that is left.
    pub(crate) async fn commit_any(self, events: impl IntoIterator<Item = (Scope, Event)>) -> Result<(), StoreError> {
        let mut events = events.into_iter();
        match events.next() {
            Some(first) => self.commit_scoped(first, events.collect()).await,
            None => Ok(()),
        }
    }

    /// Makes a change of access true (tokens, audit log, kept answers), which tells nothing of a task.
    pub(crate) async fn commit_quietly(self) -> Result<(), StoreError> {
        Ok(self.txn.commit().await?)
    }
}

/// A transaction that changes one row without an event.
pub(crate) struct Beat(Transaction);

impl Beat {
    /// Where to query and change: locks one row at most, so that nobody can wait for each other.
    pub(crate) fn rows(&self) -> &Transaction {
        &self.0
    }

    /// Makes the change true.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}
