//! Tells people what they should know, by posting it to a webhook: flags raised and cleared, modes, halts, boundaries that come near,
//! actions that keep failing. Nothing here may slow the keeper down or stop it: what cannot be delivered is dropped and counted.
//!
//! 1. [`message`] makes events into messages, and keeps quiet about what was said already.
//! 2. [`deliver`] is the bounded queue, with retries.
//! 3. [`webhook`] is one post.

pub mod deliver;
pub mod message;
pub mod webhook;

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::JoinHandle,
    time::timeout,
};

pub use deliver::Deliveries;
pub use message::{Message, Severity, Teller};
pub use webhook::{PostError, Webhook};

use crate::{config::Notify, control::Control, event::KeeperEvent, events::Events};

/// How long the end of a keeper waits for what is still to be delivered.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Notifications of a running keeper.
pub struct Notifier(Option<JoinHandle<()>>);

impl Notifier {
    /// Tells of everything that happens from now on. Without a webhook, of nothing.
    pub fn start(config: &Notify, keeper: Pubkey, control: Control, events: &Events) -> Self {
        let webhook = config
            .webhook_url
            .as_ref()
            .and_then(|url| Webhook::new(url, config.timeout));
        let task = webhook.map(|webhook| {
            let teller = Teller::new(keeper, config.failures_in_row);
            let (deliveries, delivery) =
                deliver::queue(webhook, config.queue, config.attempts, events.clone());
            let listening = listen(events.subscribe(), teller, control, deliveries);
            tokio::spawn(async move {
                tokio::join!(listening, delivery.run());
            })
        });
        Self(task)
    }

    /// Waits a while for what is still to be delivered. To be called after [`KeeperEvent::Stopped`] was sent.
    pub async fn finish(self) {
        if let Some(mut task) = self.0
            && timeout(LAST_WORDS, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

/// Makes events into messages until the keeper stops.
async fn listen(
    mut events: Receiver<KeeperEvent>,
    mut teller: Teller,
    control: Control,
    deliveries: Deliveries,
) {
    loop {
        let message = match events.recv().await {
            Ok(KeeperEvent::Stopped) | Err(RecvError::Closed) => return,
            Ok(event) => teller.hear(&event, control.now_secs()),
            Err(RecvError::Lagged(missed)) => Some(teller.missed(missed, control.now_secs())),
        };
        if let Some(message) = message {
            deliveries.push(message);
        }
    }
}
