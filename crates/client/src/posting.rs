//! Posts prices with full verification through Pyth's receiver: the signed message is written into an account of the Wormhole
//! program, verified there, and each price is posted out of it. That takes more than one transaction has room for, so that the
//! instructions are packed into as few as can be, to be sent one after the other.

use ballast_abi::{
    pyth::{
        MerkleUpdate, UpdateError, Vaa, receiver,
        wormhole::{
            self, CloseEncodedVaa, CloseEncodedVaaAccounts, EncodedVaa, InitEncodedVaa,
            InitEncodedVaaAccounts, VerifyEncodedVaaV1, VerifyEncodedVaaV1Accounts,
            WriteEncodedVaaAccounts,
        },
    },
    spl, system,
};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::{
    hash::Hash,
    instruction::Instruction,
    message::{VersionedMessage, v0},
    pubkey::Pubkey,
    signature::Signature,
};

use crate::transaction::{BuildError, MAX_TRANSACTION_BYTES};

/// How much of a message one instruction writes: with it the account is created in one transaction.
const PART_BYTES: usize = 740;
/// Compute units that posting two prices may need in all, see [`compute_units`].
pub const POSTING_UNITS: u32 = 720_000;
/// Tells a keeper's message account from its other accounts with seeds.
const SEED: &str = "ballast price message";

/// Who posts, through which programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Pays and signs; may write and close what it creates.
    pub payer: Pubkey,
    /// The receiver.
    pub receiver: Pubkey,
    /// The Wormhole program that the receiver relies on, see [`ReceiverConfig`](ballast_abi::pyth::ReceiverConfig).
    pub wormhole: Pubkey,
    /// Which of the receiver's treasuries takes the fee.
    pub treasury_id: u8,
}

/// The state of the account that messages are written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageAccount {
    /// An earlier message is in it, whose posting was not finished.
    pub is_left_over: bool,
    /// Lamports that it has beside those of an earlier message.
    pub lamports: u64,
    /// Lamports that it needs for this message.
    pub rent_lamports: u64,
}

/// A price to be posted.
#[derive(Clone, Copy, Debug)]
pub struct PricePosting<'a> {
    /// The message and its way to the signed root.
    pub update: MerkleUpdate<'a>,
    /// The account that it is posted to. It signs.
    pub account: Pubkey,
}

impl Posting {
    /// The account that messages are written into, one at a time. It is closed again with the last price.
    ///
    /// # Errors
    /// [`BuildError::Compile`] for a Wormhole program that no account with a seed can belong to.
    pub fn message_address(&self) -> Result<Pubkey, BuildError> {
        Pubkey::create_with_seed(&self.payer, SEED, &self.wormhole)
            .map_err(|error| BuildError::Compile(error.to_string()))
    }

    /// Everything from the signed message to the posted prices, in order.
    ///
    /// # Errors
    /// [`PostingError`] for a message that is none.
    pub fn instructions(
        &self,
        vaa: &[u8],
        account: &MessageAccount,
        prices: &[PricePosting],
    ) -> Result<Vec<Instruction>, PostingError> {
        let guardian_set_index = Vaa::parse(vaa)?.guardian_set_index;
        let (payer, encoded_vaa) = (self.payer, self.message_address()?);
        let close = CloseEncodedVaa {}.instruction(
            self.wormhole,
            &CloseEncodedVaaAccounts {
                write_authority: payer,
                encoded_vaa,
            },
        );
        let mut all = Vec::new();
        if account.is_left_over {
            all.push(close.clone());
        }
        // A closed account has nothing, and one that somebody has sent lamports to can still be allocated.
        let missing = account.rent_lamports.saturating_sub(account.lamports);
        let length = EncodedVaa::length(vaa.len()) as u64;
        all.push(system::transfer(payer, encoded_vaa, missing));
        all.push(system::allocate_with_seed(
            encoded_vaa,
            payer,
            SEED,
            length,
            self.wormhole,
        ));
        let init = InitEncodedVaaAccounts {
            write_authority: payer,
            encoded_vaa,
        };
        all.push(InitEncodedVaa {}.instruction(self.wormhole, &init));
        let draft = WriteEncodedVaaAccounts {
            write_authority: payer,
            draft_vaa: encoded_vaa,
        };
        let parts = vaa.chunks(PART_BYTES).enumerate();
        all.extend(parts.map(|(number, part)| {
            let index = (number * PART_BYTES) as u32;
            wormhole::write_encoded_vaa(self.wormhole, &draft, index, part)
        }));
        let verify = VerifyEncodedVaaV1Accounts {
            write_authority: payer,
            draft_vaa: encoded_vaa,
            guardian_set: wormhole::guardian_set(&self.wormhole, guardian_set_index),
        };
        all.push(VerifyEncodedVaaV1 {}.instruction(self.wormhole, &verify));
        all.extend(prices.iter().map(|price| {
            let accounts = receiver::PostUpdateAccounts {
                payer,
                encoded_vaa,
                config: receiver::config(&self.receiver),
                treasury: receiver::treasury(&self.receiver, self.treasury_id),
                price_update_account: price.account,
                system_program: spl::SYSTEM_PROGRAM,
                write_authority: payer,
            };
            receiver::post_update(self.receiver, &accounts, &price.update, self.treasury_id)
        }));
        all.push(close);
        Ok(all)
    }
}

/// Why prices cannot be posted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// The message is none.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// An instruction fits no transaction.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Packs instructions into transactions, in order, as many into each as fit beside compute limit and priority fee.
///
/// # Errors
/// [`BuildError::TooLong`] for an instruction that fits none.
pub fn pack(
    payer: &Pubkey,
    instructions: Vec<Instruction>,
) -> Result<Vec<Vec<Instruction>>, BuildError> {
    let fits = |transaction: &[Instruction]| {
        length(payer, transaction).map(|bytes| bytes <= MAX_TRANSACTION_BYTES)
    };
    let mut packed = Vec::new();
    let mut filling: Vec<Instruction> = Vec::new();
    for instruction in instructions {
        filling.push(instruction);
        if fits(&filling)? {
            continue;
        }
        let last = filling.split_off(filling.len() - 1);
        if !filling.is_empty() {
            packed.push(filling);
        }
        filling = last;
        if !fits(&filling)? {
            let bytes = length(payer, &filling)?;
            return Err(BuildError::TooLong { bytes });
        }
    }
    if !filling.is_empty() {
        packed.push(filling);
    }
    Ok(packed)
}

/// Compute units that these instructions may need. What comes before has only just landed when they are sent, so that a simulation
/// on a node that lags would fail: the limits are what the programs are known to need, with a margin.
pub fn compute_units(instructions: &[Instruction]) -> u32 {
    let units = |instruction: &Instruction| {
        let is = |discriminator: [u8; 8]| instruction.data.starts_with(&discriminator);
        if is(VerifyEncodedVaaV1::DISCRIMINATOR) {
            // 13 signatures.
            450_000
        } else if is(receiver::POST_UPDATE) {
            70_000
        } else if is(CloseEncodedVaa::DISCRIMINATOR) {
            40_000
        } else {
            10_000
        }
    };
    instructions.iter().map(units).sum()
}

/// Bytes of the transaction with these instructions.
fn length(payer: &Pubkey, instructions: &[Instruction]) -> Result<usize, BuildError> {
    let mut all = vec![
        ComputeBudgetInstruction::set_compute_unit_limit(u32::MAX),
        ComputeBudgetInstruction::set_compute_unit_price(u64::MAX),
    ];
    all.extend_from_slice(instructions);
    let message = v0::Message::try_compile(payer, &all, &[], Hash::default())
        .map_err(|error| BuildError::Compile(error.to_string()))?;
    let signatures = usize::from(message.header.num_required_signatures);
    let bytes = VersionedMessage::V0(message).serialize().len();
    Ok(1 + signatures * size_of::<Signature>() + bytes)
}

#[cfg(test)]
mod tests {
    use ballast_abi::pyth::{AccumulatorUpdate, PriceMessage, stand_in::forged_update};

    use super::*;

    fn keccak(parts: &[&[u8]]) -> [u8; 32] {
        solana_keccak_hasher::hashv(parts).to_bytes()
    }

    fn update(depth: u32) -> Vec<u8> {
        let price = |number| PriceMessage {
            feed_id: [number; 32],
            price: 1,
            conf: 1,
            exponent: -8,
            publish_time: 1,
            previous_publish_time: 1,
            ema_price: 1,
            ema_conf: 1,
        };
        forged_update(&[price(1), price(2)], depth, 1, keccak)
    }

    fn posting() -> Posting {
        Posting {
            payer: Pubkey::new_from_array([1; 32]),
            receiver: Pubkey::new_from_array([2; 32]),
            wormhole: Pubkey::new_from_array([3; 32]),
            treasury_id: 0,
        }
    }

    fn packed(depth: u32, is_left_over: bool) -> Vec<Vec<Instruction>> {
        let data = update(depth);
        let update = AccumulatorUpdate::parse(&data).unwrap();
        let prices: Vec<_> = update
            .updates
            .iter()
            .enumerate()
            .map(|(number, update)| PricePosting {
                update: *update,
                account: Pubkey::new_from_array([10 + number as u8; 32]),
            })
            .collect();
        let account = MessageAccount {
            is_left_over,
            lamports: 5,
            rent_lamports: 12,
        };
        let posting = posting();
        let all = posting.instructions(update.vaa, &account, &prices).unwrap();
        let packed = pack(&posting.payer, all.clone()).unwrap();
        assert_eq!(packed.concat(), all);
        for transaction in &packed {
            assert!(length(&posting.payer, transaction).unwrap() <= MAX_TRANSACTION_BYTES);
        }
        packed
    }

    #[test]
    fn two_prices_take_three_transactions_up_to_the_depth_of_trees_of_thousands_of_feeds() {
        for depth in 1..=12 {
            for is_left_over in [false, true] {
                let packed = packed(depth, is_left_over);
                // Small trees need less.
                let expected = if depth < 6 { 2..=3 } else { 3..=3 };
                assert!(expected.contains(&packed.len()), "{depth} {is_left_over}");
                // The first writes, the second verifies.
                let verify = |instruction: &Instruction| {
                    instruction.data == VerifyEncodedVaaV1::DISCRIMINATOR
                };
                assert!(packed[1].iter().any(verify));
            }
        }
    }

    #[test]
    fn the_message_is_written_whole_and_its_account_funded_and_closed() {
        let packed = packed(8, true);
        let all = packed.concat();
        let data = update(8);
        let vaa = AccumulatorUpdate::parse(&data).unwrap().vaa;
        let mut written = vec![0; vaa.len()];
        for write in &all {
            if let Some(args) = write.data.strip_prefix(&wormhole::WRITE_ENCODED_VAA) {
                let index = u32::from_le_bytes(*args.first_chunk().unwrap()) as usize;
                let part = &args[8..];
                assert_eq!(args[4..8], (part.len() as u32).to_le_bytes());
                written[index..index + part.len()].copy_from_slice(part);
            }
        }
        assert_eq!(written, vaa);
        let closes =
            |instruction: &&Instruction| instruction.data == CloseEncodedVaa::DISCRIMINATOR;
        assert_eq!(all.iter().filter(closes).count(), 2);
        assert!(closes(&all.first().unwrap()) && closes(&all.last().unwrap()));
        // 12 are needed, 5 are there.
        let address = posting().message_address().unwrap();
        assert_eq!(all[1], system::transfer(posting().payer, address, 7));
        assert_eq!(compute_units(&all), POSTING_UNITS);
    }

    #[test]
    fn what_is_no_signed_message_and_what_fits_nowhere_is_refused() {
        let account = MessageAccount {
            is_left_over: false,
            lamports: 0,
            rent_lamports: 1,
        };
        assert!(matches!(
            posting().instructions(&[1, 2], &account, &[]),
            Err(PostingError::Update(UpdateError::Truncated { .. }))
        ));
        let long = Instruction::new_with_bytes(posting().receiver, &[0; 1_232], Vec::new());
        assert!(matches!(
            pack(&posting().payer, vec![long]),
            Err(BuildError::TooLong { bytes }) if bytes > MAX_TRANSACTION_BYTES
        ));
        assert_eq!(pack(&posting().payer, Vec::new()), Ok(Vec::new()));
    }
}
