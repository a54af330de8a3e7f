//! `ballast risk`, as a user runs it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use crate::common::{command, golden, run, run_with};
use serde_json::{Value, json};

const GOOD: &str = r#"{"P":"200","pa":"190","pb":"210","L":"429.239012648545","lx":"0","ly":"0","dx":"0.731475723873","dy":"53.704855225473","t":"0.8"}"#;

fn number(line: &Value, field: &str) -> Option<f64> {
    match &line[field] {
        Value::String(text) => Some(text.parse().unwrap()),
        Value::Number(number) => number.as_f64(),
        Value::Null => None,
        other => panic!("{field} is {other}"),
    }
}

#[track_caller]
fn close(field: &str, actual: f64, expected: f64, noise: f64) {
    let error = (actual - expected).abs();
    assert!(
        error <= 1e-9 * expected.abs() + noise,
        "{field} is {actual}, should be {expected}"
    );
}

fn check_golden(name: &str) {
    let path = golden(name);
    let run = run(&["risk", "--input", path.to_str().unwrap()]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let vectors = fs::read_to_string(path).unwrap();
    let answers = run.lines();
    assert_eq!(answers.len(), vectors.lines().count());
    for (vector, answer) in vectors.lines().zip(&answers) {
        let vector: Value = serde_json::from_str(vector).unwrap();
        assert_eq!(answer["solvable"], vector["solvable"], "{vector}");
        for field in ["lower", "upper"] {
            match (number(answer, field), number(&vector, field)) {
                (Some(actual), Some(expected)) => close(field, actual, expected, 0.0),
                (actual, expected) => {
                    assert_eq!(actual.is_none(), expected.is_none(), "{field} of {vector}")
                }
            }
        }
        let get = |field| number(&vector, field).unwrap();
        let (price, assets, debt) = (get("P"), get("assets"), get("debt"));
        // A difference is as exact as the inputs' 31 digits make its terms.
        let cancelled = 1e-27 * assets.max(debt);
        for (field, noise) in [
            ("assets", 0.0),
            ("debt", 0.0),
            ("gamma", 0.0),
            ("equity", cancelled),
            ("delta", cancelled / price),
        ] {
            close(field, number(answer, field).unwrap(), get(field), noise);
        }
        if debt > 0.0 {
            close("ltv", number(answer, "ltv").unwrap(), debt / assets, 0.0);
        }
        let equity = get("equity");
        assert_eq!(
            number(answer, "leverage").is_some(),
            equity > 0.0,
            "{vector}"
        );
        if equity > 1e-9 * assets {
            close(
                "leverage",
                number(answer, "leverage").unwrap(),
                assets / equity,
                0.0,
            );
        }
    }
}

#[test]
fn golden_vectors() {
    check_golden("vectors.jsonl");
}

#[test]
fn golden_vectors_that_are_hard() {
    check_golden("hard.jsonl");
}

#[test]
fn a_bad_line_names_itself_and_the_others_are_answered() {
    let input = [
        GOOD,
        "",
        &GOOD.replace("\"190\"", "\"19o\""),
        &GOOD.replace("\"dx\":\"0.731475723873\",", ""),
        "not json",
        &GOOD.replace("\"190\"", "\"210\""),
        &GOOD.replace("\"200\"", "\"-200\""),
        &GOOD.replace("0.8", "80"),
        GOOD,
    ]
    .join("\n");
    let run = run_with(&["risk", "--input", "-"], input.as_bytes());
    assert_eq!(run.code, 1, "{}", run.err);
    let lines = run.lines();
    assert_eq!(lines.len(), 8);
    for good in [&lines[0], &lines[7]] {
        close(
            "lower",
            number(good, "lower").unwrap(),
            110.846787443450,
            0.0,
        );
        close(
            "upper",
            number(good, "upper").unwrap(),
            258.635186985545,
            0.0,
        );
    }
    for (answer, line, parts) in [
        (&lines[1], 3, &["pa", "19o", "decimal number"][..]),
        (&lines[2], 4, &["dx", "missing"]),
        (&lines[3], 5, &["JSON object"]),
        (&lines[4], 6, &["pa", "pb", "below"]),
        (&lines[5], 7, &["P", "-200", "greater than 0"]),
        (&lines[6], 8, &["t", "80", "0.8"]),
    ] {
        assert_eq!(answer["line"], json!(line), "{answer}");
        let error = answer["error"].as_str().unwrap();
        for part in parts {
            assert!(error.contains(part), "{error} does not say {part}");
        }
        assert!(run.err.contains(&format!("line {line}: ")), "{}", run.err);
    }
    assert!(run.err.contains("6 of 8 positions"), "{}", run.err);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_position() {
    let marked = format!("\u{feff}{GOOD}\n{GOOD}\n");
    let plain = format!("{GOOD}\n{GOOD}\n");
    let answered = run_with(&["risk", "--input", "-"], marked.as_bytes());
    assert_eq!((answered.code, answered.err.as_str()), (0, ""));
    assert_eq!(
        answered.out,
        run_with(&["risk", "--input", "-"], plain.as_bytes()).out
    );
    let wide: Vec<u8> = format!("\u{feff}{GOOD}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let refused = run_with(&["risk", "--input", "-"], &wide);
    assert_eq!(refused.code, 1);
    let expected = "not UTF-8 text but UTF-16: save the file as UTF-8";
    assert_eq!(refused.lines()[0], json!({ "line": 1, "error": expected }));
    assert!(
        refused.err.contains(&format!("line 1: {expected}")),
        "{}",
        refused.err
    );
}

#[test]
fn numbers_with_separators_are_named_with_their_line() {
    let input = GOOD.replace("\"200\"", "\"1,500\"");
    let refused = run_with(&["risk", "--input", "-"], input.as_bytes());
    let error = "field P: \"1,500\" is not a decimal number: write it like 1.25, -3 or 1.25E+3, without separators";
    assert_eq!(refused.code, 1);
    assert_eq!(refused.lines(), [json!({ "line": 1, "error": error })]);
}

#[test]
fn files_in_and_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (input, output) = (path("in.jsonl"), path("out.jsonl"));
    fs::write(&input, format!("{GOOD}\r\n{GOOD}")).unwrap();
    let done = run(&["risk", "-i", &input, "-o", &output]);
    assert_eq!(
        (done.code, done.out.as_str(), done.err.as_str()),
        (0, "", "")
    );
    assert_eq!(fs::read_to_string(&output).unwrap().lines().count(), 2);

    let same = run(&["risk", "--input", &input, "--output", &input]);
    assert!(
        same.code == 2 && same.err.contains("input itself"),
        "{}",
        same.err
    );
    assert!(fs::read_to_string(&input).unwrap().contains("\"P\""));
    for (arguments, parts) in [
        (
            ["--input", "/nonexistent/file", "--output", "-"],
            ["--input", "/nonexistent/file"],
        ),
        (
            [
                "--input",
                directory.path().to_str().unwrap(),
                "--output",
                "-",
            ],
            ["--input", "directory"],
        ),
        (
            ["--input", &input, "--output", "/nonexistent/file"],
            ["--output", "/nonexistent/file"],
        ),
    ] {
        let run = run(&[&["risk"], &arguments[..]].concat());
        assert!(matches!(run.code, 1 | 2), "{}", run.code);
        assert!(
            parts.iter().all(|part| run.err.contains(part)),
            "{}",
            run.err
        );
    }
    assert_eq!(run(&["risk"]).code, 2);
}

#[test]
fn any_bytes_are_survived() {
    let junk: Vec<u8> = (0..100_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let run = run_with(&["risk", "--input", "-"], &junk);
    assert_eq!(run.code, 1);
    assert!(run.lines().iter().all(|line| line["error"].is_string()));
    assert!(!run.err.contains("panicked"), "{}", run.err);
    let empty = run_with(&["risk", "--input", "-"], b"\n \n");
    assert_eq!((empty.code, empty.out.as_str()), (0, ""));
}

#[test]
fn a_line_is_answered_before_the_next_one_is_written() {
    let mut child = command()
        .args(["risk", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        writeln!(stdin, "{GOOD}").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.contains("\"solvable\":true"), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = command()
        .args(["risk", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    // Whether or not the program still reads.
    let _ = stdin.write_all(format!("{GOOD}\n").repeat(10_000).as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}
