//! Refusals: a status, a code for programs, and what to do, for people.

use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::Response,
};
use ballast_view::{ErrorBody, ErrorView};

use crate::control::Refused;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub field: Option<&'static str>,
    pub retry_after_secs: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
            retry_after_secs: None,
        }
    }

    pub fn of(self, field: &'static str) -> Self {
        Self {
            field: Some(field),
            ..self
        }
    }

    pub fn again_after(self, secs: u32) -> Self {
        Self {
            retry_after_secs: Some(secs),
            ..self
        }
    }

    pub fn parameter(field: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_parameter", message).of(field)
    }

    pub fn not_found(path: &str) -> Self {
        let message = format!("nothing at {path}: see the routes of /api/v1");
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub fn no_such_position(text: &str) -> Self {
        let message =
            format!("no position {text} in the markets of this keeper: look at /api/v1/positions");
        Self::new(StatusCode::NOT_FOUND, "no_such_position", message).of("position")
    }

    pub fn not_ready(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", message).again_after(1)
    }

    pub fn response(self) -> Response {
        let body = ErrorBody {
            error: ErrorView {
                code: self.code.to_owned(),
                message: self.message,
                field: self.field.map(str::to_owned),
            },
        };
        let mut response = super::route::json(self.status, &body);
        if let Some(secs) = self.retry_after_secs {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status =
            StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let problem = Self {
            field: refused.field(),
            ..Self::new(status, refused.code(), refused.to_string())
        };
        match refused {
            Refused::NotReady => problem.again_after(1),
            _ => problem,
        }
    }
}
