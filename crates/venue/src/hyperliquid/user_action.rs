//! Actions that only the account's own key signs, as EIP-712 messages with fields of their own. Texts are signed as they stand.

use crate::hyperliquid::{
    action::actions,
    bytes::{Address, HexError, hex_bytes},
    eip712::{Field, Value},
    sign::Network,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

actions! {
    /// An action of the account's owner.
    UserAction {
        /// Lets an agent sign for the account.
        "approveAgent" => ApproveAgent: ApproveAgent,
        /// Lets a builder take a fee.
        "approveBuilderFee" => ApproveBuilderFee: ApproveBuilderFee,
        /// Sends USDC to another account.
        "usdSend" => UsdSend: UsdSend,
        /// Sends a spot token to another account.
        "spotSend" => SpotSend: SpotSend,
        /// Withdraws over the bridge.
        "withdraw3" => Withdraw: Withdraw,
        /// Moves USDC between spot and perps.
        "usdClassTransfer" => UsdClassTransfer: UsdClassTransfer,
        /// Moves a token between exchanges and accounts.
        "sendAsset" => SendAsset: SendAsset,
        /// Stakes with a validator.
        "tokenDelegate" => TokenDelegate: TokenDelegate,
        /// Moves tokens into staking.
        "cDeposit" => StakingDeposit: StakingDeposit,
        /// Moves tokens out of staking.
        "cWithdraw" => StakingWithdraw: StakingWithdraw,
        /// Lets one account serve every perp exchange of the venue.
        "userDexAbstraction" => UserDexAbstraction: UserDexAbstraction,
        /// Chooses how the account's balances hang together.
        "userSetAbstraction" => UserSetAbstraction: UserSetAbstraction,
    }
}

/// The chain id that a wallet signed with; any chain will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureChainId(pub u64);

impl Default for SignatureChainId {
    /// What the venue's own client signs with.
    fn default() -> Self {
        Self(0x6_6eee)
    }
}

impl Serialize for SignatureChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

impl<'de> Deserialize<'de> for SignatureChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom(format!("`{text}` is no chain id such as 0x66eee"))
            })
    }
}

/// Declares owner's actions: fields on the wire, and the same fields in the order in which they are signed.
macro_rules! user_fields {
    ($($(#[$doc:meta])* $name:ident as $primary:literal {
        $($(#[$attribute:meta])* $field:ident ($wire:literal, $value:expr): $type:ty,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                /// The chain id that the wallet signs with.
                #[serde(rename = "signatureChainId", default)]
                pub signature_chain_id: SignatureChainId,
                /// The venue's network; the one that is signed for where it is not given.
                #[serde(rename = "hyperliquidChain", default, skip_serializing_if = "Option::is_none")]
                pub hyperliquid_chain: Option<Network>,
                $($(#[$attribute])* #[doc = concat!("`", $wire, "` on the wire.")] #[serde(rename = $wire)] pub $field: $type,)*
            }

            impl $name {
                /// The name of what is signed.
                const PRIMARY_TYPE: &'static str = concat!("HyperliquidTransaction:", $primary);

                fn fields(&self) -> Result<Vec<Field>, HexError> {
                    Ok(vec![$(Field { name: $wire, value: ($value)(&self.$field)? },)*])
                }
            }
        )*

        impl UserAction {
            /// What is signed: its name, and its own fields in order, without the network that precedes them.
            ///
            /// # Errors
            /// A text that has to be an address and is none.
            pub fn message(&self) -> Result<(&'static str, Vec<Field>), HexError> {
                match self {
                    $(Self::$name(action) => Ok(($name::PRIMARY_TYPE, action.fields()?)),)*
                }
            }

            /// The chain id and the network that the action itself names.
            #[must_use]
            pub const fn chain(&self) -> (SignatureChainId, Option<Network>) {
                match self {
                    $(Self::$name(action) => (action.signature_chain_id, action.hyperliquid_chain),)*
                }
            }

            /// Names the network, as the venue wants it sent.
            pub const fn set_network(&mut self, network: Network) {
                match self {
                    $(Self::$name(action) => action.hyperliquid_chain = Some(network),)*
                }
            }
        }
    };
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for all")]
fn text(value: &str) -> Result<Value, HexError> {
    Ok(Value::Text(value.to_owned()))
}

/// Sent as text in the owner's spelling, and signed as text: only its form is checked.
fn address_text(value: &str) -> Result<Value, HexError> {
    hex_bytes::<20>("address", value)?;
    text(value)
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for all")]
fn optional_text(value: &Option<String>) -> Result<Value, HexError> {
    Ok(Value::Text(value.clone().unwrap_or_default()))
}

#[expect(clippy::unnecessary_wraps, reason = "one signature for all")]
const fn address(value: &Address) -> Result<Value, HexError> {
    Ok(Value::Address(*value))
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    reason = "one signature for all"
)]
const fn uint64(value: &u64) -> Result<Value, HexError> {
    Ok(Value::Uint64(*value))
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    reason = "one signature for all"
)]
const fn boolean(value: &bool) -> Result<Value, HexError> {
    Ok(Value::Bool(*value))
}

user_fields! {
    /// Fields of `approveAgent`. An agent without a name is signed with an empty one, which is not sent.
    ApproveAgent as "ApproveAgent" {
        agent_address("agentAddress", address): Address,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_name("agentName", optional_text): Option<String>,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `approveBuilderFee`.
    ApproveBuilderFee as "ApproveBuilderFee" {
        max_fee_rate("maxFeeRate", text): String,
        builder("builder", address): Address,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `usdSend`.
    UsdSend as "UsdSend" {
        destination("destination", address_text): String,
        amount("amount", text): String,
        time("time", uint64): u64,
    }
    /// Fields of `spotSend`.
    SpotSend as "SpotSend" {
        destination("destination", address_text): String,
        token("token", text): String,
        amount("amount", text): String,
        time("time", uint64): u64,
    }
    /// Fields of `withdraw3`.
    Withdraw as "Withdraw" {
        destination("destination", address_text): String,
        amount("amount", text): String,
        time("time", uint64): u64,
    }
    /// Fields of `usdClassTransfer`.
    UsdClassTransfer as "UsdClassTransfer" {
        amount("amount", text): String,
        to_perp("toPerp", boolean): bool,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `sendAsset`.
    SendAsset as "SendAsset" {
        destination("destination", address_text): String,
        source_dex("sourceDex", text): String,
        destination_dex("destinationDex", text): String,
        token("token", text): String,
        amount("amount", text): String,
        #[serde(default)]
        from_sub_account("fromSubAccount", text): String,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `tokenDelegate`.
    TokenDelegate as "TokenDelegate" {
        validator("validator", address): Address,
        wei("wei", uint64): u64,
        is_undelegate("isUndelegate", boolean): bool,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `cDeposit`.
    StakingDeposit as "CDeposit" {
        wei("wei", uint64): u64,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `cWithdraw`.
    StakingWithdraw as "CWithdraw" {
        wei("wei", uint64): u64,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `userDexAbstraction`.
    UserDexAbstraction as "UserDexAbstraction" {
        user("user", address): Address,
        enabled("enabled", boolean): bool,
        nonce("nonce", uint64): u64,
    }
    /// Fields of `userSetAbstraction`.
    UserSetAbstraction as "UserSetAbstraction" {
        user("user", address): Address,
        abstraction("abstraction", text): String,
        nonce("nonce", uint64): u64,
    }
}
