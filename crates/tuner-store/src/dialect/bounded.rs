//! Calls to a database server that end, whatever became of the way to it. A network that swallows packets gives no error for
//! a quarter of an hour, and a server that is suspended none at all.
//!
//! *Invariant*: no call waits for an answer for longer than its limit. One that did may have happened or not, as after any
//! other loss of the connection, and its connection carries nothing more.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{self, Connection, Executor};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_orm_migration::async_trait;

/// A transaction whose statements are waited for at most so long; for ever where the database is no server.
#[derive(Debug)]
pub(crate) struct Transaction {
    txn: DatabaseTransaction,
    limit: Option<Duration>,
}

impl Transaction {
    pub(super) fn new(txn: DatabaseTransaction, limit: Option<Duration>) -> Self {
        Self { txn, limit }
    }

    /// Makes what was done in it true.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        within(self.limit, self.txn.commit()).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.txn.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        within(self.limit, self.txn.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        within(self.limit, self.txn.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        within(self.limit, self.txn.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        within(self.limit, self.txn.query_all_raw(statement)).await
    }
}

/// Waits for an answer for at most so long.
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    call: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let Some(limit) = limit else { return call.await };
    let call = std::pin::pin!(tokio::time::timeout(limit, call));
    // After the call, so that whoever drops both tells first, and then gives the connection back.
    let mut asked = Asked { answered: false };
    match call.await {
        Ok(answer) => {
            asked.answered = true;
            answer
        }
        Err(_) => Err(DbErr::Conn(RuntimeErr::SqlxError(silent(limit).into()))),
    }
}

/// A question under way. Dropped before its answer, it puts every connection under suspicion for a while: which one was
/// asked is the pool's secret.
struct Asked {
    answered: bool,
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.answered {
            CUT_OFF.store(now_s(), Ordering::Relaxed);
        }
    }
}

/// When a question was last given up; 0: never.
static CUT_OFF: AtomicU64 = AtomicU64::new(0);
/// How long connections are under suspicion after that.
const SUSPICION_S: u64 = 60;

/// Seconds of a clock that nobody sets, from 1.
fn now_s() -> u64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed().as_secs() + 1
}

/// Whether a connection that is given back may carry nothing any more, or be in the middle of something.
pub(super) fn is_suspect() -> bool {
    let cut_off = CUT_OFF.load(Ordering::Relaxed);
    cut_off > 0 && now_s() - cut_off < SUSPICION_S
}

/// Whether a connection still carries something, within a limit.
pub(super) async fn answers(connection: &mut PgConnection, limit: Duration) -> Result<(), sqlx::Error> {
    match tokio::time::timeout(limit, connection.ping()).await {
        Ok(answer) => answer,
        Err(_) => Err(silent(limit)),
    }
}

/// Ends whatever a connection is in the middle of, within a limit: a transaction whose beginning was dropped is open, and
/// its client does not know.
pub(super) async fn clear(connection: &mut PgConnection, limit: Duration) -> Result<(), sqlx::Error> {
    match tokio::time::timeout(limit, connection.execute("ROLLBACK")).await {
        Ok(answer) => answer.map(|_| ()),
        Err(_) => Err(silent(limit)),
    }
}

fn silent(limit: Duration) -> sqlx::Error {
    let text = format!("the database server has not answered for {} s", limit.as_secs_f64());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
}
