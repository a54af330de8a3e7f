//! What each action costs, compared with the checked-in table `docs/costs.json`. To accept new figures run the test with
//! `BALLAST_BLESS=1`.
//!
//! With another pool program (`BALLAST_WHIRLPOOL_SO`) the figures belong under `real_whirlpool`.

use std::{path::PathBuf, sync::Arc};

use ballast_client::{Amounts, Receipt, Trade, instruction};
use ballast_localnet::{Svm, UsdPrice, World, WorldConfig};
use serde_json::{Map, Value, json};

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
    assert!(rent <= 20_000_000, "{rent} lamports of rent");
    costs.insert("position_rent_lamports".into(), rent.into());

    let check = instruction::check_health(&world.market, &address, 10_000);
    costs.insert(
        "health_check".into(),
        cost(&world.send(&bob.keypair, vec![check]).await.unwrap()),
    );

    world.move_price(UsdPrice::dollars(195)).await.unwrap();
    let path = world
        .market
        .swap_path(world.pool().await.unwrap().tick_current, Trade::SellBase);
    let rehedge = instruction::rehedge(&world.market, &position, &bob.key(), &path);
    costs.insert(
        "rehedge".into(),
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
    let third = world.worked_example(3).unwrap();
    let dave = world.open(&alice, third).await.unwrap();
    world.move_price(UsdPrice::dollars(262)).await.unwrap();
    let liquidate = instruction::liquidate(
        &world.market,
        &dave,
        &bob.key(),
        &bob.wallet,
        u64::MAX,
        u64::MAX,
    );
    costs.insert(
        "liquidate".into(),
        cost(&world.send(&bob.keypair, vec![liquidate]).await.unwrap()),
    );
    costs
}

#[tokio::test]
async fn costs_are_those_in_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/costs.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
    let mut table: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let real = std::env::var_os("BALLAST_WHIRLPOOL_SO").is_some();
    let measured = measure().await;
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
            "{action}: run with BALLAST_BLESS=1 to accept"
        );
    }
}
