//! SPL programs and the few of their instructions that setting up pools, positions and test clusters needs.

use alloc::vec::Vec;

use solana_address::{Address, address};

use crate::{
    AccountMeta, Instruction, LayoutError,
    bytes::{address_at, u64_at},
};

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

/// A checked view of a mint's bytes, with or without extensions.
#[derive(Clone, Copy, Debug)]
pub struct MintView<'a>(&'a [u8]);

impl<'a> MintView<'a> {
    /// Checks length and kind, and that it is initialised. The caller checks who owns the account.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        let what = "mint";
        check_kind(what, data, MINT_LENGTH, 1)?;
        match data.get(45) {
            Some(1) => Ok(Self(data)),
            _ => Err(LayoutError::Value {
                what,
                field: "is_initialized",
            }),
        }
    }

    /// Decimal places of a whole token.
    pub fn decimals(&self) -> u8 {
        self.0.get(44).copied().unwrap_or_default()
    }

    /// Raw units in existence.
    pub fn supply(&self) -> u64 {
        u64_at(self.0, 36)
    }

    /// The extensions' type numbers, as Token-2022 counts them; `None` in place of one that is cut off.
    pub fn extension_types(&self) -> impl Iterator<Item = Option<u16>> + use<'a> {
        // Behind the account's 165 padded bytes and its kind: type, length, value, until zeros or the end.
        let mut rest = self.0.get(TOKEN_ACCOUNT_LENGTH + 1..).unwrap_or(&[]);
        core::iter::from_fn(move || {
            let (kind, tail) = rest.split_first_chunk::<2>()?;
            let kind = u16::from_le_bytes(*kind);
            if kind == 0 {
                return None;
            }
            let value = tail
                .split_first_chunk::<2>()
                .and_then(|(length, tail)| tail.get(usize::from(u16::from_le_bytes(*length))..));
            rest = value.unwrap_or(&[]);
            Some(value.map(|_| kind))
        })
    }

    /// Whether it has Token-2022 extensions.
    pub fn has_extensions(&self) -> bool {
        self.0.len() > MINT_LENGTH
    }
}

/// A checked view of a token account's bytes, with or without extensions.
#[derive(Clone, Copy, Debug)]
pub struct TokenAccountView<'a>(&'a [u8]);

impl<'a> TokenAccountView<'a> {
    /// Checks length and kind, and that it is initialised. The caller checks who owns the account.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        let what = "token account";
        check_kind(what, data, TOKEN_ACCOUNT_LENGTH, 2)?;
        match data.get(108) {
            Some(1 | 2) => Ok(Self(data)),
            _ => Err(LayoutError::Value {
                what,
                field: "state",
            }),
        }
    }

    /// Mint of the tokens.
    pub fn mint(&self) -> Address {
        address_at(self.0, 0)
    }

    /// Who may spend the tokens.
    pub fn owner(&self) -> Address {
        address_at(self.0, 32)
    }

    /// Raw units in the account.
    pub fn amount(&self) -> u64 {
        u64_at(self.0, 64)
    }

    /// Who else may spend, and how many raw units.
    pub fn delegate(&self) -> Option<(Address, u64)> {
        (self.0.get(72) == Some(&1)).then(|| (address_at(self.0, 76), u64_at(self.0, 121)))
    }
}

/// Accounts with extensions are longer than [`TOKEN_ACCOUNT_LENGTH`], whose next byte then tells their kind.
fn check_kind(what: &'static str, data: &[u8], length: usize, kind: u8) -> Result<(), LayoutError> {
    match data.get(TOKEN_ACCOUNT_LENGTH) {
        Some(found) if *found == kind => Ok(()),
        None if data.len() == length => Ok(()),
        _ => Err(LayoutError::Length {
            what,
            expected: length,
            found: data.len(),
        }),
    }
}

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
    let mut data = Vec::with_capacity(35);
    data.extend_from_slice(&[20, decimals]);
    data.extend_from_slice(mint_authority.as_ref());
    data.push(0);
    Instruction {
        program_id: token_program,
        accounts: [AccountMeta::new(mint, false)].into(),
        data,
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

/// Closes an empty token account; its lamports go to `destination` and `authority` (its owner) signs.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mints_and_token_accounts_are_told_apart() {
        let mut mint = [0; 200];
        mint[44] = 6;
        mint[45] = 1;
        assert_eq!(MintView::parse(&mint[..82]).unwrap().decimals(), 6);
        assert!(TokenAccountView::parse(&mint[..82]).is_err());
        for length in [0, 81, 83, 165, 166, 200] {
            assert!(MintView::parse(&mint[..length]).is_err(), "{length}");
        }
        mint[165] = 1;
        assert!(MintView::parse(&mint).unwrap().has_extensions());
        assert!(TokenAccountView::parse(&mint).is_err());

        let mut account = [0; 170];
        account[64] = 5;
        assert!(
            TokenAccountView::parse(&account[..165]).is_err(),
            "not initialised"
        );
        account[108] = 1;
        let view = TokenAccountView::parse(&account[..165]).unwrap();
        assert_eq!((view.amount(), view.delegate()), (5, None));
        account[165] = 2;
        account[72] = 1;
        account[76..108].fill(9);
        account[121] = 1;
        let view = TokenAccountView::parse(&account).unwrap();
        assert_eq!(view.delegate(), Some((Address::new_from_array([9; 32]), 1)));
    }
}
