//! The virtual machine, its program and its tokens.

use std::{env, path::PathBuf};

use ballast_abi::{Address, Instruction, spl};
use litesvm::{LiteSVM, types::FailedTransactionMetadata};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// A binary and the address it must be loaded at.
#[derive(Clone)]
pub struct Deployment {
    pub id: Address,
    pub file: PathBuf,
}

impl Deployment {
    /// The stand-in of this repository.
    pub fn stand_in() -> Self {
        let directory = env::var_os("BALLAST_DEPLOY_DIR").map_or_else(
            || {
                PathBuf::from(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../../target/deploy"
                ))
            },
            PathBuf::from,
        );
        Self {
            id: Address::new_from_array(localnet_whirlpool::ID.to_bytes()),
            file: directory.join("localnet_whirlpool.so"),
        }
    }

    /// Another Whirlpool binary, when the environment names one.
    pub fn foreign() -> Option<Self> {
        let file = PathBuf::from(env::var_os("BALLAST_WHIRLPOOL_SO")?);
        let id = env::var("BALLAST_WHIRLPOOL_ID").expect(
            "BALLAST_WHIRLPOOL_SO needs BALLAST_WHIRLPOOL_ID, the program id it was built for",
        );
        Some(Self {
            id: id.parse().expect("BALLAST_WHIRLPOOL_ID is no address"),
            file,
        })
    }

    /// What the tests run against.
    pub fn under_test() -> Self {
        Self::foreign().unwrap_or_else(Self::stand_in)
    }
}

/// What a transaction cost and said.
#[derive(Debug)]
pub struct Receipt {
    pub compute_units: u64,
    pub logs: Vec<String>,
}

/// Why a transaction failed: the custom error number if there is one, and everything as text.
#[derive(Debug)]
pub struct Failure {
    pub code: Option<u32>,
    pub text: String,
}

pub type Outcome = Result<Receipt, Failure>;

impl From<FailedTransactionMetadata> for Failure {
    fn from(failed: FailedTransactionMetadata) -> Self {
        let text = format!("{:?}", failed.err);
        let code = text
            .split_once("Custom(")
            .and_then(|(_, rest)| rest.split_once(')'))
            .and_then(|(number, _)| number.parse().ok());
        let logs = failed.meta.logs.join("\n");
        Self {
            code,
            text: format!("{text}\n{logs}"),
        }
    }
}

pub struct World {
    pub svm: LiteSVM,
    pub program: Address,
    pub payer: Keypair,
}

/// A key that depends on nothing but its name: both worlds of a comparison use the same ones.
pub fn key(name: &str, number: u64) -> Keypair {
    let mut seed = [0u8; 32];
    for (index, byte) in name.bytes().enumerate() {
        seed[index % 24] = seed[index % 24].wrapping_mul(31).wrapping_add(byte);
    }
    seed[24..].copy_from_slice(&number.to_le_bytes());
    Keypair::new_from_array(seed)
}

impl World {
    pub fn new(deployment: &Deployment) -> Self {
        // Mainnet's features: they admit the SBPF v0 of public Whirlpool binaries and the v3 of ours.
        let mut svm = LiteSVM::new().with_log_bytes_limit(None);
        let binary = std::fs::read(&deployment.file).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; build the stand-in with `cargo xtask build -p localnet-whirlpool`",
                deployment.file.display()
            )
        });
        svm.add_program(deployment.id, &binary).unwrap();
        let payer = key("payer", 0);
        svm.airdrop(&payer.pubkey(), 900_000_000_000_000).unwrap();
        Self {
            svm,
            program: deployment.id,
            payer,
        }
    }

    /// Sends instructions in one transaction; the payer signs first.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome {
        self.svm.expire_blockhash();
        let mut all = vec![compute_limit()];
        all.extend_from_slice(instructions);
        let message = Message::new(&all, Some(&self.payer.pubkey()));
        let payer = self.payer.insecure_clone();
        let mut keys = vec![&payer];
        keys.extend(
            signers
                .iter()
                .filter(|signer| signer.pubkey() != payer.pubkey()),
        );
        let transaction = Transaction::new(&keys, message, self.svm.latest_blockhash());
        let meta = self.svm.send_transaction(transaction)?;
        Ok(Receipt {
            // The limit itself costs 150.
            compute_units: meta.compute_units_consumed - 150,
            logs: meta.logs,
        })
    }

    pub fn account(&self, address: &Address) -> Option<Account> {
        self.svm
            .get_account(address)
            .filter(|account| account.lamports > 0)
    }

    pub fn data(&self, address: &Address) -> Vec<u8> {
        self.account(address)
            .map(|account| account.data)
            .unwrap_or_default()
    }

    pub fn set_time(&mut self, unix_timestamp: i64) {
        let mut clock: solana_clock::Clock = self.svm.get_sysvar();
        clock.unix_timestamp = unix_timestamp;
        self.svm.set_sysvar(&clock);
    }

    pub fn rent(&self, length: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(length)
    }

    /// Creates a mint whose authority is the payer.
    pub fn create_mint(&mut self, mint: &Keypair, token_program: Address, decimals: u8) {
        let payer = self.payer.pubkey();
        let instructions = [
            spl::create_account(
                payer,
                mint.pubkey(),
                self.rent(spl::MINT_LENGTH),
                spl::MINT_LENGTH as u64,
                token_program,
            ),
            spl::initialize_mint(token_program, mint.pubkey(), payer, decimals),
        ];
        self.send(&instructions, &[mint]).unwrap();
    }

    /// Mints into the owner's associated account, creating it first if need be.
    pub fn fund(
        &mut self,
        owner: Address,
        mint: Address,
        token_program: Address,
        amount: u64,
    ) -> Address {
        let payer = self.payer.pubkey();
        let (account, _) = spl::associated_token_account(&owner, &mint, &token_program);
        let instructions = [
            spl::create_associated_token_account_idempotent(payer, owner, mint, token_program),
            spl::mint_to(token_program, mint, account, payer, amount),
        ];
        self.send(&instructions, &[]).unwrap();
        account
    }

    pub fn balance(&self, token_account: &Address) -> u64 {
        spl::TokenAccountView::parse(&self.data(token_account))
            .unwrap()
            .amount()
    }
}

fn compute_limit() -> Instruction {
    let mut data = vec![2];
    data.extend(1_400_000u32.to_le_bytes());
    Instruction {
        program_id: "ComputeBudget111111111111111111111111111111"
            .parse()
            .unwrap(),
        accounts: vec![],
        data,
    }
}
