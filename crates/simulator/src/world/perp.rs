//! A perp venue, and the short that a book holds there beside its positions.

use super::{outside::on_line, scenario::PerpShock};

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
    order: Option<(u64, f64)>,
}

const HOUR_SECS: f64 = 3_600.0;

impl PerpShock {
    /// What longs pay shorts an hour, as a part of notional.
    pub fn funding_at(&self, secs: u64) -> f64 {
        let Some(since) = self.flip_at_secs.and_then(|at| secs.checked_sub(at)) else {
            return self.funding_hour;
        };
        let hours = since as f64 / HOUR_SECS;
        if let Some(rate) = self.flip_hours.get(hours as usize) {
            return *rate;
        }
        let Some(last) = self.flip_hours.last() else {
            return self.funding_hour;
        };
        let after = hours - self.flip_hours.len() as f64;
        let left = if self.half_life_hours > 0.0 {
            (-after / self.half_life_hours).exp2()
        } else {
            0.0
        };
        self.funding_hour + (last - self.funding_hour) * left
    }

    fn basis_at(&self, secs: u64) -> f64 {
        on_line(&self.basis, secs as f64, |basis| basis).unwrap_or(0.0)
    }
}

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
            order: None,
        }
    }

    fn raw(&self, quote: f64) -> i128 {
        // `as` saturates.
        (quote * self.quote_scale).round() as i128
    }

    /// Time passes; `delta` is the book's, in whole base. Everything goes through the margin, so that what the venue pays is what
    /// the book gets.
    pub fn step(&mut self, secs: u64, price: f64, delta: f64) {
        let mark = price * (1.0 + self.shock.basis_at(secs));
        let hours = (secs - self.secs) as f64 / HOUR_SECS;
        let before = self.secs;
        self.secs = secs;
        let gained = self.raw(self.account.size * (mark - self.mark));
        let rate = self.shock.funding_at(secs);
        let funding = self.raw(-self.account.size * mark * rate * hours);
        self.mark = mark;
        self.flows.price += gained;
        self.flows.funding += funding;
        self.account.margin += gained + funding;

        for event in &self.shock.auto_deleveraging {
            if before < event.at_secs && event.at_secs <= secs {
                let closed = self.account.size * event.part;
                self.account.size -= closed;
                self.flows.auto_deleveraged += closed.abs();
            }
        }
        if let Some((due_secs, size)) = self.order
            && due_secs <= secs
        {
            self.order = None;
            self.trade(size);
        }
        let needed = self.raw(self.account.size.abs() * mark * self.account.maintenance);
        if self.account.size != 0.0 && self.account.margin < needed {
            self.trade(-self.account.size);
            self.flows.liquidated = true;
            self.order = None;
        }
        self.follow(delta);
    }

    fn trade(&mut self, size: f64) {
        let fee = self.raw(size.abs() * self.mark * self.shock.fee);
        self.account.size += size;
        self.account.margin -= fee;
        self.flows.fees += fee;
    }

    /// Orders what makes the short the book's delta again, where it has drifted too far. A venue that has closed it once is left.
    fn follow(&mut self, delta: f64) {
        let Some(band) = self.account.follows else {
            return;
        };
        // The venue lets nobody hold more than twice the least margin pays for.
        let most = self.account.margin.max(0) as f64
            / self.quote_scale
            / (2.0 * self.account.maintenance * self.mark).max(f64::MIN_POSITIVE);
        let off = (-delta).clamp(-most, most) - self.account.size;
        let drifted = off.abs() > band * delta.abs().max(self.account.size.abs());
        if drifted && self.order.is_none() && !self.flows.liquidated {
            self.order = Some((self.secs + self.shock.fill_latency_secs, off));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::scenario::PartAt;

    const SHORT: PerpAccount = PerpAccount {
        size: -10.0,
        margin: 1_000_000_000,
        maintenance: 0.05,
        follows: None,
    };

    fn flip() -> PerpShock {
        PerpShock {
            flip_at_secs: Some(3_600),
            flip_hours: vec![-0.002_05, -0.001_3, -0.000_7, -0.000_2],
            ..PerpShock::default()
        }
    }

    /// SOL on 10 October 2025: +0.00125 % an hour, then -0.205, -0.13, -0.07, -0.02, and half of the way back every 20 hours.
    #[test]
    fn funding_flips_and_comes_back() {
        let rates = flip();
        let at = |hour: u64| rates.funding_at(hour * 3_600 + 1_800);
        assert_eq!(at(0), 0.000_012_5);
        assert_eq!(
            [1, 2, 3, 4].map(at),
            [-0.002_05, -0.001_3, -0.000_7, -0.000_2]
        );
        let later = |hours: u64| rates.funding_at((5 + hours) * 3_600) - 0.000_012_5;
        assert!((later(20) / later(0) - 0.5).abs() < 1e-12);
        assert!((later(40) / later(0) - 0.25).abs() < 1e-12);
    }

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
