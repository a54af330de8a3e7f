//! A perpetual: what is to be hedged by it, its steps at the venue, its funding.

use std::{sync::Arc, time::Duration};

use ballast_strategy::decide::ActionKind;
use ballast_venue::{
    hedge::{
        band::band_by_cost,
        hedger::{HedgeError, Hedger, Plan},
        journal::{Entry, Journal, JournalError, Origin},
        report::{Outcome, Report},
        target::{Rules, Ticket},
    },
    hyperliquid::stream::Event,
    venue::Venue,
};
use rust_decimal::{Decimal, prelude::FromPrimitive};
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use super::{
    desk::Around,
    event::{HedgeEvent, TroubleKind},
    exposure::{Blind, Chain, Patience, Residual, residual},
    funding::Rates,
    now::PerpNow,
    sentry::Sentry,
    trouble::Trouble,
};
use crate::{
    config::{Hedge, Perp},
    control::{Control, Permission},
    event::KeeperEvent,
    events::Events,
    flags::Heard,
    picture::Picture,
};

/// Between two looks at funding.
const FUNDING_EVERY: Duration = Duration::from_secs(600);
const DAY_MS: u64 = 86_400_000;

/// See the module's description.
pub(super) struct Coin {
    pub perp: Perp,
    pub hedger: Hedger<Arc<dyn Venue>>,
    pub patience: Patience,
    pub rates: Rates,
    pub funding_due: Instant,
    pub half_spread: Option<Decimal>,
    pub trouble: Trouble,
    /// What was last shown in place of being sent.
    pub shown: Option<Ticket>,
    pub now: PerpNow,
    /// The journal has failed.
    pub ended: bool,
}

/// What the engine does by itself.
struct Engine<'a>(&'a Control);

impl Chain for Engine<'_> {
    fn sends(&self, position: &Pubkey, kind: ActionKind) -> bool {
        self.0.permission(position, kind) == Permission::Send
    }
}

impl Coin {
    pub fn new(
        hedge: &Hedge,
        perp: &Perp,
        venue: Arc<dyn Venue>,
        sentry: &Arc<Sentry>,
        journal: Journal,
        entries: &[Entry],
    ) -> Self {
        let plan = Plan {
            account: hedge.account,
            coin: perp.coin.clone(),
            rules: Rules {
                band: perp.band,
                cap_bps: hedge.cap_bps,
                depth_share: hedge.depth_share,
            },
            expires_after_ms: hedge.order_ms,
        };
        let hedger = Hedger::new(plan, venue, journal, entries);
        Self {
            hedger: hedger.with_gate(sentry.clone()),
            patience: Patience::default(),
            rates: Rates::default(),
            funding_due: Instant::now(),
            half_spread: None,
            trouble: Trouble::default(),
            shown: None,
            now: PerpNow {
                markets: perp.markets.clone(),
                band: perp.band,
                ..PerpNow::default()
            },
            perp: perp.clone(),
            ended: false,
        }
    }

    /// Whether a step has something to answer: a trade of others, or an order of ours of which nobody knows what became. A fill of ours
    /// that was answered is no news, and the next part of an order waits for its time, so that the book may fill again.
    pub fn is_concerned(&self, event: &Event) -> bool {
        let books = self.hedger.books();
        // Before the first step everything is new.
        if self.ended || books.position(&self.perp.coin).is_none() {
            return false;
        }
        let mut open = books.open().map(|(_, order)| order.cloid);
        match event {
            Event::Fills(fills) => fills.iter().any(|fill| {
                let origin = books.origin(fill);
                fill.coin == self.perp.coin && origin.is_some_and(|origin| origin != Origin::Own)
            }),
            Event::Orders(cloids) => open.any(|cloid| cloids.contains(&cloid)),
            Event::Cancelled => open.next().is_some(),
            Event::Liquidated => true,
            Event::Alive | Event::Depth { .. } => false,
        }
    }

    pub async fn look(
        &mut self,
        picture: Option<&Picture>,
        hedge: &Hedge,
        control: &Control,
    ) -> Result<Residual, Blind> {
        let first = self.perp.markets.first().copied().unwrap_or_default();
        let picture = picture.ok_or(Blind::NotRead(first))?;
        let seen = residual(
            picture,
            hedge,
            &self.perp,
            &Engine(control),
            &mut self.patience,
            Instant::now(),
        )
        .await;
        let known = seen.as_ref().ok();
        self.now.residual = known.map(|seen| seen.exposure.ends());
        self.now.open_on_chain = known.map_or(0, |seen| seen.in_flight + seen.due);
        seen
    }

    /// The band by what trading costs and how fast the delta moves, but not less than configured. Returns whether it is known.
    pub fn set_band(&mut self, seen: &Residual, taker_fee: Option<Decimal>) -> bool {
        let mut band = self.perp.band;
        if let Some(aversion) = self.perp.risk_aversion {
            let by_cost = || {
                let cost = taker_fee? + self.half_spread?;
                band_by_cost(cost, seen.price, Decimal::from_f64(seen.gamma)?, aversion)
            };
            let Some(by_cost) = by_cost() else {
                return false;
            };
            band = band.max(by_cost).min(self.perp.max_position);
        }
        self.now.band = band;
        self.hedger.set_band(band);
        true
    }

    /// Which limit is reached, if one is.
    pub fn limit(&self, hedge: &Hedge, price: Decimal, now_ms: u64) -> Option<String> {
        let (books, coin) = (self.hedger.books(), &self.perp.coin);
        if let Some(most) = hedge.max_loss
            && let Some(pnl) = books.pnl(coin, price)
            && pnl.total() < -most
        {
            let lost = (-pnl.total()).round_dp(2);
            return Some(format!(
                "{lost} dollars were lost since the journal began, at most {most} may be"
            ));
        }
        let paid = books.fees_since(coin, now_ms.saturating_sub(DAY_MS));
        let most = hedge.max_fees_per_day.filter(|most| paid > *most)?;
        let paid = paid.round_dp(2);
        Some(format!(
            "{paid} dollars of fees were paid in a day, at most {most} may be"
        ))
    }

    /// What a step has shown.
    pub fn take_in(&mut self, report: &Report, price: Option<Decimal>) {
        let (books, coin) = (self.hedger.books(), &self.perp.coin);
        self.now.stepped = Some(Instant::now());
        self.now.position = books.position(coin);
        let began = books.began_ms(coin).map(|began_ms| began_ms / 1_000);
        self.now.began_secs = began.and_then(|secs| i64::try_from(secs).ok());
        if let Some(seen) = &report.seen {
            self.now.mid = seen.mid;
            self.half_spread = seen.half_spread;
            let mut held = seen.account.positions.iter();
            let held = held.find(|held| held.coin == *coin);
            self.now.liquidation = held.and_then(|held| held.liquidation);
        }
        self.now.mark = self.now.mid.or(price);
        self.now.pnl = self.now.mark.and_then(|mark| books.pnl(coin, mark));
        self.now.realised = books.realised(coin);
    }

    /// Tells what would have been sent, when it differs from what was told last.
    pub fn show(&mut self, report: &Report, events: &Events) {
        match &report.outcome {
            Outcome::Shown(ticket) => {
                let side = |ticket: &Ticket| ticket.side;
                if self.shown.as_ref().map(side) != Some(ticket.side) {
                    events.send(KeeperEvent::Hedge(HedgeEvent::paper(
                        &self.perp.coin,
                        ticket,
                    )));
                }
                self.shown = Some(*ticket);
            }
            Outcome::Idle(_) => self.shown = None,
            _ => {}
        }
    }

    pub fn end(&mut self, error: &JournalError, events: &Events) {
        self.ended = true;
        self.now.doing = error.to_string();
        let trouble = Some((TroubleKind::Journal, error.to_string()));
        self.trouble.set(trouble, &self.perp.coin, events);
    }

    /// Reads funding now and then: what was paid, and what the market settles. A paper venue's says nothing of the market.
    pub async fn read_funding(
        &mut self,
        venue: &dyn Venue,
        now_ms: u64,
        tells: bool,
        around: &Around,
    ) {
        let now = Instant::now();
        if self.ended || now < self.funding_due {
            return;
        }
        let coin = self.perp.coin.clone();
        match self.hedger.read_funding().await {
            Ok(()) => {}
            Err(HedgeError::Journal(error)) => return self.end(&error, &around.events),
            // The next step tells if the venue does not answer.
            Err(_) => return,
        }
        let settled = venue.settlements(&coin, self.rates.since_ms(now_ms)).await;
        let Ok(settled) = settled else { return };
        self.funding_due = now + FUNDING_EVERY;
        if !tells {
            return;
        }
        for (settled_secs, hourly_ppb) in self.rates.observe(&settled) {
            let heard = Heard::Funding {
                settled_secs,
                hourly_ppb,
            };
            // Flags that have ended need to know nothing.
            let _ = around.ear.send(heard).await;
        }
        self.now.settled = self.rates.settled();
        self.now.forecast = self.rates.forecast();
    }
}
