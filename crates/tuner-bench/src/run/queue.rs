//! Requests that are ready to be sent: made ahead by one thread, so that no prompt is tokenized while an answer
//! waits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::sync::Notify;
use tuner_core::record::PlannedRequest;

use crate::protocol::Built;

/// A planned request with its body.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) planned: PlannedRequest,
    pub(super) built: Built,
}

struct Inner<T> {
    items: VecDeque<T>,
    /// Nothing more will be put in.
    ended: bool,
    /// Nothing more is wanted.
    closed: bool,
}

/// A bounded queue between the maker and those who send.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    most: usize,
    changed: Condvar,
    arrived: Notify,
}

impl<T> Queue<T> {
    pub(super) fn new(most: usize) -> Self {
        let inner = Mutex::new(Inner { items: VecDeque::new(), ended: false, closed: false });
        Self { inner, most: most.max(1), changed: Condvar::new(), arrived: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request in, waiting for room; false when nothing more is wanted.
    pub(super) fn put(&self, item: T) -> bool {
        let mut inner = self.lock();
        while inner.items.len() >= self.most && !inner.closed {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.closed {
            return false;
        }
        inner.items.push_back(item);
        self.changed.notify_all();
        self.arrived.notify_one();
        true
    }

    /// Says that nothing more will come.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
        self.arrived.notify_waiters();
    }

    /// Says that nothing more is wanted.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.items.clear();
        self.changed.notify_all();
        self.arrived.notify_waiters();
    }

    /// Waits until it is full, or nothing more will come; true in the first case.
    pub(super) fn wait_until_filled(&self) -> bool {
        let mut inner = self.lock();
        while inner.items.len() < self.most && !inner.ended && !inner.closed {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !inner.ended && !inner.closed
    }

    /// The next request, for a thread; `None` when there is no more.
    pub(super) fn take_blocking(&self) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if let Poll::Ready(taken) = self.next(&mut inner) {
                return taken;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next request, for a task; `None` when there is no more.
    pub(super) async fn take(&self) -> Option<T> {
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            // Registered before looking, so that an arrival in between is not missed.
            arrived.as_mut().enable();
            let taken = self.next(&mut self.lock());
            if let Poll::Ready(taken) = taken {
                return taken;
            }
            arrived.await;
        }
    }

    /// The next request, `None` when there will be no more, or pending until one comes.
    fn next(&self, inner: &mut Inner<T>) -> Poll<Option<T>> {
        if inner.closed {
            return Poll::Ready(None);
        }
        match inner.items.pop_front() {
            Some(item) => {
                self.changed.notify_all();
                Poll::Ready(Some(item))
            }
            None if inner.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}
