//! The embedded node's own history gives the keeper the same book over the node's websocket and over a gRPC service that is fed from the node,
//! byte for byte, after every step. Polls are switched off: what is in the books the streams have brought.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ballast_client::{
    Accounts, Amounts, Chain, MarketContext, Positions, Pubkey, Side, Trade, ballast, instruction,
};
use ballast_feed::{Feed, Grpc, Websocket, standin::Standin};
use ballast_keeper::{Timing, book::MarketBook, sources::Follower};
use ballast_localnet::{Trader, UsdPrice, World};
use tokio::{
    sync::watch,
    time::{interval, timeout},
};

use crate::node::Node;

/// Within which a book is as the chain, however slow the machine.
const LIMIT: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::from_secs(86_400);

/// What a book holds: every position's bytes, and the market but for its clock, which goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    positions: BTreeMap<Pubkey, Vec<u8>>,
    market: String,
}

fn held(book: &MarketBook) -> Held {
    let positions = book.positions().map(|(address, known)| {
        let bytes = bytemuck::bytes_of(&*known.position).to_vec();
        (*address, bytes)
    });
    let market = book.on_chain().map(|market| {
        let mut market = market.clone();
        (market.now_secs, market.slot) = (0, 0);
        format!("{market:?}")
    });
    Held {
        positions: positions.collect(),
        market: market.unwrap_or_default(),
    }
}

/// What the node itself says.
async fn on_chain(world: &World) -> Held {
    let (chain, market) = (world.net.chain(), &world.market);
    let mut book = MarketBook::new(market.clone());
    let accounts = chain.accounts(&market.snapshot_addresses()).await.unwrap();
    book.market_accounts(&accounts).unwrap();
    let positions = Positions::of_market(chain.as_ref(), &market.address)
        .await
        .unwrap();
    book.all_positions(accounts.slot, positions);
    held(&book)
}

/// What the book holds that one feed fills.
fn follow(feed: Arc<dyn Feed>, world: &World) -> watch::Receiver<Held> {
    let timing = Timing {
        refresh: NEVER,
        resync: NEVER,
        ..Timing::default()
    };
    let market = world.market.clone();
    let mut follower = Follower::start(world.net.chain(), vec![feed], market, timing);
    let (seen, watched) = watch::channel(Held::default());
    tokio::spawn(async move {
        while follower.next().await.is_some() {
            assert_eq!((&follower.lost, &follower.troubles), (&vec![], &vec![]));
            if seen.send(held(&follower.book)).is_err() {
                return;
            }
        }
    });
    watched
}

/// Tells a gRPC service what the node says of the market and its positions, slot by slot.
async fn feed(chain: Arc<dyn Chain>, market: MarketContext, service: Arc<Standin>) {
    let mut ticks = interval(Duration::from_millis(20));
    let filters = Positions::filters(&market.address);
    let mut told: BTreeMap<Pubkey, (u64, Vec<u8>)> = BTreeMap::new();
    loop {
        ticks.tick().await;
        let found = chain
            .program_accounts(&ballast::ID, &filters)
            .await
            .unwrap();
        let mut asked = market.snapshot_addresses().to_vec();
        asked.extend(found.accounts.iter().map(|(address, _)| *address));
        let Accounts { slot, accounts } = chain.accounts(&asked).await.unwrap();
        service.slot(slot);
        for (address, account) in asked.into_iter().zip(accounts) {
            let Some(account) = account else { continue };
            // As a node does: what is written is told, once.
            let new = (account.lamports, account.data.clone());
            if told.insert(address, new.clone()).as_ref() != Some(&new) {
                service.account(slot, address, &account);
            }
        }
    }
}

async fn rehedge(world: &World, keeper: &Trader, owner: &Trader, id: u64, price: UsdPrice) {
    world.move_price(price).await.unwrap();
    let address = ballast_client::PositionAddresses::new(&world.market, &owner.key(), id).position;
    let chain = world.net.chain();
    let position = ballast_client::PositionContext::load(chain.as_ref(), address)
        .await
        .unwrap();
    let tick = world.pool().await.unwrap().tick_current;
    let path = world.market.swap_path(tick, Trade::SellBase);
    let rehedge = instruction::rehedge(&world.market, &position, &keeper.key(), &path);
    world.send(&keeper.keypair, vec![rehedge]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_nodes_history_gives_the_same_book_over_websocket_and_grpc() {
    let node = Node::start().await;
    let world = node.world().await;
    let funds = Amounts::new(10_000_000_000, 1_000_000_000);
    let alice = world.trader("alice", funds).await.unwrap();
    let keeper = world.trader("keeper", Amounts::new(0, 0)).await.unwrap();
    world
        .open(&alice, world.worked_example(1).unwrap())
        .await
        .unwrap();

    let service = Arc::new(Standin::start(None).await.unwrap());
    let telling = feed(
        world.net.chain(),
        world.market.clone(),
        Arc::clone(&service),
    );
    tokio::spawn(telling);
    let websocket = world.net.endpoints().unwrap().ws_url.as_str();
    let feeds: [Arc<dyn Feed>; 2] = [
        Arc::new(Websocket::new(websocket.into())),
        Arc::new(Grpc::new(service.endpoint(), None)),
    ];
    let mut books = feeds.map(|feed| follow(feed, &world));

    let mut steps = Vec::new();
    for step in 0..5 {
        match step {
            // What was there before the streams began.
            0 => {}
            1 => {
                let second = world.worked_example(2).unwrap();
                world.open(&alice, second).await.unwrap();
            }
            2 => {
                let lender = &alice.keypair;
                world.lend(lender, Side::Quote, 10_000_000).await.unwrap();
            }
            3 => rehedge(&world, &keeper, &alice, 1, UsdPrice::dollars(196)).await,
            _ => {
                let policy = ballast_client::Policy {
                    delta_band_bps: 900,
                    ..world.policy()
                };
                let owner = alice.key();
                let of = ballast_client::PositionAddresses::new(&world.market, &owner, 2);
                let set =
                    instruction::set_policy(&world.market.address, &owner, &of.position, policy);
                world.send(&alice.keypair, vec![set]).await.unwrap();
            }
        }
        let expected = on_chain(&world).await;
        for (book, name) in books.iter_mut().zip(["websocket", "grpc"]) {
            let same = timeout(LIMIT, book.wait_for(|held| *held == expected)).await;
            let is_same = matches!(same, Ok(Ok(_)));
            drop(same);
            let found = book.borrow().clone();
            assert!(
                is_same,
                "{name}, step {step}: {found:?} is not {expected:?}"
            );
        }
        let [websocket, grpc] = &books;
        assert_eq!(*websocket.borrow(), *grpc.borrow());
        steps.push(expected);
    }
    // Every step changed what is held.
    assert!(steps.windows(2).all(|two| two[0] != two[1]));
    assert_eq!(steps.last().unwrap().positions.len(), 2);
    assert_eq!(service.subscriptions(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_asks_the_grpc_service_for_its_version_and_slot() {
    const TOKEN: &str = "TOKEN-123456";
    let node = Node::start().await;
    let world = node.world().await;
    let alice = world.trader("alice", Amounts::new(0, 0)).await.unwrap();
    let service = Standin::start(Some(TOKEN)).await.unwrap();
    let url = format!("http://{}", service.address());
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("token"), TOKEN).unwrap();
    std::fs::write(directory.path().join("other"), "TOKEN-654321").unwrap();
    let (rpc_url, market) = (&node.net.endpoints().unwrap().rpc_url, &world.market);
    let found = async |grpc_url: &str, more: &str| {
        let file = directory.path().join("keeper.toml");
        let text = format!(
            "rpc_url = \"{rpc_url}\"\njournal_dir = \"journal\"\n[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\n\
             quote_price = \"{}\"\n[feed]\ngrpc_url = \"{grpc_url}\"\n{more}",
            market.address, market.prices.base, market.prices.quote
        );
        std::fs::write(&file, text).unwrap();
        let args = ["--json", "doctor", "--config", file.to_str().unwrap()];
        let run = node.ballast(&alice.keypair, &args).await;
        assert!(!run.out.contains("TOKEN-"), "{}", run.out);
        let report = run.json();
        let mut checks = report["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["what"] == "grpc");
        let check = check.unwrap_or_else(|| panic!("{report}"));
        let text = |key: &str| check[key].as_str().unwrap().to_owned();
        (text("state"), text("finding"))
    };
    let own = "grpc_token = \"token\"\n";
    // It has come nowhere yet.
    let (state, finding) = found(&url, own).await;
    assert_eq!(state, "warn", "{finding}");
    assert!(finding.contains("slots behind the node"), "{finding}");
    service.slot(1 << 40);
    let (state, finding) = found(&url, own).await;
    let expected = format!("{url} is stand-in 1.2.3, at slot {}", 1_u64 << 40);
    assert_eq!((state.as_str(), finding), ("ok", expected));
    for (more, word) in [
        ("", "name that as feed.grpc_token"),
        ("grpc_token = \"other\"\n", "is not known there"),
        ("grpc_token = \"nowhere\"\n", "nowhere"),
    ] {
        let (state, finding) = found(&url, more).await;
        assert_eq!(state, "fail", "{finding}");
        assert!(finding.contains(word), "{finding}");
    }
    let (state, finding) = found("http://127.0.0.1:9", "").await;
    assert_eq!(state, "warn", "{finding}");
    assert!(
        finding.contains("until it answers the keeper polls"),
        "{finding}"
    );
}
