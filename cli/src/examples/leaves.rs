//! Two examples of each command below another.

/// After the words that name it.
pub static LEAVES: &[(&str, &[&str])] = &[
    (
        "policy set",
        &[
            "policy set POSITION --delta-band 8% --delta-target 2%",
            "policy set POSITION --keepers off",
        ],
    ),
    (
        "policy show",
        &["policy show POSITION", "policy show POSITION --json"],
    ),
    (
        "automation set",
        &[
            "automation set POSITION --min-width 5% --max-width 20% --leverage 3",
            "automation set POSITION --low 150 --at-low exit-quote",
        ],
    ),
    (
        "automation show",
        &[
            "automation show POSITION",
            "automation show POSITION --json",
        ],
    ),
    (
        "first-keepers set",
        &[
            "first-keepers set POSITION KEEPER --head-start 20s",
            "first-keepers set POSITION --none",
        ],
    ),
    (
        "first-keepers show",
        &[
            "first-keepers show POSITION",
            "first-keepers show POSITION --json",
        ],
    ),
    (
        "reward fund",
        &[
            "reward fund POSITION 0.1",
            "reward fund POSITION 0.05 --priority-fee 10000",
        ],
    ),
    (
        "reward reclaim",
        &[
            "reward reclaim POSITION 0.02",
            "reward reclaim POSITION all",
        ],
    ),
    (
        "market show",
        &["market show", "market show --market ADDRESS --json"],
    ),
    (
        "market set-mode",
        &[
            "market set-mode no-new-risk --for 12h",
            "market set-mode normal",
        ],
    ),
    (
        "market refresh-stage",
        &[
            "market refresh-stage",
            "market refresh-stage --market ADDRESS",
        ],
    ),
    (
        "market refresh-price",
        &[
            "market refresh-price",
            "market refresh-price --market ADDRESS",
        ],
    ),
    (
        "market accrue",
        &["market accrue", "market accrue --market ADDRESS"],
    ),
    (
        "market apply",
        &["market apply", "market apply --market ADDRESS"],
    ),
    (
        "market announce-oracle",
        &[
            "market announce-oracle --base-price-account ADDRESS",
            "market announce-oracle --quote-feed FEED --quote-price-account none",
        ],
    ),
    (
        "market cancel-oracle",
        &[
            "market cancel-oracle",
            "market cancel-oracle --market ADDRESS",
        ],
    ),
    (
        "market migrate",
        &[
            "market migrate --market ADDRESS",
            "market migrate --market ADDRESS --json --yes",
        ],
    ),
    (
        "market offer-authority",
        &[
            "market offer-authority ADDRESS",
            "market offer-authority --cancel",
        ],
    ),
    (
        "market accept-authority",
        &[
            "market accept-authority",
            "market accept-authority --market ADDRESS",
        ],
    ),
    (
        "market set-guardian",
        &["market set-guardian ADDRESS", "market set-guardian --none"],
    ),
    (
        "lend deposit",
        &["lend deposit base 10", "lend deposit quote 1000"],
    ),
    (
        "lend withdraw",
        &["lend withdraw base 2.5", "lend withdraw quote all"],
    ),
    ("lend show", &["lend show", "lend show --owner ADDRESS"]),
    (
        "lend cover-bad-debt",
        &[
            "lend cover-bad-debt quote 50",
            "lend cover-bad-debt base all",
        ],
    ),
    (
        "lend fund-insurance",
        &[
            "lend fund-insurance quote 100",
            "lend fund-insurance base 1",
        ],
    ),
    (
        "hedge quote",
        &[
            "hedge quote --network testnet --account VENUE-ACCOUNT --size -10",
            "hedge quote --network mainnet --account VENUE-ACCOUNT --size 2.5 --hours 72",
        ],
    ),
    (
        "hedge status",
        &[
            "hedge status --network testnet --account VENUE-ACCOUNT",
            "hedge status --network mainnet --account VENUE-ACCOUNT --state hedge --json",
        ],
    ),
    (
        "hedge flatten",
        &[
            "hedge flatten --network testnet --account VENUE-ACCOUNT --state hedge --agent-key agent.key",
            "hedge flatten --network mainnet --account VENUE-ACCOUNT --state hedge --agent-key agent.key --depth-share 0.2",
        ],
    ),
    (
        "keeper run",
        &[
            "keeper run --config keeper.toml",
            "keeper run --config keeper.toml --set mode=paper",
        ],
    ),
    (
        "keeper check",
        &[
            "keeper check --config keeper.toml",
            "keeper check --config keeper.toml --all --json",
        ],
    ),
    (
        "journal tail",
        &[
            "journal tail --follow --config keeper.toml",
            "journal tail -n 100 --dir journal",
        ],
    ),
    (
        "journal export",
        &[
            "journal export --config keeper.toml",
            "journal export --format csv --output actions.csv --dir journal",
        ],
    ),
    (
        "journal verify",
        &[
            "journal verify --config keeper.toml",
            "journal verify --dir journal --json",
        ],
    ),
    (
        "journal replay",
        &[
            "journal replay --config keeper.toml",
            "journal replay --dir journal --json",
        ],
    ),
    ("key new", &["key new", "key new keeper.json"]),
];
