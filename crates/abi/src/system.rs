//! The two instructions of the system program that create an account at an address with a seed, whoever has sent lamports there
//! before.

use alloc::vec::Vec;

use solana_address::Address;

use crate::{AccountMeta, Instruction, spl::SYSTEM_PROGRAM};

const TRANSFER: u32 = 2;
const ALLOCATE_WITH_SEED: u32 = 9;

/// Sends lamports. `from` signs.
pub fn transfer(from: Address, to: Address, lamports: u64) -> Instruction {
    let mut data = Vec::from(TRANSFER.to_le_bytes());
    data.extend_from_slice(&lamports.to_le_bytes());
    Instruction {
        program_id: SYSTEM_PROGRAM,
        accounts: [AccountMeta::new(from, true), AccountMeta::new(to, false)].into(),
        data,
    }
}

/// Gives the account at the address of `base`, `seed` and `owner` its length and its owner. `base` signs.
pub fn allocate_with_seed(
    account: Address,
    base: Address,
    seed: &str,
    length: u64,
    owner: Address,
) -> Instruction {
    let mut data = Vec::from(ALLOCATE_WITH_SEED.to_le_bytes());
    data.extend_from_slice(base.as_ref());
    data.extend_from_slice(&(seed.len() as u64).to_le_bytes());
    data.extend_from_slice(seed.as_bytes());
    data.extend_from_slice(&length.to_le_bytes());
    data.extend_from_slice(owner.as_ref());
    Instruction {
        program_id: SYSTEM_PROGRAM,
        accounts: [
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(base, true),
        ]
        .into(),
        data,
    }
}
