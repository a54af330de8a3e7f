//! The way to the writer: bounded, and it says how much waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::time::sleep;

use super::Input;

/// When to look again whether a full queue has room.
const ROOM_AFTER: Duration = Duration::from_millis(200);

/// How much waits, for whoever asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Length(Arc<AtomicUsize>);

impl Length {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where it is put in. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sender {
    sender: mpsc::SyncSender<Input>,
    length: Length,
}

/// Where it comes out.
pub(super) struct Receiver {
    receiver: mpsc::Receiver<Input>,
    length: Length,
}

/// Room for so many.
pub(super) fn bounded(room: usize, length: &Length) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::sync_channel(room);
    let length = length.clone();
    let receiver = Receiver {
        receiver,
        length: length.clone(),
    };
    (Sender { sender, length }, receiver)
}

impl Sender {
    /// Without waiting.
    pub fn try_send(&self, input: Input) -> Result<(), mpsc::TrySendError<Input>> {
        self.counted(|sender| sender.try_send(input))
    }

    /// Waits on this thread for room.
    pub fn send(&self, input: Input) -> Result<(), mpsc::SendError<Input>> {
        self.counted(|sender| sender.send(input))
    }

    /// Waits for room: for what is in no hurry.
    pub async fn hand_over(&self, mut input: Input) {
        loop {
            match self.try_send(input) {
                Ok(()) | Err(mpsc::TrySendError::Disconnected(_)) => return,
                Err(mpsc::TrySendError::Full(again)) => input = again,
            }
            sleep(ROOM_AFTER).await;
        }
    }

    /// Counted beforehand: the other side may take it at once.
    fn counted<E>(
        &self,
        send: impl FnOnce(&mpsc::SyncSender<Input>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.length.0.fetch_add(1, Ordering::Relaxed);
        let sent = send(&self.sender);
        if sent.is_err() {
            self.length.0.fetch_sub(1, Ordering::Relaxed);
        }
        sent
    }
}

impl Receiver {
    /// Waits for the next one, on this thread.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Input, mpsc::RecvTimeoutError> {
        let input = self.receiver.recv_timeout(timeout)?;
        self.length.0.fetch_sub(1, Ordering::Relaxed);
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> Input {
        Input::Others(Vec::new())
    }

    #[test]
    fn what_waits_is_counted_and_what_found_no_room_is_not() {
        let length = Length::default();
        let (sender, receiver) = bounded(2, &length);
        for waits in [1, 2] {
            sender.try_send(input()).unwrap();
            assert_eq!(length.get(), waits);
        }
        assert!(matches!(
            sender.try_send(input()),
            Err(mpsc::TrySendError::Full(_))
        ));
        assert_eq!(length.get(), 2);
        receiver.recv_timeout(Duration::ZERO).unwrap();
        assert_eq!(length.get(), 1);
        receiver.recv_timeout(Duration::ZERO).unwrap();
        assert!(receiver.recv_timeout(Duration::ZERO).is_err());
        assert_eq!(length.get(), 0);
        drop(receiver);
        assert!(sender.try_send(input()).is_err());
        assert_eq!(length.get(), 0);
    }
}
