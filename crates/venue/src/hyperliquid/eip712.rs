//! EIP-712: the digest of a message of fields, none of which is a structure itself.

use crate::hyperliquid::bytes::{Address, Word};
use sha3::{Digest, Keccak256};

/// A field's value; its kind names its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `string`.
    Text(String),
    /// `address`.
    Address(Address),
    /// `uint64`.
    Uint64(u64),
    /// `bool`.
    Bool(bool),
    /// `bytes32`.
    Bytes32(Word),
}

impl Value {
    /// The type's name.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Address(_) => "address",
            Self::Uint64(_) => "uint64",
            Self::Bool(_) => "bool",
            Self::Bytes32(_) => "bytes32",
        }
    }

    fn encode(&self) -> [u8; 32] {
        let mut word = [0; 32];
        match self {
            Self::Text(text) => word = keccak(text.as_bytes()),
            Self::Address(Address(bytes)) => word[12..].copy_from_slice(bytes),
            Self::Uint64(number) => word[24..].copy_from_slice(&number.to_be_bytes()),
            Self::Bool(flag) => word[31] = u8::from(*flag),
            Self::Bytes32(Word(bytes)) => word = *bytes,
        }
        word
    }
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: Value,
}

/// Keccak-256.
#[must_use]
pub fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// `keccak(keccak(Name(type field,…)) ‖ field ‖ …)`.
fn hash_struct(name: &str, fields: &[Field]) -> [u8; 32] {
    let types: Vec<String> = fields
        .iter()
        .map(|field| format!("{} {}", field.value.type_name(), field.name))
        .collect();
    let mut bytes = keccak(format!("{name}({})", types.join(",")).as_bytes()).to_vec();
    for field in fields {
        bytes.extend_from_slice(&field.value.encode());
    }
    keccak(&bytes)
}

/// The digest to sign: `keccak(1901 ‖ domain ‖ message)`. The domain's contract is always zero, its version 1.
#[must_use]
pub fn digest(domain_name: &str, chain_id: u64, primary_type: &str, fields: &[Field]) -> [u8; 32] {
    let mut domain = keccak(
        b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
    )
    .to_vec();
    for value in [
        Value::Text(domain_name.to_owned()),
        Value::Text("1".to_owned()),
        // As a word, `uint256` and `uint64` look alike.
        Value::Uint64(chain_id),
        Value::Address(Address([0; 20])),
    ] {
        domain.extend_from_slice(&value.encode());
    }
    let mut bytes = vec![0x19, 0x01];
    bytes.extend_from_slice(&keccak(&domain));
    bytes.extend_from_slice(&hash_struct(primary_type, fields));
    keccak(&bytes)
}
