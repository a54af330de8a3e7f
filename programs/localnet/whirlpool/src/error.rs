//! Whirlpool's error numbers (6000 and up) with what to do about them.

use anchor_lang::prelude::*;
use ballast_abi::{LayoutError, whirlpool::swap::SwapError};
use ballast_clmm::ClmmError;

/// Errors of the real program that the stand-in can return, under the same numbers.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum WhirlpoolError {
    /// 6001
    #[msg(
        "the first tick of a tick array must be a multiple of 88 tick spacings within the tick range"
    )]
    InvalidStartTick = 1,
    /// 6004
    #[msg("tick spacing must not be 0")]
    InvalidTickSpacing = 4,
    /// 6005
    #[msg("the position still has liquidity, fees or rewards: remove and collect them first")]
    ClosePositionNotEmpty = 5,
    /// 6006
    #[msg("the output exceeds what the active liquidity can pay")]
    DivideByZero = 6,
    /// 6009
    #[msg("the tick is not in this tick array")]
    TickNotFound = 9,
    /// 6010
    #[msg("ticks must be multiples of the tick spacing, in range, lower below upper")]
    InvalidTickIndex = 10,
    /// 6011
    #[msg("sqrt price out of bounds")]
    SqrtPriceOutOfBounds = 11,
    /// 6012
    #[msg("liquidity must not be 0")]
    LiquidityZero = 12,
    /// 6013
    #[msg("liquidity must fit an i128")]
    LiquidityTooHigh = 13,
    /// 6014
    #[msg("liquidity exceeds 128 bits")]
    LiquidityOverflow = 14,
    /// 6015
    #[msg("more liquidity removed than there is")]
    LiquidityUnderflow = 15,
    /// 6016
    #[msg("net liquidity of a tick exceeds 127 bits")]
    LiquidityNetError = 16,
    /// 6017
    #[msg("more tokens needed than allowed")]
    TokenMaxExceeded = 17,
    /// 6018
    #[msg("fewer tokens paid out than demanded")]
    TokenMinSubceeded = 18,
    /// 6019
    #[msg("the signer neither holds the position's NFT nor is its delegate")]
    MissingOrInvalidDelegate = 19,
    /// 6020
    #[msg("the delegation of the position's NFT must be for exactly 1")]
    InvalidPositionTokenAmount = 20,
    /// 6021
    #[msg("the clock shows a time before 1970")]
    InvalidTimestampConversion = 21,
    /// 6022
    #[msg("the clock went backwards")]
    InvalidTimestamp = 22,
    /// 6023
    #[msg("the tick arrays do not begin at the current tick")]
    InvalidTickArraySequence = 23,
    /// 6024
    #[msg("mint A must be below mint B bytewise")]
    InvalidTokenMintOrder = 24,
    /// 6026; the real program fails without a number
    #[msg("a pool has three rewards, 0 to 2")]
    InvalidRewardIndex = 26,
    /// 6028
    #[msg("fee rate above 60000")]
    FeeRateMaxExceeded = 28,
    /// 6029
    #[msg("protocol fee rate above 2500")]
    ProtocolFeeRateMaxExceeded = 29,
    /// 6030
    #[msg("the amount exceeds 64 bits")]
    MultiplicationShiftRightOverflow = 30,
    /// 6033
    #[msg("liquidity too large for the arithmetic")]
    MultiplicationOverflow = 33,
    /// 6034
    #[msg("the price limit lies behind the price")]
    InvalidSqrtPriceLimitDirection = 34,
    /// 6035
    #[msg("swap amount is 0")]
    ZeroTradableAmount = 35,
    /// 6036
    #[msg("less output than demanded")]
    AmountOutBelowMinimum = 36,
    /// 6037
    #[msg("more input needed than allowed")]
    AmountInAboveMaximum = 37,
    /// 6038
    #[msg("the swap runs past the last tick array")]
    TickArraySequenceInvalidIndex = 38,
    /// 6039
    #[msg("the sum of the steps of the swap exceeds 64 bits")]
    AmountCalcOverflow = 39,
    /// 6040
    #[msg("a step of the swap exceeds what was left")]
    AmountRemainingOverflow = 40,
    /// 6047
    #[msg("the mint has extensions that pools refuse, or ones the stand-in cannot move")]
    UnsupportedTokenMint = 47,
    /// 6048
    #[msg("the stand-in takes no remaining accounts")]
    RemainingAccountsInvalidSlice = 48,
    /// 6054
    #[msg("the pool takes only positions over the full range")]
    FullRangeOnlyPool = 54,
    /// 6056
    #[msg("a tick array of another pool")]
    DifferentWhirlpoolTickArrayAccount = 56,
    /// 6057
    #[msg("the pool cannot pay this output at any price")]
    PartialFillError = 57,
    /// 6060
    #[msg("the position has this band already")]
    SameTickRangeNotAllowed = 60,
}

/// Shorthand of this program.
pub type WhirlpoolResult<T> = std::result::Result<T, WhirlpoolError>;

impl From<ClmmError> for WhirlpoolError {
    fn from(error: ClmmError) -> Self {
        match error {
            ClmmError::TickOutOfRange(_) => Self::InvalidTickIndex,
            ClmmError::SqrtPriceOutOfRange(_) => Self::SqrtPriceOutOfBounds,
            ClmmError::OutputTooLarge { .. } => Self::DivideByZero,
            ClmmError::AmountTooLarge => Self::TokenMaxExceeded,
            _ => Self::MultiplicationOverflow,
        }
    }
}

impl From<SwapError> for WhirlpoolError {
    fn from(error: SwapError) -> Self {
        match error {
            SwapError::ZeroAmount => Self::ZeroTradableAmount,
            SwapError::LimitNotAhead { .. } => Self::InvalidSqrtPriceLimitDirection,
            SwapError::MissingArray { .. } => Self::InvalidTickArraySequence,
            SwapError::PastLastArray => Self::TickArraySequenceInvalidIndex,
            SwapError::PartialFill => Self::PartialFillError,
            SwapError::AmountOverflow => Self::AmountCalcOverflow,
            SwapError::RemainingUnderflow => Self::AmountRemainingOverflow,
            SwapError::Liquidity { .. } => Self::LiquidityUnderflow,
            SwapError::Clmm(error) => error.into(),
        }
    }
}

/// Anchor's error for an account that is not what it was taken for.
pub fn layout(error: LayoutError) -> Error {
    match error {
        LayoutError::TickNotInArray { .. } => WhirlpoolError::TickNotFound.into(),
        LayoutError::Discriminator { .. } => ErrorCode::AccountDiscriminatorMismatch.into(),
        _ => ErrorCode::AccountDidNotDeserialize.into(),
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::whirlpool::error_code;

    use super::WhirlpoolError::{self, *};

    const ALL: [WhirlpoolError; 38] = [
        InvalidStartTick,
        InvalidTickSpacing,
        ClosePositionNotEmpty,
        DivideByZero,
        TickNotFound,
        InvalidTickIndex,
        SqrtPriceOutOfBounds,
        LiquidityZero,
        LiquidityTooHigh,
        LiquidityOverflow,
        LiquidityUnderflow,
        LiquidityNetError,
        TokenMaxExceeded,
        TokenMinSubceeded,
        MissingOrInvalidDelegate,
        InvalidPositionTokenAmount,
        InvalidTimestampConversion,
        InvalidTimestamp,
        InvalidTickArraySequence,
        InvalidTokenMintOrder,
        InvalidRewardIndex,
        FeeRateMaxExceeded,
        ProtocolFeeRateMaxExceeded,
        MultiplicationShiftRightOverflow,
        MultiplicationOverflow,
        InvalidSqrtPriceLimitDirection,
        ZeroTradableAmount,
        AmountOutBelowMinimum,
        AmountInAboveMaximum,
        TickArraySequenceInvalidIndex,
        AmountCalcOverflow,
        AmountRemainingOverflow,
        UnsupportedTokenMint,
        RemainingAccountsInvalidSlice,
        FullRangeOnlyPool,
        DifferentWhirlpoolTickArrayAccount,
        PartialFillError,
        SameTickRangeNotAllowed,
    ];

    /// `LiquidityZero` as `LIQUIDITY_ZERO`.
    fn constant_name(variant: &str) -> String {
        let mut name = String::new();
        for character in variant.chars() {
            if character.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(character.to_ascii_uppercase());
        }
        name
    }

    #[test]
    fn numbers_are_those_of_the_interface() {
        for error in ALL {
            let name = constant_name(&format!("{error:?}"));
            assert_eq!(error_code::name(u32::from(error)), Some(name.as_str()));
        }
    }
}
