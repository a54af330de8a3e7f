//! Groups of commands, and examples. A test reads each example with the real command line.

mod leaves;

use leaves::LEAVES;

/// Commands that belong together.
pub struct Group {
    pub title: &'static str,
    pub commands: &'static [&'static str],
    pub examples: &'static [&'static str],
}

/// In the order in which help shows them.
pub static GROUPS: [Group; 6] = [
    Group {
        title: "Before opening",
        commands: &[
            "quote",
            "simulate",
            "compare",
            "optimise",
            "stress",
            "backtest",
            "calibrate",
            "risk",
        ],
        examples: &[
            "quote --price 200 --lower 190 --upper 210 --equity 100 --leverage 3",
            "stress flash-crash",
        ],
    },
    Group {
        title: "Positions",
        commands: &[
            "open",
            "positions",
            "explain",
            "increase",
            "repay",
            "decrease",
            "collect",
            "close",
            "policy",
            "automation",
            "first-keepers",
            "reward",
            "transfer",
            "accept",
        ],
        examples: &[
            "open --own-quote 100 --leverage 3 --lower 190 --upper 210",
            "explain POSITION",
        ],
    },
    Group {
        title: "Keepers' actions, by hand",
        commands: &[
            "rehedge",
            "recenter",
            "compound",
            "deleverage",
            "exit",
            "liquidate",
            "show-loss",
            "settle",
        ],
        examples: &[
            "rehedge POSITION --dry-run",
            "liquidate POSITION --min-gain 1",
        ],
    },
    Group {
        title: "Lending",
        commands: &["lend"],
        examples: &["lend deposit quote 1000", "lend show"],
    },
    Group {
        title: "Markets",
        commands: &["market", "migrate", "deploy"],
        examples: &["market show", "market set-mode no-new-risk --for 12h"],
    },
    Group {
        title: "Operating",
        commands: &[
            "keeper",
            "halt",
            "reduce",
            "pause",
            "resume",
            "journal",
            "dashboard",
            "hedge",
            "doctor",
            "tx",
            "key",
            "completions",
            "man",
        ],
        examples: &[
            "keeper run --config keeper.toml",
            "doctor --config keeper.toml",
        ],
    },
];

const SCENE: [&str; 2] = [
    "simulate --model gbm --sigma-day 4% --horizon-days 7 --step-secs 600 --paths 1000 --seed 7 --price 200 --equity 100 --lower 190 --upper 210 --leverage 3 --strategy keeper --borrow-base-apr 8% --borrow-quote-apr 12% --action-cost 0.01 --liquidate",
    "simulate --model bootstrap --candles candles.csv --horizon-days 7 --step-secs 3600 --paths 1000 --seed 7 --price 200 --equity 100 --lower 190 --upper 210 --leverage 3 --strategy keeper:keeper.toml --borrow-base-apr 8% --borrow-quote-apr 12% --action-cost 0.01 --out study",
];

/// Two of each command, after the words that name it.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    COMMANDS.iter().chain(LEAVES).copied()
}

/// Those of the commands at the top.
static COMMANDS: &[(&str, &[&str])] = &[
    (
        "quote",
        &[
            "quote --price 200 --lower 190 --upper 210 --equity 100 --leverage 3",
            "quote --market --lower 190 --upper 210 --equity 100 --leverage 3 --html quote.html",
        ],
    ),
    ("simulate", &SCENE),
    (
        "compare",
        &[
            "compare keeper hold --model gbm,jumps --sigma-day 4% --jumps-day 0.3 --jump-mean -0.01 --jump-sd 0.04 --horizon-days 7 --step-secs 600 --paths 1000 --seed 7 --price 200 --equity 100 --lower 190 --upper 210 --leverage 3 --borrow-base-apr 8% --borrow-quote-apr 12% --action-cost 0.01",
            "compare old.toml new.toml --model replay --pool-minutes minutes.csv --fee-ppm 500 --horizon-days 7 --step-secs 60 --paths 100 --seed 7 --price 200 --equity 100 --lower 190 --upper 210 --leverage 3",
        ],
    ),
    (
        "optimise",
        &[
            "optimise --model gbm --sigma-day 4% --horizon-days 7 --step-secs 600 --paths 300 --seed 7 --price 200 --equity 100 --widths 5%,10%,20% --leverages 1.5,2,2.8 --borrow-base-apr 8% --borrow-quote-apr 12% --action-cost 0.01",
            "optimise --model bootstrap --candles candles.csv --horizon-days 7 --step-secs 3600 --paths 300 --seed 7 --price 200 --equity 100 --widths 10% --leverages 2,2.8 --borrow-base-apr 8% --borrow-quote-apr 12% --action-cost 0.01 --max-liquidation 1%",
        ],
    ),
    (
        "stress",
        &["stress flash-crash", "stress --live --seeds 20"],
    ),
    (
        "backtest",
        &[
            "backtest --candles candles.csv --fee-ppm 400 --lower-tick -17000 --upper-tick -15000 --liquidity 1000000000 --taker-volume-day 100000",
            "backtest --pool-minutes minutes.csv --fee-ppm 500 --lower-tick 200000 --upper-tick 201000 --liquidity 1000000000",
        ],
    ),
    (
        "calibrate",
        &[
            "calibrate candles.csv",
            "calibrate january.csv.gz february.csv.gz --json",
        ],
    ),
    (
        "risk",
        &[
            "risk --input positions.jsonl",
            "risk --input - --output answers.jsonl",
        ],
    ),
    (
        "open",
        &[
            "open --own-quote 100 --leverage 3 --lower 190 --upper 210",
            "open --own-base 1 --own-quote 50 --leverage 2 --lower 180 --upper 220 --dry-run",
        ],
    ),
    ("positions", &["positions", "positions --all --json"]),
    ("explain", &["explain POSITION", "explain POSITION --json"]),
    (
        "increase",
        &[
            "increase POSITION --own-quote 50",
            "increase POSITION --leverage 2.5",
        ],
    ),
    (
        "repay",
        &[
            "repay POSITION --quote 20",
            "repay POSITION --base all --quote all",
        ],
    ),
    (
        "decrease",
        &[
            "decrease POSITION --part 50%",
            "decrease POSITION --part 20% --pay-quote all",
        ],
    ),
    (
        "collect",
        &["collect POSITION", "collect POSITION --dry-run"],
    ),
    ("close", &["close POSITION", "close POSITION --unwrap"]),
    (
        "policy",
        &["policy show POSITION", "policy set POSITION --keepers off"],
    ),
    (
        "automation",
        &[
            "automation show POSITION",
            "automation set POSITION --min-width 5% --max-width 20% --leverage 3",
        ],
    ),
    (
        "first-keepers",
        &[
            "first-keepers set POSITION KEEPER --head-start 20s",
            "first-keepers set POSITION --none",
        ],
    ),
    (
        "reward",
        &["reward fund POSITION 0.1", "reward reclaim POSITION all"],
    ),
    (
        "transfer",
        &["transfer POSITION ADDRESS", "transfer POSITION --cancel"],
    ),
    ("accept", &["accept POSITION", "accept POSITION --json"]),
    (
        "rehedge",
        &["rehedge POSITION", "rehedge POSITION --dry-run"],
    ),
    (
        "recenter",
        &[
            "recenter POSITION --width 10%",
            "recenter POSITION --width 10% --dry-run",
        ],
    ),
    (
        "compound",
        &["compound POSITION", "compound POSITION --dry-run"],
    ),
    (
        "deleverage",
        &["deleverage POSITION", "deleverage POSITION --no-swap"],
    ),
    ("exit", &["exit POSITION", "exit POSITION --dry-run"]),
    (
        "liquidate",
        &[
            "liquidate POSITION --min-gain 1",
            "liquidate POSITION --max-pay-quote 500 --dry-run",
        ],
    ),
    (
        "show-loss",
        &["show-loss POSITION", "show-loss POSITION --dry-run"],
    ),
    (
        "settle",
        &["settle POSITION", "settle POSITION --max-pay-quote all"],
    ),
    (
        "lend",
        &["lend deposit quote 1000", "lend withdraw quote all"],
    ),
    (
        "market",
        &["market show", "market set-mode no-new-risk --for 12h"],
    ),
    (
        "migrate",
        &["migrate", "migrate --migrations migrations/devnet"],
    ),
    (
        "deploy",
        &[
            "deploy --program target/deploy/ballast.so --program-keypair target/deploy/ballast-keypair.json",
            "deploy --program target/deploy/ballast.so --program-keypair ADDRESS --no-migrate",
        ],
    ),
    (
        "keeper",
        &[
            "keeper check --config keeper.toml",
            "keeper run --config keeper.toml --set mode=paper",
        ],
    ),
    (
        "halt",
        &[
            "halt --reason maintenance --until 30m --config keeper.toml",
            "halt --reason maintenance --journal-dir journal --yes",
        ],
    ),
    (
        "reduce",
        &[
            "reduce --reason volatility --config keeper.toml",
            "reduce POSITION --reason volatility --until 2h --config keeper.toml",
        ],
    ),
    (
        "pause",
        &[
            "pause POSITION --reason by-hand --until 30m --config keeper.toml",
            "pause POSITION --reason by-hand --journal-dir journal --yes",
        ],
    ),
    (
        "resume",
        &[
            "resume --reason looked --config keeper.toml",
            "resume POSITION --reason looked --expect reducing --config keeper.toml",
        ],
    ),
    (
        "journal",
        &[
            "journal tail --follow --config keeper.toml",
            "journal export --format csv --output actions.csv --dir journal",
        ],
    ),
    (
        "dashboard",
        &[
            "dashboard --config keeper.toml",
            "dashboard --config keeper.toml --print",
        ],
    ),
    (
        "hedge",
        &[
            "hedge quote --network testnet --account VENUE-ACCOUNT --size -10",
            "hedge status --network testnet --account VENUE-ACCOUNT",
        ],
    ),
    (
        "doctor",
        &[
            "doctor",
            "doctor --config keeper.toml --program target/deploy/ballast.so",
        ],
    ),
    ("tx", &["tx SIGNATURE", "tx SIGNATURE --wait"]),
    ("key", &["key new", "key new keeper.json"]),
    ("completions", &["completions bash", "completions zsh"]),
    ("man", &["man target/man", "man /usr/local/share/man/man1"]),
];
