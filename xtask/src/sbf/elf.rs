//! A last look at a finished program.
use anyhow::{Result, bail};

/// The SBPF version that every cluster accepts once all features are active; version 0 no longer deploys there.
const SBPF_VERSION: u32 = 3;

/// Checks that a file is an ELF of the right SBPF version.
pub fn check(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        bail!("empty: it defines no `entrypoint`, so it is no program");
    }
    let Some(header) = bytes
        .get(..64)
        .filter(|header| header.starts_with(b"\x7fELF"))
    else {
        bail!("not an ELF file");
    };
    // e_flags of a 64-bit little-endian ELF.
    let flags = u32::from_le_bytes([header[48], header[49], header[50], header[51]]);
    if flags != SBPF_VERSION {
        bail!("SBPF version {flags} instead of {SBPF_VERSION}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_version_3_passes() {
        let mut file = vec![0; 64];
        assert!(check(&file).is_err());
        let empty = check(&[]).unwrap_err().to_string();
        assert!(empty.contains("no `entrypoint`"), "{empty}");
        file[..4].copy_from_slice(b"\x7fELF");
        assert_eq!(
            check(&file).unwrap_err().to_string(),
            "SBPF version 0 instead of 3"
        );
        file[48] = 3;
        check(&file).unwrap();
        assert!(check(&file[..63]).is_err());
    }
}
