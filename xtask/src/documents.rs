//! What documents say that a machine can check: links lead somewhere, each alert to a paragraph of the runbook that names it, commands
//! of `cargo xtask` exist, numbers are those of their sources, and crates are on the floors that ARCHITECTURE says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Command;
use serde_json::Value;

use crate::{anchor, lengths, market_defaults, printed, process, repeated, repository};

/// Documents outside of `docs`.
const OTHERS: [&str; 6] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "clients/typescript/README.md",
    "keeper/dashboard/README.md",
];
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const ALERTS: &str = "ops/prometheus/alerts.yml";

/// A document's path from the repository's root, and its text.
pub type Document = (String, String);

/// Every document.
///
/// # Errors
/// If one cannot be read.
pub fn all() -> Result<Vec<Document>> {
    let root = repository::root();
    let mut paths: Vec<String> = OTHERS.map(str::to_owned).into();
    for entry in fs::read_dir(root.join("docs"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            paths.push(format!("docs/{name}"));
        }
    }
    paths.sort();
    let read = |path: String| {
        let text = fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
        Ok((path, text))
    };
    paths.into_iter().map(read).collect()
}

/// Checks all of it. `own` is the command line of `cargo xtask`.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn check(own: &Command) -> Result<()> {
    let documents = all()?;
    let mut faults = Vec::new();
    for (path, text) in &documents {
        faults.extend(dead_links(repository::root(), path, text)?);
        for command in printed::commands(text, "cargo xtask") {
            if let Some(fault) = printed::fault(own, &command) {
                faults.push(format!("{path}:{}: {fault}", command.line));
            }
        }
    }
    faults.extend(alert_faults(repository::root())?);
    faults.extend(anchor::faults(own)?);
    faults.extend(lengths::faults(repository::root())?);
    faults.extend(repeated::faults(repository::root())?);
    faults.extend(market_defaults::faults(repository::root())?);
    let architecture = documents.iter().find(|(path, _)| path == ARCHITECTURE);
    let (_, text) = architecture.context("docs/ARCHITECTURE.md is missing")?;
    faults.extend(floor_faults(&floors(text), &dependencies()?));
    if !faults.is_empty() {
        bail!(
            "documents say what is not so, or a rule of CONTRIBUTING is broken:\n{}",
            faults.join("\n")
        );
    }
    Ok(())
}

/// Links to files and headings that do not exist.
fn dead_links(root: &Path, path: &str, text: &str) -> Result<Vec<String>> {
    let from = root.join(path);
    let directory = from.parent().unwrap_or(root);
    let mut faults = Vec::new();
    for (line, target) in links(text) {
        faults.extend(dead_link(directory, path, line, &from, target)?);
    }
    Ok(faults)
}

/// What is wrong with a link, if anything. `directory`: from which its path counts; `own`: the file that it stands in.
fn dead_link(
    directory: &Path,
    path: &str,
    line: usize,
    own: &Path,
    target: &str,
) -> Result<Option<String>> {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = match file.is_empty() {
        true => own.to_path_buf(),
        false => directory.join(file),
    };
    if !file.exists() {
        return Ok(Some(format!("{path}:{line}: {target} does not exist")));
    }
    if !heading.is_empty() && section(&fs::read_to_string(&file)?, heading).is_none() {
        return Ok(Some(format!(
            "{path}:{line}: {target}: there is no such heading"
        )));
    }
    Ok(None)
}

/// Alerts without a paragraph in the runbook that names them.
fn alert_faults(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(ALERTS)).context(ALERTS)?;
    let alerts = alerts(&text);
    let mut faults = Vec::new();
    if alerts.is_empty() {
        faults.push(format!("{ALERTS} has no alert"));
    }
    for (name, runbook) in alerts {
        let Some((line, target)) = runbook else {
            faults.push(format!("{ALERTS}: {name} has no runbook paragraph"));
            continue;
        };
        // A target of a link counts from the root here.
        if let Some(fault) = dead_link(root, ALERTS, line, root, target)? {
            faults.push(fault);
            continue;
        }
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let text = fs::read_to_string(root.join(file)).with_context(|| file.to_owned())?;
        let named = format!("`{name}`");
        let paragraph = section(&text, heading).unwrap_or_default();
        if !paragraph.iter().any(|line| line.contains(&named)) {
            faults.push(format!(
                "{ALERTS}:{line}: {target} does not name {named}: begin it with \"**You see** the alert {named}\""
            ));
        }
    }
    Ok(faults)
}

/// Each alert's name, with line and link of its paragraph in the runbook.
fn alerts(text: &str) -> Vec<(&str, Option<(usize, &str)>)> {
    let mut found: Vec<(&str, Option<(usize, &str)>)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if let Some(name) = line.strip_prefix("- alert: ") {
            found.push((name, None));
        } else if let Some(target) = line.strip_prefix("runbook: ")
            && let Some((_, runbook)) = found.last_mut()
        {
            *runbook = Some((index + 1, target));
        }
    }
    found
}

/// Lines outside of code blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let numbered = (1..).zip(text.lines());
    numbered.filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Relative targets of `[text](target)`, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
        let relative = targets.filter(|target| !target.contains("://"));
        found.extend(relative.map(|target| (number, target)));
    }
    found
}

/// The prose between the heading that is linked to like this (in lower case, spaces as dashes, without other signs) and the next one.
fn section<'a>(text: &'a str, link: &str) -> Option<Vec<&'a str>> {
    let is_linked = |line: &str| {
        let heading = line.trim_start_matches('#').trim();
        let slug = heading.to_lowercase().replace(' ', "-");
        let slug: String = slug
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect();
        line.starts_with('#') && slug == link
    };
    let mut lines = prose(text).map(|(_, line)| line);
    lines.find(|line| is_linked(line))?;
    Some(lines.take_while(|line| !line.starts_with('#')).collect())
}

/// The floor of each directory that the table of floors names.
fn floors(text: &str) -> BTreeMap<String, u32> {
    let mut floors = BTreeMap::new();
    let rows = text.lines().skip_while(|line| *line != "## Floors");
    let rows = rows.skip(1).take_while(|line| !line.starts_with("## "));
    for row in rows {
        let mut cells = row.split('|').map(str::trim);
        let (Some(_), Some(floor), Some(crates)) = (cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        if let Ok(floor) = floor.parse() {
            let named = crates.split('`').skip(1).step_by(2);
            floors.extend(named.map(|name| (name.to_owned(), floor)));
        }
    }
    floors
}

/// Of each crate's directory, those of the workspace's crates that it uses, tests apart.
fn dependencies() -> Result<BTreeMap<String, Vec<String>>> {
    let arguments = [
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
    ];
    let said = process::output(process::host_cargo().args(arguments))?;
    let metadata: Value = serde_json::from_str(&said).context("cargo metadata printed no JSON")?;
    let root = repository::root();
    let relative = |path: &str| {
        let path = PathBuf::from(path);
        let path = path.strip_prefix(root).unwrap_or(&path);
        path.to_string_lossy().into_owned()
    };
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut all = BTreeMap::new();
    for package in packages {
        let manifest = package["manifest_path"].as_str().context("no manifest")?;
        let manifest = relative(manifest);
        let directory = manifest.trim_end_matches("/Cargo.toml").to_owned();
        let uses = package["dependencies"]
            .as_array()
            .context("no dependencies")?;
        let uses = uses.iter().filter(|one| one["kind"].is_null());
        let uses = uses.filter_map(|one| Some(relative(one["path"].as_str()?)));
        all.insert(directory, uses.collect());
    }
    Ok(all)
}

/// Crates that use one of the same floor or a higher one, and crates that stand on none.
fn floor_faults(
    floors: &BTreeMap<String, u32>,
    dependencies: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    /// They serve the repository, not the product.
    const APART: [&str; 3] = [
        "programs/localnet/pyth",
        "programs/localnet/whirlpool",
        "xtask",
    ];
    let mut faults = Vec::new();
    for name in floors
        .keys()
        .filter(|name| !dependencies.contains_key(*name))
    {
        faults.push(format!("{ARCHITECTURE}: {name} is no crate"));
    }
    for (name, uses) in dependencies {
        let Some(floor) = floors.get(name) else {
            if !APART.contains(&name.as_str()) {
                faults.push(format!(
                    "{ARCHITECTURE}: {name} stands on no floor: add it to the table"
                ));
            }
            continue;
        };
        for used in uses {
            if let Some(below) = floors.get(used)
                && below >= floor
            {
                faults.push(format!(
                    "{ARCHITECTURE}: {name} (floor {floor}) uses {used} (floor {below})"
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    #[test]
    fn this_repositorys_documents_hold() {
        check(&Cli::command()).unwrap();
        crate::named_tests::check().unwrap();
    }

    #[test]
    fn links_are_relative_ones_outside_of_code() {
        let text = "see [a](x.md) and [b](https://x.example)\n```\n[c](no.md)\n```\n![d](y.svg#z)";
        assert_eq!(links(text), [(1, "x.md"), (5, "y.svg#z")]);
    }

    #[test]
    fn a_link_to_nothing_is_a_fault() {
        let directory = temporary("links");
        fs::write(directory.join("there.md"), "# What it is, and `not`\n").unwrap();
        let faults = |text: &str| dead_links(&directory, "from.md", text).unwrap();
        assert_eq!(faults("[a](there.md#what-it-is-and-not)"), [""; 0]);
        let one = faults("x\n[a](missing.md)");
        assert_eq!(one, ["from.md:2: missing.md does not exist"]);
        assert_eq!(faults("[a](there.md#else)").len(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn an_alert_whose_paragraph_is_missing_or_does_not_name_it_is_a_fault() {
        let root = temporary("alerts");
        for directory in ["ops/prometheus", "docs"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let runbook = "## Keeper dead\n\n**You see** the alert `A`.\n\n## Keeper late\n\n```\n# `A`\n```\n\n## Else\n\nThe alert `A`.\n";
        fs::write(root.join("docs/RUN.md"), runbook).unwrap();
        let faults = |alerts: &str| {
            fs::write(root.join(ALERTS), alerts).unwrap();
            alert_faults(&root).unwrap()
        };
        let alert =
            |name: &str, target: &str| format!("- alert: {name}\n  runbook: docs/RUN.md{target}\n");
        assert_eq!(faults(&alert("A", "#keeper-dead")), [""; 0]);
        // No such paragraph; one that names no alert but in code; another alert than the one that is named, also as a part of it.
        for bad in [
            alert("A", "#keeper-blind"),
            alert("A", ""),
            alert("A", "#keeper-late"),
            alert("B", "#keeper-dead"),
            alert("AB", "#keeper-dead"),
            "- alert: A\n".into(),
            String::new(),
        ] {
            assert_eq!(faults(&bad).len(), 1, "{bad:?}");
            assert_eq!(
                faults(&(alert("A", "#else") + &bad)).len(),
                usize::from(!bad.is_empty()),
                "{bad:?}"
            );
        }
        fs::remove_dir_all(&root).unwrap();
    }

    fn temporary(what: &str) -> PathBuf {
        let name = format!("ballast-{what}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[test]
    fn a_crate_that_uses_a_higher_floor_or_stands_on_none_is_a_fault() {
        let text = "## Floors\n\n| floor | crates | what |\n|---|---|---|\n| 1 | `a`, `b` | x `y` |\n| 0 | `c` | |\n\n## Else\n| 9 | `d` |";
        let floors = floors(text);
        let uses = |pairs: &[(&str, &[&str])]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let pairs = pairs.iter();
            pairs
                .map(|(name, uses)| ((*name).to_owned(), owned(uses)))
                .collect::<BTreeMap<String, Vec<String>>>()
        };
        let good = uses(&[("a", &["c"]), ("b", &[]), ("c", &[])]);
        assert_eq!(floor_faults(&floors, &good), [""; 0]);
        for bad in [
            uses(&[("a", &["b"]), ("b", &[]), ("c", &[])]),
            uses(&[("a", &[]), ("b", &[]), ("c", &["a"])]),
            uses(&[("a", &[]), ("b", &[]), ("c", &[]), ("new", &[])]),
            uses(&[("a", &[]), ("b", &[])]),
        ] {
            assert_eq!(floor_faults(&floors, &bad).len(), 1, "{bad:?}");
        }
    }
}
