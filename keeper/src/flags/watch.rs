//! The task that watches.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ballast_client::{Chain, Condition, MarketContext, Nodes};
use ballast_flags::{Board, Verdict, contingency::Cover};
use ballast_view::text::amount;
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        watch,
    },
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    EndpointSeen, FlagsNow, Heard, MarketContingency, endpoints, flow,
    pass::{Ask, pass},
    reduce::Reducer,
    sample,
};
use crate::{
    config::Config,
    control::Control,
    event::KeeperEvent,
    events::Events,
    picture::{MarketPicture, Pictures},
    sources::Doubts,
};

/// How often the flags are judged.
const EVERY: Duration = Duration::from_secs(1);
/// How often all positions are gone over.
const PASS_EVERY: Duration = Duration::from_secs(15);
/// What others tell and nobody has taken in yet.
const QUEUE: usize = 256;

/// What the task needs.
pub struct Watcher {
    /// The configuration.
    pub config: Arc<Config>,
    /// By which modes change, and whose clock holds.
    pub control: Control,
    /// What the engine knows.
    pub pictures: Pictures,
    /// Where changes are told.
    pub events: Events,
    /// The nodes that the keeper works with.
    pub nodes: Nodes,
    /// Others, which are asked for their slot only.
    pub others: Vec<Arc<dyn Chain>>,
    /// Markets.
    pub markets: Vec<Arc<MarketContext>>,
    /// Where accounts are named that the book should read again.
    pub doubts: Doubts,
    /// Whether there is a hedge, whose funding and fills will be told.
    pub hedged: bool,
    /// Where readers look.
    pub now: watch::Sender<Arc<FlagsNow>>,
}

impl Watcher {
    /// Where others tell what they know, and where it is heard.
    pub fn ear() -> (Sender<Heard>, Receiver<Heard>) {
        mpsc::channel(QUEUE)
    }

    /// Watches for ever.
    pub async fn run(self, (sender, heard): (Sender<Heard>, Receiver<Heard>)) {
        let (nodes, others) = (self.nodes.clone(), self.others.clone());
        let asking = endpoints::watch(nodes, others, sender.clone());
        let (config, events) = (Arc::clone(&self.config), self.events.clone());
        let own = Arc::new(self.nodes.clone());
        let reading = flow::watch(own, config, self.markets.clone(), events, sender);
        let comparing = sample::watch(&self.nodes, &self.pictures, &self.doubts);
        tokio::join!(asking, reading, comparing, Judge::new(&self).run(heard));
    }
}

/// The judging part of it.
struct Judge<'a> {
    watcher: &'a Watcher,
    board: Board<Pubkey>,
    reducer: Reducer,
    last: Verdict,
    passed: Option<Instant>,
    near: BTreeMap<Pubkey, BTreeSet<Pubkey>>,
    contingency: BTreeMap<Pubkey, MarketContingency>,
    endpoints: Vec<EndpointSeen>,
    conditions: endpoints::Conditions,
}

impl<'a> Judge<'a> {
    fn new(watcher: &'a Watcher) -> Self {
        let flags = &watcher.config.flags;
        let markets = watcher.markets.iter();
        let markets = markets.map(|market| {
            let pair = flags.pair_pools.contains_key(&market.address);
            (market.address, pair)
        });
        Self {
            board: Board::new(flags.rules, markets, watcher.hedged),
            reducer: Reducer::new(watcher.control.clone(), watcher.events.clone()),
            watcher,
            last: Verdict::default(),
            passed: None,
            near: BTreeMap::new(),
            contingency: BTreeMap::new(),
            endpoints: Vec::new(),
            conditions: endpoints::Conditions::default(),
        }
    }

    async fn run(mut self, mut heard: Receiver<Heard>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => self.tick().await,
                Some(news) = heard.recv() => self.hear(news),
            }
        }
    }

    fn hear(&mut self, news: Heard) {
        let now_secs = self.watcher.control.now_secs();
        match news {
            Heard::Endpoints(seen) => {
                let slots = seen.iter().map(|seen| (seen.name.clone(), seen.slot));
                self.board.endpoints(slots.collect());
                let named = |condition: Condition| {
                    let all = seen.iter();
                    let all = all.filter(|seen| seen.condition == Some(condition));
                    all.map(|seen| seen.name.clone()).collect()
                };
                self.board.denied(named(Condition::Contradicted));
                self.board.disagreeing(named(Condition::Disagrees));
                for message in self.conditions.news(&seen) {
                    self.watcher.events.send(KeeperEvent::Warning { message });
                }
                self.endpoints = seen;
            }
            Heard::Flow { market, pool, pair } => self.board.flow(market, pool, pair, now_secs),
            Heard::Funding {
                settled_secs,
                hourly_ppb,
            } => self.board.funding(settled_secs, hourly_ppb),
            Heard::HedgeSent => self.board.hedge_sent(now_secs),
            Heard::HedgeFill(fill) => self.board.hedge_fill(fill, now_secs),
        }
    }

    async fn tick(&mut self) {
        self.look().await;
        self.reducer.heed(&mut self.board, &self.last);
        let now_secs = self.watcher.control.now_secs();
        let verdict = self.board.judge(now_secs);
        for change in verdict.changes_since(&self.last) {
            let row = change.judgement.row();
            self.watcher.events.send(KeeperEvent::RedFlag {
                flag: change.judgement.flag,
                raised: change.raised,
                value: row.value,
                threshold: row.threshold,
                note: row.note,
            });
        }
        self.last = verdict;
        self.reducer.follow(&self.last).await;
        let now = FlagsNow {
            secs: now_secs,
            verdict: self.last.clone(),
            reduce_at: self.watcher.config.flags.rules.reduce_at,
            gap_bps: self.watcher.config.flags.gap.get(),
            contingency: self.contingency.clone(),
            endpoints: self.endpoints.clone(),
        };
        self.watcher.now.send_replace(Arc::new(now));
    }

    /// Takes in what the engine's newest picture shows.
    async fn look(&mut self) {
        let picture = self.watcher.pictures.borrow().clone();
        let Some(picture) = picture else { return };
        let now_secs = self.watcher.control.now_secs();
        if picture.status.slot > 0 {
            self.board.slot(picture.status.slot, now_secs);
        }
        if let Some(lamports) = picture.status.lamports {
            self.board.sol(lamports);
        }
        for (address, market) in &picture.markets {
            if let Some(newest) = &market.newest {
                let age_secs = newest.price_age_secs(newest.now_secs);
                self.board.price(*address, age_secs);
            }
        }
        if self
            .passed
            .is_none_or(|passed| passed.elapsed() >= PASS_EVERY)
        {
            self.passed = Some(Instant::now());
            for (address, market) in &picture.markets {
                self.pass(*address, market, now_secs).await;
            }
        }
    }

    async fn pass(&mut self, address: Pubkey, market: &MarketPicture, now_secs: i64) {
        let Some(newest) = &market.newest else { return };
        let config = &self.watcher.config;
        let sigma_days = config.notify.boundary_sigma_days;
        let ticks = market.volatility_ticks.filter(|_| sigma_days.get() > 0);
        let ticks = ticks.and_then(|ticks| sigma_days.of_up(ticks.into()));
        let near = self.near.entry(address).or_default();
        let ask = Ask {
            gap: config.flags.gap,
            move_ticks: ticks.and_then(|ticks| u32::try_from(ticks).ok()),
            near_before: near,
        };
        let found = pass(newest, &market.positions, ask).await;
        let new = found.near.difference(near).count();
        if let Some((ltv_bps, position)) = found.worst_new {
            self.watcher.events.send(KeeperEvent::BoundaryNear {
                market: address,
                position,
                positions: new,
                within_sigma_days_bps: sigma_days.get(),
                ltv_bps,
            });
        }
        *near = found.near;
        // Where positions were never all read, their liquidity is not known.
        if market.positions_read {
            let pool = newest.pool.liquidity;
            self.board
                .liquidity(address, found.liquidity, pool, now_secs);
        }
        match found.contingency.filter(|_| market.positions_read) {
            Some(needs) => {
                let of_market = config
                    .markets
                    .iter()
                    .find(|market| market.address == address);
                let contingency = MarketContingency {
                    decimals: [newest.market.base_decimals, newest.market.quote_decimals],
                    needs,
                    kept: of_market.and_then(|market| market.buffer),
                };
                let before = self.contingency.insert(address, contingency);
                self.tell(address, before, contingency);
            }
            None => {
                self.contingency.remove(&address);
            }
        }
    }

    /// Tells that what is kept has become too little, or enough again.
    fn tell(&self, market: Pubkey, before: Option<MarketContingency>, now: MarketContingency) {
        let was_short = before.is_some_and(|before| before.cover() == Cover::Short);
        let (short, enough) = (now.cover() == Cover::Short, now.cover() == Cover::Enough);
        let Some(kept) = now.kept else { return };
        if (short && !was_short) || (enough && was_short) {
            let needed = now.needs.needed();
            let shown = |raw: [u64; 2], decimals| raw.map(|raw| amount(raw, decimals));
            self.watcher.events.send(KeeperEvent::Contingency {
                market,
                short,
                gap_bps: self.watcher.config.flags.gap.get(),
                base: shown([needed.base, kept.base], now.decimals[0]),
                quote: shown([needed.quote, kept.quote], now.decimals[1]),
            });
        }
    }
}
