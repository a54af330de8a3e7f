//! Source files are short enough to hold one concept; those that are not say why.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

/// Lines of a file, without the tests in it.
const MOST_LINES: usize = 400;
/// Lines of a file of tests: a subject's scenarios belong together.
const MOST_TEST_LINES: usize = 600;

/// Where sources are.
const FOLDERS: [&str; 9] = [
    "cli",
    "crates",
    "demo",
    "keeper",
    "migrations",
    "programs",
    "tests",
    "toolchain",
    "xtask",
];

/// Files that are longer, each with the reason.
const LONGER: [(&str, &str); 7] = [
    (
        "crates/venue/src/hyperliquid/action.rs",
        "a list: one action of the venue after another, as it is signed",
    ),
    (
        "programs/ballast/src/events.rs",
        "a list: one event after another",
    ),
    (
        "programs/ballast/src/oracle.rs",
        "what a price has to be, from reading an account to taking note of it, is read in one go",
    ),
    (
        "programs/ballast/src/state/limits.rs",
        "a list: one rule of the parameters after another",
    ),
    (
        "keeper/src/keeper.rs",
        "puts every part together, and nothing else",
    ),
    (
        "keeper/src/sim/node.rs",
        "a list: each question of the client, with what the node makes of it",
    ),
    (
        "keeper/src/journal/mod.rs",
        "every line that the journal has is written here",
    ),
];

/// What is too long and gives no reason, and reasons that nothing needs any more.
///
/// # Errors
/// If a file cannot be read.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        collect(root, &root.join(folder), &mut found)?;
    }
    found.sort();
    let mut reasons = BTreeMap::from(LONGER);
    let mut faults = Vec::new();
    for (path, lines, most) in found {
        if reasons.remove(&*path).is_none() {
            faults.push(format!(
                "{path}: {lines} lines, more than {most}: split it, or say why not in xtask/src/lengths.rs"
            ));
        }
    }
    let needless = reasons.into_keys();
    faults.extend(
        needless.map(|path| {
            format!("{path}: not too long; take its reason out of xtask/src/lengths.rs")
        }),
    );
    Ok(faults)
}

/// Files in a folder that are too long, with their lines and how many there may be.
fn collect(root: &Path, folder: &Path, into: &mut Vec<(String, usize, usize)>) -> Result<()> {
    let context = || folder.display().to_string();
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                collect(root, &path, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            let (lines, most) = measured(&name, &text);
            if lines > most {
                into.push((name, lines, most));
            }
        }
    }
    Ok(())
}

/// Lines that count, and how many there may be.
fn measured(path: &str, text: &str) -> (usize, usize) {
    let is_test = |part: &str| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs");
    if path.split('/').any(is_test) {
        return (text.lines().count(), MOST_TEST_LINES);
    }
    let lines: Vec<&str> = text.lines().collect();
    // A module of tests in the file itself; what is only named there is another file.
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    (tests.unwrap_or(lines.len()), MOST_LINES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_in_a_file_do_not_count_and_scenarios_may_be_longer() {
        let product = "line\n".repeat(401);
        assert_eq!(measured("crates/a/src/b.rs", &product), (401, 400));
        let with_tests = "line\n".repeat(400) + "#[cfg(test)]\nmod tests {\n" + &product;
        assert_eq!(measured("crates/a/src/b.rs", &with_tests), (400, 400));
        let elsewhere = "#[cfg(test)]\nmod tests;\n".to_owned() + &product;
        assert_eq!(measured("crates/a/src/b.rs", &elsewhere), (403, 400));
        for path in [
            "tests/a.rs",
            "crates/a/tests/b.rs",
            "keeper/src/sim/a_tests.rs",
            "crates/a/src/b/tests.rs",
        ] {
            assert_eq!(measured(path, &product), (401, 600));
        }
    }
}
