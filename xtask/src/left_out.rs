//! What a run of tests left out, said where it is seen: at the end.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::repository;

/// Where it is set, nothing may be left out because a tool is missing.
const REQUIRE_TOOLS: &str = "BALLAST_REQUIRE_TOOLS";
/// Names the file to the tests, which write into it (`crates/skip`).
const NOTES: &str = "BALLAST_LEFT_OUT";

/// Says that something is not done because a tool is missing; an error where tools are required, as they are in CI.
pub fn for_want_of_a_tool(what: &str, error: &anyhow::Error) -> Result<()> {
    decide(std::env::var_os(REQUIRE_TOOLS).is_some(), what, error)
}

fn decide(required: bool, what: &str, error: &anyhow::Error) -> Result<()> {
    if required {
        bail!("{what}, although {REQUIRE_TOOLS} is set: {error:#}");
    }
    eprintln!("xtask: {what}: {error:#}");
    Ok(())
}

/// Notes of one run.
pub struct Notes {
    file: PathBuf,
    own: BTreeSet<String>,
}

impl Notes {
    /// For a run that begins now.
    pub fn new() -> Result<Self> {
        let directory = repository::root().join("target");
        fs::create_dir_all(&directory)?;
        let file = directory.join("left-out.txt");
        fs::write(&file, "").with_context(|| file.display().to_string())?;
        Ok(Self {
            file,
            own: BTreeSet::new(),
        })
    }

    /// Tests that this starts write there as well.
    pub fn hand_to(&self, tests: &mut Command) {
        tests.env(NOTES, &self.file);
    }

    /// Something is left out, and how to have it done.
    pub fn add(&mut self, what: &str, how: &str) {
        self.own.insert(format!("{what}: {how}"));
    }

    /// Says all of it, each thing once.
    pub fn tell(&self) -> Result<()> {
        for line in self.lines(&self.file)? {
            eprintln!("xtask: left out: {line}");
        }
        Ok(())
    }

    fn lines(&self, file: &Path) -> Result<BTreeSet<String>> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut lines = self.own.clone();
        lines.extend(text.lines().map(str::to_owned));
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_an_error_where_tools_are_required() {
        let error = anyhow::anyhow!("no promtool");
        decide(false, "rules are not checked", &error).unwrap();
        let said = decide(true, "rules are not checked", &error).unwrap_err();
        let said = said.to_string();
        assert!(said.contains("rules are not checked") && said.contains("no promtool"));
    }

    #[test]
    fn what_many_tests_leave_out_is_said_once() {
        let file = std::env::temp_dir().join(format!("ballast-left-out-{}", std::process::id()));
        fs::write(&file, "recorded data: name it\nrecorded data: name it\n").unwrap();
        let mut notes = Notes {
            file: file.clone(),
            own: BTreeSet::new(),
        };
        notes.add("the validator", "without --no-validator");
        let lines = notes.lines(&file);
        fs::remove_file(&file).unwrap();
        let expected = [
            "recorded data: name it",
            "the validator: without --no-validator",
        ];
        assert!(lines.unwrap().iter().eq(expected));
    }
}
