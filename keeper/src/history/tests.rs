//! The history beside a whole keeper on the simulated cluster, and its parts where that does not reach.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use ballast_client::{Chain, PastTransaction, Position, TransactionRecord};
use ballast_history::{
    Unexplained,
    store::{ActionQuery, Location, Store},
};
use ballast_strategy::fixtures::sqrt_price_cents;
use solana_sdk::signature::Signature;
use tokio::time::sleep;

use super::*;
use crate::{
    Keeper, Mode, Parts,
    decisions::replay,
    journal::{Record, follow, verify},
    memory::Memory,
    sim::{
        Disk, Faults, World,
        scene::{parts, world},
    },
};

const OPENING_EQUITY: u64 = 100_000_000;

/// As if the program had opened it.
fn opened(position: &mut Position) {
    position.entry.sqrt_price_x64 = sqrt_price_cents(20_000).x64().into();
    position.entry.equity = OPENING_EQUITY;
    position.entry.opened_at_secs = 1_600_000_000;
}

fn on_files(world: &World, disk: &Disk, directory: &Path) -> Parts {
    let mut parts = parts(world, disk, Mode::Active);
    parts.config.journal_dir = directory.to_owned();
    Parts {
        storage: None,
        ..parts
    }
}

fn store(directory: &Path) -> Box<dyn Store> {
    let path = directory.join("history.sqlite");
    Location::Sqlite(path).open_to_read().unwrap()
}

fn all() -> ActionQuery {
    ActionQuery {
        limit: 1_000,
        ..ActionQuery::default()
    }
}

/// The five of every position are its gain since opening, to the unit.
fn adds_up(store: &mut dyn Store) {
    for stored in store.tracks().unwrap() {
        let track = stored.track;
        let change = track.equity().unwrap() - i128::from(OPENING_EQUITY);
        let total = track.sums.total().unwrap();
        assert_eq!(total, change - track.flow + track.outside);
    }
}

fn landed(world: &World) -> usize {
    let inner = world.lock();
    assert_eq!(inner.violations, Vec::<String>::new());
    inner.landings.len()
}

#[tokio::test(start_paused = true)]
async fn a_keeper_keeps_sums_points_actions_and_decisions_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let (world, disk) = world(1, Faults::default());
    world.lock().change_positions(opened);
    let mut observed = BTreeMap::new();
    let mut points = 0;
    for (round, dollars) in [204, 198, 176].into_iter().enumerate() {
        let keeper = Keeper::new(on_files(&world, &disk, directory.path()));
        let reader = keeper.history().unwrap();
        let story = async {
            sleep(Duration::from_secs(600)).await;
            world.lock().set_price(dollars);
            sleep(Duration::from_secs(1_500)).await;
        };
        keeper.run(story).await.unwrap();
        let mut store = store(directory.path());
        adds_up(store.as_mut());
        let tracks = store.tracks().unwrap();
        assert_eq!(tracks.len(), 3);
        for stored in &tracks {
            let from = stored.track.observed_from_secs;
            assert_eq!(
                *observed.entry(stored.address.clone()).or_insert(from),
                from
            );
            // What readers see without asking the store is the same.
            let address = stored.address.parse().unwrap();
            let standing = reader.standing(&address).unwrap();
            assert_eq!(standing.track.sums, stored.track.sums);
            assert!(stored.track.sums.drift != 0);
        }
        let found = store
            .points(&tracks[0].address, 0..i64::MAX, 1_000)
            .unwrap();
        assert!(found.len() > points, "round {round}: {}", found.len());
        points = found.len();
        let rows = store.actions(&all()).unwrap().rows;
        let done = rows.iter().filter(|row| row.row.outcome == "landed");
        assert_eq!(done.count(), landed(&world), "round {round}");
    }
    // What was measured went on from run to run: none was as long as a block.
    let measured = Memory::beside(directory.path()).read().unwrap();
    let (_, measured) = measured.first_key_value().unwrap();
    assert!(measured.volatility.ticks_per_day().is_some());
    let blocks = &serde_json::to_value(&measured.fee_yield).unwrap()["blocks"];
    assert_eq!(blocks.as_array().unwrap().len(), 1);
    // Something was done, paid for, and decided on what is written down.
    let mut store = store(directory.path());
    let rows = store.actions(&all()).unwrap().rows;
    assert!(!rows.is_empty());
    let first = rows.last().unwrap();
    assert!(first.row.number.is_some() && first.row.before.is_some());
    assert!(rows.iter().all(|row| row.row.by.is_some()));
    // What it has made of its positions is told, but of what is done to markets.
    let done = rows.iter().map(|row| &row.row);
    let done = done.filter(|row| row.outcome == "landed" && row.before.is_some());
    let told = done.clone().filter(|row| row.after.is_some()).count();
    assert!(told > 0 && told == done.clone().count(), "{told}");
    let rehedges = done.filter(|row| row.action == "rehedge");
    for row in rehedges {
        let [before, after] = [row.before, row.after].map(|figures| figures.unwrap().delta.abs());
        assert!(after < before, "{row:?}");
    }
    let replayed = replay(directory.path()).unwrap();
    assert_eq!((replayed.findings, replayed.differs), (Vec::new(), None));
    assert!(replayed.decisions as usize >= rows.len());
    println!(
        "{} decisions were recorded in {} bytes",
        replayed.decisions, replayed.bytes
    );
    let lines = follow::Follower::new(directory.path())
        .more::<Record>()
        .unwrap();
    let verified = verify::verify(lines);
    assert_eq!(verified.findings, []);
    assert_eq!(verified.open, Vec::<u64>::new());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_used_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let (world, disk) = world(2, Faults::default());
    world.lock().change_positions(opened);
    let mut parts = on_files(&world, &disk, directory.path());
    let nowhere = directory.path().join("missing/history.sqlite");
    parts.config.history.location = Some(Location::Sqlite(nowhere));
    let keeper = Keeper::new(parts);
    let reader = keeper.history().unwrap();
    let begun = reader.health().settled;
    assert!(begun.is_some());
    let story = async {
        world.lock().set_price(176);
        sleep(Duration::from_secs(120)).await;
    };
    keeper.run(story).await.unwrap();
    assert!(landed(&world) > 0);
    let health = reader.health();
    assert!(!health.open && health.failures > 0);
    assert_eq!(health.settled, begun, "nothing was kept since the start");
    assert!(health.error.unwrap().contains("missing"), "its place");
}

#[tokio::test]
async fn a_full_queue_is_counted_and_nobody_waits() {
    let (sender, _receiver) = queue::bounded(0, &Length::default());
    let (health, told) = watch::channel(Health::default());
    let (pictures, mut seen) = watch::channel(None);
    pictures.send_replace(Some(Arc::new(crate::picture::Picture::empty())));
    let taken = tokio::time::timeout(
        Duration::from_millis(200),
        take(&mut seen, HedgeSights::new(None), &sender, &health),
    );
    assert!(taken.await.is_err(), "it waits for the next picture");
    assert_eq!(told.borrow().lost_pictures, 1);
}

/// A node that has these transactions, newest first.
struct Node {
    world: World,
    listed: Vec<PastTransaction>,
    logs: BTreeMap<Signature, Vec<String>>,
}

#[async_trait]
impl Chain for Node {
    fn label(&self) -> String {
        self.world.label()
    }
    async fn accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<ballast_client::Accounts, ballast_client::ChainError> {
        self.world.accounts(addresses).await
    }
    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[ballast_client::AccountFilter],
    ) -> Result<ballast_client::OwnedAccounts, ballast_client::ChainError> {
        self.world.program_accounts(program, filters).await
    }
    async fn latest_blockhash(
        &self,
    ) -> Result<ballast_client::Blockhash, ballast_client::ChainError> {
        self.world.latest_blockhash().await
    }
    async fn block_height(&self) -> Result<u64, ballast_client::ChainError> {
        self.world.block_height().await
    }
    async fn slot(&self) -> Result<u64, ballast_client::ChainError> {
        self.world.slot().await
    }
    async fn simulate(
        &self,
        transaction: &ballast_client::VersionedTransaction,
    ) -> Result<ballast_client::Simulation, ballast_client::ChainError> {
        self.world.simulate(transaction).await
    }
    async fn submit(
        &self,
        transaction: &ballast_client::VersionedTransaction,
    ) -> Result<(), ballast_client::ChainError> {
        self.world.submit(transaction).await
    }
    async fn status(
        &self,
        signature: &Signature,
        search_history: bool,
    ) -> Result<Option<ballast_client::TransactionStatus>, ballast_client::ChainError> {
        self.world.status(signature, search_history).await
    }
    async fn recent_fees(
        &self,
        writable: &[Pubkey],
    ) -> Result<Vec<u64>, ballast_client::ChainError> {
        self.world.recent_fees(writable).await
    }
    async fn rent_lamports(&self, length: usize) -> Result<u64, ballast_client::ChainError> {
        self.world.rent_lamports(length).await
    }
    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ballast_client::ChainError> {
        Ok(self.logs.get(signature).map(|logs| TransactionRecord {
            slot: 0,
            error: None,
            logs: logs.clone(),
            units: None,
            fee_lamports: 5_000,
        }))
    }
    async fn history(
        &self,
        _address: &Pubkey,
        before: Option<&Signature>,
        limit: usize,
    ) -> Result<Option<Vec<PastTransaction>>, ballast_client::ChainError> {
        let after = |before: &Signature| {
            let found = self
                .listed
                .iter()
                .position(|past| past.signature == *before);
            found.map_or(self.listed.len(), |at| at + 1)
        };
        let from = before.map_or(0, after);
        let listed = self.listed.iter().skip(from).take(limit);
        Ok(Some(listed.copied().collect()))
    }
}

fn logs(events: &[Vec<u8>]) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let data = events
        .iter()
        .map(|event| format!("Program data: {}", STANDARD.encode(event)));
    let mut lines = vec![format!("Program {} invoke [1]", ballast::ID)];
    lines.extend(data);
    lines.push(format!("Program {} success", ballast::ID));
    lines
}

/// The opening, 500 collections of fees, a rehedge with its reward, and something after the first sight.
fn node(position: Pubkey, world: World) -> Node {
    use anchor_lang::Event;
    use ballast::events::{FeesCollected, KeeperRewarded, PositionRepaid, Rehedged};
    let price = sqrt_price_cents(20_000).x64();
    let mut of = vec![logs(&[PositionRepaid {
        position,
        base: 0,
        quote: 1,
    }
    .data()])];
    of.push(logs(&[
        Rehedged {
            position,
            keeper: Pubkey::default(),
            liquidity: 0,
            hedge_error_before: 0,
            hedge_error_after: 0,
            base_traded: 1,
            quote_traded: 1,
            swap_loss: 70,
            ltv_bps: 1,
            sqrt_price_x64: price,
        }
        .data(),
        KeeperRewarded {
            position,
            keeper: Pubkey::default(),
            lamports: 10_000,
        }
        .data(),
    ]));
    let collected = FeesCollected {
        position,
        base: 0,
        quote: 10,
    };
    of.extend((0..500).map(|_| logs(&[collected.data()])));
    of.push(logs(&[opening(position, price)]));
    // Older than the opening: the account's address was named before it was there.
    of.push(logs(&[collected.data()]));
    let signature = |index: usize| {
        let mut bytes = [7; 64];
        bytes[..8].copy_from_slice(&(index as u64).to_le_bytes());
        Signature::from(bytes)
    };
    let listed = (0..of.len()).map(|index| PastTransaction {
        signature: signature(index),
        slot: 10_000 - index as u64,
        secs: Some(1_000_000 - index as i64),
        failed: false,
    });
    Node {
        world,
        listed: listed.collect(),
        logs: of
            .into_iter()
            .enumerate()
            .map(|(index, logs)| (signature(index), logs))
            .collect(),
    }
}

fn opening(position: Pubkey, price: u128) -> Vec<u8> {
    use anchor_lang::Event;
    ballast::events::PositionOpened {
        position,
        market: Pubkey::default(),
        owner: Pubkey::default(),
        id: 1,
        policy: ballast_strategy::fixtures::policy(),
        tick_lower: -1,
        tick_upper: 1,
        liquidity: 1,
        own_base: 5,
        own_quote: 6,
        borrowed_base: 0,
        borrowed_quote: 0,
        swap_loss: 9,
        equity: 1,
        ltv_bps: 0,
        sqrt_price_x64: price,
    }
    .data()
}

#[tokio::test(start_paused = true)]
async fn a_past_is_read_page_by_page_to_its_opening_and_no_further() {
    let position = Pubkey::new_unique();
    let (world, _) = world(3, Faults::default());
    let node = node(position, world);
    let (mut reading, mut rows) = (Reading::default(), Vec::new());
    let mut pages = 0;
    while !reading.done {
        backfill::page(&node, &position, 9_999, &mut reading, &mut rows)
            .await
            .unwrap();
        // Stopped between two pages, it goes on where it was.
        let text = serde_json::to_string(&reading).unwrap();
        reading = serde_json::from_str(&text).unwrap();
        pages += 1;
    }
    assert_eq!((pages, reading.whole, &reading.missing), (3, true, &None));
    assert_eq!(rows.len(), 502);
    assert_eq!(rows[0].action, "rehedge");
    assert_eq!(rows.last().unwrap().action, "open");
    let at = sqrt_price_cents(20_000);
    let past = reading.past(at, true).unwrap();
    // 10,000 lamports at 200 dollars are 2,000 micro-dollars; what the opening cost is in its equity.
    assert_eq!((past.fees, past.flow), (5_000, -5_000));
    let opened = reading.opened().unwrap();
    assert_eq!((opened.ticks, opened.price_x64), ([-1, 1], at.x64()));
    assert_eq!((opened.liquidity, opened.equity), (1, 1));
    assert!((past.outside + 2_000).abs() <= 1, "{past:?}");
    assert_eq!(past.costs, past.outside - 70);
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_of_a_past_is_named() {
    let position = Pubkey::new_unique();
    let (world, _) = world(4, Faults::default());
    let mut cut = node(position, world.clone());
    // The node has forgotten everything up to the last hundred.
    cut.listed.truncate(100);
    let mut reading = Reading::default();
    while !reading.done {
        backfill::page(&cut, &position, 9_999, &mut reading, &mut Vec::new())
            .await
            .unwrap();
    }
    assert!(!reading.whole);
    assert!(reading.missing.unwrap().contains("does not reach back"));
    let mut reading = Reading::default();
    backfill::page(&world, &position, 9_999, &mut reading, &mut Vec::new())
        .await
        .unwrap();
    assert!(reading.done && reading.missing.unwrap().contains("keeps no history"));
}

#[tokio::test(start_paused = true)]
async fn what_others_did_is_read_between_the_two_sights() {
    let position = Pubkey::new_unique();
    let (world, _) = world(5, Faults::default());
    let mut node = node(position, world);
    let change = |after_slot, to_slot| Unexplained {
        position: position.to_string(),
        after_slot,
        to_slot,
    };
    let read = async |node: &Node, change| {
        let rows = others::read(node, &change).await.unwrap()?;
        let names = rows.iter().map(|row| (row.action.clone(), row.slot));
        Some(names.collect::<Vec<_>>())
    };
    let named = |name: &str, slot| (name.to_owned(), Some(slot));
    assert_eq!(
        read(&node, change(9_998, 10_000)).await,
        Some(vec![named("repay", 10_000), named("rehedge", 9_999)])
    );
    assert_eq!(
        read(&node, change(9_998, 9_999)).await,
        Some(vec![named("rehedge", 9_999)])
    );
    // Several pages.
    let collected = read(&node, change(9_600, 9_998)).await.unwrap();
    assert_eq!(collected.len(), 398);
    // A transaction that the node does not have, or a history that does not reach so far.
    node.listed.truncate(100);
    assert_eq!(read(&node, change(9_000, 9_950)).await, None);
    node.logs.remove(&node.listed[1].signature);
    assert_eq!(read(&node, change(9_998, 9_999)).await, None);
}
