//! `cargo xtask keys`: a program key of one's own, without which nobody can deploy to a cluster that does not have the program.
//!
//! What `anchor keys sync` does: the address of `target/deploy/ballast-keypair.json`, which is made if it is not there, is
//! written into the program and into Anchor.toml.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, Result, anyhow, ensure};
use ed25519_dalek::SigningKey;

use crate::repository;

/// Where the program's address is declared.
pub const PROGRAM: &str = "programs/ballast/src/lib.rs";
const ANCHOR: &str = "Anchor.toml";

/// Makes the key if need be and puts its address where it belongs.
pub fn run() -> Result<()> {
    let file = repository::deploy_dir().join("ballast-keypair.json");
    let address = if file.exists() {
        read(&file)?
    } else {
        create(&file)?
    };
    let path = repository::root().join(PROGRAM);
    let program =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let old = declared(&program)?.to_owned();
    for name in [PROGRAM, ANCHOR] {
        let path = repository::root().join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            text.contains(&old),
            "{name} does not name the program's address {old}: write it there"
        );
        fs::write(&path, text.replace(&old, &address))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!(
        "{address}: the program's address, key in {}",
        file.display()
    );
    println!("next: cargo xtask build, then deploy with --program-keypair and that file");
    Ok(())
}

/// The address in `declare_id!`.
pub fn declared(program: &str) -> Result<&str> {
    let (_, rest) = program
        .split_once("declare_id!(\"")
        .with_context(|| format!("{PROGRAM} has no declare_id!"))?;
    let (address, _) = rest
        .split_once("\")")
        .with_context(|| format!("{PROGRAM}: declare_id! does not end"))?;
    Ok(address)
}

/// Writes a new key as `solana-keygen` does; nobody else may read it.
fn create(file: &Path) -> Result<String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let key = SigningKey::from_bytes(&seed);
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let mut output = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let bytes = serde_json::to_string(&key.to_keypair_bytes()[..])?;
    output
        .write_all(bytes.as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(address(&key))
}

fn read(file: &Path) -> Result<String> {
    let what = || format!("{} is no keypair of 64 numbers", file.display());
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let bytes: Vec<u8> = serde_json::from_str(&text).with_context(what)?;
    let bytes: [u8; 64] = bytes.try_into().ok().with_context(what)?;
    let key = SigningKey::from_keypair_bytes(&bytes).with_context(what)?;
    Ok(address(&key))
}

fn address(key: &SigningKey) -> String {
    bs58::encode(key.verifying_key().to_bytes()).into_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_declared_address_is_found() {
        assert_eq!(declared("x declare_id!(\"abc\");").unwrap(), "abc");
        assert!(declared("declare_id!(ID)").is_err());
        assert!(declared("declare_id!(\"abc").is_err());
    }

    #[test]
    fn a_key_is_kept_private_and_never_replaced() {
        let directory = std::env::temp_dir().join(format!("ballast-keys-{}", std::process::id()));
        let file = directory.join("deploy/key.json");
        let address = create(&file).unwrap();
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(read(&file).unwrap(), address);
        assert!(create(&file).is_err());
        fs::write(&file, "[1,2]").unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("64 numbers"));
        fs::remove_dir_all(&directory).unwrap();
    }
}
