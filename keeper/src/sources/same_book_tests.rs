//! The same history over a websocket and over gRPC gives the same book, byte for byte. Polls are switched off: what is in the books at the
//! end the streams have told.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ballast_client::{Chain, MarketContext, Positions};
use ballast_feed::{Feed, Grpc, Websocket, standin::Standin};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::watch,
    time::{interval, sleep, timeout},
};

use super::{
    Follower,
    testing::{
        reader::follow,
        ws_server::{Fault, POSITION, Server},
    },
};
use crate::{
    book::MarketBook,
    config::Timing,
    sim::{Faults, World, bytes},
};

const MS: fn(u64) -> Duration = Duration::from_millis;
/// Within which the books are as the chain, however slow the machine.
const LIMIT: Duration = Duration::from_secs(30);
const NEVER: Duration = Duration::from_secs(86_400);

/// What a book holds: each position with its slot, and the market with its slot and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    positions: BTreeMap<Pubkey, (u64, Vec<u8>)>,
    market: String,
}

fn held(book: &MarketBook) -> Held {
    let positions = book.positions().map(|(address, known)| {
        let bytes = bytemuck::bytes_of(&*known.position).to_vec();
        (*address, (known.slot, bytes))
    });
    Held {
        positions: positions.collect(),
        market: format!("{:?}", book.on_chain()),
    }
}

/// What the node itself says.
async fn on_chain(world: &World, market: &MarketContext) -> Held {
    let mut book = MarketBook::new(market.clone());
    let accounts = world.accounts(&market.snapshot_addresses()).await.unwrap();
    book.market_accounts(&accounts).unwrap();
    let positions = Positions::of_market(world, &market.address).await.unwrap();
    book.all_positions(positions.slot.unwrap_or(accounts.slot), positions);
    held(&book)
}

/// What the book holds that one feed fills.
fn held_of(feed: Arc<dyn Feed>, world: &World) -> watch::Receiver<Held> {
    let timing = Timing {
        refresh: NEVER,
        resync: NEVER,
        ..Timing::default()
    };
    let mut reader = follow(Arc::new(world.clone()), vec![feed], timing);
    let (seen, watched) = watch::channel(Held::default());
    tokio::spawn(async move {
        loop {
            reader.next().await.expect("sources that go on");
            let Follower { lost, troubles, .. } = &reader;
            assert!(
                lost.is_empty() && troubles.is_empty(),
                "{lost:?} {troubles:?}"
            );
            if seen.send(held(&reader.book)).is_err() {
                return;
            }
        }
    });
    watched
}

/// Tells a gRPC service what the world becomes.
async fn tell(world: World, service: Arc<Standin>) {
    let mut ticks = interval(MS(20));
    let mut asked = bytes::context().snapshot_addresses().to_vec();
    asked.push(POSITION);
    loop {
        ticks.tick().await;
        let answer = world.accounts(&asked).await.unwrap();
        service.slot(answer.slot);
        for (address, account) in asked.iter().zip(&answer.accounts) {
            if let Some(account) = account {
                service.account(answer.slot, *address, account);
            }
        }
    }
}

#[tokio::test]
async fn the_same_history_gives_the_same_book_over_websocket_and_grpc() {
    let world = World::new(1, Pubkey::default(), 1, Faults::default());
    let (_server, endpoint) = Server::start(&world, Fault::Everything).await;
    let service = Arc::new(Standin::start(None).await.unwrap());
    tokio::spawn(tell(world.clone(), Arc::clone(&service)));
    let feeds: [Arc<dyn Feed>; 2] = [
        Arc::new(Websocket::new(endpoint)),
        Arc::new(Grpc::new(service.endpoint(), None)),
    ];
    let mut books = feeds.map(|feed| held_of(feed, &world));
    for book in &mut books {
        let begun = book.wait_for(|held| held.positions.contains_key(&POSITION));
        timeout(LIMIT, begun).await.expect("not begun").unwrap();
    }
    // Everything has been read by now; the rest is streamed.
    sleep(MS(2_500)).await;
    let before = on_chain(&world, &bytes::context()).await;
    for step in 1..=5 {
        world
            .lock()
            .change_positions(|position| position.idle_base = step);
        world.lock().set_price(200 + i64::try_from(step).unwrap());
        sleep(MS(450)).await;
    }
    sleep(MS(1_000)).await;
    world.lock().stand_still();
    let expected = on_chain(&world, &bytes::context()).await;
    assert_ne!(before, expected);
    for (book, name) in books.iter_mut().zip(["websocket", "grpc"]) {
        let is_same = timeout(LIMIT, book.wait_for(|held| *held == expected))
            .await
            .is_ok();
        assert!(is_same, "{name}: {:?} is not {expected:?}", *book.borrow());
    }
}
