//! Names the sources that the program is built from: the same name in the deployed program and in a binary says that both are
//! of one checkout, whatever compilers made them.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Everything in the checkout that goes into the program, seen from its directory.
const SOURCES: [&str; 12] = [
    "Cargo.toml",
    "build.rs",
    "src",
    "../../Cargo.lock",
    "../../crates/abi/Cargo.toml",
    "../../crates/abi/src",
    "../../crates/clmm/Cargo.toml",
    "../../crates/clmm/src",
    "../../crates/ledger/Cargo.toml",
    "../../crates/ledger/src",
    "../../crates/model/Cargo.toml",
    "../../crates/model/src",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut hash = Sha256::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        let mut files = Vec::new();
        collect(&root.join(source), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(&root)?.to_string_lossy().into_owned();
            let bytes = fs::read(&file)?;
            for part in [name.as_bytes(), &bytes] {
                hash.update(u64::try_from(part.len())?.to_le_bytes());
                hash.update(part);
            }
        }
    }
    let name: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    println!("cargo::rustc-env=BALLAST_SOURCES={name}");
    Ok(())
}

/// All files at or below a path.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if !path.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}
