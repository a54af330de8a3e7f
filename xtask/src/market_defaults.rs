//! The tables of docs/PARAMETERS.md say of a market's parameters what the migrations set.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use toml::{Table, Value};

const DOCUMENT: &str = "docs/PARAMETERS.md";
const LOCALNET: &str = "migrations/localnet";
const DEVNET: &str = "migrations/devnet";
/// Sections of a migration, as the document's headings begin.
const SECTIONS: [&str; 6] = [
    "oracle_rules",
    "limits",
    "keepers",
    "stages",
    "safety",
    "base_reserve",
];
/// Its column has the program's defaults, which a local cluster's market has. Devnet's stand in the text below.
const DEFAULTS: &str = "safety";
/// Rows of quote tokens, of which a market stores a millionth.
const QUOTE: (&str, i64) = ("quote", 1_000_000);
/// Rows that are not looked at would hide a table that is no longer read.
const LEAST_ROWS: usize = 35;

/// Rows that say something else than the migrations.
///
/// # Errors
/// If a file cannot be read.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(DOCUMENT)).context(DOCUMENT)?;
    let clusters = [settings(root, LOCALNET)?, settings(root, DEVNET)?];
    Ok(faults_in(&text, &clusters))
}

/// What the files of a cluster set: the later one wins.
fn settings(root: &Path, directory: &str) -> Result<Table> {
    let mut files = fs::read_dir(root.join(directory))
        .with_context(|| directory.to_owned())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    let mut all = Table::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let table: Table = text.parse().with_context(|| file.display().to_string())?;
        for (section, values) in table {
            let into = all.entry(section).or_insert_with(|| Table::new().into());
            if let (Some(into), Value::Table(values)) = (into.as_table_mut(), values) {
                into.extend(values);
            }
        }
    }
    Ok(all)
}

fn faults_in(text: &str, clusters: &[Table; 2]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut section = None;
    let mut rows = 0;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(heading) = line.strip_prefix("## ") {
            let named = heading
                .strip_prefix("`[")
                .and_then(|rest| rest.split(']').next());
            section = named.filter(|name| SECTIONS.contains(name));
        }
        let Some(section) = section else { continue };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, names, said, ..] = cells.as_slice() else {
            continue;
        };
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        let said_numbers = numbers(said);
        if names.is_empty() || said_numbers.is_empty() {
            continue;
        }
        rows += 1;
        let [local, devnet] = clusters.each_ref().map(|cluster| {
            let of = |name: &&str| cluster.get(section)?.get(*name)?.as_integer();
            names.iter().map(of).collect::<Option<Vec<i64>>>()
        });
        let (Some(local), Some(devnet)) = (local, devnet) else {
            faults.push(format!("{DOCUMENT}:{number}: no migration sets {names:?}"));
            continue;
        };
        let expected = match section == DEFAULTS || local == devnet {
            true => local,
            false => [local, devnet].concat(),
        };
        if said_numbers != expected {
            faults.push(format!(
                "{DOCUMENT}:{number}: {names:?} are {said}, the migrations say {expected:?}"
            ));
        }
    }
    if rows < LEAST_ROWS {
        faults.push(format!(
            "{DOCUMENT}: only {rows} rows of parameters are found"
        ));
    }
    faults
}

/// Numbers of a cell like `90, 300; 120, 600`; none if there is anything else in it.
fn numbers(cell: &str) -> Vec<i64> {
    let (cell, scale) = match cell.strip_suffix(QUOTE.0) {
        Some(rest) => (rest, QUOTE.1),
        None => (cell, 1),
    };
    let parts = cell.split(';').flat_map(|part| part.trim().split(", "));
    let parsed = parts.map(|part| {
        part.replace(',', "")
            .parse::<i64>()
            .ok()?
            .checked_mul(scale)
    });
    parsed.collect::<Option<Vec<i64>>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    #[test]
    fn the_documents_tables_say_what_migrations_set() {
        assert_eq!(faults(repository::root()).unwrap(), [""; 0]);
    }

    #[test]
    fn another_number_on_either_side_is_a_fault() {
        let root = repository::root();
        let text = fs::read_to_string(root.join(DOCUMENT)).unwrap();
        let clusters = || [LOCALNET, DEVNET].map(|one| settings(root, one).unwrap());
        assert_eq!(faults_in(&text, &clusters()), [""; 0]);
        let other = text.replace("| 90, 300; 120, 600 |", "| 90, 300; 120, 601 |");
        assert_ne!(other, text);
        assert_eq!(faults_in(&other, &clusters()).len(), 1);
        for section in SECTIONS {
            let mut changed = clusters();
            let table = changed[0][section].as_table_mut().unwrap();
            for (_, value) in table.iter_mut() {
                *value = (value.as_integer().unwrap() + 1).into();
            }
            assert_ne!(faults_in(&text, &changed), [""; 0], "{section}");
        }
        assert_eq!(faults_in("", &clusters()).len(), 1);
    }

    #[test]
    fn numbers_of_a_cell() {
        assert_eq!(numbers("90, 300; 120, 600"), [90, 300, 120, 600]);
        assert_eq!(
            numbers("1,000,000; 10,000 quote"),
            [1_000_000_000_000, 10_000_000_000]
        );
        for none in ["per market", "", "default"] {
            assert_eq!(numbers(none), [0; 0], "{none}");
        }
    }
}
