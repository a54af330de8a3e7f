//! Accounts of this program: who owns them, how they begin and end.

use std::cell::{Ref, RefMut};

use anchor_lang::{
    prelude::*,
    solana_program::{program::invoke_signed, system_instruction},
};

use crate::ID;

fn check_owner(account: &AccountInfo) -> Result<()> {
    if *account.owner == System::id() && account.lamports() == 0 {
        return err!(ErrorCode::AccountNotInitialized);
    }
    require_keys_eq!(*account.owner, ID, ErrorCode::AccountOwnedByWrongProgram);
    Ok(())
}

/// Bytes of an account of this program.
pub fn data<'a>(account: &'a AccountInfo) -> Result<Ref<'a, &'a mut [u8]>> {
    check_owner(account)?;
    Ok(account.try_borrow_data()?)
}

/// Bytes of an account of this program, to be written.
pub fn data_mut<'a, 'info>(account: &'a AccountInfo<'info>) -> Result<RefMut<'a, &'info mut [u8]>> {
    check_owner(account)?;
    Ok(account.try_borrow_mut_data()?)
}

/// Copies `value` to `offset` of an account whose length was checked.
pub fn put<const N: usize>(data: &mut [u8], offset: usize, value: [u8; N]) {
    data[offset..offset + N].copy_from_slice(&value);
}

/// Copies `N` bytes from `offset` of an account whose length was checked.
pub fn get<const N: usize>(data: &[u8], offset: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&data[offset..offset + N]);
    value
}

/// Seconds since 1970.
pub fn now() -> Result<u64> {
    u64::try_from(Clock::get()?.unix_timestamp)
        .map_err(|_| crate::WhirlpoolError::InvalidTimestampConversion.into())
}

/// What it takes to create accounts.
pub struct Creation<'a, 'info> {
    /// Pays the rent.
    pub funder: &'a AccountInfo<'info>,
    /// The system program.
    pub system_program: &'a AccountInfo<'info>,
}

impl<'info> Creation<'_, 'info> {
    /// Creates `account` at the address derived from `seeds`, which must be its own, and returns the bump. `extra_lamports`
    /// come on top of the rent.
    pub fn create_pda(
        &self,
        account: &AccountInfo<'info>,
        seeds: &[&[u8]],
        space: usize,
        extra_lamports: u64,
    ) -> Result<u8> {
        let (address, bump) = Pubkey::find_program_address(seeds, &ID);
        require_keys_eq!(address, *account.key, ErrorCode::ConstraintSeeds);
        let bump_seed = [bump];
        let mut seeds = seeds.to_vec();
        seeds.push(&bump_seed);
        self.create(account, space, extra_lamports, &ID, &[&seeds])?;
        Ok(bump)
    }

    /// Creates `account`, which signs by itself or by `seeds`, also when someone sent lamports to its address before.
    pub fn create(
        &self,
        account: &AccountInfo<'info>,
        space: usize,
        extra_lamports: u64,
        owner: &Pubkey,
        seeds: &[&[&[u8]]],
    ) -> Result<()> {
        let lamports = Rent::get()?.minimum_balance(space) + extra_lamports;
        let infos = [
            self.funder.clone(),
            account.clone(),
            self.system_program.clone(),
        ];
        let (from, to) = (self.funder.key, account.key);
        if account.lamports() == 0 {
            let create =
                system_instruction::create_account(from, to, lamports, space as u64, owner);
            invoke_signed(&create, &infos, seeds)?;
            return Ok(());
        }
        self.top_up(account, lamports)?;
        invoke_signed(
            &system_instruction::allocate(to, space as u64),
            &infos,
            seeds,
        )?;
        invoke_signed(&system_instruction::assign(to, owner), &infos, seeds)?;
        Ok(())
    }

    /// Pays what `account` has less than `lamports`.
    pub fn top_up(&self, account: &AccountInfo<'info>, lamports: u64) -> Result<()> {
        let missing = lamports.saturating_sub(account.lamports());
        if missing == 0 {
            return Ok(());
        }
        let transfer = system_instruction::transfer(self.funder.key, account.key, missing);
        let infos = [
            self.funder.clone(),
            account.clone(),
            self.system_program.clone(),
        ];
        Ok(invoke_signed(&transfer, &infos, &[])?)
    }
}

/// Moves lamports out of an account of this program.
pub fn move_lamports(from: &AccountInfo, to: &AccountInfo, lamports: u64) -> Result<()> {
    let rest = from
        .lamports()
        .checked_sub(lamports)
        .ok_or(ProgramError::InsufficientFunds)?;
    let sum = to
        .lamports()
        .checked_add(lamports)
        .ok_or(ProgramError::ArithmeticOverflow)?;
    **from.try_borrow_mut_lamports()? = rest;
    **to.try_borrow_mut_lamports()? = sum;
    Ok(())
}

/// Ends an account of this program; its lamports go to `receiver`.
pub fn close(account: &AccountInfo, receiver: &AccountInfo) -> Result<()> {
    move_lamports(account, receiver, account.lamports())?;
    account.assign(&System::id());
    account.resize(0)?;
    Ok(())
}
