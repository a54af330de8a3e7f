//! What the hedge is at one moment, for whoever reads.

use std::{collections::BTreeMap, sync::Arc};

use ballast_venue::hedge::books::Pnl;
use rust_decimal::Decimal;
use solana_sdk::pubkey::Pubkey;
use tokio::{sync::watch, time::Instant};

use super::sentry::Counted;

/// The newest of it.
pub type HedgeWatch = watch::Receiver<Arc<HedgeNow>>;

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct HedgeNow {
    /// The venue's name, with its network.
    pub venue: String,
    /// The account there.
    pub account: String,
    /// Whether this keeper hedges the account; `None` before it is known.
    pub leads: Option<bool>,
    /// What the account is worth, dollars.
    pub equity: Option<Decimal>,
    /// What of it is held as margin.
    pub margin_used: Option<Decimal>,
    /// Orders by what became of them, since the start.
    pub orders: Counted,
    /// The venue's stream; `None`: there is none.
    pub stream: Option<StreamNow>,
    /// By name.
    pub perps: BTreeMap<String, PerpNow>,
}

/// The stream that wakes the desk before its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamNow {
    /// Whether it tells.
    pub connected: bool,
    /// Why it does not; `None` also before it was first tried.
    pub lost: Option<String>,
    /// How often it has woken the desk.
    pub wakes: u64,
}

/// A perpetual.
#[derive(Clone, Debug, Default)]
pub struct PerpNow {
    /// Its markets; the position is shown with the first.
    pub markets: Vec<Pubkey>,
    /// When a step last came to its end.
    pub stepped: Option<Instant>,
    /// What is held, base tokens.
    pub position: Option<Decimal>,
    /// What is to be hedged, the least and the most.
    pub residual: Option<(Decimal, Decimal)>,
    /// Positions with actions in flight or due on the chain, which may change it.
    pub open_on_chain: usize,
    /// Half of the band in which nothing is traded.
    pub band: Decimal,
    /// The venue's price.
    pub mid: Option<Decimal>,
    /// Where the position would be liquidated.
    pub liquidation: Option<Decimal>,
    /// What it has earned since the journal began.
    pub pnl: Option<Pnl>,
    /// Of what the price has earned the part that is closed.
    pub realised: Option<Decimal>,
    /// At this price, the venue's or else the oracle's.
    pub mark: Option<Decimal>,
    /// When that was, Unix seconds.
    pub began_secs: Option<i64>,
    /// What it did last, for people.
    pub doing: String,
    /// Settled rates a year, by Unix seconds, oldest first.
    pub settled: Vec<(i64, f64)>,
    /// Rates a year to come: Unix seconds, mean, and the ends of the band that holds nine of ten.
    pub forecast: Vec<[f64; 4]>,
}

impl HedgeNow {
    /// The perpetual of a market.
    pub fn of_market(&self, market: &Pubkey) -> Option<(&str, &PerpNow)> {
        let mut perps = self.perps.iter();
        let found = perps.find(|(_, perp)| perp.markets.contains(market));
        found.map(|(coin, perp)| (coin.as_str(), perp))
    }
}

impl PerpNow {
    /// Whether the position belongs to the sums of this market: of several with the same token, to the first.
    pub fn counts_for(&self, market: &Pubkey) -> bool {
        self.markets.first() == Some(market)
    }
}
