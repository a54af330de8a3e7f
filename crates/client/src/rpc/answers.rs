//! What a node answers, as the client's types: errors, accounts, statuses.

use solana_account_decoder_client_types::UiAccount;
use solana_client::{
    client_error::{ClientError, ClientErrorKind},
    rpc_request::{RpcError, RpcResponseErrorData},
    rpc_response::RpcResult,
};
use solana_sdk::{account::Account, signature::Signature};
use solana_transaction_status_client_types::{
    TransactionConfirmationStatus, TransactionStatus as UiStatus,
    option_serializer::OptionSerializer,
};

use super::{RpcChain, error::HttpError};
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
            // A hash or a signature that is none, or another one than was asked for.
            ClientErrorKind::RpcError(
                RpcError::ParseError(reason) | RpcError::RpcRequestError(reason),
            ) => ChainError::BadAnswer {
                endpoint,
                what,
                reason: reason.clone(),
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

    /// Statuses, one for each signature that was asked for.
    pub(super) fn statuses_of(
        &self,
        asked: &[Signature],
        answer: RpcResult<Vec<Option<UiStatus>>>,
    ) -> Result<Vec<Option<UiStatus>>, ChainError> {
        let what = "getSignatureStatuses";
        let found = answer.map_err(|error| self.error(what, &error))?.value;
        if found.len() != asked.len() {
            let reason = format!("{} statuses for {} signatures", found.len(), asked.len());
            return Err(self.bad_answer(what, reason));
        }
        Ok(found)
    }
}

pub(super) fn decode(account: &UiAccount) -> Result<Account, &'static str> {
    Ok(Account {
        lamports: account.lamports,
        data: account
            .data
            .decode()
            .ok_or("account data is not what its encoding says")?,
        owner: account
            .owner
            .parse()
            .map_err(|_| "an account's owner is not an address")?,
        executable: account.executable,
        rent_epoch: account.rent_epoch,
    })
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
