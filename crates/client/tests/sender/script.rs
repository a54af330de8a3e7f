//! A scripted cluster.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::{
    AccountFilter, Accounts, BallastError, Blockhash, Chain, ChainError, Confirmation, Instruction,
    OwnedAccounts, Prepared, Pubkey, Sender, SenderConfig, Signature, Simulation,
    TransactionRecord, TransactionStatus, VersionedTransaction,
};
use solana_sdk::{hash::Hash, instruction::InstructionError, transaction::TransactionError};

/// Last block height for which the script's blockhash is good.
pub const LAST_VALID: u64 = 150;

/// A cluster that answers as it is told. The block height rises by ten with every look at it.
#[derive(Default)]
pub struct Script {
    pub simulation: Option<TransactionError>,
    /// What happens to the next submissions; then they succeed.
    pub submissions: VecDeque<Result<(), ChainError>>,
    /// Answers to the next looks at the status; then `None`.
    pub statuses: VecDeque<Option<TransactionStatus>>,
    /// What is found once the history is searched.
    pub history: Option<TransactionStatus>,
    pub logs: Vec<String>,
    pub height: u64,
    pub height_step: u64,
    pub sent: Vec<Vec<u8>>,
    pub simulated: Vec<VersionedTransaction>,
    pub fees: Vec<u64>,
}

pub struct Scripted(pub Mutex<Script>);

impl Scripted {
    pub fn with<T>(&self, look: impl FnOnce(&mut Script) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

pub fn unreachable_node() -> ChainError {
    ChainError::Unreachable {
        endpoint: "script".into(),
        reason: "scripted".into(),
    }
}

#[async_trait]
impl Chain for Scripted {
    fn label(&self) -> String {
        "script".into()
    }

    async fn accounts(&self, _: &[Pubkey]) -> Result<Accounts, ChainError> {
        Err(unreachable_node())
    }

    async fn program_accounts(
        &self,
        _: &Pubkey,
        _: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        Err(unreachable_node())
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        Ok(Blockhash {
            hash: Hash::new_from_array([7; 32]),
            last_valid_block_height: LAST_VALID,
        })
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        Ok(self.with(|script| {
            script.height += script.height_step;
            script.height
        }))
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        Ok(1)
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError> {
        Ok(self.with(|script| {
            script.simulated.push(transaction.clone());
            Simulation {
                error: script.simulation.clone(),
                logs: script.logs.clone(),
                units: 100_000,
                return_data: None,
            }
        }))
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        self.with(|script| {
            script.sent.push(bincode::serialize(transaction).unwrap());
            script.submissions.pop_front().unwrap_or(Ok(()))
        })
    }

    async fn status(
        &self,
        _: &Signature,
        search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        Ok(self.with(|script| {
            if search_history {
                script.history.clone()
            } else {
                script.statuses.pop_front().flatten()
            }
        }))
    }

    async fn transaction(&self, _: &Signature) -> Result<Option<TransactionRecord>, ChainError> {
        Ok(self.with(|script| {
            Some(TransactionRecord {
                slot: 9,
                error: None,
                logs: script.logs.clone(),
                units: Some(77),
                fee_lamports: 5_000,
            })
        }))
    }

    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        Ok(self.with(|script| script.fees.clone()))
    }

    async fn rent_lamports(&self, _: usize) -> Result<u64, ChainError> {
        Ok(1)
    }
}

pub fn sender(script: Script) -> (Sender, Arc<Scripted>) {
    let chain = Arc::new(Scripted(Mutex::new(script)));
    let config = SenderConfig {
        poll: Duration::from_millis(400),
        resend: Duration::from_secs(2),
        deadline: Duration::from_secs(60),
        ..SenderConfig::default()
    };
    (Sender::new(chain.clone(), config), chain)
}

pub fn status(
    confirmation: Confirmation,
    error: Option<TransactionError>,
) -> Option<TransactionStatus> {
    Some(TransactionStatus {
        slot: 9,
        error,
        confirmation,
    })
}

pub fn instruction() -> Instruction {
    Instruction::new_with_bytes(ballast::ID, &[1], Vec::new())
}

pub fn custom(error: BallastError) -> TransactionError {
    // Instruction 1: the first one sets the compute limit.
    TransactionError::InstructionError(1, InstructionError::Custom(error.into()))
}

/// Compute-budget instructions of a transaction: limit and price.
pub fn budget(prepared: &Prepared) -> (u32, Option<u64>) {
    let (mut limit, mut price) = (0, None);
    for instruction in prepared.transaction().message.instructions() {
        match instruction.data.split_first() {
            Some((2, units)) => limit = u32::from_le_bytes(units.try_into().unwrap()),
            Some((3, fee)) => price = Some(u64::from_le_bytes(fee.try_into().unwrap())),
            _ => {}
        }
    }
    (limit, price)
}
