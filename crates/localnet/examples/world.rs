//! A market with a position in it on a `solana-test-validator`, for tests that are not written in Rust.
//!
//! Prints one line of JSON with addresses and keys, then takes a line per order on standard input: a price in dollars, which
//! it posts, and answers each with a line of JSON. The end of input ends it and its validator, so that both are gone when
//! the test is, in whatever way it ended. Errors go to standard error.

use std::{io::Write, sync::Arc};

use anyhow::{Context, Result};
use ballast_client::{Amounts, Keypair, MarketSnapshot, PositionContext, Signer};
use ballast_localnet::{Localnet, TestValidator, Trader, UsdPrice, World, WorldConfig};
use serde_json::{Value, json};

/// Of each token: for a second lender and a second position.
const VISITOR_FUNDS: Amounts = Amounts {
    base: 5_000_000_000,
    quote: 1_000_000_000,
};

#[tokio::main]
async fn main() -> Result<()> {
    let net: Arc<dyn Localnet> = Arc::new(TestValidator::with_short_slots().await?);
    let world = World::new(Arc::clone(&net), WorldConfig::standard()?).await?;
    let args = world.worked_example(1)?;
    let own = Amounts::new(args.own_base, args.own_quote);
    let owner = world.trader("owner", own).await?;
    let visitor = world.trader("visitor", VISITOR_FUNDS).await?;
    let position = world.open(&owner, args).await?;
    say(&describe(&world, &position, [&owner, &visitor]).await?)?;

    // Blocks this thread, which has nothing else to do.
    for order in std::io::stdin().lines() {
        let order = order?;
        let dollars: f64 = order
            .parse()
            .with_context(|| format!("{order:?} is no price in dollars"))?;
        world.post_price(UsdPrice::from_f64(dollars)?).await?;
        say(&json!({ "posted": dollars }))?;
    }
    Ok(())
}

/// Where things are, whose they are, and what they are worth as this side sees it. Large integers are strings.
async fn describe(
    world: &World,
    position: &PositionContext,
    [owner, visitor]: [&Trader; 2],
) -> Result<Value> {
    let endpoints = world.net.endpoints().context("no endpoints")?;
    let snapshot: MarketSnapshot = world.snapshot().await?;
    let stored = &position.position;
    let model = snapshot.position(stored, snapshot.now_secs)?;
    let oracle = snapshot.oracle_sqrt_price()?;
    let value = model.value(oracle)?;
    let key = |keypair: &Keypair| json!(keypair.to_bytes().to_vec());
    Ok(json!({
        "rpcUrl": endpoints.rpc_url,
        "wsUrl": endpoints.ws_url,
        "market": world.market.address.to_string(),
        "basePrice": world.market.prices.base.to_string(),
        "quotePrice": world.market.prices.quote.to_string(),
        "lookupTable": world.report.lookup_table.key.to_string(),
        "authority": world.authority.pubkey().to_string(),
        "owner": key(&owner.keypair),
        "visitor": key(&visitor.keypair),
        "visitorFunds": {
            "base": VISITOR_FUNDS.base.to_string(),
            "quote": VISITOR_FUNDS.quote.to_string(),
        },
        "lent": {
            "base": world.config.lent.base.to_string(),
            "quote": world.config.lent.quote.to_string(),
        },
        "position": {
            "address": position.address.to_string(),
            "id": stored.id.to_string(),
            "tickLower": stored.tick_lower,
            "tickUpper": stored.tick_upper,
            "liquidity": stored.liquidity.get().to_string(),
            "baseDebtShares": stored.base_debt_shares.get().to_string(),
            "quoteDebtShares": stored.quote_debt_shares.get().to_string(),
            "assets": value.assets.to_string(),
            "debt": value.debt.to_string(),
        },
        "oracleSqrtPriceX64": oracle.x64().to_string(),
    }))
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
