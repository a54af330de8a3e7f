//! Pyth's price service: `GET /v2/updates/price/latest`.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::Endpoint;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, Response, StatusCode, Url, header::RETRY_AFTER, redirect::Policy};
use serde::Deserialize;
use tokio::time::Instant;

use super::{FeedId, PriceUpdates, SignedPrice, UpdatesError, read_updates, signed::hex};

/// Longest answer that is taken; for two feeds it has about 3,000 bytes.
const MAX_ANSWER_BYTES: usize = 65_536;
/// How long a busy service is left alone if it does not say.
const PAUSE_SECS: u64 = 5;
/// Longest that it is left alone, whatever it says: prices are needed.
const LONGEST_PAUSE_SECS: u64 = 30;

/// See the module's description.
pub struct Hermes {
    client: Client,
    url: Url,
    endpoint: Endpoint,
    /// Until then it is left alone.
    busy_until: Mutex<Option<Instant>>,
}

/// An answer; what is parsed already is left aside, because nothing proves it.
#[derive(Deserialize)]
struct Answer {
    binary: Binary,
}

#[derive(Deserialize)]
struct Binary {
    encoding: String,
    data: Vec<String>,
}

impl Hermes {
    /// The service at a URL, which may have a path and a query with a key. Every call ends within `timeout`.
    ///
    /// # Errors
    /// [`UpdatesError::Address`].
    pub fn new(endpoint: &Endpoint, timeout: Duration) -> Result<Self, UpdatesError> {
        let bad = || UpdatesError::Address {
            endpoint: endpoint.to_string(),
        };
        let mut url = Url::parse(endpoint.expose()).map_err(|_| bad())?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(bad());
        }
        url.path_segments_mut()
            .map_err(|()| bad())?
            .pop_if_empty()
            .extend(["v2", "updates", "price", "latest"]);
        let client = Client::builder()
            .timeout(timeout)
            // A key is sent to nobody else.
            .redirect(Policy::none())
            .build()
            .map_err(|_| bad())?;
        Ok(Self {
            client,
            url,
            endpoint: endpoint.clone(),
            busy_until: Mutex::new(None),
        })
    }

    fn url(&self, feeds: &[FeedId]) -> Url {
        let mut url = self.url.clone();
        let mut query = url.query_pairs_mut();
        for feed in feeds {
            query.append_pair("ids[]", &hex(feed));
        }
        query.append_pair("encoding", "base64");
        query.append_pair("parsed", "false");
        drop(query);
        url
    }

    fn busy_until(&self) -> MutexGuard<'_, Option<Instant>> {
        // Every change of it is a single assignment.
        self.busy_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses while it is left alone.
    fn may_ask(&self) -> Result<(), UpdatesError> {
        let left = self.busy_until().and_then(|until| {
            until
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
        });
        match left {
            None => Ok(()),
            Some(left) => Err(self.busy(left.as_secs().saturating_add(1))),
        }
    }

    fn busy(&self, secs: u64) -> UpdatesError {
        UpdatesError::Busy {
            endpoint: self.label(),
            secs,
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> UpdatesError {
        // Its text has the URL, unless that is taken out, and what caused it says more.
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        UpdatesError::Unreachable {
            endpoint: self.label(),
            reason: self
                .endpoint
                .hide(&format!("{error}{}", cause.unwrap_or_default())),
        }
    }

    fn unusable(&self, reason: impl Into<String>) -> UpdatesError {
        UpdatesError::BadAnswer {
            endpoint: self.label(),
            reason: reason.into(),
        }
    }

    fn check_status(&self, response: &Response) -> Result<(), UpdatesError> {
        match response.status() {
            StatusCode::OK => Ok(()),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let asked = response
                    .headers()
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.trim().parse().ok());
                let secs = asked.unwrap_or(PAUSE_SECS).clamp(1, LONGEST_PAUSE_SECS);
                *self.busy_until() = Some(Instant::now() + Duration::from_secs(secs));
                Err(self.busy(secs))
            }
            status => Err(UpdatesError::Refused {
                endpoint: self.label(),
                status: status.as_u16(),
            }),
        }
    }

    /// The answer's bytes, no more than there may be.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, UpdatesError> {
        let mut body = Vec::new();
        loop {
            let next = response.chunk().await;
            let Some(chunk) = next.map_err(|error| self.unreachable(error))? else {
                return Ok(body);
            };
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(UpdatesError::TooLong {
                    endpoint: self.label(),
                    most: MAX_ANSWER_BYTES,
                });
            }
            body.extend_from_slice(&chunk);
        }
    }

    fn decode(&self, body: &[u8]) -> Result<Vec<Vec<u8>>, UpdatesError> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| self.unusable(format!("{:?} error in its JSON", error.classify())))?;
        if answer.binary.encoding != "base64" {
            return Err(self.unusable("its data are not in base64"));
        }
        let decoded = answer.binary.data.iter().map(|text| STANDARD.decode(text));
        decoded
            .collect::<Result<_, _>>()
            .map_err(|_| self.unusable("its data are no base64"))
    }
}

#[async_trait]
impl PriceUpdates for Hermes {
    fn label(&self) -> String {
        self.endpoint.to_string()
    }

    async fn latest(&self, feeds: &[FeedId]) -> Result<Vec<SignedPrice>, UpdatesError> {
        self.may_ask()?;
        let sent = self.client.get(self.url(feeds)).send().await;
        let response = sent.map_err(|error| self.unreachable(error))?;
        self.check_status(&response)?;
        let body = self.body(response).await?;
        read_updates(&self.decode(&body)?, feeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hermes(url: &str) -> Result<Hermes, UpdatesError> {
        Hermes::new(&Endpoint::new(url), Duration::from_secs(1))
    }

    #[test]
    fn it_asks_for_every_feed_at_the_services_own_path_and_keeps_a_key() {
        let feeds = [[0xab; 32], [1; 32]];
        let (first, second) = ("ab".repeat(32), "01".repeat(32));
        for (url, expected) in [
            (
                "https://hermes.example",
                "https://hermes.example/v2/updates/price/latest?",
            ),
            (
                "https://hermes.example/",
                "https://hermes.example/v2/updates/price/latest?",
            ),
            (
                "http://h:8/some/KEY?ACCESS_TOKEN=x",
                "http://h:8/some/KEY/v2/updates/price/latest?ACCESS_TOKEN=x&",
            ),
        ] {
            assert_eq!(
                hermes(url).unwrap().url(&feeds).as_str(),
                format!(
                    "{expected}ids%5B%5D={first}&ids%5B%5D={second}&encoding=base64&parsed=false"
                )
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for url in ["ws://h/KEY-1234", "h/KEY-1234", "mailto:KEY-1234", ""] {
            let Err(error) = hermes(url) else {
                panic!("{url} was taken")
            };
            assert!(matches!(error, UpdatesError::Address { .. }));
            assert!(!error.to_string().contains("KEY-1234"), "{error}");
        }
        let keyed = hermes("https://user:KEY-1234@h.example/KEY-1234?k=KEY-1234").unwrap();
        assert!(!keyed.label().contains("KEY-1234"), "{}", keyed.label());
    }

    #[test]
    fn an_answer_is_decoded_with_and_without_what_is_parsed_already() {
        let hermes = hermes("http://h").unwrap();
        for more in [
            "",
            ",\"parsed\":[{\"id\":\"ab\",\"price\":{\"price\":\"1\"}}]",
            ",\"parsed\":null",
        ] {
            let body = format!(
                "{{\"binary\":{{\"encoding\":\"base64\",\"data\":[\"AQI=\",\"\"]}}{more}}}"
            );
            assert_eq!(
                hermes.decode(body.as_bytes()),
                Ok(vec![vec![1, 2], Vec::new()])
            );
        }
        for bad in [
            "",
            "{}",
            "<html>",
            "{\"binary\":{\"encoding\":\"hex\",\"data\":[\"0102\"]}}",
            "{\"binary\":{\"encoding\":\"base64\",\"data\":[\"!\"]}}",
            "{\"binary\":{\"encoding\":\"base64\",\"data\":\"AQI=\"}}",
            "{\"binary\":{\"encoding\":\"base64\",\"data\":[\"AQI=\"]}",
        ] {
            assert!(
                matches!(
                    hermes.decode(bad.as_bytes()),
                    Err(UpdatesError::BadAnswer { .. })
                ),
                "{bad}"
            );
        }
    }
}
