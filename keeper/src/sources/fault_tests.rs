//! The real stream over real websockets of servers that fail in every way that is known: what is on chain is in the book within seconds.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ballast_client::Chain;
use ballast_feed::{
    Feed, Grpc, Websocket,
    standin::{self, Standin},
};
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, interval, timeout};

use super::{
    reader::Reader,
    ws_server::{ALL, Fault, POSITION, Server},
};
use crate::{
    config::Timing,
    sim::{Faults, World},
};

const MS: fn(u64) -> Duration = Duration::from_millis;
/// Within which what is on chain has to be in the book, however slow the machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Changes a position a while after the stream has begun, and reads until the book has it. Which streams were lost meanwhile.
async fn until_seen(world: &World, feeds: Vec<Arc<dyn Feed>>, resync: Duration) -> Vec<String> {
    let timing = Timing {
        refresh: MS(200),
        watchdog: MS(1_000),
        resync,
        backoff_first: MS(10),
        backoff_max: MS(100),
        ..Timing::default()
    };
    let mut reader = Reader::start(Arc::new(world.clone()), feeds, timing);
    let began = Instant::now();
    let reading = async {
        let mut changed = false;
        loop {
            reader.next().await;
            if !changed && began.elapsed() > MS(1_500) {
                changed = true;
                world
                    .lock()
                    .change_positions(|position| position.idle_base = 77);
            }
            let known = reader.book.position(&POSITION);
            if changed && known.is_some_and(|known| known.position.idle_base == 77) {
                return;
            }
        }
    };
    timeout(LIMIT, reading).await.expect("not seen");
    reader.lost
}

/// The same over websockets of servers with these faults; which streams were lost, and how often each server was connected to.
async fn story(faults: &[Fault], polls_positions: bool) -> (Vec<String>, Vec<usize>) {
    let world = World::new(1, Pubkey::default(), 2, Faults::default());
    let (mut servers, mut feeds) = (Vec::new(), Vec::new());
    for fault in faults {
        let (server, endpoint) = Server::start(&world, *fault).await;
        servers.push(server);
        feeds.push(Arc::new(Websocket::new(endpoint)) as Arc<dyn Feed>);
    }
    let resync = if polls_positions {
        MS(1_000)
    } else {
        LIMIT * 2
    };
    let lost = until_seen(&world, feeds, resync).await;
    let connections = servers
        .iter()
        .map(|it| it.connections.load(Ordering::SeqCst));
    (lost, connections.collect())
}

/// The same over gRPC of a service that misbehaves from a moment on, or from the beginning if it then refuses.
async fn grpc_story(fault: standin::Fault) -> (Vec<String>, usize) {
    let world = World::new(1, Pubkey::default(), 2, Faults::default());
    let service = Arc::new(Standin::start(None).await.unwrap());
    if fault == standin::Fault::Internal {
        service.set_fault(fault);
    }
    let feed = Arc::new(Grpc::new(service.endpoint(), None)) as Arc<dyn Feed>;
    let (told, asked) = (Arc::clone(&service), world.clone());
    let telling = async move {
        let mut ticks = interval(MS(20));
        for round in 0_u64.. {
            ticks.tick().await;
            if round == 50 {
                told.set_fault(fault);
            }
            let Ok(answer) = asked.accounts(&[POSITION]).await else {
                continue;
            };
            told.slot(answer.slot);
            for account in answer.accounts.iter().flatten() {
                told.account(answer.slot, POSITION, account);
            }
        }
    };
    // No regular answer helps.
    let lost = tokio::select! {
        lost = until_seen(&world, vec![feed], LIMIT * 2) => lost,
        () = telling => panic!("ended"),
    };
    (lost, service.subscriptions())
}

#[tokio::test]
async fn whatever_a_stream_does_what_is_on_chain_comes_into_the_book() {
    let all = ALL.map(|fault| async move { (fault, story(&[fault], true).await) });
    for (fault, (lost, _)) in futures_util::future::join_all(all).await {
        let ends = matches!(
            fault,
            Fault::HalfOpen | Fault::Closes | Fault::Garbage | Fault::Truncated | Fault::FutureSlot
        );
        assert_eq!(!lost.is_empty(), ends, "{fault:?}: {lost:?}");
    }
}

#[tokio::test]
async fn when_a_stream_breaks_the_next_endpoint_is_tried() {
    for fault in [Fault::HalfOpen, Fault::FutureSlot] {
        // No regular answer helps: only the other stream brings what has changed.
        let (lost, connections) = story(&[fault, Fault::Nothing], false).await;
        assert_eq!(connections.len(), 2);
        assert!(
            connections.iter().all(|count| *count >= 1),
            "{fault:?}: {connections:?}"
        );
        assert!(!lost.is_empty());
    }
}

#[tokio::test]
async fn whatever_a_grpc_stream_does_what_is_on_chain_comes_into_the_book() {
    use standin::Fault;
    let all = [
        Fault::Nothing,
        Fault::Silence,
        Fault::Lagged,
        Fault::OutOfRange,
        Fault::Internal,
        Fault::Duplicates,
        Fault::Large,
    ];
    let all = all.map(|fault| async move { (fault, grpc_story(fault).await) });
    for (fault, (lost, subscriptions)) in futures_util::future::join_all(all).await {
        let why = match fault {
            Fault::Nothing | Fault::Duplicates | Fault::Large => None,
            Fault::Silence => Some("no message"),
            Fault::Lagged => Some("lagged"),
            Fault::OutOfRange => Some("OutOfRange"),
            Fault::Internal => Some("Internal"),
        };
        match why {
            None => assert!(lost.is_empty() && subscriptions == 1, "{fault:?}: {lost:?}"),
            Some(why) => assert!(
                !lost.is_empty() && lost.iter().any(|lost| lost.contains(why)),
                "{fault:?}: {lost:?}"
            ),
        }
    }
}
