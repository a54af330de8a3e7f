//! `ballast stress`, as a user runs it.

use std::fs;

use tempfile::TempDir;

use crate::common::{decimal, run};

/// Three minutes in which the price halves, and a book of two positions, one of them hardly hedged.
const SCENARIO: &str = r#"
name = "halving"
summary = "The price halves within three minutes."
duration_secs = 900
step_secs = 5
[market]
path = [[0, 1.0], [60, 1.0], [240, 0.5]]
"#;

struct Files {
    directory: TempDir,
}

impl Files {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("halving.toml"), SCENARIO).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The built-in book with changes.
    fn book(&self, change: impl FnOnce(String) -> String) -> String {
        let book = run(&["stress", "--show", "book"]).out;
        let path = self.path("book.toml");
        fs::write(&path, change(book)).unwrap();
        path
    }
}

#[test]
fn what_a_crash_does_to_a_book() {
    let files = Files::new();
    let book = files.book(|book| book.replace("count = 6", "count = 2"));
    let scenario = files.path("halving.toml");
    let args = [
        "stress",
        "--scenario",
        &scenario,
        "--book",
        &book,
        "--seeds",
        "2",
    ];
    let run_json = run(&[&args[..], &["--json"]].concat());
    assert_eq!((run_json.code, run_json.err.as_str()), (0, ""));
    let report = run_json.json();
    let played = &report["scenarios"][0];
    assert_eq!(played["name"], "halving");
    let with = &played["with_keepers"];
    let positions = with["positions"].as_array().unwrap();
    assert_eq!(positions.len(), 9);
    for position in positions {
        let equity = |when: &str| decimal(&position[when]["equity"]);
        assert!(equity("after") < equity("before"), "{position}");
    }
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!((number(&with["price_after"]) - 75.0).abs() < 5.0);
    assert!(number(&with["liquidated"]) > 0.0, "{with}");
    // Nobody keeps anybody there, so more is liquidated.
    let without = &played["without_keepers"];
    assert!(number(&without["liquidated"]) >= number(&with["liquidated"]));
    assert_eq!(played["at_risk"]["seeds"], 2);
    // The same again, to the last digit; and in words.
    assert_eq!(run(&[&args[..], &["--json"]].concat()).out, run_json.out);
    let words = run(&args).out;
    for said in [
        "halving: The price halves",
        "long unkept",
        "quote fund",
        "over all seeds",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
}

/// In a market that halves without an oracle price some debt is written off: in each token that is what lenders and insurance lose.
#[test]
fn what_is_written_off_is_somebodys_loss() {
    let files = Files::new();
    let book = files.book(|book| book.replace("count = 6", "count = 1"));
    let report = run(&["stress", "oracle-stall", "--book", &book, "--json"]).json();
    let with = &report["scenarios"][0]["with_keepers"];
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!(number(&with["bad_debt"]) > 100.0, "{with}");
    for reserve in with["reserves"].as_array().unwrap() {
        let name = format!("bad_debt_{}", reserve["token"].as_str().unwrap());
        let positions = with["positions"].as_array().unwrap().iter();
        let written_off: f64 = positions.map(|position| number(&position[&name])).sum();
        let lost = number(&reserve["lost_by_lenders"]) + number(&reserve["lost_by_insurance"]);
        assert!(written_off > 1.0, "{name}: {with}");
        assert!((written_off - lost).abs() < 1e-6, "{name}: {with}");
    }
}

/// A position with a stop-loss has left before the price is at its lowest; without one it is there to the end.
#[test]
fn a_books_positions_may_have_a_stop_loss() {
    let files = Files::new();
    // Slowly: where the price falls faster than the oracle shows, an exit's swap loses too much.
    let scenario = files.path("slow.toml");
    let slow = SCENARIO
        .replace("halving", "slow")
        .replace("duration_secs = 900", "duration_secs = 3600")
        .replace("[240, 0.5]", "[3000, 0.88]");
    fs::write(&scenario, slow).unwrap();
    let played = |owner: &str| {
        let book = files.book(|book| {
            let kept = book.replace("count = 6", "count = 1");
            let end = kept.find("[[positions]]").unwrap();
            let next = kept[end + 1..].find("[[positions]]").unwrap() + end + 1;
            format!("{}{owner}\n{}", &kept[..next], &kept[next..])
        });
        let args = ["stress", "--json", "--scenario", &scenario, "--book", &book];
        run(&args)
    };
    let exits = |owner: &str| {
        let run = played(owner);
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        run.out.matches("\"exit\"").count()
    };
    let stop =
        "[positions.owner]\nwindow_low = 140.0\nat_low = \"exit-quote\"\nmax_exit_loss_bps = 100";
    assert_eq!(exits(""), 0);
    assert!(exits(stop) > 0);
    let wrong = played("[positions.owner]\nat_low = \"exit\"");
    let said = "owner.window_low 0 must be above 0 for at_low";
    assert!(wrong.code == 1 && wrong.err.contains(said), "{}", wrong.err);
}

/// The same book as JSON, and a keeper with the configuration that it runs with, to the last digit.
#[test]
fn a_book_may_be_json_and_a_keeper_has_its_own_file() {
    let files = Files::new();
    let path = files.book(|book| book.replace("count = 6", "count = 1"));
    let scenario = files.path("halving.toml");
    let plain = run(&["stress", "--json", "--scenario", &scenario, "--book", &path]);
    let book: toml::Value = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let json = files.path("book.json");
    fs::write(&json, serde_json::to_string(&book).unwrap()).unwrap();
    let keeper = concat!(env!("CARGO_MANIFEST_DIR"), "/../keeper/keeper.example.toml");
    let args = [
        "stress",
        "--json",
        "--scenario",
        &scenario,
        "--book",
        &json,
        "--keeper",
        keeper,
    ];
    let other = run(&args);
    assert_eq!((other.code, other.err.as_str()), (0, ""));
    assert_eq!(other.out, plain.out);
}

/// What was played is in a directory, with what it was played from.
#[test]
fn everything_in_a_directory() {
    let files = Files::new();
    let book = files.book(|book| book.replace("count = 6", "count = 1"));
    let (scenario, out) = (files.path("halving.toml"), files.path("deep/out"));
    let args = [
        "stress",
        "--json",
        "--scenario",
        &scenario,
        "--book",
        &book,
        "--seed",
        "7",
        "--out",
        &out,
    ];
    let report = run(&args);
    assert_eq!((report.code, report.err.as_str()), (0, ""));
    let read = |name: &str| fs::read_to_string(format!("{out}/{name}")).unwrap();
    let json = |name: &str| serde_json::from_str::<serde_json::Value>(&read(name)).unwrap();
    assert_eq!(json("summary.json"), report.json());
    let written = json("run.json");
    assert_eq!(written["command"], "stress");
    assert_eq!(written["seed"], "7");
    assert_eq!(written["parameters"]["seeds"], "1");
    let inputs = written["inputs"].as_array().unwrap();
    let inputs: Vec<&str> = inputs
        .iter()
        .map(|input| input["file"].as_str().unwrap())
        .collect();
    assert_eq!(inputs, [&scenario, &book]);
    assert!(read("equity-halving.svg").starts_with("<svg"));
    let html = read("report.html");
    for part in ["The price halves", "long unkept", "quote fund", "<svg"] {
        assert!(html.contains(part), "{part}");
    }
    let listed = run(&["stress", "--list", "--out", &out]);
    assert_eq!(listed.code, 2, "{}", listed.err);
}

#[test]
fn scenarios_are_listed_and_shown() {
    let list = run(&["stress", "--list", "--json"]).json();
    let names: Vec<&str> = list["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scenario| scenario["name"].as_str().unwrap())
        .collect();
    for name in [
        "flash-crash",
        "slow-bleed",
        "chop",
        "funding-flip",
        "depth-gone",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let shown = run(&["stress", "--show", "funding-flip"]);
    assert!(shown.out.contains("-0.002_05"), "{}", shown.out);
}

#[test]
fn what_is_wrong_is_named() {
    let files = Files::new();
    let scenario = files.path("halving.toml");
    let unknown = run(&["stress", "flood"]);
    assert!(
        unknown.code == 2 && unknown.err.contains("name one of calm"),
        "{}",
        unknown.err
    );
    let wrong = files.book(|book| book.replace("equity = 40_000.0", "equity = 40_000_000.0"));
    let wrong = run(&["stress", "--scenario", &scenario, "--book", &wrong]);
    assert!(
        wrong.code == 1 && wrong.err.contains("position narrow: reserve of base"),
        "{}",
        wrong.err
    );
    let missing = run(&["stress", "--scenario", "/nonexistent.toml"]);
    assert!(missing.err.contains("check the path"), "{}", missing.err);
    fs::write(
        &scenario,
        SCENARIO.replace("step_secs = 5", "step_secs = 0"),
    )
    .unwrap();
    let zero = run(&["stress", "--scenario", &scenario]);
    assert!(zero.err.contains("step_secs = 0 must be"), "{}", zero.err);
}
