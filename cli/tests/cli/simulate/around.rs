//! A second pool for takers, regimes that change it and funding, and a short at a perp venue.

use super::*;

const TAKERS: [&str; 5] = [
    "--json",
    "--taker-volume-day",
    "1000000",
    "--pool-liquidity",
    "1000000000000",
];
const POOL: [&str; 6] = [
    "--other-pool-fee-ppm",
    "300",
    "--other-pool-liquidity",
    "500000000000",
    "--taker-size",
    "200",
];

fn few(extra: &[&str]) -> Value {
    let report = changed("--paths", "200", extra);
    assert_eq!(report.code, 0, "{}", report.err);
    report.json()
}

#[test]
fn a_second_pool_by_file_is_that_by_options() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("model.toml");
    let pool = "[other_pool]\nfee_ppm = { value = 300 }\nliquidity = { value = 500000000000 }\n\
                taker_size = { value = 200 }\n";
    let shift = "[routing_shift]\npart = { value = 0.5 }\nafter_days = { value = 3 }\n";
    let read = |text: &str, extra: &[&str]| {
        std::fs::write(&file, text).unwrap();
        let named = ["--model-file", file.to_str().unwrap()];
        few(&[&TAKERS[..], &named, extra].concat())
    };
    let by_options = few(&[&TAKERS[..], &POOL].concat());
    assert_eq!(read(pool, &[]), by_options);
    let shifted = few(&[&TAKERS[..], &POOL, &["--routing-shift", "50%:3"]].concat());
    assert_eq!(read(&format!("{pool}{shift}"), &[]), shifted);
    // An option goes before the file.
    let dearer = read(pool, &["--other-pool-fee-ppm", "3000"]);
    let paid = |report: &Value| number(&report["attribution"]["fees_takers"]["mean"]);
    assert!(paid(&dearer) > paid(&by_options) && paid(&by_options) > paid(&shifted));
    let half = example(&[&TAKERS[..], &POOL[..4]].concat());
    assert!(
        half.code == 1 && half.err.contains("--taker-size is missing"),
        "{}",
        half.err
    );
}

#[test]
fn a_short_at_a_venue_has_lines_of_its_own_and_they_add_up() {
    let regimes = [
        &["--json", "--regime", "3%:3", "--regime", "9%:1:4:-0.05%:20"],
        &TAKERS[1..],
        &POOL[..],
        &[
            "--perp-margin",
            "50",
            "--hedge",
            "0",
            "--funding-hour",
            "0.002%",
        ],
    ]
    .concat();
    let report = changed("--model", "regimes", &regimes);
    assert_eq!(report.code, 0, "{}", report.err);
    let report = report.json();
    let lines = report["attribution"].as_object().unwrap();
    let parts: f64 = lines.values().map(|part| number(&part["mean"])).sum();
    assert!((parts - (number(&report["equity"]["mean"]) - 150.0)).abs() < 1e-9);
    assert_eq!(number(&lines["basis"]["mean"]), 0.0);
    for name in ["perp", "funding", "perp_fees"] {
        assert!(number(&lines[name]["stderr"]) > 0.0, "{name}");
    }
    let (funding, stderr) = (&lines["funding"]["mean"], &lines["funding"]["stderr"]);
    assert!(number(funding) < -3.0 * number(stderr), "{funding}");
    // On its terms alone: what the position does is the same without it.
    let none: Vec<&str> = regimes.iter().take(15).copied().collect();
    let unhedged = changed(
        "--model",
        "regimes",
        &[&none[..], &["--hedge", "0"]].concat(),
    );
    assert!(
        unhedged.code == 2 && unhedged.err.contains("--perp-margin is missing"),
        "{}",
        unhedged.err
    );
    let text = changed(
        "--paths",
        "50",
        &["--perp-margin", "50", "--funding-hour", "-0.01%"],
    );
    assert!(
        text.out.contains("funding") && text.out.contains("of 150"),
        "{}",
        text.out
    );
    assert!(!changed("--paths", "50", &[]).out.contains("funding"));
}

#[test]
fn what_is_not_there_is_not_spoken_of() {
    let with = |wild: &str| {
        let run = changed(
            "--model",
            "regimes",
            &["--regime", "3%:3", "--regime", wild],
        );
        (run.code, run.err)
    };
    for (wild, said) in [
        ("9%:1::0.01%", "--perp-margin is missing"),
        ("9%:1:::5", "--other-pool-fee-ppm is missing"),
    ] {
        let (code, err) = with(wild);
        assert!(code == 2 && err.contains(said), "{err}");
    }
    let (code, err) = with("9%:1::x");
    assert!(code == 2 && err.contains("no regime"), "{err}");
    let band = example(&["--perp-band", "5%"]);
    assert!(
        band.code == 2 && band.err.contains("--perp-margin"),
        "{}",
        band.err
    );
    let wild = example(&["--perp-margin", "50", "--funding-hour", "20%"]);
    assert!(
        wild.code == 1 && wild.err.contains("0.1 an hour"),
        "{}",
        wild.err
    );
}

#[test]
fn a_venue_by_file_is_that_by_options_and_its_lines_add_up() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("model.toml");
    let text = "[perp]\nfunding_hour = { value = 0.00002 }\nfill_secs = { value = 5400 }\n\
                [perp.basis]\nmean = { value = 0.001 }\nsd = { value = 0.004 }\nhalf_life_hours = { value = 6 }\n\
                [perp.auto_deleveraging]\npart = { value = 0.5 }\nafter_move = { value = 0.04 }\nhours = { value = 4 }\n";
    std::fs::write(&file, text).unwrap();
    let venue = ["--json", "--hedge", "0", "--perp-margin", "50"];
    let named = ["--model-file", file.to_str().unwrap()];
    let by_file = few(&[&venue[..], &named].concat());
    let options = [
        "--funding-hour",
        "0.002%",
        "--perp-fill-secs",
        "5400",
        "--perp-basis-mean",
        "0.1%",
        "--perp-basis-sd",
        "0.4%",
        "--perp-basis-half-life-hours",
        "6",
        "--perp-adl",
        "50%:4%:4",
    ];
    assert_eq!(few(&[&venue[..], &options].concat()), by_file);
    let lines = by_file["attribution"].as_object().unwrap();
    let parts: f64 = lines.values().map(|part| number(&part["mean"])).sum();
    assert!((parts - (number(&by_file["equity"]["mean"]) - 150.0)).abs() < 1e-9);
    assert!(number(&lines["basis"]["stderr"]) > 0.0);
    let taken = number(&by_file["perp"]["auto_deleveraged"]["probability"]);
    assert!(taken > 0.05, "{taken}");
    // Each option does something alone; nothing is what nothing is.
    let plain = few(&venue);
    for option in [
        &["--perp-fill-secs", "5400"][..],
        &["--perp-basis-mean", "-1%"],
        &["--perp-basis-sd", "0.4%"],
        &["--perp-adl", "50%:4%:4"],
        &["--perp-adl-at", "100%:2"],
    ] {
        assert_ne!(few(&[&venue[..], option].concat()), plain, "{option:?}");
    }
    for option in [
        &["--perp-fill-secs", "0"][..],
        &["--perp-basis-mean", "0"],
        &["--perp-basis-sd", "0"],
        &["--perp-basis-half-life-hours", "3"],
        &["--perp-adl", "0:4%:4"],
        &["--perp-adl", "50%:90%:4"],
        &["--perp-adl-at", "100%:8"],
    ] {
        assert_eq!(few(&[&venue[..], option].concat()), plain, "{option:?}");
    }
    for (option, said) in [
        (&["--perp-adl", "50%"][..], "like 50%:10%:1"),
        (&["--perp-adl", "150%:4%:4"], "must be from 0 to 1"),
        (&["--perp-basis-sd", "90%"], "must be from 0 to 0.5"),
        (&["--perp-adl-at", "x:1"], "like 50%:2"),
    ] {
        let run = example(&[&venue[..], option].concat());
        assert!(run.code != 0 && run.err.contains(said), "{}", run.err);
    }
    let text = changed("--paths", "50", &[&venue[1..], &options].concat());
    assert!(text.out.contains("takes of the short"), "{}", text.out);
}
