//! What the names of `ballast positions --json` are in every answer, whatever the command.

use serde_json::Value;

/// Each name, and what it is. The test of the vocabulary compares this with what the command says.
pub const NAMES: [(&str, &str); 41] = [
    ("assets", "string"),
    ("base", "string"),
    ("debt", "string"),
    ("debt_base", "string"),
    ("debt_quote", "string"),
    ("deleverages", "number"),
    ("delta", "string"),
    ("distance_bps", "number"),
    ("entry_equity", "string"),
    ("entry_price", "number"),
    ("equity", "string"),
    ("hedge_error", "string"),
    ("id", "number"),
    ("idle_base", "string"),
    ("idle_quote", "string"),
    ("in_range", "boolean"),
    ("keepers_allowed", "boolean"),
    ("leverage_bps", "number"),
    ("liquidation_lower", "number"),
    ("liquidation_upper", "number"),
    ("liquidations", "number"),
    ("liquidity", "string"),
    ("lower", "number"),
    ("ltv_bps", "number"),
    ("maintenance_ltv_bps", "number"),
    ("market", "string"),
    ("open_secs", "number"),
    ("owner", "string"),
    ("pnl_total", "string"),
    ("pool_base", "string"),
    ("pool_price", "number"),
    ("pool_quote", "string"),
    ("position", "string"),
    ("price", "number"),
    ("quote", "string"),
    ("rehedges", "number"),
    ("sigma_days", "number"),
    ("slot", "number"),
    ("tick_lower", "number"),
    ("tick_upper", "number"),
    ("upper", "number"),
];

/// Other words for the same, and the name to use.
const OTHERS: [(&str, &str); 6] = [
    ("leverage", "leverage_bps"),
    ("ltv", "ltv_bps"),
    ("ltv_afterwards", "ltv_bps"),
    ("ltv_before", "ltv_before_bps"),
    ("ltv_shown", "ltv_bps"),
    ("pnl", "pnl_total"),
];

/// The formulas' own names, in floating point: `quote` has them beside the others, `risk` answers in them.
const FORMULAS: [&str; 12] = [
    "assets", "base", "debt", "delta", "equity", "leverage", "lower", "ltv", "owner", "pnl",
    "quote", "upper",
];
const BY_FORMULA: [&str; 2] = ["quote", "risk"];
/// Global options that are followed by a value.
const VALUED: [&str; 3] = ["--keypair", "--url", "--ws-url"];

/// The command among the arguments.
pub fn command<'a>(args: &[&'a str]) -> &'a str {
    let mut words = args.iter().copied();
    while let Some(word) = words.next() {
        if VALUED.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            return word;
        }
    }
    ""
}

pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Names in a command's answer that mean something else than in `positions`.
pub fn faults(command: &str, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    walk(BY_FORMULA.contains(&command), value, command, &mut faults);
    faults.sort();
    faults.dedup();
    faults
}

fn walk(by_formula: bool, value: &Value, at: &str, faults: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            for value in values {
                walk(by_formula, value, &format!("{at}[]"), faults);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = format!("{at}.{name}");
                if !(by_formula && FORMULAS.contains(&name.as_str())) {
                    faults.extend(fault(name, value).map(|fault| format!("{at}{fault}")));
                }
                walk(by_formula, value, &at, faults);
            }
        }
        _ => {}
    }
}

fn fault(name: &str, value: &Value) -> Option<String> {
    // An object says several things of it, like the spread of an equity over many paths: what is in it has names as well.
    if value.is_null() || value.is_object() {
        return None;
    }
    if let Some((_, better)) = OTHERS.iter().find(|(other, _)| *other == name) {
        return Some(format!(" is called {better} elsewhere"));
    }
    let (_, wanted) = NAMES.iter().find(|(known, _)| *known == name)?;
    let kind = kind(value);
    (kind != *wanted).then(|| format!(" is a {kind} here, a {wanted} elsewhere"))
}

#[test]
fn another_kind_and_another_word_are_faults() {
    let told = |command: &str, value: Value| faults(command, &value);
    let good = serde_json::json!({"equity": "1.5", "ltv_bps": 1, "owner": null, "other": [1]});
    assert_eq!(told("stress", good), [""; 0]);
    let spread = serde_json::json!({"equity": {"mean": 1.5}});
    assert_eq!(told("simulate", spread), [""; 0]);
    let bad = serde_json::json!({"equity": 1.5, "deep": [{"delta": 1}, {"ltv": 0.5}]});
    assert_eq!(
        told("stress", bad.clone()),
        [
            "stress.deep[].delta is a number here, a string elsewhere",
            "stress.deep[].ltv is called ltv_bps elsewhere",
            "stress.equity is a number here, a string elsewhere",
        ]
    );
    assert_eq!(told("quote", bad), [""; 0]);
    let new = serde_json::json!({"debt_base": 1.5});
    assert_eq!(told("quote", new).len(), 1);
}

#[test]
fn the_command_is_found_among_the_options() {
    for (line, found) in [
        ("--json quote --price 1", "quote"),
        (
            "--url quote --keypair risk --yes lend deposit quote 10",
            "lend",
        ),
        ("--json", ""),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        assert_eq!(command(&args), found);
    }
}
