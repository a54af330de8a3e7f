//! What opening or increasing a position comes to, and what the program is held to.

use std::ops::Deref;

use anyhow::Result;
use ballast_client::{Amounts, MarketSnapshot, Side, Trade};
use ballast_model::{Bps, TargetError, base_for_value_up, worth_down};
pub use ballast_simulator::growth::Wanted;
use ballast_simulator::growth::{Grown, GrowthError, grown};
use ballast_view::TokenNames;

use crate::{acting::trade_of, format::times, trouble::misuse};

/// What the program makes of what is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Growth(Grown);

/// What the program is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub min_liquidity: u128,
    pub max_debt: Amounts,
}

impl Bounds {
    /// None at all: to see what would happen.
    pub const NONE: Self = Self {
        min_liquidity: 0,
        max_debt: Amounts {
            base: u64::MAX,
            quote: u64::MAX,
        },
    };
}

impl Deref for Growth {
    type Target = Grown;

    fn deref(&self) -> &Grown {
        &self.0
    }
}

impl Growth {
    /// Tries it out.
    ///
    /// # Errors
    /// What the program would refuse, with the amounts that are in the way.
    pub fn new(snapshot: &MarketSnapshot, wanted: &Wanted) -> Result<Self> {
        let names = TokenNames::of(&snapshot.market);
        let grown = grown(snapshot, wanted);
        grown.map(Self).map_err(|error| in_tokens(error, &names))
    }

    /// Which way it trades, or would if it did not leave so little alone.
    pub fn trade(&self) -> Trade {
        trade_of(self.surplus)
    }

    /// What is traded first, in words.
    pub fn told_swap(&self, names: &TokenNames) -> String {
        let base = names
            .tokens()
            .amount(Side::Base, self.swapped.unsigned_abs());
        match self.swapped {
            0 => "nothing".into(),
            1.. => format!("sell {base}"),
            _ => format!("buy {base}"),
        }
    }

    /// What the program is held to, if the result may differ from the plan by so much of all that the position holds then.
    ///
    /// # Errors
    /// Amounts that are out of range.
    pub fn bounds(&self, slippage: Bps) -> Result<Bounds> {
        let room = |side| self.room(side, slippage);
        let debt = self.after.debt;
        let liquidity = self.after.liquidity;
        let less = slippage.of_up(liquidity).unwrap_or(liquidity);
        // Where little is added to much, half of it at least.
        let less = less.min(self.added / 2);
        Ok(Bounds {
            min_liquidity: self.added.saturating_sub(less),
            max_debt: Amounts {
                base: debt.base.saturating_add(room(Side::Base)?),
                quote: debt.quote.saturating_add(room(Side::Quote)?),
            },
        })
    }

    /// The least slippage, in whole basis points, within whose bounds such a result is; `None`: there is none.
    ///
    /// # Errors
    /// Amounts that are out of range.
    pub fn sufficient(&self, added: u128, debt: Amounts) -> Result<Option<Bps>> {
        let suffices = |bps| -> Result<bool> {
            let bounds = self.bounds(Bps::new(bps))?;
            let most = bounds.max_debt;
            Ok(added >= bounds.min_liquidity && debt.base <= most.base && debt.quote <= most.quote)
        };
        // The bounds grow with the slippage, which is below 100 %.
        let (mut too_little, mut enough) = (0, Bps::ONE.get() - 1);
        if !suffices(enough)? {
            return Ok(None);
        }
        while enough - too_little > 1 {
            let middle = u32::midpoint(too_little, enough);
            match suffices(middle)? {
                true => enough = middle,
                false => too_little = middle,
            }
        }
        Ok(Some(Bps::new(enough)))
    }

    /// A part of all that the position holds then, in one token, and two units for rounding.
    fn room(&self, side: Side, slippage: Bps) -> Result<u64> {
        let at = self.pool_price;
        let held = self.after.pool_amounts_down(at)?;
        let worth = worth_down(held.checked_add(self.after.idle)?, at)?;
        let part = slippage.of_up(worth).unwrap_or(u128::MAX);
        let part = match side {
            Side::Quote => u64::try_from(part).ok(),
            Side::Base => base_for_value_up(part, at).ok(),
        };
        Ok(part.unwrap_or(u64::MAX).saturating_add(2))
    }
}

/// What does not grow, in whole tokens.
fn in_tokens(error: GrowthError, names: &TokenNames) -> anyhow::Error {
    let tokens = names.tokens();
    let quote = |value: u128| tokens.amount(Side::Quote, value);
    match error {
        GrowthError::Target(TargetError::NotAffordable {
            hedge_value,
            debt_allowed,
            leverage,
        }) => misuse!(
            "hedge not affordable: the {} to borrow is worth {}, but leverage {} allows debt of only {}: raise --leverage, \
             lower the hedge or move the range down",
            names.get(Side::Base),
            quote(hedge_value),
            times(leverage.get().into()),
            quote(debt_allowed)
        )
        .into(),
        GrowthError::Target(TargetError::TooSmall(equity)) => misuse!(
            "own funds worth {} are too small for this range: add funds",
            quote(equity)
        )
        .into(),
        GrowthError::Capped { side, amount } => {
            let loan = tokens.amount(side, amount.into());
            anyhow::Error::new(error).context(format!(
                "lenders of {} do not lend {loan} more: pass less leverage or less funds, or wait for repayments",
                names.get(side)
            ))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters::{SOL_USD_FEED, USDC_USD_FEED};
    use ballast_client::{Bps, default_policy};
    use ballast_model::{Band, Position, Tick};
    use ballast_strategy::fixtures;

    use super::*;

    /// 100 USDC three times between two ticks, at the pool's price, so many basis points from the oracle's.
    fn wanted(snapshot: &MarketSnapshot, pool_off_bps: i32) -> Wanted {
        let at = snapshot.pool.sqrt_price;
        let near = at.tick().get();
        let band = [-500, 500].map(|far| Tick::new(near + far).unwrap());
        Wanted {
            model: Position {
                band: Band::new(band[0], band[1]).unwrap(),
                liquidity: 0,
                idle: Amounts::new(0, 100_000_000),
                debt: Amounts::ZERO,
            },
            shares: [0; 2],
            leverage: Bps::new(30_000),
            policy: default_policy(&snapshot.market.limits, 400),
            oracle: Tick::new(near - pool_off_bps).unwrap().sqrt_price(),
        }
    }

    fn snapshot() -> MarketSnapshot {
        let mut snapshot = fixtures::snapshot(200);
        let market = &mut snapshot.market;
        (market.base_feed, market.quote_feed) = (SOL_USD_FEED, USDC_USD_FEED);
        snapshot
    }

    #[test]
    fn a_small_difference_from_the_hedge_is_left_alone_and_a_large_one_is_traded() {
        let snapshot = snapshot();
        let names = TokenNames::of(&snapshot.market);
        let grown = |off| Growth::new(&snapshot, &wanted(&snapshot, off)).unwrap();
        assert_eq!(grown(4).told_swap(&names), "nothing");
        assert_eq!(grown(4).after, grown(0).after);
        // Below the pool's price the oracle sees more base in the pool: more is borrowed, and sold.
        let told = grown(80).told_swap(&names);
        assert!(
            told.starts_with("sell 0.") && told.ends_with(" SOL"),
            "{told}"
        );
        assert!(grown(-80).told_swap(&names).starts_with("buy 0."));
        assert_eq!(grown(-80).trade(), Trade::BuyBase);
    }

    #[test]
    fn bounds_are_a_part_of_all_and_the_least_that_suffices_is_found() {
        let snapshot = snapshot();
        let growth = Growth::new(&snapshot, &wanted(&snapshot, 0)).unwrap();
        let debt = growth.after.debt;
        let bounds = growth.bounds(Bps::new(50)).unwrap();
        // Half a per cent of 300.
        let room = bounds.max_debt.quote - debt.quote;
        assert!((1_499_000..=1_500_100).contains(&room), "{room}");
        let room = (bounds.max_debt.base - debt.base) as f64 * 200e-9;
        assert!((room - 1.5).abs() < 0.01, "{room}");
        let less = growth.added - bounds.min_liquidity;
        assert!((growth.added / 200..=growth.added / 200 + 1).contains(&less));

        let enough = |added, debt| growth.sufficient(added, debt).unwrap();
        assert_eq!(enough(growth.added, debt), Some(Bps::new(1)));
        let more = Amounts::new(debt.base, bounds.max_debt.quote);
        assert_eq!(enough(growth.added, more), Some(Bps::new(50)));
        let more = Amounts::new(debt.base, bounds.max_debt.quote + 1);
        assert_eq!(enough(growth.added, more), Some(Bps::new(51)));
        assert_eq!(enough(0, Amounts::new(0, u64::MAX)), None);
    }

    #[test]
    fn what_does_not_grow_is_told_in_tokens() {
        let snapshot = snapshot();
        let high = Wanted {
            leverage: Bps::new(11_000),
            ..wanted(&snapshot, 0)
        };
        let error = Growth::new(&snapshot, &high).unwrap_err().to_string();
        for part in [
            "the SOL to borrow",
            " USDC, but leverage 1.10x",
            "only 10.000000 USDC",
        ] {
            assert!(error.contains(part), "{error}");
        }
        let mut poor = snapshot.clone();
        poor.base_reserve.borrow_cap = 1;
        let wanted = wanted(&poor, 0);
        let error = Growth::new(&poor, &wanted).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("lenders of SOL do not lend 0."), "{told}");
        assert_eq!(crate::trouble::kind(&error), crate::trouble::Kind::Refused);
    }
}
