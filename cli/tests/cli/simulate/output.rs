//! What is written, for people and for programs.

use super::*;
use crate::common::decimal;

/// A directory that says all about a run.
#[test]
fn everything_in_a_directory() {
    let directory = tempfile::TempDir::new().unwrap();
    let out = directory.path().join("deep/out");
    let line = ["--json", "--out", out.to_str().unwrap()];
    let report = changed("--strategy", "band:10%", &line);
    assert_eq!((report.code, report.err.as_str()), (0, ""));
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    assert_eq!(summary, report.json());
    let written: Value = serde_json::from_str(&read("run.json")).unwrap();
    assert_eq!(written["command"], "simulate");
    assert_eq!(
        (&written["seed"], &written["version"]),
        (&"1".into(), &"0.1.0".into())
    );
    let parameters = &written["parameters"];
    assert_eq!(
        (&parameters["strategy"], &parameters["fee_ppm"]),
        (&"band:10%".into(), &"400".into())
    );
    assert_eq!(parameters["candles"], Value::Null);
    for file in written["files"].as_array().unwrap() {
        use sha2::Digest;
        let bytes = std::fs::read(out.join(file["name"].as_str().unwrap())).unwrap();
        let hash: String = sha2::Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(file["sha256"], hash.as_str());
    }
    assert_eq!(read("paths.csv").lines().count(), 2_001);
    let html = read("report.html");
    for part in [
        "Equity at the end",
        "Equity on the way",
        "Where the mean comes from",
        "Equity against the price",
        "band:10%",
        "horizon-days",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for foreign in ["http://", "https://", "<script", "src="] {
        assert!(
            !html
                .replace("http://www.w3.org/2000/svg", "")
                .contains(foreign),
            "{foreign}"
        );
    }
    // The same again is the same to the byte.
    let again = directory.path().join("again");
    changed(
        "--strategy",
        "band:10%",
        &["--json", "--out", again.to_str().unwrap()],
    );
    assert_eq!(
        std::fs::read_to_string(again.join("paths.csv")).unwrap(),
        read("paths.csv")
    );
    assert_eq!(
        std::fs::read_to_string(again.join("equity.svg")).unwrap(),
        read("equity.svg")
    );
}

/// A keeper says why it acts.
#[test]
fn every_decision_has_its_reason() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../keeper/keeper.example.toml");
    let report = changed(
        "--strategy",
        &format!("keeper:{file}"),
        &["--json", "--replay", "5", "--ci", "100%"],
    )
    .json();
    let (decisions, actions) = (
        report["decisions"].as_array().unwrap(),
        report["replay"].as_array().unwrap(),
    );
    assert!(decisions.len() >= actions.len() && !actions.is_empty());
    for action in actions {
        let name = action["action"].as_str().unwrap();
        assert!(
            decisions.iter().any(|decision| {
                decision["secs"] == action["secs"]
                    && decision["decision"].as_str().unwrap().starts_with(name)
            }),
            "{action}"
        );
    }
}

#[test]
fn every_action_on_one_path() {
    let report = changed(
        "--strategy",
        "band:10%",
        &["--json", "--replay", "7", "--paths", "20"],
    );
    assert_eq!(report.code, 2, "an option twice");
    let report = changed("--strategy", "band:10%", &["--json", "--replay", "7"]).json();
    let events = report["replay"].as_array().unwrap();
    assert!(!events.is_empty());
    assert!(
        events
            .windows(2)
            .all(|pair| number(&pair[0]["secs"]) < number(&pair[1]["secs"]))
    );
    for event in events {
        assert_eq!(event["action"], "rehedge");
        // A trade costs its fee.
        let [after, before] = ["equity", "equity_before"].map(|name| decimal(&event[name]));
        assert!(after < before, "{event}");
        assert_eq!(number(&event["secs"]) % 3_600.0, 0.0);
    }
    let text = changed("--strategy", "band:10%", &["--replay", "7"]).out;
    assert!(
        text.contains("rehedge") && text.contains("equity before"),
        "{text}"
    );
}

#[test]
fn every_path_in_a_file() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("paths.csv");
    let report = changed(
        "--paths",
        "50",
        &["--json", "--paths-file", file.to_str().unwrap()],
    )
    .json();
    let text = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 51);
    assert_eq!(rows[0][..3], ["path", "price", "equity"]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let equity = rows[1..].iter().map(|row| row[2].parse::<f64>().unwrap());
    let mean = equity.sum::<f64>() / 50.0;
    assert!((mean - number(&report["equity"]["mean"])).abs() < 1e-9);
    let unwritable = changed("--paths", "50", &["--paths-file", "/nonexistent/paths.csv"]);
    assert!(unwritable.code == 1 && unwritable.err.contains("check the path"));
}

#[test]
fn for_people() {
    let run = example(&[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for part in [
        "equity",
        "110.84679",
        "258.63518",
        "fees arbitrage",
        "in range",
    ] {
        assert!(run.out.contains(part), "no {part} in\n{}", run.out);
    }
}

#[test]
fn bad_input_is_named() {
    for (option, value, code, part) in [
        ("--model", "levy", 2, "gbm"),
        ("--sigma-day", "-1", 2, "negative"),
        ("--sigma-day", "x", 2, "decimal number"),
        ("--drift-day", "NaN", 1, "must be a number"),
        ("--horizon-days", "0", 2, "greater than 0"),
        ("--horizon-days", "1e9", 1, "a thousand years"),
        ("--step-secs", "0", 2, "0"),
        ("--paths", "0", 2, "0"),
        ("--paths", "5000000", 2, "4194304"),
        ("--seed", "-1", 2, "--seed"),
        ("--price", "0", 2, "greater than 0"),
        ("--price", "1e40", 2, "range of a pool"),
        ("--lower", "210", 2, "--upper"),
        ("--leverage", "0.5", 2, "leverage"),
        ("--equity", "0.0000001", 1, "too small"),
        ("--strategy", "dance", 2, "hold, unhedged, continuous"),
    ] {
        let run = changed(option, value, &[]);
        assert_eq!(run.code, code, "{option} {value}: {}", run.err);
        assert!(run.err.contains(part), "{option} {value}: {}", run.err);
        assert!(run.out.is_empty(), "{}", run.out);
    }
    for (extra, part) in [
        (&["--watch", "210..190"][..], "190..210"),
        (&["--maintenance", "0"], "above 0"),
        (&["--hedge", "2"], "above 1"),
        (&["--taker-volume-day", "1"], "--pool-liquidity"),
        (&["--protocol-share", "1"], "below 1"),
        (&["--borrow-base-apr", "-1"], "negative"),
    ] {
        let run = example(extra);
        assert!(
            run.code != 0 && run.err.contains(part),
            "{extra:?}: {}",
            run.err
        );
    }
}
