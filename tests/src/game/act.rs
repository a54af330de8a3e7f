//! What owners and keepers do beyond hedging and deleveraging.

use ballast_client::{
    Automation, IncreaseArgs, PositionContext, Reaction, RecenterArgs, SqrtPrice, Tick, Trade,
    ballast::due, instruction,
};
use ballast_localnet::{LocalnetExt, UsdPrice};

use super::{Game, Played, Step, play::times};

/// Ticks of one step of [`Step::SetAutomation`]'s widths.
const WIDTH_TICKS: u32 = 40;
/// Lamports of one step of its reward; the largest lie beyond what the market allows.
const REWARD_LAMPORTS: u64 = 5_000;
/// Steps of a basis point of what keepers may lose; the largest lie beyond what the market allows.
const LOSS_STEPS: u32 = 20;
/// What it draws for an edge or a floor beyond this is none.
const FARTHEST: u32 = 40;
/// Basis points of the price of one step of an edge's distance. The nearest are reached at once.
const DISTANCE_BPS: u32 = 25;

impl Game {
    /// A step of an owner or a keeper with an open position.
    pub(super) async fn act(&mut self, step: Step, position: &PositionContext) -> Played {
        let market = &self.world.market;
        let owner = self.owner(position);
        match step {
            Step::Increase {
                with_base,
                own_base,
                own_quote,
                leverage_bps,
                sell,
                ..
            } => {
                let args = IncreaseArgs {
                    own_base: if with_base { own_base.0.into() } else { 0 },
                    own_quote: own_quote.0.into(),
                    leverage_bps: leverage_bps.0,
                    min_liquidity: 0,
                    max_base_debt: u64::MAX,
                    max_quote_debt: u64::MAX,
                };
                let path = market.swap_path(self.tick().await, trade(sell));
                let increase = instruction::increase(market, position, &owner.wallet, args, &path);
                self.send(owner, increase).await
            }
            Step::Repay { base, quote, .. } => {
                let repay = instruction::repay(market, position, &owner.wallet, base.0, quote.0);
                self.send(owner, repay).await
            }
            Step::Collect { .. } => {
                let collect = instruction::collect(market, position, &owner.wallet);
                self.send(owner, collect).await
            }
            Step::Compound { person, .. } => {
                let by = self.person(person);
                let compound = instruction::compound(market, position, &by.key());
                self.send(by, compound).await
            }
            Step::Recenter { .. } => self.recenter(step, position).await,
            Step::Exit { person, .. } => {
                let by = self.person(person);
                let path = market.swap_path(self.tick().await, self.exits_by(position).await);
                let exit = instruction::exit(market, position, &by.key(), &path);
                self.send(by, exit).await
            }
            Step::SetAutomation { .. } => {
                let automation = self.automation(step, position);
                let (market, key) = (&market.address, owner.key());
                let set = instruction::set_automation(market, &key, &position.address, automation);
                self.send(owner, set).await
            }
            Step::Transfer {
                to,
                by_other,
                accept,
                ..
            } => {
                let to_key = self.person(to).key();
                let offer = instruction::transfer(&owner.key(), &position.address, to_key);
                let mut played = self.send(owner, offer).await;
                if accept.0 > 0 {
                    let by = if by_other.0 == 0 { to.next() } else { to };
                    let by = self.person(by);
                    let take = instruction::accept_transfer(&by.key(), &position.address);
                    let taken = self.send(by, take).await;
                    played.events.extend(taken.events);
                    played.refused = played.refused.or(taken.refused);
                }
                played
            }
            Step::ReclaimReward { lamports, .. } => {
                let key = owner.key();
                let reclaim = instruction::reclaim_reward(&key, &position.address, lamports.0);
                self.send(owner, reclaim).await
            }
            Step::FundReward { lamports, .. } => {
                let fund = self.svm.funding(&position.address, lamports.0.into());
                Played::from(self.svm.execute(vec![fund], &[]).await)
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    async fn recenter(&self, step: Step, position: &PositionContext) -> Played {
        let Step::Recenter {
            person,
            offset,
            half_width,
            replacing,
            ..
        } = step
        else {
            unreachable!("{step:?} moves no band");
        };
        let market = &self.world.market;
        let snapshot = self.world.snapshot().await.unwrap();
        let spacing = i32::from(market.market.tick_spacing);
        let middle = snapshot.oracle_sqrt_price().unwrap().tick().get();
        // Mostly at the price, in some cases a little too far from it.
        let offset = match offset.0 {
            few @ 0..=3 => few as i32 - 1,
            far @ 4..=5 => (far as i32 * 2 - 9) * 40,
            _ => 0,
        };
        let centre = ((middle + spacing / 2).div_euclid(spacing) + offset) * spacing;
        let half = half_width.0 as i32 * spacing;
        let ticks @ [tick_lower, tick_upper] = [centre - half, centre + half];
        self.world.create_tick_arrays(ticks).await.unwrap();
        let args = RecenterArgs {
            tick_lower,
            tick_upper,
        };
        let model = snapshot.position(&position.position, snapshot.now_secs);
        let delta = model.unwrap().delta(snapshot.pool.sqrt_price).unwrap();
        let path = market.swap_path(snapshot.pool.tick_current, trade(delta >= 0));
        let by = self.person(person);
        let key = by.key();
        let recenter = if replacing {
            instruction::recenter_replacing(market, position, &key, args, &path)
        } else {
            instruction::recenter(market, position, &key, args, &path)
        };
        self.send(by, recenter).await
    }

    /// Which way an exit swaps first.
    async fn exits_by(&self, position: &PositionContext) -> Trade {
        let snapshot = self.world.snapshot().await.unwrap();
        let oracle = snapshot.oracle_sqrt_price().unwrap();
        let model = snapshot.position(&position.position, snapshot.now_secs);
        let model = model.unwrap();
        let equity = model.value(oracle).unwrap().equity();
        let due = due::exit_due(&position.position.automation, oracle, equity);
        match due {
            Some((_, Reaction::ExitIntoBase)) => Trade::BuyBase,
            _ => trade(model.delta(snapshot.pool.sqrt_price).unwrap() > 0),
        }
    }

    fn automation(&self, step: Step, position: &PositionContext) -> Automation {
        let Step::SetAutomation {
            leverage_bps,
            min_width,
            more_width,
            edge,
            cooldown_secs,
            low,
            high,
            at_low,
            at_high,
            at_floor,
            floor_bps,
            compound_min,
            reward,
            exit_loss_bps,
            daily_loss_bps,
            ..
        } = step
        else {
            unreachable!("{step:?} sets no automation");
        };
        let has_low = low.0 < FARTHEST;
        let has_high = high.0 < FARTHEST;
        let equity = self.now.last.equity(position).unwrap_or(0);
        let floor = u128::try_from(equity).unwrap_or(0) * u128::from(floor_bps.0) / 10_000;
        let min_equity = u64::try_from(floor).unwrap();
        // A byte that is no reaction is drawn too; one without an edge is refused.
        let reaction = |drawn: u32, has: bool| if has { drawn as u8 } else { 0 };
        Automation {
            min_equity,
            compound_min_value: (1u64 << compound_min.0.min(30)) >> 1,
            reward_lamports: u64::from(reward.0) * REWARD_LAMPORTS,
            window_low_tick: if has_low {
                self.tick_off(10_000 - low.0 * DISTANCE_BPS)
            } else {
                Automation::NO_LOW
            },
            window_high_tick: if has_high {
                self.tick_off(10_001 + high.0 * DISTANCE_BPS)
            } else {
                Automation::NO_HIGH
            },
            leverage_bps: leverage_bps.0,
            min_width_ticks: min_width.0 * WIDTH_TICKS,
            max_width_ticks: (min_width.0 + more_width.0) * WIDTH_TICKS,
            edge_bps: edge.0 * 100,
            recenter_cooldown_secs: cooldown_secs.0,
            max_exit_loss_bps: exit_loss_bps.0,
            max_daily_loss_bps: daily_loss_bps.0 / LOSS_STEPS,
            at_low: reaction(at_low.0, has_low),
            at_high: reaction(at_high.0, has_high),
            at_floor: reaction(at_floor.0, min_equity > 0),
            padding: 0,
        }
    }

    /// The tick at a factor of the market's price.
    fn tick_off(&self, bps: u32) -> i32 {
        let price: UsdPrice = times(self.now.price, bps);
        let price: SqrtPrice = self.world.sqrt_price_at(price).unwrap();
        let tick: Tick = price.tick();
        tick.get()
    }
}

fn trade(sell: bool) -> Trade {
    if sell {
        Trade::SellBase
    } else {
        Trade::BuyBase
    }
}
