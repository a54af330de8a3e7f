//! What makes no sense ends with 2, also where it is found out after the line was read.

use crate::common::run;

const ADDRESS: &str = "So11111111111111111111111111111111111111112";

const QUOTE: [&str; 11] = [
    "quote",
    "--price",
    "200",
    "--lower",
    "190",
    "--upper",
    "210",
    "--equity",
    "100",
    "--leverage",
    "3",
];

const SIMULATE: [&str; 23] = [
    "simulate",
    "--model",
    "gbm",
    "--strategy",
    "hold",
    "--price",
    "200",
    "--lower",
    "190",
    "--upper",
    "210",
    "--equity",
    "100",
    "--leverage",
    "3",
    "--horizon-days",
    "1",
    "--step-secs",
    "3600",
    "--paths",
    "10",
    "--seed",
    "1",
];

/// The line with other values of its options; options that it has not are added.
fn with<'a>(line: &[&'a str], changed: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let mut line = line.to_vec();
    for (option, value) in changed {
        match line.iter().position(|word| word == option) {
            Some(at) => line[at + 1] = value,
            None => line.extend([*option, *value]),
        }
    }
    line
}

#[test]
fn what_is_wrong_after_parsing_is_told_as_usage() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    let text = format!(
        "rpc_url = \"http://127.0.0.1:9\"\njournal_dir = \"journal\"\n[[markets]]\naddress = \"{ADDRESS}\"\n\
         base_price = \"{ADDRESS}\"\nquote_price = \"{ADDRESS}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let policy = directory.path().join("policy.toml");
    let text = "[policy]\ndeleverage_target_ltv_bps = 7500\ndeleverage_trigger_ltv_bps = 7200\n";
    std::fs::write(&policy, text).unwrap();
    let strategy = format!("keeper:{}", policy.display());
    for (line, part) in [
        (
            with(&QUOTE, &[("--lower", "220")]),
            "--lower 220 is not below",
        ),
        (
            with(&QUOTE, &[("--leverage", "0.5")]),
            "--leverage 0.5 is below 1",
        ),
        (with(&QUOTE, &[("--hedge", "2")]), "--hedge 2 is above 1"),
        (with(&QUOTE, &[("--maintenance", "2")]), "--maintenance 2"),
        (with(&QUOTE, &[("--sigma-day", "4")]), "write 4% or 0.04"),
        (
            with(&SIMULATE, &[("--sigma-day", "4%"), ("--lower", "220")]),
            "--lower 220 is not below",
        ),
        (with(&SIMULATE, &[("--sigma-day", "4")]), "write 4% or 0.04"),
        (
            with(
                &SIMULATE,
                &[("--sigma-day", "4%"), ("--strategy", &strategy)],
            ),
            "deleverage_target_ltv_bps 7500 is not below deleverage_trigger_ltv_bps 7200",
        ),
        (
            vec!["positions", "--owner", ADDRESS, "--sigma-day", "0"],
            "--sigma-day must be above 0",
        ),
        (
            vec!["positions", "--owner", ADDRESS, "--sigma-day", "4"],
            "write 4% or 0.04",
        ),
        (vec!["stress", "nope"], "no scenario nope"),
        (vec!["stress", "--show", "nope"], "no scenario nope"),
        (
            vec!["keeper", "check", "--config", config, "--set", "bogus=1"],
            "bogus",
        ),
        (
            vec!["keeper", "check", "--config", config, "--url", "devnet"],
            "leave --url out",
        ),
        (vec!["policy", "set", ADDRESS], "nothing to change"),
        (
            vec!["halt", "--reason", "x", "--config", config],
            "three letters",
        ),
        (
            vec![
                "resume", "--reason", "over", "--until", "1h", "--config", config,
            ],
            "--until",
        ),
        (
            vec![
                "journal",
                "verify",
                "--dir",
                directory.path().to_str().unwrap(),
            ],
            "no journal in",
        ),
    ] {
        let run = run(&[&["--json"][..], &line].concat());
        assert_eq!(run.code, 2, "{line:?}: {}", run.err);
        assert!(run.err.contains(part), "{line:?}: {}", run.err);
        let json = run.json();
        assert_eq!(
            (&json["code"], &json["exit_code"]),
            (&"usage".into(), &2.into()),
            "{line:?}"
        );
        assert!(json["help"].is_string(), "{line:?}: {json}");
    }
    // The environment takes the place of a file, whose faults are no usage.
    let wrong = directory.path().join("wrong.toml");
    std::fs::write(&wrong, "bogus = 1\n").unwrap();
    let wrong = run(&["keeper", "check", "--config", wrong.to_str().unwrap()]);
    assert_eq!(wrong.code, 1, "{}", wrong.err);
}

#[test]
fn a_doctor_without_a_node_is_the_clusters_trouble_also_for_programs() {
    let run = run(&["--url", "http://127.0.0.1:9", "--json", "doctor"]);
    assert_eq!(run.code, 3, "{}", run.err);
    let report = run.json();
    assert_eq!(report["checks"][0]["state"], "fail");
    for (field, expected) in [
        ("error", "1 of 1 checks failed".into()),
        ("code", "cluster".into()),
        ("exit_code", 3.into()),
        ("help", "check --url, and that the node is up".into()),
    ] {
        let expected: serde_json::Value = expected;
        assert_eq!(report[field], expected, "{report}");
    }
}
