//! JSON-RPC over a websocket: requests, an answer to each, and what is told from then on.

use ballast_client::Endpoint;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Duration, sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

use super::refusal::{refusal, said};
use crate::FeedError;

/// A connection on which nothing came for so long is asked for a sign of life, so that nothing in between takes it for forgotten.
const PING_AFTER: Duration = Duration::from_secs(10);
/// How long taking leave may take: a connection that is broken already cannot be closed properly, and need not be.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// See the module's description.
pub(super) struct Connection<'a> {
    endpoint: &'a Endpoint,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A request was answered with the number of its subscription.
    Answer { id: u64, subscription: u64 },
    /// Something was told of a subscription.
    Told { subscription: u64, value: Value },
}

impl<'a> Connection<'a> {
    /// Connects, once. Who is refused is told at once: who asked knows whether to wait, and whom else to ask.
    pub async fn open(endpoint: &'a Endpoint) -> Result<Self, FeedError> {
        match connect_async(endpoint.expose()).await {
            Ok((socket, _)) => Ok(Self { endpoint, socket }),
            Err(error) => Err(refusal(endpoint, &error)),
        }
    }

    /// Asks for a subscription.
    pub async fn ask(&mut self, id: u64, method: &str, params: Value) -> Result<(), FeedError> {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let sent = self.socket.send(Message::text(request.to_string())).await;
        sent.map_err(|error| self.broken(&error))
    }

    /// What comes next. Safe to drop before it completes.
    pub async fn next(&mut self) -> Result<Incoming, FeedError> {
        loop {
            let message = tokio::select! {
                message = self.socket.next() => message,
                () = sleep(PING_AFTER) => {
                    let sent = self.socket.send(Message::Ping(Default::default())).await;
                    sent.map_err(|error| self.broken(&error))?;
                    continue;
                }
            };
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_))) | None => return Err(self.closed()),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(self.broken(&error)),
            };
            let Ok(Value::Object(mut message)) = serde_json::from_str(&text) else {
                return Err(self.ended(&format!("{} bytes that are no JSON-RPC", text.len())));
            };
            if let Some(id) = message.get("id").and_then(Value::as_u64) {
                let subscription = message.get("result").and_then(Value::as_u64);
                let subscription = subscription.ok_or_else(|| {
                    self.not_subscribed(message.get("error").unwrap_or(&Value::Null))
                })?;
                return Ok(Incoming::Answer { id, subscription });
            }
            let Some(Value::Object(params)) = message.get_mut("params") else {
                continue;
            };
            let subscription = params.get("subscription").and_then(Value::as_u64);
            if let (Some(subscription), Some(value)) = (subscription, params.remove("result")) {
                return Ok(Incoming::Told {
                    subscription,
                    value,
                });
            }
        }
    }

    /// Closes it; everything that was subscribed to ends with it.
    pub async fn leave(mut self) {
        let _ = timeout(LEAVE_WITHIN, self.socket.close(None)).await;
    }

    /// It has ended, for this reason.
    pub fn ended(&self, reason: &str) -> FeedError {
        FeedError::Ended {
            endpoint: self.endpoint.to_string(),
            reason: self.endpoint.hide(reason),
        }
    }

    fn not_subscribed(&self, error: &Value) -> FeedError {
        let message = error.get("message").and_then(Value::as_str);
        let message = message.unwrap_or("an answer without a number");
        let code = error.get("code").and_then(Value::as_i64);
        let code = code.map(|code| format!(" (code {code})"));
        let reason = format!("{message}{}", code.unwrap_or_default());
        FeedError::Subscribe {
            endpoint: self.endpoint.to_string(),
            reason: self.endpoint.hide(&reason),
        }
    }

    fn closed(&self) -> FeedError {
        FeedError::Closed {
            endpoint: self.endpoint.to_string(),
        }
    }

    fn broken(&self, error: &Error) -> FeedError {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => self.closed(),
            other => FeedError::Ended {
                endpoint: self.endpoint.to_string(),
                reason: said(self.endpoint, other),
            },
        }
    }
}
