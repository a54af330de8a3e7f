//! Finds the bitcode in what rustc passes: plain files and archives (rlibs).
use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use object::read::archive::ArchiveFile;

/// Writes every bitcode module among `inputs` to a file of its own in `scratch` and returns the files in order.
pub fn unpack_bitcode(inputs: &[PathBuf], scratch: &Path) -> Result<Vec<PathBuf>> {
    let mut modules = Vec::new();
    for input in inputs {
        let data = fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
        if !data.starts_with(b"!<arch>") {
            let name = input
                .file_name()
                .unwrap_or(input.as_os_str())
                .to_string_lossy();
            // rustc's list of exported symbols, as a native object.
            if name != "symbols.o" {
                add(&name, &data, scratch, &mut modules)?;
            }
            continue;
        }
        let archive = ArchiveFile::parse(&*data)
            .with_context(|| format!("{} is not an archive", input.display()))?;
        for member in archive.members() {
            let member = member?;
            let name = String::from_utf8_lossy(member.name());
            // The crate's metadata.
            if !name.ends_with(".rmeta") {
                add(&name, member.data(&*data)?, scratch, &mut modules)
                    .with_context(|| format!("in {}", input.display()))?;
            }
        }
    }
    Ok(modules)
}

fn add(name: &str, data: &[u8], scratch: &Path, modules: &mut Vec<PathBuf>) -> Result<()> {
    let bitcode = data.starts_with(b"BC\xC0\xDE") || data.starts_with(b"\xDE\xC0\x17\x0B");
    if !bitcode {
        bail!("{name} is not LLVM bitcode: a program can not contain native code");
    }
    let file = scratch.join(format!(
        "{:04}-{}.bc",
        modules.len(),
        name.replace('/', "_")
    ));
    fs::write(&file, data).with_context(|| format!("cannot write {}", file.display()))?;
    modules.push(file);
    Ok(())
}
