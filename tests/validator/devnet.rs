//! Devnet's story, as docs/DEVNET.md tells it, on a validator that has programs, pool and price accounts at devnet's addresses. Everything
//! is done by command line: the program is deployed and the market set up with devnet's migrations, somebody lends, somebody opens, a keeper
//! acts, and in the end all is closed and taken back.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use ballast_client::{Amounts, BallastError, PositionContext, Pubkey, Side, SqrtPrice, ballast};
use ballast_keeper::journal::{IntentId, Outcome, Record};
use ballast_localnet::{Devnet, Localnet, UsdPrice, World, deploy_directory};
use ballast_migrations::{MarketAddresses, Migrations};
use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use crate::{
    keeper::{JournalFile, KeeperProcess},
    node::{Node, number},
};

/// The cluster is none that the command line knows by its URL, so that the files are named.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/devnet");
/// Devnet's market lets a minute pass between two actions.
const PATIENCE: Duration = Duration::from_secs(240);
/// As often somebody posts prices on devnet.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn devnets_market_is_set_up_lent_to_opened_in_kept_and_left() {
    crate::play(run()).await;
}

async fn run() -> Result<()> {
    let devnet = Devnet::prepare().await.context("preparing accounts")?;
    let net: Arc<dyn Localnet> = Arc::new(devnet.validator().await?);
    let node = Node::on(Arc::clone(&net));
    devnet
        .post_price(net.as_ref(), UsdPrice::dollars(200))
        .await?;
    let world = set_up(&devnet, &node, net).await?;
    let named = world.config.desired.market;
    let named = named.context("devnet's migrations name no addresses")?;
    assert_eq!(held(&world), named);

    let lou = world
        .trader("lou", Amounts::new(0, 60_000_000_000))
        .await?
        .keypair;
    let alice = world
        .trader("alice", Amounts::new(0, 1_000_000_000))
        .await?
        .keypair;
    // SOL is wrapped on the way.
    for [token, amount] in [["base", "60"], ["quote", "50000"]] {
        let lent = node.json(&lou, &["lend", "deposit", token, amount]).await;
        assert_eq!(number(&lent["amount"]), amount.parse::<f64>()?, "{lent}");
    }
    world.post_price(UsdPrice::dollars(200)).await?;
    let healthy = node.json(&alice, &["doctor"]).await;
    for check in healthy["checks"].as_array().context("no checks")? {
        assert_eq!(check["state"], "ok", "{check}");
    }

    let range = ["--leverage", "3", "--lower", "190", "--upper", "210"];
    let quote = [&["quote", "--market", "--equity", "100"][..], &range].concat();
    node.json(&alice, &quote).await;
    let open = [&["open", "--own-quote", "100"][..], &range].concat();
    // Nobody keeps devnet's pool near the price: opening waits until somebody trades it there.
    let diverged = BallastError::PoolDiverged;
    world.move_pool(pool_at(&world, 206)?).await?;
    node.refused_by_program(&alice, &open, diverged).await;
    world.move_pool(pool_at(&world, 200)?).await?;
    world.post_price(UsdPrice::dollars(200)).await?;
    let opened = node.json(&alice, &open).await;
    let view = &opened["position"];
    assert_eq!(view["ltv_bps"], 6_667, "{view}");
    let address = view["position"].as_str().context("no address")?;
    let quiet = node.json(&alice, &["explain", address]).await;
    assert_eq!(quiet["decision"]["verdict"], "nothing", "{quiet}");

    let mut keeper = KeeperProcess::prepare_with(&world, "keeper", "").await?;
    keeper.start()?;
    world.move_price(UsdPrice::dollars(196)).await?;
    let acted = until_rehedged(&keeper.journal(), &world, UsdPrice::dollars(196)).await;
    acted.with_context(|| format!("the keeper: {}", keeper.said()))?;
    keeper.kill()?;
    let chain = world.net.chain();
    let kept = PositionContext::load(chain.as_ref(), address.parse()?).await?;
    assert_eq!(kept.position.rehedges, 1);
    let quiet = node.json(&alice, &["explain", address]).await;
    assert_eq!(quiet["decision"]["verdict"], "nothing", "{quiet}");

    world.post_price(UsdPrice::dollars(196)).await?;
    let close = ["close", address, "--max-pay-base", "1", "--max-pay-quote"];
    let close = [&close[..], &["100", "--unwrap"]].concat();
    let closed = node.json(&alice, &close).await;
    assert!(number(&closed["paid_quote"]) > 90.0, "{closed}");
    let snapshot = world.snapshot().await?;
    for (side, [token, amount]) in [
        (Side::Base, ["base", "60"]),
        (Side::Quote, ["quote", "50000"]),
    ] {
        let reserve = snapshot.reserve_at(side, snapshot.now_secs)?;
        assert_eq!(reserve.debt_shares, 0, "{token}");
        let back = node.json(&lou, &["lend", "withdraw", token, "all"]).await;
        // Interest, of which rounding takes a unit or two.
        assert!(
            number(&back["amount"]) > amount.parse::<f64>()? - 1e-5,
            "{back}"
        );
    }
    Ok(())
}

/// Deploys and migrates; running either again changes nothing.
async fn set_up(devnet: &Devnet, node: &Node, net: Arc<dyn Localnet>) -> Result<World> {
    let deployer = net.payer().insecure_clone();
    let program = deploy_directory().join("ballast.so");
    let (program, address) = (program.to_string_lossy(), ballast::ID.to_string());
    let deploy = ["deploy", "--program", &program, "--program-keypair"];
    let deploy = [&deploy[..], &[&address, "--migrations", MIGRATIONS]].concat();
    let first = node.json(&deployer, &deploy).await;
    assert_eq!(
        (&first["outcome"], &first["verified"]),
        (&"upgraded".into(), &true.into()),
        "{first}"
    );
    let changes = |migration: &serde_json::Value| migration["changes"].as_array().map(Vec::len);
    assert_eq!(changes(&first["migration"]), Some(4), "{first}");
    let again = node.json(&deployer, &deploy).await;
    assert_eq!(again["outcome"], "unchanged", "{again}");
    assert_eq!(changes(&again["migration"]), Some(0), "{again}");
    let built_in = node
        .json(&deployer, &["migrate", "--cluster", "devnet"])
        .await;
    assert_eq!(changes(&built_in), Some(0), "{built_in}");

    let world = World::around(net, devnet.config.clone(), &devnet.pool, deployer).await?;
    assert!(world.report.changes.is_empty(), "{}", world.report);
    let market = world.market.address.to_string();
    assert_eq!(first["migration"]["market"], market.as_str());
    assert_eq!(built_in["market"], market.as_str());
    Ok(world)
}

/// Constants cannot show that by themselves.
#[test]
fn the_accounts_that_migrations_name_are_those_of_pyths_push_oracle() -> Result<()> {
    let named = Migrations::built_in("devnet")?.desired()?.market;
    let named = named.context("devnet's migrations name no addresses")?;
    for (feed, account) in [
        (named.base_feed, named.base_price),
        (named.quote_feed, named.quote_price),
    ] {
        assert_eq!(sponsored(&feed), account);
    }
    Ok(())
}

/// The addresses that the market on the chain holds.
fn held(world: &World) -> MarketAddresses {
    let market = &world.market.market;
    MarketAddresses {
        whirlpool_program: market.whirlpool_program,
        whirlpool: market.whirlpool,
        price_receiver: market.price_receiver,
        base_feed: market.base_feed,
        quote_feed: market.quote_feed,
        base_price: market.base_price_account,
        quote_price: market.quote_price_account,
        guardian: market.guardian,
        // The files leave these two open.
        creator: None,
        lookup_table: None,
    }
}

/// The account of a feed that Pyth's push oracle keeps up to date.
fn sponsored(feed: &[u8; 32]) -> Pubkey {
    const PUSH_ORACLE: Pubkey =
        Pubkey::from_str_const("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT");
    /// The one that Pyth itself pays for.
    const SHARD: u16 = 0;
    Pubkey::find_program_address(&[&SHARD.to_le_bytes(), feed], &PUSH_ORACLE).0
}

fn pool_at(world: &World, dollars: i64) -> Result<SqrtPrice> {
    world.sqrt_price_at(UsdPrice::dollars(dollars))
}

/// Waits until the keeper's first rehedge has landed; keeps the price fresh meanwhile. What it shows to the market does not count.
async fn until_rehedged(journal: &JournalFile, world: &World, price: UsdPrice) -> Result<()> {
    let began = Instant::now();
    let mut posted = Instant::now();
    loop {
        let records = journal.records()?;
        let rehedges: Vec<IntentId> = records
            .iter()
            .filter_map(|record| match record {
                Record::Intent(intent) if intent.action == ActionKind::Rehedge => Some(intent.id),
                _ => None,
            })
            .collect();
        let landed = records.iter().any(|record| {
            matches!(record, Record::Outcome(outcome)
                if rehedges.contains(&outcome.id) && matches!(outcome.outcome, Outcome::Landed { .. }))
        });
        if landed {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "nothing done in {PATIENCE:?}");
        if posted.elapsed() >= HEARTBEAT {
            world.post_price(price).await?;
            posted = Instant::now();
        }
        sleep(world.net.poll()).await;
    }
}
