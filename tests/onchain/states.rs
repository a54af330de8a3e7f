//! Random states at or above a trigger: with equity, a fresh price and the pool near it something that anyone may send always
//! succeeds, and ends below the trigger that asked for it; after two at most LTV is below the lowest trigger that there is.
//!
//! States are written into the accounts: bands, leverage, hedge ratios, idle amounts, debts in any mix, prices far beyond both
//! edges, pools of any tick spacing and fee as far from the price as the market lets them be, moving averages that lag, reserves lent out
//! to the last unit, risk stages, policies.
//! `BALLAST_CASES=10000` tries more of them, `BALLAST_SEED=n` others: the seed of each world is printed.

use std::collections::BTreeMap;

use ballast_client::{
    Amounts, BallastError, Bps, OpenArgs, Policy, PositionContext, Side,
    ballast::{
        state::largest_deviation_bps,
        targets::{MarketRule, TriggeredBy, deleverage_due},
    },
};
use ballast_localnet::{PricePost, UsdPrice, WorldConfig};
use ballast_model::{Position, SqrtPrice, Valuation, plan_deleverage, value_down};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::support::{Scene, accepted, number};

/// States of a run that is not told otherwise.
const CASES: u64 = 500;
/// States drawn at one price.
const AT_A_PRICE: u64 = 10;
/// Prices in one world.
const IN_A_WORLD: u64 = 5;
/// Where an SPL token account has its amount.
const TOKEN_AMOUNT: core::ops::Range<usize> = 64..72;
/// Units that rounding may cost an action.
const ROUNDING: i128 = 40;

impl Scene {
    async fn set_tokens(&self, account: &ballast_client::Pubkey, amount: u64) {
        let write = |data: &mut Vec<u8>| data[TOKEN_AMOUNT].copy_from_slice(&amount.to_le_bytes());
        self.patch(account, write).await;
    }

    /// Writes idle amounts and debts into all accounts that they are in. `utilised`: part of the reserves that is lent then.
    async fn set_books(
        &self,
        position: &PositionContext,
        idle: Amounts,
        debt: Amounts,
        utilised: [f64; 2],
    ) {
        let market = &self.world.market;
        let mut shares = [0; 2];
        for (index, side) in [Side::Base, Side::Quote].into_iter().enumerate() {
            let stored = &position.position;
            let account = match side {
                Side::Base => stored.base_account,
                Side::Quote => stored.quote_account,
            };
            self.set_tokens(&account, idle.get(side)).await;
            let owed = debt.get(side);
            let mut state = self.reserve(side).await;
            (state.liquidity, state.debt_shares) = (u64::MAX / 4, 0);
            if owed > 0 {
                shares[index] = state.borrow(owed).unwrap();
            }
            let free = owed as f64 * (1.0 / utilised[index] - 1.0);
            self.change_reserve(&market.reserve(side), |reserve| {
                reserve.debt_shares = shares[index].into();
                reserve.liquidity = free as u64;
            })
            .await;
            self.set_tokens(&market.vault(side), free as u64).await;
        }
        self.change_position(position, |position| {
            (position.idle_base, position.idle_quote) = (idle.base, idle.quote);
            position.base_debt_shares = shares[0].into();
            position.quote_debt_shares = shares[1].into();
        })
        .await;
    }
}

/// A position that owes this part of its assets, in any mix.
fn indebted(rng: &mut StdRng, bare: &Position, at: SqrtPrice, ltv: f64) -> (Amounts, Amounts) {
    let pool = bare.value(at).unwrap().assets as f64;
    let price = value_down(1 << 40, at).unwrap() as f64 / 2f64.powi(40);
    let mut idle = |chance: f64| {
        if rng.random_bool(chance) {
            pool * rng.random_range(0.0..0.4)
        } else {
            0.0
        }
    };
    let (base, quote) = (idle(0.3), idle(0.3));
    let debt = (pool + base + quote) * ltv;
    let in_base = *[
        0.0,
        1.0,
        rng.random_range(0.0..1.0),
        rng.random_range(0.0..1.0),
    ]
    .choose(rng)
    .unwrap();
    (
        Amounts::new((base / price) as u64, quote as u64),
        Amounts::new(
            (debt * in_base / price) as u64,
            (debt * (1.0 - in_base)) as u64,
        ),
    )
}

/// `least_loss_bps`: what the pool takes, and a little. Owners who allow less have chosen that keepers do not swap.
fn drawn_policy(
    rng: &mut StdRng,
    standard: Policy,
    [least_loss_bps, most_loss_bps]: [u32; 2],
) -> Policy {
    let trigger = rng.random_range(2_000..7_990);
    Policy {
        hedge_bps: *[10_000, 10_000, 0, rng.random_range(0..=10_000)]
            .choose(rng)
            .unwrap(),
        deleverage_trigger_ltv_bps: trigger,
        deleverage_target_ltv_bps: rng.random_range(trigger / 2..trigger),
        max_swap_loss_bps: rng.random_range(least_loss_bps..=most_loss_bps),
        keeper_enabled: u32::from(rng.random_bool(0.8)),
        ..standard
    }
}

/// What happened in the states of a run.
#[derive(Default, Debug)]
struct Tally {
    /// How each was cured.
    cured: BTreeMap<&'static str, u64>,
    /// States in which it took a second action to come below the lowest trigger.
    twice: BTreeMap<&'static str, u64>,
    /// States in which the pool was too far away for the owner's cap, so that the market's trigger is all that there is.
    too_far_for_owner: u64,
    /// States that were drawn, but in which nothing was due for a keeper.
    not_due: u64,
    /// Liquidations that were tried first, from maintenance on.
    liquidations: BTreeMap<String, u64>,
    /// Deleverages without a swap that were tried first.
    swap_free: BTreeMap<String, u64>,
}

async fn try_state(scene: &Scene, position: &PositionContext, rng: &mut StdRng, tally: &mut Tally) {
    let stage = *[0, 0, 1, 2, 3].choose(rng).unwrap();
    scene
        .change_market(|market| market.stage.stage = stage)
        .await;
    let market = scene.market().await;
    let pool = scene.world.pool().await.unwrap();
    let fee = u32::from(pool.fee_rate_ppm) / 100 + 1;
    let losses = [fee + 2, market.limits.max_swap_loss_bps];
    let policy = drawn_policy(rng, scene.world.policy(), losses);
    scene
        .change_position(position, |stored| stored.policy = policy)
        .await;
    let (model, oracle) = scene.model(position).await;
    let bare = Position {
        idle: Amounts::ZERO,
        debt: Amounts::ZERO,
        ..model
    };
    let lowest = f64::from(policy.deleverage_trigger_ltv_bps) / 1e4;
    let ltv = match rng.random_range(0..10) {
        // Just at a trigger, between trigger and maintenance, up to nothing left.
        0 => lowest,
        1..4 => rng.random_range(0.77..0.8),
        4 => rng.random_range(0.8..0.9999),
        // Where the average has most to confirm.
        5 => rng.random_range(0.8..0.82),
        _ => rng.random_range(lowest..0.8),
    };
    let (idle, debt) = indebted(rng, &bare, oracle, ltv);
    let utilised = [(); 2].map(|()| *[0.1, 0.5, 0.9, 0.96, 1.0].choose(rng).unwrap());
    scene.set_books(position, idle, debt, utilised).await;
    let (before, _) = scene.model(position).await;
    let value = before.value(oracle).unwrap();
    let may = policy.keeper_enabled == 1;
    let due = match deleverage_due(MarketRule::of(&market), &policy, may, &value) {
        Ok(due) if value.equity() > 0 => due,
        _ => {
            tally.not_due += 1;
            return;
        }
    };
    // As far to either side as the market lets it be; for what only the owner asks for, as its own lower cap lets it.
    let within = |cap_bps| f64::from(largest_deviation_bps(cap_bps, pool.fee_rate_ppm));
    let deviation = f64::from(market.limits.max_pool_deviation_bps);
    let owners_cap = within(policy.max_swap_loss_bps);
    let widest = match due.by {
        TriggeredBy::Market => deviation,
        TriggeredBy::Policy => deviation.min(owners_cap),
    };
    // Less than what a square root of 64 bits of fraction is rounded by.
    let widest = widest - 1e-6;
    if widest < 0.0 {
        // The owner's own cap is below the pool's fee, so that no swap of his goes anywhere.
        tally.not_due += 1;
        return;
    }
    let away = match rng.random_range(0..4) {
        0 => widest,
        1 => -widest,
        _ => rng.random_range(-widest..=widest),
    } / 1e4;
    let pushed = oracle.x64() as f64 * (1.0 + away).sqrt();
    scene
        .world
        .move_pool(SqrtPrice::new(pushed as u128).unwrap())
        .await
        .unwrap();
    let saved = scene.svm.save();
    let state = format!(
        "LTV {} bps, due {due:?}, policy {policy:?}, {before:?}, oracle {oracle}, pool {away:.5} away, utilised {utilised:?}",
        value.ltv_bps_up()
    );

    // Without a swap: to the target, or lower, or a clear word.
    let sent = scene.deleverage(position, &scene.keeper).await;
    let outcome = match sent {
        Ok(_) => {
            let after = scene.ltv_bps(position).await;
            assert!(
                after < value.ltv_bps_up() || after <= due.target.get(),
                "{after}: {state}"
            );
            "done".to_owned()
        }
        Err(error) if error.is(BallastError::LtvNotLowered) => "LTV not lowered".to_owned(),
        Err(error) => panic!("{error}: {state}"),
    };
    *tally.swap_free.entry(outcome).or_default() += 1;
    scene.svm.restore(&saved);

    if value.ltv_at_least(Bps::new(market.limits.maintenance_ltv_bps)) {
        let outcome = match scene.liquidate(position).await {
            Ok(_) => "done",
            Err(error) if error.is(BallastError::NoSecondWitness) => "no second witness",
            Err(error) => panic!("{error}: {state}"),
        };
        *tally.liquidations.entry(outcome.into()).or_default() += 1;
        scene.svm.restore(&saved);
    }

    // Whatever the average says.
    let how = cure(scene, position, &value, &state, oracle).await;
    *tally.cured.entry(how).or_default() += 1;
    let (after, _) = scene.model(position).await;
    let ends = after.value(oracle).unwrap();
    assert!(
        !ends.ltv_at_least(due.trigger),
        "{how} ends at {ends:?}: {state}"
    );
    if due.by == TriggeredBy::Policy || how == "deleverage_swap" {
        assert!(
            !ends.ltv_above(due.otherwise.unwrap_or(due.target)),
            "{ends:?}: {state}"
        );
    }
    // What the market asks for may have left LTV above the owner's lower trigger, which then asks for more.
    if let Ok(more) = deleverage_due(MarketRule::of(&market), &policy, may, &ends) {
        assert_eq!(more.by, TriggeredBy::Policy, "{state}");
        if away.abs() * 1e4 <= owners_cap {
            let how = cure(scene, position, &ends, &state, oracle).await;
            *tally.twice.entry(how).or_default() += 1;
        } else {
            tally.too_far_for_owner += 1;
        }
    }
    let (after, _) = scene.model(position).await;
    let ends = after.value(oracle).unwrap();
    let lowest = lowest_trigger(MarketRule::of(&market), &policy, may);
    assert!(
        !ends.ltv_at_least(lowest) || away.abs() * 1e4 > owners_cap,
        "ends at {ends:?}, the lowest trigger is {lowest:?}: {state}"
    );
    for side in [Side::Base, Side::Quote] {
        // No new debt beyond what the reserve may lend.
        let (was, is) = (before.debt.get(side), after.debt.get(side));
        let reserve = scene.reserve(side).await;
        let limit = scene.reserve_params(side).max_utilisation_bps;
        assert!(
            is <= was || reserve.utilisation_bps_up().unwrap().get() <= limit,
            "{is} owed after {was}: {state}"
        );
    }
}

/// The lowest LTV at which anyone may act.
pub fn lowest_trigger(market: MarketRule, policy: &Policy, may: bool) -> Bps {
    let owners = Bps::new(policy.deleverage_trigger_ltv_bps);
    if may {
        owners.min(market.trigger)
    } else {
        market.trigger
    }
}

/// What a keeper does, or a liquidator where the position is too deep.
async fn cure(
    scene: &Scene,
    position: &PositionContext,
    before: &Valuation,
    state: &str,
    oracle: SqrtPrice,
) -> &'static str {
    match scene.deleverage_swap(position, &scene.keeper).await {
        Ok(receipt) => {
            let lost: u64 = receipt
                .events
                .iter()
                .map(|event| match event {
                    ballast_client::BallastEvent::DeleveragedWithSwap(event) => event.swap_loss,
                    _ => 0,
                })
                .sum();
            let after = scene.model(position).await.0.value(oracle).unwrap();
            let loss = before.equity() - after.equity();
            assert!(
                loss <= i128::from(lost) + ROUNDING,
                "{loss} lost, {lost} by the swap: {state}"
            );
            "deleverage_swap"
        }
        // What is left does not pay for the swap.
        Err(error)
            if error.is(BallastError::LtvNotLowered) && before.ltv_at_least(Bps::new(8_000)) =>
        {
            let sent = scene.liquidate(position).await;
            sent.unwrap_or_else(|error| panic!("{error}: {state}"));
            "liquidate"
        }
        Err(error) => panic!("{error}: {state}"),
    }
}

/// A draw in which the owner's target was reached without a swap, and left the position above the market's trigger.
#[tokio::test]
async fn an_owners_target_above_the_markets_trigger_is_not_where_it_ends() {
    let scene = Scene::new().await;
    let position = scene.open(1).await;
    // Near the upper edge there is little base to repay with.
    scene.price(207).await;
    let policy = Policy {
        deleverage_trigger_ltv_bps: 7_900,
        deleverage_target_ltv_bps: 7_748,
        ..scene.world.policy()
    };
    scene
        .change_position(&position, |stored| stored.policy = policy)
        .await;
    let (model, oracle) = scene.model(&position).await;
    let bare = Position {
        idle: Amounts::ZERO,
        debt: Amounts::ZERO,
        ..model
    };
    let owed = bare.value(oracle).unwrap().assets as f64 * 0.795;
    let one = value_down(1_000_000_000, oracle).unwrap() as f64 / 1e9;
    let debt = Amounts::new((owed / one) as u64, 0);
    scene
        .set_books(&position, Amounts::ZERO, debt, [0.5; 2])
        .await;
    let limits = scene.world.market.market.limits;
    let pool = scene.world.pool().await.unwrap().sqrt_price;
    let (before, _) = scene.model(&position).await;
    let without_swap = |target| plan_deleverage(&before, oracle, pool, Bps::new(target));
    assert!(without_swap(policy.deleverage_target_ltv_bps).is_ok());
    assert!(without_swap(limits.target_ltv_bps).is_err());
    let sent = scene.deleverage_swap(&position, &scene.keeper).await;
    accepted(sent);
    let after = scene.ltv_bps(&position).await;
    assert!(after <= limits.target_ltv_bps, "{after}");
}

#[tokio::test]
async fn at_or_above_a_trigger_something_always_goes_and_ends_below_it() {
    let (first, cases) = (number("BALLAST_SEED", 1), number("BALLAST_CASES", CASES));
    let mut tally = Tally::default();
    let mut drawn = 0;
    for seed in first.. {
        if drawn >= cases {
            break;
        }
        println!("BALLAST_SEED={seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        // Fees of 1 to 100 bps.
        let spacing = *[1, 2, 4, 8, 64, 128].choose(&mut rng).unwrap();
        let config = WorldConfig::standard()
            .and_then(|config| config.with_tick_spacing(spacing))
            .unwrap();
        // The smaller moves by a basis point where the largest of these trades is made.
        let value = rng.random_range(15..=50) * 1_000_000_000_000;
        let scene = Scene::with(WorldConfig {
            background_value: value,
            ..config
        })
        .await;
        scene.svm.set_simulating(false);
        let below = rng.random_range(2..60);
        let above = rng.random_range(2..120);
        let band = [
            UsdPrice::dollars(200 - below),
            UsdPrice::dollars(200 + above),
        ];
        let own = Amounts::new(0, 100_000_000);
        let args = OpenArgs {
            policy: Policy {
                hedge_bps: 10_000,
                ..scene.world.policy()
            },
            ..scene.world.open_args(1, band, own, 30_000).unwrap()
        };
        // A band far above the price holds more base than this leverage borrows.
        let Ok(position) = scene.world.open(&scene.alice, args).await else {
            continue;
        };
        let start = scene.svm.save();
        for _ in 0..IN_A_WORLD {
            let dollars = match rng.random_range(0..3) {
                0 => rng.random_range(110.0..350.0),
                1 => *[f64::from(200 - below as i32), f64::from(200 + above as i32)]
                    .choose(&mut rng)
                    .unwrap(),
                _ => rng.random_range(f64::from(200 - below as i32)..f64::from(200 + above as i32)),
            };
            let price = UsdPrice::from_f64(dollars).unwrap();
            scene.world.move_price(price).await.unwrap();
            // The average lags by up to three tenths, or not at all.
            let lag = *[0.0, rng.random_range(-0.3..0.3)].choose(&mut rng).unwrap();
            let base = PricePost {
                ema_price: UsdPrice::from_f64(dollars * (1.0 + lag)).unwrap().units(),
                ..PricePost::good(Side::Base, price, scene.svm.now_secs())
            };
            accepted(scene.world.post(&[base]).await);
            let there = scene.svm.save();
            for _ in 0..AT_A_PRICE {
                try_state(&scene, &position, &mut rng, &mut tally).await;
                scene.svm.restore(&there);
                drawn += 1;
            }
            scene.svm.restore(&start);
        }
    }
    println!("{drawn} states: {tally:?}");
    let cured: u64 = tally.cured.values().sum();
    assert!(
        cured * 10 >= drawn * 6,
        "only {cured} of {drawn} states were due"
    );
    let seen = tally.swap_free.len() == 2
        && tally.liquidations.len() == 2
        && !tally.twice.is_empty()
        && tally.too_far_for_owner > 0;
    assert!(seen || drawn < CASES, "{tally:?}");
}
