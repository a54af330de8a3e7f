//! A crash after a number of operations, whatever they are.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Inner {
    operations: AtomicU64,
    /// 0: never.
    at: AtomicU64,
    crashed: AtomicBool,
    notify: Notify,
}

/// Counts operations of disk and cluster, and crashes at one of them.
#[derive(Clone, Debug, Default)]
pub struct Crash(Arc<Inner>);

impl Crash {
    /// Begins a life that ends at its `at`-th operation, or never for 0.
    pub fn begin(&self, at: u64) {
        self.0.operations.store(0, SeqCst);
        self.0.at.store(at, SeqCst);
        self.0.crashed.store(false, SeqCst);
    }

    /// Counts an operation; whether it is the one at which the crash happens.
    pub fn strikes(&self) -> bool {
        let operation = self.0.operations.fetch_add(1, SeqCst) + 1;
        let strikes = operation == self.0.at.load(SeqCst) && !self.has_happened();
        if strikes {
            self.0.crashed.store(true, SeqCst);
            self.0.notify.notify_waiters();
        }
        strikes
    }

    pub fn has_happened(&self) -> bool {
        self.0.crashed.load(SeqCst)
    }

    pub fn operations(&self) -> u64 {
        self.0.operations.load(SeqCst)
    }

    /// Completes when it happens.
    pub async fn happens(&self) {
        let notified = self.0.notify.notified();
        if !self.has_happened() {
            notified.await;
        }
    }
}
