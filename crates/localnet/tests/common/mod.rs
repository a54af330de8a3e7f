//! The same short story on every kind of cluster.

use std::sync::Arc;

use ballast_client::{Amounts, BallastError, BallastEvent, Positions, Side, Trade, instruction};
use ballast_localnet::{Localnet, UsdPrice, World, WorldConfig};
use ballast_model::{Bps, OpenRequest, plan_open};

/// Sets a world up, opens the worked example, moves the price, rehedges, closes; checks that the chain does what the model
/// says.
pub async fn story(net: Arc<dyn Localnet>) -> World {
    let world = World::new(net, WorldConfig::standard().unwrap())
        .await
        .unwrap();
    migrations_are_idempotent(&world).await;

    let alice = world
        .trader("alice", Amounts::new(10_000_000_000, 1_000_000_000))
        .await
        .unwrap();
    let before = world.wallet_balances(&alice.key()).await.unwrap();
    let args = world.worked_example(1).unwrap();
    let pool = world.pool().await.unwrap();
    let position = world.open(&alice, args).await.unwrap();

    // What the chain stored is what the plan says, and worth the own funds.
    let snapshot = world.snapshot().await.unwrap();
    let opened = snapshot
        .position(&position.position, snapshot.now_secs)
        .unwrap();
    let request = OpenRequest {
        own: Amounts::new(0, args.own_quote),
        leverage: Bps::new(args.leverage_bps),
        hedge: Bps::ONE,
        band: opened.band,
        at: pool.sqrt_price,
    };
    let plan = plan_open(request).unwrap();
    assert_eq!(opened.liquidity, plan.liquidity);
    assert_eq!(
        opened
            .pool_amounts_down(pool.sqrt_price)
            .unwrap()
            .base
            .abs_diff(plan.borrow.base),
        1
    );
    let oracle = snapshot.oracle_sqrt_price().unwrap();
    let equity = opened.equity_down(oracle).unwrap();
    assert!(
        (99_999_990..=100_000_000).contains(&equity),
        "equity {equity}"
    );
    let owned = Positions::of_owner(world.net.chain().as_ref(), &alice.key())
        .await
        .unwrap();
    assert_eq!(
        owned
            .positions
            .iter()
            .map(|found| found.address)
            .collect::<Vec<_>>(),
        [position.address]
    );

    // Nothing to do yet; the program's error has its name.
    let keeper = world.trader("keeper", Amounts::ZERO).await.unwrap();
    let rehedge = async |trade, price| {
        // A swap wants a price of seconds ago, and a validator may have taken longer than that over what came before.
        world.post_price(price).await.unwrap();
        let path = world
            .market
            .swap_path(world.pool().await.unwrap().tick_current, trade);
        let rehedge = instruction::rehedge(&world.market, &position, &keeper.key(), &path);
        world.send(&keeper.keypair, vec![rehedge]).await
    };
    let error = rehedge(Trade::SellBase, UsdPrice::dollars(200))
        .await
        .unwrap_err();
    assert!(error.is(BallastError::RehedgeNotDue), "{error}");

    // Below the first price there is more base in the pool than was borrowed.
    world.move_price(UsdPrice::dollars(196)).await.unwrap();
    let moved = world.pool().await.unwrap().sqrt_price;
    assert_eq!(
        moved,
        world.snapshot().await.unwrap().oracle_sqrt_price().unwrap()
    );
    let error_before = opened.hedge_error(moved, Bps::ONE).unwrap();
    assert!(error_before > 0);
    let receipt = rehedge(Trade::SellBase, UsdPrice::dollars(196))
        .await
        .unwrap();
    let [.., BallastEvent::Rehedged(event)] = &receipt.events[..] else {
        panic!("{:?} in {:#?}", receipt.events, receipt.logs);
    };
    // Interest may have added a few units to the debt since.
    let found = event.hedge_error_before;
    assert!(
        (error_before - 10..=error_before).contains(&found),
        "{error_before} {found}"
    );
    // It may have withdrawn, which rounds.
    assert!(i128::from(event.base_traded).abs_diff(found) <= 2);
    let snapshot = world.snapshot().await.unwrap();
    let position = world.reload(&position).await.unwrap();
    let hedged = snapshot
        .position(&position.position, snapshot.now_secs)
        .unwrap();
    let error_after = hedged
        .hedge_error(snapshot.oracle_sqrt_price().unwrap(), Bps::ONE)
        .unwrap();
    assert!(
        error_after.abs() < error_before / 10,
        "{error_before} -> {error_after}"
    );

    // Selling below what it cost leaves the owner with a loss, and owing some base that the wallet pays.
    let close = instruction::close(&world.market, &position, &alice.wallet, u64::MAX, u64::MAX);
    let receipt = world.send(&alice.keypair, vec![close]).await.unwrap();
    assert!(matches!(
        &receipt.events[..],
        [.., BallastEvent::PositionClosed(_)]
    ));
    let after = world.wallet_balances(&alice.key()).await.unwrap();
    assert!(after.quote < before.quote, "{before:?} -> {after:?}");
    assert!(world.reload(&position).await.is_err());
    let snapshot = world.snapshot().await.unwrap();
    for side in [Side::Base, Side::Quote] {
        assert_eq!(
            snapshot
                .reserve_at(side, snapshot.now_secs)
                .unwrap()
                .debt_shares,
            0
        );
    }
    world
}

async fn migrations_are_idempotent(world: &World) {
    assert_eq!(world.report.changes.len(), 4, "{}", world.report);
    let again = world.apply(world.config.desired.clone()).await.unwrap();
    assert!(again.changes.is_empty(), "{again}");
    assert_eq!(again.lookup_table, world.report.lookup_table);
    let mut changed = world.config.desired.clone();
    changed.limits.max_leverage_bps = 35_000;
    changed.base_reserve.rate_at_kink_bps = 900;
    let report = world.apply(changed).await.unwrap();
    let what: Vec<_> = report
        .changes
        .iter()
        .map(|change| change.what.as_str())
        .collect();
    assert!(
        matches!(what[..], [market, reserve]
            if market.starts_with("announced a change of market")
            && market.ends_with("max_leverage_bps: 40000 -> max_leverage_bps: 35000")
            && reserve.starts_with("announced a change of Base reserve")),
        "{what:?}"
    );
    // Both announcements are taken back.
    let back = world.apply(world.config.desired.clone()).await.unwrap();
    assert_eq!(back.changes.len(), 2, "{back}");
}
