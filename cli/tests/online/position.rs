//! A position's life, by command line.

use ballast_abi::spl;
use ballast_client::{
    Amounts, BallastError, Instruction, Keypair, PositionContext, Pubkey, Side, Signer,
    lookup_table,
};
use ballast_localnet::UsdPrice;
use solana_sdk::instruction::AccountMeta;

use crate::node::{Node, OPEN, number, trader};

#[tokio::test(flavor = "multi_thread")]
async fn from_open_to_close() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    let alice = &alice.keypair;

    let planned = node
        .json(alice, &[&OPEN[..], &["--dry-run"]].concat())
        .await;
    assert!(planned["signature"].is_null() && planned["position"].is_null());
    let none = node.json(alice, &["positions"]).await;
    assert_eq!(none["positions"].as_array().unwrap().len(), 0);

    let opened = node.json(alice, &OPEN).await;
    let address = opened["position"]["position"].as_str().unwrap().to_owned();
    assert_eq!(
        opened["position"]["liquidity"],
        opened["planned"]["liquidity"]
    );
    let view = &opened["position"];
    // The worked example, on a range that is a little wider.
    assert!((number(&view["equity"]) - 100.0).abs() < 2e-5, "{view}");
    assert!((number(&view["debt_base"]) - 0.7315).abs() < 0.01, "{view}");
    assert!(number(&view["delta"]).abs() < 1e-8, "{view}");
    assert_eq!(view["ltv_bps"], 6_667);
    assert!(view["lower"].as_f64().unwrap() <= 190.0 && view["upper"].as_f64().unwrap() >= 210.0);
    let ends =
        [&view["liquidation_lower"], &view["liquidation_upper"]].map(|end| end.as_f64().unwrap());
    assert!(
        (ends[0] - 110.85).abs() < 1.0 && (ends[1] - 258.6).abs() < 1.0,
        "{ends:?}"
    );

    let listed = node.json(alice, &["positions"]).await;
    assert_eq!(listed["positions"][0]["position"], address.as_str());
    assert_eq!(listed["failed"].as_array().unwrap().len(), 0);
    let table = node.ballast(alice, &["positions", "--all"]).await;
    assert!(
        table.code == 0 && table.out.contains(&address),
        "{}{}",
        table.out,
        table.err
    );

    // Quiet at first; then the price leaves the delta band, and the rest is known beforehand.
    let quiet = node.json(alice, &["explain", &address]).await;
    assert_eq!(quiet["decision"]["verdict"], "nothing");
    let next = &quiet["next"];
    assert_eq!(next["below"]["threshold"], "hedge_band");
    let rehedge_below = next["below"]["price"].as_f64().unwrap();
    assert!((190.0..200.0).contains(&rehedge_below));
    world.move_price(UsdPrice::dollars(196)).await.unwrap();
    assert!(rehedge_below > 196.0);
    let due = node.json(alice, &["explain", &address]).await;
    assert_eq!(due["decision"]["verdict"], "act", "{due}");
    assert_eq!(due["decision"]["action"], "rehedge");
    let text = node.ballast(alice, &["explain", &address]).await;
    assert!(
        text.code == 0
            && text.out.contains("Rehedge is due: long by 0.")
            && text.out.contains(" SOL, "),
        "{}",
        text.out
    );

    // The owner's word.
    let set = [
        "policy",
        "set",
        &address,
        "--keepers",
        "off",
        "--delta-band",
        "20%",
    ];
    let policy = node.json(alice, &set).await;
    assert_eq!(policy["policy"]["delta_band_bps"], 2_000);
    assert_eq!(policy["action"], "setting the policy");
    let shown = node.json(alice, &["policy", "show", &address]).await;
    assert_eq!(shown["policy"], policy["policy"]);
    let blocked = node.json(alice, &["explain", &address]).await;
    assert_eq!(blocked["policy"]["keepers_allowed"], false);
    let error = node
        .refused(alice, &["policy", "set", &address, "--delta-target", "30%"])
        .await;
    assert!(
        error.contains(BallastError::BadPolicy.name().as_str())
            && error.contains("--delta-target must be below --delta-band"),
        "{error}"
    );
    let error = node.refused(&world.lender, &["close", &address]).await;
    assert!(error.contains("belongs to"), "{error}");

    // Near the lower end the position owes quote that it does not hold: closing says what it needs.
    world.move_price(UsdPrice::dollars(192)).await.unwrap();
    let error = node.refused(alice, &["close", &address]).await;
    let flag = "--max-pay-quote ";
    let at = error.find(flag).unwrap_or_else(|| panic!("{error}"));
    let amount = error[at + flag.len()..].split_whitespace().next().unwrap();
    let before = world
        .wallet_balances(&ballast_client::Signer::pubkey(alice))
        .await
        .unwrap();
    let close = ["close", &address, "--max-pay-quote", amount];
    let planned = node
        .json(alice, &[&close[..], &["--dry-run"]].concat())
        .await;
    assert!(planned["signature"].is_null(), "{planned}");
    assert!(number(&planned["brought_quote"]) > 0.0, "{planned}");
    let closed = node.json(alice, &close).await;
    assert!(
        number(&closed["brought_quote"]) > 0.0 && number(&closed["paid_base"]) > 0.0,
        "{closed}"
    );
    let after = world
        .wallet_balances(&ballast_client::Signer::pubkey(alice))
        .await
        .unwrap();
    assert!(after.base > before.base && after.quote < before.quote);
    let none = node.json(alice, &["positions", "--all"]).await;
    assert_eq!(none["positions"].as_array().unwrap().len(), 0);
    let error = node.refused(alice, &["explain", &address]).await;
    assert!(error.contains("no position at"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_that_is_repeated_notices_the_first() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (trader(&world, "alice").await, trader(&world, "bob").await);
    let (alice, bob) = (&alice.keypair, &bob.keypair);
    let count = async |owner: &Keypair| {
        let listed = node.json(owner, &["positions"]).await;
        listed["positions"].as_array().unwrap().len()
    };
    let opened = node.json(alice, &OPEN).await;
    let address = opened["position"]["position"].as_str().unwrap();
    let first = format!("position {address} (id 0), which was opened ");
    for extra in [&[][..], &["--dry-run"], &["--leverage", "2"]] {
        let mut line = OPEN.to_vec();
        if extra.first() == Some(&"--leverage") {
            line[4] = "2";
        } else {
            line.extend(extra);
        }
        let error = node.refused(alice, &line).await;
        for part in [
            first.as_str(),
            "has the same range and the same own funds",
            "`ballast positions`",
            "`ballast tx SIGNATURE`",
            "pass --id 1",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
    let error = node
        .refused(alice, &[&OPEN[..], &["--id", "0"]].concat())
        .await;
    assert!(
        error.contains(&format!("--id 0 is taken by {first}")),
        "{error}"
    );
    assert_eq!(count(alice).await, 1);
    // Other funds, or a number: another position is meant.
    let mut other = OPEN;
    other[2] = "120";
    assert_eq!(node.json(alice, &other).await["planned"]["id"], 1);
    let named = [&OPEN[..], &["--id", "7"]].concat();
    assert_eq!(node.json(alice, &named).await["planned"]["id"], 7);
    assert_eq!(count(alice).await, 3);

    // The first is still under way when it is repeated: one of them opens, the other says so; or both are the same transaction, to
    // the byte.
    let json = [&["--json"], &OPEN[..]].concat();
    let (one, two) = tokio::join!(node.ballast(bob, &json), node.ballast(bob, &json));
    if (one.code, two.code) == (0, 0) {
        assert_eq!(one.json()["signature"], two.json()["signature"]);
    } else {
        assert_ne!(one.code == 0, two.code == 0, "{}{}", one.err, two.err);
        let error = one.err + &two.err;
        assert!(
            error.contains("(id 0), which was opened")
                && error.contains("has landed")
                && error.contains("`ballast positions`"),
            "{error}"
        );
    }
    assert_eq!(count(bob).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_collects_what_the_pool_owes_in_rewards() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    // The pool pays two rewards, and owes something of one.
    let owed = world.set_reward(0, 1_000_000).await.unwrap();
    world.set_reward(2, 1_000_000).await.unwrap();
    let opened = node.json(&alice.keypair, &OPEN).await;
    let address = opened["position"]["position"].as_str().unwrap();
    let chain = world.net.chain();
    let position = PositionContext::load(chain.as_ref(), address.parse().unwrap())
        .await
        .unwrap();
    let close = [
        "close",
        address,
        "--max-pay-base",
        "0.01",
        "--max-pay-quote",
        "1",
    ];

    // More than the vault has: the pool keeps the position.
    let book = async |amount| world.book_reward(&position, &owed, amount).await.unwrap();
    book(1_000_001).await;
    let error = node.refused(&alice.keypair, &close).await;
    assert!(
        error.contains("CLOSE_POSITION_NOT_EMPTY") && error.contains("vault holds too little"),
        "{error}"
    );

    book(12_345).await;
    let closed = node.json(&alice.keypair, &close).await;
    let expected = serde_json::json!([{ "mint": owed.mint.to_string(), "amount": "0.12345" }]);
    assert_eq!(closed["rewards"], expected, "{closed}");
    let (wallet, _) = spl::associated_token_account(&alice.key(), &owed.mint, &owed.token_program);
    assert_eq!(world.balance(&wallet).await.unwrap(), 12_345);
    let none = node.json(&alice.keypair, &["positions", "--all"]).await;
    assert_eq!(none["positions"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_nothing_even_without_a_lookup_table() {
    let node = Node::start().await;
    let world = node.world().await;
    let (alice, bob) = (trader(&world, "alice").await, trader(&world, "bob").await);
    // Afterwards the pool has the tick arrays.
    node.json(&bob.keypair, &OPEN).await;
    let dry = [&OPEN[..], &["--dry-run"]].concat();
    let simulated = node.ballast(&alice.keypair, &dry).await;
    assert!(
        simulated.code == 0 && !simulated.err.contains("not simulated"),
        "{}",
        simulated.err
    );

    // The market's only table is taken out of service.
    let addresses = world.market.static_addresses();
    let authority = world.authority.pubkey();
    let find = async |authority: &Pubkey| {
        let chain = world.net.chain();
        lookup_table::find(chain.as_ref(), authority, &addresses)
            .await
            .unwrap()
    };
    let table = find(&authority).await.unwrap().key;
    let deactivate = Instruction {
        program_id: "AddressLookupTab1e1111111111111111111111111"
            .parse()
            .unwrap(),
        accounts: vec![
            AccountMeta::new(table, false),
            AccountMeta::new_readonly(authority, true),
        ],
        data: 3u32.to_le_bytes().to_vec(),
    };
    world
        .send(&world.authority, vec![deactivate])
        .await
        .unwrap();
    assert!(find(&authority).await.is_none());

    let lamports = async || {
        let account = world.net.chain().account(&alice.key()).await.unwrap();
        account.unwrap().lamports
    };
    let before = lamports().await;
    let run = node.ballast(&alice.keypair, &dry).await;
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.contains("nothing was sent")
            && run.err.contains("not simulated")
            && run.err.contains("lookup table"),
        "{}{}",
        run.out,
        run.err
    );
    assert_eq!(lamports().await, before);
    assert!(find(&alice.key()).await.is_none());
    // In earnest it is made.
    node.json(&alice.keypair, &OPEN).await;
    assert!(find(&alice.key()).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_is_named() {
    let node = Node::start().await;
    let world = node.world().await;
    let poor = world
        .trader("poor", Amounts::new(0, 50_000_000))
        .await
        .unwrap();
    let poor = &poor.keypair;
    let error = node.refused(poor, &OPEN).await;
    assert!(
        error.contains("holds 50.000000 USDC") && error.contains("50.000000 more"),
        "{error}"
    );
    let with = |option: &str, value: &'static str| {
        let mut line = OPEN;
        let at = line.iter().position(|part| *part == option).unwrap();
        line[at + 1] = value;
        line
    };
    for (line, part) in [
        (with("--leverage", "9"), "market's cap of 4.00x"),
        (with("--own-quote", "0"), "no own funds"),
        (
            with("--own-quote", "0.0000001"),
            "more decimals than the token's 6",
        ),
        (with("--lower", "220"), "not below"),
    ] {
        let error = node.refused(poor, &line).await;
        assert!(error.contains(part), "{error}");
    }
    // Enough for the wallet, too little for the market: the program says so by name, and nothing is sent.
    let error = node.refused(poor, &with("--own-quote", "1")).await;
    assert!(
        error.contains(BallastError::PositionSize.name().as_str()),
        "{error}"
    );
    let error = node
        .refused(
            poor,
            &[
                "market",
                "show",
                "--market",
                "11111111111111111111111111111111",
            ],
        )
        .await;
    assert!(error.contains("pass --market with one of"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lenders_and_the_market() {
    let node = Node::start().await;
    let world = node.world().await;
    let lou = world
        .trader("lou", Amounts::new(2_000_000_000, 500_000_000))
        .await
        .unwrap();
    let lou = &lou.keypair;

    let healthy = node.json(lou, &["doctor"]).await;
    for check in healthy["checks"].as_array().unwrap() {
        assert_eq!(check["state"], "ok", "{check}");
    }
    let market = node.json(lou, &["market", "show"]).await;
    assert_eq!(market["market"], world.market.address.to_string());
    assert!((market["price"].as_f64().unwrap() - 200.0).abs() < 1e-9);
    assert_eq!(market["reserves"][1]["token"], "USDC");
    let text = node.ballast(lou, &["market", "show"]).await;
    assert!(
        text.code == 0 && text.out.contains("tick spacing 4, fee 0.04%"),
        "{}",
        text.out
    );

    let deposited = node.json(lou, &["lend", "deposit", "quote", "400.5"]).await;
    assert_eq!(deposited["amount"], "400.500000");
    let lent = node.json(lou, &["lend", "show"]).await;
    assert!(
        (number(&lent["lent"][1]["worth"]) - 400.5).abs() <= 2e-6,
        "{lent}"
    );
    assert_eq!(lent["lent"][1]["wallet"], "99.500000");
    assert_eq!(number(&lent["lent"][0]["worth"]), 0.0);

    let error = node
        .refused(lou, &["lend", "withdraw", "quote", "1000"])
        .await;
    assert!(
        error.contains("1000.000000 USDC is more than the 400."),
        "{error}"
    );
    let error = node.refused(lou, &["lend", "withdraw", "base", "1"]).await;
    assert!(
        error.contains("has lent no SOL: nothing to take back"),
        "{error}"
    );
    let error = node
        .refused(lou, &["lend", "withdraw", "USDC", "1 SOL"])
        .await;
    assert!(error.contains("write 1 USDC"), "{error}");
    // As it is printed.
    let part = node
        .json(lou, &["lend", "withdraw", "USDC", "100.250000 USDC"])
        .await;
    assert_eq!(part["action"], "withdrew", "{part}");
    assert!((number(&part["amount"]) - 100.25).abs() <= 2e-6, "{part}");
    node.json(lou, &["lend", "withdraw", "quote", "all"]).await;
    let lent = node.json(lou, &["lend", "show"]).await;
    assert_eq!(lent["lent"][1]["shares"], "0");
    let key = ballast_client::Signer::pubkey(lou);
    let back = world.wallet_balances(&key).await.unwrap();
    assert!(
        (499_999_997..=500_000_000).contains(&back.get(Side::Quote)),
        "{back:?}"
    );

    // The migrations once more, from what is on chain: nothing to do.
    let prices = world.market.prices;
    let line = [
        "migrate",
        "--pool",
        &world.market.market.whirlpool.to_string(),
        "--base-price",
        &prices.base.to_string(),
        "--quote-price",
        &prices.quote.to_string(),
    ];
    let migrated = node.json(&world.authority, &line).await;
    assert_eq!(
        migrated["changes"].as_array().unwrap().len(),
        0,
        "{migrated}"
    );
    assert_eq!(migrated["market"], world.market.address.to_string());
}
