//! Errors of the program. Each says what was wrong and what to do about it.

use anchor_lang::prelude::*;

/// Errors of the program; the codes start at 6000 in this order and never change: new ones go to the end.
#[error_code]
pub enum BallastError {
    // Arguments
    /// Zero amount.
    #[msg("The amount is zero; pass a positive amount")]
    ZeroAmount,
    /// Arithmetic left its range.
    #[msg(
        "An amount, price or liquidity is out of range; use smaller amounts or a price range nearer to the market"
    )]
    OutOfRange,
    /// Refused parameters.
    #[msg("These parameters are refused; the log names the rule they break")]
    BadParameters,
    /// Refused policy.
    #[msg("This policy is refused; the log names the rule it breaks")]
    BadPolicy,
    /// Result outside the caller's bounds.
    #[msg("The result is outside the bounds you gave; quote again and resend, or widen them")]
    SlippageExceeded,

    // Accounts
    /// Not the owner.
    #[msg("The signer is not the owner of this position")]
    NotOwner,
    /// Not the authority.
    #[msg("The signer is neither this market's authority nor, for tightening, its guardian")]
    NotAuthority,
    /// Foreign reserve.
    #[msg("This reserve belongs to another market or side; pass the market's own reserves")]
    WrongReserve,
    /// Foreign vault, mint or share mint.
    #[msg("This vault, mint or share mint is not the reserve's own")]
    WrongReserveAccount,
    /// Foreign position account.
    #[msg(
        "This account does not belong to the position, or the position belongs to another market"
    )]
    WrongPositionAccount,
    /// Foreign pool account.
    #[msg("This pool, pool vault or pool program is not the market's own")]
    WrongPool,
    /// Not a Whirlpool account.
    #[msg(
        "The account is not what the Whirlpool program should own here; pass the market's own pool and the position's own accounts"
    )]
    MalformedPoolAccount,
    /// Unusable token program.
    #[msg("The token program does not own the mint; pass the program that does")]
    WrongTokenProgram,
    /// Unusable token account.
    #[msg("The token account has the wrong mint or owner")]
    WrongTokenAccount,
    /// Unsupported mint.
    #[msg(
        "This mint has extensions that change balances or block transfers (transfer fee, hook, permanent delegate, ...); they are not supported"
    )]
    UnsupportedMint,
    /// Unknown layout version.
    #[msg("The account was written by another version of the program; migrate it first")]
    WrongVersion,

    // Prices
    /// Wrong owner of a price account.
    #[msg("The price account is not owned by the market's price receiver")]
    PriceWrongOwner,
    /// Not a full price update.
    #[msg(
        "The price account is not a fully verified price update; post one with full verification"
    )]
    PriceNotFull,
    /// Wrong feed.
    #[msg("The price account is of another feed")]
    PriceWrongFeed,
    /// Unusable number.
    #[msg("The price is not positive, or its exponent or confidence is out of range")]
    PriceMalformed,
    /// Too old.
    #[msg("The price is too old for this action; post a newer one")]
    PriceStale,
    /// In the future.
    #[msg("The price's publish time lies in the future")]
    PriceFromFuture,
    /// Older than one already used.
    #[msg("A newer price has been used in this market already; post that one or a newer one")]
    PriceReplayed,
    /// Confidence interval too wide.
    #[msg("The price's confidence interval is too wide for this action; wait until it narrows")]
    PriceTooWide,
    /// Far from its moving average.
    #[msg(
        "The price is too far from its moving average for actions that add risk; wait until it settles"
    )]
    PriceDiverged,
    /// Pool and oracle disagree.
    #[msg("The pool's price is too far from the oracle's for this action; wait for arbitrage")]
    PoolDiverged,

    // Risk
    /// Market is not open for this.
    #[msg("The market's mode does not allow this action now")]
    ModeForbids,
    /// Leverage above the market's cap.
    #[msg("Leverage would exceed the market's cap; use less leverage or more own funds")]
    LeverageTooHigh,
    /// LTV above the initial limit.
    #[msg(
        "LTV would exceed the initial limit at the oracle's or the pool's price; use less leverage or repay"
    )]
    InitialLtvExceeded,
    /// Not safe at the stress distance.
    #[msg(
        "LTV would reach maintenance within the market's stress distance; use less leverage or a wider range"
    )]
    StressLtvExceeded,
    /// Hedge error after the action is outside the target.
    #[msg("The hedge error would be outside the policy's target; hedge it in the same transaction")]
    DeltaOutsideTarget,
    /// Position too large or too small.
    #[msg("The position's value is outside the market's size limits")]
    PositionSize,
    /// Hedge not affordable.
    #[msg(
        "This hedge needs more borrowed base than the leverage gives; use more leverage, a lower hedge ratio or another range"
    )]
    HedgeNotAffordable,
    /// Still owed.
    #[msg("The position still owes tokens: allow more to be paid in (max_pay), or repay first")]
    DebtRemains,

    // Keeper actions
    /// Keeper switched off.
    #[msg("The owner has switched keepers off for this position")]
    KeeperDisabled,
    /// Delta inside its band.
    #[msg("The hedge error is inside the policy's band: nothing to rehedge")]
    RehedgeNotDue,
    /// Too soon.
    #[msg("The last rehedge was too recent; wait for the minimum interval")]
    TooSoon,
    /// The swap lost too much.
    #[msg(
        "The swap would lose more against the oracle's price than the cap allows; wait for a better pool price"
    )]
    SwapLossTooHigh,
    /// Rehedge would push LTV over the trigger.
    #[msg("The rehedge would raise LTV above the deleverage trigger; deleverage first")]
    RehedgeRaisesLtv,
    /// LTV below the trigger.
    #[msg("LTV is below the deleverage trigger: nothing to deleverage")]
    DeleverageNotDue,
    /// A deleverage that would not lower LTV.
    #[msg(
        "The deleverage would not lower LTV; deleverage with a swap, close or wait for liquidation"
    )]
    LtvNotLowered,
    /// Healthy.
    #[msg("LTV is below maintenance: the position cannot be liquidated")]
    NotLiquidatable,

    // Reserves
    /// Not enough in the vault.
    #[msg("The reserve has not enough liquidity; try less or wait for repayments")]
    InsufficientLiquidity,
    /// Supply cap.
    #[msg("The deposit would exceed the reserve's supply cap")]
    SupplyCapExceeded,
    /// Borrow or utilisation cap.
    #[msg("The loan would exceed the reserve's borrow cap or its utilisation limit")]
    BorrowCapExceeded,
    /// Rounds to nothing.
    #[msg("The amount rounds to nothing at the current index; use a larger amount")]
    RoundsToZero,

    // External calls
    /// An external program moved other amounts than it should.
    #[msg("The pool moved other amounts than expected; nothing was changed")]
    UnexpectedBalance,
    /// Invariant broken.
    #[msg("An internal invariant does not hold; nothing was changed. Please report this")]
    InvariantBroken,

    // Automation
    /// The price is inside the band and not at its edge.
    #[msg("The price is not at the edge of the band: nothing to recenter")]
    RecenterNotDue,
    /// The band asked for is not around the price.
    #[msg(
        "The new band is not centred on the oracle's price; choose ticks at the same distance from it"
    )]
    RecenterOffCentre,
    /// The band asked for is too narrow or too wide.
    #[msg("The new band's width is outside the owner's bounds")]
    WidthOutOfBounds,
    /// No liquidity.
    #[msg("The position has no liquidity in the pool; close it or increase it")]
    NoLiquidity,
    /// The daily loss is used up.
    #[msg(
        "The action would lose more than is left of what keepers may lose of this position; wait, or let the owner act"
    )]
    DailyLossExceeded,
    /// No edge or floor reached.
    #[msg("Neither an edge of the price window nor the equity floor is reached: no exit is due")]
    ExitNotDue,
    /// Fees too small.
    #[msg("The fees are worth less than the policy compounds: nothing to do yet")]
    CompoundNotDue,

    // Administration
    /// Nothing announced.
    #[msg("No change is announced; announce one first")]
    NothingAnnounced,
    /// Notice not over.
    #[msg("The announced change takes effect later; try again when its notice is over")]
    NoticeNotOver,
    /// Not the one who was named.
    #[msg("The signer is not the one to whom this was offered; ask for it to be offered again")]
    NotOffered,
    /// Guardian has to rest.
    #[msg(
        "The guardian has paused this market lately; until its rest is over only the authority can"
    )]
    GuardianRests,
    /// More than the bad debt.
    #[msg("There is less bad debt than that; pass at most what is booked")]
    NotThatMuchBadDebt,
    /// No reward to take back.
    #[msg("The position holds fewer lamports beyond its rent than that")]
    RewardTooSmall,

    // Safety net
    /// The moving average does not confirm what the price says.
    #[msg(
        "The price's moving average does not confirm it yet; deleverage, or wait until it follows"
    )]
    NoSecondWitness,
    /// Less than `min_gain` or `min_received`.
    #[msg(
        "It would bring less than the least that was asked for (min_gain, min_received); nothing was changed"
    )]
    GainTooSmall,
    /// The owner, or the owner's first keepers, have not had their time yet.
    #[msg(
        "The owner, or keepers that the owner named, go first; try again when their head start is over"
    )]
    FirstKeepersTurn,
    /// The pool program has changed more than balances.
    #[msg("An external program has changed who may use the position's tokens; nothing was changed")]
    AccountTampered,
    /// The oracle still speaks.
    #[msg("The market has had a price within the last week: nothing is settled")]
    NotSilentLongEnough,
    /// Nothing to show.
    #[msg("The position's collateral covers its debts and no loss is shown: nothing to show")]
    NoLossToShow,
    /// Nothing to pay with.
    #[msg(
        "Neither max_pay nor the wallet's tokens pay for any part of it; allow or bring more of the token that is short"
    )]
    NothingToPayWith,
    /// Nothing owed.
    #[msg("The position owes nothing: there is nothing to settle, and its owner can close it")]
    NothingOwed,
    /// Fee not known beforehand.
    #[msg(
        "The pool's fee moves with volatility, so that no loss can be bounded beforehand; take a pool with a fixed fee"
    )]
    AdaptiveFee,
    /// A settlement that takes the position out of the pool leaves its owner a day.
    #[msg(
        "In a settlement's first day only the owner brings what is missing, and only where all debts are covered; try again when the day is over"
    )]
    SettlementFirstDay,
}
