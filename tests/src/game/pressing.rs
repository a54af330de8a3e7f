//! What there is to be done, which draws at random would rarely hit upon.

use ballast_client::Bps;

use super::{Game, Kind, RECORD, SIDES, Step};

/// From this age on a price is of little use.
const STALE_SECS: i64 = 60;
/// The byte of a step's parameters that is the position, where the first is a person.
const POSITION: usize = 1;

/// A kind of step that is more likely than others to succeed now.
#[derive(Clone, Copy, Debug)]
pub struct Pressing {
    kind: Kind,
    /// With which position.
    position: Option<u8>,
}

impl Pressing {
    /// A step of this kind.
    pub fn step(self, mut parameters: [u8; RECORD]) -> Step {
        if let Some(position) = self.position {
            parameters[POSITION] = position;
        }
        Step::of(self.kind, &parameters)
    }
}

impl Game {
    /// What is pressing.
    pub fn pressing(&self) -> Vec<Pressing> {
        let picture = &self.now.last;
        let (snapshot, market) = (&picture.market, &picture.market.market);
        let mut found = Vec::new();
        let mut general = |kind| {
            found.push(Pressing {
                kind,
                position: None,
            })
        };
        if snapshot.price_age_secs(snapshot.now_secs) > STALE_SECS {
            general(Kind::MoveMarket);
        }
        let [base, quote] = SIDES.map(|side| snapshot.reserve(side).pending_effective_at_secs);
        if [market.pending.effective_at_secs, base, quote]
            .iter()
            .any(|at_secs| *at_secs > 0)
        {
            general(Kind::ApplyChange);
        }
        if market.pending_safety.effective_at_secs > 0 {
            general(Kind::ApplySafety);
        }
        if self.now.feeds_announced {
            general(Kind::ApplyOracle);
            general(Kind::CancelOracle);
        }
        let at = snapshot.oracle_sqrt_price().unwrap();
        let trigger = Bps::new(market.limits.deleverage_ltv_bps);
        for (number, held) in (0..).zip(&picture.positions) {
            let model = picture.model(&held.position, snapshot.now_secs);
            let value = model.value(at).unwrap();
            let kinds: &[Kind] = if value.equity() < 0 {
                &[Kind::ShowLoss, Kind::Liquidate]
            } else if value.ltv_at_least(trigger) {
                &[Kind::DeleverageSwap, Kind::Liquidate]
            } else {
                &[]
            };
            found.extend(kinds.iter().map(|kind| Pressing {
                kind: *kind,
                position: Some(number),
            }));
        }
        found
    }
}
