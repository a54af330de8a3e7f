//! What closing a position now would take.

use ballast_clmm::{SwapMode, SwapStepInput, swap_step};
use ballast_model::{Side, SqrtPrice, value_down};
use ballast_strategy::situation::SituationError;

use crate::{
    figures::Figures,
    position::Unwind,
    text::{amount, signed_amount},
};

/// The base that is left after the debts is sold, or what is missing of it bought, with the liquidity that is active in the pool
/// now: ticks crossed on the way are not known, so that a swap that moves the price far is only the least that it costs.
///
/// # Errors
/// Amounts that are out of range.
pub fn unwind(figures: &Figures) -> Result<Unwind, SituationError> {
    let pool = &figures.market.pool;
    let (base, quote) = (
        figures.market.market.base_decimals,
        figures.market.market.quote_decimals,
    );
    let sells = figures.delta > 0;
    let swapped = u64::try_from(figures.delta.unsigned_abs()).unwrap_or(u64::MAX);
    let fair = value_down(swapped, figures.oracle)?;
    let (mode, input, target) = if sells {
        (SwapMode::ExactIn, Side::Base, SqrtPrice::MIN)
    } else {
        (SwapMode::ExactOut, Side::Quote, SqrtPrice::MAX)
    };
    let step = swap_step(SwapStepInput {
        amount_remaining: swapped,
        mode,
        input,
        fee_rate_ppm: pool.fee_rate_ppm.into(),
        liquidity: pool.liquidity,
        sqrt_price: pool.sqrt_price,
        target,
    });
    let done = step.ok().filter(|step| {
        let moved = if sells {
            step.amount_in.saturating_add(step.fee)
        } else {
            step.amount_out
        };
        moved == swapped
    });
    let cost = done.map(|step| {
        let loss = if sells {
            fair.saturating_sub(step.amount_out.into())
        } else {
            (u128::from(step.amount_in) + u128::from(step.fee)).saturating_sub(fair)
        };
        u64::try_from(loss).unwrap_or(u64::MAX)
    });
    let scale = figures.scale();
    let impact = done.map(|step| {
        let ratio = scale.price(step.sqrt_price) / scale.price(pool.sqrt_price);
        ((ratio - 1.0).abs() * 1e5).round() / 10.0
    });
    Ok(Unwind {
        swap_base: signed_amount(-figures.delta, base),
        cost: cost.map(|cost| amount(cost, quote)),
        impact_bps: impact,
    })
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;

    use super::*;

    fn unwound(dollars: i64, liquidity: u128) -> Unwind {
        let (mut market, position) = (fixtures::snapshot(dollars), fixtures::position());
        fixtures::book_debts(&mut market, &position);
        market.pool.liquidity = liquidity;
        unwind(&Figures::new(&market, market.address, &position).unwrap()).unwrap()
    }

    #[test]
    fn below_the_opening_price_base_is_sold_and_above_it_bought_for_the_fee_and_the_impact() {
        let size = |text: &str| text.parse::<f64>().unwrap();
        for (dollars, sold) in [(195, true), (205, false)] {
            let deep = unwound(dollars, 1 << 62);
            let base = size(&deep.swap_base);
            assert_eq!(base < 0.0, sold, "{deep:?}");
            // 0.04 % of the value.
            let fee = base.abs() * dollars as f64 * 0.000_4;
            let cost = size(deep.cost.as_ref().unwrap());
            assert!((cost / fee - 1.0).abs() < 0.01, "{cost} {fee}");
            assert_eq!(deep.impact_bps, Some(0.0));
            let shallow = unwound(dollars, 1_000_000_000);
            assert!(
                size(shallow.cost.as_ref().unwrap()) > 1.5 * cost,
                "{shallow:?}"
            );
            assert!(shallow.impact_bps.unwrap() > 1.0);
        }
        assert_eq!(unwound(195, 0).cost, None);
    }
}
