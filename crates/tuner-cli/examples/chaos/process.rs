//! A process that is kept running as a service manager would: started anew whenever it ends, unless it is held down.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex as Plain, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::signal::Signal;
use tokio::sync::Mutex;
use tuner_testkit::procs::{children, send};

use crate::record::Record;

/// How often one looks whether a process has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Wait before one that ended by itself is started anew.
const AGAIN: Duration = Duration::from_millis(700);
/// How long one that is asked to end may take: a worker waits for its store, which may be away.
const POLITE: Duration = Duration::from_secs(60);

/// A process by its name. The lock is for whoever does something to it.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) busy: Arc<Mutex<()>>,
    make: Box<dyn Fn() -> Command + Send + Sync>,
    log: PathBuf,
    record: Record,
    state: Plain<State>,
}

struct State {
    child: Option<Child>,
    /// Somebody ended it and will start it again.
    down: bool,
    /// It is not wanted any more.
    over: bool,
}

impl Process {
    pub(crate) fn new(
        name: &str,
        log: PathBuf,
        record: Record,
        make: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Result<Arc<Self>> {
        let state = Plain::new(State { child: None, down: false, over: false });
        let busy = Arc::new(Mutex::new(()));
        let this = Arc::new(Self { name: name.to_owned(), busy, make: Box::new(make), log, record, state });
        this.start()?;
        tokio::spawn(Arc::clone(&this).keep());
        Ok(this)
    }

    fn start(&self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = (self.make)();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn()?;
        self.record.say(format!("{} is process {}", self.name, child.id()));
        let mut state = self.state();
        (state.child, state.down) = (Some(child), false);
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> Option<ExitStatus> {
        self.state().child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// Its process, if it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        let mut state = self.state();
        let child = state.child.as_mut()?;
        matches!(child.try_wait(), Ok(None)).then(|| child.id())
    }

    /// Its children: the workers of a server.
    pub(crate) fn workers(&self) -> Vec<u32> {
        self.pid().map(children).unwrap_or_default()
    }

    /// Starts it anew when it ends by itself.
    async fn keep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            if self.state().over {
                return;
            }
            let status = match self.ended() {
                Some(status) if !self.state().down => status,
                _ => continue,
            };
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            let last = text.lines().rev().find(|line| line.starts_with("error:")).unwrap_or_default();
            self.record.say(format!("{} ended by itself with {status}: {last}", self.name));
            self.record.aside(&format!("{} ended by itself and was started anew, {status}", self.name));
            tokio::time::sleep(AGAIN).await;
            if !self.state().over && !self.state().down && self.start().is_err() {
                self.record.wrong(format!("{} cannot be started", self.name));
            }
        }
    }

    /// Ends it with a signal, and starts it anew after a while.
    pub(crate) async fn end(&self, signal: Signal, pause: Duration) {
        self.state().down = true;
        self.finish(signal).await;
        tokio::time::sleep(pause).await;
        if !self.state().over && self.start().is_err() {
            self.record.wrong(format!("{} cannot be started", self.name));
        }
    }

    /// Ends it for good.
    pub(crate) async fn stop(&self) {
        self.state().over = true;
        self.finish(Signal::SIGTERM).await;
    }

    /// Starts it once more after its end for good; nobody starts it anew.
    pub(crate) fn once_more(&self) -> Result<()> {
        self.start()
    }

    async fn finish(&self, signal: Signal) {
        let Some(pid) = self.pid() else { return };
        send(pid, signal);
        let begun = Instant::now();
        while self.ended().is_none() {
            if begun.elapsed() > POLITE {
                self.record.wrong(format!("{} (process {pid}) does not end within {POLITE:?} of {signal}", self.name));
                send(pid, Signal::SIGKILL);
            }
            tokio::time::sleep(LOOK).await;
        }
        if signal == Signal::SIGTERM {
            self.record.say(format!("{} ended {:.1} s after SIGTERM", self.name, begun.elapsed().as_secs_f64()));
            let status = self.ended();
            if !status.is_some_and(|status| status.success()) {
                self.record.say(format!("{} ended with {status:?} after SIGTERM", self.name));
                self.record.aside("ended after SIGTERM, but not with success");
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut state = self.state();
        state.over = true;
        if let Some(child) = &mut state.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
