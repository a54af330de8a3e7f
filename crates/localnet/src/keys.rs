//! Keys derived from names, so that a local cluster has the same addresses every time; and keys in files.

use std::{fs::OpenOptions, io::Write, path::Path};

use anyhow::{Context, Result};
use ballast_client::Keypair;
use sha2::{Digest, Sha256};

/// The key of a name. Anybody can derive it: for local clusters only.
pub fn named(name: &str) -> Keypair {
    let mut hasher = Sha256::new();
    hasher.update(b"ballast localnet key: ");
    hasher.update(name.as_bytes());
    Keypair::new_from_array(hasher.finalize().into())
}

/// Writes a key into a file as `solana-keygen` does.
///
/// # Errors
/// If the file cannot be written.
pub fn write(keypair: &Keypair, file: &Path) -> Result<()> {
    let bytes: Vec<u8> = keypair.to_bytes().into();
    let text = serde_json::to_string(&bytes)?;
    write_for_owner(file, &text).with_context(|| format!("cannot write {}", file.display()))
}

/// Readable by its owner alone: a keeper that acts takes no other key.
fn write_for_owner(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use ballast_client::Signer;

    use super::*;

    #[test]
    fn a_name_is_a_key() {
        assert_eq!(named("a").pubkey(), named("a").pubkey());
        assert_ne!(named("a").pubkey(), named("b").pubkey());
    }
}
