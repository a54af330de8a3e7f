//! What a fork took back is settled anew, beside everything else: it takes no room of what acts, and what cannot wait does not wait for
//! what can.

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::{sync::mpsc::Sender, time::Instant};

use super::{Engine, EngineError, Lane};
use crate::{
    execute::{Executor, SettledAgain},
    journal::{Confirmed, Intent, Outcome},
};

/// Tells what was confirmed and does not stand any more.
pub(super) async fn watch_over(executor: Executor, taken_back: Sender<Confirmed>) {
    while taken_back
        .send(executor.next_taken_back().await)
        .await
        .is_ok()
    {}
}

/// What else is done for its position waits for it only if it takes debt or exposure away itself. The rest can wait, and what cannot goes
/// on without it: of two that land the program takes one.
fn held_lane(intent: &Intent) -> Option<Lane> {
    let lane = Lane::of(intent.position, intent.action);
    (intent.action >= ActionKind::Exit).then_some(lane)
}

impl Engine {
    /// Settles anew what was confirmed and does not stand any more.
    pub(super) fn taken_back(&mut self, confirmed: Confirmed) {
        let intent = &confirmed.intent;
        if let Some(lane) = held_lane(intent) {
            *self.flights.entry(lane).or_default() += 1;
        }
        self.picture.note_position(intent.market, intent.position);
        let market = self.context(&intent.market);
        let executor = self.executor.clone();
        self.settling
            .spawn(async move { executor.settle_again(confirmed, market).await });
    }

    /// Something was settled anew. That it is as it was changes nothing.
    pub(super) fn settled_again(&mut self, settled: SettledAgain) -> Result<(), EngineError> {
        let SettledAgain {
            intent,
            outcome,
            fresh,
        } = settled;
        if let Some(lane) = held_lane(&intent) {
            self.lands(lane);
        }
        let (market, position, action) = (intent.market, intent.position, intent.action);
        self.picture.note_position(market, position);
        if let Some(outcome) = outcome? {
            self.has_other_outcome(position, action, &outcome);
        }
        if let Some(fresh) = fresh {
            self.take_in_fresh(market, position, fresh);
        }
        self.evaluate_subject(market, position);
        self.admit_waiting();
        Ok(())
    }

    /// A fork says nothing against an action, nor against its fee: only what fails on the chain counts as it does else.
    fn has_other_outcome(&mut self, position: Pubkey, action: ActionKind, outcome: &Outcome) {
        let (lane, now) = (Lane::of(position, action), Instant::now());
        match outcome {
            Outcome::Expired { .. } | Outcome::Dropped { .. } => {
                self.pace.succeeded(&(position, action));
            }
            Outcome::Landed { .. } | Outcome::Raced { .. } => {
                self.resolved(lane, outcome);
                self.pace.succeeded(&(position, action));
            }
            Outcome::Failed { .. } => {
                self.resolved(lane, outcome);
                self.failed_on_chain(position, action, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::intent;

    #[test]
    fn what_can_wait_holds_up_nothing_that_cannot() {
        let holding = ActionKind::ALL.into_iter().filter(|action| {
            let action = *action;
            held_lane(&Intent {
                action,
                ..intent(1)
            })
            .is_some()
        });
        use ActionKind::{Deleverage, DeleverageSwap, Exit, Liquidate};
        assert!(holding.eq([Exit, Deleverage, DeleverageSwap, Liquidate]));
    }
}
