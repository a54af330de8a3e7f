//! The stand-in, proven by a client that nobody here wrote: hyperliquid-python-sdk, from PyPI into an environment under the target
//! directory. Skipped only where Python or PyPI cannot be had.

use ballast_venue::{
    clock::{Clock, ManualClock, SystemClock},
    depth::{Depth, Level},
    hyperliquid::sign::{Network, PrivateKey},
    instrument::Instrument,
    paper::{
        exchange::{Exchange, Fees},
        venue::Tape,
    },
    standin::{StandIn, faults::Faults},
};
use rust_decimal::Decimal;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

const SDK: &str = "hyperliquid-python-sdk==0.24.0";

/// Python with the SDK; none where it cannot be had.
async fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hyperliquid-python-sdk-0.24.0");
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    if !complete.exists() {
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&folder)
            .status()
            .await;
        let installed = match made {
            Ok(status) if status.success() => {
                Command::new(&python)
                    .args([
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--disable-pip-version-check",
                        SDK,
                    ])
                    .status()
                    .await
            }
            other => other,
        };
        if !installed.is_ok_and(|status| status.success()) {
            eprintln!(
                "skipped: {SDK} cannot be installed; Python 3 with venv, and PyPI, are needed"
            );
            return None;
        }
        std::fs::write(complete, "").expect("a file in the environment");
    }
    Some(python)
}

fn depth(index: Decimal, instrument: &Instrument) -> Depth {
    let level = |step: i64| {
        let price = index * (Decimal::ONE + Decimal::new(step, 4));
        let price = if step < 0 {
            instrument.price_down(price)
        } else {
            instrument.price_up(price)
        };
        Level {
            price,
            size: Decimal::TEN,
        }
    };
    Depth {
        bids: (1..=10).map(|step| level(-step)).collect(),
        asks: (1..=10).map(level).collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_sdk_trades_on_the_stand_in() {
    let Some(python) = python().await else { return };
    let keys = [1, 2, 3].map(|number: u8| format!("0x{number:064x}"));
    let address = |key: &String| PrivateKey::from_hex(key).unwrap().address();
    let clock = Arc::new(ManualClock::at(SystemClock.now_ms()));
    let instrument = |coin: &str, size_places| Instrument {
        coin: coin.into(),
        asset: 0,
        size_places,
        max_leverage: 20,
    };
    let mut exchange = Exchange::new(
        clock.now_ms(),
        Fees::default(),
        [instrument("BTC", 5), instrument("SOL", 2)],
    );
    for (asset, price) in [(0, Decimal::from(100_000)), (1, Decimal::from(190))] {
        let depth = depth(
            price,
            &exchange.markets()[asset as usize].instrument.clone(),
        );
        exchange.set_depth(asset, price, depth);
        exchange.set_funding(asset, Decimal::new(125, 7), Decimal::new(1, 4));
    }
    exchange.deposit(address(&keys[0]), 10_000.into());
    exchange.deposit(address(&keys[2]), 10_000.into());
    let tape = Arc::new(Mutex::new(Tape::new(exchange, [])));
    let faults = Arc::new(Mutex::new(Faults::none()));
    let stand_in = StandIn::start(0, Network::Testnet, tape, clock.clone(), faults)
        .await
        .unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/client.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg(stand_in.url())
        .args(&keys)
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut done = false;
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(seconds) = line.strip_prefix("ADVANCE ") {
            clock.advance(1000 * seconds.parse::<u64>().unwrap());
            stand_in.changed();
            input.write_all(b"\n").await.unwrap();
        }
        done |= line == "DONE";
    }
    let status = child.wait().await.unwrap();
    assert!(
        done && status.success(),
        "the script says above what is wrong: {status}"
    );
}
