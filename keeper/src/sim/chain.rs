//! The world as a keeper sees it through its nodes.

use std::{sync::atomic::Ordering, time::Duration};

use anchor_lang::Discriminator;
use async_trait::async_trait;
use ballast_client::{
    Account, AccountFilter, Accounts, BallastError, Blockhash, Chain, ChainError, Confirmation,
    OwnedAccounts, Position, Simulation, TransactionRecord, TransactionStatus,
    VersionedTransaction,
};
use ballast_model::Amounts;
use solana_sdk::{
    instruction::InstructionError, pubkey::Pubkey, signature::Signature,
    transaction::TransactionError,
};
use tokio::time::sleep;

use super::{World, bytes, execution::custom, world::Inner};

impl World {
    /// Whether the node answers such questions at all.
    fn require_answer(&self, what: &'static str) -> Result<(), ChainError> {
        if self.lock().refused.contains(what) {
            return Err(ChainError::Refused {
                endpoint: self.label(),
                what,
                reason: "this method is not for you".into(),
            });
        }
        Ok(())
    }

    /// Slots by which this node lags.
    fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }

    /// Slot of the node that answers: the confirmed one, or an older one.
    fn answering_slot(&self, inner: &mut Inner) -> u64 {
        let (lags, most) = (inner.faults.lags, inner.faults.lag_slots);
        let lag = match lags {
            100 => most,
            _ if inner.chance(lags) => inner.random(most + 1),
            _ => 0,
        };
        let confirmed = inner.confirmed_slot();
        inner.stands_at.unwrap_or(confirmed) - lag - self.lag()
    }

    /// One operation: takes a moment, may be the one at which the keeper dies, may fail before or after its effect.
    async fn operation<T>(&self, effect: impl FnOnce(&mut Inner) -> T) -> Result<T, ChainError> {
        let dead = std::future::pending::<()>;
        if self.crash.has_happened() {
            dead().await;
        }
        let latency = 1 + self.lock().random(60);
        sleep(Duration::from_millis(latency)).await;
        if self.crash.has_happened() {
            dead().await;
        }
        let strikes = self.crash.strikes();
        let (answer, answered) = {
            let mut inner = self.lock();
            let no_answer = inner.faults.no_answer;
            // Whether the question arrives, and whether the answer does.
            let arrives = if strikes {
                inner.chance(50)
            } else {
                !inner.chance(no_answer)
            };
            let answer = arrives.then(|| effect(&mut inner));
            let answered = !inner.chance(no_answer);
            (answer, answered)
        };
        if strikes {
            dead().await;
        }
        answer
            .filter(|_| answered)
            .ok_or_else(|| ChainError::Unreachable {
                endpoint: self.label(),
                reason: "timeout".into(),
            })
    }
}

#[async_trait]
impl Chain for World {
    fn label(&self) -> String {
        "simulation".into()
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        self.operation(|inner| {
            let slot = self.answering_slot(inner);
            let state = inner.state_at(slot);
            let context = bytes::context();
            let market = bytes::market_accounts(&state.market, slot);
            let known = context.snapshot_addresses();
            let find = |address: &Pubkey| -> Option<Account> {
                if let Some(index) = known.iter().position(|known| known == address) {
                    return market.accounts[index].clone();
                }
                if [context.base.mint, context.quote.mint].contains(address) {
                    return Some(bytes::mint_account());
                }
                let position = state.positions.get(address).map(bytes::position_account);
                let earned = || {
                    let found = state
                        .positions
                        .iter()
                        .find(|(position, _)| bytes::whirlpool_position(position) == *address);
                    let (of, position) = found?;
                    let fees = state.fees.get(of).copied().unwrap_or(Amounts::ZERO);
                    Some(bytes::whirlpool_position_account(position, fees))
                };
                position
                    .or_else(earned)
                    .or_else(|| inner.others.get(address).cloned())
                    .or_else(|| inner.tables.get(address).cloned())
            };
            Accounts {
                slot,
                accounts: addresses.iter().map(find).collect(),
            }
        })
        .await
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        self.require_answer(if *program == ballast::ID {
            "positions"
        } else {
            "tables"
        })?;
        if *program != ballast::ID {
            let answer = |inner: &mut Inner| OwnedAccounts {
                slot: None,
                accounts: inner.tables.clone().into_iter().collect(),
            };
            return self.operation(answer).await;
        }
        assert_eq!(filters[0].bytes, Position::DISCRIMINATOR);
        self.operation(|inner| {
            let slot = self.answering_slot(inner);
            let mut positions = inner.state_at(slot).positions;
            if inner.finds_nothing {
                positions.clear();
            }
            let accounts = positions
                .iter()
                .map(|(address, position)| (*address, bytes::position_account(position)));
            OwnedAccounts {
                slot: Some(slot),
                accounts: accounts.collect(),
            }
        })
        .await
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        self.operation(Inner::blockhash).await
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        self.operation(|inner| inner.block_height() - self.lag())
            .await
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        // Behind a balancer another node may answer, unless all lag.
        let slot = |inner: &mut Inner| {
            let lag = match inner.faults.lags {
                100 => inner.faults.lag_slots,
                _ => 0,
            };
            inner.stands_at.unwrap_or(inner.confirmed_slot()) - lag - self.lag()
        };
        self.operation(slot).await
    }

    async fn first_available_slot(&self) -> Result<Option<u64>, ChainError> {
        self.operation(|_| Some(self.first_slot.load(Ordering::Relaxed)))
            .await
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError> {
        self.operation(|inner| {
            inner.simulated.push(transaction.clone());
            let (position, action) = inner.read(transaction);
            if inner.moves_in_vain(transaction) {
                let pool = bytes::context().market.whirlpool_program;
                let code = InstructionError::Custom(101);
                return Simulation {
                    error: Some(TransactionError::InstructionError(2, code)),
                    logs: vec![
                        format!("Program {} invoke [1]", ballast::ID),
                        format!("Program {pool} invoke [2]"),
                        format!("Program {pool} failed: custom program error: 0x65"),
                        format!("Program {} failed: custom program error: 0x65", ballast::ID),
                    ],
                    units: 90_000,
                    return_data: None,
                };
            }
            let error = (!inner.would_succeed(&position, action))
                .then(|| custom(BallastError::RehedgeNotDue));
            Simulation {
                error,
                logs: Vec::new(),
                units: 90_000,
                return_data: None,
            }
        })
        .await
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        self.operation(|inner| inner.submit(transaction)).await
    }

    async fn status(
        &self,
        signature: &Signature,
        search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        self.require_answer("statuses")?;
        if search_history && self.lock().no_history {
            return Err(ChainError::Refused {
                endpoint: self.label(),
                what: "getSignatureStatuses",
                reason: "Transaction history is not available from this node".into(),
            });
        }
        self.operation(|inner| {
            let slot = self.answering_slot(inner) + super::world::CONFIRMED_LAG;
            let known = inner.transactions.get(signature)?;
            let kept = self.first_slot.load(Ordering::Relaxed)..=slot;
            let included = known.lands_at.filter(|at| kept.contains(at))?;
            let confirmed = included + super::world::CONFIRMED_LAG <= slot;
            let is_final = included + super::world::FINAL_LAG <= slot;
            Some(TransactionStatus {
                slot: included,
                error: known.result.clone()?.err(),
                confirmation: match (is_final, confirmed) {
                    (true, _) => Confirmation::Finalized,
                    (false, true) => Confirmation::Confirmed,
                    (false, false) => Confirmation::Processed,
                },
            })
        })
        .await
    }

    async fn transaction(&self, _: &Signature) -> Result<Option<TransactionRecord>, ChainError> {
        Ok(None)
    }

    async fn newest_signature(&self, _: &Pubkey) -> Result<Option<Signature>, ChainError> {
        self.require_answer("signatures")?;
        self.operation(|inner| inner.newest).await
    }

    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        Ok(Vec::new())
    }

    async fn rent_lamports(&self, _: usize) -> Result<u64, ChainError> {
        Ok(0)
    }
}
