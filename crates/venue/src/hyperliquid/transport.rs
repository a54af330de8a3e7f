//! Questions and signed actions over HTTP. A question that fails changed nothing; of an action it is said whether it did.

use super::{
    action::Action,
    answers::ActionAnswer,
    budget::Purpose,
    client::{Hyperliquid, lock},
    sign::Signable,
};
use crate::venue::VenueError;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How long nothing ordinary is asked after the venue said that it was too much.
const REFUSED_MS: u64 = 10_000;

/// The venue's weights of questions.
fn weight(kind: &str) -> u64 {
    match kind {
        "l2Book"
        | "allMids"
        | "clearinghouseState"
        | "orderStatus"
        | "spotClearinghouseState"
        | "exchangeStatus" => 2,
        "userRole" => 60,
        _ => 20,
    }
}

impl Hyperliquid {
    /// Asks; whatever goes wrong changes nothing at the venue.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        question: Value,
    ) -> Result<T, VenueError> {
        let kind = question["type"].as_str().unwrap_or_default().to_owned();
        self.pay(purpose, weight(&kind), 0)?;
        let no_answer =
            |error: &dyn std::fmt::Display| VenueError::NoAnswer(format!("{kind}: {error}"));
        let url = format!("{}/info", self.settings.url);
        let response = self
            .http
            .post(url)
            .timeout(self.settings.timeout)
            .header("content-type", "application/json")
            .body(question.to_string())
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| no_answer(&error))?;
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(self.too_many(&kind));
        }
        if !status.is_success() {
            return Err(no_answer(&status));
        }
        serde_json::from_str(&text).map_err(|error| no_answer(&error))
    }

    pub(super) fn pay(
        &self,
        purpose: Purpose,
        weight: u64,
        actions: u64,
    ) -> Result<(), VenueError> {
        lock(&self.budget)
            .take(purpose, weight, actions, self.clock.now_ms())
            .map_err(|retry_after_ms| VenueError::Busy {
                reason: "the venue's rate limit would be exceeded".into(),
                retry_after_ms,
            })
    }

    pub(super) fn too_many(&self, what: &str) -> VenueError {
        lock(&self.budget).refused(self.clock.now_ms(), REFUSED_MS);
        VenueError::Busy {
            reason: format!("the venue says that {what} was too much"),
            retry_after_ms: REFUSED_MS,
        }
    }

    /// Signs and sends an action, once.
    pub(super) async fn act(
        &self,
        purpose: Purpose,
        action: &Action,
        expires_after: Option<u64>,
    ) -> Result<ActionAnswer, VenueError> {
        self.pay(purpose, 1, 1)?;
        let refused = |error: &dyn std::fmt::Display| VenueError::Refused(error.to_string());
        let (nonce, signature) = {
            let Some(signer) = &self.signer else {
                return Err(VenueError::Refused(
                    "there is no agent's key to sign with".into(),
                ));
            };
            let mut signer = lock(signer);
            let nonce = signer
                .nonces
                .next(self.clock.now_ms())
                .map_err(|error| refused(&error))?;
            let signable = Signable {
                action,
                nonce,
                vault: self.settings.vault,
                expires_after,
            };
            let (_, signature) = signable
                .sign(&signer.agent, self.settings.network)
                .map_err(|error| refused(&error))?;
            (nonce, signature)
        };
        let body = json!({
            "action": action,
            "nonce": nonce,
            "signature": signature,
            "vaultAddress": self.settings.vault,
            "expiresAfter": expires_after,
        });
        let url = format!("{}/exchange", self.settings.url);
        let request = self
            .http
            .post(url)
            .timeout(self.settings.timeout)
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await.map_err(|error| {
            // Without a connection nothing was sent.
            if error.is_connect() {
                VenueError::NoAnswer(error.to_string())
            } else {
                VenueError::Unknown(error.to_string())
            }
        })?;
        let status = response.status();
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(self.too_many("the action"));
        }
        let text = response
            .text()
            .await
            .map_err(|error| VenueError::Unknown(error.to_string()))?;
        // A gateway that gave up waiting does not know what became of it.
        if status.is_client_error() && status != reqwest::StatusCode::REQUEST_TIMEOUT {
            return Err(VenueError::Refused(format!("{status}: {text}")));
        }
        if !status.is_success() {
            return Err(VenueError::Unknown(status.to_string()));
        }
        let answer: ActionAnswer =
            serde_json::from_str(&text).map_err(|error| VenueError::Unknown(error.to_string()))?;
        match answer.status.as_str() {
            "ok" => Ok(answer),
            "err" => Err(refusal(
                answer.response.as_str().unwrap_or("no reason given"),
            )),
            other => Err(VenueError::Unknown(format!(
                "an answer with the status `{other}`"
            ))),
        }
    }

    /// Asks for records by time until an answer is not full.
    pub(super) async fn all_since<T, U>(
        &self,
        purpose: Purpose,
        question: Value,
        since_ms: u64,
        most: usize,
        key: impl Fn(&U) -> (u64, u64),
    ) -> Result<Vec<U>, VenueError>
    where
        T: DeserializeOwned + Into<U>,
    {
        let mut since_ms = since_ms;
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        loop {
            let mut question = question.clone();
            question["startTime"] = json!(since_ms);
            let page: Vec<T> = self.ask(purpose, question).await?;
            let full = page.len() >= most;
            let before = all.len();
            for record in page.into_iter().map(Into::<U>::into) {
                let (time_ms, number) = key(&record);
                since_ms = since_ms.max(time_ms);
                if seen.insert((time_ms, number)) {
                    all.push(record);
                }
            }
            // More records in one millisecond than an answer holds would be asked for forever.
            if !full || all.len() == before {
                all.sort_by_key(&key);
                return Ok(all);
            }
        }
    }
}

/// What a refusal in words means.
pub(super) fn refusal(text: &str) -> VenueError {
    let lower = text.to_lowercase();
    if lower.contains("does not exist") {
        VenueError::AgentUnknown(text.to_owned())
    } else if lower.contains("nonce") {
        // An intermediary may have sent the same bytes twice, and the first of them counted.
        VenueError::Unknown(text.to_owned())
    } else if lower.contains("too many") || lower.contains("rate limit") {
        VenueError::Busy {
            reason: text.to_owned(),
            retry_after_ms: REFUSED_MS,
        }
    } else {
        VenueError::Refused(text.to_owned())
    }
}
