//! What a node answers, as the client's types: errors, accounts, statuses.

use solana_account_decoder_client_types::UiAccount;
use solana_client::{
    client_error::{ClientError, ClientErrorKind},
    rpc_request::{RpcError, RpcResponseErrorData},
};
use solana_sdk::account::Account;
use solana_transaction_status_client_types::{
    TransactionConfirmationStatus, TransactionStatus as UiStatus,
    option_serializer::OptionSerializer,
};

use super::{RpcChain, http::HttpError};
use crate::chain::{ChainError, Confirmation, TransactionStatus};

impl RpcChain {
    pub(super) fn error(&self, what: &'static str, error: &ClientError) -> ChainError {
        let endpoint = self.label.clone();
        if let Some(error) = HttpError::of(error) {
            let reason = error.to_string();
            return match error {
                HttpError::Broken(_) | HttpError::Late(_) => {
                    ChainError::Unreachable { endpoint, reason }
                }
                HttpError::Busy(_) | HttpError::Spent(_) => ChainError::Busy {
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

    pub(super) fn bad_answer(&self, what: &'static str, reason: impl Into<String>) -> ChainError {
        ChainError::BadAnswer {
            endpoint: self.label.clone(),
            what,
            reason: reason.into(),
        }
    }

    pub(super) fn decode(
        &self,
        what: &'static str,
        account: &UiAccount,
    ) -> Result<Account, ChainError> {
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

pub(super) fn status(found: UiStatus) -> TransactionStatus {
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

pub(super) fn some<T>(option: OptionSerializer<T>) -> Option<T> {
    match option {
        OptionSerializer::Some(value) => Some(value),
        OptionSerializer::None | OptionSerializer::Skip => None,
    }
}

pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(text).ok()
}
