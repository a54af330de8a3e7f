//! The gRPC feed over real connections to the stand-in, which misbehaves in every way that is known.

use std::{sync::Arc, time::Duration};

use anchor_lang::Discriminator;
use ballast_client::{Account, Endpoint, Position, Pubkey, ballast};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    Feed, FeedError, Grpc, KeepAlive, Limits, Recent, Token, Update, Updates, Wanted,
    standin::{Fault, Standin},
};

/// Within which whatever has to happen happens, however slow the machine.
const LIMIT: Duration = Duration::from_secs(30);
const KEY: &str = "SECRET-0123456789";

fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

fn account(owner: Pubkey, data: Vec<u8>) -> Account {
    Account {
        lamports: 5,
        data,
        owner,
        executable: false,
        rent_epoch: u64::MAX,
    }
}

/// A position of a market with something to tell it by.
fn position(market: Pubkey, idle_base: u64) -> Account {
    let mut position: Position = bytemuck::Zeroable::zeroed();
    (position.market, position.idle_base) = (market, idle_base);
    let mut data = Position::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&position));
    account(ballast::ID, data)
}

/// Two markets that share an account.
fn wanted() -> Vec<Wanted> {
    let of = |market: u8| Wanted {
        market: key(market),
        accounts: vec![key(market), key(9)],
    };
    vec![of(1), of(2)]
}

async fn next(updates: &mut Box<dyn Updates>) -> Result<Update, FeedError> {
    timeout(LIMIT, updates.next()).await.expect("nothing came")
}

/// Waits until something holds.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, waiting).await.expect("it never came");
}

fn told(market: u8, address: u8, slot: u64, version: u64, account: &Account) -> Update {
    Update::Account {
        market: key(market),
        address: key(address),
        slot,
        write_version: Some(version),
        account: account.clone(),
    }
}

#[tokio::test]
async fn what_is_wanted_is_told_and_nothing_else() {
    let standin = Standin::start(None).await.unwrap();
    let feed = Grpc::new(standin.endpoint(), None);
    let mut updates = feed.subscribe(&wanted()).await.unwrap();
    let other = account(key(50), vec![1, 2, 3]);
    let (first, second) = (position(key(1), 7), position(key(2), 8));
    let mut forged = first.clone();
    forged.owner = key(50);
    standin.slot(100);
    standin.account(100, key(1), &other);
    // Nobody's, of a third market, and of another program.
    standin.account(100, key(60), &other);
    standin.account(100, key(61), &position(key(3), 9));
    standin.account(100, key(62), &forged);
    standin.account(101, key(63), &first);
    standin.account(101, key(64), &second);
    // Both markets' at once.
    standin.account(102, key(9), &other);
    standin.dead(102);
    let expected = [
        Update::Slot(100),
        told(1, 1, 100, 0, &other),
        told(1, 63, 101, 4, &first),
        told(2, 64, 101, 5, &second),
        told(1, 9, 102, 6, &other),
        told(2, 9, 102, 6, &other),
        Update::Dead(102),
    ];
    for expected in expected {
        assert_eq!(next(&mut updates).await, Ok(expected));
    }
    drop(updates);
    until(|| standin.subscribers() == 0).await;
}

#[tokio::test]
async fn a_stream_that_the_service_ends_says_why() {
    for (fault, why) in [(Fault::Lagged, "lagged"), (Fault::OutOfRange, "OutOfRange")] {
        let standin = Standin::start(None).await.unwrap();
        let feed = Grpc::new(standin.endpoint(), None);
        let mut updates = feed.subscribe(&wanted()).await.unwrap();
        standin.slot(1);
        assert_eq!(next(&mut updates).await, Ok(Update::Slot(1)));
        standin.set_fault(fault);
        standin.slot(2);
        let Err(FeedError::Ended { reason, .. }) = next(&mut updates).await else {
            panic!("{fault:?}: went on");
        };
        assert!(reason.contains(why), "{reason}");
        // And again, for who begins anew.
        standin.set_fault(Fault::Nothing);
        let mut updates = feed.subscribe(&wanted()).await.unwrap();
        standin.slot(3);
        assert_eq!(next(&mut updates).await, Ok(Update::Slot(3)));
    }
}

#[tokio::test]
async fn a_service_that_refuses_for_ever_is_an_error_each_time() {
    let standin = Standin::start(None).await.unwrap();
    standin.set_fault(Fault::Internal);
    let feed = Grpc::new(standin.endpoint(), None);
    for _ in 0..3 {
        let refused = feed.subscribe(&wanted()).await.err().unwrap();
        assert!(matches!(refused, FeedError::Subscribe { .. }), "{refused}");
        assert!(refused.to_string().contains("Internal"), "{refused}");
    }
    assert_eq!(standin.subscriptions(), 3);
    drop(standin);
    let nobody = Grpc::new(Endpoint::new("http://127.0.0.1:9"), None);
    let refused = nobody.subscribe(&wanted()).await.err().unwrap();
    assert!(matches!(refused, FeedError::Connect { .. }), "{refused}");
}

#[tokio::test]
async fn a_ping_is_no_update() {
    let standin = Standin::start(None).await.unwrap();
    let feed = Grpc::new(standin.endpoint(), None);
    let mut updates = feed.subscribe(&wanted()).await.unwrap();
    standin.set_fault(Fault::Silence);
    for slot in 0..10 {
        standin.slot(slot);
    }
    // The reader's watchdog has to see that nothing comes.
    let silent = timeout(Duration::from_millis(300), updates.next()).await;
    assert!(silent.is_err(), "{silent:?}");
    standin.set_fault(Fault::Nothing);
    standin.slot(11);
    assert_eq!(next(&mut updates).await, Ok(Update::Slot(11)));
}

#[tokio::test]
async fn a_message_of_5_mib_is_taken() {
    let standin = Standin::start(None).await.unwrap();
    let feed = Grpc::new(standin.endpoint(), None);
    let mut updates = feed.subscribe(&wanted()).await.unwrap();
    standin.set_fault(Fault::Large);
    let position = position(key(1), 7);
    standin.account(5, key(63), &position);
    let Ok(Update::Account { account, .. }) = next(&mut updates).await else {
        panic!("not taken");
    };
    assert_eq!(account.data.len(), 5 << 20);
    let after = next(&mut updates).await;
    assert_eq!(after, Ok(told(1, 63, 5, 0, &position)));
}

#[tokio::test]
async fn duplicates_and_older_writes_of_a_slot_are_no_news() {
    let standin = Standin::start(None).await.unwrap();
    let feed = Grpc::new(standin.endpoint(), None);
    let mut updates = feed.subscribe(&wanted()).await.unwrap();
    standin.set_fault(Fault::Duplicates);
    for idle_base in 1..=3 {
        standin.account(5, key(63), &position(key(1), idle_base));
    }
    standin.slot(6);
    let (mut recent, mut news, mut all) = (Recent::default(), Vec::new(), 0);
    loop {
        match next(&mut updates).await.unwrap() {
            Update::Account {
                address,
                slot,
                write_version,
                account,
                ..
            } => {
                all += 1;
                if recent.is_news(slot, address, write_version) {
                    news.push(account);
                }
            }
            Update::Slot(6) => break,
            other => panic!("{other:?}"),
        }
    }
    let expected: Vec<_> = (1..=3).map(|base| position(key(1), base)).collect();
    assert_eq!((news, all), (expected, 10));
}

#[tokio::test]
async fn the_token_is_shown_to_the_service_and_to_nobody_else() {
    let standin = Standin::start(Some(KEY)).await.unwrap();
    let right = Grpc::new(standin.endpoint(), Some(Token::new(&format!("{KEY}\n"))));
    let mut updates = right.subscribe(&wanted()).await.unwrap();
    standin.slot(1);
    assert_eq!(next(&mut updates).await, Ok(Update::Slot(1)));
    assert!(!format!("{right:?}").contains(KEY));
    let wrong = Grpc::new(standin.endpoint(), Some(Token::new("WRONG-TOKEN-1")));
    let refused = wrong.subscribe(&wanted()).await.err().unwrap();
    let told = format!("{refused} {refused:?} {wrong:?}");
    assert!(
        told.contains("Unauthenticated") && !told.contains("WRONG-TOKEN-1"),
        "{told}"
    );
    let none = Grpc::new(standin.endpoint(), None);
    assert!(none.subscribe(&wanted()).await.is_err());
    let odd = Grpc::new(standin.endpoint(), Some(Token::new("two\nlines")));
    let refused = odd.subscribe(&wanted()).await.err().unwrap().to_string();
    assert!(
        refused.contains("token") && !refused.contains("lines"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_reader_that_does_not_keep_up_is_told_and_nothing_is_dropped_quietly() {
    let limits = Limits {
        updates: 10,
        bytes: 1 << 20,
    };
    let standin = Standin::start(None).await.unwrap();
    let feed = Grpc::new(standin.endpoint(), None).with_limits(limits);
    let mut updates = feed.subscribe(&wanted()).await.unwrap();
    for slot in 0..100 {
        standin.slot(slot);
    }
    until(|| standin.subscribers() == 0).await;
    let error = next(&mut updates).await.unwrap_err();
    assert!(
        matches!(error, FeedError::Overflow { updates: 10, .. }),
        "{error}"
    );
}

/// A connection whose other side has gone without a word: nothing is refused, nothing comes.
#[tokio::test]
async fn http2_notices_that_the_other_side_is_gone() {
    let standin = Standin::start(None).await.unwrap();
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::new(format!("http://{}", relay.local_addr().unwrap()));
    let (to, gone) = (standin.address(), Arc::new(tokio::sync::Notify::new()));
    let goes = Arc::clone(&gone);
    tokio::spawn(async move {
        let (mut near, _) = relay.accept().await.unwrap();
        let mut far = TcpStream::connect(to).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => {}
            () = goes.notified() => {}
        }
        // Both stay open.
        std::future::pending::<()>().await;
    });
    let ms = Duration::from_millis;
    let feed = Grpc::new(endpoint, None).with_keep_alive(KeepAlive {
        every: ms(200),
        within: ms(3_000),
    });
    let mut updates = feed.subscribe(&wanted()).await.unwrap();
    standin.slot(1);
    assert_eq!(next(&mut updates).await, Ok(Update::Slot(1)));
    // As long as it answers, silence alone ends nothing.
    let silent = timeout(ms(1_000), updates.next()).await;
    assert!(silent.is_err(), "{silent:?}");
    gone.notify_one();
    let ended = next(&mut updates).await.unwrap_err();
    assert!(matches!(ended, FeedError::Ended { .. }), "{ended}");
}

#[tokio::test]
async fn a_service_says_what_it_is_and_whether_a_token_is_missing() {
    let standin = Standin::start(Some("TOKEN-123456")).await.unwrap();
    standin.slot(100);
    standin.slot(90);
    let with = |token: Option<&str>| Grpc::new(standin.endpoint(), token.map(Token::new));
    let seen = with(Some("TOKEN-123456")).look().await.unwrap();
    assert_eq!(seen.slot, 100);
    assert!(seen.version.contains("1.2.3"), "{}", seen.version);
    for token in [None, Some("TOKEN-654321")] {
        let error = with(token).look().await.unwrap_err();
        assert!(
            matches!(error, FeedError::Unauthenticated { .. }),
            "{error:?}"
        );
        assert!(!error.to_string().contains("TOKEN"), "{error}");
    }
    standin.set_fault(Fault::Internal);
    let error = with(Some("TOKEN-123456")).look().await.unwrap_err();
    assert!(error.to_string().contains("something is wrong"), "{error}");
    let nobody = Grpc::new("http://127.0.0.1:9".into(), None);
    let error = nobody.look().await.unwrap_err();
    assert!(matches!(error, FeedError::Connect { .. }), "{error:?}");
}
