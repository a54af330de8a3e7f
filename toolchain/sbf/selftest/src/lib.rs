//! What a tool chain for on-chain programs may get wrong, as functions from bytes to bytes. The program runs them on chain,
//! a test runs the same functions on the host and compares every result and every panic's location.
//!
//! A function reads its numbers from random input ([`Input`]) and writes all it computes ([`Output`]). It may panic.

mod calls;
mod collections;
mod dispatch;
mod floats;
mod integers;
mod io;
mod memory;
mod panics;
mod text;
mod wide;

#[cfg(target_os = "solana")]
mod program;

pub use io::{Input, Output};

/// One thing to compare.
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// Computes it.
    pub run: fn(&mut Input, &mut Output),
}

/// Everything to compare. An instruction of the program is an index into this, then the input.
pub const CASES: [Case; 21] = [
    case("unsigned 128-bit arithmetic", integers::unsigned_128),
    case("signed 128-bit arithmetic", integers::signed_128),
    case("128-bit shifts and bits", integers::shifts_128),
    case("arithmetic up to 64 bits", integers::words),
    case("256-bit multiplication and division", wide::arithmetic),
    case("256-bit square root", wide::square_root),
    case("256-bit numbers as text", wide::text),
    case("many arguments", calls::many_arguments),
    case("large results", calls::large_results),
    case("recursion", calls::recursion),
    case("trait objects", dispatch::trait_objects),
    case("closures and function pointers", dispatch::closures),
    case("sorting", collections::sorting),
    case("collections", collections::collections),
    case("numbers as text", text::numbers),
    case("parsing", text::parsing),
    case("64-bit floating point", floats::arithmetic),
    case("64-bit floating point as text", floats::text),
    case("copies and fills", memory::copies),
    case("comparisons of memory", memory::comparisons),
    case("panics", panics::panics),
];

const fn case(name: &'static str, run: fn(&mut Input, &mut Output)) -> Case {
    Case { name, run }
}
