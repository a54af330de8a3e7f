//! From the program's events to what they say of a position's past.

use ballast_client::BallastEvent;
use ballast_history::{ActionRow, AsOpened, Origin, PastEvent};
use solana_sdk::pubkey::Pubkey;

/// What an event did to a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The action; `None`: it belongs to another of the same transaction.
    pub action: Option<&'static str>,
    /// Who did it; `None`: the owner.
    pub by: Option<Pubkey>,
    /// What it says of the past.
    pub past: PastEvent,
}

/// What an event did to a position; `None` if it is of another one, or says nothing of its sums.
pub fn done_to(position: &Pubkey, event: &BallastEvent) -> Option<Done> {
    use BallastEvent as E;
    let past = PastEvent::default();
    let owner = |of: &Pubkey, action, past| (*of, Some(action), None, past);
    let keeper = |of: &Pubkey, action, by: &Pubkey, past| (*of, Some(action), Some(*by), past);
    let (of, action, by, past) = match event {
        E::PositionOpened(e) => owner(
            &e.position,
            "open",
            PastEvent {
                opens: true,
                opened: Some(AsOpened {
                    price_x64: e.sqrt_price_x64,
                    ticks: [e.tick_lower, e.tick_upper],
                    liquidity: e.liquidity,
                    debt: [e.borrowed_base, e.borrowed_quote],
                    equity: e.equity,
                }),
                price_x64: Some(e.sqrt_price_x64),
                brought: [e.own_base, e.own_quote],
                cost: e.swap_loss,
                ..past
            },
        ),
        E::PositionIncreased(e) => owner(
            &e.position,
            "increase",
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                brought: [e.own_base, e.own_quote],
                cost: e.swap_loss,
                ..past
            },
        ),
        E::PositionDecreased(e) => owner(
            &e.position,
            "decrease",
            PastEvent {
                paid_out: [e.paid_base, e.paid_quote],
                ..past
            },
        ),
        E::PositionRepaid(e) => owner(
            &e.position,
            "repay",
            PastEvent {
                brought: [e.base, e.quote],
                ..past
            },
        ),
        E::PositionClosed(e) => owner(
            &e.position,
            "close",
            PastEvent {
                fees: [e.fees_base, e.fees_quote],
                paid_out: [e.paid_base, e.paid_quote],
                brought: [e.brought_base, e.brought_quote],
                ..past
            },
        ),
        E::FeesCollected(e) => owner(
            &e.position,
            "collect",
            PastEvent {
                fees: [e.base, e.quote],
                paid_out: [e.base, e.quote],
                ..past
            },
        ),
        E::Compounded(e) => keeper(
            &e.position,
            "compound",
            &e.keeper,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                fees: [e.fees_base, e.fees_quote],
                ..past
            },
        ),
        E::Recentered(e) => keeper(
            &e.position,
            "recenter",
            &e.keeper,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                fees: [e.fees_base, e.fees_quote],
                cost: e.swap_loss,
                ..past
            },
        ),
        E::Rehedged(e) => keeper(
            &e.position,
            "rehedge",
            &e.keeper,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                cost: e.swap_loss,
                ..past
            },
        ),
        E::Deleveraged(e) => keeper(
            &e.position,
            "deleverage",
            &e.keeper,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                ..past
            },
        ),
        E::DeleveragedWithSwap(e) => keeper(
            &e.position,
            "deleverage_swap",
            &e.keeper,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                cost: e.swap_loss,
                ..past
            },
        ),
        E::Liquidated(e) => keeper(
            &e.position,
            "liquidate",
            &e.liquidator,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                fees: [e.fees_base, e.fees_quote],
                cost: e.bonus,
                ..past
            },
        ),
        E::Exited(e) => keeper(
            &e.position,
            "exit",
            &e.keeper,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                fees: [e.fees_base, e.fees_quote],
                cost: e.swap_loss,
                ..past
            },
        ),
        E::Settled(e) => keeper(
            &e.position,
            "settle",
            &e.by,
            PastEvent {
                price_x64: Some(e.sqrt_price_x64),
                fees: [e.fees_base, e.fees_quote],
                ..past
            },
        ),
        E::KeeperRewarded(e) => (
            e.position,
            None,
            Some(e.keeper),
            PastEvent {
                reward_lamports: e.lamports,
                ..past
            },
        ),
        _ => return None,
    };
    (of == *position).then_some(Done { action, by, past })
}

/// A row of an action that the chain's events tell of.
pub fn row(
    position: &Pubkey,
    signature: &str,
    (slot, secs): (u64, i64),
    done: &Done,
) -> Option<ActionRow> {
    let position = position.to_string();
    let cost = i128::from(done.past.cost);
    Some(ActionRow {
        key: ActionRow::key_of(signature, &position),
        intent: None,
        secs,
        position,
        number: None,
        action: done.action?.into(),
        reason: None,
        price_x64: done.past.price_x64,
        outcome: "landed".into(),
        error: None,
        signature: Some(signature.into()),
        slot: Some(slot),
        cost: (cost > 0).then_some(-cost),
        by: Some(
            done.by
                .map_or_else(|| "owner".into(), |keeper| keeper.to_string()),
        ),
        before: None,
        after: None,
        origin: Origin::Chain,
    })
}

#[cfg(test)]
mod tests {
    use ballast::events::{FeesCollected, KeeperRewarded, PositionOffered, Rehedged};

    use super::*;

    #[test]
    fn events_of_others_and_of_no_consequence_say_nothing() {
        let (one, other) = (Pubkey::new_unique(), Pubkey::new_unique());
        let collected = BallastEvent::FeesCollected(FeesCollected {
            position: one,
            base: 3,
            quote: 4,
        });
        assert_eq!(done_to(&other, &collected), None);
        let done = done_to(&one, &collected).unwrap();
        assert_eq!((done.past.fees, done.past.paid_out), ([3, 4], [3, 4]));
        let offered = BallastEvent::PositionOffered(PositionOffered {
            position: one,
            to: other,
        });
        assert_eq!(done_to(&one, &offered), None);
    }

    #[test]
    fn a_rehedge_is_a_row_and_its_reward_belongs_to_it() {
        let (position, keeper) = (Pubkey::new_unique(), Pubkey::new_unique());
        let rehedged = BallastEvent::Rehedged(Rehedged {
            position,
            keeper,
            liquidity: 0,
            hedge_error_before: 1,
            hedge_error_after: 0,
            base_traded: 5,
            quote_traded: 6,
            swap_loss: 7,
            ltv_bps: 8,
            sqrt_price_x64: 9,
        });
        let done = done_to(&position, &rehedged).unwrap();
        let row = row(&position, "s", (11, 12), &done).unwrap();
        assert_eq!((row.action.as_str(), row.cost), ("rehedge", Some(-7)));
        assert_eq!((row.price_x64, row.slot, row.secs), (Some(9), Some(11), 12));
        assert_eq!(row.by, Some(keeper.to_string()));
        let reward = BallastEvent::KeeperRewarded(KeeperRewarded {
            position,
            keeper,
            lamports: 5,
        });
        let paid = done_to(&position, &reward).unwrap();
        assert_eq!((paid.action, paid.past.reward_lamports), (None, 5));
        assert_eq!(super::row(&position, "s", (1, 2), &paid), None);
    }
}
