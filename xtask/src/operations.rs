//! What operators install, by the tools that they use: alert rules by Prometheus' own checker and with their tests, the unit by systemd.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    cache::Area,
    debian::{self, Package},
    left_out, process, repository,
};

const RULES: &str = "ops/prometheus/alerts.yml";
const RULES_TEST: &str = "ops/prometheus/alerts_test.yml";
const UNIT: &str = "ops/systemd/ballast-keeper.service";
/// Where the unit expects the program, which is not there.
const PROGRAM: &str = "/usr/local/bin/ballast";
/// Of ten times systemd's figure of exposure, which is 14 today; what listens to everybody has 96.
const MOST_EXPOSURE: &str = "--threshold=20";

/// Checks all of it that this machine has tools for, and says what it has not; an error for that where tools are required.
pub fn check() -> Result<()> {
    let root = repository::root();
    match promtool() {
        Ok(promtool) => rules(&promtool, root)?,
        Err(error) => left_out::for_want_of_a_tool("alert rules are not checked", &error)?,
    }
    match systemd_analyze() {
        Ok(analyze) => {
            let text = fs::read_to_string(root.join(UNIT)).context(UNIT)?;
            unit(&analyze, &text)
        }
        Err(error) => left_out::for_want_of_a_tool(&format!("{UNIT} is not checked"), &error),
    }
}

/// systemd's tool: installed if it can be.
fn systemd_analyze() -> Result<PathBuf> {
    let tool = || process::installed("systemd-analyze");
    if tool().is_none() {
        debian::install(&debian::missing(&[Package::any("systemd")]))?;
    }
    tool().context("systemd-analyze is not in PATH")
}

/// Prometheus' tool: the one that is installed, or that of Debian's package, which is not installed for it because that starts a server.
fn promtool() -> Result<PathBuf> {
    if let Some(installed) = process::installed("promtool") {
        return Ok(installed);
    }
    let area = Area::open("prometheus")?;
    let mut entry = area.entry("promtool");
    if !entry.exists() {
        entry = area.install("promtool", |output, scratch| {
            let package = debian::download("prometheus", scratch)?;
            let unpacked = scratch.join("unpacked");
            process::run(
                Command::new("dpkg-deb")
                    .arg("-x")
                    .args([&package, &unpacked]),
            )?;
            let found = unpacked.join("usr/bin/promtool");
            fs::copy(&found, output.join("promtool"))
                .with_context(|| format!("no {}", found.display()))?;
            Ok(())
        })?;
    }
    Ok(entry.join("promtool"))
}

/// The rules make sense, each fires and is quiet as its tests say, and each has both tests.
fn rules(promtool: &Path, root: &Path) -> Result<()> {
    for arguments in [["check", "rules", RULES], ["test", "rules", RULES_TEST]] {
        let mut command = Command::new(promtool);
        process::output(command.args(arguments).current_dir(root))?;
    }
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let faults = untested(&read(RULES)?, &read(RULES_TEST)?);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// Alerts that lack one of their two tests.
fn untested(rules: &str, tests: &str) -> Vec<String> {
    let lines: Vec<&str> = tests.lines().map(str::trim).collect();
    let alerts = rules.lines().map(str::trim);
    let alerts = alerts.filter_map(|line| line.strip_prefix("- alert: "));
    let missing = alerts.flat_map(|name| {
        let wanted = [format!("{name} fires"), format!("{name} is quiet")];
        wanted.into_iter().filter(|test| {
            let line = format!("- name: {test}");
            !lines.contains(&line.as_str())
        })
    });
    missing
        .map(|test| format!("{RULES_TEST} has no test `{test}`"))
        .collect()
}

/// systemd reads every line of the unit, and what it gives away stays little.
fn unit(analyze: &Path, text: &str) -> Result<()> {
    if !text.contains(PROGRAM) {
        bail!("{UNIT} does not start {PROGRAM}");
    }
    let directory = std::env::temp_dir().join(format!("ballast-unit-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let name = Path::new(UNIT).file_name().unwrap_or_default();
    let file = directory.join(name);
    // It wants the program to be there.
    fs::write(&file, text.replace(PROGRAM, "/bin/true"))?;
    let verify = ["verify", "--man=no", "--recursive-errors=no"];
    let security = ["security", "--no-pager", "--offline=true", MOST_EXPOSURE];
    let checked = [&verify[..], &security[..]].iter().try_for_each(|step| {
        let mut command = Command::new(analyze);
        process::output(command.args(*step).arg(&file)).map(|_| ())
    });
    fs::remove_dir_all(&directory)?;
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_faults_are_found() {
        let Some(analyze) = process::installed("systemd-analyze") else {
            let error = anyhow::anyhow!("no systemd-analyze");
            left_out::for_want_of_a_tool("what checks the unit is not tested", &error).unwrap();
            return;
        };
        let text = fs::read_to_string(repository::root().join(UNIT)).unwrap();
        unit(&analyze, &text).unwrap();
        let faulty = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            unit(&analyze, &text.replace(from, to))
                .unwrap_err()
                .to_string()
        };
        assert!(faulty("NoNewPrivileges=", "NoNewPrivilegs=").contains("NoNewPrivilegs"));
        assert!(faulty("Type=notify", "Type=notifi").contains("notifi"));
        // Each of these alone may be missing; together they are what holds it.
        let bare: Vec<_> = text.lines().collect();
        let bare = bare.into_iter().filter(|line| {
            !["Protect", "Restrict", "SystemCall", "Capability"]
                .iter()
                .any(|name| line.starts_with(name))
        });
        let bare = bare.collect::<Vec<_>>().join("\n");
        assert!(unit(&analyze, &bare).is_err());
        assert!(unit(&analyze, "[Service]\nExecStart=/bin/true\n").is_err());
    }

    #[test]
    fn an_alert_without_both_tests_is_a_fault() {
        let rules = "- alert: A\n  expr: x\n- alert: AB\n";
        let tests = "- name: A fires\n  - name: A is quiet\n- name: AB fires\n";
        assert_eq!(
            untested(rules, tests),
            [format!("{RULES_TEST} has no test `AB is quiet`")]
        );
        let read = |path: &str| fs::read_to_string(repository::root().join(path)).unwrap();
        assert_eq!(untested(&read(RULES), &read(RULES_TEST)), [""; 0]);
    }
}
