//! What lies between opening and closing, by command line; and what is refused, by name.

use ballast_client::{BallastError, Keypair, Signer};
use ballast_localnet::{LocalnetExt, UsdPrice, World, keys};
use serde_json::Value;

use crate::node::{Node, OPEN, number, opened, trader};

/// Somebody trades to and fro, so that positions earn.
async fn trade(world: &World) {
    for dollars in [203, 197, 200] {
        world.move_price(UsdPrice::dollars(dollars)).await.unwrap();
    }
}

fn leverage(view: &Value) -> u64 {
    view["leverage_bps"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_grows_moves_earns_changes_hands_and_ends() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (trader(&world, "alice").await, trader(&world, "bob").await);
    let keeper = trader(&world, "keeper").await.keypair;
    let (bob_key, alice, bob) = (bob.key().to_string(), &alice.keypair, &bob.keypair);
    let address = opened(&node, alice).await;
    let position = address.as_str();

    // Funds in, debts down, funds out.
    let increase = [
        "increase",
        position,
        "--own-quote",
        "50",
        "--own-base",
        "0.1",
        "--leverage",
        "2.5",
    ];
    let rehearsed = [&increase[..], &["--dry-run"]].concat();
    let rehearsed = node.json(alice, &rehearsed).await;
    assert!(rehearsed["signature"].is_null(), "{rehearsed}");
    let increased = node.json(alice, &increase).await;
    let view = &increased["position"];
    assert!((number(&view["equity"]) - 170.0).abs() < 0.5, "{view}");
    assert!((24_800..=25_200).contains(&leverage(view)), "{view}");
    assert_eq!(increased["own_quote"], "50.000000");
    let repaid = node
        .json(alice, &["repay", position, "--quote", "all"])
        .await;
    assert!(number(&repaid["repaid_quote"]) > 0.0, "{repaid}");
    assert_eq!(number(&repaid["position"]["debt_quote"]), 0.0);
    let most = [
        "decrease",
        position,
        "--part",
        "10%",
        "--pay-base",
        "5000 SOL",
    ];
    let planned = node.unagreed(alice, &most).await.err;
    for part in [
        "of 5000.000000000 SOL is paid out: debts come first",
        "--repay-base",
    ] {
        assert!(planned.contains(part), "{part}: {planned}");
    }
    let line = ["decrease", position, "--part", "10%"];
    let decreased = node.json(alice, &line).await;
    let liquidity = |view: &Value| view["liquidity"].as_str().unwrap().parse::<u128>().unwrap();
    let [before, after] = [&repaid, &decreased].map(|report| liquidity(&report["position"]));
    assert_eq!(after, before - before / 10);

    // What keepers may do.
    let set = [
        "automation",
        "set",
        position,
        "--leverage",
        "3",
        "--min-width",
        "4%",
        "--max-width",
        "4000",
        "--edge",
        "5%",
        "--low",
        "150",
        "--at-low",
        "exit-quote",
        "--compound-min",
        "0.001",
        "--max-exit-loss",
        "1%",
        "--reward",
        "0.0005",
    ];
    let set = node.json(alice, &set).await;
    assert_eq!(set["automation"]["at_low"], "exit-quote");
    assert_eq!(set["automation"]["min_width_ticks"], 392);
    let shown = node.json(alice, &["automation", "show", position]).await;
    assert_eq!(shown["automation"], set["automation"]);
    let text = node.ballast(bob, &["automation", "show", position]).await;
    assert!(text.out.contains("exit-quote"), "{}", text.out);
    let funded = node.json(bob, &["reward", "fund", position, "0.002"]).await;
    assert_eq!(funded["available_sol"], "0.002000000");
    assert_eq!(funded["action"], "funding rewards");
    let too_much = ["reward", "fund", position, "1000000 SOL"];
    let said = node.refused(bob, &too_much).await;
    assert!(
        said.contains("holds ") && said.contains("1000000.000000000 SOL are to be put there"),
        "{said}"
    );

    // A keeper moves it, and is paid; then it earns.
    world.move_price(UsdPrice::dollars(185)).await.unwrap();
    let recentered = node
        .json(&keeper, &["recenter", position, "--width", "10%"])
        .await;
    let view = &recentered["position"];
    assert_eq!(view["in_range"], true, "{recentered}");
    assert!((29_700..=30_300).contains(&leverage(view)), "{view}");
    assert!(number(&recentered["fees_base"]) > 0.0, "{recentered}");
    for name in ["lower", "upper", "tick_lower", "tick_upper"] {
        assert_eq!(recentered[name], view[name], "{name}: {recentered}");
    }
    let ticks = [&recentered["tick_lower_before"], &recentered["tick_lower"]];
    assert!(ticks[1].as_i64() < ticks[0].as_i64(), "{recentered}");
    assert!(recentered["ltv_before_bps"].is_u64() && recentered["ltv_bps"].is_u64());
    let left = node.json(alice, &["automation", "show", position]).await;
    assert_eq!(left["available_sol"], "0.001500000");
    let moved = [
        "recenter",
        position,
        "--lower",
        "170",
        "--upper",
        "205",
        "--replacing",
    ];
    let moved = node.json(alice, &moved).await;
    let ends = ["lower", "upper"].map(|end| moved["position"][end].as_f64().unwrap());
    assert!(ends[0] <= 170.0 && ends[0] > 169.9 && ends[1] >= 205.0 && ends[1] < 205.1);
    trade(&world).await;
    world.move_price(UsdPrice::dollars(185)).await.unwrap();
    let compounded = node.json(&keeper, &["compound", position]).await;
    assert!(number(&compounded["fees_base"]) > 0.0, "{compounded}");
    trade(&world).await;
    world.move_price(UsdPrice::dollars(185)).await.unwrap();
    let collected = node.ballast(alice, &["collect", position]).await;
    assert!(
        collected.code == 0 && collected.out.contains(" SOL + 0."),
        "{}{}",
        collected.out,
        collected.err
    );

    // Bob takes it over and lets it be taken out of the pool.
    let offered = node.json(alice, &["transfer", position, &bob_key]).await;
    assert_eq!(offered["offered_to"], bob_key);
    let accepted = node.json(bob, &["accept", position]).await;
    assert_eq!(accepted["owner"], bob_key);
    let reclaimed = node
        .json(bob, &["reward", "reclaim", position, "all"])
        .await;
    assert_eq!(reclaimed["available_sol"], "0.000000000");
    node.json(bob, &["automation", "set", position, "--low", "190"])
        .await;
    let exited = node.json(&keeper, &["exit", position]).await;
    assert_eq!(exited["reason"], "low", "{exited}");
    assert_eq!(number(&exited["left_base"]), 0.0);
    let closed = node.json(bob, &["close", position]).await;
    assert!(number(&closed["paid_quote"]) > 100.0, "{closed}");
    let none = node.json(alice, &["positions", "--all"]).await;
    assert_eq!(none["positions"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_program_refuses_is_named_with_advice() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await.keypair;
    let keeper = trader(&world, "keeper").await.keypair;
    let address = opened(&node, &alice).await;
    let position = address.as_str();

    let recenter = ["recenter", position, "--width", "10%"];
    node.refused_by_program(&keeper, &recenter, BallastError::KeeperDisabled)
        .await;
    let compound = ["compound", position];
    node.refused_by_program(&alice, &compound, BallastError::CompoundNotDue)
        .await;
    for (command, error) in [
        ("rehedge", BallastError::RehedgeNotDue),
        ("deleverage", BallastError::DeleverageNotDue),
        ("liquidate", BallastError::NotLiquidatable),
    ] {
        node.refused_by_program(&keeper, &[command, position], error)
            .await;
    }
    let collect = ["collect", position];
    node.refused_by_program(&alice, &collect, BallastError::ZeroAmount)
        .await;
    let exit = ["exit", position];
    node.refused_by_program(&alice, &exit, BallastError::ExitNotDue)
        .await;
    let accept = ["accept", position];
    node.refused_by_program(&keeper, &accept, BallastError::NotOffered)
        .await;
    let nothing = node
        .ballast(&alice, &["repay", position, "--base", "0"])
        .await;
    assert_eq!(nothing.code, 2, "{}", nothing.err);
    assert!(nothing.err.contains("the amounts are 0"), "{}", nothing.err);
    for command in ["repay", "increase"] {
        let run = node.ballast(&alice, &[command, position]).await;
        assert_eq!(run.code, 2, "{}", run.err);
    }
    let take_equity = ["decrease", position, "--part", "50%", "--pay-quote", "all"];
    let take_equity = [
        &take_equity[..],
        &["--repay-base", "0", "--repay-quote", "0"],
    ]
    .concat();
    node.refused_by_program(&alice, &take_equity, BallastError::LeverageTooHigh)
        .await;
    let reclaim = ["reward", "reclaim", position, "1"];
    node.refused_by_program(&alice, &reclaim, BallastError::RewardTooSmall)
        .await;
    // The rule that was broken is told, too.
    let set = ["automation", "set", position, "--at-low", "exit"];
    let said = node
        .refused_by_program(&alice, &set, BallastError::BadPolicy)
        .await;
    assert!(said.contains("--at-low needs --low"), "{said}");
    let set = [
        "automation",
        "set",
        position,
        "--min-width",
        "4%",
        "--max-width",
        "40%",
    ];
    node.json(&alice, &set).await;
    node.refused_by_program(&keeper, &recenter, BallastError::RecenterNotDue)
        .await;
    world.move_price(UsdPrice::dollars(185)).await.unwrap();
    let wide = ["recenter", position, "--width", "50%"];
    node.refused_by_program(&keeper, &wide, BallastError::WidthOutOfBounds)
        .await;
    let aside = ["recenter", position, "--lower", "190", "--upper", "210"];
    node.refused_by_program(&keeper, &aside, BallastError::RecenterOffCentre)
        .await;
    let cover = ["lend", "cover-bad-debt", "base", "all"];
    let said = node.refused(&alice, &cover).await;
    assert!(said.contains("no bad debt"), "{said}");
    // What the command knows by itself is said before anything is simulated.
    for line in [
        &["increase", position, "--own-quote", "1"][..],
        &["decrease", position, "--part", "10%"],
        &["transfer", position, "--cancel"],
        &["automation", "set", position, "--off"],
    ] {
        let said = node.refused(&keeper, line).await;
        assert!(said.contains("belongs to"), "{line:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keepers_and_liquidators_do_can_be_done_by_hand() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (trader(&world, "alice").await, trader(&world, "bob").await);
    let (alice, bob) = (&alice.keypair, &bob.keypair);
    let address = opened(&node, alice).await;
    let position = address.as_str();
    world.move_price(UsdPrice::dollars(194)).await.unwrap();
    let rehedged = node.json(bob, &["rehedge", position]).await;
    assert!(number(&rehedged["traded_base"]) > 0.0, "{rehedged}");
    let early = ["policy", "set", position, "--deleverage-trigger", "60%"];
    let early = [&early[..], &["--deleverage-target", "55%"]].concat();
    node.json(alice, &early).await;
    let deleveraged = node.json(bob, &["deleverage", position]).await;
    let view = &deleveraged["position"];
    assert!(view["ltv_bps"].as_u64().unwrap() <= 5_500, "{deleveraged}");
    // Beyond what its collateral covers; lenders lose, and are given back what they lost.
    world.move_price(UsdPrice::dollars(600)).await.unwrap();
    let liquidated = node.json(bob, &["liquidate", position]).await;
    assert!(number(&liquidated["repaid_base"]) > 0.0, "{liquidated}");
    let market = node.json(bob, &["market", "show"]).await;
    let lost = |market: &Value| number(&market["reserves"][0]["bad_debt"]);
    assert!(lost(&market) > 0.0, "{market}");
    let cover = ["lend", "cover-bad-debt", "base", "all"];
    let covered = node.json(bob, &cover).await;
    assert_eq!(number(&covered["bad_debt"]), 0.0, "{covered}");
    let market = node.json(bob, &["market", "show"]).await;
    assert_eq!(lost(&market), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn authority_and_guardian_rule_a_market() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await.keypair;
    let (authority, heir) = (&world.authority, keys::named("heir"));
    let guardian = keys::named("guardian");
    for key in [&heir, &guardian] {
        let to = key.pubkey();
        world.net.fund(&to, 10_000_000_000).await.unwrap();
    }
    let [heir_key, guardian_key] = [&heir, &guardian].map(|key| key.pubkey().to_string());
    let market = async |by: &Keypair, line: &[&str]| {
        let line = [&["market"][..], line].concat();
        node.json(by, &line).await
    };

    let named = market(authority, &["set-guardian", &guardian_key]).await;
    assert_eq!(named["standing"]["guardian"], guardian_key);
    let pause = ["set-mode", "no-new-risk", "--for", "12h"];
    let paused = market(&guardian, &pause).await;
    assert_eq!(paused["standing"]["mode_now"], "no_new_risk", "{paused}");
    node.refused_by_program(&alice, &OPEN, BallastError::ModeForbids)
        .await;
    let lift = ["market", "set-mode", "normal"];
    node.refused_by_program(&guardian, &lift, BallastError::NotAuthority)
        .await;
    let shown = node.ballast(&alice, &["market", "show"]).await;
    assert!(
        shown.out.contains("no-new-risk set until 20"),
        "{}",
        shown.out
    );
    let lifted = market(authority, &lift[1..]).await;
    assert_eq!(lifted["standing"]["mode_now"], "normal");

    let refreshed = market(&alice, &["refresh-stage"]).await;
    assert_eq!(refreshed["standing"]["stage"], 0);
    market(&alice, &["refresh-price"]).await;
    market(&alice, &["accrue"]).await;
    let said = node.refused(&alice, &["market", "apply"]).await;
    assert!(said.contains("nothing is announced"), "{said}");
    let long = ["market", "set-mode", "reduce-only", "--for", "8d"];
    node.refused_by_program(authority, &long, BallastError::BadParameters)
        .await;
    let endless = node
        .ballast(authority, &["market", "set-mode", "reduce-only"])
        .await;
    assert!(
        endless.code == 2 && endless.err.contains("--for"),
        "{}",
        endless.err
    );

    let offered = market(authority, &["offer-authority", &heir_key]).await;
    assert_eq!(offered["standing"]["authority_offered_to"], heir_key);
    let accept = ["market", "accept-authority"];
    node.refused_by_program(&alice, &accept, BallastError::NotOffered)
        .await;
    let accepted = market(&heir, &accept[1..]).await;
    assert!(accepted["standing"]["authority_offered_to"].is_null());
    let shown = node.json(&alice, &["market", "show"]).await;
    assert_eq!(shown["authority"], heir_key);

    let insured = ["lend", "fund-insurance", "quote", "5"];
    let insured = node.json(&alice, &insured).await;
    assert_eq!(insured["insurance"], "5.000000");
}
