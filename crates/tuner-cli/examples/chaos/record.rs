//! What happened, to look into a failure afterwards: each fault with its moment, and how often each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How often something happened, by its name.
pub(crate) type Counts = BTreeMap<String, u32>;

/// A log with counts. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Record(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Mutex<File>,
    faults: Mutex<Counts>,
    aside: Mutex<Counts>,
    findings: Mutex<Vec<String>>,
    begun: Instant,
    loud: bool,
}

impl Record {
    pub(crate) fn new(path: &Path, loud: bool) -> std::io::Result<Self> {
        let inner = Inner {
            file: Mutex::new(File::create(path)?),
            faults: Mutex::default(),
            aside: Mutex::default(),
            findings: Mutex::default(),
            begun: Instant::now(),
            loud,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Writes a line down.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        let line = format!("{:8.2} {}", self.0.begun.elapsed().as_secs_f64(), text.as_ref());
        if self.0.loud {
            println!("{line}");
        }
        let _ = writeln!(lock(&self.0.file), "{line}");
    }

    /// Counts a fault by its name.
    pub(crate) fn fault(&self, what: &str) {
        *lock(&self.0.faults).entry(what.to_owned()).or_default() += 1;
    }

    /// Counts what came of faults and is no finding.
    pub(crate) fn aside(&self, what: &str) {
        *lock(&self.0.aside).entry(what.to_owned()).or_default() += 1;
    }

    /// Faults, and what came of them.
    pub(crate) fn counts(&self) -> [Counts; 2] {
        [&self.0.faults, &self.0.aside].map(|counts| lock(counts).clone())
    }

    /// Something that must not be.
    pub(crate) fn wrong(&self, text: impl Into<String>) {
        let text = text.into();
        self.say(format!("WRONG: {text}"));
        lock(&self.0.findings).push(text);
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        lock(&self.0.findings).clone()
    }

    pub(crate) fn elapsed_s(&self) -> f64 {
        self.0.begun.elapsed().as_secs_f64()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
