//! Why a request has no answer, as far as the transport knows.

use std::{io, time::Duration};

use solana_client::client_error::{ClientError, ClientErrorKind};
use thiserror::Error;

/// What the transport, not the node's program, answers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum HttpError {
    /// No connection, or it broke.
    #[error("{0}")]
    Broken(String),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The node, or what stands before it, has too much to do.
    #[error("{0}")]
    Busy(String),
    /// It was not asked: the budget has no place for that in time.
    #[error("`budgets` leaves no request for {} s", .0.as_secs() + 1)]
    Spent(Duration),
    /// It does not want to answer.
    #[error("{0}")]
    Refused(String),
    /// It answered something that is no JSON-RPC.
    #[error("{0}")]
    Garbage(String),
}

impl HttpError {
    /// The one inside an error of the client, if it is from here.
    pub fn of(error: &ClientError) -> Option<&Self> {
        match error.kind() {
            ClientErrorKind::Io(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }
}

impl From<HttpError> for ClientError {
    fn from(error: HttpError) -> Self {
        io::Error::other(error).into()
    }
}

/// The innermost cause says what happened; outer ones repeat the address.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
