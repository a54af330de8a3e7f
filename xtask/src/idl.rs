//! Interface descriptions in Anchor's format, made on the host by Anchor's own code.
use std::{fs, path::Path, time::SystemTime};

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result};

use crate::{repository, sbf::Built};

/// Describes programs in `target/idl`. A description is made anew when it is older than its program.
pub fn build(programs: &[Built]) -> Result<()> {
    let directory = repository::idl_dir();
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for Built { program, artifact } in programs {
        let file = directory.join(format!("{}.json", program.library));
        if modified(&file) > modified(artifact) {
            continue;
        }
        let idl = IdlBuilder::new()
            .program_path(repository::root().join(program.directory))
            .cargo_args(vec!["--lib".into(), "--quiet".into()])
            .build()
            .with_context(|| format!("cannot describe the interface of {}", program.package))?;
        let mut text = serde_json::to_string_pretty(&idl)?;
        text.push('\n');
        let partial = file.with_extension("partial");
        fs::write(&partial, text).with_context(|| format!("cannot write {}", partial.display()))?;
        fs::rename(&partial, &file).with_context(|| format!("cannot write {}", file.display()))?;
        eprintln!("xtask: {}", file.display());
    }
    Ok(())
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|data| data.modified()).ok()
}
