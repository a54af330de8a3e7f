//! In which tests a guard makes a difference, as the program logs: it refuses, caps or rounds. A condition that is left by `?` logs
//! nothing; so other tests come last, but they come.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::tree::REACHED;

/// See the module's description.
#[derive(Default)]
pub struct Reached {
    /// The guards that make a difference in a test, by its name.
    by_test: BTreeMap<String, BTreeSet<u16>>,
}

impl Reached {
    /// What the tests reach, as `file` remembers it or, if it does not, as they say with a program that logs it. `command` runs
    /// one of them.
    pub fn provide(
        file: &Path,
        tests: &[String],
        command: impl Fn(&str) -> Command,
    ) -> Result<Self> {
        if let Ok(text) = fs::read_to_string(file) {
            return Ok(Self::parse(&serde_json::from_str(&text)?));
        }
        eprintln!("xtask: mutants: what each of {} tests reaches", tests.len());
        let mut reached = Self::default();
        for test in tests {
            let guards = logged(command(test)).with_context(|| format!("test {test}"))?;
            reached.by_test.insert(test.clone(), guards);
        }
        let partial = file.with_extension("partial");
        fs::write(&partial, format!("{:#}\n", json!(reached.by_test)))
            .and_then(|()| fs::rename(&partial, file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(reached)
    }

    fn parse(value: &Value) -> Self {
        let tests = value.as_object().into_iter().flatten();
        let numbers = |guards: &Value| {
            let guards = guards.as_array().into_iter().flatten();
            guards
                .filter_map(|number| u16::try_from(number.as_u64()?).ok())
                .collect()
        };
        Self {
            by_test: tests
                .map(|(test, guards)| (test.clone(), numbers(guards)))
                .collect(),
        }
    }

    /// Whether a test may miss a guard.
    pub fn may_miss(&self, test: &str, number: u16) -> bool {
        self.by_test
            .get(test)
            .is_none_or(|guards| guards.contains(&number))
    }
}

/// The guards that a run of tests names on standard error.
fn logged(mut command: Command) -> Result<BTreeSet<u16>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let Some(output) = child.stderr.take() else {
        bail!("no output of {command:?}");
    };
    let mut guards = BTreeSet::new();
    for line in BufReader::new(output).split(b'\n') {
        guards.extend(guard(&String::from_utf8_lossy(&line?)));
    }
    // Whether the test passes is not asked: its program logs, which costs units.
    child.wait()?;
    Ok(guards)
}

/// The guard that a line of the program's log names.
fn guard(line: &str) -> Option<u16> {
    let number = line.strip_prefix(REACHED)?.split(',').next()?;
    u16::from_str_radix(number, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_are_read_from_the_log() {
        assert_eq!(
            guard("Program log: 0xba11a57, 0x1c, 0x0, 0x0, 0x0"),
            Some(28)
        );
        assert_eq!(guard("Program log: 0x1, 0x1c, 0x0, 0x0, 0x0"), None);
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo 'Program log: 0xba11a57, 0x2, 0x0' >&2; exit 1"]);
        assert_eq!(logged(shell).unwrap(), BTreeSet::from([2]));
    }

    #[test]
    fn a_test_that_a_guard_does_not_concern_cannot_miss_it() {
        let reached = Reached::parse(&json!({ "a": [1, 2], "b": [] }));
        assert!(reached.may_miss("a", 2) && !reached.may_miss("a", 3));
        assert!(!reached.may_miss("b", 2));
        // Nothing is known of it.
        assert!(reached.may_miss("c", 2));
    }
}
