//! The task that hedges.

use std::{path::Path, sync::Arc, time::Duration};

use ballast_venue::{
    clock::{Clock, SystemClock},
    hedge::{
        hedger::{HedgeError, Hedger, Outcome, Plan, Report, Want},
        journal::{Entry, Journal, JournalError, file_name},
        permit::{Held, Room},
        target::{Decision, Rules, Ticket, band_by_cost},
    },
    hyperliquid::{
        client::{Hyperliquid, Settings, Signer, http},
        key_file::{KeyFileError, read_agent_key},
        nonce::{NonceError, Nonces},
    },
    venue::{Venue, VenueError},
};
use rust_decimal::{Decimal, prelude::FromPrimitive};
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;
use tokio::{
    sync::{mpsc::Sender, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    event::{HedgeEvent, TroubleKind},
    exposure::{Blind, Chain, Patience, Residual, residual},
    funding::Rates,
    lead::{Lead, Leader, Standing},
    now::{HedgeNow, PerpNow},
    paper::Paper,
    sentry::{Sentry, permit},
};
use crate::{
    config::{Config, Hedge, HedgeVenue, Perp},
    control::{Control, Permission},
    event::KeeperEvent,
    events::Events,
    flags::Heard,
    picture::{Picture, Pictures},
};

/// How long the venue may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks at funding.
const FUNDING_EVERY: Duration = Duration::from_secs(600);
/// So many steps in a row without an answer are told of.
const SILENT_STEPS: u32 = 3;
const DAY_MS: u64 = 86_400_000;

/// Why the hedge cannot begin.
#[derive(Debug, Error)]
pub enum DeskError {
    /// The journal's file.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The agent's key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The agent's nonces.
    #[error(transparent)]
    Nonces(#[from] NonceError),
    /// This machine cannot connect.
    #[error(transparent)]
    Venue(#[from] VenueError),
}

/// What tests bring in place of what the configuration names.
#[derive(Clone, Default)]
pub struct Tools {
    /// `None`: the system's.
    pub clock: Option<Arc<dyn Clock>>,
    /// `None`: the configured one.
    pub venue: Option<Arc<dyn Venue>>,
    /// `None`: the configured one.
    pub lead: Option<Arc<dyn Lead>>,
}

/// What it is told and what it tells.
#[derive(Clone)]
pub struct Around {
    /// The mode, and what people say.
    pub control: Control,
    /// What the engine knows.
    pub pictures: Pictures,
    /// Where happenings are told.
    pub events: Events,
    /// Where the flags hear of funding and fills.
    pub ear: Sender<Heard>,
    /// Where readers look.
    pub now: watch::Sender<Arc<HedgeNow>>,
}

/// See the module's description.
pub struct Desk {
    hedge: Hedge,
    around: Around,
    clock: Arc<dyn Clock>,
    venue: Arc<dyn Venue>,
    paper: Option<Paper>,
    lead: Option<Arc<dyn Lead>>,
    sentry: Arc<Sentry>,
    coins: Vec<Coin>,
    taker_fee: Option<Decimal>,
    now: HedgeNow,
    lease_trouble: Trouble,
}

/// A perpetual.
struct Coin {
    perp: Perp,
    hedger: Hedger<Arc<dyn Venue>>,
    patience: Patience,
    rates: Rates,
    funding_due: Instant,
    half_spread: Option<Decimal>,
    trouble: Trouble,
    /// What was last shown in place of being sent.
    shown: Option<Ticket>,
    now: PerpNow,
    /// The journal has failed.
    ended: bool,
}

/// What is wrong, told when it begins and when it ends.
#[derive(Default)]
struct Trouble {
    told: Option<(TroubleKind, String)>,
    silent: u32,
}

impl Trouble {
    fn set(&mut self, now: Option<(TroubleKind, String)>, coin: &str, events: &Events) {
        self.silent = match &now {
            Some((TroubleKind::Venue, _)) => self.silent.saturating_add(1),
            _ => 0,
        };
        match now {
            // A question that is not answered is asked again.
            Some((TroubleKind::Venue, _)) if self.silent < SILENT_STEPS => {}
            Some((kind, reason)) => {
                if self.told.as_ref().is_none_or(|(told, _)| *told != kind) {
                    self.told = Some((kind, reason.clone()));
                    let coin = coin.to_owned();
                    events.send(KeeperEvent::Hedge(HedgeEvent::Trouble {
                        coin,
                        kind,
                        reason,
                    }));
                }
            }
            None => {
                if let Some((_, reason)) = self.told.take() {
                    let coin = coin.to_owned();
                    events.send(KeeperEvent::Hedge(HedgeEvent::Recovered { coin, reason }));
                }
            }
        }
    }
}

/// What the engine does by itself.
struct Engine<'a>(&'a Control);

impl Chain for Engine<'_> {
    fn sends(&self, position: &Pubkey, kind: ballast_strategy::decide::ActionKind) -> bool {
        self.0.permission(position, kind) == Permission::Send
    }
}

impl Desk {
    /// Opens journals, which are this process's from then on, and reads the agent's key where the mode may sign.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn open(
        config: &Config,
        hedge: &Hedge,
        tools: Tools,
        around: Around,
    ) -> Result<Self, DeskError> {
        let clock = tools.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let network = match &hedge.venue {
            HedgeVenue::Paper(_) => "paper".to_owned(),
            HedgeVenue::Hyperliquid { network, .. } => network.to_string(),
        };
        let mut journals = Vec::new();
        for perp in &hedge.perps {
            let file = config
                .journal_dir
                .join(file_name(&network, hedge.account, &perp.coin));
            journals.push((perp, Journal::open(&file)?));
        }
        let mut paper = None;
        let venue: Arc<dyn Venue> = match (tools.venue, &hedge.venue) {
            (Some(venue), _) => venue,
            (None, HedgeVenue::Paper(terms)) => {
                let coins = hedge.perps.iter().map(|perp| perp.coin.as_str());
                let entries = journals.iter().flat_map(|(_, (_, entries))| entries);
                let made = Paper::new(*terms, hedge.account, coins, entries, Arc::clone(&clock));
                let venue = made.venue(hedge.account);
                paper = Some(made);
                Arc::new(venue)
            }
            (
                None,
                HedgeVenue::Hyperliquid {
                    network,
                    url,
                    agent_key,
                },
            ) => {
                let signer = if config.mode.sends() {
                    Some(signer(agent_key, &config.journal_dir)?)
                } else {
                    None
                };
                let settings = Settings {
                    url: url.clone(),
                    network: *network,
                    account: hedge.account,
                    vault: None,
                    timeout: TIMEOUT,
                };
                Arc::new(Hyperliquid::new(
                    settings,
                    http()?,
                    signer,
                    Arc::clone(&clock),
                ))
            }
        };
        let lead = tools.lead.or_else(|| {
            let lease = hedge.lease.as_ref()?;
            Some(Arc::new(Leader::in_postgres(hedge, lease)) as Arc<dyn Lead>)
        });
        let sentry = Arc::new(Sentry::new(
            around.control.clone(),
            hedge.is_paper(),
            hedge.order_ms,
            lead.clone(),
            Arc::clone(&clock),
            around.ear.clone(),
            around.events.clone(),
        ));
        let coins = journals.into_iter().map(|(perp, (journal, entries))| {
            Coin::new(hedge, perp, Arc::clone(&venue), &sentry, journal, &entries)
        });
        let now = HedgeNow {
            venue: hedge.venue_name(),
            ..HedgeNow::default()
        };
        Ok(Self {
            coins: coins.collect(),
            hedge: hedge.clone(),
            around,
            clock,
            venue,
            paper,
            lead,
            sentry,
            taker_fee: None,
            now,
            lease_trouble: Trouble::default(),
        })
    }

    /// Hedges until the other end is dropped, but ends no step in the middle.
    pub async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = interval(self.hedge.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => return,
                _ = ticks.tick() => {}
            }
            self.tick().await;
        }
    }

    async fn tick(&mut self) {
        if self.leads().await {
            if self.taker_fee.is_none() {
                self.taker_fee = self.venue.taker_fee().await.ok();
            }
            for index in 0..self.coins.len() {
                // The newest: others may have taken long.
                let picture = self.around.pictures.borrow().clone();
                self.step(index, picture.as_deref()).await;
            }
        }
        self.now.orders = self.sentry.counted();
        self.now.perps = self
            .coins
            .iter()
            .map(|coin| (coin.perp.coin.clone(), coin.now.clone()))
            .collect();
        self.around.now.send_replace(Arc::new(self.now.clone()));
    }

    /// Whether this keeper hedges now. Orders of an earlier leader are known before their fills are read.
    async fn leads(&mut self) -> bool {
        let Some(lead) = self.lead.clone() else {
            self.now.leads = Some(true);
            return true;
        };
        let newest = self
            .coins
            .iter()
            .map(|coin| coin.hedger.books().fills_since_ms());
        let since_ms = newest.min().unwrap_or(0);
        let events = &self.around.events;
        let oids = match lead.stand(self.venue.as_ref(), since_ms).await {
            Ok(Standing::Leads(oids)) => Some(oids),
            Ok(Standing::Follows) => None,
            Err(reason) => {
                self.lease_trouble
                    .set(Some((TroubleKind::Lease, reason)), "lease", events);
                return false;
            }
        };
        self.lease_trouble.set(None, "lease", events);
        let leads = oids.is_some();
        if self.now.leads.replace(leads) != Some(leads) {
            events.send(KeeperEvent::Hedge(HedgeEvent::Leader { leads }));
        }
        for coin in &mut self.coins {
            if !leads {
                coin.now.doing = "another keeper hedges this account".into();
            } else if let Err(error) = coin.hedger.know_partners(oids.iter().flatten().copied()) {
                coin.end(&error, events);
            }
        }
        leads
    }

    async fn step(&mut self, index: usize, picture: Option<&Picture>) {
        let Self {
            hedge,
            around,
            clock,
            venue,
            paper,
            coins,
            taker_fee,
            now,
            ..
        } = self;
        let Some(coin) = coins.get_mut(index).filter(|coin| !coin.ended) else {
            return;
        };
        let seen = coin.look(picture, hedge, &around.control).await;
        let price = seen.as_ref().ok().map(|seen| seen.price);
        if let (Some(paper), Some(price)) = (paper, price) {
            paper.quote(&coin.perp.coin, price);
        }
        let mode = around.control.mode();
        let mut permit = permit(mode, hedge.is_paper(), coin.perp.max_position);
        let limit = price.and_then(|price| coin.limit(hedge, price, clock.now_ms()));
        if limit.is_some() {
            permit.room = Room::Shrink;
        }
        let known = seen.as_ref().ok();
        // A band that waits for what trading costs is not known before the first look at the venue.
        let known = known.filter(|seen| coin.set_band(seen, *taker_fee));
        let want = Want {
            exposure: known.map(|seen| seen.exposure),
            permit,
            price,
            within_bps: hedge.max_deviation_bps,
        };
        let result = coin.hedger.step(want, clock.now_ms()).await;
        if let Ok(report) = &result {
            if let Some(venue) = &report.seen {
                now.equity = Some(venue.account.equity);
                now.margin_used = Some(venue.account.margin_used);
            }
            for alert in &report.alerts {
                let told = KeeperEvent::Hedge(HedgeEvent::others(alert));
                around.events.send(told);
            }
            coin.take_in(report, price);
            coin.show(report, &around.events);
        }
        let trouble = trouble(&result, seen.as_ref().err(), limit.as_deref());
        coin.now.doing = doing(&result, trouble.as_ref());
        coin.trouble.set(trouble, &coin.perp.coin, &around.events);
        coin.ended = matches!(&result, Err(HedgeError::Journal(_)));
        coin.read_funding(venue.as_ref(), clock.now_ms(), !hedge.is_paper(), around)
            .await;
    }
}

fn signer(agent_key: &Path, journal_dir: &Path) -> Result<Signer, DeskError> {
    let agent = read_agent_key(agent_key)?;
    let nonces = Nonces::open(&journal_dir.join(format!("nonce-{}", agent.address())))?;
    Ok(Signer { agent, nonces })
}

impl Coin {
    fn new(
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

    async fn look(
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
    fn set_band(&mut self, seen: &Residual, taker_fee: Option<Decimal>) -> bool {
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
    fn limit(&self, hedge: &Hedge, price: Decimal, now_ms: u64) -> Option<String> {
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
    fn take_in(&mut self, report: &Report, price: Option<Decimal>) {
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
        let mark = self.now.mid.or(price);
        self.now.pnl = mark.and_then(|mark| books.pnl(coin, mark));
    }

    /// Tells what would have been sent, when it differs from what was told last.
    fn show(&mut self, report: &Report, events: &Events) {
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

    fn end(&mut self, error: &JournalError, events: &Events) {
        self.ended = true;
        self.now.doing = error.to_string();
        let trouble = Some((TroubleKind::Journal, error.to_string()));
        self.trouble.set(trouble, &self.perp.coin, events);
    }

    /// Reads funding now and then: what was paid, and what the market settles. A paper venue's says nothing of the market.
    async fn read_funding(&mut self, venue: &dyn Venue, now_ms: u64, tells: bool, around: &Around) {
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

/// What is wrong, if anything.
fn trouble(
    result: &Result<Report, HedgeError>,
    blind: Option<&Blind>,
    limit: Option<&str>,
) -> Option<(TroubleKind, String)> {
    use TroubleKind as T;
    let limit = || limit.map(|limit| (T::Limit, limit.to_owned()));
    let report = match result {
        Ok(report) => report,
        Err(error) => {
            let kind = match error {
                HedgeError::Journal(_) => T::Journal,
                HedgeError::Disagree { .. } => T::Disagrees,
                HedgeError::Venue(VenueError::AgentUnknown(_)) => T::Agent,
                HedgeError::Venue(_) => T::Venue,
            };
            return Some((kind, error.to_string()));
        }
    };
    match &report.outcome {
        Outcome::Refused(error @ VenueError::AgentUnknown(_)) => {
            Some((T::Agent, error.to_string()))
        }
        // Later it might.
        Outcome::Refused(error @ VenueError::Busy { .. }) => Some((T::Venue, error.to_string())),
        Outcome::Refused(error) => Some((T::Refused, error.to_string())),
        Outcome::Unknown => Some((T::Unknown, "an order was not answered".into())),
        Outcome::Waiting(cloid) => Some((T::Unknown, format!("order {cloid} has no outcome yet"))),
        // A keeper that has only begun.
        Outcome::Blind => match blind {
            None | Some(Blind::NotRead(_)) => None,
            Some(blind) => Some((T::Blind, blind.to_string())),
        },
        Outcome::OffPrice { mid } => Some((
            T::OffPrice,
            format!("the venue's price is {mid}, which is far from the oracle's"),
        )),
        Outcome::Idle(Decision::NoDepth) => {
            Some((T::NoDepth, "nothing is offered within the cap".into()))
        }
        Outcome::Idle(Decision::Held(Held::Most)) => {
            Some((T::Most, "more would be held than max_position".into()))
        }
        Outcome::NotAdmitted(why) => Some((T::Refused, format!("an order was not sent: {why}"))),
        Outcome::Traded { .. } | Outcome::Shown(_) | Outcome::Idle(_) => limit(),
    }
}

/// What a step did, for people.
fn doing(result: &Result<Report, HedgeError>, trouble: Option<&(TroubleKind, String)>) -> String {
    if let Some((_, reason)) = trouble {
        return reason.clone();
    }
    let Ok(report) = result else {
        return String::new();
    };
    match &report.outcome {
        Outcome::Traded { filled } => format!("traded {filled}"),
        Outcome::Shown(ticket) => format!(
            "would {} {}, worst price {}",
            if ticket.side == ballast_venue::instrument::Side::Buy {
                "buy"
            } else {
                "sell"
            },
            ticket.size,
            ticket.cap
        ),
        Outcome::Idle(Decision::ChainFirst) => "waits for what is due on the chain".into(),
        Outcome::Idle(Decision::Held(_)) => "holds: the position may only shrink".into(),
        Outcome::Idle(_) => "inside the band".into(),
        Outcome::Blind => "waits until all is read".into(),
        // All of these are troubles.
        Outcome::NotAdmitted(_)
        | Outcome::Refused(_)
        | Outcome::Unknown
        | Outcome::Waiting(_)
        | Outcome::OffPrice { .. } => String::new(),
    }
}

#[cfg(test)]
mod tests;
