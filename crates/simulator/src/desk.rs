//! A position on its path: what it is now, and where its gain came from.

mod acted;
mod beside;

pub(crate) use acted::PLENTY;

use ballast_model::{Amounts, Bps, ModelError, Moved, Position, SqrtPrice, lending};

use crate::{
    Acts, Attribution, Event, Perp, Remark,
    fees::{Earned, FeeFlow, root_scale},
    reserves::Reserves,
    scenario::Terms,
};

/// What the oracle shows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shown {
    price: SqrtPrice,
    age_secs: u64,
    /// Whether nothing newer is published.
    silent: bool,
    /// How wide its interval is, basis points of the price.
    confidence_bps: f64,
}

/// A position, its uncollected fees and its debts with interest, as of the last time somebody acted; and what has flowed since.
///
/// Moves of tokens are whole units by the model's arithmetic; fees earned between them carry their fractions along.
pub struct Desk<'a> {
    terms: &'a Terms,
    position: Position,
    /// Fees that were earned and not collected: part of equity.
    fees: Amounts,
    /// Fractions of units that were earned beyond those.
    carry: Earned,
    at: SqrtPrice,
    /// What the oracle shows, if that is not the price that was last settled.
    shown: Option<Shown>,
    /// The reserves, where they move.
    reserves: Option<Box<Reserves>>,
    /// What was owed when somebody last borrowed or repaid, and when that was: interest is counted from there, so that looking
    /// at it costs no rounding.
    anchor: (Amounts, u64),
    /// The last settlement, in seconds after the start.
    settled_secs: u64,
    attribution: Attribution,
    pub(crate) flow: FeeFlow,
    /// The short beside the position; it is as of the last look, whether or not somebody acted.
    perp: Option<Perp>,
    acts: Acts,
    /// The largest trade of its own, as a part of what a stated depth holds.
    pub(crate) largest_trade: f64,
    /// Whether one went beyond the ticks that are known.
    pub(crate) trade_beyond_depth: bool,
    /// Every action, if somebody wants to know.
    events: Option<Vec<Event>>,
    /// The same of what agents say.
    remarks: Vec<Remark>,
}

impl<'a> Desk<'a> {
    /// A position that has just been opened.
    pub(crate) fn new(terms: &'a Terms) -> Result<Self, ModelError> {
        let mut desk = Self {
            terms,
            position: terms.opened,
            fees: Amounts::ZERO,
            carry: Earned::default(),
            at: terms.at,
            shown: None,
            reserves: None,
            anchor: (terms.opened.debt, 0),
            settled_secs: 0,
            attribution: Attribution::default(),
            flow: FeeFlow::new(terms.fees.as_ref(), terms.units.log_price(terms.at))
                .following(terms),
            perp: None,
            acts: Acts::default(),
            largest_trade: 0.0,
            trade_beyond_depth: false,
            events: None,
            remarks: Vec::new(),
        };
        desk.attribution.rounding = terms.opening_loss()?;
        desk.open_perp()?;
        Ok(desk)
    }

    /// The position as of the last time somebody acted.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// What the scenario says.
    pub fn terms(&self) -> &Terms {
        self.terms
    }

    /// Where the gain came from until [`Desk::settle`] was last called.
    pub fn attribution(&self) -> &Attribution {
        &self.attribution
    }

    /// The price that was last settled.
    pub fn at(&self) -> SqrtPrice {
        self.at
    }

    /// The oracle's price, by which is decided and carried out what an agent does.
    pub fn oracle(&self) -> SqrtPrice {
        self.shown.map_or(self.at, |shown| shown.price)
    }

    /// How old the oracle's price is.
    pub fn oracle_age_secs(&self) -> u64 {
        self.shown.map_or(0, |shown| shown.age_secs)
    }

    /// Whether the oracle publishes nothing newer.
    pub fn oracle_is_silent(&self) -> bool {
        self.shown.is_some_and(|shown| shown.silent)
    }

    /// How wide the interval of the oracle's price is, in basis points of it.
    pub fn oracle_confidence_bps(&self) -> f64 {
        self.shown.map_or(0.0, |shown| shown.confidence_bps)
    }

    /// From now on the oracle shows that price, which is so old, and nothing newer if it is silent.
    pub(crate) fn shows(
        &mut self,
        (log_price, age_secs): (f64, u64),
        silent: bool,
        confidence_bps: f64,
    ) {
        self.shown = Some(Shown {
            price: self.terms.units.sqrt_price(log_price),
            age_secs,
            silent,
            confidence_bps,
        });
    }

    /// Seconds from the start to the last settlement.
    pub fn secs(&self) -> u64 {
        self.settled_secs
    }

    /// Fees that were earned and not collected.
    pub fn fees(&self) -> Amounts {
        self.fees
    }

    /// What a unit of liquidity that was always in range has earned since the start, base and quote, in parts of raw units; `None` if
    /// no agent has asked for it.
    pub fn fee_growth(&self) -> Option<[f64; 2]> {
        self.flow.growth()
    }

    /// What was done so far.
    pub fn acts(&self) -> &Acts {
        &self.acts
    }

    /// From now on every action is noted.
    pub(crate) fn record(&mut self) {
        self.events = Some(Vec::new());
    }

    /// Notes what an agent says of its decision, if somebody wants to know.
    pub fn remark(&mut self, text: impl FnOnce() -> String) {
        if self.events.is_some() {
            self.remarks.push(Remark {
                secs: self.settled_secs,
                at: self.at,
                text: text(),
            });
        }
    }

    /// The actions and remarks that were noted.
    pub(crate) fn into_events(self) -> (Vec<Event>, Vec<Remark>) {
        (self.events.unwrap_or_default(), self.remarks)
    }

    /// What actions have cost beside their trades: no part of the position, and of the gain.
    pub(crate) fn spent(&self) -> i128 {
        -self.attribution.gas
    }

    /// How far the base debt is from its target at the oracle's price.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn hedge_error(&self, hedge: Bps) -> Result<i128, ModelError> {
        self.position.hedge_error(self.oracle(), hedge)
    }

    /// The position with uncollected fees beside its liquidity.
    fn whole(&self) -> Result<Position, ModelError> {
        self.position.with_idle(self.fees)
    }

    /// Equity at the last price that was settled, with what is held beside it.
    pub(crate) fn equity(&self) -> Result<i128, ModelError> {
        Ok(self.whole()?.equity_down(self.at)? + self.beside())
    }

    /// The position with its debts as they will be `secs` after the path's start.
    pub(crate) fn grown_until(&self, secs: u64) -> Result<Position, ModelError> {
        let (base, quote) = self.growth(secs);
        self.anchored().grown(base, quote)
    }

    /// The position with the debts that interest is counted from.
    fn anchored(&self) -> Position {
        Position {
            debt: self.anchor.0,
            ..self.position
        }
    }

    /// The whole position as it stands `secs` after the start at a price, fees included, without booking anything.
    pub(crate) fn seen(&self, secs: u64, log_price: f64) -> Result<Position, ModelError> {
        let (arbitrage, takers) = self.earned(log_price);
        let (fees, _) = self.whole_units(arbitrage, takers)?;
        self.grown_until(secs)?
            .with_idle(self.fees)?
            .with_idle(fees)
    }

    fn growth(&self, secs: u64) -> (u128, u128) {
        let span = secs.saturating_sub(self.anchor.1);
        let interest = &self.terms.interest;
        let still = [interest.base_rate_x64, interest.quote_rate_x64];
        let [base, quote] = match &self.reserves {
            None => still,
            Some(reserves) => reserves.mean_rates(still, secs, span),
        };
        (
            lending::growth_x64_up(base, span),
            lending::growth_x64_up(quote, span),
        )
    }

    /// From now on interest is counted from the present debts.
    fn anchor_here(&mut self) {
        self.anchor = (self.position.debt, self.settled_secs);
        if let Some(reserves) = &mut self.reserves {
            reserves.anchor();
        }
    }

    /// Fees since the last settlement: from arbitrageurs, and from takers.
    fn earned(&self, log_price: f64) -> (Earned, Earned) {
        let Some(fees) = &self.terms.fees else {
            return Default::default();
        };
        let units = self.terms.units;
        let liquidity = self.position.liquidity as f64;
        let scale = root_scale(units);
        let takers = self.flow.paid_by_takers(fees, liquidity, log_price, units);
        (self.flow.paid_by_arbitrage(fees, liquidity, scale), takers)
    }

    /// Whole units of what was earned with what was carried, and the fraction left.
    fn whole_units(&self, a: Earned, b: Earned) -> Result<(Amounts, Earned), ModelError> {
        let base = self.carry.base + a.base + b.base;
        let quote = self.carry.quote + a.quote + b.quote;
        let whole = |amount: f64, what| {
            if amount < u64::MAX as f64 {
                Ok(amount as u64)
            } else {
                Err(ModelError::Overflow(what))
            }
        };
        let fees = Amounts::new(whole(base, "base fees")?, whole(quote, "quote fees")?);
        let left = Earned {
            base: base.fract(),
            quote: quote.fract(),
        };
        Ok((fees, left))
    }

    /// Books everything up to `secs` after the start at a price: the price's move, then interest, then fees.
    ///
    /// # Errors
    /// [`ModelError`] of amounts beyond 64 bits.
    pub fn settle(&mut self, secs: u64, log_price: f64) -> Result<(), ModelError> {
        self.move_to(self.terms.units.sqrt_price(log_price))?;
        self.charge(secs)?;
        let (arbitrage, takers) = self.earned(log_price);
        let gain = self.credit(arbitrage)?;
        self.attribution.fees_arbitrage += gain;
        let gain = self.credit(takers)?;
        self.attribution.fees_takers += gain;
        if let Some(fees) = &self.terms.fees {
            let (liquidity, units) = (self.position.liquidity as f64, self.terms.units);
            self.flow.clear(fees, liquidity, log_price, units);
        }
        Ok(())
    }

    /// The move's effect is delta times the move, and the rest: curvature.
    fn move_to(&mut self, to: SqrtPrice) -> Result<(), ModelError> {
        let Moved { drift, curvature } = self.whole()?.moved(self.at, to)?;
        self.attribution.hedge_drift += drift;
        self.attribution.curvature += curvature;
        self.at = to;
        Ok(())
    }

    fn charge(&mut self, secs: u64) -> Result<(), ModelError> {
        let before = self.equity()?;
        let owed = self.grown_until(secs)?.debt;
        self.position.debt.base = owed.base;
        let between = self.equity()?;
        self.position.debt.quote = owed.quote;
        self.attribution.interest_base += between - before;
        self.attribution.interest_quote += self.equity()? - between;
        self.settled_secs = secs;
        Ok(())
    }

    fn credit(&mut self, earned: Earned) -> Result<i128, ModelError> {
        let before = self.equity()?;
        let (fees, left) = self.whole_units(earned, Earned::default())?;
        self.fees = self.fees.checked_add(fees)?;
        self.carry = left;
        Ok(self.equity()? - before)
    }
}
