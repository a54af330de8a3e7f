//! What can go wrong, with the value that was refused.

use thiserror::Error;

use crate::{Side, SqrtPrice, Tick};

/// Every failure of this crate. Nothing here panics; a value that does not fit is an error, never a wrapped number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClmmError {
    /// A tick index beyond what a Whirlpool can represent.
    #[error(
        "tick {0} is outside {min}..={max}: choose a tick inside these bounds",
        min = Tick::MIN.get(),
        max = Tick::MAX.get()
    )]
    TickOutOfRange(i32),
    /// A Q64.64 square-root price beyond what a Whirlpool can represent.
    #[error(
        "sqrt price {0} (Q64.64) is outside {min}..={max}: check decimals and direction of the price",
        min = SqrtPrice::MIN.x64(),
        max = SqrtPrice::MAX.x64()
    )]
    SqrtPriceOutOfRange(u128),
    /// The lower end of a band is not below its upper end (Q64.64 prices).
    #[error(
        "band is empty: its lower sqrt price {lower} must be below its upper sqrt price {upper}"
    )]
    EmptyBand {
        /// Lower end as given.
        lower: u128,
        /// Upper end as given.
        upper: u128,
    },
    /// A tick spacing of zero.
    #[error("tick spacing is 0: use the spacing stored in the pool, at least 1")]
    ZeroTickSpacing,
    /// An amount does not fit the 64 bits of a token amount.
    #[error("the amount exceeds 64 bits: use less liquidity or a narrower price range")]
    AmountTooLarge,
    /// An intermediate product or a liquidity does not fit 128 bits (or Whirlpool's 192-bit product).
    #[error(
        "liquidity or an intermediate product is too large for Whirlpool's arithmetic: use a smaller amount or a wider band"
    )]
    LiquidityTooLarge,
    /// A price move was asked of a pool without liquidity.
    #[error("liquidity is 0: no amount can move the price, pass the pool's active liquidity")]
    ZeroLiquidity,
    /// At this price the band does not use the token, so that it limits no liquidity.
    #[error("at this price the band holds no {0}: size the liquidity by the other token")]
    SideUnused(Side),
    /// An exact output that the liquidity cannot deliver at any price.
    #[error("output of {amount} {side} exceeds what the active liquidity can pay: ask for less")]
    OutputTooLarge {
        /// Token asked for.
        side: Side,
        /// Raw units asked for.
        amount: u64,
    },
    /// A swap fee of 100 % or more.
    #[error("fee rate {0} (1e-6) must be below 1000000")]
    FeeRateTooHigh(u32),
    /// The target price of a swap step lies against its direction (Q64.64 prices).
    #[error(
        "swap target {target} lies on the wrong side of the current sqrt price {current}: base in lowers the price, quote in raises it"
    )]
    TargetBehindPrice {
        /// Current sqrt price.
        current: u128,
        /// Target as given.
        target: u128,
    },
    /// An addition of token amounts that exceeds 64 bits.
    #[error("sum of {0} amounts exceeds 64 bits")]
    AmountOverflow(Side),
    /// A subtraction of token amounts that would be negative.
    #[error("{0} amount is smaller than what is to be subtracted from it")]
    AmountUnderflow(Side),
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn messages_name_the_value_and_the_bounds() {
        let message = ClmmError::TickOutOfRange(443_637).to_string();
        assert!(
            message.contains("443637") && message.contains("-443636..=443636"),
            "{message}"
        );
        let message = ClmmError::SqrtPriceOutOfRange(1).to_string();
        assert!(
            message.contains("sqrt price 1 ") && message.contains("4295048016"),
            "{message}"
        );
        let message = ClmmError::OutputTooLarge {
            side: Side::Quote,
            amount: 77,
        }
        .to_string();
        assert!(message.contains("77 quote"), "{message}");
    }
}
