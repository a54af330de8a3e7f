//! What a plan promises is what lands, wherever the pool stands.

use ballast_client::BallastError;
use ballast_localnet::{Trader, UsdPrice, World};
use serde_json::Value;

use crate::node::{Node, number, trader};

/// The price of the oracle, dollars.
const ORACLE: f64 = 200.0;

/// Moves the pool alone, so many basis points from the oracle.
async fn pool_off(world: &World, bps: i32) {
    let price = UsdPrice::from_f64(ORACLE * (1.0 + f64::from(bps) / 1e4)).unwrap();
    let target = world.sqrt_price_at(price).unwrap();
    world.move_pool(target).await.unwrap();
}

/// The line of a plan that begins with a name.
fn line<'a>(plan: &'a str, name: &str) -> &'a str {
    let found = plan
        .lines()
        .find(|line| line.trim_start().starts_with(name));
    found.unwrap_or_else(|| panic!("no {name}: {plan}"))
}

/// Opens in a range, as the plan and the rehearsal before have it.
async fn opened_as_planned(
    node: &Node,
    by: &Trader,
    own: &[&str],
    range: [&str; 2],
    leverage: &str,
) -> Value {
    let words = [
        &["open"],
        own,
        &[
            "--lower",
            range[0],
            "--upper",
            range[1],
            "--leverage",
            leverage,
        ],
    ]
    .concat();
    let told = words.join(" ");
    let rehearsed = node
        .json(&by.keypair, &[&words[..], &["--dry-run"]].concat())
        .await;
    let opened = node.json(&by.keypair, &words).await;
    let (plan, view) = (&opened["planned"], &opened["position"]);
    for (planned, landed, least) in [
        ("borrow_base", "debt_base", 1e-6),
        ("borrow_quote", "debt_quote", 1e-4),
    ] {
        let before = number(&rehearsed["planned"][planned]);
        assert!((before - number(&plan[planned])).abs() <= least, "{told}");
        let (planned, landed) = (number(&plan[planned]), number(&view[landed]));
        // Interest, and rounding.
        assert!((planned - landed).abs() <= least, "{told}: {opened}");
    }
    let liquidity = |value: &Value| value["liquidity"].as_str().unwrap().parse::<f64>().unwrap();
    let far = liquidity(plan) / liquidity(view) - 1.0;
    assert!(far.abs() < 1e-6, "{told}: {opened}");
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_opened_is_what_was_planned_wherever_the_pool_stands() {
    let node = Node::start().await;
    let world = node.world().await;
    let traders = [trader(&world, "alice").await, trader(&world, "bob").await];
    let quote = ["--own-quote", "100"];
    let mut swaps = [0; 3];
    for (bps, by) in [(4, &traders[0]), (-15, &traders[1])] {
        pool_off(&world, bps).await;
        // Around the price, narrow; and most of it above or below.
        for (own, range, leverage) in [
            (&quote[..], ["180", "220"], "2.5"),
            (&quote[..], ["190", "206"], "3"),
            (&quote[..], ["170", "204"], "2.5"),
            (&["--own-base", "0.3"][..], ["185", "215"], "2.5"),
        ] {
            let opened = opened_as_planned(&node, by, own, range, leverage).await;
            let swap = number(&opened["planned"]["swap_base"]);
            swaps[if swap > 0.0 {
                0
            } else if swap < 0.0 {
                1
            } else {
                2
            }] += 1;
        }
    }
    // Small differences from the hedge are left alone, and what is brought is sold.
    assert!(swaps[0] >= 2 && swaps[2] >= 4, "{swaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_increased_is_what_was_planned_wherever_the_pool_stands() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    let quote = ["--own-quote", "100"];
    let opened = opened_as_planned(&node, &alice, &quote, ["190", "212"], "2.5").await;
    let position = opened["position"]["position"].as_str().unwrap();
    for (bps, more) in [
        (4, &["--own-quote", "20"][..]),
        (-12, &["--own-quote", "5", "--own-base", "0.05"]),
        (9, &["--leverage", "3x"]),
        (-4, &["--own-quote", "30", "--leverage", "3x"]),
    ] {
        pool_off(&world, bps).await;
        let words = [&["increase", position], more].concat();
        // Shown and not agreed to.
        let plan = node.unagreed(&alice.keypair, &words).await.err;
        let debt = line(&plan, "debt");
        let (_, promised) = debt.split_once(" → ").unwrap();
        let promised: Vec<f64> = promised
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        node.json(&alice.keypair, &[&words[..], &["--dry-run"]].concat())
            .await;
        let done = node.json(&alice.keypair, &words).await;
        let view = &done["position"];
        let landed = [number(&view["debt_base"]), number(&view["debt_quote"])];
        assert!(
            (promised[0] - landed[0]).abs() < 1e-6 && (promised[1] - landed[1]).abs() < 1e-4,
            "{more:?}: {promised:?}, {landed:?}: {plan}"
        );
    }
    // It only raises leverage.
    let said = node
        .refused(&alice.keypair, &["increase", position, "--leverage", "2x"])
        .await;
    for part in [
        "nothing to increase",
        "only raises leverage",
        "`ballast decrease",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// A refusal shows the plan, and how much slippage would do.
#[tokio::test(flavor = "multi_thread")]
async fn too_little_slippage_is_named_with_what_would_do() {
    let node = Node::start().await;
    let config = ballast_localnet::WorldConfig {
        // So thin that what is sold moves the pool from range to range.
        background_value: 400_000_000_000,
        ..ballast_localnet::WorldConfig::standard().unwrap()
    };
    let world = World::new(node.net.clone(), config).await.unwrap();
    let alice = trader(&world, "alice").await;
    // Somebody else's range, of which a plan by the liquidity that is active does not know the end.
    let bob = trader(&world, "bob").await;
    let range = ["--lower", "199.6", "--upper", "200.05", "--leverage", "3"];
    let range = [&["open", "--own-quote", "50"], &range[..]].concat();
    node.json(&bob.keypair, &range).await;
    // Alice has her accounts and the pool its tick arrays.
    let first = [
        "open",
        "--own-quote",
        "20",
        "--lower",
        "180",
        "--upper",
        "220",
    ];
    node.json(
        &alice.keypair,
        &[&first[..], &["--leverage", "2.5"]].concat(),
    )
    .await;
    let words = [
        "open",
        "--own-base",
        "4",
        "--lower",
        "180",
        "--upper",
        "220",
        "--leverage",
        "2.5",
        "--dry-run",
    ];
    let narrow = [&words[..], &["--slippage", "0"]].concat();
    let run = node.ballast(&alice.keypair, &narrow).await;
    let said = run.err;
    assert_eq!(run.code, 4, "{said}");
    for part in [
        "opening the position",
        "borrow",
        BallastError::SlippageExceeded.name().as_str(),
        "help: pass --slippage 0.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (_, enough) = said.split_once("help: pass --slippage ").unwrap();
    let enough = enough.split(',').next().unwrap();
    let wide = [&words[..], &["--slippage", enough]].concat();
    node.json(&alice.keypair, &wide).await;
}
