//! What each action costs: within the budgets of the design, and as in the checked-in table `docs/costs.json`. To accept new
//! figures run the test with `BALLAST_BLESS=1`; budgets hold even then.
//!
//! The table is of programs that the project's own tool chain compiled (`toolchain/sbf`). Other compilers make other code:
//! `cargo xtask test` sets `BALLAST_FOREIGN_SBF` where it uses `cargo-build-sbf`, and then only the budgets count.
//!
//! With another pool program (`BALLAST_WHIRLPOOL_SO`) the figures belong under `real_whirlpool`.

use std::{io::Write, path::PathBuf, sync::Arc};

use ballast_client::{
    Amounts, Automation, IncreaseArgs, Reaction, Receipt, RecenterArgs, Side, Trade, instruction,
};
use ballast_localnet::{PricePost, Svm, Trader, UsdPrice, World, WorldConfig};
use serde_json::{Map, Value, json};

/// The design's budgets: compute units, and what an open position locks up (0.02 SOL).
const BUDGETS: [(&str, u64); 19] = [
    ("open", 150_000),
    ("rehedge", 80_000),
    ("deleverage", 50_000),
    ("deleverage_swap", 110_000),
    ("recenter", 160_000),
    ("liquidate", 50_000),
    ("health_check", 8_000),
    ("position_rent_lamports", 20_000_000),
    // The design names none for these: ours, about what their parts are allowed above.
    ("recenter_replacing", 250_000),
    ("rehedge_withdrawing", 105_000),
    ("increase", 130_000),
    ("collect", 70_000),
    ("compound", 110_000),
    ("exit", 150_000),
    ("refresh_stage", 20_000),
    ("close", 150_000),
    // The design's, also where every value that can be asked for is.
    ("deleverage_at_an_older_price", 50_000),
    ("deleverage_swap_at_an_older_price", 110_000),
    ("liquidate_at_an_older_price", 50_000),
];

/// What was not measured or costs more than it may.
fn beyond_budget(costs: &Map<String, Value>) -> Vec<String> {
    let mut beyond = Vec::new();
    for (what, budget) in BUDGETS {
        let cost = &costs.get(what).cloned().unwrap_or_default();
        match cost.get("cu").unwrap_or(cost).as_u64() {
            None => beyond.push(format!("{what} was not measured")),
            Some(cost) if cost > budget => {
                beyond.push(format!("{what} costs {cost}, at most {budget} are allowed"));
            }
            Some(_) => {}
        }
    }
    beyond
}

/// Compute units of a transaction's Ballast instruction, and what of them its calls of other programs used.
fn cost(receipt: &Receipt) -> Value {
    let ballast = ballast_client::ballast::ID.to_string();
    let (mut depth, mut total, mut external) = (0, 0, 0);
    for line in &receipt.logs {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["Program", _, "invoke", _] => depth += 1,
            ["Program", _, "success"] => depth -= 1,
            ["Program", program, "consumed", units, "of", ..] => {
                let units: u64 = units.parse().unwrap();
                match depth {
                    1 if *program == ballast => total += units,
                    2 => external += units,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    assert!(
        total > external && total > 0,
        "no compute units in {:?}",
        receipt.logs
    );
    json!({ "cu": total, "of_which_external": external })
}

async fn measure() -> Map<String, Value> {
    let world = World::new(
        Arc::new(Svm::start().unwrap()),
        WorldConfig::standard().unwrap(),
    )
    .await
    .unwrap();
    let rich = Amounts::new(1_000_000_000_000, 1_000_000_000_000);
    let alice = world.trader("alice", rich).await.unwrap();
    let bob = world.trader("bob", rich).await.unwrap();
    let mut costs = Map::new();

    let args = world.worked_example(1).unwrap();
    world
        .create_tick_arrays([args.tick_lower, args.tick_upper])
        .await
        .unwrap();
    let opened = world.try_open(&alice, args).await.unwrap();
    costs.insert("open".into(), cost(&opened));
    let address = ballast_client::PositionAddresses::new(&world.market, &alice.key(), 1).position;
    let position = ballast_client::PositionContext::load(world.net.chain().as_ref(), address)
        .await
        .unwrap();

    let stored = &position.position;
    let owned = [
        address,
        stored.base_account,
        stored.quote_account,
        stored.whirlpool_position,
        stored.nft_mint,
        stored.nft_account,
    ];
    let accounts = world.net.chain().accounts(&owned).await.unwrap().accounts;
    let rent: u64 = accounts
        .iter()
        .map(|account| account.as_ref().unwrap().lamports)
        .sum();
    costs.insert("position_rent_lamports".into(), rent.into());
    let sizes = [
        ("market", world.market.address),
        ("reserve", world.market.reserve(ballast_client::Side::Base)),
        ("position", address),
    ];
    let mut account_bytes = Map::new();
    for (name, address) in sizes {
        let account = world.net.chain().account(&address).await.unwrap().unwrap();
        account_bytes.insert(name.into(), account.data.len().into());
    }
    costs.insert("account_bytes".into(), account_bytes.into());

    let check = instruction::check_health(&world.market, &address, 10_000);
    costs.insert(
        "health_check".into(),
        cost(&world.send(&bob.keypair, vec![check]).await.unwrap()),
    );

    // A part of the base that is sold is borrowed: further down some of the liquidity would have to go.
    world.move_price(UsdPrice::dollars(197)).await.unwrap();
    let path = world
        .market
        .swap_path(world.pool().await.unwrap().tick_current, Trade::SellBase);
    let rehedge = instruction::rehedge(&world.market, &position, &bob.key(), &path);
    costs.insert(
        "rehedge".into(),
        cost(&world.send(&bob.keypair, vec![rehedge]).await.unwrap()),
    );

    // Beyond the edge, where it sells some of the position's own base.
    world.move_price(UsdPrice::dollars(185)).await.unwrap();
    world.net.pass_time(5).await.unwrap();
    world.post_price(UsdPrice::dollars(185)).await.unwrap();
    let path = world
        .market
        .swap_path(world.pool().await.unwrap().tick_current, Trade::SellBase);
    let rehedge = instruction::rehedge(&world.market, &position, &bob.key(), &path);
    costs.insert(
        "rehedge_withdrawing".into(),
        cost(&world.send(&bob.keypair, vec![rehedge]).await.unwrap()),
    );

    // Inside the band, where both tokens flow.
    world.move_price(UsdPrice::dollars(200)).await.unwrap();
    let second = world.worked_example(2).unwrap();
    let mut policy = second.policy;
    policy.deleverage_trigger_ltv_bps = 6_700;
    policy.deleverage_target_ltv_bps = 6_400;
    let carol = world
        .open(&alice, ballast_client::OpenArgs { policy, ..second })
        .await
        .unwrap();
    world.move_price(UsdPrice::dollars(209)).await.unwrap();
    let deleverage = instruction::deleverage(&world.market, &carol, &bob.key());
    costs.insert(
        "deleverage".into(),
        cost(&world.send(&bob.keypair, vec![deleverage]).await.unwrap()),
    );

    world.move_price(UsdPrice::dollars(200)).await.unwrap();
    let erin = world.worked_example(30).unwrap();
    let erin = world.open(&alice, erin).await.unwrap();
    world.move_price(UsdPrice::dollars(250)).await.unwrap();
    let path = world
        .market
        .swap_path(world.pool().await.unwrap().tick_current, Trade::BuyBase);
    let deleverage = instruction::deleverage_swap(&world.market, &erin, &bob.key(), &path);
    costs.insert(
        "deleverage_swap".into(),
        cost(&world.send(&bob.keypair, vec![deleverage]).await.unwrap()),
    );

    world.move_price(UsdPrice::dollars(200)).await.unwrap();
    let third = world.worked_example(3).unwrap();
    let dave = world.open(&alice, third).await.unwrap();
    world.move_price(UsdPrice::dollars(262)).await.unwrap();
    let liquidate = instruction::liquidate(
        &world.market,
        &dave,
        &bob.key(),
        &bob.wallet,
        Amounts::new(u64::MAX, u64::MAX),
        0,
    );
    costs.insert(
        "liquidate".into(),
        cost(&world.send(&bob.keypair, vec![liquidate]).await.unwrap()),
    );
    measure_at_older_prices(&world, &alice, &bob, &mut costs).await;
    measure_the_rest(&world, &alice, &bob, &mut costs).await;
    costs.insert(
        "reasons".into(),
        json!({
            "recenter_replacing": "closes a Whirlpool position and opens another, about 60 k of calls that recenter does \
                without: for pool programs that cannot move a position, beyond what recenter may cost"
        }),
    );
    costs
}

/// At a price of some seconds before the newest one that the market knows, of which the moving average lags: every value that can be
/// asked for is.
async fn measure_at_older_prices(
    world: &World,
    alice: &Trader,
    bob: &Trader,
    costs: &mut Map<String, Value>,
) {
    let market = &world.market;
    let send = async |instruction| world.send(&bob.keypair, vec![instruction]).await.unwrap();
    let (newest, older, average) = (262, 264, 248);
    for action in ["deleverage", "deleverage_swap", "liquidate"] {
        world.move_price(UsdPrice::dollars(200)).await.unwrap();
        let id = 40 + action.len() as u64;
        let mut args = world.worked_example(id).unwrap();
        if action == "deleverage" {
            // Only the owner's is asked for at both prices.
            args.policy.deleverage_trigger_ltv_bps = 6_700;
            args.policy.deleverage_target_ltv_bps = 6_400;
        }
        let position = world.open(alice, args).await.unwrap();
        let (newest, older, average) = match action {
            "deleverage" => (209, 210, 205),
            _ => (newest, older, average),
        };
        world.move_price(UsdPrice::dollars(newest)).await.unwrap();
        world.net.pass_time(60).await.unwrap();
        let post = async |dollars, age_secs| {
            let then = world.snapshot().await.unwrap().now_secs - age_secs;
            let base = PricePost {
                ema_price: UsdPrice::dollars(average).units(),
                ..PricePost::good(Side::Base, UsdPrice::dollars(dollars), then)
            };
            let quote = PricePost::good(Side::Quote, UsdPrice::ONE, then);
            world.post(&[base, quote]).await.unwrap();
        };
        post(newest, 0).await;
        send(instruction::refresh_price(market)).await;
        post(older, 4).await;
        let tick = world.pool().await.unwrap().tick_current;
        let path = market.swap_path(tick, Trade::BuyBase);
        let most = Amounts::new(u64::MAX, u64::MAX);
        let sent = match action {
            "deleverage" => instruction::deleverage(market, &position, &bob.key()),
            "deleverage_swap" => instruction::deleverage_swap(market, &position, &bob.key(), &path),
            _ => instruction::liquidate(market, &position, &bob.key(), &bob.wallet, most, 0),
        };
        costs.insert(
            format!("{action}_at_an_older_price"),
            cost(&send(sent).await),
        );
    }
}

/// What happens between opening and closing, with a swap wherever there can be one.
async fn measure_the_rest(
    world: &World,
    alice: &Trader,
    bob: &Trader,
    costs: &mut Map<String, Value>,
) {
    let market = &world.market;
    let send = async |by: &Trader, instruction| {
        cost(&world.send(&by.keypair, vec![instruction]).await.unwrap())
    };
    let path = async |trade| {
        let tick = world.pool().await.unwrap().tick_current;
        market.swap_path(tick, trade)
    };
    let at = async |dollars| world.move_price(UsdPrice::dollars(dollars)).await.unwrap();
    let automation = Automation {
        leverage_bps: 30_000,
        min_width_ticks: 400,
        max_width_ticks: 4_000,
        compound_min_value: 1,
        max_exit_loss_bps: 100,
        window_low_tick: world.tick_at(UsdPrice::dollars(150)).unwrap().get(),
        at_low: Reaction::ExitIntoQuote as u8,
        ..Automation::OFF
    };
    let mut positions = Vec::new();
    at(200).await;
    for id in [4, 5] {
        let args = world.worked_example(id).unwrap();
        let position = world.open(alice, args).await.unwrap();
        let set = instruction::set_automation(
            &market.address,
            &alice.key(),
            &position.address,
            automation,
        );
        world.send(&alice.keypair, vec![set]).await.unwrap();
        positions.push(position);
    }
    let position = &positions[0];
    let increase = instruction::increase(
        market,
        position,
        &alice.wallet,
        IncreaseArgs {
            own_base: 200_000_000,
            own_quote: 50_000_000,
            leverage_bps: 30_000,
            min_liquidity: 1,
            max_base_debt: u64::MAX,
            max_quote_debt: u64::MAX,
        },
        &path(Trade::SellBase).await,
    );
    costs.insert("increase".into(), send(alice, increase).await);
    // Somebody trades to and fro, so that there are fees.
    let earn = async || {
        for dollars in [203, 197, 200] {
            let price = UsdPrice::dollars(dollars)
                .sqrt_price(UsdPrice::ONE, 9, 6)
                .unwrap();
            world.move_pool(price).await.unwrap();
        }
    };
    earn().await;
    let compound = instruction::compound(market, position, &bob.key());
    costs.insert("compound".into(), send(bob, compound).await);
    earn().await;
    let collect = instruction::collect(market, position, &alice.wallet);
    costs.insert("collect".into(), send(alice, collect).await);
    let refresh = instruction::refresh_stage(market);
    costs.insert("refresh_stage".into(), send(bob, refresh).await);

    at(185).await;
    let spacing = i32::from(market.market.tick_spacing);
    let middle = world.tick_at(UsdPrice::dollars(185)).unwrap().get();
    let middle = (middle + spacing / 2).div_euclid(spacing) * spacing;
    let args = RecenterArgs {
        tick_lower: middle - 512,
        tick_upper: middle + 512,
    };
    let ticks = [args.tick_lower, args.tick_upper];
    world.create_tick_arrays(ticks).await.unwrap();
    let sells = path(Trade::SellBase).await;
    let recenter = instruction::recenter(market, &positions[0], &bob.key(), args, &sells);
    costs.insert("recenter".into(), send(bob, recenter).await);
    let sells = path(Trade::SellBase).await;
    let recenter = instruction::recenter_replacing(market, &positions[1], &bob.key(), args, &sells);
    costs.insert("recenter_replacing".into(), send(bob, recenter).await);

    at(149).await;
    let position = world.reload(&positions[0]).await.unwrap();
    let sells = path(Trade::SellBase).await;
    let exit = instruction::exit(market, &position, &bob.key(), &sells);
    costs.insert("exit".into(), send(bob, exit).await);
    let position = world.reload(&positions[1]).await.unwrap();
    let close = instruction::close(market, &position, &alice.wallet, u64::MAX, u64::MAX);
    costs.insert("close".into(), send(alice, close).await);
}

#[tokio::test]
async fn costs_are_those_in_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/costs.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
    let mut table: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let real = std::env::var_os("BALLAST_WHIRLPOOL_SO").is_some();
    let measured = measure().await;
    let beyond = beyond_budget(&measured);
    assert!(
        beyond.is_empty(),
        "beyond the budget: {}",
        beyond.join("; ")
    );
    if std::env::var_os("BALLAST_FOREIGN_SBF").is_some() {
        // Not by println, which says nothing when the test passes.
        writeln!(
            std::io::stderr(),
            "costs are within the budgets, and not compared with docs/costs.json: cargo-build-sbf compiled the programs, the \
             table is of toolchain/sbf"
        )
        .unwrap();
        return;
    }
    if std::env::var_os("BALLAST_BLESS").is_some() {
        if real {
            table.insert("real_whirlpool".into(), measured.into());
        } else {
            table.extend(measured);
        }
        let text = serde_json::to_string_pretty(&table).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
        return;
    }
    let expected = if real {
        table["real_whirlpool"].as_object().unwrap().clone()
    } else {
        table
    };
    for (action, cost) in &measured {
        assert_eq!(
            expected.get(action),
            Some(cost),
            "{action}: run with BALLAST_BLESS=1 to accept; if cargo-build-sbf compiled the programs, with \
             BALLAST_FOREIGN_SBF=1"
        );
    }
}

#[test]
fn budgets_are_kept_to_the_unit() {
    let spent = |more: u64| -> Map<String, Value> {
        let cost = |(what, budget): (&str, u64)| {
            let cost = budget + more;
            let cost = if what.ends_with("lamports") {
                cost.into()
            } else {
                json!({ "cu": cost })
            };
            (what.to_owned(), cost)
        };
        BUDGETS.into_iter().map(cost).collect()
    };
    assert_eq!(beyond_budget(&spent(0)), [""; 0]);
    assert_eq!(beyond_budget(&spent(1)).len(), BUDGETS.len());
    assert_eq!(beyond_budget(&Map::new()).len(), BUDGETS.len());
}
