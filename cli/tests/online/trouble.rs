//! What strangers and nodes do to users: lamports where accounts are to be, outcomes that were not seen, keys in URLs.

use ballast_client::{Amounts, Instruction, PositionAddresses, Pubkey, Side};
use ballast_localnet::{LocalnetExt, Process};
use solana_sdk::instruction::AccountMeta;

use crate::{
    common,
    node::{Node, number},
};

const OPEN: [&str; 9] = [
    "open",
    "--own-quote",
    "100",
    "--leverage",
    "2",
    "--lower",
    "90",
    "--upper",
    "400",
];
/// Little, but enough to exist without data.
const DUST_LAMPORTS: u64 = 900_000;

#[tokio::test(flavor = "multi_thread")]
async fn lamports_sent_to_where_accounts_are_to_be_lock_nobody_out() {
    let node = Node::start().await;
    let world = node.world().await;
    let funds = Amounts::new(0, 1_000_000_000);
    let alice = world.trader("alice", funds).await.unwrap();
    let (owner, market) = (alice.key(), &world.market);
    // No base account any more: SPL Token, instruction 9 (CloseAccount).
    let base = market.wallet(&owner).base;
    let close = Instruction {
        program_id: market.base.program,
        accounts: vec![
            AccountMeta::new(base, false),
            AccountMeta::new(owner, false),
            AccountMeta::new_readonly(owner, true),
        ],
        data: vec![9],
    };
    world
        .net
        .execute(vec![close], &[&alice.keypair])
        .await
        .unwrap();
    let dry = [&OPEN[..], &["--dry-run"]].concat();
    let planned = node.json(&alice.keypair, &dry).await;
    let tick = |key: &str| i32::try_from(planned["planned"][key].as_i64().unwrap()).unwrap();
    let ticks = [tick("tick_lower"), tick("tick_upper")];
    let arrays = market
        .band_array_starts(ticks)
        .map(|start| market.tick_array(start));
    let shares = market.share_wallet(&owner, Side::Quote);
    let position = PositionAddresses::new(market, &owner, 0);
    let dusty: Vec<Pubkey> = [base, shares, position.position]
        .into_iter()
        .chain(arrays)
        .collect();
    let chain = world.net.chain();
    for address in &dusty {
        assert_eq!(chain.account(address).await.unwrap(), None, "{address}");
        world.net.fund(address, DUST_LAMPORTS).await.unwrap();
    }
    let lent = node.json(&alice.keypair, &["lend", "show"]).await;
    assert_eq!(lent["lent"][1]["shares"], "0");
    let deposit = ["lend", "deposit", "quote", "10"];
    node.json(&alice.keypair, &deposit).await;
    let opened = node.json(&alice.keypair, &OPEN).await;
    let address = opened["position"]["position"].as_str().unwrap();
    assert_eq!(address, position.position.to_string());
    // Interest is owed in base.
    let base = Amounts::new(1_000_000_000, 0);
    world.mint_to(&owner, base).await.unwrap();
    let close = [
        "close",
        address,
        "--max-pay-base",
        "0.01",
        "--max-pay-quote",
        "1",
    ];
    let closed = node.json(&alice.keypair, &close).await;
    assert!(number(&closed["paid_quote"]) > 90.0, "{closed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallets_account_that_was_given_away_is_not_paid_to() {
    let node = Node::start().await;
    let world = node.world().await;
    let funds = Amounts::new(1_000_000_000, 1_000_000_000);
    let alice = world.trader("alice", funds).await.unwrap();
    let (owner, market) = (alice.key(), &world.market);
    let account = market.wallet(&owner).quote;
    let stranger = Pubkey::new_from_array([7; 32]);
    // SPL Token, instruction 6 (SetAuthority): the account's owner, to the stranger.
    let give = Instruction {
        program_id: market.quote.program,
        accounts: vec![
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(owner, true),
        ],
        data: [&[6, 2, 1][..], stranger.as_ref()].concat(),
    };
    world
        .net
        .execute(vec![give], &[&alice.keypair])
        .await
        .unwrap();
    for line in [&OPEN[..], &["lend", "deposit", "base", "1"]] {
        let error = node.refused(&alice.keypair, line).await;
        for part in [
            account.to_string(),
            stranger.to_string(),
            "authorize".into(),
        ] {
            assert!(error.contains(&part), "{line:?}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_transaction_is_told() {
    let node = Node::start().await;
    let world = node.world().await;
    let funds = Amounts::new(5_000_000_000, 1_000_000_000);
    let alice = world.trader("alice", funds).await.unwrap();
    let line = ["lend", "deposit", "quote", "10"];
    let sent = node.json(&alice.keypair, &line).await;
    let signature = sent["signature"].as_str().unwrap();
    let told = node.json(&alice.keypair, &["tx", signature]).await;
    assert_eq!(
        (&told["outcome"], &told["error"]),
        (&"landed".into(), &().into())
    );
    let events = told["events"].as_array().unwrap();
    assert!(events.contains(&"Deposited".into()), "{told}");
    // One that nobody has ever seen.
    let other = ballast_client::Signature::from([9; 64]).to_string();
    let unknown = node
        .ballast(&alice.keypair, &["--json", "tx", &other])
        .await;
    assert_eq!(
        (unknown.code, &unknown.json()["outcome"]),
        (1, &"unknown".into())
    );
    let expired = ["--json", "tx", &other, "--last-valid", "0", "--wait"];
    let expired = node.ballast(&alice.keypair, &expired).await;
    assert_eq!(
        (expired.code, &expired.json()["outcome"]),
        (1, &"expired".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_the_deployed_program_from_others() {
    let node = Node::start().await;
    let world = node.world().await;
    let programs = world.net.programs();
    let file = &programs.ballast.file;
    let alice = world.trader("alice", Amounts::new(0, 0)).await.unwrap();
    let path = file.to_str().unwrap();
    let report = node
        .ballast(&alice.keypair, &["--json", "doctor", "--program", path])
        .await
        .json();
    let state = |what: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["what"] == what).unwrap();
        check["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("program's sources"), "ok", "{report}");
    assert_eq!(state("program's bytes"), "ok", "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_judges_the_flags_that_one_look_can_judge() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = world.trader("alice", Amounts::new(0, 0)).await.unwrap();
    let endpoints = node.net.endpoints().unwrap();
    let (url, market) = (&endpoints.rpc_url, &world.market);
    let directory = tempfile::tempdir().unwrap();
    for (raise_at, own_sol) in [(1, "quiet"), (i64::MAX - 1, "raised")] {
        let file = directory.path().join(format!("{own_sol}.toml"));
        let text = format!(
            "rpc_url = \"{url}\"\njournal_dir = \"journal\"\n[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\n\
             quote_price = \"{}\"\nbuffer_base = 0\n[flags]\nother_rpc_urls = [\"{url}\"]\n\
             [flags.own_sol_low]\nraise_at = {raise_at}\nclear_at = {}\n",
            market.address,
            market.prices.base,
            market.prices.quote,
            raise_at + 1
        );
        std::fs::write(&file, text).unwrap();
        let args = ["--json", "doctor", "--config", file.to_str().unwrap()];
        let report = node.ballast(&alice.keypair, &args).await.json();
        let flags = report["flags"].as_array().unwrap();
        let states = flags.iter().map(|flag| {
            (
                flag["name"].as_str().unwrap(),
                flag["state"].as_str().unwrap(),
            )
        });
        assert_eq!(
            states.collect::<Vec<_>>(),
            [
                ("oracle_stall", "quiet"),
                // The chain has no average of an hour yet.
                ("depth_drop", "unknown"),
                ("funding_spike", "unknown"),
                ("routing_shift", "unknown"),
                ("hedge_fills", "unknown"),
                ("stream_lag", "quiet"),
                ("endpoints_disagree", "quiet"),
                ("own_sol_low", own_sol),
            ],
            "{report}"
        );
        // No positions, nothing needed.
        assert_eq!(report["contingency"]["state"], "enough", "{report}");
        assert_eq!(report["contingency"]["gap_bps"], 1_000);
    }
    let text = node.ballast(&alice.keypair, &["doctor"]).await;
    assert!(text.code == 0, "{}", text.out);
    assert!(
        text.out.contains("endpoints_disagree")
            && text.out.contains("A second endpoint is not configured."),
        "{}",
        text.out
    );
    assert!(
        text.out.contains("what is kept is not configured"),
        "{}",
        text.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_nodes_are_in_no_output_however_much_is_logged() {
    const KEY: &str = "KEY0123456789";
    let node = Node::start().await;
    let world = node.world().await;
    let alice = world.trader("alice", Amounts::new(0, 0)).await.unwrap();
    let endpoints = node.net.endpoints().unwrap();
    let (url, ws) = (&endpoints.rpc_url, &endpoints.ws_url);
    let with_key = |url: &str| format!("{}/?api-key={KEY}", url.trim_end_matches('/'));
    let directory = tempfile::tempdir().unwrap();
    let market = &world.market;
    // The websocket works in the first life, and not in the second.
    for (life, ws_url) in [with_key(ws), format!("ws://127.0.0.1:9/{KEY}")]
        .iter()
        .enumerate()
    {
        let config = format!(
            "rpc_url = \"{}\"\nws_url = \"{ws_url}\"\njournal_dir = \"journal-{life}\"\nmode = \"active\"\n\
             keypair = \"{}\"\npool_programs = [\"{}\"]\n[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\n\
             quote_price = \"{}\"\n",
            with_key(url),
            node.key_file(&alice.keypair).display(),
            market.market.whirlpool_program,
            market.address,
            market.prices.base,
            market.prices.quote
        );
        let file = directory.path().join("keeper.toml");
        std::fs::write(&file, config).unwrap();
        let log = directory.path().join(format!("log-{life}"));
        let line = [
            "RUST_LOG=trace",
            env!("CARGO_BIN_EXE_ballast"),
            "keeper",
            "run",
            "--config",
        ];
        let mut line = line.map(String::from).to_vec();
        line.push(file.display().to_string());
        let mut keeper = Process::start("env".as_ref(), &line, &log).unwrap();
        let awaited = ["market read anew", "stream lost"][life];
        let text = loop {
            let text = std::fs::read_to_string(&log).unwrap();
            if text.contains(awaited) {
                break text;
            }
            assert!(keeper.exited().unwrap().is_none(), "{}", keeper.said());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        for line in text.lines() {
            assert!(!line.contains(KEY), "{line}");
        }
    }
    // The command line's own.
    let bad = format!("ws://127.0.0.1:9/{KEY}");
    let doctor = [
        "--url".into(),
        with_key(url),
        "--ws-url".into(),
        bad,
        "doctor".into(),
    ];
    let help = ["--help".into()];
    let unknown = [
        "--url".into(),
        format!("htps://host/{KEY}"),
        "doctor".into(),
    ];
    for line in [&doctor[..], &help, &unknown] {
        let line = line.to_vec();
        let run = tokio::task::spawn_blocking(move || {
            let mut command = common::command();
            command.env("BALLAST_URL", format!("http://127.0.0.1:9/{KEY}"));
            command.env("BALLAST_WS_URL", format!("ws://127.0.0.1:9/{KEY}"));
            command.args(line).output().unwrap()
        });
        let run = run.await.unwrap();
        for said in [run.stdout, run.stderr] {
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(!said.contains(KEY), "{said}");
        }
    }
}
