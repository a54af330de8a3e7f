//! What the virtual machine would refuse, or fault on, is refused here with names.
use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, elf::SHF_WRITE};
use rustc_demangle::demangle;

use crate::FRAME_BYTES;

/// Every function's frame fits. `messages` is what llc prints: the legalisation asks it to warn about larger frames,
/// `warning: ...: stack frame size (5024) exceeds limit (4096) in function 'name'`.
pub fn frames(messages: &str) -> Result<()> {
    let mut too_large: Vec<(u64, String)> = messages
        .lines()
        .filter(|line| line.contains("stack frame size"))
        .map(|line| match frame(line) {
            Some((function, bytes)) => (
                bytes,
                format!("\n  {:#}: {bytes} bytes", demangle(function)),
            ),
            None => (u64::MAX, format!("\n  {line}")),
        })
        .collect();
    if too_large.is_empty() {
        return Ok(());
    }
    too_large.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let list: String = too_large.into_iter().map(|(_, line)| line).collect();
    bail!(
        "stack frames over {FRAME_BYTES} bytes. Box large values, or split the function (#[inline(never)]) or the accounts \
         structure:{list}"
    )
}

fn frame(warning: &str) -> Option<(&str, u64)> {
    let (_, rest) = warning.split_once("stack frame size (")?;
    let (bytes, rest) = rest.split_once(')')?;
    let (_, rest) = rest.split_once('\'')?;
    let (function, _) = rest.split_once('\'')?;
    Some((function, bytes.parse().ok()?))
}

/// Whether an object defines a function.
pub fn defines(bytes: &[u8], function: &str) -> Result<bool> {
    let file = object::File::parse(bytes).context("llc wrote no object file")?;
    Ok(file
        .symbols()
        .any(|symbol| symbol.is_definition() && symbol.name() == Ok(function)))
}

/// No writable data, and every undefined symbol is one of the run time's system calls.
pub fn object(bytes: &[u8]) -> Result<()> {
    let file = object::File::parse(bytes).context("llc wrote no object file")?;
    let mut statics = Vec::new();
    let mut missing = Vec::new();
    for symbol in file.symbols() {
        let name = symbol.name().unwrap_or("?");
        if symbol.is_undefined() && !name.is_empty() && !is_provided(name) {
            missing.push(format!("\n  {:#}", demangle(name)));
        }
        let Some(index) = symbol.section_index() else {
            continue;
        };
        let section = file.section_by_index(index)?;
        if symbol.kind() != object::SymbolKind::Section && is_writable(&section) {
            statics.push(format!("\n  {:#}: {} bytes", demangle(name), symbol.size()));
        }
    }
    // Data without a symbol must not slip through.
    if statics.is_empty() {
        for section in file
            .sections()
            .filter(|section| is_writable(section) && section.size() > 0)
        {
            statics.push(format!(
                "\n  section {}: {} bytes",
                section.name().unwrap_or("?"),
                section.size()
            ));
        }
    }
    if !statics.is_empty() {
        bail!(
            "writable statics, which a program can not have:{}",
            statics.concat()
        );
    }
    if !missing.is_empty() {
        bail!("functions that nothing defines:{}", missing.concat());
    }
    Ok(())
}

/// Functions that are not code of the program: system calls, and the trap that LLVM calls where code cannot be reached,
/// which sbpf-linker makes an abort.
fn is_provided(name: &str) -> bool {
    name.starts_with("sol_") || matches!(name, "abort" | "__bpf_trap")
}

/// `.data.rel.ro` is flagged writable for a dynamic loader; an SBPF ELF is linked to fixed addresses.
fn is_writable(section: &object::Section<'_, '_>) -> bool {
    let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
        return false;
    };
    let name = section.name().unwrap_or_default();
    sh_flags.0 & SHF_WRITE.0 != 0 && !name.starts_with(".data.rel.ro")
}
