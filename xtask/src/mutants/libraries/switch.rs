//! The switch that every rewritten crate asks which change is on.

/// What a process is told the number of the change by, and in which file it is to write what it reaches.
pub const NUMBER: &str = "BALLAST_MUTANT";
pub const REACHED: &str = "BALLAST_MUTANT_REACHED";

/// Put before a rewritten crate's text, on its first line.
///
/// What the compiler can see to fail always is left to the tests. What asks the compiler and the program for different answers is
/// not stable.
pub const ATTRIBUTES: &str = "#![allow(arithmetic_overflow, unconditional_panic, unconditional_recursion, overflowing_literals, internal_features, unused, missing_docs, unreachable_code)] #![feature(core_intrinsics, const_eval_select)] ";

/// The module, which goes into the crate that all others depend on.
pub const MODULE: &str = r#"
/// Which change is on.
pub mod mutant {
    extern crate std;
    use std::{boxed::Box, io::Write, sync::{OnceLock, atomic::{AtomicU32, Ordering::Relaxed}}, vec::Vec};

    const UNREAD: u32 = u32::MAX;
    const TRACE: u32 = u32::MAX - 1;
    const NONE: u32 = u32::MAX - 2;
    static ON: AtomicU32 = AtomicU32::new(UNREAD);

    /// Which of `count` changes from `first` on is on, counted from 0; a number beyond them if none is. While something is computed
    /// for the compiler none is.
    #[inline(always)]
    pub const fn at(first: u32, count: u32) -> u32 {
        core::intrinsics::const_eval_select((first, count), never, asked)
    }

    const fn never(_: u32, _: u32) -> u32 {
        NONE
    }

    #[inline(always)]
    fn asked(first: u32, count: u32) -> u32 {
        let on = ON.load(Relaxed);
        let nth = on.wrapping_sub(first);
        if nth < count {
            return nth;
        }
        if on >= TRACE { slow(on, first, count) } else { NONE }
    }

    #[cold]
    #[inline(never)]
    fn slow(mut on: u32, first: u32, count: u32) -> u32 {
        if on == UNREAD {
            on = match std::env::var("BALLAST_MUTANT") {
                Ok(text) if text == "trace" => TRACE,
                Ok(text) => text.parse().unwrap_or(NONE),
                Err(_) => NONE,
            };
            ON.store(on, Relaxed);
            return asked(first, count);
        }
        static REACHED: OnceLock<Box<[AtomicU32]>> = OnceLock::new();
        let reached = REACHED.get_or_init(|| (0..1 << 16).map(|_| AtomicU32::new(0)).collect());
        if reached[first as usize].swap(1, Relaxed) == 0 {
            let mut line = Vec::new();
            let _ = std::writeln!(line, "{first} {count}");
            let file = std::env::var_os("BALLAST_MUTANT_REACHED").expect("a file for what is reached");
            let mut file = std::fs::File::options().append(true).create(true).open(file).expect("the file opens");
            file.write_all(&line).expect("the line is written");
        }
        NONE
    }
}
"#;
