//! The task that hedges.

use std::{path::Path, sync::Arc, time::Duration};

use ballast_venue::{
    clock::{Clock, SystemClock},
    hedge::{
        hedger::HedgeError,
        journal::{Journal, JournalError, file_name},
        permit::Room,
        want::Want,
    },
    hyperliquid::{
        client::{Hyperliquid, Settings, Signer, http},
        key_file::{KeyFileError, read_agent_key},
        listener::Listener,
        nonce::{NonceError, Nonces},
        stream::Event,
    },
    venue::{Venue, VenueError},
};
use rust_decimal::Decimal;
use thiserror::Error;
use tokio::{
    sync::{mpsc::Sender, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    alarm::{Alarm, Ring},
    coin::Coin,
    event::{HedgeEvent, TroubleKind},
    lead::{Lead, Leader, Standing},
    now::HedgeNow,
    paper::Paper,
    sentry::{Sentry, permit},
    trouble::{Trouble, doing, trouble},
};
use crate::{
    config::{Config, Hedge, HedgeVenue},
    control::Control,
    event::KeeperEvent,
    events::Events,
    flags::Heard,
    picture::{Picture, Pictures},
};

/// How long the venue may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Between two coins of a step the lease is renewed if that was so long ago.
const STAND_AGAIN: Duration = Duration::from_secs(5);

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
    /// Of the venue's stream, where there is one.
    listener: Option<Listener>,
    lead: Option<Arc<dyn Lead>>,
    sentry: Arc<Sentry>,
    coins: Vec<Coin>,
    taker_fee: Option<Decimal>,
    now: HedgeNow,
    lease_trouble: Trouble,
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
        let (mut paper, mut listener) = (None, None);
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
                listener = Some(Listener::new(url.clone(), hedge.account));
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
            account: hedge.account.to_string(),
            ..HedgeNow::default()
        };
        Ok(Self {
            coins: coins.collect(),
            hedge: hedge.clone(),
            around,
            clock,
            venue,
            paper,
            listener,
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
        let mut alarm = Alarm::new(self.listener.take(), self.hedge.least_gap());
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => return,
                ring = alarm.ring(|event| self.is_concerned(event)) => {
                    self.now.stream = alarm.now();
                    if ring == Ring::Stream {
                        self.publish();
                        continue;
                    }
                    // A step now takes the place of the next one.
                    ticks.reset();
                }
                _ = ticks.tick() => self.now.stream = alarm.now(),
            }
            self.tick().await;
        }
    }

    fn is_concerned(&self, event: &Event) -> bool {
        self.now.leads == Some(true) && self.coins.iter().any(|coin| coin.is_concerned(event))
    }

    async fn tick(&mut self) {
        let mut stood = Instant::now();
        let mut leads = self.leads().await;
        if leads {
            if self.taker_fee.is_none() {
                self.taker_fee = self.venue.taker_fee().await.ok();
            }
            for index in 0..self.coins.len() {
                // Where the venue is slow, the first coins must not leave the last ones a lease that is too old.
                if stood.elapsed() >= STAND_AGAIN {
                    stood = Instant::now();
                    leads = self.leads().await;
                }
                if !leads {
                    break;
                }
                // The newest: others may have taken long.
                let picture = self.around.pictures.borrow().clone();
                self.step(index, picture.as_deref()).await;
            }
        }
        self.publish();
    }

    fn publish(&mut self) {
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

#[cfg(test)]
mod tests;
