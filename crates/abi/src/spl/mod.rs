//! SPL programs: their addresses, token accounts, and the few instructions that pools, positions and test clusters need.

mod account;
mod instruction;

pub use account::{MintView, TokenAccountView, mint_extension};
pub use instruction::*;

use solana_address::{Address, address};

/// System program.
pub const SYSTEM_PROGRAM: Address = address!("11111111111111111111111111111111");
/// SPL Token.
pub const TOKEN_PROGRAM: Address = address!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// SPL Token-2022.
pub const TOKEN_2022_PROGRAM: Address = address!("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
/// SPL Associated Token Account.
pub const ASSOCIATED_TOKEN_PROGRAM: Address =
    address!("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// SPL Memo, version 2.
pub const MEMO_PROGRAM: Address = address!("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// Rent sysvar.
pub const RENT_SYSVAR: Address = address!("SysvarRent111111111111111111111111111111111");

/// Length of a mint without extensions, in bytes.
pub const MINT_LENGTH: usize = 82;
/// Length of a token account without extensions, in bytes.
pub const TOKEN_ACCOUNT_LENGTH: usize = 165;

/// Associated token account of `owner` for `mint`, a mint of `token_program`; and its bump.
pub fn associated_token_account(
    owner: &Address,
    mint: &Address,
    token_program: &Address,
) -> (Address, u8) {
    Address::find_program_address(
        &[owner.as_ref(), token_program.as_ref(), mint.as_ref()],
        &ASSOCIATED_TOKEN_PROGRAM,
    )
}
