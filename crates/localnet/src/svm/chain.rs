//! The runtime as a [`Chain`].

use async_trait::async_trait;
use ballast_client::{
    Account, AccountFilter, Accounts, Blockhash, Chain, ChainError, Confirmation, OwnedAccounts,
    Pubkey, Signature, Simulation, TransactionRecord, TransactionStatus, VersionedTransaction,
};

use super::{BLOCKHASH_LIFE, MAX_COMPUTE_UNITS, Svm, show};

fn for_runtime(
    transaction: &VersionedTransaction,
) -> Result<solana_transaction::versioned::VersionedTransaction, bincode::Error> {
    bincode::deserialize(&bincode::serialize(transaction)?)
}

fn from_runtime(account: solana_account::Account) -> Account {
    Account {
        lamports: account.lamports,
        data: account.data,
        owner: account.owner,
        executable: account.executable,
        rent_epoch: account.rent_epoch,
    }
}

#[async_trait]
impl Chain for Svm {
    fn label(&self) -> String {
        "the SVM".into()
    }

    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Accounts, ChainError> {
        let state = self.state();
        // The runtime keeps closed accounts as empty ones.
        let account = |address| {
            state
                .vm
                .get_account(address)
                .filter(|account| account.lamports > 0)
        };
        Ok(Accounts {
            slot: state.slot(),
            accounts: addresses
                .iter()
                .map(|address| account(address).map(from_runtime))
                .collect(),
        })
    }

    async fn program_accounts(
        &self,
        program: &Pubkey,
        filters: &[AccountFilter],
    ) -> Result<OwnedAccounts, ChainError> {
        let state = self.state();
        let matches = |account: &solana_account::Account| {
            filters.iter().all(|filter| {
                account
                    .data
                    .get(filter.offset..)
                    .is_some_and(|rest| rest.starts_with(&filter.bytes))
            })
        };
        let accounts = state.vm.get_program_accounts(program);
        let accounts = accounts
            .into_iter()
            .filter(|(_, account)| account.lamports > 0 && matches(account));
        Ok(OwnedAccounts {
            slot: Some(state.slot()),
            accounts: accounts
                .map(|(address, account)| (address, from_runtime(account)))
                .collect(),
        })
    }

    async fn latest_blockhash(&self) -> Result<Blockhash, ChainError> {
        let state = self.state();
        Ok(Blockhash {
            hash: state.vm.latest_blockhash(),
            last_valid_block_height: state.height + BLOCKHASH_LIFE,
        })
    }

    async fn block_height(&self) -> Result<u64, ChainError> {
        Ok(self.state().height)
    }

    async fn slot(&self) -> Result<u64, ChainError> {
        Ok(self.state().slot())
    }

    async fn first_available_slot(&self) -> Result<Option<u64>, ChainError> {
        // It forgets nothing.
        Ok(Some(0))
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ChainError> {
        if !self.state().simulates {
            return Ok(Simulation {
                error: None,
                logs: Vec::new(),
                units: MAX_COMPUTE_UNITS,
                return_data: None,
            });
        }
        let what = "a simulation";
        let transaction = for_runtime(transaction).map_err(|error| self.refused(what, error))?;
        let (error, meta) = match self.state().vm.simulate_transaction(transaction) {
            Ok(info) => (None, info.meta),
            Err(failed) => (Some(failed.err), failed.meta),
        };
        show(&meta.logs);
        let return_data = meta.return_data.data;
        Ok(Simulation {
            error,
            logs: meta.logs,
            units: meta.compute_units_consumed,
            return_data: (!return_data.is_empty()).then_some(return_data),
        })
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        let what = "a transaction";
        let Some(signature) = transaction.signatures.first().copied() else {
            return Err(self.refused(what, "it has no signature"));
        };
        let converted = for_runtime(transaction).map_err(|error| self.refused(what, error))?;
        let mut state = self.state();
        if state.records.contains_key(&signature) {
            return Ok(());
        }
        let blockhash = transaction.message.recent_blockhash();
        if !state.blockhashes.iter().any(|(hash, _)| hash == blockhash) {
            return Err(self.refused(what, "Blockhash not found"));
        }
        let slot = state.slot();
        let (error, meta) = match state.vm.send_transaction(converted) {
            Ok(meta) => (None, meta),
            Err(failed) => (Some(failed.err), failed.meta),
        };
        show(&meta.logs);
        if let Some(error) = &error
            && meta.fee == 0
        {
            // Without a fee it never made it into a block.
            return Err(self.refused(what, error));
        }
        let record = TransactionRecord {
            slot,
            error,
            logs: meta.logs,
            units: Some(meta.compute_units_consumed),
            fee_lamports: meta.fee,
        };
        state.records.insert(signature, record);
        state.next_block();
        Ok(())
    }

    async fn status(
        &self,
        signature: &Signature,
        _search_history: bool,
    ) -> Result<Option<TransactionStatus>, ChainError> {
        Ok(self
            .state()
            .records
            .get(signature)
            .map(|record| TransactionStatus {
                slot: record.slot,
                error: record.error.clone(),
                confirmation: Confirmation::Finalized,
            }))
    }

    async fn transaction(
        &self,
        signature: &Signature,
    ) -> Result<Option<TransactionRecord>, ChainError> {
        Ok(self.state().records.get(signature).cloned())
    }

    async fn recent_fees(&self, _writable: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        Ok(Vec::new())
    }

    async fn rent_lamports(&self, length: usize) -> Result<u64, ChainError> {
        Ok(self.state().vm.minimum_balance_for_rent_exemption(length))
    }
}
