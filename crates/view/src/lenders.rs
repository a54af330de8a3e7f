//! What lenders may lose: what is lent near liquidation, and what a jump of the price would leave uncovered.

use ballast_model::{
    Amounts, Side, SqrtPrice, Valuation,
    lending::{LendingError, ReserveState, WRITE_OFF_BONUS_PART, uncovered_up},
    value_up,
};
use ballast_snapshot::{MarketSnapshot, SnapshotError};
use ballast_strategy::{prices::PriceFault, situation::SituationError};

use crate::{
    detail::maintenance,
    figures::scale,
    lending::{LenderGap, LendersView, NearDebt, ReserveView},
    moves::moved,
    shown::ShownMarket,
    sums::Line,
    text::{amount, signed_amount},
};

/// Jumps that are shown.
const GAPS_BPS: [i32; 4] = [-2_000, -1_000, 1_000, 2_000];
/// Days of usual movement that are shown.
const NEAR_DAYS: [u32; 2] = [1, 2];

/// Both tokens, as much of each as there may be of a reserve.
#[derive(Clone, Copy, Default)]
struct Both {
    base: u64,
    quote: u64,
}

impl Both {
    fn add(self, more: Amounts) -> Self {
        Self {
            base: self.base.saturating_add(more.base),
            quote: self.quote.saturating_add(more.quote),
        }
    }

    /// What is more than `other`, of each token by itself.
    fn beyond(self, other: Self) -> Self {
        Self {
            base: self.base.saturating_sub(other.base),
            quote: self.quote.saturating_sub(other.quote),
        }
    }

    fn value_up(self, at: SqrtPrice) -> Result<u128, SituationError> {
        Ok(value_up(self.base, at)?.saturating_add(u128::from(self.quote)))
    }
}

/// The view. `unvalued` positions are not among the lines.
///
/// # Errors
/// [`SituationError`].
pub fn lenders(
    version: u64,
    shown: &ShownMarket,
    lines: &[Line],
    unvalued: usize,
) -> Result<LendersView, SituationError> {
    let market = shown.newest;
    let oracle = market.oracle_sqrt_price().map_err(PriceFault::from)?;
    let of_both =
        |of: fn(&ReserveState) -> Result<u64, LendingError>| -> Result<Both, SituationError> {
            Ok(Both {
                base: of_reserve(market, Side::Base, of)?,
                quote: of_reserve(market, Side::Quote, of)?,
            })
        };
    let lent = of_both(ReserveState::total_debt_up)?.value_up(oracle)?;
    let supplied = of_both(ReserveState::total_assets_down)?;
    // Whoever books a loss is paid out of the insurance.
    let insured = of_both(|state| Ok(state.insurance - state.insurance / WRITE_OFF_BONUS_PART))?;
    let words = Words { market };
    Ok(LendersView {
        version,
        price: scale(market).price(oracle),
        sigma_day: shown.sigma_day,
        sigma_state: if shown.sigma_measured {
            "measured"
        } else {
            "assumed"
        },
        reserves: vec![
            ReserveView::new(market, Side::Base, shown.tokens.base)?,
            ReserveView::new(market, Side::Quote, shown.tokens.quote)?,
        ],
        near: NEAR_DAYS
            .into_iter()
            .map(|days| near(&words, lines, oracle, lent, days))
            .collect::<Result<_, _>>()?,
        gaps: GAPS_BPS
            .into_iter()
            .map(|gap_bps| {
                gap(
                    &words,
                    lines,
                    moved(oracle, gap_bps)?,
                    gap_bps,
                    insured,
                    supplied,
                )
            })
            .collect::<Result<_, SituationError>>()?,
        unvalued,
    })
}

fn near(
    words: &Words,
    lines: &[Line],
    oracle: SqrtPrice,
    lent: u128,
    days: u32,
) -> Result<NearDebt, SituationError> {
    let within = |line: &&Line| {
        line.nearest
            .is_some_and(|nearest| nearest.sigma_days <= f64::from(days))
    };
    let close = lines.iter().filter(within);
    let debt = close
        .clone()
        .fold(Both::default(), |sum, line| sum.add(line.model.debt));
    let value = debt.value_up(oracle)?;
    Ok(NearDebt {
        sigma_days: days,
        positions: close.count(),
        debt_base: words.base(debt.base),
        debt_quote: words.quote(u128::from(debt.quote)),
        debt_value: words.quote(value),
        share_bps: share_bps_up(value, lent),
    })
}

fn gap(
    words: &Words,
    lines: &[Line],
    at: SqrtPrice,
    move_bps: i32,
    insured: Both,
    supplied: Both,
) -> Result<LenderGap, SituationError> {
    let maintenance = maintenance(words.market);
    let (mut liquidated, mut insolvent, mut missing) = (0, 0, Both::default());
    for line in lines {
        let value: Valuation = line.model.value(at)?;
        liquidated += usize::from(value.ltv_at_least(maintenance));
        insolvent += usize::from(value.debt > value.assets);
        missing = missing.add(uncovered_up(line.model.debt, &value));
    }
    let lost = missing.beyond(insured).value_up(at)?;
    Ok(LenderGap {
        move_bps,
        price: scale(words.market).price(at),
        positions_liquidated: liquidated,
        positions_insolvent: insolvent,
        shortfall_base: words.base(missing.base),
        shortfall_quote: words.quote(u128::from(missing.quote)),
        shortfall_value: words.quote(missing.value_up(at)?),
        insurance_value: words.quote(insured.value_up(at)?),
        lenders_lose_value: words.quote(lost),
        lenders_lose_bps: share_bps_up(lost, supplied.value_up(at)?),
    })
}

fn of_reserve(
    market: &MarketSnapshot,
    side: Side,
    of: fn(&ReserveState) -> Result<u64, LendingError>,
) -> Result<u64, SituationError> {
    of(&market.reserve_at(side, market.now_secs)?)
        .map_err(|error| SituationError::Snapshot(SnapshotError::Lending { side, error }))
}

/// At most 100 %.
fn share_bps_up(part: u128, whole: u128) -> u32 {
    let share = part.saturating_mul(10_000).div_ceil(whole.max(1));
    share.min(10_000) as u32
}

/// Amounts as the market's tokens write them.
struct Words<'a> {
    market: &'a MarketSnapshot,
}

impl Words<'_> {
    fn base(&self, raw: u64) -> String {
        amount(raw, self.market.market.base_decimals)
    }

    fn quote(&self, raw: u128) -> String {
        let raw = i128::try_from(raw).unwrap_or(i128::MAX);
        signed_amount(raw, self.market.market.quote_decimals)
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;
    use crate::{decision::Tokens, sums::Lines};

    fn view(dollars: i64, sigma_day: f64, change: impl FnOnce(&mut MarketSnapshot)) -> LendersView {
        let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        change(&mut market);
        let shown = ShownMarket {
            on_chain: &market,
            newest: &market,
            tokens: Tokens {
                base: "SOL",
                quote: "USDC",
                decimals: (9, 6),
            },
            sigma_day,
            sigma_measured: true,
        };
        let lines = Lines::new(&market, sigma_day).unwrap();
        let line = lines.line(market.address, &position).unwrap();
        lenders(7, &shown, &[line, line], 0).unwrap()
    }

    fn number(text: &str) -> f64 {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_near_grows_with_the_days_and_is_a_part_of_what_is_lent() {
        // The worked example's nearer boundary is many days of 4 % away, and between one and two of 20 %.
        let calm = view(200, 0.04, |_| ());
        assert_eq!(
            calm.near
                .iter()
                .map(|near| near.positions)
                .collect::<Vec<_>>(),
            [0, 0]
        );
        assert_eq!(calm.near[1].debt_value, "0.000000");
        let wild = view(200, 0.2, |_| ());
        assert_eq!(
            wild.near
                .iter()
                .map(|near| near.positions)
                .collect::<Vec<_>>(),
            [0, 2]
        );
        let near = &wild.near[1];
        let both = 200.0 * number(&near.debt_base) + number(&near.debt_quote);
        assert!((number(&near.debt_value) - both).abs() < 1e-3, "{near:?}");
        // Two of it are counted where one is booked: all that is lent, and not more than all.
        assert_eq!(near.share_bps, 10_000);
    }

    #[test]
    fn a_gap_costs_lenders_what_neither_collateral_nor_insurance_covers() {
        let calm = view(200, 0.04, |_| ());
        for gap in &calm.gaps {
            assert_eq!(
                (gap.positions_insolvent, gap.lenders_lose_bps),
                (0, 0),
                "{gap:?}"
            );
        }
        // At 300, twenty per cent more are beyond everything that it owns.
        let uninsured = view(300, 0.04, |_| ());
        let gap = &uninsured.gaps[3];
        assert_eq!(gap.positions_insolvent, 2, "{gap:?}");
        let missing = gap.price * number(&gap.shortfall_base) + number(&gap.shortfall_quote);
        assert!((number(&gap.shortfall_value) - missing).abs() < 1e-3);
        assert_eq!(gap.lenders_lose_value, gap.shortfall_value);
        assert!(gap.lenders_lose_bps > 0);
        let insured = view(300, 0.04, |market| {
            market.base_reserve.insurance = 1_000_000;
            market.quote_reserve.insurance = 1_000_000;
        });
        let paid = &insured.gaps[3];
        assert_eq!(paid.shortfall_value, gap.shortfall_value);
        let saved = number(&gap.lenders_lose_value) - number(&paid.lenders_lose_value);
        // A tenth of the insurance may go to whoever books the loss.
        let expected = 0.9 * (gap.price * 0.001 + 1.0);
        assert!((saved - expected).abs() < 1e-3, "{saved} {expected}");
    }
}
