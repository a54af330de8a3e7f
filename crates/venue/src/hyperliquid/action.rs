//! Actions that an agent signs: what the venue calls L1 actions. The order of fields is the order that is signed; a flag that is
//! false is left out where the venue leaves it out.

use crate::{
    decimal::WireDecimal,
    hyperliquid::{
        bytes::{Address, Cloid},
        order_wire::{Builder, Grouping, ModifyWire, OrderRef, OrderWire},
    },
};
use serde::{Deserialize, Serialize};

/// JSON that is no action this crate signs.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Not an object with a `type`.
    #[error("an action is an object with a `type`; this is {0}")]
    NoType(String),
    /// A kind that has no typed form here.
    #[error("`{kind}` is no action that is signed here; known are {known}")]
    UnknownKind {
        /// The kind.
        kind: String,
        /// What is known.
        known: String,
    },
    /// Fields missing, unknown or of another type.
    #[error("the action `{kind}` cannot be read: {source}")]
    Fields {
        /// The kind.
        kind: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Separates an action's `type` from its fields.
pub(super) fn split_type(
    json: serde_json::Value,
) -> Result<(String, serde_json::Value), ActionError> {
    let serde_json::Value::Object(mut fields) = json else {
        return Err(ActionError::NoType(json.to_string()));
    };
    match fields.remove("type") {
        Some(serde_json::Value::String(kind)) => Ok((kind, serde_json::Value::Object(fields))),
        _ => Err(ActionError::NoType(
            serde_json::Value::Object(fields).to_string(),
        )),
    }
}

/// One line per kind: its name on the wire, its variant and its fields.
macro_rules! actions {
    ($(#[$doc:meta])* $enum:ident { $($(#[$variant_doc:meta])* $kind:literal => $variant:ident $(: $fields:ident)?,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(tag = "type")]
        pub enum $enum {
            $($(#[$variant_doc])* #[serde(rename = $kind)] $variant $(($fields))?,)*
        }

        impl $enum {
            /// The kinds, by their names on the wire.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// Reads an action. Fields that this crate does not know are refused: what is signed is what was understood.
            ///
            /// # Errors
            /// An unknown kind, or fields that are missing, unknown or of another type.
            pub fn from_json(json: serde_json::Value) -> Result<Self, $crate::hyperliquid::action::ActionError> {
                use $crate::hyperliquid::action::{ActionError, split_type};
                let (kind, fields) = split_type(json)?;
                match kind.as_str() {
                    $($kind => actions!(@read $variant, fields, kind $(, $fields)?),)*
                    _ => Err(ActionError::UnknownKind { kind, known: Self::KINDS.join(", ") }),
                }
            }
        }
    };
    (@read $variant:ident, $json:ident, $kind:ident, $fields:ident) => {
        <$fields as serde::Deserialize>::deserialize($json)
            .map(Self::$variant)
            .map_err(|source| ActionError::Fields { kind: $kind, source })
    };
    (@read $variant:ident, $json:ident, $kind:ident) => {
        $crate::hyperliquid::action::no_fields(&$json)
            .map(|()| Self::$variant)
            .map_err(|source| ActionError::Fields { kind: $kind, source })
    };
}
pub(super) use actions;

/// An action without fields has none.
pub(super) fn no_fields(json: &serde_json::Value) -> Result<(), serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    Nothing::deserialize(json).map(|Nothing {}| ())
}

actions! {
    /// An action of an account, signed by its agent.
    Action {
        /// Places orders.
        "order" => Order: PlaceOrders,
        /// Cancels by the venue's numbers.
        "cancel" => Cancel: CancelByOid,
        /// Cancels by client order ids.
        "cancelByCloid" => CancelByCloid: CancelByCloid,
        /// Changes one order.
        "modify" => Modify: ModifyOne,
        /// Changes orders.
        "batchModify" => BatchModify: BatchModify,
        /// Cancels everything at a time, unless it is put off before.
        "scheduleCancel" => ScheduleCancel: ScheduleCancel,
        /// Sets an asset's leverage.
        "updateLeverage" => UpdateLeverage: UpdateLeverage,
        /// Adds or takes margin of an isolated position.
        "updateIsolatedMargin" => UpdateIsolatedMargin: UpdateIsolatedMargin,
        /// Adds margin up to a leverage.
        "topUpIsolatedOnlyMargin" => TopUpIsolatedOnlyMargin: TopUpIsolatedOnlyMargin,
        /// Sells or buys over a time.
        "twapOrder" => TwapOrder: TwapOrder,
        /// Ends a TWAP.
        "twapCancel" => TwapCancel: TwapCancel,
        /// Pays for more requests.
        "reserveRequestWeight" => ReserveRequestWeight: ReserveRequestWeight,
        /// Uses up a nonce.
        "noop" => Noop,
        /// Sets who referred this account.
        "setReferrer" => SetReferrer: SetReferrer,
        /// Sets the name on the leader board.
        "setDisplayName" => SetDisplayName: SetDisplayName,
        /// Makes a sub-account.
        "createSubAccount" => CreateSubAccount: CreateSubAccount,
        /// Renames a sub-account.
        "subAccountModify" => SubAccountModify: SubAccountModify,
        /// Moves USDC to or from a sub-account.
        "subAccountTransfer" => SubAccountTransfer: SubAccountTransfer,
        /// Moves a token to or from a sub-account.
        "subAccountSpotTransfer" => SubAccountSpotTransfer: SubAccountSpotTransfer,
        /// Moves USDC to or from a vault.
        "vaultTransfer" => VaultTransfer: VaultTransfer,
        /// Lets one account serve every perp exchange of the venue.
        "agentEnableDexAbstraction" => AgentEnableDexAbstraction,
        /// Chooses how the account's balances hang together.
        "agentSetAbstraction" => AgentSetAbstraction: AgentSetAbstraction,
        /// Sweeping of small spot balances.
        "spotUser" => SpotUser: SpotUser,
        /// Collects referral rewards.
        "claimRewards" => ClaimRewards,
        /// Chooses the block size on the EVM side.
        "evmUserModify" => EvmUserModify: EvmUserModify,
    }
}

/// Declares the fields of actions: camel case on the wire, nothing unknown.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
        )*
    };
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

fields! {
    /// Fields of `order`.
    PlaceOrders {
        /// The orders.
        orders: Vec<OrderWire>,
        /// How they hang together.
        #[serde(default)]
        grouping: Grouping,
        /// Who else is paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        builder: Option<Builder>,
    }
    /// Fields of `cancel`.
    CancelByOid {
        /// What to cancel.
        cancels: Vec<OidCancel>,
        /// Ahead of the queue.
        #[serde(rename = "f", default, skip_serializing_if = "is_false")]
        fast: bool,
    }
    /// One cancel by number.
    OidCancel {
        /// The asset's number.
        #[serde(rename = "a")]
        asset: u32,
        /// The order's number.
        #[serde(rename = "o")]
        oid: u64,
    }
    /// Fields of `cancelByCloid`.
    CancelByCloid {
        /// What to cancel.
        cancels: Vec<CloidCancel>,
        /// Ahead of the queue.
        #[serde(rename = "f", default, skip_serializing_if = "is_false")]
        fast: bool,
    }
    /// One cancel by client order id.
    CloidCancel {
        /// The asset's number.
        asset: u32,
        /// The order's id.
        cloid: Cloid,
    }
    /// Fields of `modify`.
    ModifyOne {
        /// Which order.
        oid: OrderRef,
        /// What it becomes.
        order: OrderWire,
        /// Place it even if the old one is gone.
        #[serde(rename = "a", default, skip_serializing_if = "is_false")]
        always: bool,
    }
    /// Fields of `batchModify`.
    BatchModify {
        /// The changes.
        modifies: Vec<ModifyWire>,
        /// Place them even if the old ones are gone.
        #[serde(rename = "a", default, skip_serializing_if = "is_false")]
        always: bool,
    }
    /// Fields of `scheduleCancel`.
    ScheduleCancel {
        /// When, in milliseconds; none takes the schedule back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<u64>,
    }
    /// Fields of `updateLeverage`.
    UpdateLeverage {
        /// The asset's number.
        asset: u32,
        /// Cross or isolated.
        is_cross: bool,
        /// How much.
        leverage: u32,
    }
    /// Fields of `updateIsolatedMargin`.
    UpdateIsolatedMargin {
        /// The asset's number.
        asset: u32,
        /// Which side the position has; the venue ignores it today.
        is_buy: bool,
        /// Change in millionths of a dollar.
        ntli: i64,
    }
    /// Fields of `topUpIsolatedOnlyMargin`.
    TopUpIsolatedOnlyMargin {
        /// The asset's number.
        asset: u32,
        /// The leverage afterwards.
        leverage: WireDecimal,
    }
    /// Fields of `twapOrder`.
    TwapOrder {
        /// The order.
        twap: Twap,
        /// Trigger and price bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<TwapDetails>,
    }
    /// A TWAP's terms.
    Twap {
        /// The asset's number.
        #[serde(rename = "a")]
        asset: u32,
        /// Whether it buys.
        #[serde(rename = "b")]
        is_buy: bool,
        /// Size in the base asset.
        #[serde(rename = "s")]
        size: WireDecimal,
        /// Whether it may only shrink the position.
        #[serde(rename = "r")]
        reduce_only: bool,
        /// Over how many minutes.
        #[serde(rename = "m")]
        minutes: u32,
        /// Whether the slices' times are random.
        #[serde(rename = "t")]
        randomize: bool,
    }
    /// When a TWAP starts and what bounds its price.
    TwapDetails {
        /// From which price on.
        #[serde(rename = "t")]
        trigger: Option<TwapTrigger>,
        /// Up to which price.
        #[serde(rename = "s")]
        bound: Option<WireDecimal>,
    }
    /// A TWAP's trigger.
    TwapTrigger {
        /// The price.
        #[serde(rename = "p")]
        price: WireDecimal,
        /// From above or from below.
        #[serde(rename = "a")]
        above: bool,
    }
    /// Fields of `twapCancel`.
    TwapCancel {
        /// The asset's number.
        #[serde(rename = "a")]
        asset: u32,
        /// The TWAP's number.
        #[serde(rename = "t")]
        twap_id: u64,
    }
    /// Fields of `reserveRequestWeight`.
    ReserveRequestWeight {
        /// How many requests.
        weight: u64,
        /// For whom, if not for the sender.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination: Option<Address>,
    }
    /// Fields of `setReferrer`.
    SetReferrer {
        /// The referrer's code.
        code: String,
    }
    /// Fields of `setDisplayName`.
    SetDisplayName {
        /// The name.
        display_name: String,
    }
    /// Fields of `createSubAccount`.
    CreateSubAccount {
        /// The name.
        name: String,
    }
    /// Fields of `subAccountModify`.
    SubAccountModify {
        /// Which sub-account.
        sub_account_user: Address,
        /// The name.
        name: String,
    }
    /// Fields of `subAccountTransfer`.
    SubAccountTransfer {
        /// Which sub-account.
        sub_account_user: Address,
        /// To it, or from it.
        is_deposit: bool,
        /// Millionths of a dollar.
        usd: u64,
    }
    /// Fields of `subAccountSpotTransfer`.
    SubAccountSpotTransfer {
        /// Which sub-account.
        sub_account_user: Address,
        /// To it, or from it.
        is_deposit: bool,
        /// The token's name and id.
        token: String,
        /// How much, as text that is signed as it stands.
        amount: String,
    }
    /// Fields of `vaultTransfer`.
    VaultTransfer {
        /// Which vault.
        vault_address: Address,
        /// To it, or from it.
        is_deposit: bool,
        /// Millionths of a dollar.
        usd: u64,
    }
    /// Fields of `agentSetAbstraction`.
    AgentSetAbstraction {
        /// Which way.
        abstraction: AbstractionCode,
    }
    /// Fields of `spotUser`.
    SpotUser {
        /// Whether small balances are kept.
        toggle_spot_dusting: SpotDusting,
    }
    /// Sweeping of small spot balances.
    SpotDusting {
        /// Whether they are kept.
        opt_out: bool,
    }
    /// Fields of `evmUserModify`.
    EvmUserModify {
        /// Whether big blocks are used.
        using_big_blocks: bool,
    }
}

/// How an account's balances hang together, in the one letter that agents sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AbstractionCode {
    /// Each for itself.
    #[serde(rename = "i")]
    Disabled,
    /// One balance for spot and perps.
    #[serde(rename = "u")]
    UnifiedAccount,
    /// One margin over everything.
    #[serde(rename = "p")]
    PortfolioMargin,
}
