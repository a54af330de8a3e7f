//! Everything together.

use ballast_model::OpenError;

use crate::{
    Carry, Chance, CurvePoint, Gap, HedgeCost, Inputs, Opened, OpeningTrade, QuoteError, Rehedging,
    Sizing, Trigger, TriggerKind, Unwinding, curve, trade::Venue, triggers::triggers,
    unwinding::unwindings,
};

/// Times for which chances are told, besides the horizon.
const DAYS: [f64; 3] = [1.0, 7.0, 30.0];

/// A position before it is opened.
#[derive(Clone, Debug)]
pub struct Quote {
    /// Amounts and debts.
    pub sizing: Sizing,
    /// The same by the program's arithmetic; `None`: no account could hold it.
    pub opened: Option<Result<Opened, OpenError>>,
    /// Where something happens, in order of the price.
    pub triggers: Vec<Trigger>,
    /// What would be due as soon as it is open.
    pub due: Vec<TriggerKind>,
    /// The position along the price.
    pub curve: Vec<CurvePoint>,
    /// What a day earns and costs; `None` without volatility.
    pub carry: Option<Carry>,
    /// What keeping the hedge takes.
    pub rehedging: Option<Rehedging>,
    /// How likely it ends how.
    pub chances: Vec<Chance>,
    /// The swap of opening.
    pub opening: Option<OpeningTrade>,
    /// Closing it, by price; `None` where neither depth nor fee is known.
    pub unwinding: Option<Vec<Unwinding>>,
    /// What instant moves leave.
    pub gaps: Vec<Gap>,
    /// What the hedge costs, by borrowing and on a perpetual.
    pub hedge_cost: HedgeCost,
}

impl Quote {
    /// Quotes.
    ///
    /// # Errors
    /// [`QuoteError`].
    pub fn new(inputs: &Inputs) -> Result<Self, QuoteError> {
        use ballast_model::screen::Real;
        let Inputs {
            asked,
            rules,
            conditions,
            ..
        } = inputs;
        let sizing = Sizing::new(asked)?;
        let now = asked.price.to_f64();
        let own = asked.equity.to_f64();
        let opened = inputs.opening.as_ref().map(Opened::new);
        let plan = opened.as_ref().and_then(|opened| opened.as_ref().ok());
        let (triggers, due) = triggers(&sizing, plan, rules, now);
        let depth = conditions.depth.as_ref();
        let fee = conditions
            .fee
            .or(depth.map(|depth| f64::from(depth.fee_ppm()) / 1e6));
        let venue = plan
            .zip(fee)
            .map(|(opened, fee)| Venue { opened, depth, fee });
        let rehedging = venue
            .as_ref()
            .and_then(|venue| Rehedging::new(venue, rules, conditions));
        let scale = (asked.units.base_scale() * asked.units.quote_scale()).sqrt();
        // At the price that is asked for, which need not be the pool's.
        let others = depth.and_then(|depth| {
            let tick = match plan {
                Some(opened) if opened.at != depth.sqrt_price() => opened.at.tick().get(),
                _ => depth.tick_current(),
            };
            Some(depth.liquidity_at(tick)? as f64 / scale)
        });
        let mut days: Vec<f64> = DAYS.into_iter().chain([conditions.horizon_days]).collect();
        days.sort_by(f64::total_cmp);
        days.dedup();
        let chance = |days| Chance::new(plan?, rules, conditions, days);
        let gap = |change: &f64| Gap::new(plan?, rules, now, *change);
        Ok(Self {
            curve: curve::curve(&sizing, &triggers, &inputs.at, inputs.points),
            carry: Carry::new(&sizing, conditions, rehedging.as_ref(), others),
            chances: days.into_iter().filter_map(chance).collect(),
            opening: venue.as_ref().map(|venue| OpeningTrade::new(venue, own)),
            unwinding: venue
                .as_ref()
                .map(|venue| unwindings(venue, &triggers, own)),
            gaps: conditions.gaps.iter().filter_map(gap).collect(),
            hedge_cost: HedgeCost::new(&sizing, conditions),
            rehedging,
            opened,
            triggers,
            due,
            sizing,
        })
    }
}
