//! Calls of other programs.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::{instruction::Instruction, program::invoke_signed_unchecked};

/// Calls a program with these accounts, signing with `seeds`. None of them may be borrowed meanwhile, which is asked of each once: the
/// library's own check looks each of them up among all others, which of a swap's fifteen costs as much as the program's own
/// arithmetic.
///
/// # Errors
/// [`ProgramError::AccountBorrowFailed`] and those of the program that is called.
pub fn invoke(instruction: &Instruction, infos: &[AccountInfo], seeds: &[&[&[u8]]]) -> Result<()> {
    for info in infos {
        if info.is_writable {
            info.try_borrow_mut_lamports()?;
            info.try_borrow_mut_data()?;
        } else {
            info.try_borrow_lamports()?;
            info.try_borrow_data()?;
        }
    }
    invoke_signed_unchecked(instruction, infos, seeds).map_err(Into::into)
}
