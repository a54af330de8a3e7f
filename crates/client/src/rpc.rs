//! A JSON-RPC node as a [`Chain`].

mod backoff;
mod http;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_client::{
    client_error::{ClientError, ClientErrorKind},
    nonblocking::rpc_client::RpcClient,
    rpc_client::{GetConfirmedSignaturesForAddress2Config, RpcClientConfig},
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
    hash::Hash,
    pubkey::Pubkey,
    signature::Signature,
    transaction::{TransactionError, VersionedTransaction},
};
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, TransactionConfirmationStatus,
    TransactionStatus as UiStatus, UiTransactionEncoding, option_serializer::OptionSerializer,
};

pub use http::{OnRetry, Retry, RpcConfig, Traffic};

use crate::{
    chain::{
        AccountFilter, Accounts, Blockhash, Chain, ChainError, Confirmation, OwnedAccounts,
        PastTransaction, Simulation, TransactionRecord, TransactionStatus,
    },
    endpoint::Endpoint,
};
use http::{HttpError, HttpSender, Shared};

const GET_TRANSACTION: &str = "getTransaction";

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

    /// The client underneath, for calls that [`Chain`] does not have. Its errors hold nothing of the URL.
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

    /// As [`Chain::status`] of recent transactions, of up to 256 at once.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn statuses(
        &self,
        signatures: &[Signature],
    ) -> Result<Vec<Option<TransactionStatus>>, ChainError> {
        let answer = self.client.get_signature_statuses(signatures).await;
        let statuses = answer.map_err(|error| self.error("getSignatureStatuses", &error))?;
        Ok(statuses
            .value
            .into_iter()
            .map(|found| found.map(status))
            .collect())
    }

    fn error(&self, what: &'static str, error: &ClientError) -> ChainError {
        let endpoint = self.label.clone();
        if let Some(error) = HttpError::of(error) {
            let reason = error.to_string();
            return match error {
                HttpError::Broken(_) | HttpError::Late(_) => {
                    ChainError::Unreachable { endpoint, reason }
                }
                HttpError::Busy(_) => ChainError::Busy {
                    endpoint,
                    what,
                    reason,
                },
                HttpError::Refused(_) => ChainError::Refused {
                    endpoint,
                    what,
                    reason,
                },
                HttpError::Garbage(_) => ChainError::BadAnswer {
                    endpoint,
                    what,
                    reason,
                },
            };
        }
        match error.kind() {
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

    /// What the node keeps of a transaction.
    async fn landed(
        &self,
        signature: &Signature,
    ) -> Result<Option<EncodedConfirmedTransactionWithStatusMeta>, ChainError> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        // A transaction that the node does not have is `null`, which `get_transaction_with_config` takes for an error.
        self.client
            .send(
                RpcRequest::GetTransaction,
                json!([signature.to_string(), config]),
            )
            .await
            .map_err(|error| self.error(GET_TRANSACTION, &error))
    }
}

fn status(found: UiStatus) -> TransactionStatus {
    TransactionStatus {
        slot: found.slot,
        confirmation: match found.confirmation_status() {
            TransactionConfirmationStatus::Processed => Confirmation::Processed,
            TransactionConfirmationStatus::Confirmed => Confirmation::Confirmed,
            TransactionConfirmationStatus::Finalized => Confirmation::Finalized,
        },
        error: found.err,
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
        Ok(statuses.pop().flatten().map(status))
    }

    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ChainError> {
        let what = GET_TRANSACTION;
        let Some(found) = self.landed(signature).await? else {
            return Ok(None);
        };
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

    async fn newest_signature(&self, address: &Pubkey) -> Result<Option<Signature>, ChainError> {
        let what = "getSignaturesForAddress";
        let config = GetConfirmedSignaturesForAddress2Config {
            limit: Some(1),
            commitment: Some(CommitmentConfig::confirmed()),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let answer = self
            .client
            .get_signatures_for_address_with_config(address, config)
            .await;
        let found = answer.map_err(|error| self.error(what, &error))?;
        let newest = found.first().map(|found| found.signature.parse());
        newest
            .transpose()
            .map_err(|_| self.bad_answer(what, "a signature that is none"))
    }

    async fn signatures(
        &self,
        address: &Pubkey,
        limit: usize,
    ) -> Result<Vec<Signature>, ChainError> {
        let what = "getSignaturesForAddress";
        let config = GetConfirmedSignaturesForAddress2Config {
            limit: Some(limit),
            commitment: Some(CommitmentConfig::confirmed()),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let answer = self
            .client
            .get_signatures_for_address_with_config(address, config)
            .await;
        answer
            .map_err(|error| self.error(what, &error))?
            .iter()
            .filter(|found| found.err.is_none())
            .map(|found| found.signature.parse())
            .collect::<Result<_, _>>()
            .map_err(|_| self.bad_answer(what, "a signature that is none"))
    }

    async fn history(
        &self,
        address: &Pubkey,
        before: Option<&Signature>,
        limit: usize,
    ) -> Result<Option<Vec<PastTransaction>>, ChainError> {
        let what = "getSignaturesForAddress";
        let config = GetConfirmedSignaturesForAddress2Config {
            before: before.copied(),
            limit: Some(limit),
            commitment: Some(CommitmentConfig::confirmed()),
            ..GetConfirmedSignaturesForAddress2Config::default()
        };
        let answer = self
            .client
            .get_signatures_for_address_with_config(address, config)
            .await;
        let found = answer.map_err(|error| self.error(what, &error))?;
        let listed = found.iter().map(|found| {
            let signature = found.signature.parse();
            Ok(PastTransaction {
                signature: signature
                    .map_err(|_| self.bad_answer(what, "a signature that is none"))?,
                slot: found.slot,
                secs: found.block_time,
                failed: found.err.is_some(),
            })
        });
        listed.collect::<Result<_, _>>().map(Some)
    }

    async fn signed_transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<VersionedTransaction>, ChainError> {
        let Some(found) = self.landed(signature).await? else {
            return Ok(None);
        };
        let signed = found.transaction.transaction.decode();
        signed
            .map(Some)
            .ok_or_else(|| self.bad_answer(GET_TRANSACTION, "a transaction that is none"))
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
