//! The queue of messages: bounded, in order, each tried again with growing pauses until it is taken or given up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::sleep,
};

use super::{
    message::Message,
    webhook::{PostError, Webhook},
};
use crate::{event::KeeperEvent, events::Events};

/// First pause after a failure; doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause, unless the receiver asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Where messages are put.
#[derive(Clone, Debug)]
pub struct Deliveries {
    sender: Sender<Message>,
    dropped: Arc<AtomicU64>,
}

/// What takes them out and posts them.
#[derive(Debug)]
pub struct Delivery {
    receiver: Receiver<Message>,
    dropped: Arc<AtomicU64>,
    webhook: Webhook,
    attempts: u32,
    events: Events,
}

/// A queue for so many messages, each tried so often.
pub fn queue(
    webhook: Webhook,
    most: usize,
    attempts: u32,
    events: Events,
) -> (Deliveries, Delivery) {
    let (sender, receiver) = mpsc::channel(most.max(1));
    let dropped = Arc::new(AtomicU64::new(0));
    let deliveries = Deliveries {
        sender,
        dropped: Arc::clone(&dropped),
    };
    let delivery = Delivery {
        receiver,
        dropped,
        webhook,
        attempts,
        events,
    };
    (deliveries, delivery)
}

impl Deliveries {
    /// Puts a message in, never waiting: one for which there is no room is dropped and counted.
    pub fn push(&self, message: Message) {
        if self.sender.try_send(message).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Delivery {
    /// Delivers until nobody puts anything in any more and the queue is empty.
    pub async fn run(mut self) {
        while let Some(message) = self.receiver.recv().await {
            self.deliver(&message).await;
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                self.warn(format!(
                    "{dropped} notifications were dropped, because the webhook takes them too slowly"
                ));
            }
        }
    }

    async fn deliver(&self, message: &Message) {
        let body = match serde_json::to_string(message) {
            Ok(body) => body,
            Err(error) => return self.warn(format!("notification {}: {error}", message.id)),
        };
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=self.attempts {
            let error = match self.webhook.post(body.clone()).await {
                Ok(()) => return,
                Err(error) => error,
            };
            let last = attempt == self.attempts;
            match error {
                PostError::Later { after, .. } if !last => {
                    sleep(after.unwrap_or(Duration::ZERO).max(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                error => {
                    let id = &message.id;
                    return self.warn(format!("notification {id} was not delivered: {error}"));
                }
            }
        }
    }

    fn warn(&self, message: String) {
        self.events.send(KeeperEvent::Warning { message });
    }
}
