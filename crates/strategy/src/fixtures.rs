//! The worked example of MATH section 2 as accounts, for tests: 100 USDC at 200, leverage 3, band 190 to 210.

use ballast::state::{
    Automation, KeeperRules, Limits, Market, MarketMode, OracleRules, Policy, Position, Reserve,
    StageRules,
};
use ballast_abi::pyth::PriceUpdate;
use ballast_model::{
    Amounts, Band, Bps, OpenRequest, SqrtPrice, Tick, lending::INDEX_ONE_X64, oracle::FeedPrice,
    oracle::sqrt_price_down, plan_open,
};
use ballast_snapshot::Pubkey;
use ballast_snapshot::{MarketSnapshot, PoolState};
use bytemuck::Zeroable;

use crate::{
    Tokens,
    situation::{Outlook, Situation},
};

/// The cluster's time, Unix seconds.
pub const NOW: i64 = 1_700_000_000;
/// A number that looks random, from its place.
pub fn scattered(n: u64) -> u64 {
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// An address that looks random, from its place.
pub fn scattered_key(n: u64) -> Pubkey {
    let mut bytes = [0; 32];
    for (part, bytes) in (0..).zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&scattered(4 * n + part).to_le_bytes());
    }
    Pubkey::new_from_array(bytes)
}

/// What a market holds of feeds that have spoken; the price itself is stored beside it.
pub fn known_prices() -> [u64; 2] {
    let price = FeedPrice {
        price: 1,
        exponent: 0,
    };
    [price.packed(); 2]
}

/// The slot.
pub const SLOT: u64 = 1_000;
/// Who would sign.
pub const KEEPER: Pubkey = Pubkey::new_from_array([9; 32]);
/// Whose the position is.
pub const OWNER: Pubkey = Pubkey::new_from_array([8; 32]);
/// Ticks nearest to 190 and 210 USDC per SOL.
pub const TICKS: [i32; 2] = [-16_608, -15_608];
/// How its tokens are called.
pub const TOKENS: Tokens<'static> = Tokens {
    base: "SOL",
    quote: "USDC",
    decimals: (9, 6),
};

/// A fresh price in 1e-8 dollars, of the feed whose id repeats a byte.
pub fn price_update(price: i64, feed: u8) -> PriceUpdate {
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id: [feed; 32],
        price,
        conf: price.unsigned_abs() / 10_000,
        exponent: -8,
        publish_time: NOW - 1,
        previous_publish_time: NOW - 2,
        ema_price: price,
        ema_conf: 0,
        posted_slot: SLOT,
    }
}

/// The square-root price at so many cents per SOL.
pub fn sqrt_price_cents(cents: i64) -> SqrtPrice {
    let feed = |price| FeedPrice {
        price,
        exponent: -2,
    };
    sqrt_price_down(feed(cents), feed(100), 9, 6).unwrap()
}

/// The market's rules.
pub fn market() -> Market {
    let mut market = Market::zeroed();
    market.version = Market::VERSION;
    market.mode = MarketMode::Normal as u8;
    market.mode_until_secs = i64::MAX;
    market.base_decimals = 9;
    market.quote_decimals = 6;
    market.tick_spacing = 4;
    market.base_feed = [1; 32];
    market.quote_feed = [2; 32];
    market.limits = Limits {
        max_position_value: u64::MAX,
        min_position_value: 1,
        max_leverage_bps: 40_000,
        initial_ltv_bps: 7_500,
        deleverage_ltv_bps: 7_800,
        maintenance_ltv_bps: 8_300,
        target_ltv_bps: 7_000,
        liquidation_bonus_bps: 500,
        stress_distance_bps: 500,
        max_pool_deviation_bps: 200,
        max_swap_loss_bps: 100,
        min_rebalance_interval_secs: 60,
    };
    market.keepers = KeeperRules {
        max_reward_lamports: 1_000_000,
        max_daily_loss_bps: 100,
        min_recenter_interval_secs: 60,
    };
    market.stages = StageRules {
        silence_secs: 60,
        long_silence_secs: 300,
        persistence_secs: 60,
        calm_secs: 600,
        max_age_stalled_secs: 3_600,
        deleverage_ltv_bps: 7_500,
        target_ltv_bps: 6_800,
        ..StageRules::default()
    };
    market.oracle_rules = OracleRules {
        max_age_tight_secs: 30,
        max_age_loose_secs: 120,
        max_confidence_tight_bps: 50,
        max_confidence_loose_bps: 200,
        max_ema_divergence_bps: 300,
        max_future_secs: 5,
    };
    market
}

/// A reserve that has plenty and lends none.
pub fn reserve(side: u8) -> Reserve {
    let mut reserve = Reserve::zeroed();
    reserve.version = Reserve::VERSION;
    reserve.side = side;
    reserve.borrow_index_x64 = INDEX_ONE_X64.into();
    reserve.liquidity = 1_000_000_000_000_000;
    reserve.supply_cap = u64::MAX;
    reserve.borrow_cap = u64::MAX;
    reserve.max_utilisation_bps = 9_500;
    reserve.last_accrual_secs = NOW;
    reserve.rate_at_zero_bps = 100;
    reserve.kink_utilisation_bps = 8_000;
    reserve.rate_at_kink_bps = 1_000;
    reserve.rate_at_full_bps = 20_000;
    reserve
}

/// The owner's policy.
pub fn policy() -> Policy {
    Policy {
        hedge_bps: 10_000,
        delta_band_bps: 2_000,
        delta_target_bps: 200,
        deleverage_trigger_ltv_bps: 7_600,
        deleverage_target_ltv_bps: 7_000,
        max_swap_loss_bps: 50,
        min_rebalance_interval_secs: 0,
        keeper_enabled: 1,
    }
}

/// A market at `dollars` per SOL, pool and oracle alike.
pub fn snapshot(dollars: i64) -> MarketSnapshot {
    MarketSnapshot {
        slot: SLOT,
        now_secs: NOW,
        address: Pubkey::new_from_array([7; 32]),
        market: market(),
        base_reserve: reserve(0),
        quote_reserve: reserve(1),
        pool: PoolState {
            sqrt_price: sqrt_price_cents(dollars * 100),
            tick_current: sqrt_price_cents(dollars * 100).tick().get(),
            liquidity: 1_000_000_000_000_000,
            fee_rate_ppm: 400,
            has_adaptive_fee: false,
            touched_secs: 0,
            fee_growth_x64: [0; 2],
        },
        base_price: price_update(dollars * 100_000_000, 1),
        quote_price: price_update(100_000_000, 2),
    }
}

/// The debt shares of an amount at index 1.
pub fn shares(amount: u64) -> u128 {
    u128::from(amount) << ballast_model::lending::DEBT_SHARE_BITS
}

/// The worked example's position as it is right after opening at 200.
pub fn position() -> Position {
    let [lower, upper] = TICKS.map(|tick| Tick::new(tick).unwrap());
    let plan = plan_open(OpenRequest {
        own: Amounts {
            base: 0,
            quote: 100_000_000,
        },
        leverage: Bps::new(30_000),
        hedge: Bps::ONE,
        band: Band::new(lower, upper).unwrap(),
        at: sqrt_price_cents(20_000),
    })
    .unwrap();
    let mut position = Position::zeroed();
    position.version = Position::VERSION;
    position.owner = OWNER;
    [position.tick_lower, position.tick_upper] = TICKS;
    position.liquidity = plan.liquidity.into();
    position.base_debt_shares = shares(plan.borrow.base).into();
    position.quote_debt_shares = shares(plan.borrow.quote).into();
    position.policy = policy();
    position.automation = Automation {
        leverage_bps: 30_000,
        ..Automation::OFF
    };
    position
}

/// Everything that keepers may do, with the band's own width allowed.
pub fn automation() -> Automation {
    Automation {
        leverage_bps: 30_000,
        min_width_ticks: 400,
        max_width_ticks: 4_000,
        recenter_cooldown_secs: 300,
        compound_min_value: 1_000_000,
        max_exit_loss_bps: 100,
        ..Automation::OFF
    }
}

/// The position as the keeper sees it, with nothing known beside the accounts.
pub fn situation<'a>(market: &'a MarketSnapshot, position: &'a Position) -> Situation<'a> {
    Situation {
        market,
        position,
        now_secs: NOW,
        slot: SLOT,
        keeper: KEEPER,
        funds: None,
        min_gain: 0,
        outlook: Outlook::default(),
    }
}

/// The reserves' books with this position in them, so that shares owed were issued.
pub fn book_debts(market: &mut MarketSnapshot, position: &Position) {
    market.base_reserve.debt_shares = position.base_debt_shares;
    market.quote_reserve.debt_shares = position.quote_debt_shares;
}
