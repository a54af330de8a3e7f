//! What price services hand out: price messages, the way of each through a Merkle tree, and the signed root of the tree.

use alloc::vec::Vec;

use super::{
    Hash160, Keccak256, UpdateError,
    message::root_of,
    reader::{Reader, at_most},
};

/// Longest update that is taken; two feeds have about 1,600 bytes.
pub const MAX_UPDATE_BYTES: usize = 16_384;
/// Longest signed message: 19 signatures and a root have 1,348 bytes.
const MAX_VAA_BYTES: usize = 4_096;
/// Longest price message; it has 85 bytes.
const MAX_MESSAGE_BYTES: usize = 512;
/// Deepest tree.
const MAX_PROOF_NODES: usize = 32;

const MAGIC: [u8; 4] = *b"PNAU";
const MAJOR_VERSION: u8 = 1;
/// The only kind of proof there is.
const WORMHOLE_MERKLE: u8 = 0;

const WHAT: &str = "price update";

/// An update as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccumulatorUpdate<'a> {
    /// The signed message with the root, see [`Vaa`](super::Vaa).
    pub vaa: &'a [u8],
    /// Messages under that root.
    pub updates: Vec<MerkleUpdate<'a>>,
}

/// A message with its way to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MerkleUpdate<'a> {
    /// The message, see [`PriceMessage`](super::PriceMessage).
    pub message: &'a [u8],
    /// The hashes beside the way from the message to the root.
    pub proof: &'a [Hash160],
}

impl<'a> AccumulatorUpdate<'a> {
    /// Takes an update apart. Neither signatures nor proofs are checked.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn parse(data: &'a [u8]) -> Result<Self, UpdateError> {
        at_most(WHAT, data.len(), MAX_UPDATE_BYTES)?;
        let mut reader = Reader::new(WHAT, data);
        let magic = reader.array()?;
        reader.require(magic == MAGIC, "magic")?;
        let major = reader.u8()?;
        reader.require(major == MAJOR_VERSION, "major version")?;
        // Minor versions only add to what follows, in bytes that they count.
        let _minor = reader.u8()?;
        let added = usize::from(reader.u8()?);
        reader.bytes(added)?;
        let kind = reader.u8()?;
        reader.require(kind == WORMHOLE_MERKLE, "proof type")?;
        let length = usize::from(reader.u16()?);
        at_most("signed message", length, MAX_VAA_BYTES)?;
        let vaa = reader.bytes(length)?;
        let count = usize::from(reader.u8()?);
        let mut updates = Vec::new();
        for _ in 0..count {
            updates.push(MerkleUpdate::read(&mut reader)?);
        }
        reader.end()?;
        Ok(Self { vaa, updates })
    }
}

impl<'a> MerkleUpdate<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, UpdateError> {
        let length = usize::from(reader.u16()?);
        at_most("price message", length, MAX_MESSAGE_BYTES)?;
        let message = reader.bytes(length)?;
        let nodes = usize::from(reader.u8()?);
        at_most("Merkle proof", nodes, MAX_PROOF_NODES)?;
        let (proof, _) = reader.bytes(nodes * size_of::<Hash160>())?.as_chunks();
        Ok(Self { message, proof })
    }

    /// The root that the message is under.
    pub fn root(&self, keccak: Keccak256) -> Hash160 {
        root_of(self.message, self.proof, keccak)
    }
}
