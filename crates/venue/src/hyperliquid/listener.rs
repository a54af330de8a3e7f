//! Listens to an account for as long as somebody wants to hear of it: connects, tells what happens, and connects again when the stream is
//! over. Nobody relies on it: what it misses is found by asking.

use super::{
    bytes::Address,
    stream::{Event, SILENCE, Stream, StreamError},
};
use std::time::Duration;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, sleep, timeout},
};

/// Where, to whom, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The interface's address, such as `https://api.hyperliquid.xyz`.
    pub url: String,
    /// Whose events.
    pub account: Address,
    /// How long the venue may say nothing.
    pub silence: Duration,
    /// Before it is connected again; twice as long after each stream that did not last.
    pub first_pause: Duration,
    /// But never longer than this.
    pub longest_pause: Duration,
}

/// What is told.
#[derive(Debug)]
pub enum Told {
    /// Something happened, or the stream lives.
    Event(Event),
    /// There is no stream.
    Lost(StreamError),
}

impl Listener {
    /// With the venue's usual terms: it takes 30 new connections a minute.
    #[must_use]
    pub const fn new(url: String, account: Address) -> Self {
        Self {
            url,
            account,
            silence: SILENCE,
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30),
        }
    }

    /// Tells until nobody hears it any more. Who is slow to hear makes the stream wait.
    pub async fn run(self, tell: Sender<Told>) {
        let mut pause = self.first_pause;
        loop {
            let began = Instant::now();
            let Some(lost) = self.listen(&tell).await else {
                return;
            };
            if began.elapsed() >= self.silence.max(self.longest_pause) {
                pause = self.first_pause;
            }
            if tell.send(Told::Lost(lost)).await.is_err() {
                return;
            }
            tokio::select! {
                () = tell.closed() => return,
                () = sleep(pause) => {}
            }
            pause = pause.saturating_mul(2).min(self.longest_pause);
        }
    }

    /// One stream, from its beginning to its end; `None`: nobody hears it.
    async fn listen(&self, tell: &Sender<Told>) -> Option<StreamError> {
        let connecting = Stream::connect(&self.url, self.account, &[], &[], self.silence);
        let mut stream = match timeout(self.silence, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Some(error),
            Err(_) => return Some(StreamError::Silent(self.silence)),
        };
        loop {
            let event = tokio::select! {
                () = tell.closed() => return None,
                event = stream.next() => event,
            };
            match event {
                Ok(event) => tell.send(Told::Event(event)).await.ok()?,
                Err(error) => return Some(error),
            }
        }
    }
}
