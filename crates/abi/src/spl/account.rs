//! Mints and token accounts of SPL Token and Token-2022.

use solana_address::Address;

use super::{MINT_LENGTH, TOKEN_ACCOUNT_LENGTH};
use crate::{
    LayoutError,
    bytes::{address_at, u16_at, u64_at},
};

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

    /// Who may freeze accounts of the mint.
    pub fn freeze_authority(&self) -> Option<Address> {
        (self.0.get(46) == Some(&1)).then(|| address_at(self.0, 50))
    }

    /// Whether it has Token-2022 extensions.
    pub fn has_extensions(&self) -> bool {
        self.extensions().next().is_some()
    }

    /// Kinds of its Token-2022 extensions, see [`mint_extension`].
    pub fn extensions(&self) -> impl Iterator<Item = u16> + use<'a> {
        // After the kind of the account: kind and length of each extension, and its data.
        let mut rest = self.0.get(TOKEN_ACCOUNT_LENGTH + 1..).unwrap_or_default();
        core::iter::from_fn(move || {
            let header = rest.get(..4)?;
            let (kind, length) = (u16_at(header, 0), u16_at(header, 2));
            rest = rest.get(4 + usize::from(length)..).unwrap_or_default();
            // The rest of the account is not used yet.
            (kind != 0).then_some(kind)
        })
    }
}

/// Kinds of Token-2022 extensions of mints.
pub mod mint_extension {
    /// Transfers cost a fee.
    pub const TRANSFER_FEE: u16 = 1;
    /// The mint can be closed.
    pub const CLOSE_AUTHORITY: u16 = 3;
    /// Amounts can be hidden.
    pub const CONFIDENTIAL_TRANSFER: u16 = 4;
    /// New accounts may begin frozen.
    pub const DEFAULT_ACCOUNT_STATE: u16 = 6;
    /// Tokens stay where they are.
    pub const NON_TRANSFERABLE: u16 = 9;
    /// Displayed amounts grow.
    pub const INTEREST_BEARING: u16 = 10;
    /// Someone may move everyone's tokens.
    pub const PERMANENT_DELEGATE: u16 = 12;
    /// Transfers call another program.
    pub const TRANSFER_HOOK: u16 = 14;
    /// Transfer fees can be hidden.
    pub const CONFIDENTIAL_TRANSFER_FEE: u16 = 16;
    /// Where the metadata is.
    pub const METADATA_POINTER: u16 = 18;
    /// Metadata.
    pub const METADATA: u16 = 19;
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
        assert!(!MintView::parse(&mint).unwrap().has_extensions());
        // A transfer fee of two bytes of data, a transfer hook, and one whose length exceeds the account.
        mint[166..].copy_from_slice(&{
            let mut rest = [0; 34];
            rest[..16].copy_from_slice(&[1, 0, 2, 0, 7, 7, 14, 0, 0, 0, 18, 0, 255, 255, 9, 9]);
            rest
        });
        let view = MintView::parse(&mint).unwrap();
        assert!(view.extensions().eq([1, 14, 18]));
        assert_eq!(view.freeze_authority(), None);
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
