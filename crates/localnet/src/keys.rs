//! Keys derived from names, so that a local cluster has the same addresses every time; and keys in files.

use std::path::Path;

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
    std::fs::write(file, serde_json::to_string(&bytes)?)
        .with_context(|| format!("cannot write {}", file.display()))
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
