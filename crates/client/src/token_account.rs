//! Somebody's token account.

use ballast_abi::spl::TokenAccountView;
use solana_sdk::{account::Account, pubkey::Pubkey};

use crate::account::{DecodeError, existing, owned_by};

const WHAT: &str = "token account";

/// Which account is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    /// Its address.
    pub address: Pubkey,
    /// Mint of its tokens.
    pub mint: Pubkey,
    /// Token program that owns the mint.
    pub program: Pubkey,
    /// Who may spend from it.
    pub owner: Pubkey,
}

impl TokenAccount {
    /// Raw units in it; `None` if there is none, or only lamports at its address.
    ///
    /// # Errors
    /// [`DecodeError`] if it is another program's, of another mint or somebody else's.
    pub fn balance(&self, account: Option<&Account>) -> Result<Option<u64>, DecodeError> {
        if existing(account).is_none() {
            return Ok(None);
        }
        let data = owned_by(WHAT, &self.address, account, &self.program)?;
        let malformed = |reason: String| DecodeError::Malformed {
            what: WHAT,
            address: self.address,
            reason,
        };
        let view = TokenAccountView::parse(data).map_err(|error| malformed(error.to_string()))?;
        if view.mint() != self.mint {
            return Err(malformed(format!(
                "it holds tokens of mint {}, not of {}",
                view.mint(),
                self.mint
            )));
        }
        if view.owner() != self.owner {
            return Err(malformed(format!(
                "it was given to {}: what is in it, and what is paid to it, is not {}'s any more; have it given back with \
                 `spl-token authorize {} owner {}`",
                view.owner(),
                self.owner,
                self.address,
                self.owner
            )));
        }
        Ok(Some(view.amount()))
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::spl::{SYSTEM_PROGRAM, TOKEN_PROGRAM};

    use super::*;

    #[test]
    fn lamports_alone_are_no_account_and_others_accounts_are_named() {
        let [address, mint, owner, other] = [1, 2, 3, 4].map(|byte| Pubkey::from([byte; 32]));
        let expected = TokenAccount {
            address,
            mint,
            program: TOKEN_PROGRAM,
            owner,
        };
        let account = |mint: Pubkey, owner: Pubkey| {
            let mut data = [mint.to_bytes(), owner.to_bytes()].concat();
            data.extend(7u64.to_le_bytes());
            data.resize(165, 0);
            data[108] = 1;
            Account {
                lamports: 2_039_280,
                data,
                owner: TOKEN_PROGRAM,
                executable: false,
                rent_epoch: u64::MAX,
            }
        };
        let good = account(mint, owner);
        assert_eq!(expected.balance(Some(&good)), Ok(Some(7)));
        let lamports = Account {
            lamports: 900_000,
            data: Vec::new(),
            owner: SYSTEM_PROGRAM,
            ..good.clone()
        };
        assert_eq!(expected.balance(None), Ok(None));
        assert_eq!(expected.balance(Some(&lamports)), Ok(None));
        for (wrong, part) in [
            (account(other, owner), "of mint"),
            (account(mint, other), "spl-token authorize"),
            (
                Account {
                    data: vec![1; 9],
                    ..good.clone()
                },
                "token account",
            ),
            (
                Account {
                    owner: other,
                    ..good.clone()
                },
                "is owned by",
            ),
            (
                Account {
                    owner: other,
                    ..lamports
                },
                "is owned by",
            ),
        ] {
            let error = expected.balance(Some(&wrong)).unwrap_err().to_string();
            assert!(
                error.contains(part) && error.contains(&address.to_string()),
                "{error}"
            );
        }
    }
}
