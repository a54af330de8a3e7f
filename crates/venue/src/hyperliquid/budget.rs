//! The venue's rate limits, kept by ourselves: a weight per minute for the address of the network, and a number of actions for the
//! account. A part of both is kept for what protects: cancels, reducing orders, and finding out what became of an order.

/// Weight per minute.
const WEIGHT_PER_MINUTE: u64 = 1200;
/// Of it, what only protection may use.
const WEIGHT_KEPT: u64 = 240;
/// Actions that an account has to begin with; a dollar traded adds one.
const FIRST_ACTIONS: u64 = 10_000;
/// Of them, what only protection may use.
const ACTIONS_KEPT: u64 = 1_000;
const MINUTE_MS: u64 = 60_000;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It protects: never starved by the rest.
    Protect,
    /// Everything else.
    Ordinary,
}

/// What is left of the limits.
#[derive(Debug, Clone)]
pub struct Budget {
    /// In units of a minute-th, so that refilling by milliseconds loses nothing.
    scaled_weight: u64,
    refilled_ms: u64,
    actions: u64,
    closed_until_ms: u64,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub const fn full(now_ms: u64) -> Self {
        Self {
            scaled_weight: WEIGHT_PER_MINUTE * MINUTE_MS,
            refilled_ms: now_ms,
            actions: FIRST_ACTIONS,
            closed_until_ms: 0,
        }
    }

    /// Takes a request's weight, and an action where it is one.
    ///
    /// # Errors
    /// There is not enough left for this purpose: the milliseconds until there is.
    pub fn take(
        &mut self,
        purpose: Purpose,
        weight: u64,
        actions: u64,
        now_ms: u64,
    ) -> Result<(), u64> {
        let passed = now_ms.saturating_sub(self.refilled_ms).min(MINUTE_MS);
        self.refilled_ms = self.refilled_ms.max(now_ms);
        self.scaled_weight =
            (self.scaled_weight + passed * WEIGHT_PER_MINUTE).min(WEIGHT_PER_MINUTE * MINUTE_MS);
        let (weight_kept, actions_kept) = match purpose {
            Purpose::Protect => (0, 0),
            Purpose::Ordinary => (WEIGHT_KEPT, ACTIONS_KEPT),
        };
        if purpose == Purpose::Ordinary && now_ms < self.closed_until_ms {
            return Err(self.closed_until_ms - now_ms);
        }
        let wanted = (weight + weight_kept) * MINUTE_MS;
        if self.scaled_weight < wanted {
            return Err((wanted - self.scaled_weight).div_ceil(WEIGHT_PER_MINUTE));
        }
        if self.actions < actions + actions_kept {
            return Err(10_000);
        }
        self.scaled_weight -= weight * MINUTE_MS;
        self.actions -= actions;
        Ok(())
    }

    /// The venue said that it was too much: nothing ordinary for a while.
    pub const fn refused(&mut self, now_ms: u64, for_ms: u64) {
        self.closed_until_ms = now_ms + for_ms;
    }

    /// A trade earns actions: one for each dollar.
    pub const fn traded(&mut self, dollars: u64) {
        self.actions = self.actions.saturating_add(dollars);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_requests_leave_protection_its_part() {
        let mut budget = Budget::full(0);
        let mut ordinary = 0;
        while budget.take(Purpose::Ordinary, 20, 1, 0).is_ok() {
            ordinary += 20;
        }
        assert_eq!(ordinary, WEIGHT_PER_MINUTE - WEIGHT_KEPT);
        assert_eq!(budget.take(Purpose::Ordinary, 20, 1, 0), Err(1000));
        for _ in 0..WEIGHT_KEPT {
            assert_eq!(budget.take(Purpose::Protect, 1, 1, 0), Ok(()));
        }
        assert_eq!(budget.take(Purpose::Protect, 1, 1, 0), Err(50));
        assert_eq!(budget.take(Purpose::Protect, 1, 1, 50), Ok(()));
    }

    #[test]
    fn a_refusal_stops_the_ordinary_and_trades_earn_actions() {
        let mut budget = Budget::full(0);
        budget.refused(0, 5000);
        assert_eq!(budget.take(Purpose::Ordinary, 1, 1, 1000), Err(4000));
        assert_eq!(budget.take(Purpose::Protect, 1, 1, 1000), Ok(()));
        assert_eq!(budget.take(Purpose::Ordinary, 1, 1, 5000), Ok(()));
        let mut taken = 0;
        while budget.take(Purpose::Ordinary, 0, 1, 5000).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, FIRST_ACTIONS - ACTIONS_KEPT - 2);
        budget.traded(3);
        assert!(budget.take(Purpose::Ordinary, 0, 3, 5000).is_ok());
    }
}
