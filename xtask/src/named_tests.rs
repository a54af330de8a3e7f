//! Documents name the tests that cover what they claim, as `file::test` in backticks. A name that no file holds is an error.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::{documents, repository};

/// The documents that cannot do without: the names of all others are checked as well.
const CLAIMS: [&str; 2] = ["docs/THREATS.md", "docs/INVARIANTS.md"];
/// Where Rust sources lie.
const SOURCES: [&str; 9] = [
    "cli",
    "crates",
    "demo",
    "fuzz",
    "keeper",
    "migrations",
    "programs",
    "tests",
    "xtask",
];

/// Checks every name in every document.
///
/// # Errors
/// If a document cannot be read, names no test, or names one that does not exist.
pub fn check() -> Result<()> {
    let root = repository::root();
    let mut sources = BTreeMap::new();
    for directory in SOURCES {
        collect(&root.join(directory), &mut sources)?;
    }
    for (document, text) in documents::all()? {
        let names = names(&text);
        if names.is_empty() && CLAIMS.contains(&document.as_str()) {
            bail!("{document} names no test");
        }
        let bare = bare(&text, &sources);
        if !bare.is_empty() {
            bail!(
                "{document} names tests without their file, so that nothing checks them; write `file::test`: {}",
                bare.join(", ")
            );
        }
        let missing: Vec<_> = names
            .into_iter()
            .filter(|(file, test)| !exists(&sources, file, test))
            .map(|(file, test)| format!("{file}::{test}"))
            .collect();
        if !missing.is_empty() {
            bail!(
                "{document} names tests that do not exist: {}",
                missing.join(", ")
            );
        }
    }
    Ok(())
}

/// The text of all Rust files, by file stem; a `mod.rs` or `tests.rs` counts as its directory's.
fn collect(directory: &Path, into: &mut BTreeMap<String, String>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                collect(&path, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = match path.file_stem().and_then(|stem| stem.to_str()) {
                Some("mod" | "main" | "lib" | "tests") => path.parent().and_then(Path::file_name),
                _ => path.file_stem(),
            };
            let stem = stem.and_then(|stem| stem.to_str()).unwrap_or_default();
            into.entry(stem.to_owned())
                .or_default()
                .push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Pairs of file and test; `*` for all tests of a file.
fn names(text: &str) -> Vec<(&str, &str)> {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once("::"))
        .filter(|(file, test)| word(file) && (*test == "*" || word(test)))
        .collect()
}

/// Names of tests that stand alone in backticks. Short ones may be something else.
fn bare<'a>(text: &'a str, sources: &BTreeMap<String, String>) -> Vec<&'a str> {
    const LEAST_UNDERSCORES: usize = 3;
    let words = text.split('`').skip(1).step_by(2);
    words
        .filter(|word| word.matches('_').count() >= LEAST_UNDERSCORES)
        .filter(|word| sources.keys().any(|file| exists(sources, file, word)))
        .collect()
}

fn exists(sources: &BTreeMap<String, String>, file: &str, test: &str) -> bool {
    let Some(source) = sources.get(file) else {
        return false;
    };
    if test == "*" {
        return source.contains("#[test]") || source.contains("#[tokio::test");
    }
    // A test function, not any function: the attribute comes before it, further attributes between.
    let after = |attribute| source.split(attribute).skip(1);
    after("#[test]").chain(after("#[tokio::test")).any(|after| {
        after
            .split_once("fn ")
            .is_some_and(|(_, rest)| rest.starts_with(&format!("{test}(")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pairs_in_backticks() {
        let text = "see `a_file::a_test`, `other::*`; not `Type::name`, `std::fs::read`, nor x::y, nor `word`";
        assert_eq!(names(text), [("a_file", "a_test"), ("other", "*")]);
    }

    #[test]
    fn a_test_without_its_file_is_found() {
        let source = "#[test]\nfn it_is_one_of_ours() {}\nfn it_is_no_test_at_all() {}\n#[test]\nfn short() {}";
        let sources = BTreeMap::from([("file".to_owned(), source.to_owned())]);
        let text = "`it_is_one_of_ours`, `file::it_is_one_of_ours`, `it_is_no_test_at_all`, `short`, it_is_one_of_ours";
        assert_eq!(bare(text, &sources), ["it_is_one_of_ours"]);
    }

    #[test]
    fn only_tests_count() {
        let source =
            "fn helper() {} #[tokio::test] async fn real() {} #[test]\nfn plain() {} fn other() {}";
        let sources = BTreeMap::from([("file".to_owned(), source.to_owned())]);
        for (file, test, expected) in [
            ("file", "real", true),
            ("file", "plain", true),
            ("file", "*", true),
            ("file", "helper", false),
            ("file", "other", false),
            ("file", "rea", false),
            ("elsewhere", "real", false),
        ] {
            assert_eq!(exists(&sources, file, test), expected, "{file}::{test}");
        }
    }
}
