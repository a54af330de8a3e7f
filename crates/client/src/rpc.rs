//! A JSON-RPC node as a [`Chain`].

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_client::{
    client_error::{ClientError, ClientErrorKind},
    nonblocking::rpc_client::RpcClient,
    rpc_config::{
        CommitmentConfig, RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig,
        RpcSimulateTransactionConfig, RpcTransactionConfig,
    },
    rpc_filter::{Memcmp, RpcFilterType},
    rpc_request::{RpcError, RpcRequest, RpcResponseErrorData},
    rpc_response::{OptionalContext, Response, RpcKeyedAccount},
};
use solana_sdk::{
    account::Account,
    pubkey::Pubkey,
    signature::Signature,
    transaction::{TransactionError, VersionedTransaction},
};
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, TransactionConfirmationStatus,
    UiTransactionEncoding, option_serializer::OptionSerializer,
};

use crate::chain::{
    AccountFilter, Accounts, Blockhash, Chain, ChainError, Confirmation, OwnedAccounts, Simulation,
    TransactionRecord, TransactionStatus,
};

/// A node that speaks Solana's JSON-RPC.
#[derive(Clone)]
pub struct RpcChain {
    client: Arc<RpcClient>,
    label: String,
}

impl RpcChain {
    /// A node at `url`; every request ends after `timeout`. Connects on first use.
    pub fn new(url: &str, timeout: Duration) -> Self {
        let client = RpcClient::new_with_timeout_and_commitment(
            url.into(),
            timeout,
            CommitmentConfig::confirmed(),
        );
        Self {
            client: Arc::new(client),
            label: without_credentials(url),
        }
    }

    /// The client underneath, for calls that [`Chain`] does not have.
    pub fn client(&self) -> &RpcClient {
        &self.client
    }

    fn error(&self, what: &'static str, error: &ClientError) -> ChainError {
        let endpoint = self.label.clone();
        match error.kind() {
            ClientErrorKind::Io(reason) => ChainError::Unreachable {
                endpoint,
                reason: reason.to_string(),
            },
            ClientErrorKind::Reqwest(reason) => ChainError::Unreachable {
                endpoint,
                // The URL may hold a key.
                reason: reqwest_reason(reason),
            },
            ClientErrorKind::SerdeJson(reason) => ChainError::BadAnswer {
                endpoint,
                what,
                reason: reason.to_string(),
            },
            ClientErrorKind::RpcError(RpcError::RpcResponseError {
                code,
                message,
                data,
            }) => ChainError::Refused {
                endpoint,
                what,
                reason: match data {
                    RpcResponseErrorData::SendTransactionPreflightFailure(failure) => {
                        format!("{message} (code {code}): {:?}", failure.err)
                    }
                    _ => format!("{message} (code {code})"),
                },
            },
            other => ChainError::Refused {
                endpoint,
                what,
                reason: other.to_string(),
            },
        }
    }

    fn bad_answer(&self, what: &'static str, reason: impl Into<String>) -> ChainError {
        ChainError::BadAnswer {
            endpoint: self.label.clone(),
            what,
            reason: reason.into(),
        }
    }

    fn decode(&self, what: &'static str, account: &UiAccount) -> Result<Account, ChainError> {
        let bad = |reason: &str| self.bad_answer(what, reason);
        Ok(Account {
            lamports: account.lamports,
            data: account
                .data
                .decode()
                .ok_or_else(|| bad("account data is not what its encoding says"))?,
            owner: account
                .owner
                .parse()
                .map_err(|_| bad("an account's owner is not an address"))?,
            executable: account.executable,
            rent_epoch: account.rent_epoch,
        })
    }
}

/// What went wrong, without the URL.
fn reqwest_reason(error: &(impl std::error::Error + 'static)) -> String {
    // The innermost cause says what happened; outer ones repeat the address.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    without_urls(&cause.to_string())
}

fn without_urls(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        if word.contains("://") {
            "(address)"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Scheme, host and port: paths, queries and user names of RPC URLs are often secrets.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if scheme.is_empty() {
        host.into()
    } else {
        format!("{scheme}://{host}")
    }
}

#[async_trait]
impl Chain for RpcChain {
    fn label(&self) -> String {
        self.label.clone()
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        let what = "getMultipleAccounts";
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            ..RpcAccountInfoConfig::default()
        };
        let answer = self
            .client
            .get_multiple_ui_accounts_with_config(addresses, config)
            .await;
        let answer = answer.map_err(|error| self.error(what, &error))?;
        if answer.value.len() != addresses.len() {
            let reason = format!(
                "{} accounts for {} addresses",
                answer.value.len(),
                addresses.len()
            );
            return Err(self.bad_answer(what, reason));
        }
        let accounts = answer
            .value
            .iter()
            .map(|account| account.as_ref().map(|a| self.decode(what, a)).transpose());
        Ok(Accounts {
            slot: answer.context.slot,
            accounts: accounts.collect::<Result<_, _>>()?,
        })
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let what = "getProgramAccounts";
        let memcmp = |filter: &AccountFilter| {
            RpcFilterType::Memcmp(Memcmp::new_base58_encoded(filter.offset, &filter.bytes))
        };
        let config = RpcProgramAccountsConfig {
            filters: Some(filters.iter().map(memcmp).collect()),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(CommitmentConfig::confirmed()),
                ..RpcAccountInfoConfig::default()
            },
            with_context: Some(true),
            sort_results: None,
        };
        let answer: OptionalContext<Vec<RpcKeyedAccount>> = self
            .client
            .send(
                RpcRequest::GetProgramAccounts,
                json!([program.to_string(), config]),
            )
            .await
            .map_err(|error| self.error(what, &error))?;
        let (slot, keyed) = match answer {
            OptionalContext::Context(Response { context, value }) => (Some(context.slot), value),
            OptionalContext::NoContext(value) => (None, value),
        };
        let accounts = keyed.iter().map(|keyed| {
            let address = keyed
                .pubkey
                .parse()
                .map_err(|_| self.bad_answer(what, "a key is not an address"))?;
            Ok((address, self.decode(what, &keyed.account)?))
        });
        Ok(OwnedAccounts {
            slot,
            accounts: accounts.collect::<Result<_, ChainError>>()?,
        })
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        let answer = self
            .client
            .get_latest_blockhash_with_commitment(CommitmentConfig::confirmed())
            .await;
        let (hash, last_valid_block_height) =
            answer.map_err(|error| self.error("getLatestBlockhash", &error))?;
        Ok(Blockhash {
            hash,
            last_valid_block_height,
        })
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        let answer = self
            .client
            .get_block_height_with_commitment(CommitmentConfig::confirmed())
            .await;
        answer.map_err(|error| self.error("getBlockHeight", &error))
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        let answer = self
            .client
            .get_slot_with_commitment(CommitmentConfig::confirmed())
            .await;
        answer.map_err(|error| self.error("getSlot", &error))
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError> {
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(CommitmentConfig::confirmed()),
            ..RpcSimulateTransactionConfig::default()
        };
        let answer = self
            .client
            .simulate_transaction_with_config(transaction, config)
            .await;
        let result = answer
            .map_err(|error| self.error("simulateTransaction", &error))?
            .value;
        Ok(Simulation {
            error: result.err.map(TransactionError::from),
            logs: result.logs.unwrap_or_default(),
            units: result.units_consumed.unwrap_or_default(),
            return_data: result
                .return_data
                .and_then(|data| decode_base64(&data.data.0)),
        })
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let config = RpcSendTransactionConfig {
            skip_preflight: true,
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        let answer = self
            .client
            .send_transaction_with_config(transaction, config)
            .await;
        match answer {
            Ok(_) => Ok(()),
            // It is in a block already: that is what was wanted.
            Err(error)
                if error.get_transaction_error() == Some(TransactionError::AlreadyProcessed) =>
            {
                Ok(())
            }
            Err(error) => Err(self.error("sendTransaction", &error)),
        }
    }

    async fn status(
        &self,
        signature: &Signature,
        search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        let signatures = std::slice::from_ref(signature);
        let answer = if search_history {
            self.client
                .get_signature_statuses_with_history(signatures)
                .await
        } else {
            self.client.get_signature_statuses(signatures).await
        };
        let mut statuses = answer
            .map_err(|error| self.error("getSignatureStatuses", &error))?
            .value;
        Ok(statuses.pop().flatten().map(|status| TransactionStatus {
            slot: status.slot,
            confirmation: match status.confirmation_status() {
                TransactionConfirmationStatus::Processed => Confirmation::Processed,
                TransactionConfirmationStatus::Confirmed => Confirmation::Confirmed,
                TransactionConfirmationStatus::Finalized => Confirmation::Finalized,
            },
            error: status.err,
        }))
    }

    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ChainError> {
        let what = "getTransaction";
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        // A transaction that the node does not have is `null`, which `get_transaction_with_config` takes for an error.
        let answer: Option<EncodedConfirmedTransactionWithStatusMeta> = self
            .client
            .send(
                RpcRequest::GetTransaction,
                json!([signature.to_string(), config]),
            )
            .await
            .map_err(|error| self.error(what, &error))?;
        let Some(found) = answer else { return Ok(None) };
        let Some(meta) = found.transaction.meta else {
            return Err(self.bad_answer(what, "the transaction has no status"));
        };
        Ok(Some(TransactionRecord {
            slot: found.slot,
            error: meta.err.map(TransactionError::from),
            logs: some(meta.log_messages).unwrap_or_default(),
            units: some(meta.compute_units_consumed),
            fee_lamports: meta.fee,
        }))
    }

    async fn recent_fees(&self, writable: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        let answer = self.client.get_recent_prioritization_fees(writable).await;
        let fees = answer.map_err(|error| self.error("getRecentPrioritizationFees", &error))?;
        Ok(fees.into_iter().map(|fee| fee.prioritization_fee).collect())
    }

    async fn rent_lamports(&self, length: usize) -> Result<u64, ChainError> {
        let answer = self
            .client
            .get_minimum_balance_for_rent_exemption(length)
            .await;
        answer.map_err(|error| self.error("getMinimumBalanceForRentExemption", &error))
    }
}

fn some<T>(option: OptionSerializer<T>) -> Option<T> {
    match option {
        OptionSerializer::Some(value) => Some(value),
        OptionSerializer::None | OptionSerializer::Skip => None,
    }
}

pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_hold_no_secrets() {
        for (url, label) in [
            (
                "https://user:pass@node.example:8899/v1/key?api-key=secret",
                "https://node.example:8899",
            ),
            ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
            ("node.example/secret", "node.example"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(url), label);
        }
        assert_eq!(
            without_urls("error at https://x/key now"),
            "error at (address) now"
        );
    }

    #[tokio::test]
    async fn a_node_that_is_not_there_is_unreachable() {
        // Port 9 of the loopback (discard) is refused or silent everywhere.
        let chain = RpcChain::new("http://127.0.0.1:9/secret", Duration::from_secs(2));
        let error = chain.slot().await.unwrap_err();
        assert!(matches!(error, ChainError::Unreachable { .. }), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
