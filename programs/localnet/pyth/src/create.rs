//! Creates accounts, also when someone sent lamports to their address before.

use anchor_lang::{
    prelude::*,
    solana_program::{program::invoke_signed, system_instruction},
};

/// Creates an account of this program. It signs, by its key or by `seeds`.
pub(crate) fn create<'info>(
    payer: &AccountInfo<'info>,
    account: &AccountInfo<'info>,
    system_program: &AccountInfo<'info>,
    space: usize,
    seeds: &[&[&[u8]]],
) -> Result<()> {
    let missing = Rent::get()?
        .minimum_balance(space)
        .saturating_sub(account.lamports());
    let infos = [payer.clone(), account.clone(), system_program.clone()];
    for instruction in [
        system_instruction::transfer(payer.key, account.key, missing),
        system_instruction::allocate(account.key, space as u64),
        system_instruction::assign(account.key, &crate::ID),
    ] {
        invoke_signed(&instruction, &infos, seeds)?;
    }
    Ok(())
}
