//! The tool chain's own test: a program that a test runs on chain and on the host (`toolchain/sbf/selftest`), and programs
//! that must be refused (`toolchain/sbf/refused`).
use std::fs;

use anyhow::{Context, Result, bail, ensure};

use super::{
    compiler::{self, Compiler, Package},
    elf, install,
    tools::Tools,
};
use crate::{process, repository};

/// A feature of `toolchain/sbf/refused`, and what the error has to say.
const REFUSED: [(&str, &[&str]); 4] = [
    (
        "frame",
        &["stack frames over 4096 bytes", "use_feature: 48"],
    ),
    (
        "writable-static",
        &["writable statics", "COUNTER", "8 bytes"],
    ),
    ("f32", &["use_feature", "f32 operation `fmul`"]),
    (
        "undefined",
        &["functions that nothing defines", "nobody_defines_this"],
    ),
];

/// Builds the program into `target/toolchain`.
pub fn build(compiler: &Compiler) -> Result<()> {
    let directory = repository::toolchain_dir();
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    let artifact = compiler.build(&Package {
        directory: "toolchain/sbf/selftest",
        library: "sbf_selftest",
        features: &[],
    })?;
    let bytes =
        fs::read(&artifact).with_context(|| format!("cannot read {}", artifact.display()))?;
    elf::check(&bytes)
        .with_context(|| format!("{} is not what the clusters run", artifact.display()))?;
    install(&directory.join("selftest.so"), &bytes)
}

/// Checks that programs which would fail on chain are refused, with a message that says what is wrong.
pub fn refusals(compiler: &Compiler) -> Result<()> {
    let Compiler::Debian(tools) = compiler else {
        eprintln!(
            "xtask: skipped: what the Debian tool chain refuses; this machine has cargo-build-sbf"
        );
        return Ok(());
    };
    // So that a refusal is one of the feature, and not of everything.
    let file = attempt(tools, &[])?.context("the program without a feature is refused")?;
    elf::check(&file)?;
    for (feature, words) in REFUSED {
        let Err(message) = attempt(tools, &[feature])? else {
            bail!("a program with {feature} is not refused");
        };
        for word in words {
            ensure!(
                message.to_string().contains(word),
                "a program with {feature} is refused, but the message lacks {word:?}: {message}"
            );
        }
    }
    let file = attempt(tools, &["no-entrypoint"])?
        .context("a library without an entrypoint is an error, but other programs may use it")?;
    ensure!(
        elf::check(&file).is_err_and(|error| error.to_string().contains("no `entrypoint`")),
        "a library without an entrypoint passes for a program"
    );
    eprintln!(
        "xtask: programs with {} are refused, as they must be",
        REFUSED.map(|(feature, _)| feature).join(", ")
    );
    Ok(())
}

/// What the compiler makes of the crate with these features: a file, or what it says.
fn attempt(tools: &Tools, features: &[&str]) -> Result<Result<Vec<u8>>> {
    let (mut command, file) = compiler::debian(
        tools,
        &Package {
            directory: "toolchain/sbf/refused",
            library: "sbf_refused",
            features,
        },
    );
    if let Err(message) = process::output(&mut command) {
        return Ok(Err(message));
    }
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Ok(bytes))
}
