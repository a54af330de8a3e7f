//! A venue for the hedge: the stand-in with a perpetual of the first market's token, two months of funding, and an account whose
//! short somebody else has opened. The keeper takes it to where its own positions need it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, anyhow};
use ballast_venue::{
    clock::{Clock, SystemClock},
    depth::{Depth, Level},
    hyperliquid::{
        bytes::Address,
        order_wire::Tif,
        sign::{Network, PrivateKey},
    },
    instrument::{Instrument, Side},
    paper::{
        exchange::{Exchange, Fees},
        order::NewOrder,
        venue::Tape,
    },
    standin::{StandIn, faults::Faults},
};
use rust_decimal::Decimal;

const COIN: &str = "SOL";
const HISTORY_MS: u64 = 60 * 24 * 3_600_000;
/// Dollars.
const DEPOSIT: i64 = 100_000;
/// An hour's rate, and the premium that it comes of by the venue's formula.
const FUNDING: [Decimal; 2] = [
    Decimal::from_parts(125, 0, 0, false, 7),
    Decimal::from_parts(1, 0, 0, false, 4),
];
/// Of each level, and how many there are on a side; a level is two hundredths of a percent from the next.
const LEVEL_SIZE: i64 = 500;
const LEVELS: i64 = 5;

/// See the module's description. It lives as long as this.
pub struct Venue {
    stand_in: StandIn,
    tape: Arc<Mutex<Tape>>,
    account: Address,
}

impl Venue {
    /// Writes the agent's key into the directory.
    pub async fn start(directory: &Path, price: f64) -> Result<Self> {
        let hex = |number: u8| format!("0x{number:064x}");
        let key = |number| PrivateKey::from_hex(&hex(number)).map_err(|error| anyhow!("{error}"));
        let (account, agent) = (key(1)?.address(), key(2)?);
        let file = directory.join("agent");
        fs::write(&file, hex(2)).context("writing the agent's key")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;

        let now_ms = SystemClock.now_ms();
        let instrument = Instrument {
            coin: COIN.into(),
            asset: 0,
            size_places: 2,
            max_leverage: 20,
        };
        let mut exchange = Exchange::new(now_ms - HISTORY_MS, Fees::default(), [instrument]);
        exchange.deposit(account, DEPOSIT.into());
        let [rate, premium] = FUNDING;
        exchange.set_funding(0, rate, premium);
        exchange.advance_to(now_ms);
        let (index, offers) = depth(price)?;
        exchange.set_depth(0, index, offers.clone());
        let short = NewOrder {
            account,
            asset: 0,
            side: Side::Sell,
            price: index * Decimal::new(99, 2),
            size: Decimal::ONE,
            tif: Tif::Ioc,
            reduce_only: false,
            cloid: None,
        };
        let placed = exchange.place(short);
        placed.map_err(|refused| anyhow!("the venue refuses the short: {refused:?}"))?;
        exchange.set_depth(0, index, offers);

        let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
        let faults = Arc::new(Mutex::new(Faults::none()));
        let clock = Arc::new(SystemClock);
        let stand_in = StandIn::start(0, Network::Testnet, Arc::clone(&tape), clock, faults);
        let stand_in = stand_in.await.context("starting the venue")?;
        stand_in.set_agent(agent.address(), Some(account));
        Ok(Self {
            stand_in,
            tape,
            account,
        })
    }

    /// Offers around a price.
    pub fn quote(&self, price: f64) -> Result<()> {
        let (index, offers) = depth(price)?;
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.at(SystemClock.now_ms()).set_depth(0, index, offers);
        Ok(())
    }

    /// The configuration's section, for a market and an owner.
    pub fn section(&self, market: &str, owner: &str) -> String {
        format!(
            "\n[hedge]\nvenue = \"hyperliquid\"\nnetwork = \"testnet\"\nurl = \"{}\"\naccount = \"{}\"\nagent_key = \"agent\"\n\
             owners = [\"{owner}\"]\n\n\
             [[hedge.perps]]\ncoin = \"{COIN}\"\nmarkets = [\"{market}\"]\nband = \"0.2\"\nmax_position = \"500\"\n",
            self.stand_in.url(),
            self.account,
        )
    }
}

fn depth(price: f64) -> Result<(Decimal, Depth)> {
    let index = Decimal::try_from(price).context("no price")?.round_dp(2);
    let level = |step: i64| Level {
        price: (index * (Decimal::ONE + Decimal::new(2 * step, 4))).round_dp(2),
        size: LEVEL_SIZE.into(),
    };
    Ok((
        index,
        Depth {
            bids: (1..=LEVELS).map(|step| level(-step)).collect(),
            asks: (1..=LEVELS).map(level).collect(),
        },
    ))
}
