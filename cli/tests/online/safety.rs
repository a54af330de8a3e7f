//! The safety net by hand: who goes first, deleveraging with a swap, losses that are shown, markets without a price.

use ballast_client::{BallastError, Market, Pubkey, Side, Signer, decode_at};
use ballast_localnet::{PricePost, UsdPrice, World};
use serde_json::Value;

use crate::node::{Node, number, opened, trader};

const DAY_SECS: u64 = 86_400;
/// Another feed of base/USD.
const OTHER_FEED: [u8; 32] = [9; 32];

/// Writes over a part of an account of the program, as no instruction of this version does.
async fn forge(world: &World, address: &Pubkey, offset: usize, bytes: &[u8]) {
    let mut account = world.net.chain().account(address).await.unwrap().unwrap();
    // Behind the discriminator.
    account.data[8 + offset..][..bytes.len()].copy_from_slice(bytes);
    world.net.set_account(address, account).await.unwrap();
}

fn ltv(report: &Value, name: &str) -> u64 {
    let bps = report[name].as_u64();
    bps.unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_keepers_go_first() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await.keypair;
    let (friend, stranger) = (
        trader(&world, "friend").await.keypair,
        trader(&world, "stranger").await.keypair,
    );
    let address = opened(&node, &alice).await;
    let position = address.as_str();
    let friend_key = friend.pubkey().to_string();
    let name = ["first-keepers", "set", position, &friend_key];
    let set = [&name[..], &["--head-start", "30s"]].concat();
    let said = node.refused(&stranger, &set).await;
    assert!(said.contains("belongs to"), "{said}");
    for wrong in ["0s", "61s"] {
        let long = [&name[..], &["--head-start", wrong]].concat();
        let said = node.refused(&alice, &long).await;
        assert!(said.contains("write 1s to 60s"), "{said}");
    }
    let named = node.json(&alice, &set).await;
    assert_eq!(named["first_keepers"], serde_json::json!([friend_key]));
    assert_eq!(named["head_start_secs"], 30);
    let shown = ["first-keepers", "show", position];
    let shown = node.ballast(&stranger, &shown).await;
    assert!(
        shown.out.contains(&format!("{friend_key}, for 30s")),
        "{}",
        shown.out
    );

    world.move_price(UsdPrice::dollars(194)).await.unwrap();
    let noted = node.json(&stranger, &["rehedge", position]).await;
    let left = noted["left_to_first_keepers"].as_str().unwrap();
    assert!(left.contains("go first"), "{noted}");
    let again = ["rehedge", position];
    node.refused_by_program(&stranger, &again, BallastError::FirstKeepersTurn)
        .await;
    let done = node.json(&friend, &again).await;
    assert!(number(&done["traded_base"]) > 0.0, "{done}");
    let none = ["first-keepers", "set", position, "--none"];
    let none = node.json(&alice, &none).await;
    assert_eq!(none["first_keepers"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleveraging_swaps_where_that_is_what_it_takes() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (
        trader(&world, "alice").await.keypair,
        trader(&world, "bob").await.keypair,
    );
    let keeper = trader(&world, "keeper").await.keypair;
    let [one, two] = [opened(&node, &alice).await, opened(&node, &bob).await];
    let with_swap = ["deleverage", one.as_str(), "--swap"];
    node.refused_by_program(&keeper, &with_swap, BallastError::DeleverageNotDue)
        .await;
    // All quote, and mostly base is owed.
    world.move_price(UsdPrice::dollars(250)).await.unwrap();
    let part = node.json(&keeper, &["deleverage", &two, "--no-swap"]).await;
    assert!(part["swap"].is_null(), "{part}");
    assert!(ltv(&part, "ltv_bps") < ltv(&part, "ltv_before_bps"));
    let rehearsed = node.json(&keeper, &["deleverage", &one, "--dry-run"]).await;
    assert!(rehearsed["signature"].is_null(), "{rehearsed}");
    let done = node.json(&keeper, &["deleverage", &one]).await;
    assert_eq!(done["swap"], "bought base", "{done}");
    assert!(number(&done["repaid_base"]) > 0.0, "{done}");
    assert!(
        ltv(&done, "ltv_bps") < ltv(&part, "ltv_bps"),
        "{done} {part}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn liquidators_name_their_gain_and_losses_are_shown() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (
        trader(&world, "alice").await.keypair,
        trader(&world, "bob").await.keypair,
    );
    let address = opened(&node, &alice).await;
    let position = address.as_str();
    let show = ["show-loss", position];
    node.refused_by_program(&bob, &show, BallastError::NoLossToShow)
        .await;
    let settle = ["settle", position];
    node.refused_by_program(&bob, &settle, BallastError::NotSilentLongEnough)
        .await;

    world.move_price(UsdPrice::dollars(600)).await.unwrap();
    let shown = node.json(&bob, &show).await;
    assert!(number(&shown["loss_base"]) > 0.0, "{shown}");
    assert!(ltv(&shown, "ltv_bps") > 10_000, "{shown}");
    let market = node.json(&bob, &["market", "show"]).await;
    assert_eq!(market["reserves"][0]["shown_loss"], shown["loss_base"]);
    let greedy = ["liquidate", position, "--min-gain", "1000"];
    node.refused_by_program(&bob, &greedy, BallastError::GainTooSmall)
        .await;
    let liquidate = ["liquidate", position];
    node.json(&bob, &liquidate).await;
    let market = node.json(&bob, &["market", "show"]).await;
    assert_eq!(number(&market["reserves"][0]["shown_loss"]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_price_source_is_announced_and_taken_back() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await.keypair;
    let authority = &world.authority;
    let account = world.market.prices.quote.to_string();
    let announce = [
        "market",
        "announce-oracle",
        "--base-price-account",
        &account,
    ];
    node.refused_by_program(&alice, &announce, BallastError::NotAuthority)
        .await;
    let said = node
        .refused(authority, &["market", "announce-oracle"])
        .await;
    assert!(said.contains("come from already"), "{said}");
    let cancel = ["market", "cancel-oracle"];
    let said = node.refused(authority, &cancel).await;
    assert!(said.contains("nothing to take back"), "{said}");

    let announced = node.json(authority, &announce).await;
    let standing = &announced["standing"]["announced"];
    assert_eq!(standing[0]["what"], "price source", "{announced}");
    let changes = standing[0]["changes"].as_str().unwrap();
    assert!(
        changes.starts_with("base price account: ") && changes.ends_with(&account),
        "{changes}"
    );
    let said = node.refused(authority, &announce).await;
    assert!(said.contains("announced already"), "{said}");
    let apply = ["market", "apply"];
    let said = node.refused(&alice, &apply).await;
    assert!(said.contains("is not over"), "{said}");
    let cancelled = node.json(authority, &cancel).await;
    assert_eq!(
        cancelled["standing"]["announced"],
        serde_json::json!([]),
        "{cancelled}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_price_source_is_in_force_after_the_notice() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, authority) = (trader(&world, "alice").await.keypair, &world.authority);
    let feeds = [OTHER_FEED, world.feeds()[1]];
    let account = world.price_accounts(&feeds).base.to_string();
    let hex: String = OTHER_FEED
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let feed = ["--base-feed", &hex, "--base-price-account", &account];
    let announce = [&["market", "announce-oracle"][..], &feed].concat();
    node.json(authority, &announce).await;
    let apply = ["market", "apply"];
    let said = node.refused(&alice, &apply).await;
    assert!(said.contains("is not over"), "{said}");
    world.net.pass_time(2 * DAY_SECS).await.unwrap();

    let applied = node.json(&alice, &apply).await;
    assert_eq!(
        applied["standing"]["announced"],
        serde_json::json!([]),
        "{applied}"
    );
    let found = world.net.chain().account(&world.market.address).await;
    let market: Market = decode_at(&world.market.address, found.unwrap().as_ref()).unwrap();
    assert_eq!(market.base_feed, OTHER_FEED);
    // It speaks, and is heard; the old one is not.
    let now_secs = world.net.chain().clock().await.unwrap().now_secs;
    let spoken = PricePost {
        feed: OTHER_FEED,
        ..PricePost::good(Side::Base, UsdPrice::dollars(201), now_secs)
    };
    let quote = PricePost::good(Side::Quote, UsdPrice::ONE, now_secs);
    world.post(&[spoken, quote]).await.unwrap();
    let shown = node.json(&alice, &["market", "show"]).await;
    assert_eq!(shown["base_price_account"], account, "{shown}");
    let price = shown["price"].as_f64().unwrap();
    assert!((price - 201.0).abs() < 1e-6, "{shown}");
    node.json(&alice, &["market", "refresh-price"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_without_a_price_for_a_week_is_settled() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (
        trader(&world, "alice").await.keypair,
        trader(&world, "bob").await.keypair,
    );
    let address = opened(&node, &alice).await;
    let position = address.as_str();
    // All quote, and mostly base is owed.
    world.move_price(UsdPrice::dollars(230)).await.unwrap();
    node.json(&bob, &["market", "refresh-price"]).await;
    world.net.pass_time(7 * DAY_SECS - 3_600).await.unwrap();
    let settle = ["settle", position];
    node.refused_by_program(&bob, &settle, BallastError::NotSilentLongEnough)
        .await;
    world.net.pass_time(3_600).await.unwrap();

    let part = node.json(&bob, &settle).await;
    let outcome = part["outcome"].as_str().unwrap();
    assert!(outcome.contains("--max-pay-base"), "{part}");
    assert!(number(&part["repaid_quote"]) > 0.0, "{part}");
    assert_eq!(number(&part["brought_base"]), 0.0, "{part}");
    let rest = [&settle[..], &["--max-pay-base", "all"]].concat();
    // The owner goes first.
    node.refused_by_program(&bob, &rest, BallastError::SettlementFirstDay)
        .await;
    world.net.pass_time(DAY_SECS).await.unwrap();
    let greedy = [&rest[..], &["--min-received-quote", "1000000"]].concat();
    node.refused_by_program(&bob, &greedy, BallastError::GainTooSmall)
        .await;
    let rest = node.json(&bob, &rest).await;
    let outcome = rest["outcome"].as_str().unwrap();
    assert!(outcome.contains("its owner may close it"), "{rest}");
    // At the last price, with the bonus of 3 %.
    let (brought, received) = (
        number(&rest["brought_base"]),
        number(&rest["received_quote"]),
    );
    assert!(brought > 0.0, "{rest}");
    let paid = received / (brought * 230.0);
    assert!((paid - 1.03).abs() < 1e-4, "{rest}");
    node.refused_by_program(&bob, &settle, BallastError::NothingOwed)
        .await;
    node.json(&alice, &["close", position]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_brings_a_market_of_the_earlier_version_to_this_one() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (
        trader(&world, "alice").await.keypair,
        trader(&world, "bob").await.keypair,
    );
    let position = opened(&node, &alice).await;
    let market = world.market.address.to_string();
    let migrate = ["market", "migrate", "--market", &market];
    let nothing = node.json(&bob, &migrate).await;
    assert_eq!(nothing["migrated"], serde_json::json!([]), "{nothing}");
    // The version comes first.
    for address in [&market, &position] {
        forge(&world, &address.parse().unwrap(), 0, &[1]).await;
    }
    let show = ["market", "show", "--market", &market];
    let said = node.refused(&alice, &show).await;
    assert!(said.contains("`ballast market migrate`"), "{said}");
    let migrated = node.json(&bob, &migrate).await;
    let expected = serde_json::json!([format!("market {market}"), format!("position {position}"),]);
    assert_eq!(migrated["migrated"], expected, "{migrated}");
    node.json(&alice, &show).await;
    // Interest may have made a unit more of the debts than the pool pays.
    let close = ["close", &position, "--max-pay-base", "0.01"];
    let close = [&close[..], &["--max-pay-quote", "1"]].concat();
    node.json(&alice, &close).await;
}
