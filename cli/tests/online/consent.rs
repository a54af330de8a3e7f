//! What sends shows its plan and asks; where nobody can be asked nothing is sent.

use std::{io::Write, process::Stdio};

use ballast_client::{PositionAddresses, Signer};
use ballast_localnet::UsdPrice;

use crate::{
    common,
    node::{Node, OPEN, trader},
};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_unasked() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    let owner = alice.key();
    let opened = node.json(&alice.keypair, &OPEN).await;
    let position = opened["position"]["position"].as_str().unwrap();
    let address = PositionAddresses::new(&world.market, &owner, 0).position;
    assert_eq!(position, address.to_string());
    let other = world.lender.pubkey().to_string();
    // There are fees to collect.
    for dollars in [203, 200] {
        world.move_price(UsdPrice::dollars(dollars)).await.unwrap();
    }

    let chain = world.net.chain();
    let all = [
        address,
        world.market.wallet(&owner).base,
        world.market.wallet(&owner).quote,
        owner,
    ];
    let before = chain.accounts(&all).await.unwrap().accounts;
    // Each with a part of its plan.
    let lines: [(&[&str], &str); 17] = [
        (&[&OPEN[..], &["--id", "5"]].concat(), "leverage     3.00x"),
        (
            &[&OPEN[..], &["--id", "5", "--slippage", "6%"]].concat(),
            "warning: --slippage 6.00% is above 5.00%",
        ),
        (
            &[
                "close",
                position,
                "--max-pay-base",
                "0.1",
                "--max-pay-quote",
                "1",
            ],
            "pay in       at most 0.100000000 SOL and 1.000000 USDC",
        ),
        (
            &["increase", position, "--own-quote", "50"],
            "0.000000000 SOL + 50.000000 USDC",
        ),
        (
            &["repay", position, "--quote", "1"],
            "0.000000000 SOL + 1.000000 USDC",
        ),
        (&["decrease", position, "--part", "10%"], "repaid       "),
        (&["collect", position], "fees         "),
        (
            &["recenter", position, "--width", "10%"],
            "range        189.",
        ),
        (
            &["policy", "set", position, "--delta-band", "20%"],
            "rehedge from 10.00% → 20.00%",
        ),
        (
            &["automation", "set", position, "--floor", "7"],
            "equity 7.000000 USDC",
        ),
        (
            &[
                "first-keepers",
                "set",
                position,
                &other,
                "--head-start",
                "10s",
            ],
            "for 10s",
        ),
        (&["transfer", position, &other], "who may take it over"),
        (&["reward", "fund", position, "0.002"], "0.002000000 SOL"),
        (&["lend", "deposit", "quote", "10"], "10.000000 USDC"),
        (&["lend", "fund-insurance", "quote", "10"], "10.000000 USDC"),
        (&["market", "accrue"], "booking interest"),
        (&["market", "refresh-price"], "refreshing the price"),
    ];
    for (line, part) in lines {
        let refused = node.unagreed(&alice.keypair, line).await;
        assert_eq!(refused.code, 2, "{line:?}: {}{}", refused.out, refused.err);
        assert_eq!(refused.out, "", "{line:?}");
        for part in [
            part,
            "cluster ",
            &owner.to_string(),
            "error: nothing was sent",
            "help: pass --yes",
        ] {
            assert!(
                refused.err.contains(part),
                "{line:?}: {part}: {}",
                refused.err
            );
        }
    }
    let after = chain.accounts(&all).await.unwrap().accounts;
    assert_eq!(after, before);
}

/// On a terminal of `script`: a `y` sends, anything else does not.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_answer_decides() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = trader(&world, "alice").await;
    let endpoints = node.net.endpoints().unwrap();
    let line = [
        env!("CARGO_BIN_EXE_ballast"),
        "--url",
        &endpoints.rpc_url,
        "--ws-url",
        &endpoints.ws_url,
        "--keypair",
        node.key_file(&alice.keypair).to_str().unwrap(),
        "lend deposit quote 10",
    ]
    .join(" ");
    let lent = async || {
        let shown = node.json(&alice.keypair, &["lend", "show"]).await;
        shown["lent"][1]["shares"].as_str().unwrap() != "0"
    };
    for (answer, code, sent) in [("n\n", 1, false), ("y\n", 0, true)] {
        let line = line.clone();
        // The node needs this task's thread.
        let ended = tokio::task::spawn_blocking(move || {
            let started = common::terminal(&line)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            let mut child = started.expect("`script` makes the terminal: install bsdutils");
            child
                .stdin
                .take()
                .unwrap()
                .write_all(answer.as_bytes())
                .unwrap();
            child.wait_with_output().unwrap()
        });
        let ended = ended.await.unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert_eq!(ended.status.code(), Some(code), "{said}");
        for part in ["depositing", "10.000000 USDC", "Go on? [y/N]"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(said.contains("nothing was sent"), !sent, "{said}");
        assert_eq!(lent().await, sent, "{said}");
    }
}
