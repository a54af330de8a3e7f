//! The keeper's own strategy, as an agent.

use ballast::state::{
    Automation, Market, MarketMode, MarketParams, Policy, Position as Stored, SafetyRules,
};
use ballast_ledger::{Ledger, LedgerError};
use ballast_model::{
    Position, Side,
    lending::{DEBT_SHARE_BITS, INDEX_ONE_X64},
};
use ballast_snapshot::{MarketSnapshot, PoolState, PriceAccounts, Pubkey};
use ballast_strategy::{
    Tokens,
    act::{Deed, Rules, carry_out},
    decide::{Action, Assessment, Decision, assess, refreshed},
    fee_yield::{FeeYield, GrowthMark},
    situation::{Economics, Outlook, Situation, SituationError},
    volatility::Volatility,
    watch::watch,
};
use bytemuck::Zeroable;

use crate::{Act, Agent, Desk, Quiet, Terms, WalkError, reserves::Lent};
use accounts::{moving_reserve, price_update, raw_price, reserve};
use tried::Tried;

mod accounts;
mod tried;

pub use tried::BandRule;

/// The cluster's time at the start of a path: any that is not the first of all.
const START_SECS: i64 = 1_700_000_000;
/// More actions at one look are not to be expected.
const MOST_ACTIONS: usize = 8;
/// The market's own price accounts.
const PRICES: PriceAccounts = PriceAccounts {
    base: Pubkey::new_from_array([3; 32]),
    quote: Pubkey::new_from_array([4; 32]),
};
/// While the market is at a risk stage it is looked at so often.
const STAGE_SECS: i64 = 60;

/// The rules that a position lives under, and what its keeper is configured with.
#[derive(Clone, Debug)]
pub struct KeeperTerms {
    /// The market's limits and rules.
    pub market: MarketParams,
    /// The market's rules for what protects positions.
    pub safety: SafetyRules,
    /// The pool's grid of ticks.
    pub tick_spacing: u16,
    /// What the owner lets keepers do.
    pub policy: Policy,
    /// The same, beyond hedging and deleveraging.
    pub automation: Automation,
    /// What the keeper takes recentering and compounding to be worth.
    pub economics: Economics,
    /// What it weighs new bands by.
    pub band_rule: BandRule,
    /// The pool's fee, in millionths of the input.
    pub fee_ppm: u16,
}

impl KeeperTerms {
    /// Under a market's rules, with a keeper that neither recenters nor compounds. `fee_ppm`: as in [`Self::fee_ppm`].
    pub fn in_market(market: &Market, policy: Policy, fee_ppm: u16) -> Self {
        Self {
            market: market.params(),
            safety: market.safety,
            tick_spacing: market.tick_spacing,
            policy,
            automation: Automation::OFF,
            economics: Economics::default(),
            band_rule: BandRule::Present,
            fee_ppm,
        }
    }
}

/// A keeper that decides with `ballast-strategy` and acts with `ballast-ledger`, as the program would: at once, at the market's price
/// and for the pool's fee, with the impact that [`Terms::depth`] or [`Terms::tick_depth`] gives its trades: without one there is none. Where the fee moves,
/// it knows the fixed part, as the pool's account shows it, and its trades pay all of it. The oracle says the market's price unless the run's [`crate::Lag`] makes it late
/// or [`Terms::feed`] silent or unsure; the reserves have plenty, unless [`Terms::reserves`] move. Where either is there, the market's risk
/// stage follows what is seen whenever the keeper is asked. What actions lose is not held against the allowances of later ones.
#[derive(Clone, Debug)]
pub struct Keeper {
    snapshot: MarketSnapshot,
    stored: Stored,
    /// What the owner allows.
    automation: Automation,
    economics: Economics,
    /// How much the price has moved since the keeper was started, which is when the position was opened.
    volatility: Volatility,
    /// What the pool has paid; `None` where nobody would ask.
    fee_yield: Option<FeeYield>,
    /// What new bands are weighed by.
    tried: Tried,
}

impl Keeper {
    /// Looks after a position that lives under these terms.
    pub fn new(keeper: &KeeperTerms, terms: &Terms) -> Self {
        let mut market = Market::zeroed();
        market.version = Market::VERSION;
        market.mode = MarketMode::Normal as u8;
        market.mode_until_secs = i64::MAX;
        market.base_decimals = terms.units.base_decimals;
        market.quote_decimals = terms.units.quote_decimals;
        market.tick_spacing = keeper.tick_spacing;
        market.limits = keeper.market.limits;
        market.oracle_rules = keeper.market.oracle_rules;
        market.keepers = keeper.market.keepers;
        market.stages = keeper.market.stages;
        market.safety = keeper.safety;
        (market.base_price_account, market.quote_price_account) = (PRICES.base, PRICES.quote);
        let mut stored = Stored::zeroed();
        stored.version = Stored::VERSION;
        // Whose it is, and who looks after it, are two.
        stored.owner = Pubkey::new_from_array([1; 32]);
        stored.policy = keeper.policy;
        stored.automation = keeper.automation;
        let recenters = keeper.automation.max_width_ticks > 0 && terms.fees.is_some();
        let begun = GrowthMark {
            growth_x64: [0; 2],
            at: terms.at,
            secs: START_SECS,
        };
        let fee_yield = recenters.then(|| {
            let mut pool = FeeYield::default();
            pool.observe(&begun);
            pool
        });
        Self {
            snapshot: MarketSnapshot {
                slot: 0,
                now_secs: START_SECS,
                address: Pubkey::default(),
                market,
                base_reserve: terms.reserves[0].map_or_else(
                    || reserve(0, terms.interest.base_rate_x64),
                    |moving| moving_reserve(0, &moving),
                ),
                quote_reserve: terms.reserves[1].map_or_else(
                    || reserve(1, terms.interest.quote_rate_x64),
                    |moving| moving_reserve(1, &moving),
                ),
                pool: PoolState {
                    sqrt_price: terms.at,
                    tick_current: terms.at.tick().get(),
                    liquidity: terms.liquidity_at(terms.at),
                    fee_rate_ppm: keeper.fee_ppm,
                    has_adaptive_fee: terms.adaptive_fee.is_some(),
                    touched_secs: 0,
                    fee_growth_x64: [0; 2],
                },
                base_price: price_update(1, 1.0),
                quote_price: price_update(2, 1.0),
            },
            stored,
            automation: keeper.automation,
            economics: keeper.economics,
            volatility: Volatility::default(),
            fee_yield,
            tried: Tried::new(keeper.band_rule, begun),
        }
    }

    /// Takes note of what the pool shows.
    fn measure(&mut self, desk: &Desk<'_>) {
        if let (Some(pool), Some(growth)) = (&mut self.fee_yield, desk.fee_growth()) {
            // `as` saturates.
            let x64 = |growth: f64| (growth * 2f64.powi(64)) as u128;
            let now = GrowthMark {
                growth_x64: growth.map(x64),
                at: desk.at(),
                secs: START_SECS.saturating_add_unsigned(desk.secs()),
            };
            if pool.observe(&now) {
                self.tried.observe(now, self.volatility.ticks_per_day());
            }
        }
    }

    /// Everything as the accounts would show it now.
    fn see(&mut self, desk: &Desk<'_>) {
        let now = START_SECS.saturating_add_unsigned(desk.secs());
        let snapshot = &mut self.snapshot;
        (snapshot.now_secs, snapshot.slot) = (now, desk.secs());
        snapshot.pool.sqrt_price = desk.at();
        snapshot.pool.tick_current = desk.at().tick().get();
        snapshot.pool.liquidity = desk.terms().liquidity_at(desk.at());
        let price = desk.terms().units.log_price(desk.oracle()).exp();
        let published = now.saturating_sub_unsigned(desk.oracle_age_secs());
        // Nobody is in doubt about the quote token's.
        let doubt = desk.oracle_confidence_bps() / 1e4;
        for (update, price, doubt) in [
            (&mut snapshot.base_price, price, doubt),
            (&mut snapshot.quote_price, 1.0, 0.0),
        ] {
            update.price = raw_price(price);
            update.ema_price = update.price;
            update.conf = raw_price(price * doubt).unsigned_abs();
            (update.publish_time, update.previous_publish_time) = (published, published - 1);
            update.posted_slot = desk.secs();
        }
        let position = desk.position();
        let stored = &mut self.stored;
        stored.automation = self.tried.allowed(
            self.automation,
            stored.policy.delta_band_bps,
            self.fee_yield.as_ref().and_then(FeeYield::measured),
            self.volatility.ticks_per_day(),
            (snapshot.pool.fee_rate_ppm, snapshot.market.tick_spacing),
        );
        stored.tick_lower = position.band.sqrt_lower().tick().get();
        stored.tick_upper = position.band.sqrt_upper().tick().get();
        stored.liquidity = position.liquidity.into();
        (stored.idle_base, stored.idle_quote) = (position.idle.base, position.idle.quote);
        // Debts are in the shares of an index that stands at one: interest is the desk's.
        let shares = |amount: u64| u128::from(amount) << DEBT_SHARE_BITS;
        stored.base_debt_shares = shares(position.debt.base).into();
        stored.quote_debt_shares = shares(position.debt.quote).into();
        for (side, reserve, owed) in [
            (Side::Base, &mut snapshot.base_reserve, position.debt.base),
            (
                Side::Quote,
                &mut snapshot.quote_reserve,
                position.debt.quote,
            ),
        ] {
            let lent = desk.lent(side).unwrap_or(Lent::PLENTY);
            reserve.borrow_index_x64 = INDEX_ONE_X64.into();
            reserve.debt_shares = (shares(owed) + shares(lent.others)).into();
            reserve.liquidity = lent.liquidity;
            reserve.last_accrual_secs = now;
        }
        let terms = desk.terms();
        if (terms.feed.is_some() || terms.has_moving_rates())
            && let Some((market, _)) = refreshed(snapshot, &PRICES)
        {
            snapshot.market = market;
        }
    }

    fn situation(&self, desk: &Desk<'_>) -> Situation<'_> {
        let fee_yield = self.fee_yield.as_ref().and_then(FeeYield::measured);
        let volatility = self.volatility.ticks_per_day();
        Situation {
            market: &self.snapshot,
            position: &self.stored,
            now_secs: self.snapshot.now_secs,
            slot: self.snapshot.slot,
            keeper: Pubkey::new_from_array([2; 32]),
            funds: None,
            min_gain: 0,
            outlook: Outlook {
                fees: Some(desk.fees()),
                booked_fees: Some(desk.fees()),
                action_cost: Some(desk.terms().action_cost),
                volatility,
                fee_yield: self.tried.fee_yield(fee_yield, volatility),
                economics: self.economics,
                ..Outlook::default()
            },
        }
    }

    /// The market's tokens have no names here.
    fn tokens(&self) -> Tokens<'static> {
        let market = &self.snapshot.market;
        Tokens {
            base: "base",
            quote: "quote",
            decimals: (market.base_decimals, market.quote_decimals),
        }
    }

    fn assess(&mut self, desk: &Desk<'_>) -> Result<Assessment, WalkError> {
        self.see(desk);
        assess(&self.situation(desk)).map_err(said)
    }

    /// Carries an action out; what the program would refuse is not done.
    fn carry_out(&mut self, action: &Action, desk: &mut Desk<'_>) -> Result<bool, WalkError> {
        let now_secs = self.snapshot.now_secs;
        let pool = desk.pool(self.snapshot.pool.fee_rate_ppm.into())?;
        let mut ledger = self
            .snapshot
            .ledger(&self.stored, now_secs, pool)
            .map_err(|error| said(SituationError::from(error)))?;
        let rules = Rules {
            market: &self.snapshot.market,
            position: &self.stored,
            oracle: desk.oracle(),
            now_secs,
        };
        match carry_out(Deed::from(action), &rules, &mut ledger) {
            Ok(()) => {}
            Err(LedgerError::Model(error)) => return Err(error.into()),
            Err(_) => return Ok(false),
        }
        let after: Position = ledger
            .position()
            .map_err(|error| WalkError::Agent(error.to_string()))?;
        match action {
            Action::Recenter(_) => {
                (
                    self.stored.last_recenter_secs,
                    self.stored.last_rebalance_secs,
                ) = (now_secs, now_secs);
            }
            Action::Rehedge(_) => self.stored.last_rebalance_secs = now_secs,
            _ => {}
        }
        desk.traded(&ledger.pool);
        desk.acted(action.into(), after, ledger.pool.fees()?)?;
        Ok(true)
    }
}

fn said(error: SituationError) -> WalkError {
    WalkError::Agent(error.to_string())
}

impl Agent for Keeper {
    fn quiet(&self, desk: &Desk<'_>, until_secs: u64) -> Result<Quiet, WalkError> {
        let mut keeper = self.clone();
        let at = keeper.assess(desk)?;
        let horizon = u32::try_from(until_secs.saturating_sub(desk.secs())).unwrap_or(u32::MAX);
        let watch = watch(&keeper.situation(desk), &at, horizon).map_err(said)?;
        let measures = self.fee_yield.as_ref().and_then(FeeYield::due_secs);
        let mut until_secs = measures.map_or(watch.until_secs, |due| due.min(watch.until_secs));
        if keeper.snapshot.market.stage.stage > 0 {
            until_secs = until_secs.min(at.now_secs + STAGE_SECS);
        }
        Ok(Quiet {
            prices: watch.quiet,
            until_secs: Some(u64::try_from(until_secs - START_SECS).unwrap_or(0)),
        })
    }

    fn watches_fees(&self) -> bool {
        self.fee_yield.is_some()
    }

    fn watches_prices(&self) -> bool {
        true
    }

    fn pass(&mut self, secs: u64, tick: i32) {
        self.volatility
            .observe(tick, START_SECS.saturating_add_unsigned(secs));
    }

    fn act(&mut self, desk: &mut Desk<'_>) -> Result<(), WalkError> {
        self.measure(desk);
        for _ in 0..MOST_ACTIONS {
            let at = self.assess(desk)?;
            match at.decision {
                Decision::Nothing => break,
                Decision::Blocked {
                    wanted,
                    reason,
                    obstacle,
                    ..
                } => {
                    let tokens = self.tokens();
                    desk.remark(|| {
                        format!(
                            "{wanted} is due ({}), but {}",
                            reason.told(tokens),
                            obstacle.told(tokens, at.now_secs)
                        )
                    });
                    break;
                }
                Decision::Act(action, reason) => {
                    let name = Act::from(&action).name();
                    let tokens = self.tokens();
                    desk.remark(|| format!("{name}: {}", reason.told(tokens)));
                    if !self.carry_out(&action, desk)? {
                        desk.remark(|| format!("{name} is refused by the program's rules"));
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
