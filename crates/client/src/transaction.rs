//! Version-0 transactions.

use solana_sdk::{
    hash::Hash,
    instruction::Instruction,
    message::{AddressLookupTableAccount, VersionedMessage, v0},
    pubkey::Pubkey,
    signature::Signature,
    signer::Signer,
    transaction::VersionedTransaction,
};
use thiserror::Error;

/// Most bytes that a transaction may have.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;

/// Why a transaction could not be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// Too many or inconsistent accounts.
    #[error("the instructions do not fit one transaction: {0}")]
    Compile(String),
    /// Too many bytes.
    #[error(
        "the transaction has {bytes} bytes, {MAX_TRANSACTION_BYTES} are allowed: pass the market's lookup table"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nobody signs for an address.
    #[error("no signer for {0}, which the instructions want to sign")]
    MissingSigner(Pubkey),
    /// A signer refused.
    #[error("the signer of {signer} failed: {reason}")]
    Signer {
        /// Whose.
        signer: Pubkey,
        /// What it said.
        reason: String,
    },
    /// Bytes that are no transaction.
    #[error("these bytes are no signed transaction: {0}")]
    Malformed(String),
}

/// Compiles and signs. `signers` must include the payer and everyone whom an instruction wants to sign.
///
/// # Errors
/// [`BuildError`].
pub fn build(
    payer: &Pubkey,
    instructions: &[Instruction],
    tables: &[AddressLookupTableAccount],
    blockhash: Hash,
    signers: &[&(dyn Signer + Sync)],
) -> Result<VersionedTransaction, BuildError> {
    sign(
        compile(payer, instructions, tables, blockhash)?,
        signers,
        None,
    )
}

/// What is to be signed.
pub(crate) fn compile(
    payer: &Pubkey,
    instructions: &[Instruction],
    tables: &[AddressLookupTableAccount],
    blockhash: Hash,
) -> Result<VersionedMessage, BuildError> {
    let message = v0::Message::try_compile(payer, instructions, tables, blockhash)
        .map_err(|error| BuildError::Compile(error.to_string()))?;
    let message = VersionedMessage::V0(message);
    let signatures = usize::from(message.header().num_required_signatures);
    // Their number fits one byte, as nobody can have 128 of them in a transaction.
    let bytes = 1 + signatures * size_of::<Signature>() + message.serialize().len();
    if bytes > MAX_TRANSACTION_BYTES {
        return Err(BuildError::TooLong { bytes });
    }
    Ok(message)
}

/// Signs a message. `of_payer`: the payer's signature, where none of `signers` makes it.
pub(crate) fn sign(
    message: VersionedMessage,
    signers: &[&(dyn Signer + Sync)],
    of_payer: Option<Signature>,
) -> Result<VersionedTransaction, BuildError> {
    let bytes = message.serialize();
    let required = usize::from(message.header().num_required_signatures);
    let keys = message.static_account_keys().iter().take(required);
    let signatures = keys.enumerate().map(|(index, key)| {
        if let (0, Some(signature)) = (index, of_payer) {
            return Ok(signature);
        }
        let signer = signers.iter().find(|signer| signer.pubkey() == *key);
        let signer = signer.ok_or(BuildError::MissingSigner(*key))?;
        signer
            .try_sign_message(&bytes)
            .map_err(|error| BuildError::Signer {
                signer: *key,
                reason: error.to_string(),
            })
    });
    Ok(VersionedTransaction {
        signatures: signatures.collect::<Result<_, _>>()?,
        message,
    })
}

/// Bytes on the wire. Empty only if the transaction cannot be serialised, which no compiled message is.
fn to_bytes(transaction: &VersionedTransaction) -> Vec<u8> {
    bincode::serialize(transaction).unwrap_or_default()
}

/// A signed transaction that is ready to be sent, and sent again, byte for byte. Worth a journal entry before the first
/// time: with [`Prepared::to_bytes`] and [`Prepared::last_valid_block_height`] it can be taken up after a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    transaction: VersionedTransaction,
    signature: Signature,
    last_valid_block_height: u64,
}

impl Prepared {
    /// Wraps a signed transaction.
    ///
    /// # Errors
    /// [`BuildError::Malformed`] without a signature.
    pub fn new(
        transaction: VersionedTransaction,
        last_valid_block_height: u64,
    ) -> Result<Self, BuildError> {
        let signature = transaction.signatures.first().copied();
        let signature =
            signature.ok_or_else(|| BuildError::Malformed("it has no signature".into()))?;
        Ok(Self {
            transaction,
            signature,
            last_valid_block_height,
        })
    }

    /// Takes up a transaction from its bytes. Its signatures are checked.
    ///
    /// # Errors
    /// [`BuildError::Malformed`].
    pub fn from_bytes(bytes: &[u8], last_valid_block_height: u64) -> Result<Self, BuildError> {
        let transaction: VersionedTransaction = bincode::deserialize(bytes)
            .map_err(|error| BuildError::Malformed(error.to_string()))?;
        if !transaction.verify_with_results().iter().all(|valid| *valid) {
            return Err(BuildError::Malformed("a signature does not match".into()));
        }
        Self::new(transaction, last_valid_block_height)
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&self.transaction)
    }

    /// The transaction.
    pub fn transaction(&self) -> &VersionedTransaction {
        &self.transaction
    }

    /// Its first signature, by which it is known.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Above this block height it can never land.
    pub fn last_valid_block_height(&self) -> u64 {
        self.last_valid_block_height
    }

    /// Programs of its instructions, in order.
    pub fn programs(&self) -> Vec<Pubkey> {
        programs(&self.transaction)
    }
}

pub(crate) fn programs(transaction: &VersionedTransaction) -> Vec<Pubkey> {
    let keys = transaction.message.static_account_keys();
    let program = |index: u8| keys.get(usize::from(index)).copied().unwrap_or_default();
    let instructions = transaction.message.instructions();
    instructions
        .iter()
        .map(|instruction| program(instruction.program_id_index))
        .collect()
}

#[cfg(test)]
mod tests {
    use solana_sdk::{instruction::AccountMeta, signature::Keypair};

    use super::*;

    fn instruction(accounts: usize, signer: Option<Pubkey>) -> Instruction {
        let mut metas: Vec<_> = (0..accounts)
            .map(|_| AccountMeta::new(Pubkey::new_unique(), false))
            .collect();
        metas.extend(signer.map(|signer| AccountMeta::new_readonly(signer, true)));
        Instruction::new_with_bytes(ballast::ID, &[7], metas)
    }

    #[test]
    fn a_lookup_table_makes_room() {
        let payer = Keypair::new();
        let long = [instruction(40, None)];
        let build = |tables: &[AddressLookupTableAccount]| {
            build(&payer.pubkey(), &long, tables, Hash::default(), &[&payer])
        };
        assert!(
            matches!(build(&[]), Err(BuildError::TooLong { bytes }) if bytes > MAX_TRANSACTION_BYTES)
        );
        let table = AddressLookupTableAccount {
            key: Pubkey::new_unique(),
            addresses: long[0].accounts.iter().map(|meta| meta.pubkey).collect(),
        };
        let short = build(&[table]).unwrap();
        assert!(to_bytes(&short).len() < 400);
        assert_eq!(programs(&short), [ballast::ID]);
    }

    #[test]
    fn every_signer_is_needed() {
        let (payer, other) = (Keypair::new(), Keypair::new());
        let instructions = [instruction(1, Some(other.pubkey()))];
        let error = build(
            &payer.pubkey(),
            &instructions,
            &[],
            Hash::default(),
            &[&payer],
        )
        .unwrap_err();
        assert_eq!(error, BuildError::MissingSigner(other.pubkey()));
        build(
            &payer.pubkey(),
            &instructions,
            &[],
            Hash::default(),
            &[&other, &payer],
        )
        .unwrap();
    }

    #[test]
    fn a_journaled_transaction_is_the_same_and_a_damaged_one_is_refused() {
        let payer = Keypair::new();
        let transaction = build(
            &payer.pubkey(),
            &[instruction(1, None)],
            &[],
            Hash::default(),
            &[&payer],
        )
        .unwrap();
        let prepared = Prepared::new(transaction, 9).unwrap();
        let mut bytes = prepared.to_bytes();
        assert_eq!(Prepared::from_bytes(&bytes, 9).unwrap(), prepared);
        assert!(matches!(
            Prepared::from_bytes(&bytes[..20], 9),
            Err(BuildError::Malformed(_))
        ));
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        assert!(matches!(
            Prepared::from_bytes(&bytes, 9),
            Err(BuildError::Malformed(_))
        ));
    }
}
