//! The hostile keeper's turn.

use ballast_abi::whirlpool::layout;
use ballast_client::{
    BallastError, BallastEvent, Bps, Trade,
    ballast::{
        due,
        state::Allowance,
        targets::{MarketRule, deleverage_due},
    },
    instruction,
};
use ballast_model::{Position as PositionModel, SqrtPrice, value_down};

use super::{Act, Play, path::Moment};

/// No pool is pushed by less: not worth it.
const LEAST_BPS: f64 = 0.5;
/// The pool's fee, as far from the price as which it is fair.
const FEE_PPM: u32 = 400;
/// What a push of exactly the cap would lose beyond it by rounding and impact.
const CLEARANCE_BPS: f64 = 1.0;
/// Prices that are tried, the worst for the position first.
const PRICES_TRIED: usize = 2;
/// Pushes that are tried at each, every one half the one before.
const PUSHES_TRIED: usize = 4;

/// Something that can be done to the position.
struct Chance {
    act: Act,
    /// The price that is used, by its place among the moment's.
    age: usize,
    trade: Trade,
    /// How far the pool may be pushed for it.
    most_bps: f64,
}

impl Play {
    /// Everything that is due, each as dearly as it goes.
    pub(super) async fn attack(&mut self, moment: &Moment) {
        self.attack_what_waits_for_nobody(moment).await;
        self.strike_worst(moment, Self::trade_chance).await;
        self.strike_worst(moment, Self::compound_chance).await;
    }

    /// Shows the price that is worst for the position's next trade: losses are charged at the newest shown too, and what is older than it
    /// by more than the grace is refused to everybody.
    pub(super) async fn show(&mut self, moment: &Moment) {
        let (model, at) = self.scene.model(&self.position).await;
        let prices = moment.prices.iter().enumerate();
        let worst = match surplus_trade(&model, at) {
            Trade::SellBase => prices.min_by(|a, b| a.1.total_cmp(b.1)),
            Trade::BuyBase => prices.max_by(|a, b| a.1.total_cmp(b.1)),
        };
        let (age, _) = worst.unwrap();
        let market = self.offer(moment, age).await;
        let show = instruction::refresh_price(&market);
        self.outcome.shown +=
            u32::from(self.scene.send(&self.scene.liquidator, show).await.is_ok());
    }

    /// Exits, and deleverages with a swap, which no first keeper comes before.
    pub(super) async fn attack_what_waits_for_nobody(&mut self, moment: &Moment) {
        self.strike_worst(moment, Self::exit_chance).await;
        self.strike_worst(moment, Self::deleverage_chance).await;
    }

    /// Tries a chance at the prices that are worst for the position, until one is taken.
    async fn strike_worst(
        &mut self,
        moment: &Moment,
        chance: impl Fn(&Self, &PositionModel, usize, f64) -> Option<Chance>,
    ) {
        if self.position.position.liquidity.get() == 0 {
            return;
        }
        let (model, _) = self.scene.model(&self.position).await;
        let prices = moment.prices.iter().enumerate();
        let mut chances: Vec<_> = prices
            .filter_map(|(age, price)| chance(self, &model, age, *price))
            .collect();
        // Who sells gets less where the price is lower, who buys pays more where it is higher.
        chances.sort_by(|a, b| {
            let worse = moment.prices[a.age].total_cmp(&moment.prices[b.age]);
            match a.trade {
                Trade::SellBase => worse,
                Trade::BuyBase => worse.reverse(),
            }
        });
        for chance in chances.into_iter().take(PRICES_TRIED) {
            if self.strike(moment, &chance).await {
                return;
            }
        }
    }

    /// Pushes the pool, acts, and lets the pool go again. Whether something came of it, or nothing can.
    async fn strike(&mut self, moment: &Moment, chance: &Chance) -> bool {
        let price = moment.prices[chance.age];
        let market = self.offer(moment, chance.age).await;
        let mut bps = chance.most_bps;
        for _ in 0..PUSHES_TRIED {
            if bps < LEAST_BPS {
                break;
            }
            let pushed = match chance.trade {
                Trade::SellBase => price * (1.0 - bps / 1e4),
                Trade::BuyBase => price * (1.0 + bps / 1e4),
            };
            self.push(self.at(pushed)).await;
            let (before, _) = self.scene.model(&self.position).await;
            let by = &self.scene.liquidator;
            let sent = self.act(by, &market, price, chance.trade, chance.act).await;
            self.push(self.at(moment.pool)).await;
            match sent {
                Ok(receipt) => {
                    let noted = |event: &BallastEvent| event.name() == "LeftToFirstKeepers";
                    if receipt.events.iter().any(noted) {
                        self.outcome.noted += 1;
                        return true;
                    }
                    let (after, _) = self.scene.model(&self.position).await;
                    let lost_at = |at| {
                        let equity = |model: &PositionModel| model.value(at).unwrap().equity();
                        equity(&before) - equity(&after)
                    };
                    let harms = [moment.price(), price].map(|price| lost_at(self.at(price)));
                    let by_hostile = self.outcome.by_hostile.entry(chance.act).or_default();
                    by_hostile.count += 1;
                    by_hostile.harm += harms[0];
                    by_hostile.at_used_price += harms[1];
                    self.position = self.scene.world.reload(&self.position).await.unwrap();
                    return true;
                }
                Err(error) if error.is(BallastError::FirstKeepersTurn) => return true,
                Err(_) => bps /= 2.0,
            }
        }
        false
    }

    /// Moves the pool. Where it is for nothing the fees come back to the hostile keeper, who has put up so much liquidity of its own
    /// that the position gets none of them.
    async fn push(&self, to: SqrtPrice) {
        if !self.cast.pushes_for_nothing() {
            self.scene.world.move_pool(to).await.unwrap();
            return;
        }
        let pool = self.scene.world.market.market.whirlpool;
        let fee = async |rate: u32| {
            let rate = u16::try_from(rate).unwrap().to_le_bytes();
            let at = layout::pool::FEE_RATE;
            let write = |data: &mut Vec<u8>| data[at..at + 2].copy_from_slice(&rate);
            self.scene.patch(&pool, write).await;
        };
        fee(0).await;
        self.scene.world.move_pool(to).await.unwrap();
        fee(FEE_PPM).await;
    }

    fn trade_chance(&self, model: &PositionModel, age: usize, price: f64) -> Option<Chance> {
        let (trade, base, act) = self.wanted(model, price)?;
        let most_bps = self.push_bps(model, self.at(price), base, act);
        Some(Chance {
            act,
            age,
            trade,
            most_bps,
        })
    }

    fn deleverage_chance(&self, model: &PositionModel, age: usize, price: f64) -> Option<Chance> {
        let (at, market) = (self.at(price), &self.scene.world.market.market);
        let policy = &self.position.position.policy;
        let value = model.value(at).unwrap();
        let due = deleverage_due(MarketRule::of(market), policy, true, &value).ok()?;
        let cap = due.max_swap_loss(&market.limits, policy);
        Some(Chance {
            act: Act::Deleverage,
            age,
            trade: surplus_trade(model, at),
            most_bps: self.capped_push_bps(cap),
        })
    }

    fn exit_chance(&self, model: &PositionModel, age: usize, price: f64) -> Option<Chance> {
        let (at, limits) = (self.at(price), &self.scene.world.market.market.limits);
        let automation = &self.position.position.automation;
        due::exit_due_for(automation, model, at, None).unwrap()?;
        let cap = automation.max_exit_loss_bps.min(limits.max_swap_loss_bps);
        Some(Chance {
            act: Act::Exit,
            age,
            trade: surplus_trade(model, at),
            most_bps: self.capped_push_bps(Bps::new(cap)),
        })
    }

    /// Nothing is traded: what is provided in a pool that is away is worth less, to whichever side.
    fn compound_chance(&self, model: &PositionModel, age: usize, price: f64) -> Option<Chance> {
        (self.position.position.automation.compound_min_value > 0).then(|| Chance {
            act: Act::Compound,
            age,
            trade: surplus_trade(model, self.at(price)),
            most_bps: if self.cast.pushes_for_nothing() {
                f64::from(self.scene.world.market.market.limits.max_pool_deviation_bps)
                    - CLEARANCE_BPS
            } else {
                // The fees of a further push would be worth more to the position than what it does to it.
                LEAST_BPS
            },
        })
    }

    /// As far as a swap may lose so much, its fee included, and as the pool may be away.
    fn capped_push_bps(&self, cap: Bps) -> f64 {
        let limits = &self.scene.world.market.market.limits;
        let left = f64::from(cap.get()) - f64::from(FEE_PPM) / 1e2;
        left.min(limits.max_pool_deviation_bps.into()) - CLEARANCE_BPS
    }

    /// How far the hostile keeper may push the pool, in basis points: what it may still take of a trade of that value, and what a pool
    /// may be away for nothing.
    fn push_bps(&self, model: &PositionModel, at: SqrtPrice, base: u64, act: Act) -> f64 {
        let (market, stored) = (&self.scene.world.market.market, &self.position.position);
        let need = due::rehedge_due(&stored.policy, model, at, None).unwrap();
        let allowance = if act == Act::Rehedge && need.is_some_and(|need| need.defensive) {
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
        let cap = Bps::new(stored.policy.max_swap_loss_bps);
        (left_bps.max(0.0) + fair_bps).min(self.capped_push_bps(cap))
    }
}

/// What has to be traded so that no price risk is left.
fn surplus_trade(model: &PositionModel, at: SqrtPrice) -> Trade {
    if model.delta(at).unwrap() > 0 {
        Trade::SellBase
    } else {
        Trade::BuyBase
    }
}
