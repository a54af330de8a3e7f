//! A JSON-RPC node as a [`Chain`](crate::Chain).

mod answers;
mod aside;
mod backoff;
mod budget;
mod calls;
mod error;
mod http;
#[cfg(test)]
mod large_tests;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use solana_client::{
    nonblocking::rpc_client::RpcClient, rpc_client::RpcClientConfig, rpc_config::CommitmentConfig,
    rpc_request::RpcRequest,
};
use solana_sdk::{hash::Hash, signature::Signature};

pub(crate) use answers::decode_base64;
pub use budget::{RpcBudget, protecting};
pub use http::{OnRetry, Retry, RpcConfig, Traffic};

use crate::{
    chain::{ChainError, TransactionStatus},
    endpoint::Endpoint,
};
use answers::status;
use aside::aside;
use http::{Answer, HttpSender, Shared};

/// A node that speaks Solana's JSON-RPC.
#[derive(Clone)]
pub struct RpcChain {
    client: Arc<RpcClient>,
    http: Arc<HttpSender>,
    label: String,
}

impl RpcChain {
    /// A node at `endpoint`; every request ends after `timeout`. Connects on first use.
    pub fn new(endpoint: impl Into<Endpoint>, timeout: Duration) -> Self {
        Self::with_config(endpoint, RpcConfig::new(timeout), None)
    }

    /// As [`RpcChain::new`], telling about requests that are tried again.
    pub fn with_config(
        endpoint: impl Into<Endpoint>,
        config: RpcConfig,
        on_retry: Option<OnRetry>,
    ) -> Self {
        let endpoint = endpoint.into();
        let label = endpoint.to_string();
        let http = Arc::new(HttpSender::new(endpoint, config, on_retry));
        let client = RpcClient::new_sender(
            Shared(Arc::clone(&http)),
            RpcClientConfig::with_commitment(CommitmentConfig::confirmed()),
        );
        Self {
            client: Arc::new(client),
            http,
            label,
        }
    }

    /// The client underneath, for calls that [`Chain`](crate::Chain) does not have. Its errors hold nothing of the URL.
    pub fn client(&self) -> &RpcClient {
        &self.client
    }

    /// Requests so far.
    pub fn traffic(&self) -> Traffic {
        self.http.traffic()
    }

    /// Which cluster the node belongs to.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn genesis_hash(&self) -> Result<Hash, ChainError> {
        let answer = self.client.get_genesis_hash().await;
        answer.map_err(|error| self.error("getGenesisHash", &error))
    }

    /// As [`Chain::status`](crate::Chain::status) of recent transactions, of up to 256 at once.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn statuses(
        &self,
        signatures: &[Signature],
    ) -> Result<Vec<Option<TransactionStatus>>, ChainError> {
        let answer = self.client.get_signature_statuses(signatures).await;
        let found = self.statuses_of(signatures, answer)?;
        Ok(found.into_iter().map(|found| found.map(status)).collect())
    }

    /// Asks, and reads the answer, aside if it is large: `read` is given what is in it.
    async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        request: RpcRequest,
        params: Value,
        read: impl FnOnce(Value) -> Result<T, String> + Send + 'static,
    ) -> Result<T, ChainError> {
        let answer = self.http.ask(request, params).await;
        let Answer { result, length } = answer.map_err(|error| self.error(what, &error))?;
        match aside(length, move || read(result)).await {
            Some(read) => read.map_err(|reason| self.bad_answer(what, reason)),
            None => Err(self.bad_answer(what, "it could not be read")),
        }
    }

    /// Asks what [`crate::Chain`] does not have, of something that speaks JSON-RPC and need not be a node.
    pub(crate) async fn call(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<Value, ChainError> {
        let request = RpcRequest::Custom { method };
        let answer = self.client.send(request, params).await;
        answer.map_err(|error| self.error(method, &error))
    }
}
