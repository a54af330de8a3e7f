//! `solana-test-validator`: the one that is installed, or one built from crates.io with Debian's libraries.
//!
//! Two shortcuts that are fine for a test cluster save two thirds of the build: Debian's protoc instead of one compiled
//! from source, and Debian's RocksDB, which lacks a single symbol (`toolchain/validator`).
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    cache::Area,
    debian::{self, Package},
    process, repository,
    steps::Steps,
};

const NAME: &str = "solana-test-validator";
/// The first that takes programs of SBPF v3.
const OLDEST_MAJOR: u32 = 3;
const VERSION: &str = "4.2.2";
/// Raise the number after `r` with every change of the recipe.
const ENTRY: &str = "4.2.2-r1";

const PACKAGES: [Package; 10] = [
    Package::any("clang"),
    Package::any("libclang-dev"),
    Package::any("libudev-dev"),
    Package::any("pkg-config"),
    Package::any("protobuf-compiler"),
    Package::any("libprotobuf-dev"),
    Package::any("libssl-dev"),
    Package::any("cmake"),
    Package::any("lld"),
    Package::any("librocksdb-dev"),
];

/// A program of Agave's that the user has installed, if it is not older than this major version; says so if it is.
pub fn installed_since(major: u32, program: &str) -> Option<PathBuf> {
    let file = process::installed(program)?;
    let version = process::output(process::foreign(&file).arg("--version"));
    let found = version.as_deref().ok().and_then(major_version);
    if found.is_some_and(|found| found >= major) {
        return Some(file);
    }
    let first = version.as_deref().unwrap_or("").lines().next();
    eprintln!(
        "xtask: {} is not used: it says {:?}, Agave {major} or later is needed; the project's own is used instead",
        file.display(),
        first.unwrap_or("nothing")
    );
    None
}

/// Of `solana-test-validator 3.0.10 (src:...; client:Agave)`.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split_whitespace().nth(1)?;
    version.split('.').next()?.parse().ok()
}

/// The validator's path; builds it when it is neither installed, and recent enough, nor cached.
pub fn provide() -> Result<PathBuf> {
    if let Some(installed) = installed_since(OLDEST_MAJOR, NAME) {
        return Ok(installed);
    }
    let area = Area::open("validator")?;
    let binary = area.entry(ENTRY).join(NAME);
    if binary.is_file() {
        return Ok(binary);
    }
    let missing = debian::missing(&PACKAGES);
    let mut steps = Steps::new(3 + usize::from(!missing.is_empty()));
    if !missing.is_empty() {
        steps.run("install Debian packages", || debian::install(&missing))?;
    }
    area.install(ENTRY, |output, scratch| {
        let source = steps.run("fetch the validator's source", || fetch(scratch))?;
        let stub = steps.run("compile what Debian's RocksDB lacks", || stub(scratch))?;
        steps.run("compile the validator (15 to 30 minutes)", || {
            compile(&source, &stub, scratch)
        })?;
        let built = scratch.join("target/release").join(NAME);
        fs::copy(&built, output.join(NAME))
            .with_context(|| format!("cannot copy {}", built.display()))?;
        Ok(())
    })?;
    Ok(binary)
}

/// The unpacked crate, a copy of cargo's own: only an unpacked one brings its Cargo.lock along.
fn fetch(scratch: &Path) -> Result<PathBuf> {
    let fetch = scratch.join("fetch");
    fs::create_dir_all(fetch.join("src"))?;
    fs::write(fetch.join("src/lib.rs"), "")?;
    fs::write(
        fetch.join("Cargo.toml"),
        format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
             agave-validator = \"={VERSION}\"\n"
        ),
    )?;
    let manifest = fetch.join("Cargo.toml");
    let metadata = process::output(
        process::host_cargo()
            .args(["metadata", "--format-version=1", "--manifest-path"])
            .arg(&manifest),
    )?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).context("cargo metadata printed no JSON")?;
    let crate_manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "agave-validator")
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo did not fetch the crate agave-validator")?;
    let crate_directory = Path::new(crate_manifest)
        .parent()
        .context("the manifest of agave-validator has no directory")?;
    let source = scratch.join("source");
    if source.exists() {
        fs::remove_dir_all(&source)?;
    }
    process::run(
        Command::new("cp")
            .arg("-r")
            .args([crate_directory, &source]),
    )?;
    Ok(source)
}

fn stub(scratch: &Path) -> Result<PathBuf> {
    let object = scratch.join("rocksdb_stub.o");
    let source = repository::root().join("toolchain/validator/rocksdb_stub.c");
    process::run(
        Command::new("clang")
            .args(["-O1", "-fPIC", "-c"])
            .arg(source)
            .arg("-o")
            .arg(&object),
    )?;
    Ok(object)
}

fn compile(source: &Path, stub: &Path, scratch: &Path) -> Result<()> {
    let protobuf = repository::root().join("toolchain/validator/protobuf-src");
    let mut cargo = process::host_cargo();
    cargo
        .current_dir(source)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("OPENSSL_NO_VENDOR", "1")
        .env("ROCKSDB_LIB_DIR", "/usr/lib/x86_64-linux-gnu")
        .env(
            "RUSTFLAGS",
            format!("-C link-arg=-fuse-ld=lld -C link-arg={}", stub.display()),
        )
        .args(["build", "--release", "--bin", NAME, "--config"])
        .arg(format!(
            "patch.crates-io.protobuf-src.path=\"{}\"",
            protobuf.display()
        ))
        .arg("--target-dir")
        .arg(scratch.join("target"));
    process::run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_old_programs_left_alone() {
        for (text, major) in [
            (
                "solana-test-validator 4.2.2 (src:00000000; feat:1, client:Agave)",
                Some(4),
            ),
            (
                "solana-test-validator 1.18.26 (src:d9f20e95; client:SolanaLabs)",
                Some(1),
            ),
            (
                "solana-cargo-build-sbf 3.0.10\nplatform-tools v1.51\nrustc 1.84.1\n",
                Some(3),
            ),
            ("usage: x", None),
            ("", None),
        ] {
            assert_eq!(major_version(text), major, "{text}");
        }
        // Installed everywhere, and never of Agave's.
        assert!(process::installed("sh").is_some());
        assert_eq!(installed_since(0, "sh"), None);
    }
}
