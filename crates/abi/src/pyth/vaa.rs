//! A message with the signatures of Wormhole's guardians.

use super::{UpdateError, reader::Reader};

/// Guardian's number, signature, recovery id.
pub const GUARDIAN_SIGNATURE_BYTES: usize = 66;

/// A signed message, version 1. Its signatures are not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vaa<'a> {
    /// Which set of guardians has signed.
    pub guardian_set_index: u32,
    /// Number of signatures.
    pub signatures: u8,
    /// Chain of the message's sender.
    pub emitter_chain: u16,
    /// The message's sender there.
    pub emitter_address: [u8; 32],
    /// The message.
    pub payload: &'a [u8],
}

impl<'a> Vaa<'a> {
    /// Version of this layout.
    pub const VERSION: u8 = 1;

    /// Takes a signed message apart.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn parse(data: &'a [u8]) -> Result<Self, UpdateError> {
        let mut reader = Reader::new("signed message", data);
        let version = reader.u8()?;
        reader.require(version == Self::VERSION, "version")?;
        let guardian_set_index = reader.u32()?;
        let signatures = reader.u8()?;
        reader.bytes(usize::from(signatures) * GUARDIAN_SIGNATURE_BYTES)?;
        let _timestamp = reader.u32()?;
        let _nonce = reader.u32()?;
        let emitter_chain = reader.u16()?;
        let emitter_address = reader.array()?;
        let _sequence = reader.u64()?;
        let _consistency_level = reader.u8()?;
        Ok(Self {
            guardian_set_index,
            signatures,
            emitter_chain,
            emitter_address,
            payload: reader.rest(),
        })
    }
}
