//! The programs that a local cluster runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ballast_abi::clusters;
use ballast_client::Pubkey;

use crate::relocated::relocated;

/// A program's address and its file.
#[derive(Clone, Debug)]
pub struct Program {
    /// Address.
    pub id: Pubkey,
    /// The .so file.
    pub file: PathBuf,
}

impl Program {
    /// The file's bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        std::fs::read(&self.file).with_context(|| {
            format!(
                "cannot read {}: run `cargo xtask build`",
                self.file.display()
            )
        })
    }
}

/// The programs that a [`crate::World`] needs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The product.
    pub ballast: Program,
    /// The pool program: the stand-in, or the real one.
    pub whirlpool: Program,
    /// The stand-in for Pyth's receiver.
    pub pyth: Program,
    /// Whether [`Programs::whirlpool`] is the real program. It lets only its administrators create configs, so that these
    /// are written into the cluster's accounts directly.
    pub real_whirlpool: bool,
}

/// Where built programs are: `BALLAST_DEPLOY_DIR`, or the workspace's `target/deploy`.
pub fn deploy_directory() -> PathBuf {
    if let Some(directory) = std::env::var_os("BALLAST_DEPLOY_DIR") {
        return directory.into();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."));
    workspace.join("target/deploy")
}

impl Programs {
    /// The built programs; with `BALLAST_WHIRLPOOL_SO` and `BALLAST_WHIRLPOOL_ID` set, that file as the pool program.
    ///
    /// # Errors
    /// If a file is missing, or only one of the two variables is set.
    pub fn find() -> Result<Self> {
        let directory = deploy_directory();
        let built = |name: &str, id| -> Result<Program> {
            let file = directory.join(name).with_extension("so");
            if !file.is_file() {
                bail!(
                    "{} is missing: run `cargo xtask build` (or set BALLAST_DEPLOY_DIR)",
                    file.display()
                );
            }
            Ok(Program { id, file })
        };
        let real = real_whirlpool()?;
        Ok(Self {
            ballast: built("ballast", ballast::ID)?,
            pyth: built("localnet_pyth", localnet_pyth::ID)?,
            real_whirlpool: real.is_some(),
            whirlpool: match real {
                Some(program) => program,
                None => built("localnet_whirlpool", localnet_whirlpool::ID)?,
            },
        })
    }

    /// The same with the stand-ins at the addresses that the real programs have on public clusters. The changed files are written into
    /// `directory`.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn at_public_addresses(&self, directory: &Path) -> Result<Self> {
        let moved = |program: &Program, to: Pubkey| -> Result<Program> {
            if program.id == to {
                return Ok(program.clone());
            }
            let bytes = relocated(program.bytes()?, &program.id, &to)
                .with_context(|| program.file.display().to_string())?;
            let file = directory.join(to.to_string()).with_extension("so");
            std::fs::write(&file, bytes)
                .with_context(|| format!("cannot write {}", file.display()))?;
            Ok(Program { id: to, file })
        };
        Ok(Self {
            whirlpool: moved(&self.whirlpool, clusters::WHIRLPOOL)?,
            pyth: moved(&self.pyth, clusters::PYTH_RECEIVER)?,
            ..self.clone()
        })
    }

    /// All of them.
    pub fn all(&self) -> [&Program; 3] {
        [&self.ballast, &self.whirlpool, &self.pyth]
    }
}

fn real_whirlpool() -> Result<Option<Program>> {
    let file = std::env::var_os("BALLAST_WHIRLPOOL_SO");
    let id = std::env::var("BALLAST_WHIRLPOOL_ID").ok();
    match (file, id) {
        (None, None) => Ok(None),
        (Some(file), Some(id)) => {
            let file = PathBuf::from(file);
            if !file.is_file() {
                bail!("BALLAST_WHIRLPOOL_SO: {} is no file", file.display());
            }
            let id = id
                .parse()
                .with_context(|| format!("BALLAST_WHIRLPOOL_ID: {id:?} is not an address"))?;
            Ok(Some(Program { id, file }))
        }
        _ => bail!("set both BALLAST_WHIRLPOOL_SO and BALLAST_WHIRLPOOL_ID, or neither"),
    }
}
