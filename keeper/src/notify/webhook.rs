//! One post to a webhook. Its URL is a secret: nothing of it but the host is in any error.

use std::time::Duration;

use ballast_client::Endpoint;
use reqwest::{
    Client, StatusCode, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};
use thiserror::Error;

/// Longest that a busy receiver is left alone, whatever it says.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Where messages are posted.
#[derive(Clone, Debug)]
pub struct Webhook {
    client: Client,
    url: Url,
    endpoint: Endpoint,
}

/// Why a post was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PostError {
    /// It may be taken later.
    #[error("webhook {endpoint}: {reason}")]
    Later {
        /// Where, without what is secret.
        endpoint: String,
        /// Why.
        reason: String,
        /// When it asks to be tried again.
        after: Option<Duration>,
    },
    /// It will not be taken.
    #[error("webhook {endpoint} refuses ({reason}): check notify.webhook_url")]
    Refused {
        /// Where, without what is secret.
        endpoint: String,
        /// Why.
        reason: String,
    },
}

impl Webhook {
    /// The webhook at a URL; `None` if that is none.
    pub fn new(endpoint: &Endpoint, timeout: Duration) -> Option<Self> {
        let url = Url::parse(endpoint.expose()).ok()?;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            return None;
        }
        let client = Client::builder()
            .timeout(timeout)
            // What a message says, and the key in the URL, are for nobody else.
            .redirect(Policy::none())
            .build()
            .ok()?;
        Some(Self {
            client,
            url,
            endpoint: endpoint.clone(),
        })
    }

    /// Posts JSON. What is answered beyond the status is not read.
    ///
    /// # Errors
    /// [`PostError`].
    pub async fn post(&self, body: String) -> Result<(), PostError> {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = request.send().await.map_err(|error| {
            // Its text has the URL, unless that is taken out.
            let error = error.without_url();
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let said = format!("{error}{}", cause.unwrap_or_default());
            self.later(self.endpoint.hide(&said), None)
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let reason = format!("HTTP {}", status.as_u16());
        if status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
        {
            let asked = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let after = asked.map(|secs| Duration::from_secs(secs).min(LONGEST_PAUSE));
            return Err(self.later(reason, after));
        }
        let reason = if status.is_redirection() {
            format!("{reason}: it redirects, which is not followed")
        } else {
            reason
        };
        Err(PostError::Refused {
            endpoint: self.endpoint.to_string(),
            reason,
        })
    }

    fn later(&self, reason: String, after: Option<Duration>) -> PostError {
        PostError::Later {
            endpoint: self.endpoint.to_string(),
            reason,
            after,
        }
    }
}
