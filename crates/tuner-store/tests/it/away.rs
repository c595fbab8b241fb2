//! A database server that nothing comes back from.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tuner_store::{Store, StoreError};

use crate::fixture::Fixture;

/// The way to a server, which can swallow what is sent and tell nobody. A connection that lost a byte carries nothing more.
struct Way {
    port: u16,
    hole: Arc<AtomicBool>,
}

impl Way {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self { port: listener.local_addr().unwrap().port(), hole: Arc::default() };
        let hole = way.hole.clone();
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
                let lost = Arc::new(AtomicBool::new(false));
                for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    let (hole, lost) = (hole.clone(), lost.clone());
                    std::thread::spawn(move || carry(from, to, &hole, &lost));
                }
            }
        });
        way
    }

    fn swallow(&self, swallows: bool) {
        self.hole.store(swallows, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, hole: &AtomicBool, lost: &AtomicBool) {
    let mut bytes = [0; 1 << 14];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if hole.load(Ordering::SeqCst) {
            lost.store(true, Ordering::SeqCst);
        }
        if !lost.load(Ordering::SeqCst) && to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// B8: nobody waits a quarter of an hour for a network that swallows packets, and nothing of the pool stays lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_never_answered_ends_as_away_and_the_next_ones_work() {
    let Some(f) = Fixture::postgres().await else { return };
    let url = f.url.as_ref().unwrap();
    let (head, rest) = url.rsplit_once(':').unwrap();
    let (port, database) = rest.split_once('/').unwrap();
    let way = Way::to(port.parse().unwrap());
    let store = Store::open_url(&format!("{head}:{}/{database}", way.port)).await.unwrap();
    let store = store.answering_within(Duration::from_millis(500));
    let task = f.task("t").await;
    store.task("t").await.unwrap();

    way.swallow(true);
    // More than there are connections, so that all of them are lost.
    for _ in 0..2 {
        let calls = (0..6).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { (store.task("t").await.err(), store.request_cancel(task).await.err()) })
        });
        for call in calls.collect::<Vec<_>>() {
            let (read, write) = call.await.unwrap();
            for error in [read.unwrap(), write.unwrap()] {
                assert!(error.is_passing() && matches!(error, StoreError::Database(_)), "{error:?}");
                assert!(error.hint().is_some_and(|hint| hint.contains("can be reached")), "{error:?}");
            }
        }
    }
    way.swallow(false);
    let works = async {
        while let Err(error) = store.task("t").await {
            assert!(error.is_passing(), "{error:?}");
        }
    };
    tokio::time::timeout(Duration::from_secs(60), works).await.expect("it works again");
    let all = (0..5).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.task("t").await.map(|row| row.id) })
    });
    for call in all.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), task);
    }
}

/// Found by `cargo xtask chaos`: the beginning of a transaction that nobody waits for any more is a transaction all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_dropped_at_its_beginning_leaves_no_transaction_open() {
    let Some(f) = Fixture::postgres().await else { return };
    f.task("t").await;
    for n in 0..400 {
        let _ = tokio::time::timeout(Duration::from_micros(n * 5), f.store.task("t")).await;
    }
    let db = f.raw().await.unwrap();
    let sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
               AND state LIKE 'idle in transaction%'";
    let open = async || {
        let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
        row.try_get::<i64>("", "n").unwrap()
    };
    // Less than the server lets one stand still.
    let closed = async {
        while open().await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(8), closed).await.expect("every transaction is closed");
}
