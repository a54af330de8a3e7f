//! The accounts that a simulated keeper sees: two reserves, and two prices.

use ballast::state::Reserve;
use ballast_abi::pyth::PriceUpdate;
use ballast_model::Bps;
use ballast_snapshot::Pubkey;
use bytemuck::Zeroable;

use super::START_SECS;
use crate::{ReserveTerms, desk::PLENTY};

/// Prices are published with so many decimals.
const PRICE_DECIMALS: i32 = 8;

/// A reserve that has plenty and, whatever is borrowed, the same rate.
pub(super) fn reserve(side: u8, rate_x64: u128) -> Reserve {
    let mut reserve = Reserve::zeroed();
    reserve.version = Reserve::VERSION;
    reserve.side = side;
    reserve.liquidity = PLENTY;
    (reserve.supply_cap, reserve.borrow_cap) = (u64::MAX, u64::MAX);
    reserve.max_utilisation_bps = Bps::ONE.get();
    let rate = (rate_x64 * u128::from(Bps::ONE.get())).div_ceil(1 << 64);
    let rate = u32::try_from(rate).unwrap_or(u32::MAX);
    reserve.kink_utilisation_bps = 5_000;
    (
        reserve.rate_at_zero_bps,
        reserve.rate_at_kink_bps,
        reserve.rate_at_full_bps,
    ) = (rate, rate, rate);
    reserve
}

/// A reserve with a curve, and a limit for what it lends.
pub(super) fn moving_reserve(side: u8, terms: &ReserveTerms) -> Reserve {
    let mut reserve = reserve(side, 0);
    reserve.max_utilisation_bps = terms.max_utilisation.get();
    let curve = &terms.curve;
    reserve.kink_utilisation_bps = curve.kink_utilisation.get();
    reserve.rate_at_zero_bps = curve.rate_at_zero.get();
    reserve.rate_at_kink_bps = curve.rate_at_kink.get();
    reserve.rate_at_full_bps = curve.rate_at_full.get();
    reserve
}

/// As feeds publish it.
pub(super) fn raw_price(price: f64) -> i64 {
    // `as` saturates.
    (price * 10f64.powi(PRICE_DECIMALS)).round() as i64
}

/// A feed's price at the start.
pub(super) fn price_update(feed: u8, price: f64) -> PriceUpdate {
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id: [feed; 32],
        price: raw_price(price),
        conf: 0,
        exponent: -PRICE_DECIMALS,
        publish_time: START_SECS,
        previous_publish_time: START_SECS - 1,
        ema_price: raw_price(price),
        ema_conf: 0,
        posted_slot: 0,
    }
}
