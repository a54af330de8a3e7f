//! `ballast risk`: a position per line in, its numbers per line out. Offline.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read, Write},
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result, ensure};
use ballast_model::screen::risk_line;
use clap::Args;
use serde_json::json;

use crate::{
    lines::{Failure, map_lines},
    progress::bytes_bar,
    report::{Told, note},
    trouble::misuse,
};

/// Failures that are also told on standard error, one by one.
const TOLD: u64 = 20;

/// Reads positions, one JSON object per line with the decimal strings P, pa, pb, L, lx, ly, dx, dy, t.
#[derive(Args, Debug)]
pub struct RiskArgs {
    /// File of positions; `-` is standard input
    #[arg(long, short, value_name = "FILE")]
    pub input: PathBuf,
    /// Where the answers go; standard output if absent or `-`
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Answers every line, in order: a JSON object with assets, debt, equity, delta, gamma, leverage, ltv, lower, upper,
/// solvable, or with `line` and `error`.
///
/// # Errors
/// Files that cannot be read or written; at the end, if any line had no answer.
pub fn run(args: &RiskArgs) -> Result<()> {
    let dash = Path::new("-");
    let output_path = args.output.as_deref().filter(|path| *path != dash);
    let (input, size): (Box<dyn Read>, Option<u64>) = if args.input == dash {
        (Box::new(io::stdin()), None)
    } else {
        let unreadable = || {
            format!(
                "cannot read --input {}: check the path",
                args.input.display()
            )
        };
        let file = File::open(&args.input).with_context(unreadable)?;
        let metadata = file.metadata().with_context(unreadable)?;
        ensure!(
            !metadata.is_dir(),
            misuse!(
                "--input {} is a directory: name a file, or - for standard input",
                args.input.display()
            )
        );
        if let Some(output) = output_path {
            ensure!(
                !is_same_file(&args.input, output),
                misuse!(
                    "--output {} is the input itself: name another file",
                    output.display()
                )
            );
        }
        (Box::new(file), metadata.is_file().then_some(metadata.len()))
    };
    let output: Box<dyn Write + Send> = match output_path {
        None => Box::new(io::stdout()),
        Some(path) => {
            let file = File::create(path);
            Box::new(file.with_context(|| {
                format!("cannot write --output {}: check the path", path.display())
            })?)
        }
    };
    // A bar would be drawn across answers on the same terminal.
    let bar = bytes_bar(size.filter(|_| output_path.is_some() || !io::stdout().is_terminal()));
    let workers = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let mut told = 0;
    let refuse = |failure: &Failure| {
        told += 1;
        if told <= TOLD {
            note(format_args!("line {}: {}", failure.line, failure.problem));
        }
        json!({ "line": failure.line, "error": failure.problem }).to_string()
    };
    let summary = map_lines(input, output, workers, risk_line, refuse, |bytes| {
        bar.set_position(bytes)
    })
    .context("reading positions or writing answers failed")?;
    bar.finish_and_clear();
    if summary.failed > 0 {
        let more = if summary.failed > TOLD {
            " (only the first are listed above)"
        } else {
            ""
        };
        return Err(Told::new(format!(
            "{} of {} positions have no answer: see the lines with `error`{more}",
            summary.failed, summary.lines
        ))
        .into());
    }
    Ok(())
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a)
        .ok()
        .is_some_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
}
