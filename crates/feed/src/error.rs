//! Why there is no stream (any more).

use std::time::Duration;

use thiserror::Error;

/// Why a stream did not begin, or has ended. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FeedError {
    /// The service cannot be reached.
    #[error("cannot connect: {endpoint}: {reason}")]
    Connect {
        /// Which.
        endpoint: String,
        /// What the transport said.
        reason: String,
    },
    /// It does not stream what is wanted.
    #[error("cannot subscribe: {endpoint}: {reason}")]
    Subscribe {
        /// Which.
        endpoint: String,
        /// What it said.
        reason: String,
    },
    /// The service wants a token, or another one.
    #[error("{endpoint} lets only those in who have its token: {reason}")]
    Unauthenticated {
        /// Which.
        endpoint: String,
        /// What it said.
        reason: String,
    },
    /// It answered the connection, and does not want to stream.
    #[error("{endpoint} refuses to stream: {reason}{}", asks(*.wait))]
    Refused {
        /// Which.
        endpoint: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        reason: String,
        /// How long it asks to be left alone.
        wait: Option<Duration>,
    },
    /// Connecting and subscribing took too long.
    #[error("cannot subscribe: {endpoint}: nothing within {secs} s")]
    TooSlow {
        /// Which.
        endpoint: String,
        /// How long it was waited for.
        secs: u64,
    },
    /// The connection has ended.
    #[error("{endpoint} closed the connection")]
    Closed {
        /// Which.
        endpoint: String,
    },
    /// The service or the transport said why it ended.
    #[error("{endpoint} ended the stream: {reason}")]
    Ended {
        /// Which.
        endpoint: String,
        /// What was said.
        reason: String,
    },
    /// More came than was read.
    #[error(
        "{endpoint} told more than could be taken in ({updates} updates of {bytes} bytes wait): begun anew"
    )]
    Overflow {
        /// Which.
        endpoint: String,
        /// How many updates waited.
        updates: usize,
        /// Of how many bytes.
        bytes: usize,
    },
}

fn asks(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| {
        format!("; it asks to be left alone for {} s", wait.as_secs())
    })
}
