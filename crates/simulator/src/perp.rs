//! A perp venue, and the short that somebody holds there beside his positions.

mod basis;
mod deleveraging;
mod venue;

use ballast_model::Bps;
use rand_chacha::ChaCha8Rng;

use crate::{
    SimulationError,
    error::{at_least, below_one},
};

use basis::Basis;
pub use basis::BasisWalk;
pub use deleveraging::Deleveraging;
use deleveraging::Strain;
pub(crate) use venue::check_funding;
pub use venue::{PartAt, PerpShock};

/// What a book has at the venue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerpAccount {
    /// Whole base that is held; negative: short.
    pub size: f64,
    /// Raw quote units that are put up.
    pub margin: i128,
    /// Part of the value at which the venue closes it.
    pub maintenance: f64,
    /// Whether the short follows the book's delta, and how far that may drift, as a part of it.
    pub follows: Option<f64>,
}

/// A short that is held beside one position, so that the price of base matters to neither. What is put up for it is own funds, too.
#[derive(Clone, Debug, PartialEq)]
pub struct PerpTerms {
    /// The venue.
    pub venue: PerpShock,
    /// Raw quote units that are put up.
    pub margin: u64,
    /// Part of the value at which the venue closes it.
    pub maintenance: f64,
    /// How far it may be from the position's delta before it follows, as a part of all the base that the position can hold.
    pub band: Bps,
}

impl PerpTerms {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        let positive = "must be greater than 0";
        at_least(
            "margin at the perp venue",
            self.margin as f64,
            1.0,
            positive,
        )?;
        at_least(
            "maintenance at the perp venue",
            self.maintenance,
            f64::MIN_POSITIVE,
            positive,
        )?;
        below_one("maintenance at the perp venue", self.maintenance)?;
        below_one("fee of the perp venue", self.venue.fee)?;
        self.venue.check()?;
        check_funding(self.venue.funding_hour)
    }

    /// Whether the venue's price draws random numbers.
    pub(crate) fn wanders(&self) -> bool {
        self.venue.basis_walk.is_some_and(|walk| walk.sd > 0.0)
    }

    /// The account when a position with this delta, in whole base, has just been opened at a price.
    pub(crate) fn opened(&self, delta: f64, price: f64, quote_scale: f64) -> Perp {
        let account = PerpAccount {
            size: 0.0,
            margin: self.margin.into(),
            maintenance: self.maintenance,
            follows: None,
        };
        let mut perp = Perp::new(&self.venue, account, price, quote_scale);
        let size = perp.wanted(delta);
        if size != 0.0 {
            perp.trade(size);
        }
        perp
    }
}

/// What has come of it, raw quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PerpFlows {
    /// Gained by the venue's price.
    pub price: i128,
    /// What of that it was whose way is not that of the price outside.
    pub basis: i128,
    /// Received as funding; negative: paid.
    pub funding: i128,
    /// Paid as fees.
    pub fees: i128,
    /// Whole base that was closed because others could not pay.
    pub auto_deleveraged: f64,
    /// Whether the venue has closed it for want of margin.
    pub liquidated: bool,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Perp {
    shock: PerpShock,
    quote_scale: f64,
    /// What is held.
    pub account: PerpAccount,
    /// What has come of it.
    pub flows: PerpFlows,
    mark: f64,
    /// What of the mark is not the price outside.
    apart: f64,
    basis: Basis,
    strain: Option<Strain>,
    secs: u64,
    /// The end of the step before.
    before_secs: u64,
    order: Option<(u64, f64)>,
}

const HOUR_SECS: f64 = 3_600.0;

impl Perp {
    /// A venue where a book holds that, when the price outside is `price`, whole quote per whole base.
    pub fn new(shock: &PerpShock, account: PerpAccount, price: f64, quote_scale: f64) -> Self {
        let basis = Basis::new(shock.basis_walk);
        let all = shock.basis_at(0) + basis.now();
        let mark = price * (1.0 + all);
        Self {
            shock: shock.clone(),
            quote_scale,
            account,
            flows: PerpFlows::default(),
            mark,
            apart: price * all,
            basis,
            strain: shock.deleverages.map(|rule| Strain::new(rule, mark)),
            secs: 0,
            before_secs: 0,
            order: None,
        }
    }

    /// Its basis wanders with these numbers, if it does.
    pub(crate) fn draw_from(&mut self, rng: ChaCha8Rng) {
        self.basis.draw_from(rng);
    }

    /// The venue's price over the one outside, less one.
    fn basis_now(&self) -> f64 {
        self.shock.basis_at(self.secs) + self.basis.now()
    }

    fn raw(&self, quote: f64) -> i128 {
        // `as` saturates.
        (quote * self.quote_scale).round() as i128
    }

    /// Time passes; `delta` is the book's, in whole base.
    pub fn step(&mut self, secs: u64, price: f64, delta: f64) {
        self.pass(secs, price, None);
        let band = self.account.follows;
        let tolerance = band.map(|band| band * delta.abs().max(self.account.size.abs()));
        self.act(delta, tolerance);
    }

    /// Time passes; what the price and funding bring goes through the margin, so that what the venue pays is what the book gets.
    /// `funding_hour` is what longs pay now; `None`: as usual.
    pub(crate) fn pass(&mut self, secs: u64, price: f64, funding_hour: Option<f64>) {
        let hours = (secs - self.secs) as f64 / HOUR_SECS;
        self.basis.pass(secs - self.secs);
        self.before_secs = self.secs;
        self.secs = secs;
        let basis = self.basis_now();
        let mark = price * (1.0 + basis);
        let apart = price * basis;
        let gained = self.raw(self.account.size * (mark - self.mark));
        self.flows.basis += self.raw(self.account.size * (apart - self.apart));
        self.apart = apart;
        let rate = funding_hour.unwrap_or_else(|| self.shock.funding_at(secs));
        let funding = self.raw(-self.account.size * mark * rate * hours);
        self.mark = mark;
        if let Some(strain) = &mut self.strain {
            strain.pass(secs, mark);
        }
        self.flows.price += gained;
        self.flows.funding += funding;
        self.account.margin += gained + funding;
    }

    /// What is done at the end of that time. The short follows `delta`, in whole base, where it is off by more than `tolerance`;
    /// `None`: it follows nothing.
    pub(crate) fn act(&mut self, delta: f64, tolerance: Option<f64>) {
        let (from, to) = (self.before_secs, self.secs);
        let due = self.shock.auto_deleveraging.iter();
        let due = due.filter(|event| from < event.at_secs && event.at_secs <= to);
        let (size, mark) = (self.account.size, self.mark);
        let strained = self.strain.as_mut();
        let strained = strained.and_then(|strain| strain.takes(size, to, mark));
        for part in due.map(|event| event.part).chain(strained) {
            let closed = self.account.size * part;
            self.account.size -= closed;
            self.flows.auto_deleveraged += closed.abs();
        }
        if let Some((due_secs, size)) = self.order
            && due_secs <= self.secs
        {
            self.order = None;
            self.trade(size);
        }
        let needed = self.raw(self.account.size.abs() * self.mark * self.account.maintenance);
        if self.account.size != 0.0 && self.account.margin < needed {
            self.trade(-self.account.size);
            self.flows.liquidated = true;
            self.order = None;
        }
        if let Some(tolerance) = tolerance {
            self.follow(delta, tolerance);
        }
    }

    /// What the margin would be if the price were another and the size this one: what has happened at the present mark, and the
    /// way from there.
    pub(crate) fn margin_at(&self, (size, margin): (f64, i128), price: f64) -> i128 {
        let mark = price * (1.0 + self.basis_now());
        margin + self.raw(size * (mark - self.mark))
    }

    fn trade(&mut self, size: f64) {
        let fee = self.raw(size.abs() * self.mark * self.shock.fee);
        self.account.size += size;
        self.account.margin -= fee;
        self.flows.fees += fee;
    }

    /// What is held at best for a book with this delta: the venue lets nobody hold more than twice the least margin pays for.
    fn wanted(&self, delta: f64) -> f64 {
        let most = self.account.margin.max(0) as f64
            / self.quote_scale
            / (2.0 * self.account.maintenance * self.mark).max(f64::MIN_POSITIVE);
        (-delta).clamp(-most, most)
    }

    /// Orders what makes the short the book's delta again, where it has drifted too far. A venue that has closed it once is left.
    fn follow(&mut self, delta: f64, tolerance: f64) {
        let off = self.wanted(delta) - self.account.size;
        if off.abs() <= tolerance || self.order.is_some() || self.flows.liquidated {
            return;
        }
        match self.shock.fill_latency_secs {
            0 => self.trade(off),
            latency => self.order = Some((self.secs + latency, off)),
        }
    }
}

#[cfg(test)]
mod tests;
