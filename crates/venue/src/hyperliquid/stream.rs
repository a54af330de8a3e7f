//! The venue's stream: a hint that something happened, and never the only source of it. Only names of `meta` are subscribed, for one
//! unknown coin closes the connection. A server that says nothing for a while is taken for dead, whatever the connection says.

use super::{
    answers::{Book, Message, StreamedFills, StreamedOrder},
    bytes::{Address, Cloid},
};
use crate::{depth::Depth, instrument::Instrument, venue::Fill};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message as Frame,
};

/// How long the venue may say nothing.
pub const SILENCE: Duration = Duration::from_secs(60);

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A sign of life, or something that nobody here asks for.
    Alive,
    /// The account traded. The first of these repeats what was.
    Fills(Vec<Fill>),
    /// Orders changed: those of them that have a client order id.
    Orders(Vec<Cloid>),
    /// The venue cancelled orders of the account.
    Cancelled,
    /// The venue took positions away because margin was short.
    Liquidated,
    /// A book changed.
    Depth {
        /// Whose.
        coin: String,
        /// What it shows.
        depth: Depth,
    },
}

/// Why a stream ended, or did not begin. The caller reads everything by REST and connects again.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Not a coin of the venue.
    #[error(
        "the venue trades no `{0}`: subscribing to it would close the stream; names are as in its `meta`"
    )]
    UnknownCoin(String),
    /// The connection failed.
    #[error("the stream broke: {0}")]
    Broken(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    /// The venue ended it.
    #[error("the venue closed the stream")]
    Closed,
    /// The venue said nothing.
    #[error("the venue said nothing for {} s", .0.as_secs())]
    Silent(Duration),
}

/// A connection with its subscriptions.
pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    silence: Duration,
    heard: Instant,
    pinged: bool,
}

impl Stream {
    /// Connects and subscribes to an account's fills, orders and events, and to the books of coins.
    ///
    /// # Errors
    /// A coin is not in `meta`, or the connection fails.
    pub async fn connect(
        url: &str,
        account: Address,
        coins: &[&str],
        meta: &[Instrument],
        silence: Duration,
    ) -> Result<Self, StreamError> {
        if let Some(coin) = coins
            .iter()
            .find(|coin| meta.iter().all(|instrument| instrument.coin != **coin))
        {
            return Err(StreamError::UnknownCoin((*coin).to_owned()));
        }
        let url = format!("{}/ws", url.replacen("http", "ws", 1));
        let (socket, _) = connect_async(url).await.map_err(Box::new)?;
        let mut stream = Self {
            socket,
            silence,
            heard: Instant::now(),
            pinged: false,
        };
        let mut subscriptions = vec![
            json!({ "type": "userFills", "user": account }),
            json!({ "type": "orderUpdates", "user": account }),
            json!({ "type": "userEvents", "user": account }),
        ];
        subscriptions.extend(
            coins
                .iter()
                .map(|coin| json!({ "type": "l2Book", "coin": coin })),
        );
        for subscription in subscriptions {
            stream
                .send(&json!({ "method": "subscribe", "subscription": subscription }))
                .await?;
        }
        Ok(stream)
    }

    async fn send(&mut self, message: &Value) -> Result<(), StreamError> {
        self.socket
            .send(Frame::text(message.to_string()))
            .await
            .map_err(Box::new)?;
        Ok(())
    }

    /// Waits for the next event. Asks for a sign of life when half of the silence has passed.
    ///
    /// # Errors
    /// The stream is over.
    pub async fn next(&mut self) -> Result<Event, StreamError> {
        loop {
            let patience = if self.pinged {
                self.silence
            } else {
                self.silence / 2
            };
            match tokio::time::timeout_at(self.heard + patience, self.socket.next()).await {
                Err(_) if self.pinged => return Err(StreamError::Silent(self.silence)),
                Err(_) => {
                    self.pinged = true;
                    self.send(&json!({ "method": "ping" })).await?;
                }
                Ok(None) => return Err(StreamError::Closed),
                Ok(Some(Err(error))) => return Err(Box::new(error).into()),
                Ok(Some(Ok(frame))) => {
                    // Frames of the protocol itself come from whatever holds the connection open, not from the venue.
                    let Frame::Text(text) = frame else { continue };
                    self.heard = Instant::now();
                    self.pinged = false;
                    return Ok(event(&text).unwrap_or(Event::Alive));
                }
            }
        }
    }
}

/// What a message says; `None` where it is of another kind.
fn event(text: &str) -> Option<Event> {
    let Message { channel, data } = serde_json::from_str(text).ok()?;
    match channel.as_str() {
        "userFills" => {
            let StreamedFills { fills } = StreamedFills::deserialize(data).ok()?;
            Some(Event::Fills(fills.into_iter().map(Into::into).collect()))
        }
        "orderUpdates" => {
            let orders = Vec::<StreamedOrder>::deserialize(data).ok()?;
            Some(Event::Orders(
                orders
                    .into_iter()
                    .filter_map(|order| order.order.cloid)
                    .collect(),
            ))
        }
        "user" => {
            if data.get("liquidation").is_some() {
                return Some(Event::Liquidated);
            }
            if data.get("nonUserCancel").is_some() {
                return Some(Event::Cancelled);
            }
            // Funding moves no position.
            let StreamedFills { fills } = StreamedFills::deserialize(data).ok()?;
            Some(Event::Fills(fills.into_iter().map(Into::into).collect()))
        }
        "l2Book" => {
            let book = Book::deserialize(data).ok()?;
            Some(Event::Depth {
                depth: book.depth(),
                coin: book.coin,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{instrument::Side, venue::FillKind};

    #[test]
    fn what_the_venue_says_of_the_account_is_told_apart() {
        let fill = json!({
            "coin": "SOL", "px": "203.1", "sz": "0.5", "side": "A", "time": 7, "startPosition": "1", "dir": "Auto-Deleveraging",
            "closedPnl": "0.1", "hash": "0x0", "oid": 3, "crossed": true, "fee": "0.02", "tid": 9, "feeToken": "USDC",
        });
        let said = |channel: &str, data: Value| {
            event(&json!({ "channel": channel, "data": data }).to_string())
        };
        let fills = json!({ "fills": [fill] });
        for channel in ["user", "userFills"] {
            let Some(Event::Fills(fills)) = said(channel, fills.clone()) else {
                panic!("{channel}");
            };
            assert_eq!(fills.len(), 1);
            assert_eq!(
                (fills[0].tid, fills[0].side, fills[0].kind),
                (9, Side::Sell, FillKind::Deleveraging)
            );
        }
        let liquidation = json!({ "liquidation": { "lid": 1, "liquidator": "0x0" } });
        assert_eq!(said("user", liquidation), Some(Event::Liquidated));
        let cancelled = json!({ "nonUserCancel": [{ "coin": "SOL", "oid": 3 }] });
        assert_eq!(said("user", cancelled), Some(Event::Cancelled));
        let funding = json!({ "funding": { "time": 7, "coin": "SOL", "usdc": "-1" } });
        assert_eq!(said("user", funding), None);
        assert_eq!(said("pong", Value::Null), None);
        assert_eq!(event("{"), None);
    }
}
