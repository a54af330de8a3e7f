//! Two markets with positions on an embedded node, a venue for the hedge, and a configuration for `ballast keeper run`: what the
//! dashboard's tests are run against.
//!
//! `keeper_world DIRECTORY LISTEN [COUNT]` writes keys and `keeper.toml` into the directory; `LISTEN` is the keeper's own address. Six
//! positions are opened, two of them in the second market; up to `COUNT` the others are copies of those in the first. It prints one
//! line of JSON, then takes a line per order on standard input: a price in dollars, which the first market's pool and oracle and the
//! venue go to, and answers each with a line of JSON. Between orders it posts the same prices again, so that they stay fresh. The end of
//! input ends it and its node. Errors go to standard error.

mod venue;

use std::{
    io::Write,
    mem::{offset_of, size_of},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use ballast_client::{Amounts, Position, PositionContext, Signer, pda};
use ballast_localnet::{EmbeddedNode, Localnet, LocalnetExt, UsdPrice, World, WorldConfig, keys};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::{MissedTickBehavior, interval},
};

use venue::Venue;

/// Milliseconds per slot of the embedded node.
const SLOT_MS: u64 = 200;
/// How often the price is posted.
const PACE: Duration = Duration::from_secs(2);
/// For fees.
const KEEPER_LAMPORTS: u64 = 10_000_000_000;
/// Of the owner of all positions.
const FUNDS: Amounts = Amounts {
    base: 5_000_000_000,
    quote: 5_000_000_000,
};
/// Of each position.
const OWN_FUNDS: Amounts = Amounts {
    base: 0,
    quote: 100_000_000,
};
const FIRST_PRICE: f64 = 200.0;
/// Of the second market, which stays there: 83 cents.
const SECOND_PRICE: UsdPrice = UsdPrice::from_units(83_000_000);
/// Of the second market's base.
const SECOND_FEED: [u8; 32] = [7; 32];
/// What each copy has more than the one before, raw units.
const IDLE_QUOTE_STEP: u64 = 10_000;
/// Half the band's width as a part of the price, and leverage. The first one is the worked example's.
const POSITIONS: [(f64, u32); 4] = [(0.05, 30_000), (0.03, 25_000), (0.1, 30_000), (0.2, 22_000)];
const SECOND_POSITIONS: [(f64, u32); 2] = [(0.08, 28_000), (0.25, 20_000)];

#[tokio::main]
async fn main() -> Result<()> {
    let usage = "usage: DIRECTORY LISTEN [COUNT]";
    let mut arguments = std::env::args_os().skip(1);
    let directory = PathBuf::from(arguments.next().context(usage)?);
    let mut text = || arguments.next().and_then(|text| text.into_string().ok());
    let listen = text().context(usage)?;
    let count = match text() {
        Some(count) => count.parse().context(usage)?,
        None => POSITIONS.len() + SECOND_POSITIONS.len(),
    };
    let net: Arc<dyn Localnet> = Arc::new(EmbeddedNode::start(SLOT_MS).await?);
    let mut config = WorldConfig::standard()?;
    config.desired.limits.min_rebalance_interval_secs = 0;
    let mut second_config = WorldConfig {
        name: "second".into(),
        start_price: SECOND_PRICE,
        ..config.clone()
    };
    second_config.feeds[0] = SECOND_FEED;
    let world = World::new(Arc::clone(&net), config).await?;
    let second = World::new(Arc::clone(&net), second_config).await?;
    open(&second, SECOND_PRICE, &SECOND_POSITIONS).await?;
    let positions = open(&world, UsdPrice::from_f64(FIRST_PRICE)?, &POSITIONS).await?;
    let copied = count.saturating_sub(SECOND_POSITIONS.len());
    copy(&world, &positions, copied).await?;
    let venue = Venue::start(&directory, FIRST_PRICE).await?;
    let owner = positions
        .first()
        .context("no position was opened")?
        .position
        .owner;
    let hedge = venue.section(&world.market.address.to_string(), &owner.to_string());
    let keeper = keys::named("keeper");
    net.fund(&keeper.pubkey(), KEEPER_LAMPORTS)
        .await
        .context("funding the keeper")?;
    keys::write(&keeper, &directory.join("keeper.json"))?;
    let endpoints = net.endpoints().context("no endpoints")?;
    std::fs::write(
        directory.join("keeper.toml"),
        configuration([&world, &second], endpoints, &listen, &hedge),
    )
    .context("writing keeper.toml")?;
    say(&json!({
        "rpcUrl": endpoints.rpc_url,
        "market": world.market.address.to_string(),
        "positions": positions
            .iter()
            .map(|position| position.address.to_string())
            .collect::<Vec<_>>(),
        "count": count,
        "price": FIRST_PRICE,
    }))?;

    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut price = UsdPrice::from_f64(FIRST_PRICE)?;
    loop {
        tokio::select! {
            order = orders.next_line() => {
                let Some(order) = order? else { return Ok(()) };
                let dollars: f64 = order
                    .parse()
                    .with_context(|| format!("{order:?} is no price in dollars"))?;
                price = UsdPrice::from_f64(dollars)?;
                venue.quote(dollars)?;
                world.arbitrage(price).await?;
                world.post_price(price).await?;
                say(&json!({ "posted": dollars }))?;
            }
            _ = pace.tick() => {
                world.post_price(price).await?;
                second.post_price(SECOND_PRICE).await?;
            }
        }
    }
}

async fn open(
    world: &World,
    price: UsdPrice,
    wanted: &[(f64, u32)],
) -> Result<Vec<PositionContext>> {
    let owner = world.trader("owner", FUNDS).await?;
    let mut positions = Vec::new();
    for (id, (half, leverage_bps)) in (1..).zip(wanted) {
        // Opening takes time, and a price must be fresh.
        world.post_price(price).await?;
        let dollars = price.to_f64();
        let band = [
            UsdPrice::from_f64(dollars * (1.0 - half))?,
            UsdPrice::from_f64(dollars * (1.0 + half))?,
        ];
        let args = world.open_args(id, band, OWN_FUNDS, *leverage_bps)?;
        positions.push(world.open(&owner, args).await?);
    }
    Ok(positions)
}

/// Writes copies of the positions into the cluster's accounts, until there are so many in all. They differ in address, number and idle
/// quote, so that no two are equal and none is due. To be looked at: pool and reserves know nothing of them.
async fn copy(world: &World, positions: &[PositionContext], count: usize) -> Result<()> {
    let chain = world.net.chain();
    let mut originals = Vec::new();
    for position in positions {
        let account = chain.account(&position.address).await?;
        originals.push((position, account.context("an opened position is gone")?));
    }
    for (id, (position, account)) in (1_u64..).zip(originals.iter().cycle()).take(count) {
        if id <= positions.len() as u64 {
            continue;
        }
        let mut account = account.clone();
        // Behind the discriminator.
        let data = account.data.get_mut(8..).context("an empty position")?;
        ensure!(
            data.len() == size_of::<Position>(),
            "a position of another length"
        );
        let mut put = |offset: usize, value: u64| {
            data[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(offset_of!(Position, id), id);
        let idle_quote = position.position.idle_quote + id * IDLE_QUOTE_STEP;
        put(offset_of!(Position, idle_quote), idle_quote);
        let creator = position.position.creator;
        let address = pda::position(&world.market.address, &creator, id);
        world.net.set_account(&address, account).await?;
    }
    Ok(())
}

/// Paths are relative to the file.
fn configuration(
    worlds: [&World; 2],
    endpoints: &ballast_localnet::Endpoints,
    listen: &str,
    hedge: &str,
) -> String {
    let markets = worlds.map(|world| {
        let market = &world.market;
        format!(
            "[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\nquote_price = \"{}\"\n\n",
            market.address, market.prices.base, market.prices.quote,
        )
    });
    let [first, _] = worlds.map(|world| &world.market);
    format!(
        "rpc_url = \"{}\"\nws_url = \"{}\"\nmode = \"active\"\nkeypair = \"keeper.json\"\njournal_dir = \"journal\"\n\
         pool_programs = [\"{}\"]\n\n\
         {}[automation]\nrefresh_stages = false\n\n\
         [prices]\nshow_within_bps = 0\n\n\
         [api]\nlisten = \"{listen}\"\nexplorer = \"https://explorer.example/tx/{{signature}}\"\n{}",
        endpoints.rpc_url,
        endpoints.ws_url,
        first.market.whirlpool_program,
        markets.concat(),
        hedge,
    )
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
