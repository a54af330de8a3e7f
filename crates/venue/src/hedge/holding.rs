//! What is held of an instrument, and what it has cost: by average, as venues reckon.

use rust_decimal::Decimal;

/// What is held of an instrument, and what it has cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holding {
    pub position: Decimal,
    /// What was held at the beginning, and what that was worth then; `None`: nobody knows.
    pub began_with: Option<Decimal>,
    pub began_ms: u64,
    /// What was paid for what was bought since, less what was got for what was sold.
    pub spent: Decimal,
    /// What the position has cost, by average: negative for a short one.
    pub cost: Decimal,
    /// Earned by the price on what was closed since.
    pub realised: Decimal,
    /// Time and fee of each fill of our own orders.
    pub own_fees: Vec<(u64, Decimal)>,
    pub fees: Decimal,
    pub funding: Decimal,
    pub last_funding_ms: u64,
}

impl Holding {
    /// A trade: what it closes is realised against the average cost, what it opens costs its price.
    pub fn trade(&mut self, signed: Decimal, price: Decimal) {
        let closes = if (self.position * signed).is_sign_negative() && !self.position.is_zero() {
            // No more than is held.
            let most = signed.abs().min(self.position.abs());
            if signed.is_sign_negative() {
                -most
            } else {
                most
            }
        } else {
            Decimal::ZERO
        };
        let released = if closes == -self.position {
            self.cost
        } else {
            // Not zero: else it would be closed whole.
            self.cost * -closes / self.position
        };
        self.realised -= closes * price + released;
        self.cost += (signed - closes) * price - released;
        self.position += signed;
        self.spent += signed * price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A position that is closed has realised all that the price earned, whatever the way; one that is held the rest, at its mark.
    #[test]
    fn what_is_realised_and_what_is_not_are_what_the_price_earned() {
        let mut seed = 7_u64;
        let mut random = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % bound
        };
        let mut closed = 0;
        for began in [-3, 0, 5] {
            let worth = Decimal::from(began * 100);
            let mut held = Holding {
                position: began.into(),
                began_with: Some(worth),
                cost: worth,
                ..Holding::default()
            };
            for _ in 0..400 {
                let size = Decimal::from(1 + random(6));
                let signed = if random(2) == 0 { size } else { -size };
                held.trade(signed, (80 + random(40)).into());
                let mark = Decimal::from(90 + random(20));
                let earned = held.position * mark - worth - held.spent;
                let unrealised = held.position * mark - held.cost;
                let off = (earned - held.realised - unrealised).abs();
                assert!(off < Decimal::new(1, 18), "{held:?}");
                if held.position.is_zero() {
                    closed += 1;
                    assert!(held.cost.is_zero(), "{held:?}");
                } else {
                    // The average lies between the prices of the trades.
                    let average = held.cost / held.position;
                    assert!(
                        average > Decimal::from(79) && average < Decimal::from(121),
                        "{held:?}"
                    );
                }
            }
        }
        assert!(closed > 0);
    }
}
