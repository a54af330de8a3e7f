//! Posting prices with full verification through Pyth's receiver program.

use alloc::vec::Vec;

use solana_address::Address;

use super::{MerkleUpdate, ReceiverConfig};
use crate::{Instruction, wire::accounts};

/// sha256("global:post_update")[..8].
pub const POST_UPDATE: [u8; 8] = [133, 95, 207, 175, 11, 79, 118, 44];
/// sha256("global:initialize")[..8].
pub const INITIALIZE: [u8; 8] = [175, 175, 109, 31, 13, 152, 155, 237];

/// The receiver's settings.
pub fn config(program_id: &Address) -> Address {
    Address::find_program_address(&[b"config"], program_id).0
}

/// One of 256 accounts that take fees, so that they are not all written at once.
pub fn treasury(program_id: &Address, treasury_id: u8) -> Address {
    Address::find_program_address(&[b"treasury", &[treasury_id]], program_id).0
}

accounts! {
    /// Accounts of [`post_update`].
    PostUpdateAccounts {
        /// Pays rent and fee.
        writable_signer payer,
        /// The verified message, an account of the Wormhole program.
        readonly encoded_vaa,
        /// [`config`].
        readonly config,
        /// [`treasury`].
        writable treasury,
        /// The price account; signs, because it is created if need be.
        writable_signer price_update_account,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
        /// May write and close the price account from now on.
        signer write_authority,
    }
}

/// Checks a message against the verified root and writes it to a price account.
pub fn post_update(
    program_id: Address,
    accounts: &PostUpdateAccounts,
    update: &MerkleUpdate,
    treasury_id: u8,
) -> Instruction {
    let mut data = Vec::from(POST_UPDATE);
    put_length(&mut data, update.message.len());
    data.extend_from_slice(update.message);
    put_length(&mut data, update.proof.len());
    data.extend_from_slice(update.proof.as_flattened());
    data.push(treasury_id);
    Instruction {
        program_id,
        accounts: accounts.metas().into(),
        data,
    }
}

/// Lengths in instructions are 32 bits; what is posted is far shorter.
pub(super) fn put_length(data: &mut Vec<u8>, length: usize) {
    data.extend_from_slice(&(length as u32).to_le_bytes());
}

accounts! {
    /// Accounts of [`initialize`].
    InitializeAccounts {
        /// Pays the rent.
        writable_signer payer,
        /// [`config`].
        writable config,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
}

/// Creates the receiver's settings, once for all.
pub fn initialize(
    program_id: Address,
    accounts: &InitializeAccounts,
    settings: &ReceiverConfig,
) -> Instruction {
    let mut data = Vec::from(INITIALIZE);
    data.extend(settings.encode());
    Instruction {
        program_id,
        accounts: accounts.metas().into(),
        data,
    }
}
