//! A position in real numbers, and how each action changes it (MATH sections 1, 2 and 4).

use num_traits::{One, Signed, Zero};

use super::exact::{Q, cut, int, least, most, positive, sqrt, sqrt_of_tick, x64};

/// A price: raw quote per raw base, with its square root.
#[derive(Clone, Debug)]
pub struct At {
    /// The square root.
    pub s: Q,
    /// The price.
    pub p: Q,
}

impl At {
    /// From a Q64.64 square root.
    pub fn root_x64(root: u128) -> Self {
        let s = x64(root);
        Self { p: &s * &s, s }
    }

    /// From a price.
    pub fn price(p: Q) -> Self {
        Self { s: sqrt(&p), p }
    }
}

/// One position, raw units, and by how much the chain's numbers may differ.
#[derive(Clone, Debug)]
pub struct Position {
    /// Square roots of the band's prices.
    pub band: [Q; 2],
    /// Liquidity in the pool.
    pub liquidity: Q,
    /// Tokens beside it, by side.
    pub idle: [Q; 2],
    /// Debts, by side.
    pub debt: [Q; 2],
    /// Units by which the chain's idle amounts and debts may differ, by side.
    pub slack: [Q; 2],
    /// Liquidity by which the chain's may differ.
    pub liquidity_slack: Q,
    /// What of the debts was shown not to be covered, by side.
    pub shown: [Q; 2],
    /// By how much the chain's may differ.
    pub shown_slack: [Q; 2],
}

/// Everything owned and everything owed, raw quote units.
#[derive(Clone, Debug)]
pub struct Value {
    /// `A`.
    pub assets: Q,
    /// `D`.
    pub debt: Q,
    /// By how much what the chain computes of either may differ.
    pub doubt: Q,
}

impl Value {
    /// Whether `D >= ltv A`; `None` if that is closer than the doubt.
    pub fn ltv_at_least(&self, ltv: &Q) -> Option<bool> {
        surely(&self.debt - ltv * &self.assets, &(&self.doubt * int(2)))
    }
}

/// Whether a number is positive; `None` if it is within the doubt of zero.
pub fn surely(number: Q, doubt: &Q) -> Option<bool> {
    (number.abs() > *doubt).then(|| number.is_positive())
}

/// What a swap-free deleverage does.
pub enum Deleverage {
    /// Target reached with this part of the liquidity, which may be off by so much.
    Part(Q, Q),
    /// The target is out of reach.
    NeedsSwap,
    /// Too close to say.
    Unsure,
}

impl Position {
    /// Nothing in a band.
    pub fn empty(ticks: [i32; 2]) -> Self {
        let zeros = || [Q::zero(), Q::zero()];
        Self {
            band: ticks.map(sqrt_of_tick),
            liquidity: Q::zero(),
            idle: zeros(),
            debt: zeros(),
            slack: zeros(),
            liquidity_slack: Q::zero(),
            shown: zeros(),
            shown_slack: zeros(),
        }
    }

    /// What one unit of liquidity holds: `1/q - 1/sb` base and `q - sa` quote.
    pub fn unit(&self, at: &At) -> [Q; 2] {
        let [sa, sb] = &self.band;
        let q = least(most(at.s.clone(), sa.clone()), sb.clone());
        [cut(q.recip() - sb.recip()), q - sa]
    }

    /// What one unit of liquidity is worth.
    pub fn unit_value(&self, at: &At) -> Q {
        let [x, y] = self.unit(at);
        x * &at.p + y
    }

    /// `X = L (1/sa - 1/sb)`.
    pub fn full_base(&self, liquidity: &Q) -> Q {
        let [sa, sb] = &self.band;
        cut(liquidity * (sa.recip() - sb.recip()))
    }

    /// Assets and debt.
    pub fn value(&self, at: &At) -> Value {
        let [x, y] = self.unit(at).map(|one| one * &self.liquidity);
        Value {
            assets: (x + &self.idle[0]) * &at.p + y + &self.idle[1],
            debt: &self.debt[0] * &at.p + &self.debt[1],
            doubt: self.doubt(at),
        }
    }

    /// By how much a value that the chain computes may differ: what is uncertain of each amount, and one unit of each of two
    /// amounts and their value for rounding.
    pub fn doubt(&self, at: &At) -> Q {
        let [base, quote] = &self.slack;
        (base + int(2)) * &at.p + quote + int(3) + &self.liquidity_slack * self.unit_value(at)
    }

    /// Assets less debt.
    pub fn equity(&self, at: &At) -> Q {
        let Value { assets, debt, .. } = self.value(at);
        assets - debt
    }

    /// `h x + lx - dx`.
    pub fn hedge_error(&self, at: &At, hedge: &Q) -> Q {
        let [x, _] = self.unit(at);
        hedge * x * &self.liquidity + &self.idle[0] - &self.debt[0]
    }

    /// Units by which the chain's hedge error may differ.
    pub fn hedge_doubt(&self, at: &At) -> Q {
        let [x, _] = self.unit(at);
        &self.slack[0] * int(2) + x * &self.liquidity_slack + int(3)
    }

    /// Whether the hedge error is beyond a part of the full base amount.
    pub fn beyond(&self, at: &At, hedge: &Q, part: &Q) -> Option<bool> {
        let error = self.hedge_error(at, hedge).abs();
        let full = self.full_base(&self.liquidity);
        let doubt = self.hedge_doubt(at) + part * self.full_base(&self.liquidity_slack);
        surely(error - part * full, &doubt)
    }

    /// Grows one debt by a factor.
    pub fn accrue(&mut self, side: usize, (factor, doubt): &(Q, Q)) {
        let debt = &self.debt[side];
        self.slack[side] = cut(&self.slack[side] * factor + debt * doubt);
        self.debt[side] = cut(debt * factor);
    }

    /// Every operation rounds each token amount a few times.
    pub fn rounded(&mut self) {
        for slack in &mut self.slack {
            *slack += int(2);
        }
    }

    /// Pays debts from what lies idle: of each token there is one or the other.
    pub fn settle(&mut self) {
        for side in 0..2 {
            let paid = least(self.idle[side].clone(), self.debt[side].clone());
            self.idle[side] -= &paid;
            self.debt[side] -= paid;
        }
    }

    /// Adds to what is idle; what is taken away beyond it is borrowed.
    pub fn add(&mut self, side: usize, amount: &Q) {
        let idle = &self.idle[side] + amount;
        self.debt[side] += positive(-idle.clone());
        self.idle[side] = cut(positive(idle));
    }

    /// Takes liquidity out of the pool.
    pub fn withdraw(&mut self, at: &At, liquidity: &Q, slack: &Q) -> [Q; 2] {
        let amounts = self.unit(at).map(|one| cut(one * liquidity));
        for (side, one) in self.unit(at).into_iter().enumerate() {
            self.add(side, &amounts[side]);
            self.slack[side] += cut(slack * one) + int(1);
        }
        self.liquidity = positive(&self.liquidity - liquidity);
        self.liquidity_slack += slack;
        amounts
    }

    /// Takes all liquidity out of the pool.
    pub fn withdraw_all(&mut self, at: &At) {
        let (all, slack) = (self.liquidity.clone(), self.liquidity_slack.clone());
        self.withdraw(at, &all, &slack);
        self.liquidity_slack = Q::zero();
    }

    /// Liquidity of which the assets are `leverage` times the equity, and by how much the chain's may differ.
    pub fn wanted(&self, at: &At, leverage: &Q) -> (Q, Q) {
        let value = self.unit_value(at);
        let doubt = (leverage * self.doubt(at) * int(2) + int(2)) / &value + int(1);
        (cut(leverage * self.equity(at) / value), cut(doubt))
    }

    /// Base that is held net of debt beyond what the pool takes at that leverage and the hedge at the oracle's price does not
    /// borrow: to be sold if positive, bought if negative. Its doubt, and whether the chain leaves it alone because it is within
    /// half the target.
    pub fn surplus(
        &self,
        [at, oracle]: [&At; 2],
        leverage: &Q,
        hedge: &Q,
        leave: &Q,
    ) -> (Q, Q, Option<bool>) {
        let (wanted, slack) = self.wanted(at, leverage);
        let liquidity = most(wanted, self.liquidity.clone());
        let ([x, _], [judged, _]) = (self.unit(at), self.unit(oracle));
        let held = &self.idle[0] - &self.debt[0] + &x * &self.liquidity;
        let surplus = held - (&x - hedge * judged) * &liquidity;
        let doubt = self.hedge_doubt(at) + &slack * x + int(1);
        let full = self.full_base(&liquidity);
        let edge = &doubt + leave * self.full_base(&slack) + int(1);
        let left_alone = surely(leave * full - surplus.abs(), &edge);
        (surplus, doubt, left_alone)
    }

    /// Adds liquidity up to that leverage but no more than `limit`, borrows what is missing and repays with what is left.
    /// Returns what was added.
    pub fn grow(&mut self, at: &At, leverage: &Q, limit: Option<(Q, Q)>) -> Q {
        let (wanted, mut slack) = self.wanted(at, leverage);
        let mut added = positive(wanted - &self.liquidity);
        if let Some((limit, doubt)) = limit {
            added = least(added, limit);
            slack = most(slack, doubt);
        }
        for (side, one) in self.unit(at).into_iter().enumerate() {
            self.add(side, &-(&one * &added));
            self.slack[side] += cut(one * &slack) + int(2);
        }
        self.liquidity += &added;
        self.liquidity_slack += slack;
        self.settle();
        added
    }

    /// The smallest part of the liquidity to withdraw at the pool's price so that, both debts paid as far as withdrawn and
    /// idle tokens go, `D <= target A` at the oracle's price. `D - target A` is linear in that part but for the two places
    /// where a debt is paid in full.
    pub fn deleverage(&self, oracle: &At, pool: &At, target: &Q) -> Deleverage {
        let out = self.unit(pool).map(|one| one * &self.liquidity);
        let left_over = |part: &Q| {
            let mut after = self.clone();
            after.liquidity = &self.liquidity * (Q::one() - part);
            for (idle, out) in after.idle.iter_mut().zip(&out) {
                *idle += out * part;
            }
            after.settle();
            let value = after.value(oracle);
            value.debt - target * value.assets
        };
        let mut corners = vec![Q::zero(), Q::one()];
        for (side, out) in out.iter().enumerate() {
            let missing = &self.debt[side] - &self.idle[side];
            if missing.is_positive() && missing < *out {
                corners.push(missing / out);
            }
        }
        corners.sort();
        // Before and after, both tokens at both prices; all of them on the side of more liquidity.
        let doubt = (self.doubt(oracle) + self.doubt(pool)) * int(2);
        let mut from = (Q::zero(), left_over(&Q::zero()));
        if !from.1.is_positive() {
            return Deleverage::Part(Q::zero(), Q::zero());
        }
        for corner in corners.into_iter().skip(1) {
            let over = left_over(&corner);
            if !over.is_positive() {
                let slope = (&from.1 - &over) / (&corner - &from.0);
                let part = &from.0 + &from.1 / &slope;
                return Deleverage::Part(part, doubt / slope);
            }
            from = (corner, over);
        }
        match surely(from.1, &doubt) {
            Some(true) => Deleverage::NeedsSwap,
            _ => Deleverage::Unsure,
        }
    }

    /// The smallest part of the liquidity that repays all that can be repaid with what the pool pays.
    pub fn repayable(&self, pool: &At) -> Q {
        let unit = self.unit(pool);
        let parts = [0, 1].map(|side| {
            let missing = positive(&self.debt[side] - &self.idle[side]);
            let out = &unit[side] * &self.liquidity;
            // Less than a whole unit is nothing on the chain.
            if out < Q::one() {
                return Q::zero();
            }
            least(missing / out, Q::one())
        });
        let [base, quote] = parts;
        most(base, quote)
    }
}
