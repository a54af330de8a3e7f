//! A market's snapshot from accounts that may be anything.

use anchor_lang::Discriminator;
use ballast_abi::{
    pyth::{PriceUpdate, Verification},
    whirlpool::layout,
};
use ballast_client::{
    Account, Accounts, DecodeError, LoadError, Market, MarketContext, Position, PriceAccounts,
    Pubkey, Reserve, Side, SnapshotError, SqrtPrice,
};
use ballast_model::lending::INDEX_ONE_X64;
use bytemuck::Zeroable;

const NOW_SECS: i64 = 1_700_000_000;
const BASE_FEED: [u8; 32] = [1; 32];
const QUOTE_FEED: [u8; 32] = [2; 32];

fn account(owner: Pubkey, data: Vec<u8>) -> Option<Account> {
    Some(Account {
        lamports: 1,
        data,
        owner,
        executable: false,
        rent_epoch: 0,
    })
}

fn stored<T: bytemuck::NoUninit + Discriminator>(value: &T) -> Option<Account> {
    let mut data = T::DISCRIMINATOR.to_vec();
    data.extend(bytemuck::bytes_of(value));
    account(ballast::ID, data)
}

fn context() -> MarketContext {
    let key = |byte| Pubkey::new_from_array([byte; 32]);
    let mut market = Market::zeroed();
    market.version = Market::VERSION;
    (
        market.base_decimals,
        market.quote_decimals,
        market.tick_spacing,
    ) = (9, 6, 4);
    (
        market.whirlpool_program,
        market.whirlpool,
        market.price_receiver,
    ) = (key(3), key(4), key(5));
    (market.base_mint, market.quote_mint) = (key(6), key(7));
    (market.base_feed, market.quote_feed) = (BASE_FEED, QUOTE_FEED);
    let prices = PriceAccounts {
        base: key(8),
        quote: key(9),
    };
    MarketContext::new(key(10), market, [key(11); 2], prices)
}

fn price(feed_id: [u8; 32], price: i64) -> PriceUpdate {
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id,
        price,
        conf: 1,
        exponent: -8,
        publish_time: NOW_SECS - 10,
        previous_publish_time: NOW_SECS - 11,
        ema_price: price,
        ema_conf: 1,
        posted_slot: 1,
    }
}

/// A reserve that lends half of what it has, at a fixed 20 % a year.
fn reserve() -> Reserve {
    let mut reserve = Reserve::zeroed();
    reserve.version = Reserve::VERSION;
    reserve.borrow_index_x64 = INDEX_ONE_X64.into();
    reserve.liquidity = 1_000_000;
    reserve.debt_shares = (1_000_000u128 << 32).into();
    reserve.last_accrual_secs = NOW_SECS;
    reserve.kink_utilisation_bps = 8_000;
    (
        reserve.rate_at_zero_bps,
        reserve.rate_at_kink_bps,
        reserve.rate_at_full_bps,
    ) = (2_000, 2_000, 2_000);
    reserve
}

/// The accounts of a sound market, in the order of [`MarketContext::snapshot_addresses`].
fn accounts(context: &MarketContext) -> Accounts {
    let market = &context.market;
    let mut pool = vec![0; layout::pool::LENGTH];
    pool[..8].copy_from_slice(&layout::pool::DISCRIMINATOR);
    pool[layout::pool::TICK_SPACING] = 4;
    pool[layout::pool::SQRT_PRICE..][..16].copy_from_slice(&SqrtPrice::ONE.x64().to_le_bytes());
    let mut clock = vec![0; 40];
    clock[32..].copy_from_slice(&NOW_SECS.to_le_bytes());
    let full = |update: PriceUpdate| {
        account(
            market.price_receiver,
            update.encode(Verification::Full).into(),
        )
    };
    Accounts {
        slot: 77,
        accounts: vec![
            stored(market),
            stored(&reserve()),
            stored(&reserve()),
            account(market.whirlpool_program, pool),
            full(price(BASE_FEED, 200_0000_0000)),
            full(price(QUOTE_FEED, 1_0000_0000)),
            account(Pubkey::default(), clock),
        ],
    }
}

#[test]
fn a_sound_market_is_read_as_values() {
    let context = context();
    let snapshot = context.snapshot_from(&accounts(&context)).unwrap();
    assert_eq!(
        (
            snapshot.slot,
            snapshot.now_secs,
            snapshot.price_age_secs(NOW_SECS)
        ),
        (77, NOW_SECS, 10)
    );
    assert_eq!(snapshot.pool.sqrt_price, SqrtPrice::ONE);
    // 200 quote of 6 decimals per base of 9: 0.2 raw per raw.
    let price = (snapshot.oracle_sqrt_price().unwrap().x64() as f64 / 2f64.powi(64)).powi(2);
    assert!((price - 0.2).abs() < 1e-15, "{price}");
}

#[test]
fn debts_grow_to_the_time_asked_for() {
    let context = context();
    let snapshot = context.snapshot_from(&accounts(&context)).unwrap();
    let mut position = Position::zeroed();
    (position.tick_lower, position.tick_upper) = (-400, 400);
    position.liquidity = 5_000_000u128.into();
    (position.idle_base, position.idle_quote) = (3, 4);
    position.quote_debt_shares = (1_000_000u128 << 32).into();
    let at = |secs| snapshot.position(&position, secs).unwrap();
    let now = at(NOW_SECS);
    assert_eq!(
        (now.liquidity, now.idle.base, now.idle.quote),
        (5_000_000, 3, 4)
    );
    assert_eq!((now.debt.base, now.debt.quote), (0, 1_000_000));
    // A year at 20 %, compounded: e^0.2 = 1.2214.
    let later = at(NOW_SECS + 365 * 24 * 3_600).debt.quote;
    assert!((1_221_300..=1_221_410).contains(&later), "{later}");
    assert_eq!(at(NOW_SECS - 1_000), now);
    assert_eq!(
        snapshot
            .reserve_at(Side::Base, NOW_SECS)
            .unwrap()
            .debt_shares,
        1_000_000u128 << 32
    );
    position.tick_upper = i32::MAX;
    assert!(matches!(
        snapshot.position(&position, NOW_SECS),
        Err(SnapshotError::Model(_))
    ));
    (position.tick_upper, position.quote_debt_shares) = (400, u128::MAX.into());
    assert!(matches!(
        snapshot.position(&position, NOW_SECS),
        Err(SnapshotError::Lending {
            side: Side::Quote,
            ..
        })
    ));
}

#[test]
fn a_price_of_another_feed_owner_or_verification_is_named() {
    let context = context();
    let with = |index: usize, account: Option<Account>| {
        let mut accounts = accounts(&context);
        accounts.accounts[index] = account;
        context.snapshot_from(&accounts).unwrap_err()
    };
    let receiver = context.market.price_receiver;
    let encoded = |verification| -> Vec<u8> { price(BASE_FEED, 1).encode(verification).into() };
    let swapped = with(5, account(receiver, encoded(Verification::Full)));
    assert_eq!(
        swapped,
        LoadError::WrongFeed {
            address: context.prices.quote
        }
    );
    let stranger = with(4, account(Pubkey::default(), encoded(Verification::Full)));
    assert!(
        matches!(stranger, LoadError::Decode(DecodeError::WrongOwner { .. })),
        "{stranger}"
    );
    let partial = with(
        4,
        account(receiver, encoded(Verification::Partial { signatures: 3 })),
    );
    assert!(partial.to_string().contains("3 signatures"), "{partial}");
}

#[test]
fn nothing_panics_whatever_the_accounts_hold() {
    let context = context();
    let good = accounts(&context);
    for index in 0..good.accounts.len() {
        let length = good.accounts[index].as_ref().unwrap().data.len();
        // A price account that is missing or empty is silence.
        let is_price = matches!(index, 4 | 5);
        let mut broken = good.clone();
        broken.accounts[index] = None;
        assert_eq!(
            context.snapshot_from(&broken).is_err(),
            !is_price,
            "account {index} missing"
        );
        for kept in [0, 1, 7, 8, 9, length / 2, length - 1] {
            let mut broken = good.clone();
            if let Some(account) = &mut broken.accounts[index] {
                account.data.truncate(kept);
            }
            let cut = context.snapshot_from(&broken);
            assert!(
                cut.is_err() || (is_price && kept == 0),
                "account {index} cut to {kept}"
            );
        }
        for byte in [0, u8::MAX] {
            let mut broken = good.clone();
            if let Some(account) = &mut broken.accounts[index] {
                account.data[8..].fill(byte);
            }
            // What cannot be told from a sound account may be read; using it must not panic either.
            if let Ok(snapshot) = context.snapshot_from(&broken) {
                let _ = snapshot.oracle_sqrt_price();
                let _ = snapshot.reserve_at(Side::Base, i64::MAX);
                let _ = snapshot.position(&Position::zeroed(), i64::MIN);
                let _ = snapshot.price_age_secs(i64::MIN);
            }
        }
    }
    let none = Accounts {
        slot: 1,
        accounts: Vec::new(),
    };
    assert!(context.snapshot_from(&none).is_err());
}
