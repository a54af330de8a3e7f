//! `ballast simulate`, as a user runs it.

use serde_json::Value;

use crate::common::{Run, run};

/// The worked example for a week, at looks every hour.
const EXAMPLE: [&str; 27] = [
    "simulate",
    "--model",
    "gbm",
    "--sigma-day",
    "0.05",
    "--drift-day",
    "0",
    "--horizon-days",
    "7",
    "--step-secs",
    "3600",
    "--paths",
    "2000",
    "--seed",
    "1",
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
    "--strategy",
    "hold",
];

fn example(extra: &[&str]) -> Run {
    run(&[&EXAMPLE[..], extra].concat())
}

/// The example with one option changed.
fn changed(option: &str, value: &str, extra: &[&str]) -> Run {
    let mut line = EXAMPLE.to_vec();
    let at = line.iter().position(|part| *part == option).unwrap();
    line[at + 1] = value;
    run(&[&line[..], extra].concat())
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn the_worked_example_held_for_a_week() {
    let run = example(&["--json", "--no-fees"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let report = run.json();
    let equity = &report["equity"];
    let off = number(&equity["mean"]) - 87.40;
    assert!(off.abs() < 4.0 * number(&equity["stderr"]), "{equity}");
    let sd = number(&equity["sd"]);
    assert!((number(&equity["stderr"]) - sd / 2000f64.sqrt()).abs() < 1e-9);
    assert!(number(&equity["shortfall_5"]) < number(&equity["quantile_5"]));
    // By default the liquidation prices are watched.
    let liquidation = &report["liquidation"];
    let exit = &report["first_exit"];
    let seen = number(&exit["lower"]["probability"]) + number(&exit["upper"]["probability"]);
    assert_eq!(seen, number(&liquidation["probability"]));
    let formula = &liquidation["closed_form"]["at_looks"];
    let expected = number(&formula["lower"]) + number(&formula["upper"]);
    assert!((seen - expected).abs() < 4.0 * number(&liquidation["stderr"]));
    let continuous = &liquidation["closed_form"]["continuous"];
    let always = number(&continuous["lower"]) + number(&continuous["upper"]);
    assert!((always - 0.046).abs() < 5e-4);
    let in_range = &report["time_in_range"];
    assert!(number(&in_range["mean"]) > 0.4 && number(&in_range["stderr"]) > 0.0);
    // The parts are the whole.
    let parts: f64 = report["attribution"]
        .as_object()
        .unwrap()
        .values()
        .map(|part| number(&part["mean"]))
        .sum();
    assert!((parts - (number(&equity["mean"]) - 100.0)).abs() < 1e-9);
}

#[test]
fn threads_change_nothing_and_a_seed_does() {
    let lines = ["1", "2"].map(|threads| example(&["--json", "--threads", threads]).out);
    assert_eq!(lines[0], lines[1]);
    assert_ne!(lines[0], changed("--seed", "2", &["--json"]).out);
}

#[test]
fn watched_prices() {
    let report = example(&["--json", "--no-fees", "--watch", "190..210"]).json();
    let (seen, formula) = (
        &report["first_exit"],
        &report["first_exit_closed_form"]["at_looks"],
    );
    for side in ["lower", "upper"] {
        let off = number(&seen[side]["probability"]) - number(&formula[side]);
        assert!(
            off.abs() < 4.0 * number(&seen[side]["stderr"]),
            "{side}: {off}"
        );
    }
}

#[test]
fn without_volatility_interest_is_all() {
    let rates = [
        "--json",
        "--borrow-base-apr",
        "10%",
        "--borrow-quote-apr",
        "0.05",
    ];
    let report = changed("--sigma-day", "0", &rates).json();
    let grown = |debt: f64, apr: f64| debt * (apr * 7.0 / 365.0).exp_m1();
    let interest = grown(0.731_475_723_873 * 200.0, 0.10) + grown(53.704_855_225_473, 0.05);
    let equity = &report["equity"];
    assert!(
        (number(&equity["mean"]) - (100.0 - interest)).abs() < 1e-5,
        "{equity}"
    );
    assert_eq!(number(&equity["sd"]), 0.0);
    assert_eq!(report["liquidation"]["closed_form"], Value::Null);
}

#[test]
fn strategies() {
    let hold = example(&["--json", "--no-fees"]).json();
    for strategy in ["continuous", "band:30%"] {
        let free = ["--json", "--no-fees", "--swap-cost-ppm", "0"];
        let report = changed("--strategy", strategy, &free).json();
        // Hedging for nothing takes spread away, and no mean.
        let sd = |report: &Value| number(&report["equity"]["sd"]);
        assert!(sd(&report) < 0.7 * sd(&hold), "{strategy}");
        let off = number(&report["equity"]["mean"]) - number(&hold["equity"]["mean"]);
        assert!(
            off.abs() < 4.0 * number(&hold["equity"]["stderr"]),
            "{strategy}"
        );
        assert!(number(&report["actions_per_day"]) > 0.5);
    }
    let unhedged = changed("--strategy", "unhedged", &["--json"]).json();
    assert!(number(&unhedged["equity"]["sd"]) > number(&hold["equity"]["sd"]));
}

/// Blocks as long as steps: arbitrageurs trade one by one, and pay what the formula says.
#[test]
fn blocks_as_long_as_steps() {
    let fees = |extra: &[&str]| {
        let line = [
            &["--json", "--fee-ppm", "3000", "--protocol-share", "0"],
            extra,
        ]
        .concat();
        number(
            &changed("--step-secs", "600", &line).json()["attribution"]["fees_arbitrage"]["mean"],
        )
    };
    let (each, formula) = (
        fees(&["--block-secs", "600"]),
        fees(&["--block-secs", "600.001"]),
    );
    assert!(
        each != formula && (each / formula - 1.0).abs() < 0.03,
        "{each} {formula}"
    );
    // Random blocks leave arbitrageurs more time.
    assert!(fees(&["--block-secs", "600", "--poisson-blocks"]) < formula);
}

#[test]
fn takers_and_where_they_go() {
    let fees = |extra: &[&str]| {
        let line = [
            "--json",
            "--taker-volume-day",
            "1e6",
            "--pool-liquidity",
            "1e12",
        ];
        // Liquidity is a whole number.
        let line = line.map(|part| {
            if part == "1e12" {
                "1000000000000"
            } else {
                part
            }
        });
        let report = changed("--paths", "200", &[&line[..], extra].concat());
        assert_eq!(report.code, 0, "{}", report.err);
        number(&report.json()["attribution"]["fees_takers"]["mean"])
    };
    let all = fees(&[]);
    assert!(all > 0.0);
    let same_pool = [
        "--other-pool-fee-ppm",
        "400",
        "--other-pool-liquidity",
        "1013573928905",
    ];
    let split = fees(&[&same_pool[..], &["--taker-size", "1000"]].concat());
    assert!((split / all - 0.5).abs() < 1e-3, "{split} {all}");
    let gone = fees(&["--routing-shift", "100%:0"]);
    assert_eq!(gone, 0.0);
    let later = fees(&["--routing-shift", "50%:3.5"]);
    assert!(later < all && later > 0.5 * all);
}

/// With the file that a keeper runs with: no position comes to its liquidation price, of which some do where nobody looks.
#[test]
fn a_keepers_configuration() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../keeper/keeper.example.toml");
    let keeper = format!("keeper:{file}");
    let paths = ["--json"];
    let kept = changed("--strategy", &keeper, &["--json", "--ci", "100%"]);
    assert_eq!((kept.code, kept.err.as_str()), (0, ""));
    let (kept, left) = (kept.json(), example(&paths).json());
    let chance = |report: &Value| number(&report["liquidation"]["probability"]);
    assert!(
        chance(&left) > 0.025 && chance(&kept) < 0.1 * chance(&left),
        "{kept}"
    );
    assert_eq!(kept["paths"], 1_000);
    assert!(
        number(&kept["actions"]["rehedge"]["per_day"]) > 0.5,
        "{kept}"
    );
    let worst = |report: &Value| number(&report["equity"]["shortfall_5"]);
    assert!(worst(&kept) > worst(&left), "{kept} {left}");
    let missing = changed("--strategy", "keeper:/nonexistent.toml", &[]);
    assert!(
        missing.code == 1 && missing.err.contains("check the path"),
        "{}",
        missing.err
    );
    let directory = tempfile::TempDir::new().unwrap();
    let wrong = directory.path().join("wrong.toml");
    std::fs::write(&wrong, "[policy]\nwith_love = 1\n").unwrap();
    let wrong = changed("--strategy", &format!("keeper:{}", wrong.display()), &[]);
    assert!(
        wrong.code == 1 && wrong.err.contains("with_love"),
        "{}",
        wrong.err
    );
}

/// On the same prices a difference is known far better than either mean.
#[test]
fn one_strategy_against_another() {
    let free = [
        "--json",
        "--no-fees",
        "--swap-cost-ppm",
        "0",
        "--against",
        "continuous",
    ];
    let report = changed("--strategy", "band:5%", &free).json();
    let against = &report["against"];
    let difference = &against["difference"];
    let expected = number(&report["equity"]["mean"]) - number(&against["equity"]["mean"]);
    assert!((number(&difference["mean"]) - expected).abs() < 1e-9);
    assert!(
        number(&difference["stderr"]) < 0.3 * number(&report["equity"]["stderr"]),
        "{against}"
    );
    let parts: f64 = against["attribution"]
        .as_object()
        .unwrap()
        .values()
        .map(number)
        .sum();
    assert!((parts - expected).abs() < 1e-9);
    let same = changed("--strategy", "hold", &["--json", "--against", "hold"]).json();
    assert_eq!(same["against"]["difference"]["mean"], 0.0);
}

/// It stops where the mean is known, at the same path on any number of threads; what is known of the prices beforehand helps.
#[test]
fn as_many_paths_as_it_takes() {
    let simulate = |strategy: &str, ci: &str, threads: &str| {
        let mut line = EXAMPLE.map(|part| if part == "hold" { strategy } else { part });
        let paths = line.iter().position(|part| *part == "2000").unwrap();
        line[paths] = "100000";
        let extra = ["--json", "--no-fees", "--ci", ci, "--threads", threads];
        run(&[&line[..], &extra].concat()).json()
    };
    let paths = |ci: &str, threads: &str| {
        let report = simulate("band:30%", ci, threads);
        let mean = &report["equity_controlled"];
        let known = 1.96 * number(&mean["stderr"]) / number(&mean["mean"]);
        // Not worse than without.
        assert!(number(&mean["stderr"]) < number(&report["equity"]["stderr"]));
        (report["paths"].as_u64().unwrap(), known)
    };
    let (few, known) = paths("0.3%", "1");
    assert!(
        known <= 0.003 && (1_000..20_000).contains(&few),
        "{few} {known}"
    );
    assert_eq!(paths("0.3%", "2"), (few, known));
    let (more, known) = paths("0.15%", "2");
    assert!(known <= 0.0015 && more > 2 * few, "{more} {known}");
    // What nobody touches is known exactly.
    let held = simulate("hold", "0.01%", "2");
    assert_eq!(held["paths"], 1_000);
    assert!((number(&held["equity_controlled"]["mean"]) - 87.40).abs() < 0.01);
}

/// What actions cost beside their trades is a part of the gain.
#[test]
fn actions_cost_something() {
    let with =
        |cost: &str| changed("--strategy", "band:10%", &["--json", "--action-cost", cost]).json();
    let (free, dear) = (with("0"), with("0.01"));
    let gas = number(&dear["attribution"]["gas"]["mean"]);
    assert!(
        (gas + 0.07 * number(&dear["actions_per_day"])).abs() < 1e-9,
        "{gas}"
    );
    let mean = |report: &Value| number(&report["equity"]["mean"]);
    assert!((mean(&dear) - mean(&free) - gas).abs() < 1e-9);
    assert!(number(&free["protocol_fees"]) > 0.0);
    let shown =
        number(&free["protocol_fees"]) / number(&free["attribution"]["fees_arbitrage"]["mean"]);
    assert!((shown - 0.13 / 0.87).abs() < 1e-9, "{shown}");
}

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
        assert!(number(&event["equity"]) < number(&event["equity_before"]));
        assert_eq!(number(&event["secs"]) % 3_600.0, 0.0);
    }
    let text = changed("--strategy", "band:10%", &["--replay", "7"]).out;
    assert!(
        text.contains("rehedge") && text.contains("equity before"),
        "{text}"
    );
}

#[test]
fn liquidators() {
    let report = example(&["--json", "--no-fees", "--liquidate"]).json();
    let lost = number(&report["attribution"]["liquidation"]["mean"]);
    let chance = number(&report["liquidation"]["probability"]);
    // 3 % of what is repaid, about 110 each time.
    assert!(
        lost < -2.0 * chance && lost > -15.0 * chance,
        "{lost} {chance}"
    );
    let draw_down = &report["draw_down"];
    assert!(number(&draw_down["quantile_95"]) > number(&draw_down["mean"]));
    assert!(number(&draw_down["mean"]) > 100.0 - number(&report["equity"]["mean"]));
    let worst = report["worst_paths"].as_array().unwrap();
    assert_eq!(worst.len(), 5);
    assert!(
        worst
            .windows(2)
            .all(|pair| number(&pair[0]["equity"]) <= number(&pair[1]["equity"]))
    );
    let wrong = example(&["--liquidate", "--liquidation-target", "99%"]);
    assert!(
        wrong.code == 1 && wrong.err.contains("must satisfy"),
        "{}",
        wrong.err
    );
}

#[test]
fn other_models() {
    let with = |model: &str, extra: &[&str]| {
        let report = changed(
            "--model",
            model,
            &[&["--json", "--no-fees"], extra].concat(),
        );
        assert_eq!(report.code, 0, "{}", report.err);
        report.json()
    };
    let sd = |report: &Value| number(&report["equity"]["sd"]);
    let plain = with("gbm", &[]);
    let jumps = with("jumps", &["--jumps-day", "0.5", "--jump-sd", "0.1"]);
    assert!(sd(&jumps) > 1.2 * sd(&plain));
    assert_eq!(jumps["liquidation"]["closed_form"], Value::Null);
    let wild = with("regimes", &["--regime", "2%:3", "--regime", "15%:1:4"]);
    assert!(sd(&wild) > sd(&plain));
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("candles.csv");
    let mut text = String::from("time,open,high,low,close\n");
    for hour in 0..200 {
        let open = 100.0 + f64::from(hour % 7);
        let close = 100.0 + f64::from((hour + 1) % 7);
        text += &format!(
            "{},{open},{},{},{close}\n",
            hour * 3_600,
            open.max(close) + 1.0,
            open.min(close) - 1.0
        );
    }
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    // All paths of a replay end where the record does.
    assert_eq!(sd(&with("replay", &["--candles", file])), 0.0);
    assert!(
        sd(&with(
            "bootstrap",
            &["--candles", file, "--block-candles", "5"]
        )) > 0.0
    );
    for (model, extra, part) in [
        ("regimes", &["--regime", "2%:3"][..], "2 or more"),
        ("regimes", &["--regime", "2%"], "no regime"),
        ("replay", &[], "--candles"),
        ("replay", &["--candles", "/nonexistent"], "check the path"),
        ("jumps", &["--jumps-day", "-1"], "0 or more"),
    ] {
        let refused = changed("--model", model, extra);
        assert!(
            refused.code != 0 && refused.err.contains(part),
            "{}",
            refused.err
        );
    }
    let long = changed("--horizon-days", "30", &["--candles", file]);
    assert_eq!(long.code, 0);
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
        "by formula",
        "fees arbitrage",
        "in range",
    ] {
        if part != "by formula" {
            assert!(run.out.contains(part), "no {part} in\n{}", run.out);
        }
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
        ("--price", "1e40", 1, "range of a pool"),
        ("--lower", "210", 1, "--upper"),
        ("--leverage", "0.5", 1, "leverage"),
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
