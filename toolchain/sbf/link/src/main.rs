//! The linker of SBPF programs, as rustc calls it (linker-flavor `bpf`, LLVM bitcode as object format):
//! bitcode of the program, its crates, std and the run-time support -> one module -> optimised -> legalised for the BPF
//! back end -> BPF object -> SBPF v3 ELF.
//!
//! It refuses what would fail only on chain: frames over 4096 bytes, writable statics, calls of functions that nobody defines.
mod args;
mod checks;
mod inputs;
mod pipeline;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, anyhow};
use sbpf_linker::{OptimizationConfig, ProgramOptions, SbpfArch, SbpfLinkerError, link_program};

use crate::{args::Args, pipeline::Llvm};

/// Bytes of stack that a function may use: the frame size of the SBPF virtual machine.
pub const FRAME_BYTES: u64 = 4096;

fn main() -> ExitCode {
    match link(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sbf-link: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn link(command_line: impl Iterator<Item = std::ffi::OsString>) -> Result<()> {
    let args = Args::parse(command_line)?;
    // Beside the output, so that two programs never share it. Kept when linking fails.
    let scratch = PathBuf::from(format!("{}.sbf-link", args.output.display()));
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;

    let modules = inputs::unpack_bitcode(&args.inputs, &scratch)?;
    let llvm = Llvm {
        bin: &args.llvm_bin,
        legalize: &args.legalize,
        scratch: &scratch,
    };
    let object = llvm.compile(&modules, &args.optimization)?;
    let object = fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
    if !checks::defines(&object, pipeline::ENTRYPOINT)? {
        // The library half of a program that another one uses: cargo links that too.
        eprintln!(
            "sbf-link: {} defines no `{}`, so it is no program: the file is left empty",
            args.output.display(),
            pipeline::ENTRYPOINT
        );
        fs::write(&args.output, [])
            .with_context(|| format!("cannot write {}", args.output.display()))?;
        let _ = fs::remove_dir_all(&scratch);
        return Ok(());
    }
    checks::object(&object)?;

    let options = ProgramOptions::new(
        OptimizationConfig::enabled(),
        SbpfArch::V3,
        FRAME_BYTES as i32,
    );
    let program = link_program(&object, options)
        .map_err(|errors| anyhow!(SbpfLinkerError::format_errors(&errors)))?;
    fs::write(&args.output, program)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    let _ = fs::remove_dir_all(&scratch);
    Ok(())
}
