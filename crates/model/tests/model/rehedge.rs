//! Rehedging.

use crate::common;

use ballast_model::{Bps, RehedgeError, Trade, plan_rehedge};
use common::{config, positions, prices};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn rehedge_makes_the_error_zero(
        (position, at) in positions(4..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        hedge in 0u32..15_000,
    ) {
        let hedge = Bps::new(hedge);
        let error = position.hedge_error(at, hedge).unwrap();
        let plan = match plan_rehedge(&position, at, hedge) {
            Ok(plan) => plan,
            Err(failure) => {
                prop_assert_eq!((failure, error), (RehedgeError::Nothing, 0));
                return Ok(());
            }
        };
        let mut after = position;
        match plan.trade {
            // From what lies idle, else borrowed.
            Trade::SellBase => {
                let idle = plan.base.min(after.idle.base);
                after.idle.base -= idle;
                after.debt.base += plan.base - idle;
            }
            // Repays, else lies idle.
            Trade::BuyBase => {
                let repaid = plan.base.min(after.debt.base);
                after.debt.base -= repaid;
                after.idle.base += plan.base - repaid;
            }
        }
        prop_assert_eq!(after.hedge_error(at, hedge), Ok(0));
        prop_assert_eq!(plan_rehedge(&after, at, hedge), Err(RehedgeError::Nothing));
        // Without hedge ratio it is delta.
        prop_assert_eq!(position.hedge_error(at, Bps::ONE), position.delta(at));
    }
}
