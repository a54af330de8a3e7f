//! Stands between a decided order and the venue: asks once more whether the mode permits it and the lease holds, and tells flags and
//! listeners what became of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ballast_flags::hedge_fills::Fill;
use ballast_venue::{
    clock::Clock,
    hedge::{
        gate::{End, Gate},
        permit::{Permit, Room},
    },
    hyperliquid::bytes::Cloid,
    venue::Order,
};
use rust_decimal::Decimal;
use tokio::sync::mpsc::Sender;

use super::{event::HedgeEvent, lead::Lead};
use crate::{
    control::{Control, Mode},
    event::KeeperEvent,
    events::Events,
    flags::Heard,
};

/// What a mode permits. An order on the paper venue is no order: paper mode may send it.
pub fn permit(mode: Mode, paper: bool, most: Decimal) -> Permit {
    let (sends, room) = match mode {
        Mode::Halted | Mode::Observe => (false, Room::UpTo(most)),
        Mode::Paper => (paper, Room::UpTo(most)),
        Mode::Reducing => (true, Room::Shrink),
        Mode::Active => (true, Room::UpTo(most)),
    };
    Permit { sends, room }
}

/// Orders by what became of them.
pub type Counted = BTreeMap<&'static str, u64>;

#[derive(Default)]
struct State {
    /// When orders were sent that have no answer yet.
    sent: HashMap<Cloid, u64>,
    counted: Counted,
}

/// See the module's description.
pub struct Sentry {
    control: Control,
    paper: bool,
    order_ms: u64,
    lead: Option<Arc<dyn Lead>>,
    clock: Arc<dyn Clock>,
    ear: Sender<Heard>,
    events: Events,
    state: Mutex<State>,
}

impl Sentry {
    pub(super) fn new(
        control: Control,
        paper: bool,
        order_ms: u64,
        lead: Option<Arc<dyn Lead>>,
        clock: Arc<dyn Clock>,
        ear: Sender<Heard>,
        events: Events,
    ) -> Self {
        Self {
            control,
            paper,
            order_ms,
            lead,
            clock,
            ear,
            events,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Orders by what became of them.
    pub fn counted(&self) -> Counted {
        self.state().counted.clone()
    }
}

#[async_trait]
impl Gate for Sentry {
    async fn admit(&self, order: &Order) -> Result<(), String> {
        if let Some(lead) = &self.lead {
            lead.admit(order).await?;
        }
        // Last, so that a word that was said meanwhile binds.
        let mode = self.control.mode();
        let permit = permit(mode, self.paper, Decimal::MAX);
        if !permit.sends || (permit.room == Room::Shrink && !order.reduce_only) {
            return Err(format!("the mode is {mode} now"));
        }
        self.state().sent.insert(order.cloid, self.clock.now_ms());
        // Flags that have ended need to know nothing.
        let _ = self.ear.send(Heard::HedgeSent).await;
        self.events
            .send(KeeperEvent::Hedge(HedgeEvent::sent(order)));
        Ok(())
    }

    async fn ended(&self, order: &Order, end: &End) {
        if let Some(lead) = &self.lead {
            lead.ended(order, end).await;
        }
        let now_ms = self.clock.now_ms();
        let (fill, outcome) = {
            let mut state = self.state();
            // Of an order of an earlier life it is known until when it was to arrive.
            let sent_ms = state.sent.remove(&order.cloid);
            let sent_ms =
                sent_ms.unwrap_or_else(|| order.expires_after_ms.saturating_sub(self.order_ms));
            let (fill, outcome) = match end {
                End::Taken(done) if done.filled > Decimal::ZERO => {
                    let took_ms = now_ms.saturating_sub(sent_ms);
                    (Fill::Filled { took_ms }, "filled")
                }
                End::Taken(_) => (Fill::Failed, "unfilled"),
                End::Void(_) => (Fill::Failed, "void"),
            };
            *state.counted.entry(outcome).or_default() += 1;
            (fill, outcome)
        };
        let _ = self.ear.send(Heard::HedgeFill(fill)).await;
        self.events
            .send(KeeperEvent::Hedge(HedgeEvent::ended(order, end, outcome)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesser_mode_permits_no_more_and_only_paper_trades_on_paper() {
        let most = Decimal::TEN;
        for paper in [false, true] {
            let permits = Mode::ALL.map(|mode| permit(mode, paper, most));
            let sends = permits.map(|permit| permit.sends);
            assert_eq!(sends, [false, false, paper, true, true]);
            assert_eq!(permits[3].room, Room::Shrink);
            assert_eq!(permits[4].room, Room::UpTo(most));
        }
    }
}
