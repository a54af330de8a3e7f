use ballast_client::{DecodeError, LoadError, PositionContext};
use ballast_strategy::fixtures::{self, SLOT};
use proptest::prelude::*;

use super::*;
use crate::sim::bytes;

fn book() -> MarketBook {
    MarketBook::new(bytes::context())
}

fn synced() -> MarketBook {
    let mut book = book();
    assert_eq!(
        book.market_accounts(&bytes::market_accounts(&fixtures::snapshot(200), SLOT)),
        Ok(Change::Rules)
    );
    book
}

/// The account at an index of a market at a price.
fn account_at(index: usize, dollars: i64) -> (Pubkey, Account) {
    let answer = bytes::market_accounts(&fixtures::snapshot(dollars), SLOT);
    (
        bytes::context().snapshot_addresses()[index],
        answer.accounts[index].clone().unwrap(),
    )
}

const POOL: usize = 3;
const BASE_PRICE: usize = 4;
const CLOCK: usize = 6;
const ADDRESS: Pubkey = Pubkey::new_from_array([42; 32]);

#[test]
fn older_updates_are_dropped_and_newer_ones_classified() {
    let mut book = synced();
    let (address, newer) = account_at(BASE_PRICE, 201);
    assert_eq!(
        book.account(&address, SLOT + 2, newer.clone()),
        Ok(Change::Market)
    );
    let at_201 = book.oracle();
    let (_, older) = account_at(BASE_PRICE, 150);
    assert_eq!(
        book.account(&address, SLOT + 1, older.clone()),
        Ok(Change::Doubtful)
    );
    assert_eq!(book.oracle(), at_201);
    assert_eq!(
        book.account(&address, SLOT + 1, newer.clone()),
        Ok(Change::Nothing)
    );
    assert_eq!(book.account(&address, SLOT + 3, newer), Ok(Change::Nothing));
    // The clock is always a little behind in one of stream and polls.
    let (clock, late) = account_at(CLOCK, 200);
    assert_eq!(book.account(&clock, SLOT - 1, late), Ok(Change::Nothing));

    let mut snapshot = fixtures::snapshot(201);
    snapshot.market.limits.maintenance_ltv_bps += 1;
    let rules = bytes::market_accounts(&snapshot, SLOT + 4);
    assert_eq!(book.market_accounts(&rules), Ok(Change::Rules));
    snapshot.now_secs += 1;
    assert_eq!(
        book.market_accounts(&bytes::market_accounts(&snapshot, SLOT + 5)),
        Ok(Change::Clock)
    );
    assert_eq!(book.snapshot().unwrap().slot, SLOT + 5);
}

#[test]
fn an_answer_does_not_undo_what_came_later() {
    let mut book = synced();
    let (address, newer) = account_at(BASE_PRICE, 201);
    book.account(&address, SLOT + 9, newer).unwrap();
    let expected = book.oracle();
    // Complete, but of an earlier slot: the price that came by the stream stays, the pool is taken.
    let mut snapshot = fixtures::snapshot(199);
    snapshot.base_price = fixtures::snapshot(200).base_price;
    assert_eq!(
        book.market_accounts(&bytes::market_accounts(&snapshot, SLOT + 5)),
        Ok(Change::Market)
    );
    assert_eq!(book.oracle(), expected);
    assert_eq!(
        book.snapshot().unwrap().pool.sqrt_price,
        snapshot.pool.sqrt_price
    );
}

#[test]
fn updates_before_the_first_answer_are_kept() {
    let mut book = book();
    let (address, price) = account_at(BASE_PRICE, 205);
    assert_eq!(book.account(&address, SLOT + 1, price), Ok(Change::Nothing));
    assert!(book.snapshot().is_none());
    book.market_accounts(&bytes::market_accounts(&fixtures::snapshot(200), SLOT))
        .unwrap();
    assert_eq!(
        book.oracle(),
        Some(fixtures::snapshot(205).oracle_sqrt_price().unwrap())
    );
}

#[test]
fn bad_accounts_are_refused_by_name_and_change_nothing() {
    let damage: [fn(&mut Account); 4] = [
        |a| a.owner = [77; 32].into(),
        |a| a.data.truncate(9),
        |a| a.data.clear(),
        |a| a.data[0] ^= 1,
    ];
    for index in 0..6 {
        for (case, damage) in damage.iter().enumerate() {
            // A price account without content is silence.
            if index >= 4 && case == 2 {
                continue;
            }
            let mut book = synced();
            let before = book.oracle();
            let (address, mut account) = account_at(index, 201);
            damage(&mut account);
            let problem = book.account(&address, SLOT + 1, account).unwrap_err();
            assert!(
                problem.to_string().contains(&address.to_string()),
                "{index} {case}: {problem}"
            );
            assert_eq!(book.oracle(), before);
            // A good one is taken afterwards.
            let (_, good) = account_at(index, 201);
            book.account(&address, SLOT + 1, good).unwrap();
        }
    }
    let mut book = synced();
    let mut wrong_feed = fixtures::snapshot(200);
    wrong_feed.base_price.feed_id = [99; 32];
    assert!(matches!(
        book.market_accounts(&bytes::market_accounts(&wrong_feed, SLOT + 1)),
        Err(Problem::Inconsistent {
            source: LoadError::WrongFeed { .. },
            ..
        })
    ));
    let mut nothing = bytes::market_accounts(&fixtures::snapshot(200), SLOT + 1);
    nothing.accounts[POOL] = None;
    assert!(book.market_accounts(&nothing).is_err());
    nothing.accounts.clear();
    assert!(book.market_accounts(&nothing).is_err());
}

#[test]
fn bad_positions_are_refused_by_name() {
    let mut book = synced();
    let good = bytes::position_account(&bytes::position());
    let damage: [fn(&mut Account); 4] = [
        |a| a.owner = [77; 32].into(),
        |a| a.data.truncate(100),
        |a| a.data[0] ^= 1,
        |a| a.data[8] += 1,
    ];
    for damage in damage {
        let mut account = good.clone();
        damage(&mut account);
        let problem = book.account(&ADDRESS, SLOT, account).unwrap_err();
        assert!(
            problem.to_string().contains(&ADDRESS.to_string()),
            "{problem}"
        );
    }
    let mut other = bytes::position();
    other.market = [1; 32].into();
    let problem = book.account(&ADDRESS, SLOT, bytes::position_account(&other));
    assert!(matches!(problem, Err(Problem::WrongMarket { .. })));
    assert!(book.is_empty());
    assert_eq!(
        book.account(&ADDRESS, SLOT, good),
        Ok(Change::Position(ADDRESS))
    );
}

fn positions(addresses: &[Pubkey]) -> Positions {
    let position = |address: &Pubkey| PositionContext {
        address: *address,
        position: bytes::position(),
    };
    Positions {
        slot: None,
        positions: addresses.iter().map(position).collect(),
        unreadable: Vec::new(),
    }
}

#[test]
fn a_closed_position_does_not_come_back_by_a_late_update() {
    let mut book = synced();
    let account = bytes::position_account(&bytes::position());
    book.account(&ADDRESS, 5, account.clone()).unwrap();
    assert_eq!(book.remove(&ADDRESS, 4), None, "what is known is newer");
    assert_eq!(book.remove(&ADDRESS, 8), Some(0));
    assert_eq!(book.remove(&ADDRESS, 8), None);
    assert_eq!(
        book.account(&ADDRESS, 7, account.clone()),
        Ok(Change::Doubtful)
    );
    assert!(book.is_empty());
    assert_eq!(
        book.account(&ADDRESS, 9, account),
        Ok(Change::Position(ADDRESS))
    );
}

#[test]
fn what_only_claims_to_be_older_or_lost_its_owner_is_doubtful() {
    let mut book = synced();
    let (known, mut other) = (bytes::position(), bytes::position());
    other.id = 7;
    book.account(&ADDRESS, 9, bytes::position_account(&known))
        .unwrap();
    assert_eq!(
        book.account(&ADDRESS, 8, bytes::position_account(&known)),
        Ok(Change::Nothing)
    );
    assert_eq!(
        book.account(&ADDRESS, 8, bytes::position_account(&other)),
        Ok(Change::Doubtful)
    );
    let mut closed = bytes::position_account(&known);
    closed.owner = Pubkey::default();
    assert_eq!(book.account(&ADDRESS, 10, closed), Ok(Change::Doubtful));
    assert_eq!(book.position(&ADDRESS).unwrap().position.id, known.id);
}

#[test]
fn a_complete_answer_finds_new_changed_and_missing_positions() {
    let mut book = synced();
    let [a, b, c] = [1, 2, 3].map(|byte| Pubkey::new_from_array([byte; 32]));
    let (changed, missing, problems) = book.all_positions(10, positions(&[a, b]));
    assert_eq!((changed.len(), missing.len(), problems.len()), (2, 0, 0));
    // c came by the stream after the answer's slot and is not missing in it.
    book.account(&c, 12, bytes::position_account(&bytes::position()))
        .unwrap();
    let (changed, missing, problems) = book.all_positions(11, positions(&[a]));
    assert_eq!((changed, missing, problems.len()), (vec![], vec![b], 0));
    // It stays until it was asked for.
    assert_eq!(book.len(), 3);
    assert_eq!(book.remove(&b, 11), Some(1));
    // An update from before the answer that lacked it does not bring a position back.
    let account = bytes::position_account(&bytes::position());
    assert_eq!(book.account(&b, 10, account.clone()), Ok(Change::Doubtful));
    assert_eq!(book.account(&b, 12, account), Ok(Change::Position(b)));
}

#[test]
fn an_answer_that_is_empty_or_unreadable_drops_nothing() {
    let mut book = synced();
    let [a, b] = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
    book.all_positions(10, positions(&[a, b]));
    let mut answer = positions(&[a]);
    answer.unreadable.push(DecodeError::Missing {
        what: "position",
        address: b,
    });
    let (changed, missing, problems) = book.all_positions(11, answer);
    assert_eq!((changed, missing, problems.len()), (vec![], vec![], 1));
    let (_, mut missing, _) = book.all_positions(12, positions(&[]));
    missing.sort_unstable();
    assert_eq!((missing, book.len()), (vec![a, b], 2));
}

proptest! {
    #[test]
    fn whatever_the_order_the_newest_wins(
        updates in proptest::collection::vec((0u64..20, 0u64..1_000), 1..40),
    ) {
        let mut book = synced();
        let mut newest: Option<(u64, u64)> = None;
        for (slot, id) in updates {
            // Of two of the same slot the later stands.
            if newest.is_none_or(|(held, _)| slot >= held) {
                newest = Some((slot, id));
            }
            let mut position = bytes::position();
            position.id = id;
            book.account(&ADDRESS, slot, bytes::position_account(&position)).unwrap();
            let tracked = book.position(&ADDRESS).unwrap();
            prop_assert_eq!(Some((tracked.slot, tracked.position.id)), newest);
        }
    }

    #[test]
    fn garbage_never_panics(address in 0usize..8, data in proptest::collection::vec(any::<u8>(), 0..2_000), slot: u64) {
        let mut book = synced();
        let addresses = bytes::context().snapshot_addresses();
        let address = addresses.get(address).copied().unwrap_or(ADDRESS);
        let account = Account { lamports: 1, data, owner: ballast::ID, executable: false, rent_epoch: 0 };
        let _ = book.account(&address, slot, account);
        prop_assert!(book.snapshot().is_some());
    }
}
