//! Reserves and an oracle that do not stand still.

use super::*;

const FEW: [&str; 3] = ["--json", "--ci", "100%"];
/// An option for each.
const ALL: [&str; 11] = [
    "--utilisation-base",
    "60%:20%:12",
    "--utilisation-quote=0.75:0.1:24",
    "--oracle-stalls",
    "4:5400",
    "--confidence-bps",
    "5",
    "--confidence-per-move",
    "0.5",
    "--worsens",
    "1",
];

fn kept(extra: &[&str]) -> Run {
    changed("--strategy", "keeper", &[&FEW[..], extra].concat())
}

/// Nothing of each is the same as not to speak of it, to the last digit; and so is what no option says.
#[test]
fn nothing_of_it_changes_nothing() {
    let plain = kept(&["--borrow-base-apr", "5%"]);
    assert_eq!((plain.code, plain.err.as_str()), (0, ""));
    let none = [
        "--borrow-base-apr",
        "5%",
        "--oracle-stalls",
        "0:300",
        "--confidence-bps",
        "0",
        "--confidence-per-move",
        "0",
    ];
    assert_eq!(kept(&none).out, plain.out);
    let report = plain.json();
    // As before there were such options: a seed's numbers stay.
    let equity = &report["equity"];
    for (name, before) in [
        ("mean", 97.225_174_673_000_08),
        ("shortfall_5", 92.149_902_319_999_98),
    ] {
        assert!((number(&equity[name]) - before).abs() < 1e-9, "{equity}");
    }
    assert_eq!(report["conditions"], Value::Null);
    assert_eq!(report["oracle_silent"], Value::Null);
    let text = changed("--strategy", "keeper", &["--ci", "100%"]).out;
    assert!(
        text.contains("--oracle-stalls and --confidence-bps"),
        "{text}"
    );
}

/// Each is counted, said, and named in what is written; on any number of threads the same.
#[test]
fn all_of_it_is_counted_and_said() {
    let run = kept(&ALL);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let report = run.json();
    let conditions = &report["conditions"];
    assert_eq!(conditions["utilisation_base"]["sd"], 0.2);
    // Devnet's curve: 10 % at 80 %.
    let apr = number(&conditions["utilisation_quote"]["apr_at_mean"]);
    assert!((apr - 0.75 / 0.8 * 0.1).abs() < 1e-12, "{apr}");
    assert_eq!(conditions["oracle"]["stall_secs"], 5_400.0);
    let silent = number(&report["oracle_silent"]["mean"]);
    // 4 a day of an hour and a half, of the time that is not silent.
    assert!((0.15..0.25).contains(&silent), "{silent}");
    for side in ["interest_base", "interest_quote"] {
        assert!(number(&report["attribution"][side]["mean"]) < 0.0, "{side}");
    }
    let not_counted = report["not_counted"].to_string();
    assert!(!not_counted.contains("interest"), "{not_counted}");
    assert_eq!(kept(&[&ALL[..], &["--threads", "1"]].concat()).out, run.out);
    let text = changed(
        "--strategy",
        "keeper",
        &[&ALL[..], &["--ci", "100%"]].concat(),
    )
    .out;
    for said in [
        "oracle       silent ",
        "world        every price that is published is seen at once",
        "the oracle is silent 4 times a day, for 5400 s on average",
        "the base reserve is lent out by 60",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // Who may not act for a while does once what was due several times.
    let plain = kept(&[]).json();
    let acts = |report: &Value| number(&report["actions_per_day"]);
    assert!(acts(&report) < acts(&plain), "{report}");
    // The prices are the same.
    let hold = |extra: &[&str]| changed("--strategy", "hold", &[&FEW[..], extra].concat()).json();
    assert_eq!(hold(&ALL)["time_in_range"], hold(&[])["time_in_range"]);
}

/// The same from a model's file; options come before it, and what it does not know is refused.
#[test]
fn a_models_file_may_say_it() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("model.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(
        "[utilisation.base]\nmean = { value = 0.6 }\nsd = { value = 0.2 }\nhalf_life_hours = { value = 12 }\n\
         [utilisation.quote]\nmean = { value = 0.75 }\nsd = { value = 0.1 }\nhalf_life_hours = { value = 24 }\n\
         [oracle]\nstalls_day = { value = 9 }\nstall_secs = { value = 5400 }\nconfidence_bps = { value = 5 }\n\
         confidence_per_move = { value = 0.5 }\n",
    );
    let path = file.to_str().unwrap();
    let of_file = [
        "--model-file",
        path,
        "--oracle-stalls=4:5400",
        "--worsens=1",
    ];
    assert_eq!(kept(&of_file).out, kept(&ALL).out);
    let out = directory.path().join("out");
    let run = kept(&[&of_file[..], &["--out", out.to_str().unwrap()]].concat());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let written = std::fs::read_to_string(out.join("run.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["parameters"]["oracle_stalls"], "4:5400");
    assert_eq!(written["inputs"][0]["file"], path);
    write("[oracle]\nstalls = { value = 9 }\n");
    let refused = kept(&of_file);
    assert!(
        refused.code == 1 && refused.err.contains("unknown field `stalls`"),
        "{}",
        refused.err
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let twice = [
        "--borrow-quote-apr",
        "5%",
        "--utilisation-quote",
        "60%:10%:24",
    ];
    let said = kept(&twice);
    assert!(
        said.code == 2 && said.err.contains("leave one of them out"),
        "{}",
        said.err
    );
    let above = kept(&["--utilisation-base", "120%:10%:24"]);
    assert!(
        above.code == 1
            && above
                .err
                .contains("mean utilisation 1.2 must be from 0 to 1"),
        "{}",
        above.err
    );
    let unread = kept(&["--oracle-stalls", "often"]);
    assert!(
        unread.code == 2 && unread.err.contains("like 2:300"),
        "{}",
        unread.err
    );
}
