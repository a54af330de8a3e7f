//! Why a websocket does not come up, without what is secret of its address.

use std::time::Duration;

use ballast_client::Endpoint;
use tokio_tungstenite::tungstenite::{
    Error,
    http::{Response, StatusCode, header::RETRY_AFTER},
};

use crate::FeedError;

/// What a connection that failed says.
pub(super) fn refusal(endpoint: &Endpoint, error: &Error) -> FeedError {
    let Error::Http(answer) = error else {
        return FeedError::Connect {
            endpoint: endpoint.to_string(),
            reason: said(endpoint, error),
        };
    };
    let (endpoint, status) = (endpoint.to_string(), answer.status());
    let mut reason = format!("HTTP {status}");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return FeedError::Unauthenticated { endpoint, reason };
        }
        StatusCode::NOT_FOUND => reason.push_str(": is there a websocket at the address's path?"),
        _ if status.is_redirection() => {
            reason.push_str(": it leads elsewhere, which is not followed; name that address");
        }
        _ => {}
    }
    FeedError::Refused {
        endpoint,
        status: status.as_u16(),
        reason,
        wait: wait(answer),
    }
}

/// How long it is to be left alone, if it says.
fn wait<T>(answer: &Response<T>) -> Option<Duration> {
    let asked = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    asked.trim().parse().ok().map(Duration::from_secs)
}

/// What went wrong.
pub(super) fn said(endpoint: &Endpoint, error: &Error) -> String {
    endpoint.hide(&error.to_string())
}
