//! Positions of one owner in several markets.

use std::sync::Arc;

use ballast_abi::spl;
use ballast_client::{Amounts, Instruction, MarketContext, Pubkey, Side, Signer};
use ballast_localnet::{LocalnetExt, PricePost, UsdPrice, World, WorldConfig};
use solana_sdk::instruction::AccountMeta;

use crate::node::{Node, trader};

/// Price updates in each market, and the time between two.
const UPDATES: i64 = 30;
const STEP_SECS: i64 = 300;

/// A second market on the same node, of another base token.
async fn other_world(node: &Node) -> World {
    let mut config = WorldConfig::standard().unwrap();
    config.name = "other".into();
    config.feeds[0] = [9; 32];
    World::new(Arc::clone(&node.net), config).await.unwrap()
}

/// A transaction's part that names a price's account and carries its message, as real receivers' do and the stand-in's do not: a transfer
/// of nothing, with the message behind what the system program reads.
fn carrying(payer: &Pubkey, account: &Pubkey, price: &PricePost) -> Instruction {
    let transfer = [&2u32.to_le_bytes()[..], &0u64.to_le_bytes()].concat();
    Instruction {
        program_id: spl::SYSTEM_PROGRAM,
        accounts: vec![
            AccountMeta::new(*payer, true),
            AccountMeta::new(*payer, false),
            AccountMeta::new_readonly(*account, false),
        ],
        data: [&transfer[..], &price.message().encode()].concat(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_come_in_order_of_danger_across_markets() {
    let node = Node::start().await;
    let (calm, wild) = (node.world().await, other_world(&node).await);
    let alice = trader(&calm, "alice").await;
    let funds = Amounts::new(5_000_000_000, 1_000_000_000);
    wild.mint_to(&alice.key(), funds).await.unwrap();
    let alice = &alice.keypair;
    // Nearer to liquidation in the calm market.
    let open = async |market: &MarketContext, leverage: &str| {
        let line = [
            "open",
            "--own-quote",
            "100",
            "--lower",
            "190",
            "--upper",
            "210",
        ];
        let market = market.address.to_string();
        let more = ["--leverage", leverage, "--market", market.as_str()];
        let opened = node.json(alice, &[&line[..], &more].concat()).await;
        opened["position"]["position"].as_str().unwrap().to_owned()
    };
    let in_calm = open(&calm.market, "3.5").await;
    let in_wild = open(&wild.market, "2.5").await;
    let order = async |more: &[&str]| {
        let listed = node.json(alice, &[&["positions"], more].concat()).await;
        let rows = listed["positions"].as_array().unwrap();
        let names = rows
            .iter()
            .map(|row| row["position"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), listed.clone())
    };

    // How much they move is not known: the distance decides, and that is said.
    let (names, listed) = order(&[]).await;
    assert_eq!(names, [in_calm.clone(), in_wild.clone()]);
    for moves in listed["markets"].as_array().unwrap() {
        let source = moves["sigma_source"].as_str().unwrap();
        assert!(
            moves["sigma_day"] == 0.04 && source.starts_with("assumed"),
            "{moves}"
        );
    }
    let row = &listed["positions"][0];
    let days = row["distance_bps"].as_f64().unwrap().abs() / 400.0;
    assert!(
        (row["sigma_days"].as_f64().unwrap() - days).abs() < 0.01,
        "{row}"
    );
    let told = node.ballast(alice, &["positions"]).await.err;
    assert!(
        told.contains("--sigma-day") && told.contains("4.00%"),
        "{told}"
    );
    // The same in all markets: the distance decides.
    let (names, listed) = order(&["--sigma-day", "5%"]).await;
    assert_eq!(names, [in_calm.clone(), in_wild.clone()]);
    for row in listed["positions"].as_array().unwrap() {
        let days = row["distance_bps"].as_f64().unwrap().abs() / 1e4 / 0.05;
        assert!(
            (row["sigma_days"].as_f64().unwrap() - days).abs() < 0.01,
            "{row}"
        );
    }

    let payer = node.net.payer().pubkey();
    for update in 0..UPDATES {
        // Whether every update is looked at or every second or third: they move.
        let way = if update % 4 < 2 { 1.0 } else { -1.0 };
        for (world, by) in [(&calm, 0.05), (&wild, 4.0)] {
            let price = UsdPrice::from_f64(200.0 + way * by).unwrap();
            let told = PricePost {
                feed: world.feeds()[0],
                ..PricePost::good(Side::Base, price, update * STEP_SECS)
            };
            let carried = carrying(&payer, &world.market.prices.base, &told);
            node.net.execute(vec![carried], &[]).await.unwrap();
        }
    }
    let (names, listed) = order(&[]).await;
    assert_eq!(names, [in_wild, in_calm], "{listed}");
    let days = |row: usize| listed["positions"][row]["sigma_days"].as_f64().unwrap();
    let far = |row: usize| {
        listed["positions"][row]["distance_bps"]
            .as_f64()
            .unwrap()
            .abs()
    };
    assert!(days(0) < days(1) && far(0) > far(1), "{listed}");
    for moves in listed["markets"].as_array().unwrap() {
        let source = moves["sigma_source"].as_str().unwrap();
        assert!(source.contains("posted prices"), "{moves}");
    }
    let table = node.ballast(alice, &["--wide", "positions"]).await.out;
    assert!(table.contains("σ-days"), "{table}");
}
