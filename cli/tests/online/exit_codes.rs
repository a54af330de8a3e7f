//! Exit codes tell scripts what kind of trouble it was, and people what to do.

use ballast_client::{Keypair, Signer};

use crate::node::{Node, OPEN, opened, trader};

const NO_MARKET: &str = "11111111111111111111111111111111";

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_command_ends_with_the_code_of_its_kind() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await.keypair;
    let position = &opened(&node, &alice).await;
    let market = &world.market.address.to_string();
    let changed = |option: &str, value: &'static str| {
        let mut line = OPEN.to_vec();
        let at = line.iter().position(|word| *word == option).unwrap();
        line[at + 1] = value;
        line
    };
    let authority = &world.authority;
    let own = [
        (changed("--lower", "220"), 2, "220"),
        (changed("--leverage", "0.5"), 2, "at least"),
        (changed("--leverage", "1000"), 2, "above the market's cap"),
        (changed("--leverage", "1.1"), 2, "hedge not affordable"),
        (
            vec!["lend", "deposit", "bas", "1"],
            2,
            "none of the market's tokens",
        ),
        (changed("--own-quote", "0"), 2, "no own funds"),
        (
            vec!["decrease", position, "--part", "150%"],
            2,
            "more than all",
        ),
        (vec!["decrease", position], 2, "nothing to do"),
        (vec!["repay", position], 2, ""),
        (vec!["policy", "set", position], 2, "nothing to change"),
        (
            vec!["policy", "set", position, "--deleverage-trigger", "95%"],
            4,
            "--deleverage-trigger must be below the market's maintenance LTV",
        ),
        (
            vec![
                "first-keepers",
                "set",
                position,
                NO_MARKET,
                "--head-start",
                "9h",
            ],
            2,
            "out of range",
        ),
        (vec!["positions", "--market", NO_MARKET], 2, market.as_str()),
        (
            vec!["positions", "--all", "--market", position],
            2,
            "another account",
        ),
        (
            vec!["market", "show", "--market", NO_MARKET],
            2,
            market.as_str(),
        ),
        (vec!["collect", position], 5, ""),
        (vec!["rehedge", position], 5, ""),
        (vec!["reward", "reclaim", position, "all"], 5, ""),
        (
            vec!["lend", "withdraw", "base", "all"],
            5,
            "nothing to take back",
        ),
        (
            vec!["lend", "cover-bad-debt", "quote", "all"],
            5,
            "nothing to cover",
        ),
        (
            vec!["market", "set-mode", "reduce-only", "--for", "1h"],
            4,
            "authority",
        ),
    ];
    for (line, code, part) in own {
        let run = node.ballast(&alice, &line).await;
        assert_eq!(run.code, code, "{line:?}: {}{}", run.out, run.err);
        assert!(run.err.contains(part), "{line:?}: {}", run.err);
        for debris in ["Left:", "Right:", "_bps"] {
            assert!(!run.err.contains(debris), "{line:?}: {}", run.err);
        }
        let said: Vec<&str> = run.err.lines().collect();
        assert!(
            said.last().unwrap().starts_with("help: "),
            "{line:?}: {}",
            run.err
        );
    }
    for (line, code, part) in [
        (
            vec!["market", "set-mode", "normal", "--for", "1h"],
            2,
            "leave --for out",
        ),
        (vec!["market", "cancel-oracle"], 5, "nothing to take back"),
        (vec!["market", "apply"], 5, "nothing is announced"),
    ] {
        let run = node.ballast(authority, &line).await;
        assert_eq!(run.code, code, "{line:?}: {}{}", run.out, run.err);
        assert!(run.err.contains(part), "{line:?}: {}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_known_by_its_short_form_and_by_its_number() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await.keypair;
    let bob = trader(&world, "bob").await.keypair;
    let first = opened(&node, &alice).await;
    let wider = [
        "open",
        "--own-quote",
        "90",
        "--leverage",
        "2",
        "--lower",
        "180",
        "--upper",
        "220",
    ];
    let second = node.json(&alice, &wider).await;
    let second = second["position"]["position"].as_str().unwrap().to_owned();
    let short = |address: &str| format!("{}…{}", &address[..4], &address[address.len() - 4..]);
    for (name, address) in [
        (short(&first), &first),
        (short(&second).replace('…', "..."), &second),
        ("0".to_owned(), &first),
        ("1".to_owned(), &second),
    ] {
        let explained = node.json(&alice, &["explain", &name]).await;
        assert_eq!(
            explained["position"]["position"],
            address.as_str(),
            "{name}"
        );
    }
    // A stranger knows it by the short form, and has no numbers.
    let explained = node.json(&bob, &["explain", &short(&first)]).await;
    assert_eq!(explained["position"]["position"], first.as_str());
    for (name, part) in [
        ("0", "no position number 0"),
        ("zzzz…zzzz", "is called zzzz…zzzz"),
    ] {
        let run = node.ballast(&bob, &["--json", "explain", name]).await;
        assert_eq!(run.code, 2, "{name}: {}", run.err);
        assert!(run.err.contains(part), "{name}: {}", run.err);
        assert!(
            run.err.contains("help: `ballast positions`"),
            "{name}: {}",
            run.err
        );
        assert_eq!(run.json()["code"], "usage");
    }
    // What sends shows the whole address, and does it.
    let set = ["policy", "set", "1", "--keepers", "off"];
    let run = node.ballast(&alice, &set).await;
    assert!(
        run.code == 0 && run.err.contains(&second),
        "{}{}",
        run.out,
        run.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_sol_is_named_with_what_it_has() {
    let node = Node::start().await;
    let _world = node.world().await;
    let poor = Keypair::new();
    let run = node.ballast(&poor, &["market", "accrue"]).await;
    assert_eq!(run.code, 1, "{}", run.err);
    let expected = format!(
        "error: the signer {} holds 0.000000000 SOL, which does not pay for this transaction\nhelp: fund it, or pass another key \
         with --keypair\n",
        poor.pubkey()
    );
    assert!(run.err.ends_with(&expected), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_takes_the_market_that_the_environment_names_and_doctor_the_keepers_pools() {
    let node = Node::start().await;
    let world = node.world().await;
    let endpoints = node.net.endpoints().unwrap();
    let url = endpoints.rpc_url.clone();
    let quote = move |market: String| {
        let url = url.clone();
        async move {
            let run = tokio::task::spawn_blocking(move || {
                let mut command = crate::common::command();
                command.env("BALLAST_MARKET", market);
                command.args([
                    "--url", &url, "quote", "--lower", "190", "--upper", "210", "--equity", "100",
                ]);
                command.args(["--leverage", "3", "--sigma-day", "4%", "--market"]);
                command.output().unwrap()
            });
            let output = run.await.unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.code().unwrap(), said)
        }
    };
    let (code, said) = quote(NO_MARKET.into()).await;
    assert!(code == 2 && said.contains(NO_MARKET), "{code}: {said}");
    let (code, said) = quote("x".into()).await;
    assert!(
        code == 2 && said.contains("BALLAST_MARKET"),
        "{code}: {said}"
    );
    let (code, said) = quote(world.market.address.to_string()).await;
    assert_eq!(code, 0, "{said}");

    let alice = trader(&world, "alice").await.keypair;
    let directory = tempfile::tempdir().unwrap();
    let market = &world.market;
    for (line, state) in [
        (String::new(), "fail"),
        (
            format!(
                "pool_programs = [\"{}\"]\n",
                market.market.whirlpool_program
            ),
            "ok",
        ),
    ] {
        let file = directory.path().join("keeper.toml");
        let text = format!(
            "rpc_url = \"{}\"\njournal_dir = \"journal\"\n{line}[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\n\
             quote_price = \"{}\"\n",
            endpoints.rpc_url, market.address, market.prices.base, market.prices.quote
        );
        std::fs::write(&file, text).unwrap();
        let args = ["--json", "doctor", "--config", file.to_str().unwrap()];
        let run = node.ballast(&alice, &args).await;
        let report = run.json();
        let checks = report["checks"].as_array().unwrap();
        let pools = checks
            .iter()
            .find(|check| check["what"] == "keeper pools")
            .unwrap();
        assert_eq!(pools["state"], state, "{report}");
        assert_eq!(run.code, i32::from(state == "fail"), "{report}");
        assert_eq!(report["exit_code"].is_null(), state == "ok", "{report}");
        let names_it = pools["finding"].as_str().unwrap().contains("pool_programs");
        assert!(names_it, "{report}");
    }
}
