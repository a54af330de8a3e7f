//! What a pool's liquidity earns: from arbitrageurs, and from takers.

use crate::{SimulationError, error::at_least};

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
    /// When arbitrageurs trade.
    pub blocks: Blocks,
    /// What takers trade in the pool a day, in whole quote tokens, wherever the price is.
    pub taker_volume_day: f64,
    /// Liquidity of others around the price, in the pool's unit; takers' fees are shared with it.
    pub others_liquidity: f64,
}

impl FeeTerms {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulationError::Parameter`].
    pub fn check(&self) -> Result<(), SimulationError> {
        let positive = "must be greater than 0";
        let not_negative = "must be 0 or more";
        let below_one = |name, value: f64| {
            at_least(name, value, 0.0, not_negative)?;
            at_least(
                name,
                1.0 - value,
                f64::MIN_POSITIVE,
                "short of 1: must be below 1",
            )
        };
        below_one("fee", self.fee)?;
        below_one("protocol share", self.protocol_share)?;
        let (Blocks::Fixed(secs) | Blocks::Poisson(secs)) = self.blocks;
        at_least("block time", secs, f64::MIN_POSITIVE, positive)?;
        at_least("taker volume", self.taker_volume_day, 0.0, not_negative)?;
        at_least(
            "liquidity of others",
            self.others_liquidity,
            0.0,
            not_negative,
        )
    }
}

/// Fees of the steps since somebody last looked, per unit of liquidity.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FeeFlow {
    /// Sum of root price times what one unit of liquidity loses to arbitrage and gets back, in quote.
    quote: f64,
    /// The same in base.
    base: f64,
    /// Days in range.
    taker_days: f64,
    /// Volatility for which `returned` holds.
    variance_day: f64,
    /// The part of LVR that comes back as fees.
    returned: f64,
}

/// Raw units of both tokens, with their fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Earned {
    pub base: f64,
    pub quote: f64,
}

impl FeeFlow {
    /// A step within the range, from a price with this logarithm.
    ///
    /// Liquidity L loses `L sigma^2 s / 4` to arbitrage a unit of time (LVR). Half of what comes back is paid in either token.
    pub fn add(&mut self, terms: &FeeTerms, log_price: f64, variance: f64, days: f64) {
        let variance_day = variance / days;
        if self.variance_day != variance_day {
            self.variance_day = variance_day;
            self.returned = 1.0 - terms.blocks.arbitrage_part(terms.fee, variance_day.sqrt());
        }
        let root = (log_price / 2.0).exp();
        let returned = variance * self.returned / 8.0;
        self.quote += returned * root;
        self.base += returned / root;
        self.taker_days += days;
    }

    /// What arbitrageurs have paid to this liquidity since, the protocol's part taken off. `scale` is the root of (raw quote
    /// per raw base) / (whole quote per whole base).
    pub fn from_arbitrage(&self, terms: &FeeTerms, liquidity: f64, scale: f64) -> Earned {
        let ours = liquidity * (1.0 - terms.protocol_share);
        Earned {
            base: ours * self.base / scale,
            quote: ours * self.quote * scale,
        }
    }

    /// What takers have paid to this liquidity since: half in either token.
    pub fn from_takers(
        &self,
        terms: &FeeTerms,
        liquidity: f64,
        log_price: f64,
        quote_scale: f64,
        base_scale: f64,
    ) -> Earned {
        if terms.taker_volume_day == 0.0 || liquidity == 0.0 {
            return Earned::default();
        }
        let share = liquidity / (liquidity + terms.others_liquidity);
        let half = terms.taker_volume_day * self.taker_days * terms.fee * share / 2.0
            * (1.0 - terms.protocol_share);
        Earned {
            base: half / log_price.exp() * base_scale,
            quote: half * quote_scale,
        }
    }

    /// Starts over.
    pub fn clear(&mut self) {
        (self.quote, self.base, self.taker_days) = (0.0, 0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ARB / LVR in percent at sigma 5 % a day, of MATH section 6.
    #[test]
    fn what_arbitrageurs_keep() {
        let kept = |blocks: Blocks, bp: f64| blocks.arbitrage_part(bp / 1e4, 0.05) * 100.0;
        for (bp, percent) in [
            (1.0, 80.6),
            (5.0, 45.5),
            (10.0, 29.4),
            (30.0, 12.2),
            (100.0, 4.0),
        ] {
            assert!(
                (kept(Blocks::Poisson(12.0), bp) - percent).abs() < 0.06,
                "{bp}"
            );
        }
        for (bp, percent) in [(1.0, 77.4), (5.0, 40.7), (30.0, 10.3)] {
            assert!(
                (kept(Blocks::Fixed(12.0), bp) - percent).abs() < 0.06,
                "{bp}"
            );
        }
        for (bp, percent) in [
            (1.0, 38.5),
            (4.0, 13.5),
            (5.0, 11.1),
            (10.0, 5.9),
            (30.0, 2.0),
        ] {
            assert!(
                (kept(Blocks::Fixed(0.4), bp) - percent).abs() < 0.06,
                "{bp}"
            );
        }
        assert_eq!(Blocks::Fixed(0.4).arbitrage_part(0.0004, 0.0), 0.0);
        assert_eq!(Blocks::Poisson(12.0).arbitrage_part(0.0, 0.05), 1.0);
    }

    #[test]
    fn terms_that_make_no_sense_are_refused() {
        let good = FeeTerms {
            fee: 0.0004,
            protocol_share: 0.13,
            blocks: Blocks::Fixed(0.4),
            taker_volume_day: 0.0,
            others_liquidity: 0.0,
        };
        assert!(good.check().is_ok());
        for (bad, said) in [
            (
                FeeTerms { fee: 1.0, ..good },
                "fee 0 short of 1: must be below 1",
            ),
            (FeeTerms { fee: -0.1, ..good }, "fee -0.1 must be 0 or more"),
            (
                FeeTerms {
                    protocol_share: f64::NAN,
                    ..good
                },
                "protocol share NaN must be 0 or more",
            ),
            (
                FeeTerms {
                    blocks: Blocks::Poisson(0.0),
                    ..good
                },
                "block time 0 must be greater than 0",
            ),
            (
                FeeTerms {
                    taker_volume_day: f64::INFINITY,
                    ..good
                },
                "taker volume inf must be 0 or more",
            ),
        ] {
            assert_eq!(bad.check().unwrap_err().to_string(), said);
        }
    }
}
