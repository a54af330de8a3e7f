//! Three days with a keeper who wants a position harmed, beside an honest one.
//!
//! Every ten minutes the price takes a step of a day's 5 %, the pool follows to within its fee, and whoever keeps the position has
//! a look. The hostile keeper comes first: where a rehedge or a recentering is due it pushes the pool against the position as far
//! as the trade's cap, the distance from the oracle and the allowance let it, picks the worse of the last seconds' prices, acts,
//! and lets the pool go again. Then the honest keeper does what is still to be done. Where the owner has named the honest one, all
//! that the hostile one can do at first is to note the need. What the pushing costs the hostile keeper is not counted: some
//! hundred times what the position loses. The policy is the one that the command line proposes: a narrower band trades more.

use ballast_client::{
    Automation, BallastError, BallastEvent, MarketContext, Policy, PositionContext, PriceAccounts,
    Side, SqrtPrice, Trade,
    ballast::{due, state::Allowance},
    instruction,
};
use ballast_localnet::{Localnet, PricePost, Trader, UsdPrice};
use ballast_model::{Bps, Position as PositionModel, value_down};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    lifecycle::automation,
    support::{Scene, Sent, accepted},
};

const STEP_SECS: u64 = 600;
const STEPS: usize = 3 * 86_400 / STEP_SECS as usize;
const SIGMA_DAY: f64 = 0.05;
/// How much older the other price is that may be used.
const OLDER_SECS: i64 = 14;
/// A pool is pushed by no more: what is lost beyond is refused.
const MOST_BPS: f64 = 45.0;
/// Nor by less: not worth it.
const LEAST_BPS: f64 = 0.5;
/// The pool's fee, as far from the price as which it is fair.
const FEE_PPM: u32 = 400;
const FIRST_SECS: u32 = 30;
const AWAY_EVERY: usize = 40;
const HALF_WIDTH: i32 = 500;

/// A moment of the market.
struct Moment {
    /// What base cost some seconds ago, in dollars.
    older: f64,
    /// What it costs.
    price: f64,
    /// What it costs in the pool.
    pool: f64,
}

fn normal(rng: &mut StdRng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn path(seed: u64) -> Vec<Moment> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut price = 200.0;
    let moved = |rng: &mut StdRng, price: f64, secs: f64| {
        let sigma = SIGMA_DAY * (secs / 86_400.0).sqrt();
        price * (sigma * normal(rng) - sigma * sigma / 2.0).exp()
    };
    (0..STEPS)
        .map(|_| {
            let older = moved(&mut rng, price, STEP_SECS as f64 - OLDER_SECS as f64);
            price = moved(&mut rng, older, OLDER_SECS as f64);
            let pool = price * (1.0 + 3e-4 * rng.random_range(-1.0..1.0));
            Moment { older, price, pool }
        })
        .collect()
}

/// Who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    /// The honest keeper alone.
    Honest,
    /// The hostile keeper first, the owner has named nobody.
    Hostile,
    /// The hostile keeper first, the owner has named the honest one.
    Named,
    /// The same, and the honest one is away one step in forty.
    NamedAndAway,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    equity: i128,
    by_hostile: u32,
    by_honest: u32,
    noted: u32,
    /// Equity lost by the hostile keeper's actions.
    harmed: i128,
    /// How often the honest keeper had no allowance left.
    starved: u32,
}

/// One play.
struct Play {
    scene: Scene,
    position: PositionContext,
    /// The market with the other price accounts.
    older: MarketContext,
    outcome: Outcome,
}

fn usd(dollars: f64) -> UsdPrice {
    UsdPrice::from_f64(dollars).unwrap()
}

impl Play {
    async fn new(cast: Cast) -> Self {
        let scene = Scene::new().await;
        scene.svm.set_simulating(false);
        let position = scene.open(1).await;
        let automation = Automation {
            min_width_ticks: 2 * HALF_WIDTH as u32,
            max_width_ticks: 2 * HALF_WIDTH as u32,
            ..automation()
        };
        scene.automate(&position, automation).await;
        // What `ballast open` proposes.
        let proposed = |policy: &mut Policy| {
            (policy.delta_band_bps, policy.delta_target_bps) = (1_000, 500);
            policy.deleverage_trigger_ltv_bps = 7_700;
            policy.deleverage_target_ltv_bps = 6_500;
            policy.max_swap_loss_bps = 50;
        };
        scene.change_policy(&position, proposed).await;
        if matches!(cast, Cast::Named | Cast::NamedAndAway) {
            let (market, owner) = (&scene.world.market.address, scene.alice.key());
            let keepers = [scene.keeper.key(), Default::default()];
            let address = &position.address;
            let name = instruction::set_first_keepers(market, &owner, address, keepers, FIRST_SECS);
            accepted(scene.send(&scene.alice, name).await);
        }
        let pyth = scene.svm.programs().pyth.id;
        let account = |side| {
            let feed = PricePost::good(side, UsdPrice::ONE, 0).feed;
            ballast_abi::pyth::stand_in::price_account(&pyth, &feed, 1).0
        };
        let older = MarketContext {
            prices: PriceAccounts {
                base: account(Side::Base),
                quote: account(Side::Quote),
            },
            ..scene.world.market.clone()
        };
        Self {
            scene,
            position,
            older,
            outcome: Outcome::default(),
        }
    }

    fn at(&self, dollars: f64) -> SqrtPrice {
        self.scene.world.sqrt_price_at(usd(dollars)).unwrap()
    }

    async fn step(&mut self, moment: &Moment, with_older: bool) {
        let world = &self.scene.world;
        self.scene.svm.pass_time(STEP_SECS).await.unwrap();
        world.move_pool(self.at(moment.pool)).await.unwrap();
        let now_secs = self.scene.svm.now_secs();
        let older = |side, price| PricePost {
            index: 1,
            ..PricePost::good(side, price, now_secs - OLDER_SECS)
        };
        if with_older {
            let base = older(Side::Base, usd(moment.older));
            let posts = [base, older(Side::Quote, UsdPrice::ONE)];
            world.post(&posts).await.unwrap();
        }
        world.post_price(usd(moment.price)).await.unwrap();
        self.position = world.reload(&self.position).await.unwrap();
    }

    /// The trade that is due, its base, and whether it comes with another band.
    fn wanted(&self, model: &PositionModel, price: f64) -> Option<(Trade, u64, bool)> {
        let at = self.at(price);
        let policy = &self.position.position.policy;
        let stored = &self.position.position;
        let recenters = due::recenter_due(&stored.automation, &model.band, at, None).is_some()
            && self.scene.svm.now_secs() >= stored.last_recenter_secs + 10;
        let delta = model.delta(at).unwrap();
        let trade = if delta > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        if recenters {
            return Some((trade, u64::try_from(delta.unsigned_abs()).unwrap(), true));
        }
        let need = due::rehedge_due(policy, model, at, None).unwrap()?;
        Some((need.trade, need.base, false))
    }

    async fn act(
        &self,
        by: &Trader,
        market: &MarketContext,
        price: f64,
        trade: Trade,
        recenters: bool,
    ) -> Sent {
        let world = &self.scene.world;
        let path = market.swap_path(world.pool().await.unwrap().tick_current, trade);
        if !recenters {
            let rehedge = instruction::rehedge(market, &self.position, &by.key(), &path);
            return self.scene.send(by, rehedge).await;
        }
        let middle = world.tick_at(usd(price)).unwrap().get();
        let args = ballast_client::RecenterArgs {
            tick_lower: middle - HALF_WIDTH,
            tick_upper: middle + HALF_WIDTH,
        };
        let ticks = [args.tick_lower, args.tick_upper];
        world.create_tick_arrays(ticks).await.unwrap();
        let recenter = instruction::recenter(market, &self.position, &by.key(), args, &path);
        self.scene.send(by, recenter).await
    }

    /// How far the hostile keeper may push the pool, in basis points: what it may still take of a trade of that value, and what a pool
    /// may be away for nothing.
    fn push_bps(&self, model: &PositionModel, at: SqrtPrice, base: u64, recenters: bool) -> f64 {
        let (market, stored) = (&self.scene.world.market.market, &self.position.position);
        let need = due::rehedge_due(&stored.policy, model, at, None).unwrap();
        let allowance = if !recenters && need.is_some_and(|need| need.defensive) {
            Allowance::Defensive
        } else {
            Allowance::Daily
        };
        let equity = model.value(at).unwrap().equity().max(0) as f64;
        let allowed = equity * f64::from(allowance.max_bps(market, stored)) / 1e4;
        let spent = allowance.recent(stored).left_up(self.scene.svm.now_secs());
        let traded = value_down(base, at).unwrap().max(1) as f64;
        let fair_bps = f64::from(FEE_PPM) / 1e2 * 0.97;
        let left_bps = (allowed - spent as f64) / traded * 1e4 * 0.97;
        (left_bps.max(0.0) + fair_bps).min(MOST_BPS)
    }

    /// The hostile keeper's turn.
    async fn attack(&mut self, moment: &Moment) {
        let (model, _) = self.scene.model(&self.position).await;
        // Who sells gets less where the price is lower, who buys pays more where it is higher.
        let mut ways = [(true, moment.older), (false, moment.price)]
            .map(|(older, price)| (older, price, self.wanted(&model, price)));
        let sells = ways
            .iter()
            .any(|(.., wanted)| matches!(wanted, Some((Trade::SellBase, ..))));
        if (ways[0].1 > ways[1].1) == sells {
            ways.swap(0, 1);
        }
        for (older, price, wanted) in ways {
            let Some((trade, base, recenters)) = wanted else {
                continue;
            };
            let mut bps = self.push_bps(&model, self.at(price), base, recenters);
            for _ in 0..4 {
                if bps < LEAST_BPS {
                    break;
                }
                let pushed = match trade {
                    Trade::SellBase => price * (1.0 - bps / 1e4),
                    Trade::BuyBase => price * (1.0 + bps / 1e4),
                };
                self.scene.world.move_pool(self.at(pushed)).await.unwrap();
                let market = if older {
                    &self.older
                } else {
                    &self.scene.world.market
                };
                let market = market.clone();
                let sent = self
                    .act(&self.scene.liquidator, &market, price, trade, recenters)
                    .await;
                self.scene
                    .world
                    .move_pool(self.at(moment.pool))
                    .await
                    .unwrap();
                match sent {
                    Ok(_) => {
                        self.outcome.by_hostile += 1;
                        let at = self.at(moment.price);
                        let (after, _) = self.scene.model(&self.position).await;
                        let equity = |model: &PositionModel| model.value(at).unwrap().equity();
                        self.outcome.harmed += equity(&model) - equity(&after);
                        self.position = self.scene.world.reload(&self.position).await.unwrap();
                        return;
                    }
                    Err(error) if error.is(BallastError::FirstKeepersTurn) => return,
                    Err(_) => bps /= 2.0,
                }
            }
        }
    }

    /// The hostile keeper notes what is due, which is all that it can do before the first keepers have had their time.
    async fn note(&mut self, moment: &Moment) {
        let (model, _) = self.scene.model(&self.position).await;
        let Some((trade, _, recenters)) = self.wanted(&model, moment.price) else {
            return;
        };
        let market = self.scene.world.market.clone();
        let by = &self.scene.liquidator;
        let sent = self.act(by, &market, moment.price, trade, recenters).await;
        if let Ok(receipt) = sent {
            let noted = |event: &BallastEvent| event.name() == "LeftToFirstKeepers";
            assert!(receipt.events.iter().any(noted), "it has acted");
            self.outcome.noted += 1;
        }
    }

    /// The honest keeper's turn.
    async fn keep(&mut self, moment: &Moment) {
        let (model, at) = self.scene.model(&self.position).await;
        let trigger = self.position.position.policy.deleverage_trigger_ltv_bps;
        if model.value(at).unwrap().ltv_at_least(Bps::new(trigger)) {
            let done = self
                .scene
                .deleverage(&self.position, &self.scene.keeper)
                .await;
            self.outcome.by_honest += u32::from(done.is_ok());
        }
        let (model, _) = self.scene.model(&self.position).await;
        if let Some((trade, _, recenters)) = self.wanted(&model, moment.price) {
            let market = self.scene.world.market.clone();
            let sent = self
                .act(&self.scene.keeper, &market, moment.price, trade, recenters)
                .await;
            self.outcome.by_honest += u32::from(sent.is_ok());
            let starved = sent.is_err_and(|error| error.is(BallastError::DailyLossExceeded));
            self.outcome.starved += u32::from(starved);
        }
        self.position = self.scene.world.reload(&self.position).await.unwrap();
    }

    /// Equity with the fees in the end.
    async fn end(mut self) -> Outcome {
        let compounded = self.scene.compound(&self.position, &self.scene.alice).await;
        accepted(compounded);
        let (model, at) = self.scene.model(&self.position).await;
        self.outcome.equity = model.value(at).unwrap().equity();
        self.outcome
    }
}

async fn play(cast: Cast, seed: u64) -> Outcome {
    let mut play = Play::new(cast).await;
    for (number, moment) in path(seed).iter().enumerate() {
        play.step(moment, cast != Cast::Honest).await;
        match cast {
            Cast::Honest => {}
            Cast::Hostile => play.attack(moment).await,
            Cast::Named | Cast::NamedAndAway => play.note(moment).await,
        }
        if cast == Cast::NamedAndAway && number % AWAY_EVERY == 0 {
            // The time of the first keepers passes.
            let svm = &play.scene.svm;
            svm.pass_time(u64::from(FIRST_SECS)).await.unwrap();
            play.scene
                .world
                .post_price(usd(moment.price))
                .await
                .unwrap();
            play.attack(moment).await;
        } else {
            play.keep(moment).await;
        }
    }
    play.end().await
}

async fn compare(seed: u64) {
    let honest = play(Cast::Honest, seed).await;
    let mut table = vec![(Cast::Honest, 0.0, honest)];
    for cast in [Cast::Hostile, Cast::Named, Cast::NamedAndAway] {
        let outcome = play(cast, seed).await;
        let alone = &table[0].2;
        let below = (alone.equity - outcome.equity) as f64 / alone.equity as f64;
        table.push((cast, below, outcome));
    }
    println!("seed  cast          equity   below  by hostile (harm)  by honest  noted  starved");
    for (cast, below, outcome) in &table {
        println!(
            "{seed:4}  {:12}  {:6.2}  {:5.2}%  {:10} ({:4.2})  {:9}  {:5}  {:7}",
            format!("{cast:?}"),
            outcome.equity as f64 / 1e6,
            below * 100.0,
            outcome.by_hostile,
            outcome.harmed as f64 / 1e6,
            outcome.by_honest,
            outcome.noted,
            outcome.starved,
        );
    }
    for (cast, below, outcome) in &table {
        match cast {
            // What is fair is within the allowances.
            Cast::Honest => assert_eq!(outcome.starved, 0),
            Cast::Hostile | Cast::Named | Cast::NamedAndAway => {
                assert!(*below <= 0.02, "{cast:?}: {below}");
            }
        }
    }
}

#[tokio::test]
async fn three_days_with_a_hostile_keeper() {
    compare(1).await;
}

#[tokio::test]
async fn three_other_days_with_a_hostile_keeper() {
    compare(2).await;
}

#[tokio::test]
async fn three_more_days_with_a_hostile_keeper() {
    compare(3).await;
}
