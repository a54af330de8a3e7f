//! What a block engine is paid: a transfer at the end of the transaction that it is for, so that nothing is paid unless that lands.

use ballast_abi::spl::SYSTEM_PROGRAM;
use solana_sdk::{
    instruction::{AccountMeta, Instruction},
    pubkey::Pubkey,
    transaction::VersionedTransaction,
};

/// Tag of the system program's transfer, followed by the lamports.
const TRANSFER: u32 = 2;

/// Pays a tip.
pub fn tip_instruction(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    let data = [&TRANSFER.to_le_bytes()[..], &lamports.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)];
    Instruction {
        program_id: SYSTEM_PROGRAM,
        accounts,
        data,
    }
}

/// The tip that a transaction pays to one of these accounts with its last instruction, if it does.
pub fn tip_lamports(transaction: &VersionedTransaction, accounts: &[Pubkey]) -> Option<u64> {
    let keys = transaction.message.static_account_keys();
    let key = |index: &u8| keys.get(usize::from(*index));
    let last = transaction.message.instructions().last()?;
    let [_, to] = last.accounts.as_slice() else {
        return None;
    };
    let (tag, lamports) = last.data.split_first_chunk::<4>()?;
    let is_tip = key(&last.program_id_index) == Some(&SYSTEM_PROGRAM)
        && u32::from_le_bytes(*tag) == TRANSFER
        && accounts.contains(key(to)?);
    is_tip.then(|| Some(u64::from_le_bytes(lamports.try_into().ok()?)))?
}

#[cfg(test)]
mod tests {
    use solana_sdk::{hash::Hash, signature::Keypair, signer::Signer};

    use super::*;
    use crate::transaction::build;

    #[test]
    fn only_a_transfer_to_one_of_them_at_the_end_is_a_tip() {
        let payer = Keypair::new();
        let [one, other] = [Pubkey::new_unique(), Pubkey::new_unique()];
        let tip = |to: &Pubkey| tip_instruction(&payer.pubkey(), to, 12_345);
        let nothing = Instruction::new_with_bytes(ballast::ID, &[7], Vec::new());
        let paid = |instructions: &[Instruction]| {
            let hash = Hash::default();
            let built = build(&payer.pubkey(), instructions, &[], hash, &[&payer]);
            tip_lamports(&built.unwrap(), &[one])
        };
        assert_eq!(paid(&[nothing.clone(), tip(&one)]), Some(12_345));
        assert_eq!(paid(&[nothing.clone(), tip(&other)]), None);
        assert_eq!(paid(&[tip(&one), nothing.clone()]), None);
        assert_eq!(paid(std::slice::from_ref(&nothing)), None);
        assert_eq!(paid(&[]), None);
        let mut assigned = tip(&one);
        assigned.data[0] = 1;
        assert_eq!(paid(&[nothing.clone(), assigned]), None);
        let mut cut = tip(&one);
        cut.data.pop();
        assert_eq!(paid(&[nothing, cut]), None);
    }

    #[test]
    fn the_system_program_understands_it() {
        let (from, to) = (Pubkey::new_unique(), Pubkey::new_unique());
        let tip = tip_instruction(&from, &to, 7);
        assert_eq!(tip.data, [2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert!(tip.accounts[0].is_signer && tip.accounts[0].is_writable);
        assert!(!tip.accounts[1].is_signer && tip.accounts[1].is_writable);
    }
}
