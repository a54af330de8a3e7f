use ballast_abi::{pyth::Verification, whirlpool::layout::pool as at};
use bytemuck::Zeroable;

use super::*;

const NOW: i64 = 1_700_000_000;
const WEEK: i64 = Market::SETTLEMENT_SECS;
const RECEIVER: Pubkey = Pubkey::new_from_array([1; 32]);
const POOL_PROGRAM: Pubkey = Pubkey::new_from_array([2; 32]);
const POOL: Pubkey = Pubkey::new_from_array([3; 32]);
const OWN: [Pubkey; 2] = [
    Pubkey::new_from_array([4; 32]),
    Pubkey::new_from_array([5; 32]),
];
const FEEDS: [[u8; 32]; 2] = [[6; 32], [7; 32]];

/// An account's key, owner and bytes.
#[derive(Clone)]
struct Stored {
    key: Pubkey,
    owner: Pubkey,
    data: Vec<u8>,
}

/// A market that was last shown a price a week ago, with its own price accounts a second older.
struct Case {
    market: Market,
    prices: [Stored; 2],
    pool: Stored,
}

fn update(feed: usize, published_secs: i64) -> PriceUpdate {
    let price = [20_000_000_000, 100_000_000][feed];
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id: FEEDS[feed],
        price,
        conf: 1_000,
        exponent: -8,
        publish_time: published_secs,
        previous_publish_time: published_secs - 1,
        ema_price: price,
        ema_conf: 0,
        posted_slot: 1,
    }
}

fn case() -> Case {
    let mut market = Market::zeroed();
    (market.base_decimals, market.quote_decimals) = (9, 6);
    market.price_receiver = RECEIVER;
    market.whirlpool_program = POOL_PROGRAM;
    market.whirlpool = POOL;
    [market.base_feed, market.quote_feed] = FEEDS;
    [market.base_price_account, market.quote_price_account] = OWN;
    market.stages.max_age_stalled_secs = 3_600;
    market.last_base_publish_secs = NOW - WEEK;
    market.last_quote_publish_secs = NOW - WEEK;
    market.newest_sqrt_price_x64 = (SqrtPrice::ONE.x64() + 1).into();
    let price = ballast_model::oracle::FeedPrice {
        price: 1,
        exponent: 0,
    };
    market.newest_feed_prices = [price.packed(); 2];
    let price = |feed: usize| Stored {
        key: OWN[feed],
        owner: RECEIVER,
        data: update(feed, NOW - WEEK - 1)
            .encode(Verification::Full)
            .to_vec(),
    };
    let mut data = vec![0; at::LENGTH];
    data[..8].copy_from_slice(&at::DISCRIMINATOR);
    data[at::TICK_SPACING] = 4;
    data[at::SQRT_PRICE..at::SQRT_PRICE + 16]
        .copy_from_slice(&(SqrtPrice::ONE.x64() + 7).to_le_bytes());
    Case {
        market,
        prices: [price(0), price(1)],
        pool: Stored {
            key: POOL,
            owner: POOL_PROGRAM,
            data,
        },
    }
}

impl Case {
    fn set(&mut self, feed: usize, update: &PriceUpdate) {
        self.prices[feed].data = update.encode(Verification::Full).to_vec();
    }

    fn touch_pool(&mut self, at_secs: i64) {
        let bytes = u64::try_from(at_secs).unwrap().to_le_bytes();
        self.pool.data[at::REWARD_LAST_UPDATED..at::REWARD_LAST_UPDATED + 8]
            .copy_from_slice(&bytes);
    }

    fn price(&self) -> Result<u128> {
        self.settlement().map(|found| found.price.x64())
    }

    fn settlement(&self) -> Result<SettlementPrice> {
        let [mut base, mut quote, mut pool] =
            [&self.prices[0], &self.prices[1], &self.pool].map(Clone::clone);
        let mut lamports = [1; 3];
        let [l0, l1, l2] = &mut lamports;
        let info = |stored: &mut Stored| (stored.key, stored.owner);
        let (base_ids, quote_ids, pool_ids) = (info(&mut base), info(&mut quote), info(&mut pool));
        let base = AccountInfo::new(
            &base_ids.0,
            false,
            false,
            l0,
            &mut base.data,
            &base_ids.1,
            false,
        );
        let quote = AccountInfo::new(
            &quote_ids.0,
            false,
            false,
            l1,
            &mut quote.data,
            &quote_ids.1,
            false,
        );
        let pool = AccountInfo::new(
            &pool_ids.0,
            false,
            false,
            l2,
            &mut pool.data,
            &pool_ids.1,
            false,
        );
        let accounts = PriceAccounts {
            base_price: UncheckedAccount::try_from(&base),
            quote_price: UncheckedAccount::try_from(&quote),
        };
        settlement_price(&self.market, &accounts, &pool, NOW)
    }

    #[track_caller]
    fn refuses(&self, expected: BallastError) {
        assert_eq!(self.price().unwrap_err(), error!(expected));
    }
}

fn newest() -> u128 {
    SqrtPrice::ONE.x64() + 1
}

#[test]
fn a_week_of_silence_of_either_feed_settles_at_the_newest_price() {
    assert_eq!(case().price().unwrap(), newest());
    // A second less of both is none yet; of one feed it is enough that the other is silent.
    let mut speaking = case();
    speaking.market.last_base_publish_secs += 1;
    assert_eq!(speaking.price().unwrap(), newest());
    speaking.market.last_quote_publish_secs += 1;
    speaking.refuses(BallastError::NotSilentLongEnough);
}

#[test]
fn there_is_no_price_since_the_feed_that_is_silent_for_longer_has_spoken() {
    let mut case = case();
    let silent = |case: &Case| {
        let found = case.settlement().unwrap();
        (found.overdue_secs, found.silent_secs)
    };
    assert_eq!(silent(&case), (0, WEEK));
    case.market.last_quote_publish_secs -= 3 * 86_400;
    case.set(1, &update(1, NOW - WEEK - 3 * 86_400));
    assert_eq!(silent(&case), (3 * 86_400, WEEK + 3 * 86_400));
    // The other may still speak.
    case.set(0, &update(0, NOW));
    assert_eq!(silent(&case), (3 * 86_400, WEEK + 3 * 86_400));
    // One that names no account of its own waits longer, and what it is silent for does not make the other due.
    case.market.quote_price_account = Pubkey::default();
    case.set(0, &update(0, NOW - WEEK - 5));
    case.market.last_base_publish_secs -= 5;
    assert_eq!(silent(&case), (5, WEEK + 3 * 86_400));
}

#[test]
fn what_is_earned_by_settling_grows_with_the_wait() {
    let mut market = case().market;
    market.limits.liquidation_bonus_bps = 300;
    let bonus = |days: i64| market.settlement_bonus_bps(days * 86_400);
    assert_eq!([0, 1, 3, 20].map(bonus), [300, 800, 1_800, 10_300]);
    assert_eq!(market.settlement_bonus_bps(86_399), 799);
    assert_eq!(market.settlement_bonus_bps(-1), 300);
    // From ten times the price on it doubles every 30 days.
    assert_eq!(
        [179, 180, 209, 210].map(bonus),
        [89_800, 90_000, 90_000, 180_000]
    );
    assert_eq!([240, 630].map(bonus), [360_000, 90_000 << 15]);
    assert_eq!(
        [660, 1_140, i64::MAX / 86_400].map(bonus),
        [90_000 << 15; 3]
    );
}

/// Whoever may bring signed updates into the market's own accounts would pick one of all that followed.
#[test]
fn what_was_shown_last_counts_whatever_the_accounts_hold() {
    let mut old = case();
    old.market.oracle_rules.max_confidence_loose_bps = 10;
    old.market.oracle_rules.max_age_loose_secs = 60;
    old.market.last_base_publish_secs -= 90 * 86_400;
    old.market.last_quote_publish_secs -= 90 * 86_400;
    assert_eq!(old.price().unwrap(), newest());
}

#[test]
fn a_price_in_the_markets_own_accounts_ends_the_silence() {
    let mut case = case();
    for feed in [0, 1] {
        case.set(feed, &update(feed, NOW - WEEK + 1));
    }
    case.refuses(BallastError::NotSilentLongEnough);
    // One that says nothing does not.
    type Change = fn(&mut PriceUpdate);
    let silent: [Change; 4] = [
        |p| p.price = 0,
        |p| p.exponent = 1,
        |p| p.conf = p.price.unsigned_abs() / 2 + 1_000_000,
        |p| p.feed_id = [9; 32],
    ];
    for change in silent {
        let mut bad = update(0, NOW - 1);
        change(&mut bad);
        case.set(0, &bad);
        assert_eq!(case.price().unwrap(), newest());
    }
    // Nor one that is from farther ahead than the clock may lag: it would forbid settling for as long.
    for (ahead_secs, speaks) in [(3_600, true), (3_601, false), (1 << 40, false)] {
        case.set(0, &update(0, NOW + ahead_secs));
        let price = case.price().map_err(|_| ()).ok();
        assert_eq!(price, (!speaks).then(newest), "{ahead_secs}");
    }
    // Nor does another program's account there, or none.
    case.set(0, &update(0, NOW - 1));
    case.refuses(BallastError::NotSilentLongEnough);
    case.prices[0].owner = Pubkey::default();
    assert_eq!(case.price().unwrap(), newest());
    case.prices[0].data.clear();
    assert_eq!(case.price().unwrap(), newest());
}

#[test]
fn silence_of_other_accounts_than_the_markets_own_settles_nothing() {
    for feed in [0, 1] {
        let mut case = case();
        case.prices[feed].key = Pubkey::new_from_array([9; 32]);
        case.refuses(BallastError::NotSilentLongEnough);
    }
}

#[test]
fn a_market_without_accounts_of_its_own_waits_four_weeks() {
    let mut case = case();
    case.market.base_price_account = Pubkey::default();
    case.market.quote_price_account = Pubkey::default();
    case.refuses(BallastError::NotSilentLongEnough);
    for last in [
        &mut case.market.last_base_publish_secs,
        &mut case.market.last_quote_publish_secs,
    ] {
        *last = NOW - 4 * WEEK + 1;
    }
    case.refuses(BallastError::NotSilentLongEnough);
    case.market.last_quote_publish_secs -= 1;
    assert_eq!(case.price().unwrap(), newest());
}

#[test]
fn a_market_without_a_newest_price_has_what_its_accounts_hold_and_then_the_pools() {
    let mut case = case();
    case.market.newest_sqrt_price_x64 = 0.into();
    let held = ratio(&case.market, &update(0, 0), &update(1, 0)).unwrap();
    assert_eq!(case.price().unwrap(), held.x64());
    case.prices[1].owner = Pubkey::default();
    assert_eq!(case.price().unwrap(), SqrtPrice::ONE.x64() + 7);
    // But not one that somebody has made in this very second.
    case.touch_pool(NOW);
    case.refuses(BallastError::PoolDiverged);
    case.touch_pool(NOW - 1);
    assert_eq!(case.price().unwrap(), SqrtPrice::ONE.x64() + 7);
    case.pool.key = Pubkey::new_from_array([9; 32]);
    case.refuses(BallastError::WrongPool);
}

#[test]
fn new_feeds_begin_with_the_change_and_leave_the_settlement_a_price() {
    let mut case = case();
    let source = case.market.oracle_source();
    let changed = |change: fn(&mut crate::state::OracleSource)| {
        let mut market = case.market;
        let mut source = source;
        change(&mut source);
        market.set_oracle_source(&source, NOW);
        let times = [
            market.last_base_publish_secs,
            market.last_quote_publish_secs,
        ];
        (
            times.map(|secs| NOW - secs),
            super::super::newest_price(&market).is_some(),
        )
    };
    assert_eq!(changed(|_| ()), ([WEEK, WEEK], true));
    let accounts = changed(|s| s.base_price_account = Pubkey::default());
    assert_eq!(accounts, ([WEEK, WEEK], true));
    assert_eq!(changed(|s| s.base_feed = [8; 32]), ([0, WEEK], false));
    assert_eq!(changed(|s| s.quote_feed = [8; 32]), ([WEEK, 0], false));
    let receiver = changed(|s| s.price_receiver = Pubkey::new_from_array([9; 32]));
    assert_eq!(receiver, ([0, 0], false));
    // A week later the new ones have not spoken either.
    let mut source = source;
    (source.base_feed, source.quote_feed) = ([8; 32], [9; 32]);
    case.market.set_oracle_source(&source, NOW - WEEK + 1);
    case.refuses(BallastError::NotSilentLongEnough);
    case.market
        .set_oracle_source(&case.market.oracle_source(), NOW);
    let back = crate::state::OracleSource {
        base_feed: FEEDS[0],
        ..source
    };
    case.market.set_oracle_source(&back, NOW - WEEK);
    assert_eq!(case.price().unwrap(), newest());
}
