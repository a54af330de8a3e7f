use std::time::Duration;

use ballast_client::{Chain, MarketContext};
use solana_sdk::{instruction::Instruction, signature::Keypair};

use ballast_client::Request;
use ballast_strategy::fixtures::SLOT;

use super::{carry::compute_limit, *};
use crate::sim::{Faults, World, bytes, world::TABLE};
use crate::{event::KeeperEvent, journal::Outcome};
use ballast_model::Amounts;

const POSITION: Pubkey = Pubkey::new_from_array([100; 32]);
const PAUSE: Duration = Duration::from_millis(400);

fn world() -> World {
    World::new(1, Pubkey::default(), 1, Faults::default())
}

fn request(market: &MarketContext, min_slot: u64) -> ViewRequest<'_> {
    ViewRequest {
        market,
        position: POSITION,
        min_slot,
        fees: None,
        wallet: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_view_is_not_older_than_asked_for() {
    let (world, market) = (world(), bytes::context());
    let view = View::fetch(&world, &request(&market, SLOT + 20), PAUSE)
        .await
        .unwrap();
    assert!(view.market.slot >= SLOT + 20 && view.position.is_some());
    assert_eq!(view.fresh.market.slot, view.market.slot);
    let behind = View::fetch(&world, &request(&market, SLOT + 10_000), PAUSE)
        .await
        .unwrap_err();
    assert!(
        matches!(behind, ViewError::Behind { min_slot, .. } if min_slot == SLOT + 10_000),
        "{behind}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_closed_position_and_an_empty_wallet_are_seen() {
    let (world, market) = (world(), bytes::context());
    let max_pay = Amounts { base: 5, quote: 6 };
    let wallet = Some((market.wallet(&POSITION), max_pay));
    let gone = ViewRequest {
        position: Pubkey::new_from_array([99; 32]),
        wallet,
        ..request(&market, 0)
    };
    let view = View::fetch(&world, &gone, PAUSE).await.unwrap();
    assert!(view.position.is_none() && view.fresh.position.is_none());
    assert_eq!(view.funds, Some(Amounts::ZERO));
}

#[tokio::test]
async fn the_compute_limit_is_read_from_the_transaction() {
    let (world, payer) = (world(), Keypair::new());
    let instruction = Instruction::new_with_bytes(ballast::ID, &[2, 9, 9, 9, 9], Vec::new());
    let sender = Sender::new(Arc::new(world) as Arc<dyn Chain>, SenderConfig::default());
    for fee in [PriorityFee::None, PriorityFee::Fixed(7)] {
        let request = Request::new(&payer, [instruction.clone()])
            .compute_limit(123_456)
            .fee(fee);
        let prepared = sender.prepare(&request).await.unwrap();
        assert_eq!(compute_limit(prepared.transaction()), Some(123_456));
    }
}

#[test]
fn failures_because_somebody_else_was_faster_are_races() {
    use ballast_client::{BallastError as E, Failure};
    for (error, raced) in [
        (E::RehedgeNotDue, true),
        (E::TooSoon, true),
        (E::DeleverageNotDue, true),
        (E::NotLiquidatable, true),
        (E::RecenterNotDue, true),
        (E::ExitNotDue, true),
        (E::CompoundNotDue, true),
        (E::NoLiquidity, true),
        (E::SwapLossTooHigh, false),
        (E::PriceStale, false),
    ] {
        let failure = Failure::new(
            crate::sim::custom(error),
            Vec::new(),
            &[Pubkey::default(), Pubkey::default(), ballast::ID],
        );
        let outcome = settle::failed(9, &failure);
        assert_eq!(
            matches!(outcome, Outcome::Raced { slot: 9, .. }),
            raced,
            "{outcome:?}"
        );
        assert_eq!(
            matches!(outcome, Outcome::Failed { slot: 9, .. }),
            !raced,
            "{outcome:?}"
        );
    }
}

/// An executor in that world, and what it warns of.
fn executor(world: &World) -> (Executor, tokio::sync::broadcast::Receiver<KeeperEvent>) {
    let config = crate::sim::config(crate::Mode::Active);
    let events = Events::default();
    let heard = events.subscribe();
    let chain = Arc::new(world.clone());
    let executor = Executor::new(chain, None, None, Arc::new(config), events);
    (executor, heard)
}

async fn keys(executor: &Executor, market: &MarketContext) -> Vec<Pubkey> {
    let tables = executor.tables(market).await.unwrap();
    tables.iter().map(|table| table.key).collect()
}

fn warnings(heard: &mut tokio::sync::broadcast::Receiver<KeeperEvent>) -> usize {
    let mut count = 0;
    while let Ok(event) = heard.try_recv() {
        count += usize::from(matches!(event, KeeperEvent::Warning { .. }));
    }
    count
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_lookup_table_is_not_remembered() {
    let (world, market) = (world(), bytes::context());
    let (executor, mut heard) = executor(&world);
    let table = world.lock().tables.remove(&TABLE).unwrap();
    for warned in [1, 0] {
        assert!(keys(&executor, &market).await.is_empty());
        assert_eq!(warnings(&mut heard), warned);
    }
    world.lock().tables.insert(TABLE, table);
    world.lock().refused.insert("tables");
    for warned in [1, 0] {
        assert!(keys(&executor, &market).await.is_empty());
        assert_eq!(warnings(&mut heard), warned);
    }
    world.lock().refused.clear();
    assert_eq!(keys(&executor, &market).await, [TABLE]);
    // Where it is, is remembered: it is found without a search.
    world.lock().refused.insert("tables");
    assert_eq!(keys(&executor, &market).await, [TABLE]);
    assert_eq!(warnings(&mut heard), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lookup_table_that_was_closed_or_replaced_is_looked_for_again() {
    const OTHER: Pubkey = Pubkey::new_from_array([42; 32]);
    let (world, market) = (world(), bytes::context());
    let (executor, _heard) = executor(&world);
    assert_eq!(keys(&executor, &market).await, [TABLE]);
    let table = world.lock().tables.remove(&TABLE).unwrap();
    assert!(keys(&executor, &market).await.is_empty());
    world.lock().tables.insert(OTHER, table);
    assert_eq!(keys(&executor, &market).await, [OTHER]);
    // About to be closed: it serves until there is another one.
    let leaving = bytes::lookup_table_until(5);
    world.lock().tables.insert(OTHER, leaving);
    assert_eq!(keys(&executor, &market).await, [OTHER]);
    world.lock().tables.insert(TABLE, bytes::lookup_table());
    assert_eq!(keys(&executor, &market).await, [TABLE]);
    // Another market's now, or something else altogether.
    for other in [bytes::mint_account(), bytes::lamports(1)] {
        world.lock().tables.insert(TABLE, other);
        world.lock().tables.insert(OTHER, bytes::lookup_table());
        assert_eq!(keys(&executor, &market).await, [OTHER]);
        world.lock().tables.insert(TABLE, bytes::lookup_table());
        world.lock().tables.remove(&OTHER);
        assert_eq!(keys(&executor, &market).await, [TABLE]);
    }
}

#[tokio::test(start_paused = true)]
async fn instead_of_a_configured_lookup_table_that_is_gone_another_one_is_used() {
    let (world, market) = (world(), bytes::context());
    let gone = Pubkey::new_from_array([43; 32]);
    let mut config = crate::sim::config(crate::Mode::Active);
    config.markets[0].lookup_table = Some(gone);
    let events = Events::default();
    let mut heard = events.subscribe();
    let chain = Arc::new(world.clone());
    let executor = Executor::new(chain, None, None, Arc::new(config), events);
    for warned in [1, 0] {
        assert_eq!(keys(&executor, &market).await, [TABLE]);
        assert_eq!(warnings(&mut heard), warned);
    }
}
