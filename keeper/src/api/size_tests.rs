//! A large book: what the API's budgets are about. Times are printed; what is asserted leaves room for a machine that is busy and
//! for a build that is not optimised.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use ballast_strategy::{fixtures, situation::Outlook};
use solana_sdk::pubkey::Pubkey;
use tokio::sync::watch;

use super::{Nobody, Sources, Token, guard::Guard, reads, scene::Scene, server::Api};
use crate::{
    Mode,
    control::Control,
    engine::Status,
    events::Events,
    journal::Feed,
    picture::{Found, MarketPicture, Picture, PositionPicture, Writer},
    shards::Shards,
    sim,
};

const POSITIONS: u32 = 10_000;

/// Positions of different sizes and bands.
fn position(number: u32) -> PositionPicture {
    let mut address = [0; 32];
    address[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    address[28..].copy_from_slice(&number.to_be_bytes());
    let mut stored = fixtures::position();
    stored.id = number.into();
    stored.tick_lower -= 4 * (number % 97) as i32;
    stored.tick_upper += 4 * (number % 89) as i32;
    PositionPicture {
        address: Pubkey::new_from_array(address),
        slot: 1,
        position: Arc::new(stored),
        outlook: Outlook::default(),
        found: Found::Nothing,
        in_flight: 0,
        stale: false,
    }
}

fn market() -> (Pubkey, MarketPicture) {
    let context = sim::bytes::context();
    let mut snapshot = fixtures::snapshot(200);
    let one = fixtures::position();
    for (reserve, shares) in [
        (&mut snapshot.base_reserve, one.base_debt_shares.get()),
        (&mut snapshot.quote_reserve, one.quote_debt_shares.get()),
    ] {
        reserve.debt_shares = (shares * u128::from(POSITIONS)).into();
    }
    let snapshot = Arc::new(snapshot);
    let market = MarketPicture {
        newest: Some(Arc::clone(&snapshot)),
        on_chain: Some(snapshot),
        volatility_ticks: Some(400),
        fee_yield: None,
        positions_read: true,
        positions: Default::default(),
        context: Arc::new(context.clone()),
    };
    (context.address, market)
}

/// Publishes all of them; returns the writer's end and how long it took.
fn published() -> (Writer, watch::Receiver<Option<Arc<Picture>>>, Duration) {
    let (sender, receiver) = watch::channel(None);
    let mut writer = Writer::new(sender, Pubkey::default());
    let all: HashMap<Pubkey, PositionPicture> = (0..POSITIONS)
        .map(position)
        .map(|position| (position.address, position))
        .collect();
    let (address, market) = market();
    for position in all.keys() {
        writer.note_position(address, *position);
    }
    let begun = Instant::now();
    let markets = [(address, market)].into_iter();
    writer.publish(Status::default(), markets, |_, position| {
        all.get(position).cloned()
    });
    writer.note_read(address);
    (writer, receiver, begun.elapsed())
}

#[tokio::test]
async fn publishing_costs_what_has_changed_and_not_what_there_is() {
    let (mut writer, receiver, whole) = published();
    let (address, market) = market();
    let mut each = Duration::MAX;
    for number in 0..50 {
        let changed = position(number);
        writer.note_position(address, changed.address);
        let markets = [(address, market.clone())].into_iter();
        let begun = Instant::now();
        writer.publish(Status::default(), markets, |_, _| Some(changed.clone()));
        each = each.min(begun.elapsed());
    }
    println!("{POSITIONS} positions published in {whole:?}, one change among them in {each:?}");
    assert!(each * 10 < whole, "{each:?} {whole:?}");
    let picture = receiver.borrow().clone().unwrap();
    assert_eq!(
        (
            picture.markets[&address].positions.len() as u32,
            picture.sequence
        ),
        (POSITIONS, 51)
    );
}

#[tokio::test]
async fn a_page_of_ten_thousand_positions_is_small_and_quick() {
    let (mut writer, receiver, _) = published();
    // What was noted last is in the next one.
    writer.publish(
        Status::default(),
        std::iter::empty::<(Pubkey, MarketPicture)>(),
        |_, _| None,
    );
    let directory = tempfile::tempdir().unwrap();
    let token = Token::of_directory(directory.path()).unwrap();
    let config = Arc::new(sim::config(Mode::Observe));
    let sources = Sources {
        config,
        genesis_hash: Default::default(),
        pictures: receiver,
        control: Control::new(Mode::Observe, Events::default(), None),
        feed: Feed::default(),
        past: Arc::new(Nobody),
        flags: Arc::new(Nobody),
        hedge: None,
        shards: Shards::default(),
        bundles: None,
        nodes: Vec::new(),
    };
    let api = Api::new(sources, Guard::new(1, &[], token, None)).unwrap();
    api.renew();
    let scene: Arc<Scene> = api.scene().ok().unwrap();
    let ask = |route: &[&str], query: &[(&str, &str)]| {
        let query = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let begun = Instant::now();
        let answer = reads::answer(&api, &scene, route, &query.collect(), "")
            .ok()
            .unwrap();
        (begun.elapsed(), answer)
    };
    let one = position(7).address.to_string();
    let asked: BTreeMap<&str, (Duration, Vec<u8>)> = BTreeMap::from([
        ("1 first page", ask(&["positions"], &[("limit", "100")])),
        (
            "2 same page again",
            ask(&["positions"], &[("limit", "100")]),
        ),
        (
            "3 other order",
            ask(&["positions"], &[("limit", "100"), ("sort", "equity")]),
        ),
        ("4 book", ask(&["book"], &[])),
        ("5 one position", ask(&["positions", &one], &[])),
        ("6 status", ask(&["status"], &[])),
    ]);
    for (what, (took, answer)) in &asked {
        println!("{what}: {took:?}, {} bytes", answer.len());
        assert!(*took < Duration::from_secs(2), "{what} {took:?}");
    }
    let size = |what: &str| asked[what].1.len();
    assert!(size("1 first page") <= 100_000 && size("5 one position") <= 30_000);
    let page: serde_json::Value = serde_json::from_slice(&asked["1 first page"].1).unwrap();
    assert_eq!(
        (
            page["total"].as_u64(),
            page["rows"].as_array().unwrap().len()
        ),
        (Some(POSITIONS.into()), 100)
    );
    let days = |row: &serde_json::Value| row["nearest"]["sigma_days"].as_f64().unwrap();
    assert!(
        page["rows"]
            .as_array()
            .unwrap()
            .is_sorted_by(|a, b| days(a) <= days(b))
    );
}
