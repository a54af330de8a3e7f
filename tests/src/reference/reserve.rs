//! A reserve in real numbers.

use ballast_client::{Reserve as Stored, ReserveParams};
use num_traits::{One, Zero};

use super::exact::{Q, bps, cut, exp, int, least, most, positive, tiny};

/// Seconds of the year that rates mean.
const YEAR_SECS: i64 = 365 * 86_400;
/// Debt per share and index, as a power of two: 32 bits of the share, 64 of the index.
const SHARE_BITS: usize = 32 + 64;

/// Numbers of one reserve, raw units, and by how much the chain's may differ.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// What is there to be lent.
    pub liquidity: Q,
    /// What all positions owe.
    pub debt: Q,
    /// Lenders' shares.
    pub shares: Q,
    /// What belongs to no lender.
    pub insurance: Q,
    /// Losses that lenders have had.
    pub bad_debt: Q,
    /// Up to when interest is booked.
    pub accrued_at: i64,
    /// Units by which the chain's liquidity and debt may differ.
    pub slack: Q,
    /// Units by which its insurance and bad debt may differ.
    pub insurance_slack: Q,
    /// Shares by which its supply may differ.
    pub share_slack: Q,
}

impl Reserve {
    /// As the chain has it.
    pub fn read(stored: &Stored) -> Self {
        Self {
            liquidity: int(stored.liquidity),
            debt: owed(stored, stored.debt_shares.get()),
            shares: int(stored.supply_shares),
            insurance: int(stored.insurance),
            bad_debt: int(stored.bad_debt),
            accrued_at: stored.last_accrual_secs,
            slack: Q::zero(),
            insurance_slack: Q::zero(),
            share_slack: Q::zero(),
        }
    }

    /// What belongs to the lenders.
    pub fn assets(&self) -> Q {
        &self.liquidity + &self.debt - &self.insurance
    }

    /// The yearly rate on the curve: linear from zero to the kink and from there to full utilisation; and its steepest slope.
    fn rate(&self, curve: &ReserveParams) -> (Q, Q) {
        let utilisation = &self.debt / (&self.debt + &self.liquidity);
        let [zero, kink, full] = [
            curve.rate_at_zero_bps,
            curve.rate_at_kink_bps,
            curve.rate_at_full_bps,
        ]
        .map(bps);
        let at_kink = bps(curve.kink_utilisation_bps);
        let below = (&kink - &zero) / &at_kink;
        let above = (full - &kink) / (Q::one() - &at_kink);
        let rate = if utilisation <= at_kink {
            zero + &below * utilisation
        } else {
            kink + &above * (utilisation - at_kink)
        };
        (rate, most(below, above))
    }

    /// Books interest: debt grows by `e^(rate time)`, a part of that is insurance. Returns the factor and its doubt.
    pub fn accrue(&mut self, to_secs: i64, curve: &ReserveParams) -> (Q, Q) {
        let secs = to_secs - self.accrued_at;
        self.accrued_at = to_secs;
        if self.debt.is_zero() || secs <= 0 {
            return (Q::one(), Q::zero());
        }
        let years = Q::new(secs.into(), YEAR_SECS.into());
        let (rate, slope) = self.rate(curve);
        let factor = cut(exp(&(rate * &years)));
        // A unit of debt or liquidity more or less is so much utilisation, and so much of the rate.
        let funds = &self.debt + &self.liquidity;
        let utilisation_slack = least((&self.slack + int(1)) * int(2) / funds, Q::one());
        let doubt = cut(&factor * utilisation_slack * slope * years * int(2)) + tiny(58);
        let interest = &self.debt * (&factor - Q::one());
        let interest_doubt = &self.debt * &doubt;
        let share = bps(curve.reserve_factor_bps);
        self.insurance = cut(&self.insurance + &share * &interest);
        // One for rounding the share down, one for each of the debts that it is the difference of.
        self.insurance_slack =
            cut(&self.insurance_slack + share * (&interest_doubt + &self.slack) + int(2));
        self.debt = cut(&self.debt + interest);
        self.slack = cut(&self.slack * &factor + interest_doubt);
        (factor, doubt)
    }

    /// The price of a share counts one unit and 1000 shares that nobody has.
    fn priced(&self) -> (Q, Q, Q) {
        let doubt = &self.slack * int(2) + &self.insurance_slack + int(1);
        (
            self.assets() + int(1),
            self.shares.clone() + int(1_000),
            doubt,
        )
    }

    /// Somebody lends; returns the shares and by how much the chain's may differ.
    pub fn deposit(&mut self, amount: u64) -> (Q, Q) {
        let (assets, shares, doubt) = self.priced();
        let minted = cut(int(amount) * shares / &assets);
        let slack = cut((&minted * doubt + int(amount) * &self.share_slack) / assets) + int(1);
        self.liquidity += int(amount);
        self.shares += &minted;
        self.share_slack += &slack;
        (minted, slack)
    }

    /// Somebody takes back; returns the amount and by how much the chain's may differ. A loss that is shown counts as if it were
    /// booked, and as if that had taken its tenth of the insurance.
    pub fn redeem(&mut self, burned: u64, (lost, lost_doubt): &(Q, Q)) -> (Q, Q) {
        let (mut assets, shares, mut doubt) = self.priced();
        if !lost.is_zero() {
            let insured = &self.insurance * Q::new(9.into(), 10.into());
            let borne = positive(lost - insured);
            assets = most(assets - borne, Q::one());
            doubt += lost_doubt + &self.insurance_slack + int(2);
        }
        let amount = cut(int(burned) * assets / &shares);
        let slack = cut((int(burned) * doubt + &amount * &self.share_slack) / shares) + int(1);
        self.liquidity -= &amount;
        self.shares -= int(burned);
        self.slack += &slack;
        (amount, slack)
    }

    /// A debt that nobody pays: insurance first, then the lenders.
    pub fn write_off(&mut self, amount: &Q, slack: &Q) {
        let insured = least(self.insurance.clone(), amount.clone());
        self.debt -= amount;
        self.bad_debt += amount - &insured;
        self.insurance -= insured;
        self.slack += slack;
        self.insurance_slack += slack + int(1);
    }
}

/// What debt shares owe at the stored index, exactly.
pub fn owed(stored: &Stored, shares: u128) -> Q {
    int(shares) * int(stored.borrow_index_x64.get()) * tiny(SHARE_BITS)
}
