//! Moving a position to another band: out of the pool, and into it anew.

use ballast_clmm::{Amounts, SqrtPrice};
use ballast_model::{Bps, worth_down};

use crate::{Ledger, LedgerError, Swapped, grow, grow::leverage_within, mix, settle};

/// What a position is to be in its new band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecenterTerms {
    /// The oracle's price, at which it is hedged.
    pub oracle: SqrtPrice,
    /// The owner's leverage.
    pub leverage: Bps,
    /// The market's largest position, raw quote units. One that the price, or a limit that came later, has made larger is moved all
    /// the same, but grows no further: it enters with less leverage.
    pub max_value: u64,
    /// Base debt over the pool's base afterwards.
    pub hedge: Bps,
    /// Part of the full base amount by which the hedge may be off without a swap.
    pub near: Bps,
    /// Largest loss of the swap.
    pub max_loss: Bps,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recentered {
    /// The fees collected.
    pub fees: Amounts,
    /// Their value at the oracle's price.
    pub fees_worth: u128,
    /// The swap.
    pub swapped: Swapped,
    /// Liquidity provided.
    pub liquidity: u128,
}

/// Withdraws everything, collects the fees, repays what that pays for, has `move_band` move the empty position, swaps exactly the
/// hedge error (MATH section 4), borrows, and provides up to the leverage. What is borrowed anew is not bound by the reserves' caps.
/// `assets` are those at the oracle's price before.
///
/// # Errors
/// Those of [`Ledger::withdraw`], [`Ledger::collect`], `move_band`, [`mix`] and [`grow()`].
pub fn recenter<L: Ledger>(
    ledger: &mut L,
    assets: u128,
    terms: &RecenterTerms,
    move_band: impl FnOnce(&mut L) -> Result<(), L::Error>,
) -> Result<Recentered, L::Error> {
    ledger.refinance()?;
    let liquidity = ledger.liquidity();
    if liquidity > 0 {
        ledger.withdraw(liquidity)?;
    }
    let fees = ledger.collect()?;
    let fees_worth = worth_down(fees, terms.oracle).map_err(LedgerError::from)?;
    settle(ledger)?;
    move_band(ledger)?;

    let most = u128::from(terms.max_value).max(assets.saturating_add(fees_worth));
    let leverage = leverage_within(terms.leverage, equity(ledger)?, most);
    let asked = (leverage, terms.hedge);
    let swapped = mix(ledger, asked, terms.near, terms.oracle, terms.max_loss)?;
    // Bought base repays first, so that the loans that follow are as small as can be.
    settle(ledger)?;
    // In a shallow pool the swap has moved the price at which it is measured.
    let leverage = leverage_within(leverage, equity(ledger)?, most);
    Ok(Recentered {
        fees,
        fees_worth,
        swapped,
        liquidity: grow(ledger, leverage, u128::MAX)?,
    })
}

/// Equity at the pool's price, none below zero.
fn equity<L: Ledger>(ledger: &L) -> Result<u128, L::Error> {
    let value = ledger.position()?.value(ledger.pool_price()?);
    let equity = value.map_err(LedgerError::from)?.equity();
    Ok(u128::try_from(equity).unwrap_or(0))
}
