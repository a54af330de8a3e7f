//! Our client against the stand-in, one misbehaviour at a time: what it says of each, and what the stream notices.

mod support;

use ballast_venue::{
    hyperliquid::{
        bytes::Cloid,
        client::{Hyperliquid, Settings, Signer},
        nonce::Nonces,
        sign::Network,
        stream::{Event, Stream, StreamError},
    },
    instrument::{Instrument, Side},
    standin::faults::{Fault, Faults},
    venue::{FillKind, Order, OrderState, Venue, VenueError},
};
use rust_decimal::Decimal;
use std::time::Duration;
use support::{START_MS, World, dec, http};

fn order(number: u8, side: Side, size: &str) -> Order {
    Order {
        coin: "SOL".into(),
        side,
        size: dec(size),
        cap: dec(if side == Side::Buy { "101" } else { "99" }),
        reduce_only: false,
        cloid: Cloid([number; 16]),
        expires_after_ms: START_MS + 60_000,
    }
}

#[tokio::test]
async fn what_is_said_of_an_order_is_true_whatever_happens_to_its_answer() {
    type Said<'a> = &'a dyn Fn(&VenueError) -> bool;
    let world = World::new(Faults::none(), http()).await;
    let client = world.client();
    let (busy, unknown, agent) = (
        |error: &VenueError| matches!(error, VenueError::Busy { .. }),
        |error: &VenueError| matches!(error, VenueError::Unknown(_)),
        |error: &VenueError| matches!(error, VenueError::AgentUnknown(_)),
    );
    let cases: [(Fault, Said<'_>, bool); 8] = [
        (Fault::LoseRequest, &unknown, false),
        (Fault::LoseAnswer, &unknown, true),
        (Fault::BadGateway { done: true }, &unknown, true),
        (Fault::BadGateway { done: false }, &unknown, false),
        (Fault::Garbage, &unknown, true),
        (
            Fault::Error("Invalid nonce: duplicate nonce"),
            &unknown,
            false,
        ),
        (
            Fault::Error("User or API Wallet 0x00 does not exist."),
            &agent,
            false,
        ),
        (Fault::TooMany, &busy, false),
    ];
    for (number, (fault, said, done)) in (1..).zip(cases) {
        world.faults.lock().unwrap().force(fault);
        let order = order(number, Side::Sell, "1");
        let error = client.place(&order).await.unwrap_err();
        assert!(said(&error), "{fault:?}: {error}");
        let state = client.order(order.cloid).await.unwrap();
        assert_eq!(
            matches!(state, OrderState::Closed(found) if found.filled == Decimal::ONE),
            done,
            "{fault:?}: {state:?}"
        );
        assert_eq!(state == OrderState::NeverSeen, !done);
    }
    // After 429 nothing ordinary for a while, but what protects.
    assert!(matches!(
        client.place(&order(20, Side::Sell, "1")).await,
        Err(VenueError::Busy { .. })
    ));
    let reducing = Order {
        reduce_only: true,
        ..order(21, Side::Buy, "1")
    };
    assert_eq!(client.place(&reducing).await.unwrap().filled, Decimal::ONE);
    world.clock.advance(10_000);
    let thin = order(22, Side::Sell, "150");
    world.faults.lock().unwrap().force(Fault::Thin);
    let partly = client
        .place(&Order {
            cap: dec("99.9"),
            ..thin
        })
        .await
        .unwrap();
    assert!(partly.filled > Decimal::ZERO && partly.filled < 150.into());
    let fills = client.fills(0).await.unwrap();
    let sold: Decimal = fills.iter().map(|fill| fill.side.signed(fill.size)).sum();
    assert_eq!(client.account().await.unwrap().position("SOL"), sold);
    assert_eq!(
        fills,
        world.exchange(|exchange| exchange
            .ledger(world.owner)
            .unwrap()
            .fills
            .iter()
            .map(|record| record.fill.clone())
            .collect::<Vec<_>>())
    );
}

#[tokio::test]
async fn what_is_refused_is_refused_before_or_at_the_venue() {
    let world = World::new(Faults::none(), http()).await;
    let client = world.client();
    assert!(matches!(
        client
            .place(&Order {
                cap: dec("100.0001"),
                ..order(1, Side::Buy, "1")
            })
            .await,
        Err(VenueError::Step(_))
    ));
    assert!(matches!(
        client
            .place(&Order {
                size: dec("1.001"),
                ..order(2, Side::Buy, "1")
            })
            .await,
        Err(VenueError::Step(_))
    ));
    assert!(matches!(
        client
            .place(&Order {
                coin: "XYZ".into(),
                ..order(3, Side::Buy, "1")
            })
            .await,
        Err(VenueError::Refused(_))
    ));
    assert!(
        matches!(client.place(&order(4, Side::Buy, "0.01")).await, Err(VenueError::Refused(text)) if text.contains("$10"))
    );
    assert!(matches!(
        client
            .place(&Order {
                cap: dec("50"),
                ..order(5, Side::Buy, "1")
            })
            .await,
        Err(VenueError::Refused(_))
    ));
    let late = Order {
        expires_after_ms: START_MS - 1,
        ..order(6, Side::Buy, "1")
    };
    assert!(
        matches!(client.place(&late).await, Err(VenueError::Refused(text)) if text.contains("xpire"))
    );
    // The same key on the other network signs for nobody here.
    let settings = Settings {
        url: world.stand_in.url(),
        network: Network::Mainnet,
        account: world.owner,
        vault: None,
        timeout: Duration::from_secs(5),
    };
    let nonces = Nonces::open(&world.folder.path().join("other")).unwrap();
    let other = Hyperliquid::new(
        settings,
        world.http.clone(),
        Some(Signer {
            agent: world.agent.clone(),
            nonces,
        }),
        world.clock.clone(),
    );
    assert!(matches!(
        other.place(&order(7, Side::Buy, "1")).await,
        Err(VenueError::AgentUnknown(_))
    ));
    // A twin of the agent that does not know its nonces: what it says is unknown is settled by asking.
    let nonces = Nonces::open(&world.folder.path().join("twin")).unwrap();
    let signer = Signer {
        agent: world.agent.clone(),
        nonces,
    };
    let settings = Settings {
        url: world.stand_in.url(),
        network: Network::Testnet,
        account: world.owner,
        vault: None,
        timeout: Duration::from_secs(5),
    };
    let twin = Hyperliquid::new(
        settings,
        world.http.clone(),
        Some(signer),
        world.clock.clone(),
    );
    let twice = order(8, Side::Buy, "1");
    assert!(
        matches!(twin.place(&twice).await, Err(VenueError::Unknown(text)) if text.contains("nonce"))
    );
    assert_eq!(
        twin.order(twice.cloid).await.unwrap(),
        OrderState::NeverSeen
    );
    assert!(client.fills(0).await.unwrap().is_empty());
    assert!(matches!(
        client.cancel("SOL", Cloid([9; 16])).await,
        Err(VenueError::Refused(_))
    ));
    client
        .schedule_cancel(Some(START_MS + 10_000))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_unified_account_is_not_poor_and_funding_and_forced_trades_are_read() {
    let world = World::new(Faults::none(), http()).await;
    let client = world.client();
    client.place(&order(1, Side::Sell, "10")).await.unwrap();
    world.exchange(|exchange| exchange.set_funding(0, dec("0.0000125"), dec("0.0001")));
    world.clock.advance(2 * 3_600_000);
    world.exchange(|exchange| exchange.deleverage(world.owner, 0, 4.into(), dec("95")));
    let apart = client.account().await.unwrap();
    world.exchange(|exchange| exchange.deposit(world.owner, Decimal::ZERO).unified = true);
    let unified = client.account().await.unwrap();
    assert_eq!(unified, apart);
    assert!(unified.equity > 99_000.into() && unified.position("SOL") == (-6).into());
    let funding = client.funding(0).await.unwrap();
    assert_eq!(
        funding
            .iter()
            .map(|payment| payment.usdc)
            .collect::<Vec<_>>(),
        [dec("0.0125"), dec("0.0125")]
    );
    assert_eq!(
        client.fills(0).await.unwrap().last().unwrap().kind,
        FillKind::Deleveraging
    );
}

#[tokio::test]
async fn the_stream_tells_what_happens_and_its_silence_is_noticed() {
    let world = World::new(Faults::none(), http()).await;
    let client = world.client();
    let meta = client.instruments().await.unwrap();
    let url = world.stand_in.url();
    let connect = |coins: &'static [&'static str], meta: Vec<Instrument>, silence| {
        let (url, owner) = (url.clone(), world.owner);
        async move { Stream::connect(&url, owner, coins, &meta, Duration::from_millis(silence)).await }
    };
    assert!(
        matches!(connect(&["SOL", "XYZ"], meta.to_vec(), 1000).await, Err(StreamError::UnknownCoin(coin)) if coin == "XYZ")
    );
    // Had it been subscribed, the venue would have closed everything.
    let invented = Instrument {
        coin: "XYZ".into(),
        ..meta[0].clone()
    };
    let mut closed = connect(&["XYZ"], vec![invented], 5000).await.unwrap();
    let ended = async {
        loop {
            if let Err(error) = closed.next().await {
                return error;
            }
        }
    };
    assert!(matches!(
        ended.await,
        StreamError::Closed | StreamError::Broken(_)
    ));

    let mut stream = connect(&["SOL"], meta.to_vec(), 600).await.unwrap();
    let placed = order(1, Side::Sell, "3");
    client.place(&placed).await.unwrap();
    let (mut filled, mut told, mut books) = (Decimal::ZERO, false, 0);
    while filled < 3.into() || !told || books == 0 {
        match stream.next().await.unwrap() {
            Event::Fills(fills) => filled += fills.iter().map(|fill| fill.size).sum::<Decimal>(),
            Event::Orders(cloids) => told |= cloids.contains(&placed.cloid),
            Event::Depth { depth, coin } => {
                assert_eq!(coin, "SOL");
                assert!(!depth.bids.is_empty());
                books += 1;
            }
            Event::Alive => {}
            other => panic!("{other:?}"),
        }
    }
    // Quiet, but alive: pings are answered.
    let quiet = tokio::time::timeout(Duration::from_millis(1500), async {
        loop {
            match stream.next().await {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    });
    assert!(quiet.await.is_err());
    world.faults.lock().unwrap().silent_stream = true;
    let dead = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            if let Err(error) = stream.next().await {
                return error;
            }
        }
    });
    assert!(matches!(dead.await, Ok(StreamError::Silent(_))));
}

#[tokio::test]
async fn settlements_and_fees_are_read_over_several_answers() {
    let world = World::new(Faults::none(), http()).await;
    let client = world.client();
    world.exchange(|exchange| exchange.set_funding(0, dec("0.0000125"), dec("0.0002")));
    world.clock.advance(1_200 * 3_600_000);
    let settled = client.settlements("SOL", 0).await.unwrap();
    assert_eq!(settled.len(), 1_200);
    assert!(
        settled
            .windows(2)
            .all(|pair| pair[1].hour == pair[0].hour + 1)
    );
    assert!(
        settled.iter().all(
            |settled| (settled.rate - 0.000_012_5).abs() < 1e-12 && settled.interval_hours == 1
        )
    );
    assert_eq!(client.taker_fee().await.unwrap(), dec("0.00045"));
}
