//! What is signed, and by which key: agents' actions by the hash of their bytes, owners' actions by their fields.

use crate::hyperliquid::{
    action::Action,
    bytes::{Address, HexError, Word, hex_bytes},
    eip712::{Field, Value, digest, keccak},
    user_action::UserAction,
};
use core::{fmt, str::FromStr};
use k256::ecdsa::{RecoveryId, Signature as EcdsaSignature, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// What cannot be signed or recovered.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The action has no bytes.
    #[error("the action cannot be written as MessagePack: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    /// A text that has to be hex.
    #[error(transparent)]
    Hex(#[from] HexError),
    /// Not a private key.
    #[error("the private key is outside the curve's range; give 32 bytes as 0x and 64 hex digits")]
    Key,
    /// No signature comes of it.
    #[error(
        "the signature cannot be made or recovered: r and s have to be in the curve's range, v 27 or 28"
    )]
    Signature,
    /// An action for one network, to be signed for another.
    #[error(
        "the action names the network {action} and is to be signed for {wanted}; set both alike"
    )]
    Network {
        /// In the action.
        action: Network,
        /// Asked for.
        wanted: Network,
    },
}

/// The venue's network. A setting of its own: neither an address nor a key says which one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Real money.
    #[serde(alias = "mainnet")]
    Mainnet,
    /// Play money.
    #[serde(alias = "testnet")]
    Testnet,
}

impl Network {
    /// The name in owners' actions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "Mainnet",
            Self::Testnet => "Testnet",
        }
    }

    /// Where the venue's interface is.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::Mainnet => "https://api.hyperliquid.xyz",
            Self::Testnet => "https://api.hyperliquid-testnet.xyz",
        }
    }

    /// The letter in agents' actions.
    const fn source(self) -> &'static str {
        match self {
            Self::Mainnet => "a",
            Self::Testnet => "b",
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mainnet" => Ok(Self::Mainnet),
            "testnet" => Ok(Self::Testnet),
            _ => Err(format!(
                "`{text}` is no network of the venue; say mainnet or testnet"
            )),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A signature as the venue takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// First half.
    pub r: Word,
    /// Second half, the lower of the two that are valid.
    pub s: Word,
    /// 27 or 28.
    pub v: u8,
}

/// A private key; it never shows in logs.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey of {}", self.address())
    }
}

impl PrivateKey {
    /// Reads `0x` and 64 hex digits.
    ///
    /// # Errors
    /// Other text, or a number outside the curve's range. The text is not in the error.
    pub fn from_hex(text: &str) -> Result<Self, SignError> {
        let bytes: [u8; 32] = hex_bytes("private key", text).map_err(|_| SignError::Key)?;
        SigningKey::from_slice(&bytes)
            .map(Self)
            .map_err(|_| SignError::Key)
    }

    /// The key's address.
    #[must_use]
    pub fn address(&self) -> Address {
        address_of(self.0.verifying_key())
    }

    /// Signs a digest, deterministically (RFC 6979), with the lower `s`.
    fn sign(&self, digest: &[u8; 32]) -> Result<Signature, SignError> {
        let (signature, recovery) = self
            .0
            .sign_prehash_recoverable(digest)
            .map_err(|_| SignError::Signature)?;
        let (r, s) = signature.split_bytes();
        Ok(Signature {
            r: Word(r.into()),
            s: Word(s.into()),
            v: 27 + recovery.to_byte(),
        })
    }
}

fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_encoded_point(false);
    let hash = keccak(&point.as_bytes()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    Address(address)
}

/// An agent's action with all that is signed along with it.
#[derive(Debug, Clone, Copy)]
pub struct Signable<'a> {
    /// The action.
    pub action: &'a Action,
    /// Never used before by this key.
    pub nonce: u64,
    /// The vault or sub-account that it is for.
    pub vault: Option<Address>,
    /// After this time, in milliseconds, the venue refuses it.
    pub expires_after: Option<u64>,
}

impl Signable<'_> {
    /// `keccak(msgpack(action) ‖ nonce ‖ vault or 00 ‖ 00 and the time after which it expires)`.
    ///
    /// # Errors
    /// None that is known: every action has bytes.
    pub fn connection_id(&self) -> Result<Word, SignError> {
        let mut bytes = rmp_serde::to_vec_named(self.action)?;
        bytes.extend_from_slice(&self.nonce.to_be_bytes());
        match self.vault {
            None => bytes.push(0),
            Some(Address(vault)) => {
                bytes.push(1);
                bytes.extend_from_slice(&vault);
            }
        }
        if let Some(time) = self.expires_after {
            bytes.push(0);
            bytes.extend_from_slice(&time.to_be_bytes());
        }
        Ok(Word(keccak(&bytes)))
    }

    /// The connection id and the key's signature of it.
    ///
    /// # Errors
    /// As for the connection id.
    pub fn sign(&self, key: &PrivateKey, network: Network) -> Result<(Word, Signature), SignError> {
        let connection_id = self.connection_id()?;
        Ok((
            connection_id,
            key.sign(&agent_digest(connection_id, network))?,
        ))
    }

    /// Whose signature it is.
    ///
    /// # Errors
    /// A signature that no key made.
    pub fn signer(&self, signature: &Signature, network: Network) -> Result<Address, SignError> {
        let digest = agent_digest(self.connection_id()?, network);
        recover(&digest, signature)
    }
}

fn agent_digest(connection_id: Word, network: Network) -> [u8; 32] {
    let fields = [
        Field {
            name: "source",
            value: Value::Text(network.source().to_owned()),
        },
        Field {
            name: "connectionId",
            value: Value::Bytes32(connection_id),
        },
    ];
    digest("Exchange", 1337, "Agent", &fields)
}

/// Signs an owner's action.
///
/// # Errors
/// The action names another network, or a text that has to be an address is none.
pub fn sign_user(
    action: &UserAction,
    key: &PrivateKey,
    network: Network,
) -> Result<Signature, SignError> {
    key.sign(&user_digest(action, network)?)
}

/// Whose signature of an owner's action it is.
///
/// # Errors
/// As for signing, or a signature that no key made.
pub fn user_signer(
    action: &UserAction,
    signature: &Signature,
    network: Network,
) -> Result<Address, SignError> {
    recover(&user_digest(action, network)?, signature)
}

/// The fields that are signed: the network, then the action's own.
///
/// # Errors
/// The action names another network, or a text that has to be an address is none.
pub fn user_message(
    action: &UserAction,
    network: Network,
) -> Result<(&'static str, Vec<Field>), SignError> {
    if let (_, Some(named)) = action.chain()
        && named != network
    {
        return Err(SignError::Network {
            action: named,
            wanted: network,
        });
    }
    let (primary_type, own) = action.message()?;
    let mut fields = vec![Field {
        name: "hyperliquidChain",
        value: Value::Text(network.name().to_owned()),
    }];
    fields.extend(own);
    Ok((primary_type, fields))
}

fn user_digest(action: &UserAction, network: Network) -> Result<[u8; 32], SignError> {
    let (primary_type, fields) = user_message(action, network)?;
    Ok(digest(
        "HyperliquidSignTransaction",
        action.chain().0.0,
        primary_type,
        &fields,
    ))
}

fn recover(digest: &[u8; 32], signature: &Signature) -> Result<Address, SignError> {
    let recovery = signature
        .v
        .checked_sub(27)
        .and_then(RecoveryId::from_byte)
        .ok_or(SignError::Signature)?;
    let signature = EcdsaSignature::from_scalars(signature.r.0, signature.s.0)
        .map_err(|_| SignError::Signature)?;
    VerifyingKey::recover_from_prehash(digest, &signature, recovery)
        .map(|key| address_of(&key))
        .map_err(|_| SignError::Signature)
}
