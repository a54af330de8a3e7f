//! Whatever the numbers, everything answers or refuses; nothing panics.

use crate::common;

use ballast_model::lending::{INDEX_ONE_X64, MAX_INDEX_X64, RateCurve, ReserveState};
use ballast_model::{
    Amounts, Band, Bps, OpenRequest, Position, SqrtPrice, Tick, plan_deleverage, plan_liquidation,
    plan_open, plan_rehedge,
};
use common::{config, sqrt_price};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(20_000))]

    /// Whatever the numbers, plans answer or refuse; they do not panic.
    #[test]
    fn nothing_panics(
        liquidity: u128, shift in 0u32..128, amounts: [u64; 6], ticks: [i32; 2], prices: [u128; 2], bps: [u32; 4],
    ) {
        let tick = |tick: i32| Tick::new(tick.clamp(Tick::MIN.get(), Tick::MAX.get())).unwrap();
        let Ok(band) = Band::new(tick(ticks[0].min(ticks[1]) >> (shift % 16)), tick(ticks[0].max(ticks[1]) >> (shift % 16))) else {
            return Ok(());
        };
        let price = |x64: u128| sqrt_price((x64 >> shift).clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64()));
        let (oracle, pool) = (price(prices[0]), price(prices[1]));
        let amount = |index: usize| amounts[index] >> (shift / 2);
        let position = Position {
            band,
            liquidity: liquidity >> shift,
            idle: Amounts { base: amount(0), quote: amount(1) },
            debt: Amounts { base: amount(2), quote: amount(3) },
        };
        let ratio = |index: usize| Bps::new(bps[index] >> (shift / 4));
        let _ = position.value(oracle).map(|value| (value.ltv_bps_up(), value.leverage_bps_up(), value.equity()));
        let _ = (position.gamma_per_percent_up(oracle), position.hedge_error(oracle, ratio(0)), position.full_quote_up());
        let _ = (position.grown(liquidity, prices[0]), plan_rehedge(&position, oracle, ratio(0)));
        if let Ok(plan) = plan_deleverage(&position, oracle, pool, ratio(1)) {
            let after = plan.apply(&position).unwrap();
            prop_assert!(!after.value(oracle).unwrap().ltv_above(ratio(1)));
        }
        if let Ok(plan) = plan_liquidation(&position, oracle, ratio(1), ratio(2)) {
            plan.apply(&position).unwrap();
        }
        let own = Amounts { base: amount(4), quote: amount(5) };
        let _ = plan_open(OpenRequest { own, leverage: ratio(3), hedge: ratio(0), band, at: oracle });
    }

    /// The same at the very ends of every type.
    #[test]
    fn nothing_panics_at_the_ends(
        liquidity in prop_oneof![Just(0), Just(1), Just(u128::MAX), Just(1u128 << 64), Just(1 << 96)],
        amounts in [(); 6].map(|()| prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(1u64 << 63)]),
        prices in [(); 2].map(|()| prop_oneof![
            Just(SqrtPrice::MIN), Just(SqrtPrice::MAX), Just(SqrtPrice::ONE),
        ]),
        ticks in prop_oneof![
            Just((-443_636, 443_636)), Just((443_635, 443_636)), Just((-443_636, -443_635)), Just((0, 1)),
        ],
        bps in [(); 4].map(|()| prop_oneof![Just(0), Just(1), Just(9_999), Just(10_000), Just(u32::MAX)]),
    ) {
        let band = Band::new(Tick::new(ticks.0).unwrap(), Tick::new(ticks.1).unwrap()).unwrap();
        let position = Position {
            band,
            liquidity,
            idle: Amounts { base: amounts[0], quote: amounts[1] },
            debt: Amounts { base: amounts[2], quote: amounts[3] },
        };
        let ratio = |index: usize| Bps::new(bps[index]);
        let [oracle, pool] = prices;
        let _ = position.value(oracle).map(|value| (value.ltv_bps_up(), value.leverage_bps_up(), value.equity()));
        let _ = (position.gamma_per_percent_up(oracle), position.hedge_error(oracle, ratio(0)), position.full_quote_up());
        let _ = (position.boundaries(ratio(1)), position.equity_boundaries(i128::MIN), position.equity_boundaries(i128::MAX));
        let _ = (position.hedge_boundaries(ratio(0), amounts[4]), plan_rehedge(&position, oracle, ratio(0)));
        if let Ok(plan) = plan_deleverage(&position, oracle, pool, ratio(1)) {
            let after = plan.apply(&position).unwrap();
            prop_assert!(!after.value(oracle).unwrap().ltv_above(ratio(1)));
        }
        if let Ok(plan) = plan_liquidation(&position, oracle, ratio(1), ratio(2)) {
            plan.apply(&position).unwrap();
        }
        let own = Amounts { base: amounts[4], quote: amounts[5] };
        let _ = plan_open(OpenRequest { own, leverage: ratio(3), hedge: ratio(0), band, at: oracle });
    }

    /// Whatever the numbers, a reserve answers or refuses.
    #[test]
    fn no_reserve_panics(
        numbers: [u64; 6], index in prop_oneof![INDEX_ONE_X64..=MAX_INDEX_X64, any::<u128>()], shares: u128, shift in 0u32..128,
        times: [i64; 2], bps: [u32; 5],
    ) {
        let state = ReserveState {
            liquidity: numbers[0] >> (shift / 2),
            borrow_index_x64: index,
            debt_shares: shares >> shift,
            supply_shares: numbers[1] >> (shift / 2),
            insurance: numbers[2] >> (shift / 2),
            last_accrual_secs: times[0],
        };
        let curve = RateCurve {
            kink_utilisation: Bps::new(bps[0]),
            rate_at_zero: Bps::new(bps[1]),
            rate_at_kink: Bps::new(bps[2]),
            rate_at_full: Bps::new(bps[3]),
        };
        let _ = { state }.accrue(times[1], &curve, Bps::new(bps[4]));
        let _ = { state }.deposit(numbers[3]);
        let _ = { state }.redeem(numbers[3]);
        let _ = { state }.fund_insurance(numbers[3]);
        let _ = { state }.cover(numbers[3], numbers[4]);
        let _ = { state }.borrow(numbers[4]);
        let _ = { state }.repay(numbers[4], shares >> (shift / 3));
        let _ = { state }.write_off(shares >> (shift / 3));
        let _ = (state.borrow_rate_bps_up(&curve), state.supply_rate_bps_down(&curve, Bps::new(bps[4])));
    }
}
