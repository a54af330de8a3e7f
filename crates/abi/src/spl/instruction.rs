//! Instructions of the system program, the token programs and the associated-token program.

use alloc::vec::Vec;

use solana_address::Address;

use super::{ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, associated_token_account};
use crate::{AccountMeta, Instruction};

/// Creates `account` of `space` bytes with `lamports` from `payer`, owned by `owner`. Both sign.
pub fn create_account(
    payer: Address,
    account: Address,
    lamports: u64,
    space: u64,
    owner: Address,
) -> Instruction {
    let mut data = Vec::with_capacity(52);
    data.extend_from_slice(&0u32.to_le_bytes());
    data.extend_from_slice(&lamports.to_le_bytes());
    data.extend_from_slice(&space.to_le_bytes());
    data.extend_from_slice(owner.as_ref());
    Instruction {
        program_id: SYSTEM_PROGRAM,
        accounts: [
            AccountMeta::new(payer, true),
            AccountMeta::new(account, true),
        ]
        .into(),
        data,
    }
}

/// Makes a mint without freeze authority of an account that was created for it.
pub fn initialize_mint(
    token_program: Address,
    mint: Address,
    mint_authority: Address,
    decimals: u8,
) -> Instruction {
    initialize_freezable_mint(token_program, mint, mint_authority, None, decimals)
}

/// Makes a mint, whose accounts `freeze_authority` may freeze, of an account that was created for it.
pub fn initialize_freezable_mint(
    token_program: Address,
    mint: Address,
    mint_authority: Address,
    freeze_authority: Option<Address>,
    decimals: u8,
) -> Instruction {
    let mut data = Vec::with_capacity(67);
    data.extend_from_slice(&[20, decimals]);
    data.extend_from_slice(mint_authority.as_ref());
    put_option(&mut data, freeze_authority);
    Instruction {
        program_id: token_program,
        accounts: [AccountMeta::new(mint, false)].into(),
        data,
    }
}

/// Lets `close_authority` close a Token-2022 mint; comes before [`initialize_mint`].
pub fn initialize_mint_close_authority(
    token_2022_program: Address,
    mint: Address,
    close_authority: Address,
) -> Instruction {
    let mut data = Vec::with_capacity(34);
    data.push(25);
    put_option(&mut data, Some(close_authority));
    Instruction {
        program_id: token_2022_program,
        accounts: [AccountMeta::new(mint, false)].into(),
        data,
    }
}

/// Lets a Token-2022 mint name itself as the place of its metadata, unchangeably; comes before [`initialize_mint`].
pub fn initialize_metadata_pointer(token_2022_program: Address, mint: Address) -> Instruction {
    let mut data = Vec::with_capacity(66);
    data.extend_from_slice(&[39, 0]);
    data.extend_from_slice(&[0; 32]);
    data.extend_from_slice(mint.as_ref());
    Instruction {
        program_id: token_2022_program,
        accounts: [AccountMeta::new(mint, false)].into(),
        data,
    }
}

/// Writes name, symbol and URI into a Token-2022 mint; the mint authority signs.
pub fn initialize_metadata(
    token_2022_program: Address,
    mint: Address,
    update_authority: Address,
    mint_authority: Address,
    texts: [&str; 3],
) -> Instruction {
    // sha256("spl_token_metadata_interface:initialize_account")[..8]
    let mut data = Vec::from([210, 225, 30, 162, 88, 184, 77, 141]);
    for text in texts {
        // An instruction has far less than 4 GB.
        data.extend_from_slice(&(text.len() as u32).to_le_bytes());
        data.extend_from_slice(text.as_bytes());
    }
    Instruction {
        program_id: token_2022_program,
        accounts: [
            AccountMeta::new(mint, false),
            AccountMeta::new_readonly(update_authority, false),
            AccountMeta::new_readonly(mint, false),
            AccountMeta::new_readonly(mint_authority, true),
        ]
        .into(),
        data,
    }
}

/// Takes away the mint authority for good; the authority signs.
pub fn revoke_mint_authority(
    token_program: Address,
    mint: Address,
    mint_authority: Address,
) -> Instruction {
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(mint, false),
            AccountMeta::new_readonly(mint_authority, true),
        ]
        .into(),
        data: [6, 0, 0].into(),
    }
}

/// Lets `delegate` spend `amount` raw units from `account`; the owner signs.
pub fn approve(
    token_program: Address,
    account: Address,
    delegate: Address,
    owner: Address,
    amount: u64,
) -> Instruction {
    let mut data = Vec::with_capacity(9);
    data.push(4);
    data.extend_from_slice(&amount.to_le_bytes());
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(delegate, false),
            AccountMeta::new_readonly(owner, true),
        ]
        .into(),
        data,
    }
}

/// An optional address as the token programs read it.
fn put_option(data: &mut Vec<u8>, address: Option<Address>) {
    match address {
        Some(address) => {
            data.push(1);
            data.extend_from_slice(address.as_ref());
        }
        None => data.push(0),
    }
}

/// Mints `amount` raw units into `account`; the mint authority signs.
pub fn mint_to(
    token_program: Address,
    mint: Address,
    account: Address,
    mint_authority: Address,
    amount: u64,
) -> Instruction {
    let mut data = Vec::with_capacity(9);
    data.push(7);
    data.extend_from_slice(&amount.to_le_bytes());
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(mint, false),
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(mint_authority, true),
        ]
        .into(),
        data,
    }
}

/// Moves `amount` raw units; `authority` (owner or delegate of `from`) signs. Mints with transfer fees or hooks need more.
pub fn transfer_checked(
    token_program: Address,
    from: Address,
    mint: Address,
    to: Address,
    authority: Address,
    amount: u64,
    decimals: u8,
) -> Instruction {
    let mut data = Vec::with_capacity(10);
    data.push(12);
    data.extend_from_slice(&amount.to_le_bytes());
    data.push(decimals);
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(from, false),
            AccountMeta::new_readonly(mint, false),
            AccountMeta::new(to, false),
            AccountMeta::new_readonly(authority, true),
        ]
        .into(),
        data,
    }
}

/// Burns `amount` raw units; `authority` (owner or delegate of `account`) signs.
pub fn burn(
    token_program: Address,
    account: Address,
    mint: Address,
    authority: Address,
    amount: u64,
) -> Instruction {
    let mut data = Vec::with_capacity(9);
    data.push(8);
    data.extend_from_slice(&amount.to_le_bytes());
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(account, false),
            AccountMeta::new(mint, false),
            AccountMeta::new_readonly(authority, true),
        ]
        .into(),
        data,
    }
}

/// Closes an empty token account, or a Token-2022 mint without supply; its lamports go to `destination` and `authority` (its
/// owner or close authority) signs.
pub fn close_account(
    token_program: Address,
    account: Address,
    destination: Address,
    authority: Address,
) -> Instruction {
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(account, false),
            AccountMeta::new(destination, false),
            AccountMeta::new_readonly(authority, true),
        ]
        .into(),
        data: [9].into(),
    }
}

/// Makes a token account of `owner` of an account that was created for it.
pub fn initialize_account(
    token_program: Address,
    account: Address,
    mint: Address,
    owner: Address,
) -> Instruction {
    let mut data = Vec::with_capacity(33);
    data.push(18);
    data.extend_from_slice(owner.as_ref());
    Instruction {
        program_id: token_program,
        accounts: [
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(mint, false),
        ]
        .into(),
        data,
    }
}

/// Creates `account`, which must be the [`associated_token_account`] of the others and not exist; `payer` signs.
pub fn create_associated_token_account(
    payer: Address,
    account: Address,
    owner: Address,
    mint: Address,
    token_program: Address,
) -> Instruction {
    Instruction {
        program_id: ASSOCIATED_TOKEN_PROGRAM,
        accounts: [
            AccountMeta::new(payer, true),
            AccountMeta::new(account, false),
            AccountMeta::new_readonly(owner, false),
            AccountMeta::new_readonly(mint, false),
            AccountMeta::new_readonly(SYSTEM_PROGRAM, false),
            AccountMeta::new_readonly(token_program, false),
        ]
        .into(),
        data: [0].into(),
    }
}

/// Creates [`associated_token_account`] unless it exists; `payer` signs.
pub fn create_associated_token_account_idempotent(
    payer: Address,
    owner: Address,
    mint: Address,
    token_program: Address,
) -> Instruction {
    let (account, _) = associated_token_account(&owner, &mint, &token_program);
    let mut instruction =
        create_associated_token_account(payer, account, owner, mint, token_program);
    instruction.data = [1].into();
    instruction
}
