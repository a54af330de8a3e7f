//! Work that would hold up everything else: a very large answer takes seconds to read, and whoever waits for it shares a task with
//! what decides.

/// Bytes of an answer that are read at once, in some milliseconds.
pub(super) const AT_ONCE: usize = 256 * 1024;

/// Does work on an answer of so many bytes: on a thread of its own if they are many. `None` if that has failed, as it does where the
/// program ends.
pub(super) async fn aside<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if bytes <= AT_ONCE {
        return Some(work());
    }
    tokio::task::spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::channel, thread, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_is_large_is_read_on_another_thread_and_what_is_small_is_not() {
        let here = thread::current().id();
        let at = |bytes| aside(bytes, || thread::current().id());
        assert_eq!(at(AT_ONCE).await, Some(here));
        assert_ne!(at(AT_ONCE + 1).await, Some(here));
    }

    /// On one thread: done at once, the work would wait for what cannot begin before it has ended.
    #[tokio::test]
    async fn other_tasks_go_on_meanwhile() {
        let (sender, receiver) = channel();
        let work = aside(AT_ONCE + 1, move || {
            receiver.recv_timeout(Duration::from_secs(60))
        });
        let other = async move { sender.send("went on") };
        let (read, sent) = tokio::join!(work, other);
        assert_eq!((read, sent), (Some(Ok("went on")), Ok(())));
    }

    #[tokio::test]
    async fn work_that_fails_is_told() {
        let failed = aside(AT_ONCE + 1, || -> u8 { panic!("on purpose") });
        assert_eq!(failed.await, None);
    }
}
