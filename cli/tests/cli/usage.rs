//! What every command has in common.

use crate::common::{OPEN, command, run};

#[test]
fn help_lists_the_commands_and_each_has_its_own() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in [
        "quote",
        "risk",
        "simulate",
        "backtest",
        "open",
        "positions",
        "explain",
        "increase",
        "repay",
        "decrease",
        "collect",
        "compound",
        "recenter",
        "exit",
        "rehedge",
        "deleverage",
        "liquidate",
        "show-loss",
        "settle",
        "close",
        "policy",
        "automation",
        "first-keepers",
        "transfer",
        "accept",
        "reward",
        "market",
        "lend",
        "keeper",
        "halt",
        "reduce",
        "pause",
        "resume",
        "deploy",
        "migrate",
        "doctor",
    ] {
        assert!(help.out.contains(command), "no {command} in\n{}", help.out);
        assert_eq!(run(&[command, "--help"]).code, 0, "{command}");
    }
    assert_eq!(run(&["--version"]).code, 0);
    assert_eq!(run(&["dance"]).code, 2);
    assert_eq!(run(&[]).code, 2);
}

#[test]
fn an_unreachable_node_is_named() {
    // Port 9 of the loopback (discard) is refused everywhere.
    let url = ["--url", "http://127.0.0.1:9/secret-key"];
    for (arguments, code) in [
        (&["market", "show"][..], 3),
        (&["positions", "--all"], 3),
        (&["doctor"], 3),
    ] {
        let run = run(&[&url[..], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}");
        let lines: Vec<&str> = run.err.lines().collect();
        assert!(
            lines.last().unwrap().starts_with("help: check "),
            "{}",
            run.err
        );
        let said = run.out + &run.err;
        assert!(
            said.contains("http://127.0.0.1:9") && !said.contains("secret-key"),
            "{said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn endpoints_keys_and_addresses_are_checked() {
    let node = ["--url", "http://127.0.0.1:9"];
    for (arguments, code, parts) in [
        (
            &["--url", "moonnet", "doctor"][..],
            2,
            &["--url", "devnet"][..],
        ),
        (
            &["explain", "not-an-address"],
            2,
            &["not-an-address", "base58"],
        ),
        (
            &["positions", "--owner", "foo"],
            2,
            &["'foo'", "--owner", "base58"],
        ),
        (
            &["market", "show", "--market", "foo"],
            2,
            &["'foo'", "--market", "base58"],
        ),
        (&["close", "foo"], 2, &["'foo'", "base58"]),
        (&["show-loss", "foo"], 2, &["'foo'", "base58"]),
        (&["settle", "foo"], 2, &["'foo'", "base58"]),
        (
            &[
                "first-keepers",
                "set",
                "So11111111111111111111111111111111111111112",
            ],
            2,
            &["--head-start"],
        ),
        (
            &[
                "first-keepers",
                "set",
                "So11111111111111111111111111111111111111112",
                "So11111111111111111111111111111111111111112",
                "--none",
            ],
            2,
            &["--none"],
        ),
        (
            &[
                "deleverage",
                "So11111111111111111111111111111111111111112",
                "--swap",
                "--no-swap",
            ],
            2,
            &["--swap", "--no-swap"],
        ),
        (
            &["market", "announce-oracle", "--base-feed", "SOL/USD"],
            2,
            &["'SOL/USD'", "--base-feed", "64 hexadecimal digits"],
        ),
        (
            &["market", "announce-oracle", "--base-price-account", "foo"],
            2,
            &["'foo'", "--base-price-account", "base58"],
        ),
        (&["increase", "foo"], 2, &["'foo'", "base58"]),
        (
            &["recenter", "So11111111111111111111111111111111111111112"],
            2,
            &["--width"],
        ),
        (&["transfer", "foo", "bar"], 2, &["'foo'", "base58"]),
        (
            &["market", "set-mode", "no-new-risk", "--for", "soon"],
            2,
            &["'soon'", "30m"],
        ),
        (&["policy", "show", "foo"], 2, &["'foo'", "base58"]),
        (&["lend", "show", "--owner", "foo"], 2, &["'foo'", "base58"]),
        (&["migrate", "--pool", "foo"], 2, &["'foo'", "base58"]),
        (&["positions"], 1, &["--owner", "--all", "--keypair"]),
        (&["lend", "show"], 1, &["--owner", "--keypair"]),
        (&OPEN, 1, &["--keypair"]),
        (&["lend", "deposit", "quote", "1 2"], 2, &["'1 2'", "1.25"]),
        (
            &["keeper", "run", "--config", "/nonexistent.toml"],
            2,
            &["/nonexistent.toml", "--config"],
        ),
        (
            &[
                "deploy",
                "--program",
                "/nonexistent.so",
                "--program-keypair",
                "/nonexistent.json",
            ],
            1,
            &["/nonexistent.so", "--program"],
        ),
    ] {
        let line = if arguments[0] == "--url" {
            arguments.to_vec()
        } else {
            [&node[..], arguments].concat()
        };
        let run = run(&line);
        assert_eq!(run.code, code, "{line:?}: {}", run.err);
        assert!(
            parts.iter().all(|part| run.err.contains(part)),
            "{line:?}: {}",
            run.err
        );
    }
}

#[test]
fn a_deployment_checks_its_files_before_anything_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (program, key) = (path("program.so"), path("key.json"));
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    std::fs::write(&key, "[1, 2, 3]").unwrap();
    let deploy = |program: &str| {
        run(&[
            "--url",
            "http://127.0.0.1:9",
            "deploy",
            "--program",
            program,
            "--program-keypair",
            &key,
            "--payer",
            &key,
        ])
    };
    let refused = deploy(&program);
    assert!(
        refused.code == 1 && refused.err.contains("no shared object"),
        "{}",
        refused.err
    );
    let mut elf = b"\x7fELF\x02\x01".to_vec();
    elf.resize(18, 0);
    elf.extend([247, 0]);
    std::fs::write(&program, elf).unwrap();
    let refused = deploy(&program);
    assert!(
        refused.code == 1 && refused.err.contains("64 numbers"),
        "{}",
        refused.err
    );
}

#[test]
fn nobody_can_agree_to_lose_everything() {
    let position = "So11111111111111111111111111111111111111112";
    let increase = ["increase", position, "--own-quote", "1"];
    for line in [&OPEN[..], &increase[..]] {
        let with = |extra: &[&str]| {
            let node = ["--url", "http://127.0.0.1:9"];
            let refused = run(&[&node[..], line, extra].concat());
            assert!(refused.code == 1 || refused.code == 2, "{}", refused.err);
            refused.err
        };
        let error = with(&["--slippage", "100%", "--yes"]);
        let expected = format!(
            "error: --slippage 100% must be below 1 (100%)\nhelp: `ballast help {}` says what it takes\n",
            line[0]
        );
        assert_eq!(error, expected);
        // It is the key that is missing then.
        for allowed in [&["--slippage", "50%"][..], &[]] {
            let error = with(allowed);
            assert!(error.contains("--keypair"), "{error}");
        }
    }
}

#[test]
fn an_error_says_what_was_wrong_its_cause_and_what_to_type() {
    let key = ["--keypair", "/nonexistent.json"];
    let refused = run(&[&key[..], &["lend", "deposit", "quote", "1"]].concat());
    let lines: Vec<&str> = refused.err.lines().collect();
    let starts = ["error: ", "cause: ", "help: "];
    assert_eq!(lines.len(), starts.len(), "{}", refused.err);
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{}", refused.err);
    }
    // No colours for whoever is no terminal.
    assert!(!refused.err.contains('\u{1b}'), "{:?}", refused.err);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = command()
        .args(["--help"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("panicked"),
        "{output:?}"
    );
}
