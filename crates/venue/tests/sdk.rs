//! The stand-in, proven by a client that nobody here wrote: hyperliquid-python-sdk, from PyPI into an environment under the target
//! directory. Left out only where PyPI cannot be reached.

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
    sync::OnceCell,
};

const SDK: &str = "hyperliquid-python-sdk==0.24.0";

/// How often pip tries again. The last time it says that none is left.
const RETRIES: &str = "2";
const NONE_LEFT: &str = "Retry(total=0";

/// Made once for all tests here.
static ENVIRONMENT: OnceCell<PathBuf> = OnceCell::const_new();

/// A folder with a Python of its own that has pip.
async fn environment() -> &'static Path {
    let make = || async {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hyperliquid-python-sdk-0.24.0");
        let made = folder.join("made");
        if !made.exists() {
            let mut command = Command::new("python3");
            let ended = command.args(["-m", "venv"]).arg(&folder).output().await;
            let advice = "install Python 3 with venv (Debian: python3-venv)";
            let output = ended.unwrap_or_else(|error| panic!("python3: {error}: {advice}"));
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            assert!(
                output.status.success(),
                "`python3 -m venv` fails: {advice}: {out}{err}"
            );
            std::fs::write(made, "").expect("a file in the environment");
        }
        folder
    };
    ENVIRONMENT.get_or_init(make).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What became of an installation.
#[derive(Debug, PartialEq)]
enum Installed {
    Yes,
    /// The package index was not reached.
    NoIndex,
    /// What pip said.
    No(String),
}

async fn install(python: &Path, arguments: &[&str]) -> Installed {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "--retries", RETRIES]);
    let output = pip.args(arguments).output().await.expect("Python runs");
    let said = text(&output.stderr);
    if output.status.success() {
        Installed::Yes
    } else if said.contains(NONE_LEFT) {
        Installed::NoIndex
    } else {
        Installed::No(said)
    }
}

/// Python with the SDK; none, and said, where PyPI cannot be reached.
async fn python() -> Option<PathBuf> {
    let folder = environment().await;
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    if !complete.exists() {
        match install(&python, &[SDK]).await {
            Installed::Yes => std::fs::write(complete, "").expect("a file in the environment"),
            Installed::NoIndex => {
                let tests = "the test with a Python client of the venue";
                ballast_skip::left_out(tests, "run it where PyPI can be reached");
                return None;
            }
            Installed::No(said) => panic!("{SDK} cannot be installed: {said}"),
        }
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

#[tokio::test]
async fn the_sdk_is_left_out_only_where_the_index_is_not_reached() {
    let python = environment().await.join("bin/python");
    // Nobody listens on a port that was just given back.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let index = format!("http://{}/simple", listener.local_addr().unwrap());
    drop(listener);
    // Isolated: without the machine's own index and proxies of pip.
    let absent = "ballast-is-not-a-package==0";
    let at_index = ["--isolated", "--proxy", "", "--index-url", &index, absent];
    assert_eq!(install(&python, &at_index).await, Installed::NoIndex);

    let empty = tempfile::tempdir().unwrap();
    let links = empty.path().to_str().unwrap();
    let without = ["--isolated", "--no-index", "--find-links", links, absent];
    match install(&python, &without).await {
        Installed::No(said) => assert!(said.contains("No matching distribution"), "{said}"),
        other => panic!("{other:?}"),
    }
}
