//! Decoding of the program's accounts. Bytes come from a node and may be anything.

use anchor_lang::Discriminator;
use ballast::state::{Market, OracleChange, Position, Reserve};
use ballast_abi::spl::SYSTEM_PROGRAM;
use solana_sdk::{account::Account, pubkey::Pubkey};
use thiserror::Error;

/// Why an account is not what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Nothing is stored there.
    #[error("no {what} at {address}: check the address and the cluster")]
    Missing {
        /// What was expected.
        what: &'static str,
        /// Where.
        address: Pubkey,
    },
    /// Another program's account.
    #[error(
        "{address} is owned by {found}, a {what} by {expected}: check the address and the cluster"
    )]
    WrongOwner {
        /// What was expected.
        what: &'static str,
        /// Where.
        address: Pubkey,
        /// Who should own it. Boxed, like the next, to keep every `Result` of a reader small.
        expected: Box<Pubkey>,
        /// Who owns it.
        found: Box<Pubkey>,
    },
    /// Another kind of account.
    #[error("{address} is no {what}: it begins with another discriminator")]
    WrongDiscriminator {
        /// What was expected.
        what: &'static str,
        /// Where.
        address: Pubkey,
    },
    /// Too short or too long.
    #[error("{what} {address} has {found} bytes, expected {expected}")]
    WrongLength {
        /// What was expected.
        what: &'static str,
        /// Where.
        address: Pubkey,
        /// Bytes that it should have.
        expected: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// Written by another version of the program.
    #[error(
        "{what} {address} has layout version {found}, this build reads {expected}: bring an earlier one to this version with \
         `ballast migrate` or, who is not the authority, `ballast market migrate`; read a later one with a matching build"
    )]
    WrongVersion {
        /// What was expected.
        what: &'static str,
        /// Where.
        address: Pubkey,
        /// Version that this build reads.
        expected: u8,
        /// Version that was found.
        found: u8,
    },
    /// An account of another program that does not parse.
    #[error("{what} {address} cannot be read: {reason}")]
    Malformed {
        /// What was expected.
        what: &'static str,
        /// Where.
        address: Pubkey,
        /// What is wrong with it.
        reason: String,
    },
}

/// An account of the Ballast program.
pub trait ProgramAccount: bytemuck::AnyBitPattern + Discriminator {
    /// For messages.
    const NAME: &'static str;
    /// Layout version that this build reads.
    const LAYOUT_VERSION: u8;
    /// Layout version of this account.
    fn layout_version(&self) -> u8;
}

macro_rules! program_accounts {
    ($($type:ident $name:literal,)*) => {$(
        impl ProgramAccount for $type {
            const NAME: &'static str = $name;
            const LAYOUT_VERSION: u8 = $type::VERSION;
            fn layout_version(&self) -> u8 {
                self.version
            }
        }
    )*};
}
program_accounts! {
    Market "market",
    Reserve "reserve",
    Position "position",
    OracleChange "oracle change",
}

/// Decodes an account of the Ballast program: owner, discriminator, length and version are checked.
///
/// # Errors
/// [`DecodeError`] for the first check that fails.
pub fn decode<T: ProgramAccount>(address: &Pubkey, account: &Account) -> Result<T, DecodeError> {
    let value: T = decode_any_version(address, account)?;
    if value.layout_version() != T::LAYOUT_VERSION {
        return Err(DecodeError::WrongVersion {
            what: T::NAME,
            address: *address,
            expected: T::LAYOUT_VERSION,
            found: value.layout_version(),
        });
    }
    Ok(value)
}

/// As [`decode`], but of any layout version, for those who migrate accounts. What an earlier version has lies where it lies
/// in this one, and what is new is zero; of a later version nothing but the version may be believed.
///
/// # Errors
/// [`DecodeError`] but for [`DecodeError::WrongVersion`].
pub fn decode_any_version<T: ProgramAccount>(
    address: &Pubkey,
    account: &Account,
) -> Result<T, DecodeError> {
    let (what, address) = (T::NAME, *address);
    if account.owner != ballast::ID {
        return Err(DecodeError::WrongOwner {
            what,
            address,
            expected: Box::new(ballast::ID),
            found: Box::new(account.owner),
        });
    }
    let Some(body) = account.data.strip_prefix(T::DISCRIMINATOR) else {
        return Err(DecodeError::WrongDiscriminator { what, address });
    };
    bytemuck::try_pod_read_unaligned(body).map_err(|_| DecodeError::WrongLength {
        what,
        address,
        expected: T::DISCRIMINATOR.len() + size_of::<T>(),
        found: account.data.len(),
    })
}

/// As [`decode`], of an answer that may say that there is no account.
///
/// # Errors
/// [`DecodeError`], also when there is no account.
pub fn decode_at<T: ProgramAccount>(
    address: &Pubkey,
    account: Option<&Account>,
) -> Result<T, DecodeError> {
    decode(address, required(T::NAME, address, account)?)
}

/// An account as programs take it. One that the system program owns and that has no data is none: anybody may send lamports
/// to any address, and a program that makes its account there does so all the same.
pub fn existing(account: Option<&Account>) -> Option<&Account> {
    account.filter(|account| account.owner != SYSTEM_PROGRAM || !account.data.is_empty())
}

/// The account, or an error that says what is missing.
pub(crate) fn required<'a>(
    what: &'static str,
    address: &Pubkey,
    account: Option<&'a Account>,
) -> Result<&'a Account, DecodeError> {
    existing(account).ok_or(DecodeError::Missing {
        what,
        address: *address,
    })
}

/// The bytes of an account that a given program must own.
pub(crate) fn owned_by<'a>(
    what: &'static str,
    address: &Pubkey,
    account: Option<&'a Account>,
    owner: &Pubkey,
) -> Result<&'a [u8], DecodeError> {
    let account = required(what, address, account)?;
    if account.owner != *owner {
        return Err(DecodeError::WrongOwner {
            what,
            address: *address,
            expected: Box::new(*owner),
            found: Box::new(account.owner),
        });
    }
    Ok(&account.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(mut change: impl FnMut(&mut Account)) -> Account {
        let mut data = Reserve::DISCRIMINATOR.to_vec();
        data.resize(Reserve::SPACE, 0);
        data[8] = Reserve::VERSION;
        let mut account = Account {
            lamports: 1,
            data,
            owner: ballast::ID,
            executable: false,
            rent_epoch: 0,
        };
        change(&mut account);
        account
    }

    #[test]
    fn a_reserve_is_read() {
        let address = Pubkey::new_unique();
        let reserve: Reserve = decode(&address, &account(|a| a.data[10] = 1)).unwrap();
        assert_eq!(reserve.side, 1);
    }

    #[test]
    fn every_check_fires() {
        let address = Pubkey::new_unique();
        let read = |account: Option<&Account>| decode_at::<Reserve>(&address, account).unwrap_err();
        assert!(matches!(
            read(None),
            DecodeError::Missing {
                what: "reserve",
                ..
            }
        ));
        // Somebody sent lamports to where it will be.
        let lamports = account(|a| {
            a.owner = SYSTEM_PROGRAM;
            a.data.clear();
        });
        assert!(matches!(read(Some(&lamports)), DecodeError::Missing { .. }));
        let stranger = Pubkey::new_unique();
        assert!(matches!(
            read(Some(&account(|a| a.owner = stranger))),
            DecodeError::WrongOwner { .. }
        ));
        assert!(matches!(
            read(Some(&account(|a| a.data[0] ^= 1))),
            DecodeError::WrongDiscriminator { .. }
        ));
        assert!(matches!(
            read(Some(&account(|a| a.data.clear()))),
            DecodeError::WrongDiscriminator { .. }
        ));
        for length in [8, Reserve::SPACE - 1, Reserve::SPACE + 1] {
            let error = read(Some(&account(|a| a.data.resize(length, 0))));
            assert!(
                matches!(error, DecodeError::WrongLength { found, .. } if found == length),
                "{error}"
            );
        }
        let newer = account(|a| a.data[8] += 1);
        let wrong = DecodeError::WrongVersion {
            what: "reserve",
            address,
            expected: Reserve::VERSION,
            found: Reserve::VERSION + 1,
        };
        assert_eq!(read(Some(&newer)), wrong);
    }

    #[test]
    fn of_any_version_only_the_version_is_not_checked() {
        let address = Pubkey::new_unique();
        let earlier = account(|a| a.data[8] = 1);
        assert!(decode::<Reserve>(&address, &earlier).is_err());
        let read: Reserve = decode_any_version(&address, &earlier).unwrap();
        assert_eq!(read.version, 1);
        let short = account(|a| a.data.truncate(9));
        assert!(matches!(
            decode_any_version::<Reserve>(&address, &short),
            Err(DecodeError::WrongLength { found: 9, .. })
        ));
    }
}
