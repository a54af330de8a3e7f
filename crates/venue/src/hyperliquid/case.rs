//! Signing cases as lines of JSON, for checks against other implementations.

use crate::hyperliquid::{
    action::{Action, ActionError},
    bytes::{Address, Word},
    sign::{Network, PrivateKey, SignError, Signable, Signature, sign_user, user_message},
    user_action::UserAction,
};
use serde::{Deserialize, Serialize};

/// Which of the venue's two ways of signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    /// By the hash of the action's bytes.
    L1,
    /// By the action's fields.
    User,
}

/// A case; what it says about the expected answer is not read.
#[derive(Debug, Deserialize)]
struct Case {
    scheme: Scheme,
    network: Network,
    private_key: String,
    action: serde_json::Value,
    nonce: u64,
    #[serde(default)]
    vault: Option<Address>,
    #[serde(default)]
    expires_after: Option<u64>,
    #[serde(default)]
    primary_type: Option<String>,
    #[serde(default)]
    fields: Option<Vec<(String, String)>>,
}

/// The answer to a case. Owners' actions have no connection id.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The hash that an agent signs.
    #[serde(rename = "connectionId")]
    pub connection_id: Option<Word>,
    /// The signature.
    #[serde(flatten)]
    pub signature: Signature,
}

/// A case that is not signed.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// Not a case.
    #[error("the line is no case: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Not an action.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// Not signable.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The case wants other fields signed than the action has.
    #[error("the case names {named}, the action is signed as {typed}")]
    Fields {
        /// In the case.
        named: String,
        /// Ours.
        typed: String,
    },
    /// An owner's action is for no vault and does not expire.
    #[error("an action that is signed by its fields takes neither a vault nor a time of expiry")]
    Extra,
}

/// Signs one case.
///
/// # Errors
/// The line is no case, the action is not known or not exactly as the venue has it, or it cannot be signed.
pub fn sign_case(line: &str) -> Result<Answer, CaseError> {
    let case: Case = serde_json::from_str(line)?;
    let key = PrivateKey::from_hex(&case.private_key)?;
    match case.scheme {
        Scheme::L1 => {
            let action = Action::from_json(case.action)?;
            let signable = Signable {
                action: &action,
                nonce: case.nonce,
                vault: case.vault,
                expires_after: case.expires_after,
            };
            let (connection_id, signature) = signable.sign(&key, case.network)?;
            Ok(Answer {
                connection_id: Some(connection_id),
                signature,
            })
        }
        Scheme::User => {
            if case.vault.is_some() || case.expires_after.is_some() {
                return Err(CaseError::Extra);
            }
            let action = UserAction::from_json(case.action)?;
            let (primary_type, fields) = user_message(&action, case.network)?;
            let typed: Vec<(String, String)> = fields
                .iter()
                .map(|field| (field.name.to_owned(), field.value.type_name().to_owned()))
                .collect();
            let named_type = case.primary_type.as_deref().unwrap_or(primary_type);
            let named = case.fields.as_ref().unwrap_or(&typed);
            if named_type != primary_type || *named != typed {
                return Err(CaseError::Fields {
                    named: format!("{named_type} {named:?}"),
                    typed: format!("{primary_type} {typed:?}"),
                });
            }
            Ok(Answer {
                connection_id: None,
                signature: sign_user(&action, &key, case.network)?,
            })
        }
    }
}
