//! Bitcode to BPF object with LLVM's own tools.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{FRAME_BYTES, checks};

/// The function that the virtual machine calls.
pub const ENTRYPOINT: &str = "entrypoint";

/// Functions that the back end itself calls: they must outlive every pass.
const CALLED_BY_BACK_END: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];

/// Functions that the legalisation calls (sbf-rt, compiler_builtins): they must still be there when it runs.
const CALLED_BY_LEGALISATION: [&str; 14] = [
    "__sbf_udiv128",
    "__sbf_umod128",
    "__sbf_sdiv128",
    "__sbf_smod128",
    "__sbf_umulo128",
    "__sbf_smulo128",
    "__sbf_smulo64",
    "__sbf_fcmp",
    "__adddf3",
    "__subdf3",
    "__muldf3",
    "__divdf3",
    "__floatundidf",
    "__fixunsdfdi",
];

pub struct Llvm<'a> {
    pub bin: &'a Path,
    /// The pass plugin `sbf-legalize`.
    pub legalize: &'a Path,
    /// Where intermediate files go.
    pub scratch: &'a Path,
}

impl Llvm<'_> {
    /// Returns the object file.
    pub fn compile(&self, modules: &[PathBuf], optimization: &str) -> Result<PathBuf> {
        let joined = self.join(modules)?;
        let optimized = self.optimize(&joined, optimization)?;
        let legal = self.legalize(&optimized)?;
        self.generate(&legal)
    }

    /// All modules in one.
    fn join(&self, modules: &[PathBuf]) -> Result<PathBuf> {
        let output = self.scratch.join("joined.bc");
        // Through a file, because std alone has more objects than some command lines hold.
        let list = self.scratch.join("modules");
        let names: String = modules
            .iter()
            .map(|module| format!("\"{}\"\n", module.display()))
            .collect();
        fs::write(&list, names)?;
        run(self
            .tool("llvm-link")
            .arg(format!("@{}", list.display()))
            .arg("-o")
            .arg(&output))?;
        Ok(output)
    }

    /// Drops what the program does not reach, then LLVM's default pipeline. No vectors: nothing could execute them.
    fn optimize(&self, input: &Path, level: &str) -> Result<PathBuf> {
        let output = self.scratch.join("optimized.bc");
        let mut keep = vec![ENTRYPOINT];
        keep.extend(CALLED_BY_BACK_END);
        keep.extend(CALLED_BY_LEGALISATION);
        run(self
            .tool("opt")
            // The two BPF work-arounds are for the verifier of the Linux kernel.
            .args([
                "-mtriple=bpfel",
                "-vectorize-loops=false",
                "-vectorize-slp=false",
            ])
            .args([
                "--bpf-disable-serialize-icmp",
                "--bpf-disable-avoid-speculation",
            ])
            .arg(format!("-internalize-public-api-list={}", keep.join(",")))
            .arg(format!(
                "-passes=internalize,globaldce,lower-atomic,default<O{level}>,strip-dead-prototypes"
            ))
            .arg(input)
            .arg("-o")
            .arg(&output))?;
        Ok(output)
    }

    /// Rewrites what the BPF back end cannot select, see `legalize/`.
    fn legalize(&self, input: &Path) -> Result<PathBuf> {
        let output = self.scratch.join("legal.bc");
        let mut keep = vec![ENTRYPOINT];
        keep.extend(CALLED_BY_BACK_END);
        run(self
            .tool("opt")
            .arg(format!("-load-pass-plugin={}", self.legalize.display()))
            .args(["-mtriple=bpfel", "-verify-each"])
            .arg(format!("-internalize-public-api-list={}", keep.join(",")))
            .arg(
                "-passes=function(expand-reductions,scalarizer<load-store>,instcombine,expand-memcmp),sbf-legalize,\
                 internalize,function(early-cse,dce),globaldce,strip-dead-prototypes",
            )
            .arg(input)
            .arg("-o")
            .arg(&output))?;
        Ok(output)
    }

    fn generate(&self, input: &Path) -> Result<PathBuf> {
        let object = self.scratch.join("program.o");
        let mut llc = self.tool("llc");
        llc.args([
            "-march=bpfel",
            "-mcpu=v2",
            "-mattr=+allows-misaligned-mem-access",
            "-O2",
        ])
        .args([
            "--bpf-disable-trap-unreachable",
            "-relocation-model=static",
            "-filetype=obj",
        ])
        // llc refuses frames of so many bytes or more.
        .arg(format!("-bpf-stack-size={}", FRAME_BYTES + 1))
        .arg(input)
        .arg("-o")
        .arg(&object);
        let outcome = execute(&mut llc)?;
        // Before llc's own complaint, which has no sizes.
        checks::frames(&outcome.messages)?;
        outcome.check(&llc)?;
        Ok(object)
    }

    fn tool(&self, name: &str) -> Command {
        Command::new(self.bin.join(name))
    }
}

struct Outcome {
    success: bool,
    messages: String,
}

impl Outcome {
    /// An error when the tool failed, or printed one and yet reports success, as LLVM's tools sometimes do.
    fn check(self, command: &Command) -> Result<()> {
        let messages = self.messages.trim();
        if !self.success || messages.contains("error:") {
            bail!("{} failed:\n{messages}", command.get_program().display());
        }
        if !messages.is_empty() {
            eprintln!("{messages}");
        }
        Ok(())
    }
}

fn execute(command: &mut Command) -> Result<Outcome> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Outcome {
        success: output.status.success(),
        messages,
    })
}

fn run(command: &mut Command) -> Result<()> {
    execute(command)?.check(command)
}
