//! Whether the commands exist that the keeper's page prints.

use std::{collections::BTreeMap, fs, path::Path};

use clap::{CommandFactory, error::ErrorKind};

use crate::Cli;

/// What the page fills in where it knows it, as a person would.
const FILLED: [(&str, &str); 5] = [
    ("FILE", "keeper.toml"),
    ("MARKET", "So11111111111111111111111111111111111111112"),
    ("POSITION", "So11111111111111111111111111111111111111112"),
    ("REASON", "oracle-looks-wrong"),
    ("URL", "http://127.0.0.1:8899"),
];

/// With what is in brackets, and without.
fn lines(template: &str) -> [String; 2] {
    let mut without = String::new();
    let mut depth = 0;
    for letter in template.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            letter if depth == 0 => without.push(letter),
            _ => {}
        }
    }
    [template.replace(['[', ']'], ""), without]
}

/// Why the command line refuses a line; `None`: it takes it.
fn refusal(line: &str) -> Option<String> {
    let words = line.split_whitespace().map(|word| {
        let filled = FILLED.iter().find(|(name, _)| *name == word);
        filled.map_or(word, |(_, value)| value)
    });
    match Cli::command().try_get_matches_from(words) {
        Ok(_) => None,
        Err(told) if told.kind() == ErrorKind::DisplayHelp => None,
        Err(refused) => Some(format!("{line}: {refused}")),
    }
}

#[test]
fn every_command_of_the_page_is_a_command_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = fs::read_to_string(root.join("keeper/dashboard/src/commands.json")).unwrap();
    let list: BTreeMap<String, String> = serde_json::from_str(&list).unwrap();
    let mut faults = Vec::new();
    for template in list.values() {
        match template.split_once(' ').unwrap() {
            ("ballast", _) => faults.extend(lines(template).iter().filter_map(|l| refusal(l))),
            ("systemctl", rest) => {
                let unit = rest.rsplit(' ').next().unwrap();
                let file = root.join(format!("ops/systemd/{unit}.service"));
                assert!(file.exists(), "{template}: no {}", file.display());
            }
            _ => faults.push(format!("{template}: neither ballast nor systemctl")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(list.len() >= 10, "only {} commands were found", list.len());
}

#[test]
fn what_the_page_printed_before_is_refused() {
    for line in [
        "ballast dashboard --config FILE --open",
        "ballast deleverage",
        "ballast pause POSITION",
        "ballast open",
    ] {
        assert!(refusal(line).is_some(), "{line}");
    }
}
