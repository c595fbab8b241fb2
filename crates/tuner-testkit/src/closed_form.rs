//! A server whose latencies are known: it answers on a fixed timetable, in every shape that real servers send and
//! some that they should not, and writes down when it sent what.
//!
//! *Invariant*: every write is stamped with CLOCK_MONOTONIC right before it is handed to the kernel, so a client on
//! this machine can be compared with what was sent, however late this server was. Each connection has a writer thread
//! of its own that sleeps to absolute times; no event loop and no other answer stands between a time and its write.

mod answer;
mod case;
mod clock;
mod connection;
mod form;
mod plant;
mod recorded;
mod vocabulary;

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use serde_json::Value;

pub use case::Case;
pub use clock::monotonic_ns;
pub use plant::Plant;
pub use recorded::{RECORDED_TOKENS, chunks_of, recorded};
pub use vocabulary::tokenizer_json;

/// Stack of a writer thread: thousands of them are open at once, and compressing takes a third of it.
const STACK_BYTES: usize = 1024 * 1024;

/// What `usage.prompt_tokens` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptTokens {
    /// Words in the prompt, which is what [`tokenizer_json`] counts.
    Words,
    /// The number of the request from 0, so that a record can be matched with what was sent to it.
    Number,
}

/// The timetable.
#[derive(Clone, Copy, Debug)]
pub struct Timetable {
    /// How answers are sent.
    pub case: Case,
    /// From the end of the request to the first token.
    pub first: Duration,
    /// Between token times.
    pub gap: Duration,
    /// What the prompt count says.
    pub prompt_tokens: PromptTokens,
    /// How `first` and `gap` follow load and time.
    pub plant: Plant,
}

impl Timetable {
    /// 20 ms to the first token, 2 ms between tokens.
    pub fn quick(case: Case) -> Self {
        Self {
            case,
            first: Duration::from_millis(20),
            gap: Duration::from_millis(2),
            prompt_tokens: PromptTokens::Words,
            plant: Plant::None,
        }
    }
}

/// What was sent to one request.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// The prompt, or the contents of its messages, one per line.
    pub prompt: String,
    /// The request's body.
    pub body: Value,
    /// The request's path and its headers, in lower case.
    pub head: String,
    /// When the request had been read, nanoseconds of CLOCK_MONOTONIC.
    pub received_ns: u64,
    /// Each write that carried tokens: when, and how many.
    pub writes: Vec<(u64, u32)>,
    /// The text of its first answer, without reasoning.
    pub answer: String,
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct ClosedForm {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its certificate in PEM form, where it speaks TLS.
    pub certificate: Option<String>,
    state: Arc<State>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    timetable: Timetable,
    tls: Option<Arc<ServerConfig>>,
    log: Mutex<Vec<Served>>,
    /// Requests so far.
    requests: AtomicU64,
    in_flight: AtomicU64,
    /// Receipt of the first request; 0 before.
    begun_ns: AtomicU64,
    stop: AtomicBool,
    open: Mutex<HashMap<u64, Arc<TcpStream>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClosedForm {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// No port or thread can be had.
    pub fn start(timetable: Timetable) -> io::Result<Self> {
        Self::launch(timetable, None)
    }

    /// As [`ClosedForm::start`], speaking TLS with a certificate of its own for `localhost`.
    ///
    /// # Errors
    /// No port, thread or certificate can be had.
    pub fn start_tls(timetable: Timetable) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
            .map_err(io::Error::other)?;
        let mut server = Self::launch(timetable, Some(Arc::new(config)))?;
        server.certificate = Some(made.cert.pem());
        Ok(server)
    }

    fn launch(timetable: Timetable, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        // More than the usual 128 that may wait to be accepted: a server that is stopped for a while must not make the
        // kernel refuse connections, which are then tried again a second later.
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::MAXCONN)?;
        let state = Arc::new(State {
            timetable,
            tls,
            log: Mutex::default(),
            requests: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            begun_ns: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let thread = std::thread::Builder::new().name("closed-form".to_owned()).spawn({
            let state = state.clone();
            move || accept(&listener, &state)
        })?;
        Ok(Self { address, certificate: None, state, thread: Some(thread) })
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        match self.state.tls {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }

    /// What was sent so far, by request number.
    pub fn served(&self) -> Vec<Served> {
        lock(&self.state.log).clone()
    }
}

impl Drop for ClosedForm {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        for stream in lock(&self.state.open).values() {
            // One that is gone needs no ending.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            // A panic of the server has already failed the test that asked it.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    let mut number = 0;
    while let Ok((stream, _)) = listener.accept() {
        if state.stop.load(Ordering::Relaxed) {
            return;
        }
        number += 1;
        let stream = Arc::new(stream);
        lock(&state.open).insert(number, stream.clone());
        let state = state.clone();
        let writer = std::thread::Builder::new().name("closed-form-writer".to_owned()).stack_size(STACK_BYTES);
        // Without a thread the connection is closed, which the client reports.
        let _ = writer.spawn(move || {
            // A client that goes away ends its connection, nothing else.
            let _ = connection::serve(&stream, &state);
            let _ = stream.shutdown(Shutdown::Write);
            lock(&state.open).remove(&number);
        });
    }
}
