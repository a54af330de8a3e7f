//! Paths of prices with and without a keeper: one position as a value, a pool that follows the oracle and takes its fee, no I/O.
//!
//! The *kept* position is what the keeper's own decisions make of it, each landing up to two slots after it was made, at the price
//! of that slot. The *unkept* one is left alone. Either is liquidated by somebody as soon as its LTV reaches maintenance, before
//! any keeper has a turn and without a second witness: who keeps a position has to act earlier. The average lags the price by an
//! hour, as the feeds' own does, and the keeper shows the market its evidence, so that stages rise and fall.

use ballast_client::{MarketSnapshot, Position, PriceAccounts, Pubkey};
use ballast_model::{Amounts, Bps, Position as PositionModel, SqrtPrice, price::scale_up};
use ballast_strategy::{
    act::{Deed, Rules, carry_out},
    decide::{ActionKind, Assessment, Decision, Kinds, assess, refresh_due, refreshed},
    fixtures,
    situation::{Outlook, Situation},
};

use super::state::Fair;

/// Most actions that a keeper takes before the price moves on.
const MOST_TURNS: u32 = 4;

/// What the moving average forgets to its e-th part in.
const AVERAGE_SECS: f64 = 3_600.0;

/// One position on its way.
#[derive(Clone, Debug)]
pub struct Life {
    pub market: MarketSnapshot,
    pub position: Position,
    /// What the keeper knows of the market's volatility.
    pub volatility: Option<u32>,
    /// What has been done, in order.
    pub actions: Vec<ActionKind>,
    /// How often it was liquidated, in part or whole.
    pub liquidations: u32,
    /// What the keeper's actions have cost, quote units.
    pub cost: u128,
    /// Of each move that ended at or above maintenance: the LTV before it and the price after over the price before.
    pub crossings: Vec<(u32, f64)>,
    /// Largest LTV at which the keeper has left it, basis points.
    pub left_at_ltv_bps: u32,
    /// The highest risk stage that the market was at.
    pub highest_stage: u8,
}

impl Life {
    pub fn new(market: MarketSnapshot, position: Position) -> Self {
        Self {
            market,
            position,
            volatility: None,
            actions: Vec::new(),
            liquidations: 0,
            cost: 0,
            crossings: Vec::new(),
            left_at_ltv_bps: 0,
            highest_stage: 0,
        }
    }

    pub fn model(&self) -> PositionModel {
        self.market
            .position(&self.position, self.market.now_secs)
            .unwrap()
    }

    pub fn oracle(&self) -> SqrtPrice {
        self.market.oracle_sqrt_price().unwrap()
    }

    pub fn oracle_dollars(&self) -> f64 {
        self.market.base_price.price as f64 / 1e8
    }

    pub fn equity(&self) -> i128 {
        self.model().equity_down(self.oracle()).unwrap()
    }

    pub fn ltv_bps(&self) -> u32 {
        self.model().value(self.oracle()).unwrap().ltv_bps_up()
    }

    /// Time passes, and the price moves; pool and oracle agree. Who is unhealthy then is liquidated.
    pub fn pass(&mut self, secs: i64, dollars: f64) {
        let before = (self.ltv_bps(), dollars / self.oracle_dollars());
        let market = &mut self.market;
        market.now_secs += secs;
        market.slot += secs.unsigned_abs();
        let average = market.base_price.ema_price as f64;
        market.base_price = fixtures::price_update((dollars * 1e8).round() as i64, 1);
        let part = 1.0 - (-secs as f64 / AVERAGE_SECS).exp();
        let average = average + (dollars * 1e8 - average) * part;
        market.base_price.ema_price = average.round() as i64;
        market.base_price.publish_time = market.now_secs;
        market.quote_price.publish_time = market.now_secs;
        market.pool.sqrt_price = market.oracle_sqrt_price().unwrap();
        market.pool.tick_current = market.pool.sqrt_price.tick().get();
        let liquidations = self.liquidations;
        self.liquidate();
        if self.liquidations > liquidations {
            self.crossings.push(before);
        }
    }

    /// Pays what liquidity in its band has earned.
    pub fn earn(&mut self, amount: u64) {
        let mut model = self.model();
        model.idle.quote += amount;
        self.store(&repaid(model));
    }

    fn liquidate(&mut self) {
        let limits = self.market.market.limits;
        loop {
            let (model, oracle) = (self.model(), self.oracle());
            let value = model.value(oracle).unwrap();
            if !value.ltv_at_least(Bps::new(limits.maintenance_ltv_bps)) {
                return;
            }
            let pool = Fair::at(oracle, Amounts::ZERO);
            let now_secs = self.market.now_secs;
            let ledger = self.market.ledger(&self.position, now_secs, pool);
            let mut ledger = ledger.unwrap();
            let max_pay = Amounts::new(u64::MAX, u64::MAX);
            ledger.payer = max_pay;
            let market = self.market.market;
            let rules = Rules {
                market: &market,
                position: &self.position,
                oracle,
                now_secs,
            };
            carry_out(Deed::Liquidate { max_pay }, &rules, &mut ledger).unwrap();
            self.market.book(&mut self.position, &ledger);
            self.liquidations += 1;
        }
    }

    fn store(&mut self, model: &PositionModel) {
        let position = &mut self.position;
        position.liquidity = model.liquidity.into();
        position.tick_lower = model.band.sqrt_lower().tick().get();
        position.tick_upper = model.band.sqrt_upper().tick().get();
        position.idle_base = model.idle.base;
        position.idle_quote = model.idle.quote;
        position.base_debt_shares = fixtures::shares(model.debt.base).into();
        position.quote_debt_shares = fixtures::shares(model.debt.quote).into();
        fixtures::book_debts(&mut self.market, &self.position);
    }

    pub fn assess(&self, refused: Kinds) -> Assessment {
        let situation = Situation {
            now_secs: self.market.now_secs,
            slot: self.market.slot,
            outlook: Outlook {
                volatility: self.volatility,
                refused,
                ..Outlook::default()
            },
            ..fixtures::situation(&self.market, &self.position)
        };
        assess(&situation).unwrap()
    }

    /// The keeper's turns at a price. What it decides on lands after one of the moves in `slots` (basis points, to and fro), at the
    /// price of that slot, if the program still takes it there.
    pub fn keep(&mut self, slots: &mut impl FnMut() -> i32) {
        self.refresh_stage();
        let close = self.market.clone();
        for _ in 0..MOST_TURNS {
            let Decision::Act(action, _) = self.assess(Kinds::NONE).decision else {
                break;
            };
            let kind = action.kind();
            self.shift(slots());
            let others = ActionKind::ALL.iter().filter(|other| **other != kind);
            let others = others.fold(Kinds::NONE, |all, other| all.with(*other));
            let at = self.assess(others);
            let lands = matches!(at.decision, Decision::Act(action, _) if action.kind() == kind);
            if let (true, Some(expected)) = (lands, at.expected) {
                self.check(&at, &expected.after);
                self.store(&expected.after);
                self.cost += expected.cost;
                self.actions.push(kind);
                let now_secs = self.market.now_secs;
                match kind {
                    ActionKind::Rehedge => self.position.last_rebalance_secs = now_secs,
                    ActionKind::Recenter => self.position.last_recenter_secs = now_secs,
                    _ => {}
                }
            }
            self.market.base_price = close.base_price;
            self.market.pool = close.pool;
        }
        self.left_at_ltv_bps = self.left_at_ltv_bps.max(self.ltv_bps());
    }

    fn refresh_stage(&mut self) {
        let none = Pubkey::default();
        let prices = PriceAccounts {
            base: none,
            quote: none,
        };
        if refresh_due(&self.market, &prices).is_some()
            && let Some((market, _)) = refreshed(&self.market, &prices)
        {
            self.market.market = market;
        }
        self.highest_stage = self.highest_stage.max(self.market.market.stage.stage);
    }

    /// The price of a slot a moment later.
    fn shift(&mut self, bps: i32) {
        let price = &mut self.market.base_price.price;
        *price += *price * i64::from(bps) / 10_000;
        self.market.pool.sqrt_price = self.market.oracle_sqrt_price().unwrap();
        self.market.pool.tick_current = self.market.pool.sqrt_price.tick().get();
        self.liquidate();
    }

    /// What no action of a keeper may break, whatever it is.
    fn check(&self, at: &Assessment, after: &PositionModel) {
        let (value, limits) = (after.value(at.oracle).unwrap(), &self.market.market.limits);
        let before = at.value;
        // Nothing comes from nowhere, and no more is lost than a swap of everything may lose.
        assert!(value.equity() <= before.equity() + 10, "{at:?} {after:?}");
        let most = Bps::new(limits.max_swap_loss_bps).of_up(2 * before.assets);
        let lost = u128::try_from(before.equity() - value.equity()).unwrap_or(0);
        assert!(lost <= most.unwrap(), "{at:?} {after:?}");
        let maintenance = Bps::new(limits.maintenance_ltv_bps);
        assert!(
            !value.ltv_at_least(maintenance) || value.ltv_bps_up() < before.ltv_bps_up(),
            "{at:?} {after:?}"
        );
        // No stressed LTV rises into liquidation.
        for bps in [
            Bps::ONE.get() - limits.stress_distance_bps,
            Bps::ONE.get() + limits.stress_distance_bps,
        ] {
            let price = scale_up(at.oracle, Bps::new(bps)).unwrap();
            let (was, is) = (at.model.value(price).unwrap(), after.value(price).unwrap());
            assert!(
                !is.ltv_at_least(maintenance) || is.ltv_bps_up() <= was.ltv_bps_up() + 30,
                "{at:?} {after:?}"
            );
        }
    }
}

fn repaid(model: PositionModel) -> PositionModel {
    let repaid = model.idle.min(model.debt);
    PositionModel {
        idle: model.idle.saturating_sub(repaid),
        debt: model.debt.saturating_sub(repaid),
        ..model
    }
}

/// Numbers that look random, the same for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    pub fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Between the two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.part()
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() % u64::from(high - low + 1)) as u32
    }

    /// Of the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.part(), self.part());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

/// Prices whose logarithms move by normal steps, and at times by a jump; their mean is where they begin.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    pub steps: usize,
    pub step_secs: i64,
    /// Standard deviation of a step.
    pub sigma: f64,
    /// Part of the steps that jump.
    pub jumps: f64,
    /// Standard deviation of a jump.
    pub jump_sigma: f64,
}

impl Walk {
    pub fn prices(&self, random: &mut Random, from: f64) -> Vec<f64> {
        let mut price = from;
        let mut step = || {
            let sigma = if random.part() < self.jumps {
                self.sigma.hypot(self.jump_sigma)
            } else {
                self.sigma
            };
            price *= (sigma * random.normal() - sigma * sigma / 2.0).exp();
            price
        };
        (0..self.steps).map(|_| step()).collect()
    }
}

/// Mean, 5 % quantile and minimum.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    pub mean: f64,
    pub low: f64,
    pub least: f64,
}

impl Tail {
    /// Of equities in quote units, in whole quote tokens.
    pub fn of(mut equities: Vec<i128>) -> Self {
        equities.sort_unstable();
        let at = |index: usize| equities[index] as f64 / 1e6;
        let sum: i128 = equities.iter().sum();
        Self {
            mean: sum as f64 / 1e6 / equities.len() as f64,
            low: at(equities.len() / 20),
            least: at(0),
        }
    }
}

impl std::fmt::Display for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { mean, low, least } = self;
        write!(f, "mean {mean:.2}, 5 % quantile {low:.2}, least {least:.2}")
    }
}
