//! How a signed message gets verified: it is written into an account of the Wormhole program in parts, because it is longer than
//! what one transaction has room for, and then verified in one go.

use alloc::vec::Vec;

use solana_address::Address;

use super::receiver::put_length;
use crate::{
    Instruction, LayoutError,
    bytes::{address_at, u16_at},
    wire::{accounts, instruction},
};

/// Set of guardians that signs messages.
pub fn guardian_set(program_id: &Address, index: u32) -> Address {
    Address::find_program_address(&[b"GuardianSet", &index.to_be_bytes()], program_id).0
}

instruction! {
    /// Takes an account of the program that is all zero for a message; the signer becomes its write authority.
    InitEncodedVaa [209, 193, 173, 25, 91, 202, 181, 218];
    /// Accounts of [`InitEncodedVaa`].
    InitEncodedVaaAccounts {
        /// May write, verify and close it.
        signer write_authority,
        /// The account, [`EncodedVaa::length`] bytes long.
        writable encoded_vaa,
    }
    args {}
}

accounts! {
    /// Accounts of [`write_encoded_vaa`].
    WriteEncodedVaaAccounts {
        /// The write authority.
        signer write_authority,
        /// The account.
        writable draft_vaa,
    }
}

/// sha256("global:write_encoded_vaa")[..8].
pub const WRITE_ENCODED_VAA: [u8; 8] = [199, 208, 110, 177, 150, 76, 118, 42];

/// Writes a part of the message.
pub fn write_encoded_vaa(
    program_id: Address,
    accounts: &WriteEncodedVaaAccounts,
    index: u32,
    part: &[u8],
) -> Instruction {
    let mut data = Vec::from(WRITE_ENCODED_VAA);
    data.extend_from_slice(&index.to_le_bytes());
    put_length(&mut data, part.len());
    data.extend_from_slice(part);
    Instruction {
        program_id,
        accounts: accounts.metas().into(),
        data,
    }
}

instruction! {
    /// Verifies the message's signatures, a quorum of the guardians at least. Nothing can be written afterwards.
    VerifyEncodedVaaV1 [103, 56, 177, 229, 240, 103, 68, 73];
    /// Accounts of [`VerifyEncodedVaaV1`].
    VerifyEncodedVaaV1Accounts {
        /// The write authority.
        signer write_authority,
        /// The account.
        writable draft_vaa,
        /// [`guardian_set`].
        readonly guardian_set,
    }
    args {}
}

instruction! {
    /// Closes the account; its rent goes to the write authority.
    CloseEncodedVaa [48, 221, 174, 198, 231, 7, 152, 38];
    /// Accounts of [`CloseEncodedVaa`].
    CloseEncodedVaaAccounts {
        /// The write authority.
        writable_signer write_authority,
        /// The account.
        writable encoded_vaa,
    }
    args {}
}

/// What was done with a message so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaaStatus {
    /// It is being written.
    Writing,
    /// Its signatures are good.
    Verified,
}

/// The account of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedVaa<'a> {
    /// What was done.
    pub status: VaaStatus,
    /// Who may write, verify and close it.
    pub write_authority: Address,
    /// The message, see [`Vaa`](super::Vaa).
    pub vaa: &'a [u8],
}

impl<'a> EncodedVaa<'a> {
    /// sha256("account:EncodedVaa")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [226, 101, 163, 4, 133, 160, 84, 245];
    /// Discriminator, status, authority, version, length.
    pub const HEADER: usize = 46;
    const STATUS: usize = 8;
    const AUTHORITY: usize = 9;
    const VERSION: usize = 41;
    const LENGTH: usize = 42;
    const WHAT: &'static str = "Wormhole message account";

    /// Length of the account of a message with so many bytes.
    pub const fn length(vaa: usize) -> usize {
        Self::HEADER + vaa
    }

    /// Reads an account that is being written or is verified.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        let what = Self::WHAT;
        if data.len() <= Self::HEADER {
            return Err(LayoutError::Length {
                what,
                expected: Self::HEADER + 1,
                found: data.len(),
            });
        }
        if !data.starts_with(&Self::DISCRIMINATOR) {
            return Err(LayoutError::Discriminator { what });
        }
        let bad = |field| LayoutError::Value { what, field };
        let (header, vaa) = data.split_at(Self::HEADER);
        let status = match header[Self::STATUS] {
            1 => VaaStatus::Writing,
            2 => VaaStatus::Verified,
            _ => return Err(bad("status")),
        };
        // Messages are far shorter than 64 KiB.
        let [low, high] = [Self::LENGTH, Self::LENGTH + 2].map(|at| u16_at(header, at));
        if usize::from(low) != vaa.len() || high != 0 {
            return Err(bad("length"));
        }
        Ok(Self {
            status,
            write_authority: address_at(header, Self::AUTHORITY),
            vaa,
        })
    }

    /// The bytes before a message of so many bytes.
    pub fn header(
        status: VaaStatus,
        write_authority: &Address,
        vaa: usize,
    ) -> [u8; EncodedVaa::HEADER] {
        let mut header = [0; EncodedVaa::HEADER];
        header[..Self::STATUS].copy_from_slice(&Self::DISCRIMINATOR);
        (header[Self::STATUS], header[Self::VERSION]) = match status {
            VaaStatus::Writing => (1, 0),
            VaaStatus::Verified => (2, super::Vaa::VERSION),
        };
        header[Self::AUTHORITY..Self::VERSION].copy_from_slice(write_authority.as_ref());
        header[Self::LENGTH..].copy_from_slice(&(vaa as u32).to_le_bytes());
        header
    }
}
