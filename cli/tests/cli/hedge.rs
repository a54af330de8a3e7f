//! `ballast hedge` against the stand-in venue, as a user runs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

use ballast_venue::{
    clock::{Clock, SystemClock},
    depth::{Depth, Level},
    hyperliquid::{
        order_wire::Tif,
        sign::{Network, PrivateKey},
    },
    instrument::{Instrument, Side},
    paper::{
        exchange::{Exchange, Fees},
        order::NewOrder,
        venue::Tape,
    },
    standin::{StandIn, faults::Faults},
};
use rust_decimal::Decimal;
use tempfile::TempDir;

use crate::common::{Run, run};

struct Venue {
    runtime: tokio::runtime::Runtime,
    stand_in: StandIn,
    tape: Arc<Mutex<Tape>>,
    account: String,
    agent: String,
    folder: TempDir,
}

/// A short of 20 at 100, with levels of 5 on both sides and two months of quiet funding.
fn venue() -> Venue {
    let key = |number: u8| format!("0x{number:064x}");
    let address = |key: &str| PrivateKey::from_hex(key).unwrap().address();
    let (owner, agent) = (address(&key(1)), key(2));
    let sol = Instrument {
        coin: "SOL".into(),
        asset: 0,
        size_places: 2,
        max_leverage: 20,
    };
    let level = |price: i64, size: i64| Level {
        price: price.into(),
        size: size.into(),
    };
    let depth = Depth {
        bids: vec![level(99, 25), level(98, 25)],
        asks: vec![level(101, 25), level(102, 25)],
    };
    let start_ms = SystemClock.now_ms() - 60 * 24 * 3_600_000;
    let mut exchange = Exchange::new(start_ms, Fees::default(), [sol]);
    exchange.deposit(owner, 10_000.into());
    exchange.set_depth(0, 100.into(), depth.clone());
    exchange.set_funding(0, Decimal::new(125, 7), Decimal::new(1, 4));
    exchange.advance_to(SystemClock.now_ms());
    let order = NewOrder {
        account: owner,
        asset: 0,
        side: Side::Sell,
        price: 99.into(),
        size: 20.into(),
        tif: Tif::Ioc,
        reduce_only: false,
        cloid: None,
    };
    exchange.place(order).unwrap();
    exchange.set_depth(0, 100.into(), depth);
    let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let faults = Arc::new(Mutex::new(Faults::none()));
    let stand_in = runtime
        .block_on(StandIn::start(
            0,
            Network::Testnet,
            tape.clone(),
            Arc::new(SystemClock),
            faults,
        ))
        .unwrap();
    stand_in.set_agent(address(&agent), Some(owner));
    Venue {
        runtime,
        stand_in,
        tape,
        account: owner.to_string(),
        agent,
        folder: TempDir::new().unwrap(),
    }
}

impl Venue {
    fn hedge(&self, command: &str, extra: &[&str]) -> Run {
        let url = self.stand_in.url();
        let mut arguments = vec![
            "hedge",
            command,
            "--json",
            "--network",
            "testnet",
            "--venue-url",
            &url,
            "--account",
            &self.account,
        ];
        arguments.extend(extra);
        run(&arguments)
    }

    fn flatten(&self, mode: u32) -> Run {
        let key = self.folder.path().join("agent");
        fs::write(&key, &self.agent).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let state = self.folder.path().join("state");
        self.hedge(
            "flatten",
            &[
                "--state",
                state.to_str().unwrap(),
                "--agent-key",
                key.to_str().unwrap(),
                "--cap-bps",
                "300",
                "--depth-share",
                "0.2",
                "--yes",
            ],
        )
    }
}

#[test]
fn a_quote_shows_what_the_trade_then_costs() {
    let venue = venue();
    let run = venue.hedge("quote", &["--size", "-30", "--hours", "24"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let report = run.json();
    let number = |field: &str| report[field].as_str().unwrap().parse::<Decimal>().unwrap();
    // 25 at 99 and 5 at 98 against a middle of 100.
    assert_eq!(
        (number("half_spread"), number("slippage")),
        (30.into(), 5.into())
    );
    assert_eq!(number("fee"), Decimal::new(13_342, 4));
    assert_eq!(number("position"), (-50).into());
    // A short of 50 earns the interest rate for a day.
    assert_eq!(number("funding"), Decimal::new(-15, 1));
    assert!(number("liquidation_price") > 200.into());
    assert_eq!(
        number("total"),
        number("half_spread") + number("slippage") + number("fee") + number("funding")
    );
}

#[test]
fn flatten_closes_in_slices_and_the_journal_is_the_venues_record() {
    let venue = venue();
    let open = venue.flatten(0o644);
    assert_eq!(open.code, 1);
    assert!(open.err.contains("chmod 600"), "{}", open.err);
    let run = venue.flatten(0o600);
    assert_eq!(run.code, 0, "{}", run.err);
    let report = run.json();
    assert_eq!(
        (
            report["position_before"].as_str(),
            report["position"].as_str()
        ),
        (Some("-20"), Some("0"))
    );
    assert!(report["orders"].as_u64().unwrap() >= 2);
    let state = venue.folder.path().join("state");
    let status = venue
        .hedge("status", &["--state", state.to_str().unwrap()])
        .json();
    let fills = {
        let mut tape = venue.tape.lock().unwrap();
        let exchange = tape.at(SystemClock.now_ms());
        exchange
            .ledger(venue.account.parse().unwrap())
            .unwrap()
            .fills
            .len()
    };
    assert_eq!(
        status["journal"]["own_fills"].as_u64(),
        Some(fills as u64 - 1)
    );
    assert_eq!(
        (
            status["position"].as_str(),
            status["journal"]["agrees"].as_bool()
        ),
        (Some("0"), Some(true))
    );
    // Somebody else's agent closes nothing.
    venue
        .stand_in
        .set_agent(PrivateKey::from_hex(&venue.agent).unwrap().address(), None);
    assert_eq!(venue.flatten(0o600).code, 0, "there is nothing to close");
    drop(venue.runtime);
}

/// Two that hedge one account would trade against each other without end.
#[test]
fn flatten_stops_where_somebody_else_trades_the_account() {
    let venue = venue();
    let owner = venue.account.parse().unwrap();
    let tape = Arc::clone(&venue.tape);
    // A keeper elsewhere sells again what is bought back.
    let keeper = std::thread::spawn(move || {
        loop {
            let mut tape = tape.lock().unwrap();
            let exchange = tape.at(SystemClock.now_ms());
            if exchange.account(owner).unwrap().position("SOL") > Decimal::from(-20) {
                let order = NewOrder {
                    account: owner,
                    asset: 0,
                    side: Side::Sell,
                    price: 90.into(),
                    size: 5.into(),
                    tif: Tif::Ioc,
                    reduce_only: false,
                    cloid: None,
                };
                exchange.place(order).unwrap();
                return;
            }
            drop(tape);
            std::thread::yield_now();
        }
    });
    let run = venue.flatten(0o600);
    keeper.join().unwrap();
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(
        run.err.contains("somebody else traded -5 SOL"),
        "{}",
        run.err
    );
}
