//! Updates with the real layout that nobody has signed. Only the stand-in takes them.

use alloc::{vec, vec::Vec};

use super::super::{
    DataSource, GUARDIAN_SIGNATURE_BYTES, Hash160, Keccak256, PriceMessage, SignedRoot, Vaa,
    hash_leaf, hash_node,
};
use solana_address::Address;

/// Signatures of a quorum of 19 guardians.
const SIGNATURES: u8 = 13;

/// Whose messages the stand-in takes.
pub const SOURCE: DataSource = DataSource {
    chain: 26,
    emitter: Address::new_from_array(*b"stand-in for the price emitter!!"),
};

/// An update as price services hand it out, of these prices in a tree of `2^depth` leaves, with signatures that are all zero.
/// Prices beyond what the tree can hold are left out.
pub fn forged_update(prices: &[PriceMessage], depth: u32, slot: u64, keccak: Keccak256) -> Vec<u8> {
    let messages: Vec<_> = prices.iter().map(PriceMessage::encode).collect();
    let leaves = 1usize << depth.min(16);
    // The other leaves are of other feeds; one stands for all.
    let mut levels = vec![vec![hash_leaf(b"another feed", keccak); leaves]];
    for (leaf, message) in levels[0].iter_mut().zip(&messages) {
        *leaf = hash_leaf(message, keccak);
    }
    while let Some(level) = levels.last()
        && level.len() > 1
    {
        let pairs = level.chunks_exact(2);
        let next = pairs.map(|pair| hash_node(&pair[0], &pair[1], keccak));
        levels.push(next.collect());
    }
    let root = levels.last().and_then(|top| top.first()).copied();
    let vaa = forged_vaa(root.unwrap_or_default(), slot);
    let mut data = Vec::from(*b"PNAU\x01\x00\x00\x00");
    data.extend_from_slice(&(vaa.len() as u16).to_be_bytes());
    data.extend_from_slice(&vaa);
    let held = messages.len().min(leaves);
    data.push(held as u8);
    for (index, message) in messages.iter().enumerate().take(held) {
        let proof: Vec<Hash160> = levels[..levels.len() - 1]
            .iter()
            .enumerate()
            .map(|(height, level)| level[(index >> height) ^ 1])
            .collect();
        data.extend_from_slice(&(message.len() as u16).to_be_bytes());
        data.extend_from_slice(message);
        data.push(proof.len() as u8);
        data.extend_from_slice(proof.as_flattened());
    }
    data
}

fn forged_vaa(root: Hash160, slot: u64) -> Vec<u8> {
    let mut vaa = vec![Vaa::VERSION];
    vaa.extend_from_slice(&0u32.to_be_bytes());
    vaa.push(SIGNATURES);
    for guardian in 0..SIGNATURES {
        vaa.push(guardian);
        vaa.resize(vaa.len() + GUARDIAN_SIGNATURE_BYTES - 1, 0);
    }
    // Timestamp and nonce, sender, sequence and consistency level.
    vaa.extend_from_slice(&[0; 8]);
    vaa.extend_from_slice(&SOURCE.chain.to_be_bytes());
    vaa.extend_from_slice(SOURCE.emitter.as_ref());
    vaa.extend_from_slice(&[0; 9]);
    vaa.extend_from_slice(&SignedRoot { slot, root }.encode());
    vaa
}
