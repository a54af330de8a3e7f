//! The program: instruction data is the index of a case and its input; the result comes as return data.
use solana_define_syscall::definitions::sol_set_return_data;
use solana_program_entrypoint::{__AccountInfo, __Pubkey, ProgramResult, entrypoint};

use crate::{CASES, Input, Output};

/// Ends every result: clusters cut zeros off the end of return data.
const END: u8 = 1;

/// Not the index of a case: the program ends at once.
const ABORT: u8 = u8::MAX;

entrypoint!(process);

fn process(_program: &__Pubkey, _accounts: &[__AccountInfo], data: &[u8]) -> ProgramResult {
    let (case, input) = data.split_first().expect("the index of a case");
    if *case == ABORT {
        std::process::abort();
    }
    let mut output = Output::default();
    (CASES[usize::from(*case)].run)(&mut Input::new(input), &mut output);
    let mut bytes = output.finish();
    bytes.push(END);
    // SAFETY: the pointer and the length are those of a vector.
    unsafe { sol_set_return_data(bytes.as_ptr(), bytes.len() as u64) };
    Ok(())
}
