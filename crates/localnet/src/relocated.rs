//! A program at another address than the one it was compiled for.
//!
//! A program knows its own address: it refuses to run at another, and what it owns and derives follows from it. The stand-ins are compiled
//! for addresses of their own. Where they are to be what the real programs are on public clusters, the address in their code is replaced.

use anyhow::{Result, ensure};
use ballast_client::Pubkey;

/// The instruction that loads a constant of 64 bits: its first byte, and where the halves of the constant are.
const LOAD: u8 = 0x18;
const LOAD_BYTES: usize = 16;
const LOW: std::ops::Range<usize> = 4..8;
const HIGH: std::ops::Range<usize> = 12..16;
/// What lies between the halves.
const BETWEEN: std::ops::Range<usize> = 8..12;

/// The shared object with one address in place of another. It stands in the data as a whole, and in the code in four constants.
///
/// # Errors
/// If the address is nowhere in it.
pub(crate) fn relocated(mut elf: Vec<u8>, from: &Pubkey, to: &Pubkey) -> Result<Vec<u8>> {
    let (old, new) = (from.to_bytes(), to.to_bytes());
    let mut replaced = 0;
    let mut at = 0;
    while let Some(found) = elf.get_mut(at..at + old.len()) {
        if found == old {
            found.copy_from_slice(&new);
            replaced += 1;
        }
        at += 1;
    }
    let words = |address: &[u8; 32]| address.as_chunks::<8>().0.to_vec();
    let (old, new) = (words(&old), words(&new));
    // Instructions have 8 bytes, this one has 16.
    for at in (0..elf.len()).step_by(8) {
        let Some(code) = elf.get_mut(at..at + LOAD_BYTES) else {
            break;
        };
        if code[0] != LOAD || code[BETWEEN] != [0; 4] {
            continue;
        }
        let word = [&code[LOW], &code[HIGH]].concat();
        if let Some(index) = old.iter().position(|old| *old == *word) {
            let (low, high) = new[index].split_at(4);
            code[LOW].copy_from_slice(low);
            code[HIGH].copy_from_slice(high);
            replaced += 1;
        }
    }
    ensure!(
        replaced > 0,
        "{from} is nowhere in the program, so that it cannot be put at {to}"
    );
    Ok(elf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_replaced_in_data_and_in_code() {
        let from = Pubkey::new_from_array(std::array::from_fn(|index| index as u8 + 1));
        let to = Pubkey::new_from_array([0xee; 32]);
        let load = |low: &[u8], high: &[u8]| [&[LOAD, 1, 0, 0], low, &[0; 4], high].concat();
        let bytes = from.to_bytes();
        let code = load(&bytes[16..20], &bytes[20..24]);
        let other = load(&bytes[16..20], &[9; 4]);
        // Data need not be aligned.
        let elf = [&code[..], &other, &[7; 3], &bytes, &[7; 3]].concat();
        let moved = relocated(elf, &from, &to).unwrap();
        let expected = [
            &load(&[0xee; 4], &[0xee; 4])[..],
            &other,
            &[7; 3],
            &[0xee; 32],
            &[7; 3],
        ];
        assert_eq!(moved, expected.concat());
        assert!(relocated(moved, &from, &to).is_err());
    }
}
