//! The optional description of remaining accounts that v2 instructions end with.

use anchor_lang::prelude::*;

use crate::WhirlpoolError;

/// What a slice of the remaining accounts is for; the order is the wire format.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountsType {
    TransferHookA,
    TransferHookB,
    TransferHookReward,
    TransferHookInput,
    TransferHookIntermediate,
    TransferHookOutput,
    SupplementalTickArrays,
    SupplementalTickArraysOne,
    SupplementalTickArraysTwo,
}

/// Some of the remaining accounts.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct RemainingAccountsSlice {
    pub accounts_type: AccountsType,
    pub length: u8,
}

/// All of the remaining accounts.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct RemainingAccountsInfo {
    pub slices: Vec<RemainingAccountsSlice>,
}

impl RemainingAccountsInfo {
    /// The stand-in uses none.
    pub fn expect_none(info: Option<Self>) -> Result<()> {
        let none = info.is_none_or(|info| info.slices.is_empty());
        require!(none, WhirlpoolError::RemainingAccountsInvalidSlice);
        Ok(())
    }
}
