//! The keeper's API, as far as overrides need it.

use std::{
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Error, Result, anyhow, ensure};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::Value;

/// File of the token, in the journal's directory.
const TOKEN: &str = "api-token";
/// Where a keeper listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:9464";
/// For one try.
const TIMEOUT: Duration = Duration::from_secs(4);
/// A request whose answer was lost is made again, with the same key.
const TRIES: u32 = 3;
/// Most of an answer that is read.
const MOST_BYTES: usize = 1 << 20;

/// A keeper that can be asked.
pub(super) struct Api {
    client: Client,
    url: String,
    token: String,
}

/// What came of a question.
pub(super) enum Answer {
    /// It did it.
    Done(Value),
    /// It said no, and why.
    Refused(Error),
    /// Nobody answered, or somebody who is not this journal's keeper.
    Unreached(String),
}

/// A key that no other request has.
pub(super) fn new_key() -> String {
    // Each with keys of its own, from the system's randomness.
    let random = || RandomState::new().build_hasher().finish();
    format!("cli-{:016x}{:016x}", random(), random())
}

impl Api {
    /// The API of the keeper whose journal is there.
    ///
    /// # Errors
    /// If it has left no token: there is none, or it serves no API.
    pub fn open(directory: &Path, url: Option<&str>) -> Result<Self> {
        let path = directory.join(TOKEN);
        let token = fs::read_to_string(&path)
            .with_context(|| format!("cannot read the API's token {}", path.display()))?;
        // The token goes to the keeper and to nobody else.
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("ballast-cli/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let url = url.unwrap_or(DEFAULT_URL).trim_end_matches('/').to_owned();
        ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "--api {url} is no http address"
        );
        Ok(Self {
            client,
            url,
            token: token.trim().to_owned(),
        })
    }

    /// Asks, again with the same key if the answer was lost.
    pub async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Answer {
        let mut answer = Answer::Unreached(String::new());
        for _ in 0..TRIES {
            answer = match self.post_once(path, body, key).await {
                Ok(answer) => answer,
                Err(error) => {
                    Answer::Unreached(format!("{}: {:#}", self.url, anyhow!(error.without_url())))
                }
            };
            if !matches!(answer, Answer::Unreached(_)) {
                break;
            }
        }
        answer
    }

    async fn post_once(
        &self,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self
            .client
            .post(format!("{}/api/v1/{path}", self.url))
            .bearer_auth(&self.token)
            .header("Content-Type", "application/json")
            .body(body.to_string());
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = read(response).await?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() && answer.is_object() {
            return Ok(Answer::Done(answer));
        }
        let message = answer["error"]["message"]
            .as_str()
            .unwrap_or("no keeper's answer");
        // What the keeper says of the request. Anything else is a server that cannot serve it, or another's.
        Ok(match status.as_u16() {
            400 | 404 | 409 | 413 | 422 if answer["error"]["code"].is_string() => {
                Answer::Refused(anyhow!("{message}"))
            }
            _ => Answer::Unreached(format!("{} answers {status}: {message}", self.url)),
        })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            break;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ() {
        let keys: std::collections::BTreeSet<_> = (0..100).map(|_| new_key()).collect();
        assert_eq!(keys.len(), 100);
    }
}
