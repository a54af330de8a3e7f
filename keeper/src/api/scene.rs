//! What one version of the answers is made of. Nothing in it changes; what is not needed by every reader is computed once, when
//! it is first asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use ballast_client::MarketSnapshot;
use ballast_strategy::situation::SituationError;
use ballast_view::{self as view, Beside, Line, Lines, Tokens, Verdict};
use solana_sdk::pubkey::Pubkey;

use super::{
    Sources,
    actions::{Log, shown_override},
    problem::Problem,
};
use crate::{
    control::{Mode, Overrides, Standing},
    hedge::HedgeNow,
    picture::{Found, MarketPicture, Picture, PositionPicture},
};

/// A tick, as a part of the price.
const TICK: f64 = 1e-4;

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Danger,
    Due,
    Ltv,
    Equity,
    Delta,
    Leverage,
    Id,
}

impl Sort {
    pub const ALL: [(&'static str, Self); 7] = [
        ("danger", Self::Danger),
        ("due", Self::Due),
        ("ltv", Self::Ltv),
        ("equity", Self::Equity),
        ("delta", Self::Delta),
        ("leverage", Self::Leverage),
        ("id", Self::Id),
    ];
}

/// A position with its line.
pub(super) struct Known {
    pub market: Pubkey,
    pub position: Arc<PositionPicture>,
    /// `None`: its numbers cannot be computed.
    pub line: Option<Line>,
}

/// See the module's description.
pub(super) struct Scene {
    pub version: u64,
    pub picture: Arc<Picture>,
    pub standing: Standing,
    pub overrides: Arc<Overrides>,
    pub now_secs: i64,
    pub log: Arc<Log>,
    pub flags: Arc<Vec<view::Flag>>,
    pub hedge: Option<Arc<HedgeNow>>,
    pub sources: Sources,
    names: HashMap<Pubkey, view::TokenNames>,
    known: OnceLock<Vec<Known>>,
    orders: Mutex<HashMap<Sort, Arc<Vec<usize>>>>,
    books: Mutex<HashMap<Pubkey, Arc<view::BookView>>>,
}

/// A market's usual day's move, and whether it is measured.
pub(super) fn sigma(market: &MarketPicture) -> (f64, bool) {
    match market.volatility_ticks {
        Some(ticks) if ticks > 0 => (f64::from(ticks) * TICK, true),
        _ => (view::ASSUMED_SIGMA_DAY, false),
    }
}

impl Scene {
    pub fn new(version: u64, picture: Arc<Picture>, log: Arc<Log>, sources: Sources) -> Self {
        let control = &sources.control;
        let names = picture.markets.iter().map(|(address, market)| {
            let names = view::TokenNames::of(&market.context.market);
            (*address, names)
        });
        Self {
            version,
            standing: control.standing(),
            overrides: Arc::new(control.overrides()),
            now_secs: control.now_secs(),
            flags: Arc::new(sources.flags.flags()),
            hedge: sources.hedge.as_ref().map(|now| now.borrow().clone()),
            names: names.collect(),
            picture,
            log,
            sources,
            known: OnceLock::new(),
            orders: Mutex::default(),
            books: Mutex::default(),
        }
    }

    /// The first market, which sums are about unless another is named.
    pub fn first(&self) -> Option<(&Pubkey, &MarketPicture)> {
        self.picture.markets.iter().next()
    }

    pub fn market(&self, text: &str) -> Result<(Pubkey, &MarketPicture), Problem> {
        let missing = || {
            let message = format!("no market {text} of this keeper: look at /api/v1/status");
            Problem::new(axum::http::StatusCode::NOT_FOUND, "not_found", message).of("market")
        };
        let address: Pubkey = text.parse().map_err(|_| missing())?;
        let found = self.picture.markets.get_key_value(&address);
        found
            .map(|(address, market)| (*address, market))
            .ok_or_else(missing)
    }

    pub fn position(&self, text: &str) -> Result<(&MarketPicture, &Arc<PositionPicture>), Problem> {
        let missing = || Problem::no_such_position(text);
        let address: Pubkey = text.parse().map_err(|_| missing())?;
        self.picture.position(&address).ok_or_else(missing)
    }

    pub fn tokens(&self, market: &MarketPicture) -> Tokens<'_> {
        let stored = &market.context.market;
        let nameless = || Tokens {
            base: "base",
            quote: "quote",
            decimals: (stored.base_decimals, stored.quote_decimals),
        };
        let names = self.names.get(&market.context.address);
        names.map_or_else(nameless, view::TokenNames::tokens)
    }

    /// The override that binds a position by itself.
    pub fn held(&self, position: &PositionPicture) -> Option<view::Override> {
        let held = self.overrides.position(&position.address, self.now_secs)?;
        Some(self.shown_override(held))
    }

    pub fn shown_override(&self, held: &crate::control::Override) -> view::Override {
        shown_override(held, Some(&self.picture))
    }

    /// What views of a position are made of.
    pub fn seen<T>(
        &self,
        market: &MarketPicture,
        position: &PositionPicture,
        then: impl FnOnce(&view::Seen) -> Result<T, SituationError>,
    ) -> Result<T, Problem> {
        let snapshot = snapshot(market)?;
        let liquidation = &self.sources.config.liquidation;
        let mut situation = position.situation(snapshot, self.picture.keeper, liquidation);
        let (control, shards) = (&self.sources.control, &self.sources.shards);
        situation.outlook.forbidden = shards.forbidden(control, &position.address);
        let held = self.held(position);
        let mode = control.position_mode(&position.address);
        let past = self.sources.past.of(&position.address);
        let seen = view::Seen {
            situation: &situation,
            address: position.address,
            tokens: self.tokens(market),
            sigma_day: sigma(market).0,
            mode: mode.name(),
            held: held.as_ref(),
            may_act: mode >= Mode::Paper && position.position.policy.keeper_enabled == 1,
            past: &past,
        };
        then(&seen).map_err(|error| unvalued(&position.address, &error))
    }

    /// All positions, with what sums and orders need of them.
    pub fn known(&self) -> &[Known] {
        self.known.get_or_init(|| {
            let mut all = Vec::new();
            for (address, market) in &self.picture.markets {
                let lines = market
                    .newest
                    .as_deref()
                    .map(|newest| Lines::new(newest, sigma(market).0));
                for position in market.positions.iter() {
                    let line = match &lines {
                        Some(Ok(lines)) => lines.line(position.address, &position.position).ok(),
                        _ => None,
                    };
                    all.push(Known {
                        market: *address,
                        position: Arc::clone(position),
                        line,
                    });
                }
            }
            all
        })
    }

    /// What the engine made of a position, or a person.
    pub fn verdict(&self, position: &PositionPicture) -> Verdict {
        let held = self.overrides.position(&position.address, self.now_secs);
        if held.is_some_and(|held| held.mode == crate::control::Verb::Pause) {
            return Verdict::Paused;
        }
        match position.found {
            Found::Nothing => Verdict::Nothing,
            Found::Due(_) => Verdict::Act,
            Found::Blocked(_) => Verdict::Blocked,
        }
    }

    /// Places in [`Self::known`], sorted. What has no numbers comes last.
    pub fn order(&self, sort: Sort) -> Arc<Vec<usize>> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = orders.get(&sort) {
            return Arc::clone(order);
        }
        let known = self.known();
        let key = |one: &Known| -> f64 {
            let line = one.line.as_ref();
            let of = |value: fn(&Line) -> f64| line.map_or(f64::INFINITY, value);
            match sort {
                Sort::Danger => line.map_or(f64::INFINITY, |line| {
                    line.nearest.map_or(f64::MAX, |nearest| nearest.sigma_days)
                }),
                Sort::Due => match self.verdict(&one.position) {
                    Verdict::Blocked => 0.0,
                    Verdict::Act => 1.0,
                    Verdict::Paused => 2.0,
                    Verdict::Nothing => 3.0,
                },
                Sort::Ltv => {
                    of(|line| -(line.value.debt as f64) / (line.value.assets as f64).max(1.0))
                }
                Sort::Equity => of(|line| -(line.value.equity() as f64)),
                Sort::Delta => of(|line| -(line.delta.unsigned_abs() as f64)),
                Sort::Leverage => of(|line| -(line.value.leverage_bps_up() as f64)),
                Sort::Id => one.position.position.id as f64,
            }
        };
        let mut order: Vec<(f64, usize)> = known.iter().map(key).zip(0..).collect();
        // Equal ones stay in the order of their addresses.
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let order = Arc::new(
            order
                .into_iter()
                .map(|(_, place)| place)
                .collect::<Vec<_>>(),
        );
        orders.insert(sort, Arc::clone(&order));
        order
    }

    /// The book of a market.
    pub fn book(
        &self,
        address: Pubkey,
        market: &MarketPicture,
    ) -> Result<Arc<view::BookView>, Problem> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(&address) {
            return Ok(Arc::clone(book));
        }
        let of_market = self.known().iter().filter(|one| one.market == address);
        let lines: Vec<Line> = of_market.clone().filter_map(|one| one.line).collect();
        let unvalued = of_market.count() - lines.len();
        let past = self.sources.past.of_market(&address);
        let hedge = self.hedge.as_deref();
        let (base, quote) = self.tokens(market).decimals;
        let at = tokio::time::Instant::now();
        let beside = Beside {
            day: past.day,
            split: past.split.map(|(parts, _)| parts),
            contingency: self.sources.flags.contingency(&address),
            fee_day_bps: self.sources.config.automation.economics.fee_day_bps,
            fee_yield: market.fee_yield,
            hedge: hedge.and_then(|now| super::hedge::held(now, &address, base, at)),
            hedge_pnl: hedge.and_then(|now| super::hedge::pnl(now, &address, quote, at)),
        };
        let snapshot = snapshot(market)?;
        let book = view::book(
            self.version,
            snapshot,
            sigma(market).0,
            &lines,
            unvalued,
            beside,
        );
        let book = Arc::new(book.map_err(|error| no_price(&error))?);
        books.insert(address, Arc::clone(&book));
        Ok(book)
    }

    /// Time since the newest slot became known.
    pub fn slot_age_ms(&self) -> u64 {
        let seen = self.picture.slot_seen.unwrap_or(self.picture.taken);
        let age = Instant::now().saturating_duration_since(seen.into_std());
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }

    /// The heartbeat.
    pub fn tick(&self) -> view::Tick {
        let market = self.first().map(|(_, market)| market);
        let newest = market.and_then(|market| market.newest.as_deref());
        let scale = newest.map(view::scale);
        view::Tick {
            version: self.version,
            now: now(),
            slot: self.picture.status.slot,
            slot_age_ms: self.slot_age_ms(),
            mode: self.sources.control.mode().name().to_owned(),
            stage: newest.map_or(0, |newest| newest.market.stage.stage),
            flags_raised: self.raised(),
            price: newest.and_then(|newest| Some(scale?.price(newest.oracle_sqrt_price().ok()?))),
            pool_price: newest.and_then(|newest| Some(scale?.price(newest.pool.sqrt_price))),
        }
    }

    pub fn raised(&self) -> usize {
        let raised = |flag: &&view::Flag| flag.state == view::FlagState::Raised;
        self.flags.iter().filter(raised).count()
    }
}

/// The market's accounts, once they were read.
pub(super) fn snapshot(market: &MarketPicture) -> Result<&MarketSnapshot, Problem> {
    market.newest.as_deref().ok_or_else(|| {
        Problem::not_ready("the market's accounts have not been read yet; try again in a moment")
    })
}

fn unvalued(position: &Pubkey, error: &SituationError) -> Problem {
    Problem::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        "not_ready",
        format!("position {position} cannot be valued: {error}; look at `ballast doctor`"),
    )
    .again_after(1)
}

pub(super) fn no_price(error: &SituationError) -> Problem {
    Problem::not_ready(format!(
        "the market cannot be valued: {error}; look at `ballast doctor`"
    ))
}

/// The system's clock, Unix seconds with milliseconds.
pub(super) fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_millis() as f64 / 1e3)
}
