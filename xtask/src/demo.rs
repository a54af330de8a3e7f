//! The demo: for people, and as a test of what people are shown.
mod http;
mod invitation;
mod stay;

use std::{
    ffi::OsString,
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    process, repository,
    steps::Steps,
    suite::{self, Programs},
    validator,
};

/// What cargo compiles for it, with how long that takes.
const COMPILE: &str =
    "compile the command line and the demo (15 to 40 minutes on two processors the first time)";
/// The row of the closing table that says how both positions end.
const ENDS: &str = "final equity";
/// Two hours that move hardly.
const SHORT: &str = "time,open,high,low,close\n0,200,202,198,201\n3600,201,203,200,202\n";

/// The demo, with everything after `cargo xtask demo` passed on. Programs have been built.
pub fn run(arguments: &[OsString]) -> Result<()> {
    let built = Steps::new(1).run(COMPILE, suite::programs)?;
    let mut command = command(&built);
    command.args(arguments);
    if arguments.iter().any(|argument| argument == "--validator") {
        command.env("BALLAST_VALIDATOR", validator::provide()?);
    }
    process::run(&mut command)?;
    eprintln!("xtask: the command line is {}", built.ballast.display());
    Ok(())
}

/// Plays some prices of a file to the end, then the story as README's first command does. Programs have been built.
pub fn test() -> Result<()> {
    let mut steps = Steps::new(3);
    let built = steps.run(COMPILE, suite::programs)?;
    steps.run("play the demo on a few prices", || short(&built))?;
    let [kept, unkept] = steps.run(
        "play the demo with --stay, try what it prints, and end it (a minute)",
        || closing(&stay::play(command(&built))?),
    )?;
    eprintln!("xtask: demo: ends with {kept:.4} kept, {unkept:.4} unkept");
    Ok(())
}

/// Without `--stay` it ends by itself. What it is asked to draw is there.
fn short(built: &Programs) -> Result<()> {
    let directory = repository::root().join("target/demo");
    fs::create_dir_all(&directory)?;
    let [prices, page] = ["short.csv", "short.html"].map(|name| directory.join(name));
    fs::write(&prices, SHORT)?;
    let mut command = command(built);
    command
        .arg("--prices")
        .arg(&prices)
        .arg("--html")
        .arg(&page);
    let printed = process::output(command.stderr(Stdio::inherit()))?;
    ensure!(
        printed.contains(ENDS),
        "the demo ends without its table:\n{printed}"
    );
    let drawn = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    ensure!(
        drawn.contains("<svg") && drawn.contains("</html>"),
        "{} is not a page with a picture",
        page.display()
    );
    Ok(())
}

fn command(built: &Programs) -> Command {
    let mut command = Command::new(&built.demo);
    command.env("BALLAST_DEPLOY_DIR", repository::deploy_dir());
    command
}

/// Final equity with and without a keeper in what the demo printed; an error unless keeping was worth it.
fn closing(printed: &str) -> Result<[f64; 2]> {
    let lines = printed.lines();
    let mut table = lines.skip_while(|line| !line.starts_with("quote tokens"));
    let head = table.next().context("it ends without its table")?;
    ensure!(
        head.find("with keeper") < head.find("without keeper"),
        "the columns are others: {head:?}"
    );
    let row = table.find_map(|line| line.strip_prefix(ENDS));
    let row = row.with_context(|| format!("its table has no row `{ENDS}`"))?;
    let numbers = row.split_whitespace().map(str::parse::<f64>);
    let numbers: Vec<f64> = numbers
        .collect::<Result<_, _>>()
        .with_context(|| format!("`{ENDS}` has no numbers: {row:?}"))?;
    let [kept, unkept, _hold] = numbers[..] else {
        bail!("`{ENDS}` should have three numbers: {row:?}");
    };
    ensure!(
        kept >= unkept && kept > 0.0,
        "the position with a keeper ends with {kept}, the one without with {unkept}"
    );
    Ok([kept, unkept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_table_is_read_and_keeping_has_to_be_worth_it() {
        let printed = |ends: &str| {
            format!(
                "day 1 12:00  final equity is not told yet\n\nquote tokens                 with keeper  without keeper      hold\n\
                 own funds                       100.0000        100.0000  100.0000\n  curvature                     -16.9380         \
                 -2.2424\n{ends}\n\nliquidated                            no             yes\n"
            )
        };
        let good = "final equity                 78.2468         61.1634  100.0000";
        assert_eq!(closing(&printed(good)).unwrap(), [78.2468, 61.1634]);
        let same = "final equity                 78.2468         78.2468  100.0000";
        assert!(closing(&printed(same)).is_ok());
        for (ends, part) in [
            (
                "final equity                 61.1634         78.2468  100.0000",
                "61.1634",
            ),
            (
                "final equity                  0.0000          0.0000  100.0000",
                "0",
            ),
            ("final equity                 78.2468", "three numbers"),
            ("final equity   much   little  100.0000", "no numbers"),
            ("", "no row `final equity`"),
        ] {
            let error = closing(&printed(ends)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = closing("starting the embedded node\n").unwrap_err();
        assert!(error.to_string().contains("without its table"), "{error}");
        let swapped =
            printed(good).replace("with keeper  without keeper", "without keeper  with keeper");
        assert!(closing(&swapped).is_err());
    }
}
