//! What a pool's liquidity earns: from arbitrageurs, and from takers.

mod following;
mod recorded;

use std::ops::AddAssign;

use crate::{
    ReflectedPool, SimulationError, Takers, Units, Weather,
    error::{at_least, below_one},
    takers::depth_root,
};
use following::Following;

/// Overshoot constant, `1 / -(zeta(1/2) / sqrt(2 pi))`: 1.7164.
const FIXED_BLOCKS: f64 = 1.716_451_373_3;
const SECS_PER_DAY: f64 = 86_400.0;

/// When arbitrageurs can trade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Blocks {
    /// Every so many seconds.
    Fixed(f64),
    /// After exponential times with this mean in seconds.
    Poisson(f64),
}

impl Blocks {
    /// The part of the loss to arbitrage before fees (LVR) that arbitrageurs keep after paying `fee` (of the input, one side)
    /// at this volatility; the rest comes back as fees.
    ///
    /// Poisson: `1 / (1 + g / (sigma sqrt(dt / 2)))` (Milionis, Moallemi, Roughgarden, "Automated market making and arbitrage
    /// profits in the presence of fees", 2023). Fixed: `1 / (1 + 1.7164 g / (sigma sqrt(dt)))`, an approximation that is good
    /// while the fee is not below a block's sigma (one in 150 off where it is a sixth of it).
    pub fn arbitrage_part(self, fee: f64, sigma_day: f64) -> f64 {
        let sigma = |secs: f64| sigma_day * (secs / SECS_PER_DAY).sqrt();
        let (fee, sigma) = match self {
            Blocks::Fixed(secs) => (FIXED_BLOCKS * fee, sigma(secs)),
            Blocks::Poisson(secs) => (fee, sigma(secs / 2.0)),
        };
        // Without volatility there is nothing to keep.
        if sigma > 0.0 {
            sigma / (sigma + fee)
        } else {
            0.0
        }
    }
}

/// What trading in the pool pays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeeTerms {
    /// Fee in parts of the input.
    pub fee: f64,
    /// The protocol's part of the fee.
    pub protocol_share: f64,
    /// What arbitrageurs do.
    pub arbitrage: Arbitrage,
    /// Who trades for other reasons.
    pub takers: Takers,
}

/// How arbitrageurs' trades are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arbitrage {
    /// By formula, from the price's variance: blocks are shorter than steps.
    Formula(Blocks),
    /// One by one: arbitrageurs trade at every look, and only then.
    EveryLook,
}

impl FeeTerms {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        below_one("fee", self.fee)?;
        below_one("protocol share", self.protocol_share)?;
        if let Arbitrage::Formula(Blocks::Fixed(secs) | Blocks::Poisson(secs)) = self.arbitrage {
            at_least(
                "block time",
                secs,
                f64::MIN_POSITIVE,
                "must be greater than 0",
            )?;
        }
        self.takers.check()
    }
}

/// Fees of the steps since somebody last looked, per unit of liquidity.
#[derive(Clone, Debug)]
pub(crate) struct FeeFlow {
    /// From arbitrageurs, in whole quote tokens' roots: times the liquidity it is an amount.
    arbitrage: Earned,
    /// Days in range, less what has left, under the present conditions.
    taker_days: f64,
    /// What takers pay and share now.
    now: TakersMeet,
    /// What takers paid to the position while that was another, the protocol's part taken off, in raw units.
    takers: Earned,
    /// Days since the start.
    elapsed_days: f64,
    /// Volatility for which `returned` holds.
    variance_day: f64,
    /// The part of LVR that comes back as fees.
    returned: f64,
    /// What arbitrageurs must have paid by formula and a record has not shown yet, base and quote.
    unseen: [f64; 2],
    /// Where arbitrageurs have left the pool.
    pool: ReflectedPool,
    /// What liquidity over the whole range would have earned, if somebody wants to know.
    growth: Option<Growth>,
    /// What of the pool follows the price, if anything does.
    following: Option<Box<Following>>,
}

/// What takers find.
#[derive(Clone, Copy, Debug)]
struct TakersMeet {
    /// The pool's fee.
    fee: f64,
    /// The liquidity of others in it.
    others: f64,
    /// The other pool's liquidity over its usual one.
    other_depth: f64,
}

/// What a pool's own count of fees would say: it goes on while a position is out of range.
#[derive(Clone, Copy, Debug, Default)]
struct Growth {
    /// As [`FeeFlow::arbitrage`], since somebody last looked.
    arbitrage: Earned,
    /// As [`FeeFlow::taker_days`].
    taker_days: f64,
    /// As [`FeeFlow::takers`].
    takers: Earned,
    /// Of one unit of liquidity since the start, in parts of raw units.
    total: Earned,
}

/// Raw units of both tokens, with their fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Earned {
    pub base: f64,
    pub quote: f64,
}

impl AddAssign for Earned {
    fn add_assign(&mut self, other: Self) {
        self.base += other.base;
        self.quote += other.quote;
    }
}

/// One step, as fees depend on it. Prices as logarithms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// The price at its start, and whether it was in range.
    pub from: f64,
    pub inside: bool,
    /// The price at its end.
    pub to: f64,
    pub variance: f64,
    /// The part of the move that was a jump.
    pub jump: f64,
    /// How much takers trade, and where.
    pub weather: Weather,
    pub days: f64,
    /// The position's liquidity, and its range.
    pub liquidity: f64,
    pub range: (f64, f64),
    pub units: Units,
}

impl FeeFlow {
    /// Nothing yet, in a pool at the market's price.
    pub fn new(terms: Option<&FeeTerms>, log_price: f64) -> Self {
        Self {
            arbitrage: Earned::default(),
            taker_days: 0.0,
            now: TakersMeet {
                fee: terms.map_or(0.0, |terms| terms.fee),
                others: terms.map_or(0.0, |terms| terms.takers.others_liquidity),
                other_depth: 1.0,
            },
            takers: Earned::default(),
            elapsed_days: 0.0,
            variance_day: 0.0,
            returned: 0.0,
            unseen: [0.0; 2],
            pool: ReflectedPool::new(log_price, terms.map_or(0.0, |terms| terms.fee)),
            growth: None,
            following: None,
        }
    }

    /// From now on the pool's own count is kept.
    pub fn count_growth(&mut self) {
        self.growth = Some(Growth::default());
    }

    /// What a unit of liquidity that was always in range has earned since the start, in parts of raw units; `None` if that is not
    /// counted.
    pub fn growth(&self) -> Option<[f64; 2]> {
        self.growth
            .map(|growth| [growth.total.base, growth.total.quote])
    }

    /// One step more.
    pub fn add(&mut self, terms: &FeeTerms, stretch: &Stretch) {
        if let Some(paid) = &stretch.weather.paid {
            self.by_record(terms, paid, stretch);
            self.elapsed_days += stretch.days;
            return;
        }
        let is_paid = self.following.is_some() && self.follow(terms, stretch);
        match terms.arbitrage {
            Arbitrage::EveryLook => {
                if !is_paid {
                    self.trade(stretch);
                }
            }
            Arbitrage::Formula(blocks) => {
                if stretch.inside || self.growth.is_some() {
                    self.by_formula(self.now.fee, blocks, stretch);
                }
                if stretch.jump != 0.0 && !is_paid {
                    self.pool = ReflectedPool::new(stretch.to - stretch.jump, terms.fee);
                    self.trade(stretch);
                }
            }
        }
        if stretch.weather.other_depth != self.now.other_depth {
            let other_depth = stretch.weather.other_depth;
            self.find(
                terms,
                stretch,
                TakersMeet {
                    other_depth,
                    ..self.now
                },
            );
        }
        if stretch.inside || self.growth.is_some() {
            let stays = terms.takers.stays(self.elapsed_days);
            let taker_days = stretch.days * stretch.weather.volume * stays;
            if stretch.inside {
                self.taker_days += taker_days;
            }
            if let Some(growth) = &mut self.growth {
                growth.taker_days += taker_days;
            }
        }
        self.elapsed_days += stretch.days;
    }

    /// Takers find something else from here on: what they have paid until now is counted by what was before.
    fn find(&mut self, terms: &FeeTerms, stretch: &Stretch, now: TakersMeet) {
        let (liquidity, at, units) = (stretch.liquidity, stretch.from, stretch.units);
        let paid = |days| paid_by_takers((days, self.now), terms, liquidity, at, units);
        self.takers += paid(self.taker_days);
        if let Some(mut growth) = self.growth {
            growth.takers += paid(growth.taker_days);
            growth.taker_days = 0.0;
            self.growth = Some(growth);
        }
        self.taker_days = 0.0;
        self.now = now;
    }

    /// Arbitrageurs follow the market to the step's end.
    fn trade(&mut self, stretch: &Stretch) {
        if let Some(growth) = &mut self.growth {
            let mut pool = self.pool;
            let trade = pool.arbitrage(stretch.to, (f64::NEG_INFINITY, f64::INFINITY));
            growth.arbitrage.base += trade.fee_base;
            growth.arbitrage.quote += trade.fee_quote;
        }
        let trade = self.pool.arbitrage(stretch.to, stretch.range);
        self.arbitrage.base += trade.fee_base;
        self.arbitrage.quote += trade.fee_quote;
    }

    /// Liquidity L loses `L sigma^2 s / 4` to arbitrage a unit of time (LVR). Half of what comes back is paid in either token.
    fn by_formula(&mut self, fee: f64, blocks: Blocks, stretch: &Stretch) {
        let root = (stretch.from / 2.0).exp();
        let returned = self.handed_back(fee, blocks, stretch);
        let growth = self.growth.as_mut().map(|growth| &mut growth.arbitrage);
        let own = stretch.inside.then_some(&mut self.arbitrage);
        for earned in growth.into_iter().chain(own) {
            earned.quote += returned * root;
            earned.base += returned / root;
        }
    }

    /// What of the loss of a unit of liquidity comes back in either token, over what it is at that price.
    fn handed_back(&mut self, fee: f64, blocks: Blocks, stretch: &Stretch) -> f64 {
        let variance_day = stretch.variance / stretch.days;
        if self.variance_day != variance_day {
            self.variance_day = variance_day;
            self.returned = 1.0 - blocks.arbitrage_part(fee, variance_day.sqrt());
        }
        stretch.variance * self.returned / 8.0
    }

    /// What arbitrageurs have paid to this liquidity since, the protocol's part taken off. `scale` is the root of (raw quote
    /// per raw base) / (whole quote per whole base).
    pub fn paid_by_arbitrage(&self, terms: &FeeTerms, liquidity: f64, scale: f64) -> Earned {
        scaled(self.arbitrage, terms, liquidity, scale)
    }

    /// What takers have paid to this liquidity since: half in either token.
    pub fn paid_by_takers(
        &self,
        terms: &FeeTerms,
        liquidity: f64,
        log_price: f64,
        units: Units,
    ) -> Earned {
        let flow = (self.taker_days, self.now);
        let mut paid = paid_by_takers(flow, terms, liquidity, log_price, units);
        paid += self.takers;
        paid
    }

    /// Starts over; where the pool is, and when it is, stays. What the pool counts is as if `liquidity` had been in range beside the
    /// others': whoever is out of range wants to know what coming back would earn.
    pub fn clear(&mut self, terms: &FeeTerms, liquidity: f64, log_price: f64, units: Units) {
        (self.arbitrage, self.taker_days) = (Earned::default(), 0.0);
        self.takers = Earned::default();
        let Some(growth) = &mut self.growth else {
            return;
        };
        let arbitrage = scaled(growth.arbitrage, terms, 1.0, root_scale(units));
        let flow = (growth.taker_days, self.now);
        let mut takers = paid_by_takers(flow, terms, liquidity, log_price, units);
        takers += growth.takers;
        for earned in [
            arbitrage,
            Earned {
                base: takers.base / liquidity.max(1.0),
                quote: takers.quote / liquidity.max(1.0),
            },
        ] {
            growth.total += earned;
        }
        (growth.arbitrage, growth.taker_days) = (Earned::default(), 0.0);
        growth.takers = Earned::default();
    }
}

/// The root of (raw quote per raw base) / (whole quote per whole base).
pub(crate) fn root_scale(units: Units) -> f64 {
    (units.quote_scale() / units.base_scale()).sqrt()
}

/// What liquidity gets of arbitrageurs' fees, the protocol's part taken off.
fn scaled(earned: Earned, terms: &FeeTerms, liquidity: f64, scale: f64) -> Earned {
    let ours = liquidity * (1.0 - terms.protocol_share);
    Earned {
        base: ours * earned.base / scale,
        quote: ours * earned.quote * scale,
    }
}

/// What liquidity gets of the fees that takers pay in so many days of their usual volume, and of what they find.
fn paid_by_takers(
    (days, now): (f64, TakersMeet),
    terms: &FeeTerms,
    liquidity: f64,
    log_price: f64,
    units: Units,
) -> Earned {
    let takers = &terms.takers;
    if takers.volume_day == 0.0 || liquidity == 0.0 {
        return Earned::default();
    }
    let (base_scale, quote_scale) = (units.base_scale(), units.quote_scale());
    let root = depth_root(log_price, units);
    let all = liquidity + now.others;
    let here = takers.share_here(now.fee, all, root, now.other_depth) * liquidity / all;
    let paid = takers.volume_day * days * now.fee * here;
    let half = paid * (1.0 - terms.protocol_share) / 2.0;
    Earned {
        base: half / log_price.exp() * base_scale,
        quote: half * quote_scale,
    }
}

#[cfg(test)]
mod tests;
