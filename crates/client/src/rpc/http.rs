//! Requests to a node over HTTP. Each ends within its time, however the node behaves: what passes is tried again with pauses
//! while there is time. (The sender of `solana-client` waits for as long as a node asks, up to ten minutes.)
//!
//! Redirects are not followed: whoever answers instead would be shown the address with its key, and what is asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use solana_client::{
    client_error::{ClientError, Result as ClientResult, reqwest},
    rpc_custom_error::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE as PREFLIGHT_FAILURE,
    rpc_request::{RpcError, RpcRequest, RpcResponseErrorData},
    rpc_sender::{RpcSender, RpcTransportStats},
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    aside::aside,
    backoff::Backoff,
    budget::{Purpose, Purse, RpcBudget, Taken},
    error::{HttpError, innermost},
};
use crate::endpoint::Endpoint;

/// Longest text of a node that is repeated.
const LONGEST_TEXT: usize = 200;
/// Codes inside an answer by which some providers say that they are asked too much.
const TOO_MUCH: [i64; 2] = [-32_429, 429];

/// How requests are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcConfig {
    /// Every request ends after this, with all its tries.
    pub timeout: Duration,
    /// First pause before a request is tried again; doubles. Up to a half of each is left out at random.
    pub backoff_first: Duration,
    /// Longest such pause, whatever the node asks for.
    pub backoff_longest: Duration,
    /// Seed of what is left out; `None`: another one in every process.
    pub seed: Option<u64>,
    /// How much the node may be asked.
    pub budget: RpcBudget,
}

impl RpcConfig {
    /// Requests that end after `timeout`.
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            backoff_first: Duration::from_millis(250),
            backoff_longest: Duration::from_secs(2),
            seed: None,
            budget: RpcBudget::default(),
        }
    }
}

/// A request that is tried again.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Which node.
    pub endpoint: String,
    /// What it was asked.
    pub what: String,
    /// What it said.
    pub reason: String,
    /// Until the next try.
    pub pause: Duration,
    /// How often this was so of all requests to the node, this time included.
    pub retries: u64,
}

/// Who is told about requests that are tried again.
pub type OnRetry = Arc<dyn Fn(&Retry) + Send + Sync>;

/// Counts of all requests to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests.
    pub requests: u64,
    /// Tries beyond the first.
    pub retries: u64,
    /// Requests without an answer in the end.
    pub failures: u64,
    /// Requests that waited for their place in the budget.
    pub held_back: u64,
    /// Tries beyond the budget, because they protect.
    pub beyond_budget: u64,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    retries: AtomicU64,
    failures: AtomicU64,
    held_back: AtomicU64,
    beyond_budget: AtomicU64,
}

/// What a node answered.
pub(super) struct Answer {
    pub result: Value,
    /// Bytes of the whole answer.
    pub length: usize,
}

/// Why there is no answer, and whether trying again may help.
enum Trouble {
    Final(ClientError),
    Passing {
        error: HttpError,
        /// The pause that the node asks for.
        asked: Option<Duration>,
    },
}

/// See the module's description.
pub(super) struct HttpSender {
    endpoint: Endpoint,
    config: RpcConfig,
    /// Or why there is none.
    http: Result<reqwest::Client, String>,
    backoff: Backoff,
    purse: Purse,
    counts: Counts,
    on_retry: Option<OnRetry>,
}

impl HttpSender {
    pub fn new(endpoint: Endpoint, config: RpcConfig, on_retry: Option<OnRetry>) -> Self {
        let http = reqwest::Client::builder()
            .pool_idle_timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            http: http.map_err(|error| innermost(&error)),
            backoff: Backoff::new(config.backoff_first, config.backoff_longest, config.seed),
            purse: Purse::new(config.budget),
            counts: Counts::default(),
            endpoint,
            config,
            on_retry,
        }
    }

    pub fn traffic(&self) -> Traffic {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            requests: count(&self.counts.requests),
            retries: count(&self.counts.retries),
            failures: count(&self.counts.failures),
            held_back: count(&self.counts.held_back),
            beyond_budget: count(&self.counts.beyond_budget),
        }
    }

    /// Tries until there is an answer or no time left for another try.
    pub async fn ask(&self, request: RpcRequest, params: Value) -> ClientResult<Answer> {
        let deadline = Instant::now() + self.config.timeout;
        let number = self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let body = request.build_request_json(number, params).to_string();
        let mut failures = 0;
        let mut last = None;
        let purpose = Purpose::of(&request);
        let error = loop {
            if let Err(spent) = self.take(purpose, deadline, failures == 0).await {
                break last.unwrap_or(spent).into();
            }
            let (error, asked) = match timeout_at(deadline, self.try_once(number, &body)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Trouble::Final(error))) => break error,
                Ok(Err(Trouble::Passing { error, asked })) => (error, asked),
                // What it said before says more.
                Err(_) => break last.unwrap_or(HttpError::Late(self.config.timeout)).into(),
            };
            let pause = self.backoff.pause(failures, asked);
            if Instant::now() + pause >= deadline {
                break error.into();
            }
            failures += 1;
            self.tell_retry(&request, &error, pause);
            last = Some(error);
            sleep(pause).await;
        };
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        Err(error)
    }

    /// Waits for a place in the budget, if there is one in time.
    async fn take(
        &self,
        purpose: Purpose,
        deadline: Instant,
        is_first: bool,
    ) -> Result<(), HttpError> {
        let mut waited = false;
        loop {
            let wait = match self.purse.take(purpose) {
                Ok(Taken::Within) => return Ok(()),
                Ok(Taken::Beyond) => {
                    self.counts.beyond_budget.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                Err(wait) => wait,
            };
            if is_first && !waited {
                self.counts.held_back.fetch_add(1, Ordering::Relaxed);
            }
            waited = true;
            if Instant::now() + wait >= deadline {
                return Err(HttpError::Spent(wait));
            }
            sleep(wait).await;
        }
    }

    fn tell_retry(&self, request: &RpcRequest, error: &HttpError, pause: Duration) {
        let retries = self.counts.retries.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(on_retry) = &self.on_retry {
            on_retry(&Retry {
                endpoint: self.endpoint.to_string(),
                what: request.to_string(),
                reason: error.to_string(),
                pause,
                retries,
            });
        }
    }

    async fn try_once(&self, number: u64, body: &str) -> Result<Answer, Trouble> {
        let http = self
            .http
            .as_ref()
            .map_err(|reason| Trouble::Final(HttpError::Broken(reason.clone()).into()))?;
        let request = http
            .post(self.endpoint.expose())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        let asked = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let bytes = match response.bytes().await {
            Ok(bytes) => bytes,
            Err(_) if !status.is_success() => Default::default(),
            Err(error) => return Err(self.broken(&error)),
        };
        let length = bytes.len();
        let read = aside(length, move || serde_json::from_slice::<Value>(&bytes).ok());
        let answer = read.await.flatten();
        if !status.is_success() {
            return Err(self.unsuccessful(status, asked, answer.as_ref()));
        }
        let garbage = |reason: String| Trouble::Final(HttpError::Garbage(reason).into());
        let Some(mut answer) = answer.filter(Value::is_object) else {
            return Err(garbage(format!("{length} bytes that are no JSON-RPC")));
        };
        // What stands between may mix answers up. An error may be of no question that could be read.
        let of = answer.get("id").and_then(Value::as_u64);
        if let Some(of) = of.filter(|of| *of != number) {
            return Err(garbage(format!(
                "the answer to question {of}, not to {number}"
            )));
        }
        if let Some(error) = answer.get("error").filter(|error| error.is_object()) {
            return Err(self.refused(error, asked));
        }
        match answer.get_mut("result") {
            Some(result) => Ok(Answer {
                result: result.take(),
                length,
            }),
            None => Err(garbage("an answer without a result".into())),
        }
    }

    /// No answer. A node that is not there is not asked again: whoever asks knows whether to wait for it.
    fn broken(&self, error: &reqwest::Error) -> Trouble {
        let reason = self.endpoint.hide(&innermost(error));
        let is_final = error.is_connect() || error.is_builder();
        let error = HttpError::Broken(reason);
        if is_final {
            Trouble::Final(error.into())
        } else {
            Trouble::Passing { error, asked: None }
        }
    }

    /// An answer whose HTTP status says that it is none.
    fn unsuccessful(
        &self,
        status: reqwest::StatusCode,
        asked: Option<Duration>,
        answer: Option<&Value>,
    ) -> Trouble {
        let mut reason = format!("HTTP {status}");
        let said = answer.and_then(|answer| answer.get("error")?.get("message")?.as_str());
        if let Some(said) = said {
            reason = format!("{reason}: {}", self.repeated(said));
        }
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let error = HttpError::Busy(reason);
            return Trouble::Passing { error, asked };
        }
        if status.is_redirection() {
            reason.push_str(": it leads elsewhere, which is not followed; name that address");
        }
        Trouble::Final(HttpError::Refused(reason).into())
    }

    /// An error of the node's program.
    fn refused(&self, error: &Value, asked: Option<Duration>) -> Trouble {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
        let message = error.get("message").and_then(Value::as_str);
        let message = self.repeated(message.unwrap_or("an error without a message"));
        if TOO_MUCH.contains(&code) {
            let error = HttpError::Busy(format!("{message} (code {code})"));
            return Trouble::Passing { error, asked };
        }
        let simulated = || serde_json::from_value(error.get("data")?.clone()).ok();
        let data = match code {
            PREFLIGHT_FAILURE => simulated().map_or(
                RpcResponseErrorData::Empty,
                RpcResponseErrorData::SendTransactionPreflightFailure,
            ),
            _ => RpcResponseErrorData::Empty,
        };
        let error = RpcError::RpcResponseError {
            code,
            message,
            data,
        };
        Trouble::Final(error.into())
    }

    /// What a node wrote, fit to be shown.
    fn repeated(&self, text: &str) -> String {
        let shown = self.endpoint.hide(text);
        let shown: String = shown
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        match shown.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => format!("{}...", shown.get(..end).unwrap_or_default()),
            None => shown,
        }
    }
}

/// What the client owns of a sender that [`super::RpcChain`] asks as well.
pub(super) struct Shared(pub Arc<HttpSender>);

#[async_trait]
impl RpcSender for Shared {
    async fn send(&self, request: RpcRequest, params: Value) -> ClientResult<Value> {
        Ok(self.0.ask(request, params).await?.result)
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        self.0.endpoint.to_string()
    }
}
