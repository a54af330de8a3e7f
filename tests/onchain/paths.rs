//! Random price paths whose steps stay within the stress distance, on the built program, with an honest keeper: it decides as the
//! keeper does and sends what it decides. At every price a liquidator tries first. However the position is made, with any trigger up
//! to the one that new positions have, it can never be liquidated, it is never left above a trigger once a fresh price and a pool
//! within the owner's cap let the keeper act, and no action loses more than its cap.
//!
//! Feeds come with any age that a swap allows and out of phase, at times older than what the market has been shown; they are
//! uncertain, and their averages lag, so that stages rise where somebody looks. The pool is off the oracle's price. Each path's seed
//! is printed; `BALLAST_CASES=n` plays so many, `BALLAST_SEED=n` begins with another.

use std::collections::BTreeMap;

use ballast_client::{
    Amounts, Automation, BallastError, BallastEvent, Bps, Limits, OpenArgs, Policy,
    PositionContext, Receipt, RecenterArgs, Side,
    ballast::{
        oracle::newest_price,
        targets::{MarketRule, deleverage_due, max_swap_loss},
    },
    highest_trigger_down,
};
use ballast_localnet::{Localnet, PricePost, UsdPrice, WorldConfig};
use ballast_model::{Position as PositionModel, SqrtPrice, value_up};
use ballast_strategy::{
    decide::{Action, ActionKind, Decision},
    situation::Outlook,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::{
    keeper_forecast::foreseen,
    lifecycle::automation,
    states::lowest_trigger,
    support::{Scene, Sent, accepted, number, refused},
};

/// Paths of a run that is not told otherwise.
const CASES: u64 = 48;
/// Paths in one world.
const IN_A_WORLD: u64 = 8;
const STEPS: usize = 20;
const START: f64 = 200.0;
/// The largest step, a little less than the stress distance of 5 %.
const STEP: f64 = 0.0499;
/// Prices stay where the pool has background liquidity.
const BOUNDS: std::ops::Range<f64> = 60.0..700.0;
/// Actions of the keeper at one price.
const MOST_ACTIONS: usize = 8;
/// Units that rounding may cost an action.
const ROUNDING: i128 = 60;

/// What happened, how often.
#[derive(Debug, Default)]
struct Tally {
    paths: u64,
    /// Positions that could not be opened so.
    refused: u64,
    /// What the keeper did.
    acts: BTreeMap<ActionKind, u64>,
    /// What was due and could not be done, the first thing that stood in its way.
    blocked: BTreeMap<String, u64>,
    /// What the program refused although the keeper thought it due.
    failed: BTreeMap<String, u64>,
    /// Steps by the risk stage that they ended at.
    stages: BTreeMap<u8, u64>,
    /// Steps at which a feed was older than what the market had been shown.
    older: u64,
    /// Steps at which the pool was too far away for the owner's cap.
    too_far_for_owner: u64,
    /// Paths on which the position would have been liquidated if nobody had kept it.
    unkept_liquidated: u64,
    /// Equity in the end, of both, as a part of the first.
    kept: f64,
    unkept: f64,
}

fn usd(dollars: f64) -> UsdPrice {
    UsdPrice::from_f64(dollars).unwrap()
}

/// The market's price, as it goes.
struct Market {
    price: f64,
    average: f64,
    quote: f64,
    up: bool,
}

struct Path<'a> {
    scene: &'a Scene,
    rng: StdRng,
    position: PositionContext,
    policy: Policy,
    market: Market,
    tally: &'a mut Tally,
}

/// A policy with a cap that a swap can keep to, and a trigger that leaves the stress distance: the highest one or less. `fee_bps`: the
/// pool's.
fn drawn_policy(rng: &mut StdRng, standard: Policy, limits: &Limits, fee_bps: u32) -> Policy {
    let highest = highest_trigger_down(limits).get();
    let trigger = *[highest, rng.random_range(4_000..=highest)]
        .choose(rng)
        .unwrap();
    let delta_band_bps = rng.random_range(200..3_000);
    Policy {
        hedge_bps: *[10_000, 10_000, 0, rng.random_range(0..=10_000)]
            .choose(rng)
            .unwrap(),
        delta_band_bps,
        delta_target_bps: delta_band_bps / 2,
        deleverage_trigger_ltv_bps: trigger,
        deleverage_target_ltv_bps: rng.random_range(trigger / 2..trigger),
        max_swap_loss_bps: rng.random_range(fee_bps + 5..=100),
        ..standard
    }
}

/// Opens any position that the program lets open.
async fn opened(scene: &Scene, rng: &mut StdRng, id: u64) -> Option<PositionContext> {
    let fee_bps = u32::from(scene.world.pool().await.unwrap().fee_rate_ppm) / 100 + 1;
    let band = [
        usd(START * (1.0 - rng.random_range(0.01..0.3))),
        usd(START * (1.0 + rng.random_range(0.01..0.5))),
    ];
    let own = Amounts::new(0, 100_000_000);
    let leverage_bps = *[rng.random_range(15_000..39_000), 38_000]
        .choose(rng)
        .unwrap();
    let args = scene.world.open_args(id, band, own, leverage_bps).unwrap();
    let args = OpenArgs {
        policy: drawn_policy(
            rng,
            scene.world.policy(),
            &scene.world.market.market.limits,
            fee_bps,
        ),
        ..args
    };
    let position = scene.world.open(&scene.alice, args).await.ok()?;
    if rng.random_bool(0.5) {
        let automation = Automation {
            leverage_bps: args.leverage_bps,
            ..automation()
        };
        scene.automate(&position, automation).await;
    }
    Some(position)
}

impl Path<'_> {
    /// Time passes, the price steps, the feeds are posted as old as they may be, and the pool follows.
    async fn step(&mut self) -> bool {
        let Self { rng, scene, .. } = self;
        let secs = *[2, 7, 20, 60, 600, 6 * 3_600].choose(rng).unwrap();
        scene.svm.pass_time(secs).await.unwrap();
        let market = &mut self.market;
        if rng.random_bool(0.3) || !BOUNDS.contains(&market.price) {
            market.up = if BOUNDS.contains(&market.price) {
                !market.up
            } else {
                market.price < BOUNDS.start
            };
        }
        let size = STEP * *[1.0, 1.0, rng.random_range(0.0..1.0)].choose(rng).unwrap();
        market.price *= if market.up { 1.0 + size } else { 1.0 - size };
        let weight = rng.random_range(0.3..1.0);
        market.average += (market.price - market.average) * weight;
        market.quote = rng.random_range(0.999..1.001);
        self.post(true).await
    }

    /// Posts both feeds, `old` as they may be or as of now; whether one is older than what the market was shown.
    async fn post(&mut self, old: bool) -> bool {
        let Self {
            rng, scene, market, ..
        } = self;
        let now_secs = scene.svm.now_secs();
        let stored = scene.market().await;
        let safety = stored.safety.effective();
        let shown = [
            stored.last_base_publish_secs,
            stored.last_quote_publish_secs,
        ];
        let mut older = false;
        let mut posts = vec![];
        for (side, shown_secs) in [Side::Base, Side::Quote].into_iter().zip(shown) {
            let oldest_secs = (now_secs - i64::from(safety.max_age_swap_secs))
                .max(shown_secs - i64::from(safety.grace_secs / 2));
            let publish_secs = if old {
                rng.random_range(oldest_secs..=now_secs)
            } else {
                now_secs
            };
            older |= publish_secs < shown_secs;
            let (price, average) = match side {
                Side::Base => (market.price * market.quote, market.average * market.quote),
                Side::Quote => (market.quote, market.quote),
            };
            let good = PricePost::good(side, usd(price), publish_secs);
            let uncertain = *[good.conf, good.conf, good.price.unsigned_abs() / 80]
                .choose(rng)
                .unwrap();
            posts.push(PricePost {
                ema_price: usd(average).units(),
                conf: uncertain,
                ..good
            });
        }
        accepted(scene.world.post(&posts).await);
        if rng.random_bool(0.3) {
            accepted(scene.look().await);
        }
        older
    }

    /// The pool somewhere near the oracle's price, or within the owner's cap; whether a swap can then keep to that.
    async fn push(&mut self, within_owners: bool) -> bool {
        let Self { rng, scene, .. } = self;
        let pool = scene.world.pool().await.unwrap();
        let limits = scene.world.market.market.limits;
        let fee_bps = f64::from(pool.fee_rate_ppm) / 100.0;
        let deviation = f64::from(limits.max_pool_deviation_bps);
        let within = |cap: u32| (f64::from(cap) - fee_bps).min(deviation) - 1.0;
        let [owners, markets] = [self.policy.max_swap_loss_bps, limits.max_swap_loss_bps];
        let most = if within_owners || rng.random_bool(0.9) {
            within(owners.min(markets))
        } else {
            within(markets)
        };
        let away_bps = rng.random_range(-most..=most);
        scene.pool(self.market.price * (1.0 + away_bps / 1e4)).await;
        away_bps.abs() <= within(owners.min(markets))
    }

    /// The keeper does what it decides, until nothing is to be done or can be.
    async fn keep(&mut self, at: &str) {
        let mut outlook = Outlook::default();
        let mut done = vec![];
        for _ in 0..MOST_ACTIONS {
            self.position = self.scene.world.reload(&self.position).await.unwrap();
            let foreseen = foreseen(self.scene, &self.position, outlook).await;
            let action = match foreseen.decision {
                Decision::Act(action, _) => action,
                Decision::Nothing => return,
                Decision::Blocked {
                    wanted, obstacle, ..
                } => {
                    let told = format!("{obstacle:?}");
                    let name = told.split(['(', ' ']).next().unwrap_or_default();
                    let told = format!("{wanted}: {name}");
                    *self.tally.blocked.entry(told).or_default() += 1;
                    return;
                }
            };
            let (before, oracle) = self.scene.model(&self.position).await;
            let ltv_bps = before.value(oracle).unwrap().ltv_bps_up();
            done.push(format!("{action:?} at LTV {ltv_bps} bps"));
            match self.send(&action).await {
                Ok(receipt) => {
                    *self.tally.acts.entry(action.kind()).or_default() += 1;
                    let (after, _) = self.scene.model(&self.position).await;
                    self.loses_no_more_than_its_cap(&receipt, [&before, &after], oracle, at)
                        .await;
                }
                Err(error) => {
                    let told = format!("{}: {error}", action.kind());
                    done.push(told.clone());
                    *self.tally.failed.entry(told).or_default() += 1;
                    if outlook.refused.contains(action.kind()) {
                        // What was refused twice waits for another moment.
                        return;
                    }
                    outlook.refused = outlook.refused.with(action.kind());
                }
            }
        }
        panic!("the keeper does not come to rest: {done:#?}, {at}");
    }

    async fn send(&self, action: &Action) -> Sent {
        let Self {
            scene, position, ..
        } = self;
        let by = &scene.keeper;
        match action {
            Action::Rehedge(_) => scene.rehedge(position, by).await,
            Action::Deleverage { .. } => scene.deleverage(position, by).await,
            Action::DeleverageSwap { .. } => scene.deleverage_swap(position, by).await,
            Action::Recenter(plan) => {
                let [tick_lower, tick_upper] = plan.ticks;
                let args = RecenterArgs {
                    tick_lower,
                    tick_upper,
                };
                scene.recenter(position, by, args).await
            }
            Action::Compound(_) => scene.compound(position, by).await,
            Action::Exit(_) | Action::Liquidate { .. } => panic!("{action:?} was not asked for"),
        }
    }

    async fn loses_no_more_than_its_cap(
        &self,
        receipt: &Receipt,
        [before, after]: [&PositionModel; 2],
        oracle: SqrtPrice,
        at: &str,
    ) {
        let limits = self.scene.world.market.market.limits;
        let owners = max_swap_loss(&limits, &self.policy).get();
        // Loss, base traded, cap, and equity that came with it: fees.
        let found = receipt.events.iter().find_map(|event| match event {
            BallastEvent::Rehedged(event) => Some((event.swap_loss, event.base_traded, owners)),
            BallastEvent::DeleveragedWithSwap(event) => {
                Some((event.swap_loss, event.base_traded, limits.max_swap_loss_bps))
            }
            BallastEvent::Recentered(event) => Some((event.swap_loss, event.base_traded, owners)),
            _ => None,
        });
        let (swap_loss, traded, cap_bps) = found.unwrap_or_default();
        let most = value_up(traded, oracle).unwrap() * u128::from(cap_bps) / 10_000;
        assert!(
            u128::from(swap_loss) <= most + 2,
            "{swap_loss} of {traded} lost: {at}"
        );
        let equity = |model: &PositionModel| model.value(oracle).unwrap().equity();
        let lost = equity(before) - equity(after);
        // What is provided in a pool that is away is worth less: a recentering's and compounding's allowance.
        let daily = equity(before).max(0) * 20 / 10_000;
        let provides = receipt.events.iter().any(|event| {
            matches!(
                event,
                BallastEvent::Recentered(_) | BallastEvent::Compounded(_)
            )
        });
        let allowed = i128::from(swap_loss) + ROUNDING + if provides { daily } else { 0 };
        assert!(lost <= allowed, "{lost} lost, {allowed} allowed: {at}");
    }

    /// A liquidator finds nothing to do, whatever the average would let it.
    async fn cannot_be_liquidated(&self, at: &str) {
        let scene = self.scene;
        let (model, oracle) = scene.model(&self.position).await;
        let value = model.value(oracle).unwrap();
        let maintenance = Bps::new(scene.market().await.limits.maintenance_ltv_bps);
        assert!(!value.ltv_at_least(maintenance), "{value:?}: {at}");
        refused(
            scene.liquidate(&self.position).await,
            BallastError::NotLiquidatable,
        );
    }

    /// Nobody can liquidate it, and nothing is due for a trigger.
    async fn is_safe(&mut self, older: bool, within_owners_cap: bool, at: &str) {
        self.cannot_be_liquidated(at).await;
        let scene = self.scene;
        let (model, oracle) = scene.model(&self.position).await;
        let value = model.value(oracle).unwrap();
        let market = scene.market().await;
        let rule = MarketRule::of(&market);
        let bound = if within_owners_cap && !older {
            lowest_trigger(rule, &self.policy, true)
        } else {
            // What only the owner asks for needs the newest price to agree, and a pool within the owner's cap.
            rule.trigger
        };
        let due = deleverage_due(rule, &self.policy, true, &value);
        // A swap is due at the newest price as well, or not at all.
        let newest = newest_price(&market).filter(|_| older).unwrap_or(oracle);
        let at_newest = model.value(newest).unwrap();
        assert!(
            !value.ltv_at_least(bound) || !at_newest.ltv_at_least(bound),
            "LTV {} bps, {due:?}, {model:?}: {at}",
            value.ltv_bps_up()
        );
        *self.tally.stages.entry(market.stage.stage).or_default() += 1;
        self.tally.older += u64::from(older);
        self.tally.too_far_for_owner += u64::from(!within_owners_cap);
    }
}

async fn walk(scene: &Scene, seed: u64, tally: &mut Tally) {
    println!("BALLAST_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let Some(position) = opened(scene, &mut rng, seed).await else {
        tally.refused += 1;
        return;
    };
    let (unkept, oracle) = scene.model(&position).await;
    let first = unkept.value(oracle).unwrap().equity() as f64;
    let up = rng.random_bool(0.5);
    let mut path = Path {
        scene,
        rng,
        policy: position.position.policy,
        position,
        market: Market {
            price: START,
            average: START,
            quote: 1.0,
            up,
        },
        tally,
    };
    let maintenance = Bps::new(scene.world.market.market.limits.maintenance_ltv_bps);
    let mut unkept_liquidated = false;
    for step in 0..STEPS {
        let older = path.step().await;
        let within_owners_cap = path.push(false).await;
        let at = format!(
            "BALLAST_SEED={seed}, step {step}, price {:.4}, {:?}, {:?}",
            path.market.price, path.policy, path.position.position.automation
        );
        path.cannot_be_liquidated(&at).await;
        path.keep(&at).await;
        path.is_safe(older, within_owners_cap, &at).await;
        if older || !within_owners_cap {
            // A moment later the feeds are there, and the pool has been brought back.
            scene.svm.pass_time(1).await.unwrap();
            let older = path.post(false).await;
            let within_owners_cap = path.push(true).await;
            path.cannot_be_liquidated(&at).await;
            path.keep(&at).await;
            path.is_safe(older, within_owners_cap, &at).await;
        }
        let (_, oracle) = scene.model(&path.position).await;
        unkept_liquidated |= unkept.value(oracle).unwrap().ltv_at_least(maintenance);
    }
    let (kept, oracle) = scene.model(&path.position).await;
    let part = |model: &PositionModel| model.value(oracle).unwrap().equity() as f64 / first;
    path.tally.paths += 1;
    path.tally.kept += part(&kept);
    path.tally.unkept += part(&unkept);
    path.tally.unkept_liquidated += u64::from(unkept_liquidated);
    // The owner leaves, at any price and stage.
    accepted(scene.close(&path.position).await);
}

#[tokio::test]
async fn on_paths_within_the_stress_distance_a_kept_position_is_never_liquidated() {
    let (first, cases) = (number("BALLAST_SEED", 1), number("BALLAST_CASES", CASES));
    let mut tally = Tally::default();
    for world in 0..cases.div_ceil(IN_A_WORLD) {
        let seeds =
            first + world * IN_A_WORLD..(first + (world + 1) * IN_A_WORLD).min(first + cases);
        let spacing = [4, 1, 64, 8, 2][(world % 5) as usize];
        let config = WorldConfig::standard()
            .and_then(|config| config.with_tick_spacing(spacing))
            .unwrap();
        let scene = Scene::with(config).await;
        scene.svm.set_simulating(false);
        let start = scene.svm.save();
        for seed in seeds {
            walk(&scene, seed, &mut tally).await;
            scene.svm.restore(&start);
        }
    }
    println!("{tally:#?}");
    if cases >= CASES {
        assert!(tally.paths * 2 >= cases, "{tally:?}");
        // The keeper foresees what the program does: hardly anything is refused, by a unit of an allowance.
        let [acts, failed] = [
            tally.acts.values().sum::<u64>(),
            tally.failed.values().sum(),
        ];
        assert!(failed * 50 <= acts, "{tally:?}");
        // Paths on which nothing would have happened show nothing.
        assert!(tally.unkept_liquidated * 5 >= tally.paths, "{tally:?}");
        for kind in [
            ActionKind::Rehedge,
            ActionKind::Deleverage,
            ActionKind::DeleverageSwap,
            ActionKind::Recenter,
        ] {
            assert!(tally.acts.contains_key(&kind), "{kind}: {tally:?}");
        }
    }
}
