//! `ballast compare`, `ballast optimise` and `ballast calibrate`, as a user runs them.

use std::fs;

use serde_json::Value;

use crate::common::{Run, run};

const SCENARIO: [&str; 12] = [
    "--horizon-days",
    "5",
    "--step-secs",
    "3600",
    "--seed",
    "3",
    "--price",
    "200",
    "--equity",
    "100",
    "--json",
    "--sigma-day=5%",
];
const RANGE: [&str; 6] = ["--lower", "190", "--upper", "210", "--leverage", "3"];

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// Candles of a price that goes up and down.
fn candles(directory: &tempfile::TempDir) -> String {
    let file = directory.path().join("candles.csv");
    let mut text = String::from("time,open,high,low,close\n");
    let price = |hour: i32| 100.0 * (f64::from(hour * 7_919 % 101 - 50) / 1_500.0).exp();
    for hour in 0..400 {
        let (open, close) = (price(hour), price(hour + 1));
        let (high, low) = (open.max(close) * 1.001, open.min(close) * 0.999);
        text += &format!("{},{open},{high},{low},{close}\n", hour * 3_600);
    }
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn two_keepers_in_four_models() {
    let directory = tempfile::TempDir::new().unwrap();
    let candles = candles(&directory);
    let keeper = |name: &str, band: u32| {
        let file = directory.path().join(name);
        let text = format!("[policy]\ndelta_band_bps = {band}\ndelta_target_bps = 200\n");
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (narrow, wide) = (keeper("narrow.toml", 400), keeper("wide.toml", 3_000));
    let out = directory.path().join("out");
    let compare = |first: &str, second: &str, extra: &[&str]| -> Run {
        let models = [
            "compare",
            first,
            second,
            "--model",
            "gbm,jumps,regimes,replay",
            "--jumps-day",
            "0.5",
            "--jump-sd",
            "0.04",
            "--regime",
            "3%:2",
            "--regime",
            "9%:1:3",
            "--candles",
            &candles,
            "--paths",
            "200",
        ];
        run(&[&models[..], &SCENARIO, &RANGE, extra].concat())
    };
    let report = compare(&narrow, &wide, &["--out", out.to_str().unwrap()]);
    assert_eq!((report.code, report.err.as_str()), (0, ""));
    let report = report.json();
    let models = report["models"].as_array().unwrap();
    let names: Vec<&Value> = models.iter().map(|model| &model["model"]).collect();
    assert_eq!(names, ["gbm", "jumps", "regimes", "replay"]);
    for model in models {
        let difference = &model["difference"];
        let (mean, stderr) = (number(&difference["mean"]), number(&difference["stderr"]));
        let reach = number(&difference["high_95"]) - mean;
        assert!(
            (reach - 1.96 * stderr).abs() < 1e-3 * stderr + 1e-9,
            "{difference}"
        );
        let equity = |side: usize| number(&model["strategies"][side]["equity"]["mean"]);
        assert!((mean - (equity(0) - equity(1))).abs() < 1e-9);
        let parts = model["attribution"].as_object().unwrap().values();
        let parts: f64 = parts.map(|part| number(&part["mean"])).sum();
        assert!((parts - mean).abs() < 1e-9);
        // The narrow band trades more.
        assert!(number(&model["actions_per_day"]["low_95"]) > 0.0, "{model}");
        assert!(
            number(&model["attribution"]["swaps"]["high_95"]) < 0.0,
            "{model}"
        );
    }
    // What was written says what was asked for, and what it says.
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let written: Value = serde_json::from_str(&read("run.json")).unwrap();
    assert_eq!(written["parameters"]["first"], narrow.as_str());
    assert_eq!(written["parameters"]["maintenance"], "80%");
    assert_eq!(written["inputs"].as_array().unwrap().len(), 3);
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    assert_eq!(summary, report);
    assert!(read("report.html").contains("Difference in model regimes"));
    let text = compare("hold", "band:20%", &[]).out;
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    let same = compare("hold", "hold", &[]).json();
    assert_eq!(same["models"][0]["difference"]["stderr"], 0.0);
    assert_eq!(same["models"][0]["better"], Value::Null);
    let missing = compare("nobody", "hold", &[]);
    assert!(
        missing.code == 2 && missing.err.contains("no strategy"),
        "{}",
        missing.err
    );
}

#[test]
fn the_best_setting_is_safe_and_tried_again() {
    let directory = tempfile::TempDir::new().unwrap();
    let out = directory.path().join("out");
    let optimise = |extra: &[&str]| {
        let settings = [
            "optimise",
            "--model",
            "gbm",
            "--widths",
            "5%,20%",
            "--leverages",
            "2,4",
            "--hedges",
            "50%,100%",
            "--bands",
            "10%,40%",
            "--paths",
            "400",
            "--taker-volume-day",
            "3e8",
            "--pool-liquidity",
            "50000000000000",
        ];
        run(&[&settings[..], &SCENARIO, extra].concat())
    };
    let report = optimise(&["--max-liquidation", "2%", "--out", out.to_str().unwrap()]);
    assert_eq!((report.code, report.err.as_str()), (0, ""));
    let report = report.json();
    let settings = report["settings"].as_array().unwrap();
    assert_eq!(settings.len(), 16);
    let said = report["warnings"].as_array().unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    let said = said[0].as_str().unwrap();
    assert!(
        said.starts_with("leverage 4: the position opens at LTV 75.01%"),
        "{said}"
    );
    let winner = &report["winner"];
    let best = number(&winner["in_sample"]["value"]);
    assert_eq!(number(&report["tail_weight"]), 0.1);
    for setting in settings {
        let result = &setting["result"];
        if result["safe"] == true {
            assert!(number(&result["value"]) <= best);
            assert!(number(&result["liquidation_at_most_95"]) <= 0.02);
        }
    }
    let index = winner["index"].as_u64().unwrap() as usize;
    assert_eq!(
        settings[index]["result"]["gain"],
        winner["in_sample"]["gain"]
    );
    // Ten times the paths, other numbers: near, and not the same.
    let again = &winner["out_of_sample"];
    assert!(number(&again["stderr"]) < 0.5 * number(&winner["in_sample"]["stderr"]));
    assert!(again["gain"] != winner["in_sample"]["gain"]);
    assert!(number(&winner["shrinks_by_stderr"]).abs() < 5.0);
    // The next best of the safe ones, on the same paths.
    let next = &winner["runner_up"];
    let runner_up = &settings[next["index"].as_u64().unwrap() as usize]["result"];
    let less = &next["less_winner"];
    assert!((number(&runner_up["value"]) - best - number(&less["value"])).abs() < 1e-9);
    let between = settings.iter().filter(|setting| {
        let result = &setting["result"];
        result["safe"] == true && number(&result["value"]) > number(&runner_up["value"])
    });
    assert_eq!(between.count(), 1, "{next}");
    let sure = number(&less["value"]).abs() > 1.96 * number(&less["value_stderr"]);
    assert_eq!(next["significant"], sure);
    let frontier = report["frontier"].as_array().unwrap();
    assert!(frontier.contains(&winner["index"]), "{report}");
    assert!(
        fs::read_to_string(out.join("frontier.svg"))
            .unwrap()
            .contains("<svg")
    );
    let none = optimise(&["--max-liquidation", "0.1%"]).json();
    assert_eq!(
        none["winner"],
        Value::Null,
        "400 paths cannot rule out so little"
    );
    // A file whose policy is a new position's but for the delta band is the keeper that is tried without one; another is not.
    let file = directory.path().join("keeper.toml");
    fs::write(&file, "[policy]\ndelta_band_bps = 1000\n").unwrap();
    let kept = optimise(&["--paths=100", "--keeper", file.to_str().unwrap()]);
    assert_eq!(kept.code, 2, "an option twice");
    let results = |report: &Value| -> Vec<Value> {
        let settings = report["settings"].as_array().unwrap();
        settings
            .iter()
            .map(|tried| tried["result"].clone())
            .collect()
    };
    let settings_with = |policy: &str| {
        fs::write(&file, format!("[policy]\n{policy}\n")).unwrap();
        let file = file.to_str().unwrap();
        let kept = optimise(&["--keeper", file, "--max-liquidation", "2%"]);
        assert_eq!(kept.code, 0, "{}", kept.err);
        results(&kept.json())
    };
    assert_eq!(settings_with("delta_band_bps = 1000"), results(&report));
    let careful = "deleverage_trigger_ltv_bps = 6000\ndeleverage_target_ltv_bps = 5000";
    assert_ne!(settings_with(careful), results(&report));
    fs::write(&file, "[policy]\n").unwrap();
    // Two keepers: twice the settings, each less the first one, on the same paths.
    let still = directory.path().join("seldom.toml");
    fs::write(&still, "[policy]\nmin_rebalance_interval_secs = 86400\n").unwrap();
    let files = [
        "--keeper",
        file.to_str().unwrap(),
        "--keeper",
        still.to_str().unwrap(),
    ];
    let both = optimise(&[&files[..], &["--max-liquidation=5%", "--tail-weight=0.1"]].concat());
    assert_eq!(both.code, 0, "{}", both.err);
    let both = both.json();
    let settings = both["settings"].as_array().unwrap();
    assert_eq!(settings.len(), 32);
    assert_eq!(number(&settings[0]["less_first"]["gain"]), 0.0);
    assert!(
        settings[1]["keeper"]
            .as_str()
            .unwrap()
            .ends_with("seldom.toml")
    );
    // Whoever may hedge once a day does something else.
    assert_ne!(settings[1]["result"], settings[0]["result"]);
    // A hedge of all is more than twice the equity has to lend.
    let opened = settings.iter().filter(|one| !one["result"].is_null());
    assert_eq!(opened.clone().count(), 24);
    for setting in opened {
        let (result, less) = (&setting["result"], &setting["less_first"]);
        for name in ["gain", "shortfall_5", "value"] {
            let apart = number(&result[name]) - number(&settings[0]["result"][name]);
            assert!(
                (apart - number(&less[name])).abs() < 1e-9,
                "{name}: {setting}"
            );
        }
    }
    let wrong = optimise(&["--max-liquidation", "x"]);
    assert_eq!(wrong.code, 2);
}

#[test]
fn models_from_a_record_are_read_back() {
    let directory = tempfile::TempDir::new().unwrap();
    let record = candles(&directory);
    let model = directory.path().join("model.toml");
    let model = model.to_str().unwrap();
    let report = run(&["calibrate", &record, "--out", model, "--json"]);
    assert_eq!((report.code, report.err.as_str()), (0, ""));
    let report = report.json();
    let sigma = &report["gbm"]["sigma_day"];
    // By hand from the same closes.
    let text = fs::read_to_string(&record).unwrap();
    let closes: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(4).unwrap().parse::<f64>().unwrap().ln())
        .collect();
    let open: f64 = text
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let mut before = open.ln();
    let moves: Vec<f64> = closes
        .iter()
        .map(|close| close - std::mem::replace(&mut before, *close))
        .collect();
    let mean = moves.iter().sum::<f64>() / 400.0;
    let variance = moves.iter().map(|by| (by - mean).powi(2)).sum::<f64>() / 399.0;
    assert!(
        (number(&sigma["value"]) - (variance * 24.0).sqrt()).abs() < 1e-9,
        "{report}"
    );
    assert!(number(&sigma["error"]) > 0.0);
    let simulate = |extra: &[&str]| {
        let scenario: Vec<&str> = SCENARIO
            .into_iter()
            .filter(|part| !part.starts_with("--sigma"))
            .collect();
        let strategy = [
            "simulate",
            "--strategy",
            "hold",
            "--paths",
            "500",
            "--no-fees",
        ];
        run(&[&strategy[..], &scenario, &RANGE, extra].concat())
    };
    let read = simulate(&["--model", "gbm", "--model-file", model]);
    assert_eq!(read.code, 0, "{}", read.err);
    let given = number(&sigma["value"]).to_string();
    let given = simulate(&["--model", "gbm", "--sigma-day", &given]);
    assert_eq!(read.json()["equity"], given.json()["equity"]);
    let missing = simulate(&["--model", "gbm"]);
    assert!(
        missing.code == 1 && missing.err.contains("--model-file"),
        "{}",
        missing.err
    );
    let sampled = run(&["calibrate", &record, "--sample-secs", "7200", "--json"]).json();
    assert_eq!(sampled["source"]["moves"], 200);
    let wrong = run(&["calibrate", &record, "--sample-secs", "5000"]);
    assert!(
        wrong.code == 2 && wrong.err.contains("no multiple"),
        "{}",
        wrong.err
    );
    let short = directory.path().join("short.csv");
    fs::write(&short, "time,open,high,low,close\n0,1,1,1,1\n60,1,1,1,1\n").unwrap();
    let short = run(&["calibrate", short.to_str().unwrap()]);
    assert!(
        short.code == 1 && short.err.contains("too few"),
        "{}",
        short.err
    );
}
