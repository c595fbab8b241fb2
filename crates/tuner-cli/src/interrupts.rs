//! Ctrl-C and the system's polite request to end: the first asks the work to stop, Ctrl-C after that ends this process. Two
//! polite requests ask for the same thing; whoever is not content with that sends SIGKILL.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::ui;

/// Heeds them until it is dropped; apart from the work, which may be busy.
#[derive(Debug)]
pub(crate) struct Interrupts(JoinHandle<()>);

impl Interrupts {
    /// Cancels `stop` at the first of them.
    pub(crate) fn heed(stop: &CancellationToken) -> anyhow::Result<Self> {
        let why = "this process cannot receive signals";
        let mut interrupt = signal(SignalKind::interrupt()).context(why)?;
        let mut terminate = signal(SignalKind::terminate()).context(why)?;
        let stop = stop.clone();
        Ok(Self(tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.cancel();
            ui::say("stopping (Ctrl-C to stop at once)");
            interrupt.recv().await;
            ui::say("stopped at once; what still ran is ended by its lifeline or at the next start");
            // Nothing is waited for: the lifeline's pipe ends with this process.
            std::process::exit(Exit::Interrupted.code().into());
        })))
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.0.abort();
    }
}
