//! The stand-in in litesvm.

use std::{env, path::PathBuf};

use ballast_abi::{Address, Instruction};
use litesvm::LiteSVM;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::{InstructionError, Transaction, TransactionError};

pub const PROGRAM: Address = Address::new_from_array(localnet_pyth::ID.to_bytes());

pub struct World {
    pub svm: LiteSVM,
    pub payer: Keypair,
}

impl World {
    pub fn new() -> Self {
        let directory = env::var_os("BALLAST_DEPLOY_DIR").map_or_else(
            || {
                PathBuf::from(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../../target/deploy"
                ))
            },
            PathBuf::from,
        );
        let mut svm = LiteSVM::new();
        svm.add_program_from_file(PROGRAM, directory.join("localnet_pyth.so"))
            .expect("build the stand-in with `cargo xtask build -p localnet-pyth`");
        let payer = Keypair::new_from_array([7; 32]);
        svm.airdrop(&payer.pubkey(), 1_000_000_000).unwrap();
        Self { svm, payer }
    }

    /// Somebody else with lamports.
    pub fn stranger(&mut self) -> Keypair {
        let stranger = Keypair::new_from_array([8; 32]);
        self.svm.airdrop(&stranger.pubkey(), 1_000_000_000).unwrap();
        stranger
    }

    /// Sends instructions that the payer and others sign; the error is the number of the program's.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<(), u32> {
        self.svm.expire_blockhash();
        let message = Message::new(instructions, Some(&self.payer.pubkey()));
        let mut all = vec![&self.payer];
        all.extend(signers);
        let transaction = Transaction::new(&all, message, self.svm.latest_blockhash());
        match self.svm.send_transaction(transaction) {
            Ok(_) => Ok(()),
            Err(failed) => match failed.err {
                TransactionError::InstructionError(_, InstructionError::Custom(code)) => Err(code),
                other => panic!("{other:?}"),
            },
        }
    }
}
