//! The bounded queue between a connection, which only puts in what comes, and its reader.
//!
//! What does not fit ends the queue, and what waits in it is not worth reading any more: the reader is told at once.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::mpsc;

use crate::FeedError;

/// Most that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Updates.
    pub updates: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            updates: 65_536,
            bytes: 256 << 20,
        }
    }
}

struct Shared {
    endpoint: String,
    limits: Limits,
    bytes: AtomicUsize,
    end: Mutex<Option<FeedError>>,
}

impl Shared {
    fn end(&self) -> Option<FeedError> {
        // A single value, always whole.
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone()
    }

    fn set_end(&self, error: FeedError) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.get_or_insert(error);
    }
}

/// Where the connection puts in what comes.
pub struct Inlet<T> {
    sender: mpsc::Sender<(T, usize)>,
    shared: Arc<Shared>,
}

/// Where it is read.
pub struct Outlet<T> {
    receiver: mpsc::Receiver<(T, usize)>,
    shared: Arc<Shared>,
}

/// The reader cannot keep up, or is gone: nothing more is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// A queue for what `endpoint` tells.
pub fn queue<T>(endpoint: String, limits: Limits) -> (Inlet<T>, Outlet<T>) {
    let (sender, receiver) = mpsc::channel(limits.updates.max(1));
    let shared = Arc::new(Shared {
        endpoint,
        limits,
        bytes: AtomicUsize::new(0),
        end: Mutex::new(None),
    });
    let inlet = Inlet {
        sender,
        shared: Arc::clone(&shared),
    };
    (inlet, Outlet { receiver, shared })
}

impl<T> Inlet<T> {
    /// Puts in what takes so many bytes. Never waits.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn put(&self, item: T, bytes: usize) -> Result<(), Stop> {
        let shared = &self.shared;
        let waiting = shared.bytes.fetch_add(bytes, Ordering::AcqRel) + bytes;
        // A single message may be as large as it likes.
        let fits = waiting <= shared.limits.bytes.max(bytes);
        let put = fits && self.sender.try_send((item, bytes)).is_ok();
        if put {
            return Ok(());
        }
        if !self.sender.is_closed() {
            shared.set_end(FeedError::Overflow {
                endpoint: shared.endpoint.clone(),
                updates: self.sender.max_capacity() - self.sender.capacity(),
                bytes: waiting,
            });
        }
        Err(Stop)
    }

    /// Says why nothing more will come. What waits is still read.
    pub fn end(self, error: FeedError) {
        self.shared.set_end(error);
    }

    /// Completes when nobody reads any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

impl<T> Outlet<T> {
    /// What came next.
    ///
    /// # Errors
    /// Why nothing more comes.
    pub async fn next(&mut self) -> Result<T, FeedError> {
        if let Some(error @ FeedError::Overflow { .. }) = self.shared.end() {
            return Err(error);
        }
        match self.receiver.recv().await {
            Some((item, bytes)) => {
                self.shared.bytes.fetch_sub(bytes, Ordering::AcqRel);
                Ok(item)
            }
            None => Err(self.shared.end().unwrap_or_else(|| FeedError::Closed {
                endpoint: self.shared.endpoint.clone(),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        updates: 3,
        bytes: 100,
    };

    fn ended() -> FeedError {
        FeedError::Ended {
            endpoint: "node".into(),
            reason: "lagged".into(),
        }
    }

    #[tokio::test]
    async fn what_waits_is_read_before_the_end_is_told() {
        let (inlet, mut outlet) = queue("node".into(), LIMITS);
        for number in 0..3 {
            inlet.put(number, 10).unwrap();
        }
        inlet.end(ended());
        for number in 0..3 {
            assert_eq!(outlet.next().await, Ok(number));
        }
        assert_eq!(outlet.next().await, Err(ended()));
    }

    #[tokio::test]
    async fn too_many_updates_or_bytes_end_the_stream_and_are_told_at_once() {
        for (count, bytes) in [(4, 1), (2, 60)] {
            let (inlet, mut outlet) = queue("node".into(), LIMITS);
            for number in 1..count {
                inlet.put(number, bytes).unwrap();
            }
            assert_eq!(inlet.put(count, bytes), Err(Stop));
            let Err(FeedError::Overflow { updates, .. }) = outlet.next().await else {
                panic!("went on");
            };
            assert_eq!(updates, count - 1);
        }
    }

    #[tokio::test]
    async fn what_was_read_makes_room_and_one_large_message_always_fits() {
        let (inlet, mut outlet) = queue("node".into(), LIMITS);
        for number in 0..100 {
            inlet.put(number, 90).unwrap();
            assert_eq!(outlet.next().await, Ok(number));
        }
        inlet.put(100, 5 << 20).unwrap();
        assert_eq!(outlet.next().await, Ok(100));
        drop(outlet);
        assert_eq!(inlet.put(101, 1), Err(Stop));
        inlet.closed().await;
    }

    #[tokio::test]
    async fn an_end_without_a_reason_is_a_closed_connection() {
        let (inlet, mut outlet) = queue::<()>("node".into(), LIMITS);
        drop(inlet);
        let closed = outlet.next().await.unwrap_err();
        assert!(closed.to_string().contains("closed the connection"));
    }
}
