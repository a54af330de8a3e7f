//! A perp venue, and the short that somebody holds there beside his positions.

mod venue;

use ballast_model::Bps;

use crate::{
    SimulationError,
    error::{at_least, below_one},
};

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
        check_funding(self.venue.funding_hour)
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
    /// Gained by the price.
    pub price: i128,
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
    secs: u64,
    /// The end of the step before.
    before_secs: u64,
    order: Option<(u64, f64)>,
}

const HOUR_SECS: f64 = 3_600.0;

impl Perp {
    /// A venue where a book holds that, when the price outside is `price`, whole quote per whole base.
    pub fn new(shock: &PerpShock, account: PerpAccount, price: f64, quote_scale: f64) -> Self {
        Self {
            shock: shock.clone(),
            quote_scale,
            account,
            flows: PerpFlows::default(),
            mark: price * (1.0 + shock.basis_at(0)),
            secs: 0,
            before_secs: 0,
            order: None,
        }
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
        let mark = price * (1.0 + self.shock.basis_at(secs));
        let hours = (secs - self.secs) as f64 / HOUR_SECS;
        self.before_secs = self.secs;
        self.secs = secs;
        let gained = self.raw(self.account.size * (mark - self.mark));
        let rate = funding_hour.unwrap_or_else(|| self.shock.funding_at(secs));
        let funding = self.raw(-self.account.size * mark * rate * hours);
        self.mark = mark;
        self.flows.price += gained;
        self.flows.funding += funding;
        self.account.margin += gained + funding;
    }

    /// What is done at the end of that time. The short follows `delta`, in whole base, where it is off by more than `tolerance`;
    /// `None`: it follows nothing.
    pub(crate) fn act(&mut self, delta: f64, tolerance: Option<f64>) {
        for event in &self.shock.auto_deleveraging {
            if self.before_secs < event.at_secs && event.at_secs <= self.secs {
                let closed = self.account.size * event.part;
                self.account.size -= closed;
                self.flows.auto_deleveraged += closed.abs();
            }
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
        let mark = price * (1.0 + self.shock.basis_at(self.secs));
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
mod tests {
    use super::{venue::tests::flip, *};

    const SHORT: PerpAccount = PerpAccount {
        size: -10.0,
        margin: 1_000_000_000,
        maintenance: 0.05,
        follows: None,
    };

    #[test]
    fn a_short_gains_when_the_price_falls_and_pays_when_funding_is_negative() {
        let mut perp = Perp::new(&flip(), SHORT, 200.0, 1e6);
        perp.step(3_600, 190.0, 0.0);
        assert_eq!(perp.flows.price, 100_000_000);
        // The rate at the end of the hour: 10 * 190 * 0.205 %.
        assert_eq!(perp.flows.funding, -3_895_000);
        let total = perp.flows.price + perp.flows.funding - perp.flows.fees;
        assert_eq!(perp.account.margin, SHORT.margin + total);
    }

    #[test]
    fn basis_moves_the_mark() {
        let shock = PerpShock {
            basis: vec![[0.0, 0.0], [100.0, -0.02]],
            funding_hour: 0.0,
            ..PerpShock::default()
        };
        let mut perp = Perp::new(&shock, SHORT, 200.0, 1e6);
        perp.step(100, 200.0, 0.0);
        assert_eq!(perp.flows.price, 40_000_000);
    }

    #[test]
    fn others_who_cannot_pay_take_the_short_away_and_it_is_ordered_anew() {
        let shock = PerpShock {
            auto_deleveraging: vec![PartAt {
                at_secs: 10,
                part: 0.6,
            }],
            fill_latency_secs: 4,
            funding_hour: 0.0,
            ..PerpShock::default()
        };
        let account = PerpAccount {
            follows: Some(0.1),
            ..SHORT
        };
        let mut perp = Perp::new(&shock, account, 200.0, 1e6);
        perp.step(9, 200.0, 10.0);
        assert_eq!(perp.account.size, -10.0);
        perp.step(10, 200.0, 10.0);
        assert!((perp.account.size + 4.0).abs() < 1e-12);
        perp.step(13, 200.0, 10.0);
        assert!((perp.account.size + 4.0).abs() < 1e-12);
        perp.step(14, 200.0, 10.0);
        assert!((perp.account.size + 10.0).abs() < 1e-12);
        assert!((perp.flows.auto_deleveraged - 6.0).abs() < 1e-12);
        assert_eq!(perp.flows.fees, 540_000);
    }

    #[test]
    fn without_latency_it_is_filled_at_once() {
        let shock = PerpShock {
            fill_latency_secs: 0,
            funding_hour: 0.0,
            ..PerpShock::default()
        };
        let mut perp = Perp::new(&shock, SHORT, 200.0, 1e6);
        perp.pass(5, 200.0, None);
        perp.act(10.5, Some(0.5));
        assert_eq!(perp.account.size, -10.0);
        perp.act(10.51, Some(0.5));
        assert_eq!(perp.account.size, -10.51);
    }

    #[test]
    fn an_account_is_opened_for_a_delta_as_far_as_its_margin_goes() {
        let terms = PerpTerms {
            venue: PerpShock {
                fee: 0.001,
                ..PerpShock::default()
            },
            margin: 100_000_000,
            maintenance: 0.05,
            band: Bps::new(1_000),
        };
        assert!(terms.check().is_ok());
        let opened = terms.opened(1.0, 200.0, 1e6);
        assert_eq!((opened.account.size, opened.flows.fees), (-1.0, 200_000));
        assert_eq!(opened.account.margin, 99_800_000);
        // 100 pay for 1000 of it: five whole base.
        assert_eq!(terms.opened(7.0, 200.0, 1e6).account.size, -5.0);
        let none = terms.opened(0.0, 200.0, 1e6);
        assert_eq!((none.account.size, none.account.margin), (0.0, 100_000_000));
        // What it would have at another price, and with another size.
        assert_eq!(opened.margin_at((-1.0, 99_800_000), 210.0), 89_800_000);
        assert_eq!(opened.margin_at((2.0, 5), 210.0), 20_000_005);
        for (bad, said) in [
            (
                PerpTerms {
                    margin: 0,
                    ..terms.clone()
                },
                "margin at the perp venue 0 must be greater than 0",
            ),
            (
                PerpTerms {
                    maintenance: 0.0,
                    ..terms.clone()
                },
                "maintenance at the perp venue 0 must be greater than 0",
            ),
            (
                PerpTerms {
                    maintenance: 1.0,
                    ..terms.clone()
                },
                "maintenance at the perp venue 0 short of 1: must be below 1",
            ),
            (
                PerpTerms {
                    venue: PerpShock {
                        funding_hour: 0.2,
                        ..PerpShock::default()
                    },
                    ..terms.clone()
                },
                "funding 0.2 must be from -0.1 to 0.1 an hour",
            ),
        ] {
            assert_eq!(bad.check().unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn without_margin_the_venue_closes_it() {
        let shock = PerpShock {
            funding_hour: 0.0,
            ..PerpShock::default()
        };
        let mut perp = Perp::new(&shock, SHORT, 200.0, 1e6);
        // 1000 put up, 10 a dollar: 5 % of 10 * 287 is 143.5.
        perp.step(5, 285.0, 0.0);
        assert!(!perp.flows.liquidated);
        perp.step(10, 290.0, 0.0);
        assert!(perp.flows.liquidated && perp.account.size == 0.0);
        perp.step(15, 500.0, 0.0);
        assert_eq!(perp.flows.price, -900_000_000);
    }
}
