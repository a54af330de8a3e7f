//! What of a pool follows the price: the liquidity of others by tick, and a fee that moves.

use std::path::Path;

use super::*;

const FEW: [&str; 3] = ["--json", "--ci", "100%"];
const TAKERS: [&str; 2] = ["--taker-volume-day", "1000000"];
/// Flat liquidity, at the example's price of 200.
const FLAT: &str = "sqrt_price_x64,8249634742471189717\nliquidity,1000000000000\nfee_rate_ppm,400\ntick,liquidity_net\n";
const ADAPTIVE: &str = "filter_period=30,decay_period=600,reduction_factor=5000,control_factor=4000,max_volatility_accumulator=350000,\
                        tick_group_size=4,major_swap_threshold_ticks=4";

fn kept(extra: &[&str]) -> Run {
    changed("--strategy", "keeper", &[&FEW[..], &TAKERS, extra].concat())
}

fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Flat ticks are the number that they are, to the last digit; a fee without control is the fixed one.
#[test]
fn flat_depth_and_a_fee_without_control_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let flat = file(directory.path(), "flat.csv", FLAT);
    let constant = kept(&["--pool-liquidity", "1000000000000"]);
    assert_eq!((constant.code, constant.err.as_str()), (0, ""));
    let by_tick = kept(&["--depth", &flat]);
    assert_eq!((by_tick.code, by_tick.err.as_str()), (0, ""));
    let still = ADAPTIVE.replace("=4000", "=0");
    let still = kept(&["--depth", &flat, "--adaptive-fee", &still]);
    let [constant, by_tick, still] = [constant, by_tick, still].map(|run| run.json());
    for name in [
        "equity",
        "attribution",
        "actions",
        "draw_down",
        "worst_paths",
    ] {
        assert_eq!(by_tick[name], constant[name]);
        assert_eq!(still[name], constant[name]);
    }
    assert_eq!(constant["conditions"], Value::Null);
    assert_eq!(by_tick["warnings"], constant["warnings"]);
    assert!(number(&constant["actions_per_day"]) > 0.5);
}

/// Both count, are said, come from a model's file as well, and stand in `run.json` with the file's hash; threads change no digit.
#[test]
fn both_are_counted_said_and_recorded() {
    let directory = tempfile::tempdir().unwrap();
    // A tenth of it within about 1.5 % of the price, and nothing known beyond 30 %.
    let thin = FLAT
        .replace("tick,", "known,-19000,-13000\ntick,")
        .replace("liquidity,1000000000000", "liquidity,100000000000")
        + "-16250,-900000000000\n-15950,900000000000\n";
    let thin = file(directory.path(), "thin.csv", &thin);
    let out = directory.path().join("out");
    let out = out.to_str().unwrap();
    let line = ["--depth", &thin, "--adaptive-fee", ADAPTIVE, "--out", out];
    let run = kept(&line);
    assert_eq!(run.code, 0, "{}", run.err);
    let report = run.json();
    let pool = &report["conditions"]["pool"];
    let known = [0, 1].map(|end| number(&pool["depth_known"][end]));
    assert!(
        (known[0] - 149.5).abs() < 0.5 && (known[1] - 272.5).abs() < 0.5,
        "{pool}"
    );
    assert_eq!(pool["adaptive_fee"]["control_factor"], 4_000);
    let warned = report["warnings"].to_string();
    // Looks an hour apart.
    assert!(warned.contains("filter period of 30 s"), "{warned}");
    let plain = kept(&["--pool-liquidity", "1000000000000"]).json();
    assert_ne!(report["equity"], plain["equity"]);
    for (line, more) in [("fees_takers", true), ("swaps", false)] {
        let [here, there] = [&report, &plain].map(|it| number(&it["attribution"][line]["mean"]));
        assert_eq!(here > there, more, "{line} {here} {there}");
    }
    let written = std::fs::read_to_string(format!("{out}/run.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["parameters"]["depth"], thin.as_str());
    assert_eq!(written["parameters"]["adaptive_fee"], ADAPTIVE);
    let inputs = written["inputs"].as_array().unwrap();
    assert!(inputs.iter().any(|input| input["file"] == thin.as_str()));
    // The same of a model's file, which names the other one beside it.
    let model = format!(
        "depth = \"thin.csv\"\n[adaptive_fee]\n{}\n",
        ADAPTIVE.replace(',', "\n")
    );
    let model = file(directory.path(), "model.toml", &model);
    let same = kept(&["--model-file", &model, "--threads", "1"]).json();
    assert_eq!(same["equity"], report["equity"]);
    assert_eq!(same["conditions"], report["conditions"]);
    let text = changed("--strategy", "keeper", &["--model-file", &model]).out;
    assert!(
        text.contains("others provide by tick, known from 149"),
        "{text}"
    );
    assert!(
        text.contains("the pool takes more the more it moves"),
        "{text}"
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let flat = file(directory.path(), "flat.csv", FLAT);
    let far = FLAT.replace("tick,", "known,-16100,-16000\ntick,");
    let far = file(directory.path(), "far.csv", &far);
    let broken = file(directory.path(), "broken.csv", "tick,liquidity_net\n");
    let wrong = ADAPTIVE.replace("reduction_factor=5000", "reduction_factor=10001");
    for (line, said) in [
        (
            vec!["--depth", &flat, "--pool-liquidity", "1"],
            "cannot be used with",
        ),
        (vec!["--depth", &broken], "no line `sqrt_price_x64,...`"),
        (vec!["--depth", "/nonexistent"], "check the path"),
        (vec!["--adaptive-fee", "control_factor=1"], "missing field"),
        (
            vec!["--adaptive-fee", &wrong],
            "reduction factor 10001 must be at most 10000",
        ),
        (
            vec!["--adaptive-fee", ADAPTIVE, "--no-fees"],
            "cannot be used with",
        ),
    ] {
        let run = example(&line);
        assert_ne!(run.code, 0, "{line:?}");
        assert!(run.err.contains(said), "{line:?}: {}", run.err);
    }
    let run = changed("--price", "205", &["--depth", &far]);
    assert!(
        run.err.contains("and --price is not among them"),
        "{}",
        run.err
    );
}

/// Prices older than the market takes for swaps: nothing that swaps goes, and that is told.
#[test]
fn an_oracle_that_is_too_late_for_swaps_is_told() {
    let of = |delay: &str, step: &str, strategy: &str| {
        let line = [
            "--json",
            "--ci",
            "100%",
            "--oracle-delay-secs",
            delay,
            "--strategy",
            strategy,
        ];
        let mut all = EXAMPLE.to_vec();
        let at = all.iter().position(|part| *part == "3600").unwrap();
        all[at] = step;
        // The last of two counts for none: the example's own goes.
        let at = all.iter().position(|part| *part == "--strategy").unwrap();
        all.truncate(at);
        let report = run(&[&all[..], &line].concat()).json();
        report["warnings"].to_string()
    };
    let said = "takes none older than 60 s for what swaps";
    let late = of("61", "61", "keeper");
    assert!(
        late.contains(said) && late.contains("makes every price 61 s old"),
        "{late}"
    );
    // A second is a whole step.
    let rounded = of("1", "3600", "keeper");
    assert!(
        rounded.contains("3600 s old, for it is rounded up to whole steps"),
        "{rounded}"
    );
    for quiet in [
        of("60", "60", "keeper"),
        of("0", "3600", "keeper"),
        of("61", "61", "band:30%"),
    ] {
        assert!(!quiet.contains(said), "{quiet}");
    }
}
