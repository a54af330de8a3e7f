//! Help, completions, man pages, keys, and what a program that reads the output is told.

use crate::common::{command, run};

const SOL: &str = "So11111111111111111111111111111111111111112";

#[test]
fn a_program_that_reads_the_output_is_told_code_and_help() {
    let online = run(&["--url", "http://127.0.0.1:9", "--json", "market", "show"]);
    let told = online.json();
    assert_eq!((online.code, &told["code"]), (3, &"cluster".into()));
    assert!(told["error"].as_str().unwrap().contains("127.0.0.1:9"));
    assert!(told["help"].as_str().unwrap().contains("check the URL"));
    let usage = run(&["--json", "market", "shown"]);
    let told = usage.json();
    assert_eq!((usage.code, &told["code"]), (2, &"usage".into()));
    assert!(told["error"].as_str().unwrap().contains("shown"), "{told}");
    let other = run(&["--json", "keeper", "check", "--config", "/nonexistent.toml"]);
    let told = other.json();
    assert_eq!((other.code, &told["code"]), (1, &"error".into()));
    assert!(
        told["help"].as_str().unwrap().contains("--config"),
        "{told}"
    );
}

#[test]
fn a_command_line_that_makes_no_sense_is_told_in_three_lines() {
    let told = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let refused = run(&words);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{line}");
        refused.err
    };
    assert_eq!(
        told("risk"),
        "error: the following required arguments were not provided: --input <FILE>\nhelp: `ballast risk --help`\n"
    );
    assert_eq!(
        told("positons --all"),
        "error: unrecognized subcommand 'positons'\ncause: some similar subcommands exist: 'completions', 'positions'\nhelp: `ballast positions \
         --all`\n"
    );
    // The command that is to be typed is one.
    assert_eq!(run(&["positions", "--help"]).code, 0);
    assert_eq!(
        told("--url https://node.example/KEY-12 market set-mode no-new-risk --for soon"),
        "error: invalid value 'soon' for '--for <TIME>'\nhelp: write a time like 90s, 30m, 12h, 7d or 1h 30m\n"
    );
}

#[test]
fn a_program_is_told_what_people_are_told_of_a_command_line() {
    for (line, parts) in [
        (&["--json", "risk"][..], &["--input <FILE>"][..]),
        (
            &["first-keepers", "set", SOL, "--json"],
            &["--head-start <TIME>", "<KEEPERS>"],
        ),
        (&["--json", "lend", "depsit"], &["'depsit'", "'deposit'"]),
        (
            &["--json", "reward"],
            &["`ballast reward`", "fund, reclaim"],
        ),
        (&["--json"], &["`ballast` needs a command", "positions"]),
    ] {
        let refused = run(line);
        assert_eq!(refused.code, 2, "{line:?}");
        let json = refused.json();
        assert_eq!(
            (&json["code"], &json["exit_code"]),
            (&"usage".into(), &2.into())
        );
        let [error, help] = ["error", "help"].map(|key| json[key].as_str().unwrap());
        assert!(parts.iter().all(|part| error.contains(part)), "{json}");
        assert!(refused.err.ends_with(&format!("help: {help}\n")), "{json}");
    }
}

#[cfg(unix)]
#[test]
fn words_that_are_no_text_are_refused() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    for before in [&[][..], &["--json"], &["risk", "--json"]] {
        let mut line = command();
        line.args(before).arg(OsStr::from_bytes(b"\xff\xfe"));
        let output = line.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.starts_with("error: ") && !said.contains("panicked"),
            "{said}"
        );
    }
}

#[test]
fn help_is_in_groups_and_as_wide_as_it_may_be() {
    let help = run(&["--help"]).out;
    for group in ["Positions:", "Lending:", "Operating:", "Global options:"] {
        assert!(
            help.contains(&format!("\n{group}\n")),
            "no {group} in\n{help}"
        );
    }
    let open = run(&["open", "--help"]).out;
    assert!(
        open.contains("\nGlobal options:\n") && open.contains("\nExamples:\n"),
        "{open}"
    );
    for text in [help, open] {
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(100), "{longest:?}\n{text}");
    }
}

#[test]
fn shells_and_man_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, 0, "{shell}");
        assert!(script.out.contains("fund-insurance"), "{shell}");
    }
    assert_eq!(run(&["completions", "abacus"]).code, 2);
    let help = run(&["completions", "--help"]).out;
    for place in [
        "bash-completion/completions/ballast",
        "_ballast",
        "fish/completions/ballast.fish",
    ] {
        assert!(help.contains(place), "{place}: {help}");
    }
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    let written = run(&["--json", "man", pages.to_str().unwrap()]);
    let count = std::fs::read_dir(&pages).unwrap().count();
    assert_eq!(written.json()["pages"], count);
    let page = std::fs::read_to_string(pages.join("ballast-lend-deposit.1")).unwrap();
    assert!(page.contains("Lend tokens to a reserve"), "{page}");
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = run(&["man", file.to_str().unwrap()]);
    assert!(
        refused.code == 1 && refused.err.contains("cannot write man pages"),
        "{}",
        refused.err
    );
}

#[test]
fn a_new_key_is_one_that_other_commands_take_and_replaces_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys/id.json");
    let path = file.to_str().unwrap();
    let made = run(&["--json", "key", "new", path]).json();
    let address = made["address"].as_str().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let bytes: Vec<u8> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let key = solana_sdk::signature::Keypair::try_from(bytes.as_slice()).unwrap();
    assert_eq!(
        solana_sdk::signer::Signer::pubkey(&key).to_string(),
        address
    );
    for again in [
        &["key", "new", path][..],
        &["--keypair", path, "key", "new"],
    ] {
        let refused = run(again);
        assert!(
            refused.code == 1 && refused.err.contains("not overwritten"),
            "{}",
            refused.err
        );
    }
    let after: Vec<u8> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(after, bytes);
}
