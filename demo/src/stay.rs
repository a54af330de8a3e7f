//! After the story: node, moving price, lenders, some positions and the keeper go on until somebody ends it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use ballast_client::{Amounts, default_policy};
use ballast_localnet::{UsdPrice, keys};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    side::{OWN_FUNDS, Side, automation},
    watcher::Watcher,
};

/// Time between two prices.
const PACE: Duration = Duration::from_secs(2);
/// Largest move between two prices, as a part of the price.
const STEP: f64 = 0.003;
/// What takers trade between two prices, raw quote units.
const VOLUME: f64 = 500e9;
/// Further positions: half the band's width as a part of the price, and leverage.
const POSITIONS: [(f64, u32); 3] = [(0.03, 25_000), (0.1, 30_000), (0.2, 22_000)];
/// The story's position has id 1.
const FIRST_ID: u64 = 2;

/// Goes on from where the story ended, until Ctrl-C.
///
/// # Errors
/// If the cluster or the keeper fails.
pub async fn stay(kept: Side, watcher: &Watcher, mut price: UsdPrice) -> Result<()> {
    let world = &kept.world;
    let owner = world
        .trader("visitor", Amounts::new(5_000_000_000, 2_000_000_000))
        .await?;
    let middle = price.to_f64();
    for (id, (half, leverage_bps)) in (FIRST_ID..).zip(POSITIONS) {
        world.post_price(price).await?;
        let band = [
            UsdPrice::from_f64(middle * (1.0 - half))?,
            UsdPrice::from_f64(middle * (1.0 + half))?,
        ];
        let mut args = world.open_args(id, band, OWN_FUNDS, leverage_bps)?;
        args.policy = default_policy(
            &world.market.market.limits,
            world.pool().await?.fee_rate_ppm,
        );
        let width = args.tick_upper.abs_diff(args.tick_lower);
        let position = world.open(&owner, args).await?;
        let set = ballast_client::instruction::set_automation(
            &world.market.address,
            &owner.key(),
            &position.address,
            ballast_client::Automation {
                leverage_bps,
                ..automation(width)
            },
        );
        world.send(&owner.keypair, vec![set]).await?;
    }
    // What is printed says that it looks after all of them.
    watcher.knows(1 + POSITIONS.len()).await?;
    let key = key_file()?;
    keys::write(&owner.keypair, &key)?;
    print_commands(&kept, &key, &watcher.page().await?)?;

    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut clock = interval(PACE);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            end = &mut ended => {
                end.context("waiting for Ctrl-C")?;
                println!("\nended");
                return Ok(());
            }
            _ = clock.tick() => {}
        }
        price = UsdPrice::from_f64(price.to_f64() * (1.0 + random.random_range(-STEP..STEP)))?;
        kept.world.arbitrage(price).await?;
        kept.world.round_trips(VOLUME).await?;
        kept.world.post_price(price).await?;
        watcher.idle()?;
        for action in watcher.take().actions {
            println!(
                "{:.2}  {}: {}",
                price.to_f64(),
                action.action,
                action.reason
            );
        }
    }
}

/// Where the key of the positions' owner is left: it is worth nothing anywhere else.
fn key_file() -> Result<PathBuf> {
    let directory = crate::report::directory();
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    Ok(directory.join("owner.json"))
}

fn print_commands(kept: &Side, key: &std::path::Path, page: &str) -> Result<()> {
    let world = &kept.world;
    let endpoints = world.net.endpoints().context("the cluster has no RPC")?;
    let ballast = std::env::current_exe()
        .ok()
        .map(|demo| demo.with_file_name("ballast"))
        .filter(|file| file.exists())
        .map_or_else(|| "ballast".into(), |file| file.display().to_string());
    println!(
        "\nNode, price, lenders, four positions and the keeper go on; Ctrl-C ends them. Open the keeper's page:\n\n{page}\n\n\
         In another terminal:\n\n\
         export BALLAST_URL={} BALLAST_WS_URL={} BALLAST_MARKET={} BALLAST_KEYPAIR={}\n\
         alias ballast={ballast}\n\n\
         ballast positions                      # what this key owns: three of them\n\
         ballast explain {}   # why nothing is done, or what comes next and at which price\n\
         ballast market show                    # limits, stage, pool, prices\n\
         ballast lend show                      # what this key has lent: nothing yet; see ballast lend deposit --help\n\
         ballast doctor                         # what is wrong, and what to do; the clock is ahead by the days of the story\n",
        endpoints.rpc_url,
        endpoints.ws_url,
        world.market.address,
        key.display(),
        kept.address(),
    );
    Ok(())
}
