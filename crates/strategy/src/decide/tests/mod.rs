//! Decisions about the worked example.

mod automation;
mod choose;
mod forbidden;
mod margin;
mod recenter;
mod recenter_cost;
mod rehedge;

use ballast::state::{MarketMode, Position};
use ballast_model::{Amounts, Boundaries, RehedgePlan, Side};
use ballast_snapshot::MarketSnapshot;

use super::*;
use crate::{
    fixtures::{self, KEEPER, NOW, OWNER},
    prices::PriceFault,
    situation::Outlook,
};

/// The worked example at a price, with changes.
pub(super) fn decision(
    dollars: i64,
    change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options),
) -> Decision {
    assessment(dollars, change).decision
}

pub(super) struct Options {
    pub keeper: ballast_snapshot::Pubkey,
    pub funds: Option<Amounts>,
    pub min_gain: u64,
    pub outlook: Outlook,
}

pub(super) fn assessment(
    dollars: i64,
    change: impl FnOnce(&mut MarketSnapshot, &mut Position, &mut Options),
) -> Assessment {
    let (mut market, mut position) = (fixtures::snapshot(dollars), fixtures::position());
    fixtures::book_debts(&mut market, &position);
    let mut options = Options {
        keeper: KEEPER,
        funds: None,
        min_gain: 0,
        outlook: Outlook::default(),
    };
    change(&mut market, &mut position, &mut options);
    let situation = Situation {
        keeper: options.keeper,
        funds: options.funds,
        min_gain: options.min_gain,
        outlook: options.outlook,
        ..fixtures::situation(&market, &position)
    };
    assess(&situation).unwrap()
}

#[track_caller]
pub(super) fn blocked(decision: Decision, action: ActionKind) -> Obstacle {
    match decision {
        Decision::Blocked {
            wanted, obstacle, ..
        } if wanted == action => obstacle,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn rehedges(decision: Decision) -> RehedgePlan {
    match decision {
        Decision::Act(Action::Rehedge(plan), Reason::Hedge { .. }) => plan.trade.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn deleverages(decision: Decision) -> (Bps, Reason) {
    match decision {
        Decision::Act(Action::Deleverage { target, .. }, reason) => (target, reason),
        other => panic!("{other:?}"),
    }
}

pub(super) const MUCH: Option<Amounts> = Some(Amounts {
    base: u64::MAX,
    quote: u64::MAX,
});
