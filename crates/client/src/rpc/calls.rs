//! The requests, one for each method of [`Chain`].

use async_trait::async_trait;
use serde_json::{Value, from_value, json};
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_client::{
    rpc_client::GetConfirmedSignaturesForAddress2Config,
    rpc_config::{
        CommitmentConfig, RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig,
        RpcSimulateTransactionConfig, RpcTransactionConfig,
    },
    rpc_filter::{Memcmp, RpcFilterType},
    rpc_request::RpcRequest,
    rpc_response::{OptionalContext, Response, RpcKeyedAccount},
};
use solana_sdk::{
    pubkey::Pubkey,
    signature::Signature,
    transaction::{TransactionError, VersionedTransaction},
};
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, UiTransactionEncoding,
};

use super::{
    RpcChain,
    answers::{decode, decode_base64, some, status},
};
use crate::chain::{
    AccountFilter, Accounts, Blockhash, Chain, ChainError, OwnedAccounts, PastTransaction,
    Simulation, TransactionRecord, TransactionStatus,
};

const GET_TRANSACTION: &str = "getTransaction";

/// What is wrong with an answer.
fn unreadable(error: serde_json::Error) -> String {
    error.to_string()
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
        let keys: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let asked = addresses.len();
        let read = move |answer: Value| {
            let answer: Response<Vec<Option<UiAccount>>> =
                from_value(answer).map_err(unreadable)?;
            if answer.value.len() != asked {
                let found = answer.value.len();
                return Err(format!("{found} accounts for {asked} addresses"));
            }
            let accounts = answer.value.iter();
            let accounts = accounts.map(|account| account.as_ref().map(decode).transpose());
            Ok(Accounts {
                slot: answer.context.slot,
                accounts: accounts.collect::<Result<_, _>>()?,
            })
        };
        let params = json!([keys, config]);
        self.read(what, RpcRequest::GetMultipleAccounts, params, read)
            .await
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
        let read = |answer: Value| {
            let answer: OptionalContext<Vec<RpcKeyedAccount>> =
                from_value(answer).map_err(unreadable)?;
            let (slot, keyed) = match answer {
                OptionalContext::Context(Response { context, value }) => {
                    (Some(context.slot), value)
                }
                OptionalContext::NoContext(value) => (None, value),
            };
            let accounts = keyed.iter().map(|keyed| {
                let address = keyed.pubkey.parse();
                let address = address.map_err(|_| "a key is not an address")?;
                Ok((address, decode(&keyed.account)?))
            });
            let accounts: Result<_, &str> = accounts.collect();
            Ok(OwnedAccounts {
                slot,
                accounts: accounts?,
            })
        };
        let params = json!([program.to_string(), config]);
        self.read(what, RpcRequest::GetProgramAccounts, params, read)
            .await
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

    async fn first_available_slot(&self) -> Result<Option<u64>, ChainError> {
        let answer = self.client.get_first_available_block().await;
        answer
            .map(Some)
            .map_err(|error| self.error("getFirstAvailableBlock", &error))
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
        let what = "simulateTransaction";
        let result = answer.map_err(|error| self.error(what, &error))?.value;
        // A limit is set by them; an answer that lacks everything would look like a success.
        if result.err.is_none() && result.units_consumed.is_none() {
            return Err(self.bad_answer(what, "a success that does not say its compute units"));
        }
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
        let mut found = self.statuses_of(signatures, answer)?;
        Ok(found.pop().flatten().map(status))
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
        let newest = self.past(address, None, 1).await?;
        Ok(newest.first().map(|found| found.signature))
    }

    async fn signatures(
        &self,
        address: &Pubkey,
        limit: usize,
    ) -> Result<Vec<Signature>, ChainError> {
        let found = self.past(address, None, limit).await?;
        let landed = found.iter().filter(|found| !found.failed);
        Ok(landed.map(|found| found.signature).collect())
    }

    async fn history(
        &self,
        address: &Pubkey,
        before: Option<&Signature>,
        limit: usize,
    ) -> Result<Option<Vec<PastTransaction>>, ChainError> {
        self.past(address, before, limit).await.map(Some)
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

impl RpcChain {
    /// Confirmed transactions that name an address and are older than one of them (`None`: all), newest first.
    async fn past(
        &self,
        address: &Pubkey,
        before: Option<&Signature>,
        limit: usize,
    ) -> Result<Vec<PastTransaction>, ChainError> {
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
        let read = found.iter().map(|found| {
            let signature = found.signature.parse();
            Ok(PastTransaction {
                signature: signature
                    .map_err(|_| self.bad_answer(what, "a signature that is none"))?,
                slot: found.slot,
                secs: found.block_time,
                failed: found.err.is_some(),
            })
        });
        read.collect()
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
