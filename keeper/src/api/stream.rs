//! The stream of events. Every message is written once and handed to all listeners; who falls behind is disconnected and begins
//! anew, so that nobody's queue grows.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use ballast_view as view;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{
    OwnedSemaphorePermit,
    broadcast::{Receiver, error::RecvError},
};

use super::{HEARTBEAT_MS, problem::Problem, route::bytes, server::Api};

/// Messages by which a listener may lag.
pub(super) const LAG: usize = 256;
/// Listeners.
pub(super) const MOST: usize = 32;

/// A message as it goes over the wire.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Sequence number in the journal, if it is in there.
    pub sequence: Option<u64>,
    pub bytes: Bytes,
}

impl Message {
    pub fn new(event: &str, sequence: Option<u64>, data: &impl Serialize) -> Self {
        // JSON has no line breaks outside of strings, and none inside.
        let data = serde_json::to_string(data).unwrap_or_default();
        let id = sequence.map_or_else(String::new, |sequence| format!("id: {sequence}\n"));
        Self {
            sequence,
            bytes: format!("{id}event: {event}\ndata: {data}\n\n").into(),
        }
    }
}

/// A listener.
struct Listener {
    /// What comes before anything new.
    first: VecDeque<Bytes>,
    receiver: Receiver<Message>,
    /// Up to here the journal was told.
    told: u64,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    /// The next message; `None`: it has fallen behind, or the keeper ends.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.pop_front() {
            return Some(first);
        }
        loop {
            let message = match self.receiver.recv().await {
                Ok(message) => message,
                Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
            };
            match message.sequence {
                // It was among what was missed.
                Some(sequence) if sequence <= self.told => {}
                _ => return Some(message.bytes),
            }
        }
    }
}

/// `GET /events`.
pub(super) fn answer(api: &Arc<Api>, headers: &HeaderMap) -> Result<Response, Problem> {
    let permit = Arc::clone(&api.streams).try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            format!("{MOST} streams are open: close a tab, or try again later"),
        )
        .again_after(5)
    })?;
    // What comes from now on is heard, and nothing is told twice.
    let receiver = api.bus.subscribe();
    let scene = api.scene()?;
    let hello = view::Hello {
        tick: scene.tick(),
        instance: api.instance.clone(),
        heartbeat_ms: HEARTBEAT_MS,
    };
    let mut first = VecDeque::from([
        Bytes::from_static(b"retry: 1000\n"),
        Message::new("hello", None, &hello).bytes,
    ]);
    let last = headers
        .get("last-event-id")
        .and_then(|last| last.to_str().ok());
    let last: Option<u64> = last.and_then(|last| last.trim().parse().ok());
    let mut told = 0;
    if let Some(last) = last {
        match api.missed(last) {
            Some((missed, newest)) => {
                first.extend(missed.into_iter().map(|message| message.bytes));
                told = newest;
            }
            None => {
                let reason = format!("the journal that is kept does not reach back to {last}");
                first.push_back(Message::new("reset", None, &view::Reset { reason }).bytes);
            }
        }
    }
    let listener = Listener {
        first,
        receiver,
        told,
        _permit: permit,
    };
    let messages = stream::unfold(listener, async |mut listener| {
        let bytes = listener.next().await?;
        Some((Ok::<_, Infallible>(bytes), listener))
    });
    let mut response = bytes(
        StatusCode::OK,
        "text/event-stream",
        Body::from_stream(messages),
    );
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Semaphore, broadcast};

    use super::*;

    #[test]
    fn a_message_is_one_block_whatever_it_says() {
        let message = Message::new("action", Some(7), &"a\nb\r\u{2028}");
        assert_eq!(message.sequence, Some(7));
        let text = String::from_utf8(message.bytes.to_vec()).unwrap();
        assert_eq!(text, "id: 7\nevent: action\ndata: \"a\\nb\\r\u{2028}\"\n\n");
    }

    async fn heard(listener: &mut Listener) -> Option<String> {
        let bytes = listener.next().await?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn whoever_falls_behind_is_disconnected_and_not_skipped() {
        let places = Arc::new(Semaphore::new(1));
        let bus = broadcast::Sender::new(LAG);
        let mut listener = Listener {
            first: VecDeque::from([Bytes::from_static(b"hello")]),
            receiver: bus.subscribe(),
            told: 3,
            _permit: Arc::clone(&places).try_acquire_owned().unwrap(),
        };
        let send = |sequence: Option<u64>| {
            bus.send(Message::new("action", sequence, &sequence))
                .unwrap();
        };
        // What was among the missed is not told again.
        for sequence in [Some(3), None, Some(4)] {
            send(sequence);
        }
        assert_eq!(heard(&mut listener).await.unwrap(), "hello");
        assert_eq!(
            heard(&mut listener).await.unwrap(),
            "event: action\ndata: null\n\n"
        );
        assert!(heard(&mut listener).await.unwrap().starts_with("id: 4\n"));
        for sequence in 0..LAG as u64 {
            send(Some(5 + sequence));
        }
        assert!(heard(&mut listener).await.unwrap().starts_with("id: 5\n"));
        for sequence in 0..2 {
            send(Some(5 + LAG as u64 + sequence));
        }
        assert_eq!(heard(&mut listener).await, None);
        // Its place is free again.
        assert_eq!(places.available_permits(), 0);
        drop(listener);
        assert_eq!(places.available_permits(), 1);
    }
}
