use super::{Estimate, Moves, jackknife};
use crate::Blocks;

/// What is traded in a pool, and how deep it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// What is traded a day, in whole quote tokens.
    pub volume_day: Estimate,
    /// What of it arbitrageurs do not explain: see [`measure_flow`].
    pub taker_volume_day: Estimate,
    /// Active liquidity, in the pool's unit.
    pub liquidity: Estimate,
}

/// Means of what a pool's record says; `None` where it says nothing of volume or liquidity.
///
/// Arbitrageurs pay as fees what they do not keep of the loss of liquidity L to arbitrage: `L sigma^2 s / 4 (1 - ARB / LVR)` a day, so
/// at a fee g they trade that over g. With sigma the pool's own volatility, what is left of the volume is takers'.
///
/// `scale` is the root of (raw quote per whole) times (raw base per whole): liquidity over it, times the root of the price, is in whole
/// quote tokens.
pub fn measure_flow(
    moves: &Moves,
    sigma_day: f64,
    fee: f64,
    blocks: Blocks,
    scale: f64,
) -> Option<Flow> {
    let mean = |all: &[Option<f64>]| {
        let estimate = jackknife(all.len(), |is_out| {
            let known = all.iter().enumerate();
            let known = known.filter_map(|(index, value)| value.filter(|_| !is_out(index)));
            let (sum, count) =
                known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
            sum / count
        });
        (estimate.value.is_finite() && estimate.error.is_finite()).then_some(estimate)
    };
    let liquidity = mean(moves.liquidity())?;
    let volume = mean(moves.volume())?;
    let days = moves.step_days();
    let volume_day = Estimate {
        value: volume.value / days,
        error: volume.error / days,
    };
    let returned = 1.0 - blocks.arbitrage_part(fee, sigma_day);
    let lost = liquidity.value / scale * sigma_day * sigma_day * moves.last_price().sqrt() / 4.0;
    let arbitrage = if fee > 0.0 {
        lost * returned / fee
    } else {
        0.0
    };
    Some(Flow {
        volume_day,
        taker_volume_day: Estimate {
            value: (volume_day.value - arbitrage).max(0.0),
            error: volume_day
                .error
                .hypot(arbitrage * liquidity.error / liquidity.value),
        },
        liquidity,
    })
}
