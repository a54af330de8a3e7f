//! Polls, doubts and streams that do not come up, in simulated time.

use ballast_client::Endpoint;
use ballast_feed::Websocket;
use tokio::{sync::mpsc, time::timeout};

use super::*;
use crate::sim::{Faults, World, bytes};

fn sources(world: &World, ws_url: Option<Endpoint>) -> Sources {
    let feed = |endpoint| Arc::new(Websocket::new(endpoint)) as Arc<dyn Feed>;
    Sources::new(
        Arc::new(world.clone()),
        ws_url.map(feed).into_iter().collect(),
        vec![Arc::new(bytes::context())],
        Timing::default(),
    )
}

/// Events of so many simulated seconds: market answers, complete answers, lost streams, troubles.
async fn listen(sources: Sources, secs: u64) -> [usize; 4] {
    let (sender, mut receiver) = mpsc::channel(10_000);
    let (_doubts, heard) = Doubts::new();
    let _ = timeout(Duration::from_secs(secs), sources.run(sender, heard)).await;
    let mut seen = [0; 4];
    while let Ok(event) = receiver.try_recv() {
        let kind = match event {
            SourceEvent::Account { .. }
            | SourceEvent::Missing { .. }
            | SourceEvent::Published { .. } => continue,
            SourceEvent::Market { .. } => 0,
            SourceEvent::Positions { positions, .. } => {
                assert_eq!(positions.positions.len(), 2);
                1
            }
            SourceEvent::StreamLost { .. } => 2,
            SourceEvent::Trouble { .. } => 3,
        };
        seen[kind] += 1;
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_everything_is_polled() {
    let world = World::new(1, Pubkey::default(), 2, Faults::default());
    let [markets, positions, lost, troubles] = listen(sources(&world, None), 60).await;
    assert!(
        markets >= 50 && (10..=13).contains(&positions),
        "{markets} {positions}"
    );
    assert_eq!((lost, troubles), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn troubles_are_told_and_survived() {
    let world = World::new(
        2,
        Pubkey::default(),
        2,
        Faults {
            no_answer: 30,
            ..Faults::default()
        },
    );
    let [markets, positions, _, troubles] = listen(sources(&world, None), 300).await;
    assert!(
        markets > 50 && positions >= 5 && troubles > 20,
        "{markets} {positions} {troubles}"
    );
}

#[tokio::test]
async fn a_stream_that_does_not_come_up_is_tried_again_and_polls_go_on() {
    let world = World::new(3, Pubkey::default(), 2, Faults::default());
    // Nothing listens on the discard port.
    let mut sources = sources(&world, Some("ws://127.0.0.1:9".into()));
    sources.timing.backoff_first = Duration::from_millis(10);
    sources.timing.refresh = Duration::from_millis(50);
    let [markets, positions, lost, _] = listen(sources, 2).await;
    assert!(
        lost >= 2 && positions >= 2 && markets > 10,
        "{markets} {positions} {lost}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_in_doubt_is_read() {
    let world = World::new(4, Pubkey::default(), 2, Faults::default());
    let mut sources = sources(&world, None);
    sources.timing.refresh = Duration::from_secs(1_000);
    sources.timing.watchdog = Duration::from_secs(1_000);
    let market = sources.markets[0].address;
    let (sender, mut receiver) = mpsc::channel(100);
    let (doubts, heard) = Doubts::new();
    let (known, unknown) = (
        Pubkey::new_from_array([100; 32]),
        Pubkey::new_from_array([99; 32]),
    );
    let questions = async {
        sleep(Duration::from_secs(10)).await;
        while receiver.try_recv().is_ok() {}
        for address in [known, unknown, market, known] {
            doubts.tell(market, address);
        }
        let mut answers = [0; 3];
        while let Ok(Some(event)) = timeout(Duration::from_secs(5), receiver.recv()).await {
            match event {
                SourceEvent::Market { .. } => answers[0] += 1,
                SourceEvent::Account { address, .. } if address == known => answers[1] += 1,
                SourceEvent::Missing { position, .. } if position == unknown => answers[2] += 1,
                other => panic!("{other:?}"),
            }
        }
        answers
    };
    tokio::select! {
        answers = questions => assert_eq!(answers, [1, 1, 1]),
        () = sources.run(sender, heard) => panic!("ended"),
    }
}
