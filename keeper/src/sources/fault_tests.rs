//! The real stream over real websockets of servers that fail in every way that is known: what is on chain is in the book within seconds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ballast_client::{Chain, Endpoint};
use ballast_feed::{
    Feed, Grpc, Websocket,
    standin::{self, Standin},
};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Instant, interval, timeout},
};

use super::testing::{
    reader::follow,
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
    let mut reader = follow(Arc::new(world.clone()), feeds, timing);
    let began = Instant::now();
    let reading = async {
        let mut changed = false;
        loop {
            reader.next().await.expect("sources that go on");
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

/// A server that refuses every connection at the upgrade, and how often it has.
async fn refusing() -> (Endpoint, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::new(format!("ws://{}/KEY-0123", listener.local_addr().unwrap()));
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let answer =
                "HTTP/1.1 429 Too Many Requests\r\nretry-after: 119\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (endpoint, refused)
}

#[tokio::test]
async fn when_an_endpoint_refuses_the_other_streams_and_it_is_left_alone() {
    let world = World::new(1, Pubkey::default(), 2, Faults::default());
    let (endpoint, refused) = refusing().await;
    let (working, works) = Server::start(&world, Fault::Nothing).await;
    let feeds = [endpoint, works].map(|it| Arc::new(Websocket::new(it)) as Arc<dyn Feed>);
    // No regular answer helps: only the other stream brings what has changed.
    let lost = until_seen(&world, feeds.into(), LIMIT * 2).await;
    assert_eq!(refused.load(Ordering::SeqCst), 1);
    assert_eq!(working.connections.load(Ordering::SeqCst), 1);
    assert!(
        lost.len() == 1 && lost[0].contains("HTTP 429") && !lost[0].contains("KEY"),
        "{lost:?}"
    );
}

/// Alone, it is asked again and again with longer and longer pauses, and what is on chain is read without it.
#[tokio::test]
async fn an_endpoint_that_refuses_is_asked_again_after_longer_and_longer_pauses() {
    let world = World::new(1, Pubkey::default(), 2, Faults::default());
    let (endpoint, refused) = refusing().await;
    let feed = Arc::new(Websocket::new(endpoint)) as Arc<dyn Feed>;
    let lost = until_seen(&world, vec![feed], MS(1_000)).await;
    let refused = refused.load(Ordering::SeqCst);
    // 20, 40, 80 and then 100 ms, for a second and a half at least.
    assert!(refused >= 3 && refused <= lost.len() + 1, "{refused}");
    assert!(lost.iter().all(|lost| lost.contains("HTTP 429")));
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
