//! Shared objects, checked as far as a mistaken file goes; the loader verifies the rest.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::loader::MAX_CODE;

/// Reads a program.
///
/// # Errors
/// If the file cannot be read or is no program for Solana.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| {
        format!(
            "cannot read --program {}: build it with `cargo xtask build`, or check the path",
            path.display()
        )
    })?;
    check(&bytes).with_context(|| format!("--program {}", path.display()))?;
    Ok(bytes)
}

fn check(bytes: &[u8]) -> Result<()> {
    // ELF header: magic, 64 bits, little endian; the machine at offset 18.
    ensure!(
        bytes.starts_with(b"\x7fELF\x02\x01"),
        "this is no shared object: name the .so file that the build made"
    );
    let machine = bytes
        .get(18..20)
        .and_then(|field| <[u8; 2]>::try_from(field).ok())
        .map(u16::from_le_bytes);
    // EM_BPF and EM_SBPF.
    ensure!(
        matches!(machine, Some(247 | 263)),
        "this shared object is for another machine (type {}), not for Solana: name the .so file that the build made",
        machine.unwrap_or(0)
    );
    ensure!(
        bytes.len() <= MAX_CODE,
        "{} bytes are too many: a program has at most {MAX_CODE}",
        bytes.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(machine: u16) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(18, 0);
        bytes.extend(machine.to_le_bytes());
        bytes.resize(64, 0);
        bytes
    }

    #[test]
    fn only_programs_pass() {
        check(&header(247)).unwrap();
        check(&header(263)).unwrap();
        assert!(
            check(&header(62))
                .unwrap_err()
                .to_string()
                .contains("another machine")
        );
        for bytes in [&b""[..], b"\x7fELF\x02\x01", b"#!/bin/sh"] {
            assert!(check(bytes).is_err());
        }
        let mut long = header(263);
        long.resize(MAX_CODE + 1, 0);
        assert!(check(&long).unwrap_err().to_string().contains("at most"));
    }
}
