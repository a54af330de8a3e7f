//! Sends transactions and finds out what became of them.

use std::sync::Arc;

use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::{
    hash::Hash, message::VersionedMessage, signature::Signature, signer::Signer,
    transaction::VersionedTransaction,
};
use tokio::time::{Instant, sleep};

use crate::{
    chain::{
        Chain, ChainError, Confirmation, EXPIRY_MARGIN, Expiry, TransactionRecord,
        TransactionStatus,
    },
    event::BallastEvent,
    failure::Failure,
    lane::{Lane, PlainLane},
    outcome::{Outcome, Receipt, Rehearsed, SendError},
    request::{ComputeLimit, PriorityFee, Request, SenderConfig},
    signing::Payer,
    transaction::{BuildError, Prepared, compile, programs, sign},
};

/// What a transaction may need beyond its simulation however little that was: a simulation in the second of the last booking
/// finds no interest to book, and the transaction that lands later books that of two reserves.
const LATER_UNITS: u64 = 15_000;

/// Most compute units of a transaction.
const MAX_COMPUTE_UNITS: u32 = 1_400_000;

/// Prepares transactions on one [`Chain`], sends them by a [`Lane`], and finds out on the chain what became of them. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    chain: Arc<dyn Chain>,
    lane: Arc<dyn Lane>,
    config: SenderConfig,
}

impl Sender {
    /// A sender.
    pub fn new(chain: Arc<dyn Chain>, config: SenderConfig) -> Self {
        let lane = Arc::new(PlainLane::new(Arc::clone(&chain)));
        Self {
            chain,
            lane,
            config,
        }
    }

    /// Hands signed bytes in by another way than the nodes themselves.
    #[must_use]
    pub fn with_lane(self, lane: Arc<dyn Lane>) -> Self {
        Self { lane, ..self }
    }

    /// The chain it sends to.
    pub fn chain(&self) -> &Arc<dyn Chain> {
        &self.chain
    }

    /// How it sends.
    pub fn config(&self) -> &SenderConfig {
        &self.config
    }

    /// Simulates (unless the request gives a limit), sets compute limit and priority fee, signs. Nothing is sent.
    ///
    /// # Errors
    /// [`SendError::Refused`] if the simulation fails, [`SendError::Build`], [`SendError::Chain`].
    pub async fn prepare(&self, request: &Request<'_>) -> Result<Prepared, SendError> {
        let fee = self.fee(request).await?;
        let limit = match request.compute {
            ComputeLimit::Fixed(units) => units,
            ComputeLimit::Simulated => self.simulated_limit(request, fee).await?,
        };
        let blockhash = match request.blockhash {
            Some(blockhash) => blockhash,
            None => self.chain.latest_blockhash().await?,
        };
        let transaction = signed(request, limit, fee, blockhash.hash).await?;
        Ok(Prepared::new(
            transaction,
            blockhash.last_valid_block_height,
        )?)
    }

    /// Simulates, and says what would happen if that landed now. Nothing is sent.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub async fn rehearse(&self, request: &Request<'_>) -> Result<Rehearsed, SendError> {
        let fee = self.fee(request).await?;
        self.rehearse_at(request, fee).await
    }

    /// Sends a prepared transaction, again and again the same bytes, until its outcome is known or the deadline passes.
    /// Trouble with the node is waited out; calling it again with the same transaction is harmless.
    pub async fn deliver(&self, prepared: &Prepared) -> Outcome {
        self.deliver_while(prepared, || true).await
    }

    /// As [`Self::deliver`], but before every time it sends asks whether it may; while it may not, it only looks.
    pub async fn deliver_while(&self, prepared: &Prepared, may_send: impl Fn() -> bool) -> Outcome {
        let signature = prepared.signature();
        let deadline = Instant::now() + self.config.deadline;
        let mut resend_at = Instant::now();
        let mut last_error = None;
        let mut seen = false;
        loop {
            let resend = Instant::now() >= resend_at;
            if resend && !seen {
                if may_send() {
                    last_error = self
                        .lane
                        .submit(prepared.transaction())
                        .await
                        .err()
                        .or(last_error);
                }
                resend_at = Instant::now() + self.config.resend;
            }
            match self.chain.status(&signature, false).await {
                Ok(Some(status)) if status.confirmation >= Confirmation::Confirmed => {
                    return self.outcome(prepared, status).await;
                }
                Ok(status) => seen = status.is_some(),
                Err(error) => last_error = Some(error),
            }
            let late = Instant::now() >= deadline;
            if (resend && !seen) || late {
                match self.expiry(prepared).await {
                    Ok(Some(outcome)) => return outcome,
                    Ok(None) => {}
                    Err(error) => last_error = Some(error),
                }
            }
            if late {
                return Outcome::Dropped { last_error };
            }
            sleep(self.config.poll).await;
        }
    }

    /// Whether a transaction has landed or expired; `None` while neither is the case. Sends nothing.
    ///
    /// # Errors
    /// [`ChainError`] if the cluster does not answer.
    pub async fn look_up(&self, prepared: &Prepared) -> Result<Option<Outcome>, ChainError> {
        let signature = prepared.signature();
        match self.chain.status(&signature, true).await? {
            Some(status) if status.confirmation >= Confirmation::Confirmed => {
                Ok(Some(self.outcome(prepared, status).await))
            }
            Some(_) => Ok(None),
            None => self.expiry(prepared).await,
        }
    }

    /// Prepares, delivers and expects success.
    ///
    /// # Errors
    /// [`SendError`] for everything but success.
    pub async fn send(&self, request: &Request<'_>) -> Result<Receipt, SendError> {
        let prepared = self.prepare(request).await?;
        let signature = prepared.signature();
        match self.deliver(&prepared).await {
            Outcome::Landed { slot } => Ok(self.receipt(signature, slot).await),
            Outcome::Failed { failure, .. } => Err(SendError::Failed {
                signature,
                failure: Box::new(failure),
            }),
            Outcome::Expired => Err(SendError::Expired(signature)),
            Outcome::Dropped { last_error } => Err(SendError::Dropped {
                signature,
                last_valid_block_height: prepared.last_valid_block_height(),
                last_error,
            }),
        }
    }

    /// Logs and events of a transaction that landed. Empty if the node does not have them in time: it keeps transactions
    /// apart from their status and stores them a little later.
    pub async fn receipt(&self, signature: Signature, slot: u64) -> Receipt {
        let record = self.record(&signature).await;
        let (logs, units) = record.map_or((Vec::new(), None), |record| (record.logs, record.units));
        Receipt {
            signature,
            slot,
            units,
            events: BallastEvent::in_logs(&logs),
            logs,
        }
    }

    /// A transaction that has landed, waited for a while.
    async fn record(&self, signature: &Signature) -> Option<TransactionRecord> {
        let deadline = Instant::now() + self.config.record_wait;
        loop {
            match self.chain.transaction(signature).await {
                Ok(Some(record)) => return Some(record),
                _ if Instant::now() >= deadline => return None,
                _ => sleep(self.config.poll).await,
            }
        }
    }

    async fn fee(&self, request: &Request<'_>) -> Result<u64, SendError> {
        match request.fee.unwrap_or(self.config.fee) {
            PriorityFee::None => Ok(0),
            PriorityFee::Fixed(fee) => Ok(fee),
            PriorityFee::Recent { percentile, cap } => {
                let metas = request
                    .instructions
                    .iter()
                    .flat_map(|instruction| &instruction.accounts);
                let mut writable: Vec<_> = metas
                    .filter(|meta| meta.is_writable)
                    .map(|meta| meta.pubkey)
                    .collect();
                writable.sort_unstable();
                writable.dedup();
                // Nodes take at most this many.
                writable.truncate(128);
                let fees = self.chain.recent_fees(&writable).await?;
                Ok(at_percentile(fees, percentile).min(cap))
            }
        }
    }

    async fn simulated_limit(&self, request: &Request<'_>, fee: u64) -> Result<u32, SendError> {
        let rehearsed = self.rehearse_at(request, fee).await?;
        Ok(with_margin(rehearsed.units, self.config.compute_margin_bps))
    }

    async fn rehearse_at(&self, request: &Request<'_>, fee: u64) -> Result<Rehearsed, SendError> {
        let blockhash = self.chain.latest_blockhash().await?;
        let transaction = to_simulate(request, fee, blockhash.hash)?;
        let simulation = self.chain.simulate(&transaction).await?;
        if let Some(error) = simulation.error {
            let failure = Failure::new(error, simulation.logs, &programs(&transaction));
            return Err(SendError::Refused(Box::new(failure)));
        }
        Ok(Rehearsed {
            units: simulation.units,
            events: BallastEvent::in_logs(&simulation.logs),
        })
    }

    /// [`Outcome::Expired`] if the blockhash has been too old for [`EXPIRY_MARGIN`] blocks and the transaction is in none.
    async fn expiry(&self, prepared: &Prepared) -> Result<Option<Outcome>, ChainError> {
        let last_valid = prepared.last_valid_block_height();
        let certain_above = last_valid.saturating_add(EXPIRY_MARGIN);
        let signature = prepared.signature();
        Ok(match self.chain.expiry(&signature, certain_above).await? {
            Expiry::NotYet | Expiry::Unconfirmed => None,
            Expiry::Landed(status) => Some(self.outcome(prepared, status).await),
            Expiry::Expired { .. } => Some(Outcome::Expired),
        })
    }

    /// What a transaction in a confirmed block came to.
    pub async fn outcome(&self, prepared: &Prepared, status: TransactionStatus) -> Outcome {
        let slot = status.slot;
        let Some(error) = status.error else {
            return Outcome::Landed { slot };
        };
        // Without logs the failure is named as well as the number alone allows.
        let record = self.record(&prepared.signature()).await;
        let logs = record.map(|record| record.logs).unwrap_or_default();
        Outcome::Failed {
            slot,
            failure: Failure::new(error, logs, &prepared.programs()),
        }
    }
}

fn compiled(
    request: &Request<'_>,
    limit: u32,
    fee: u64,
    blockhash: Hash,
) -> Result<VersionedMessage, BuildError> {
    let mut instructions = vec![ComputeBudgetInstruction::set_compute_unit_limit(limit)];
    if fee > 0 {
        instructions.push(ComputeBudgetInstruction::set_compute_unit_price(fee));
    }
    instructions.extend_from_slice(&request.instructions);
    compile(
        &request.payer.address(),
        &instructions,
        request.tables,
        blockhash,
    )
}

/// What a simulation is asked about. A service that signs is not asked for that: nobody looks at the signature.
fn to_simulate(
    request: &Request<'_>,
    fee: u64,
    blockhash: Hash,
) -> Result<VersionedTransaction, BuildError> {
    let message = compiled(request, MAX_COMPUTE_UNITS, fee, blockhash)?;
    match request.payer {
        Payer::Key(key) => with_signers(message, request, Some(key), None),
        Payer::Service(_) => with_signers(message, request, None, Some(Signature::default())),
    }
}

/// What may be sent.
async fn signed(
    request: &Request<'_>,
    limit: u32,
    fee: u64,
    blockhash: Hash,
) -> Result<VersionedTransaction, BuildError> {
    let message = compiled(request, limit, fee, blockhash)?;
    match request.payer {
        Payer::Key(key) => with_signers(message, request, Some(key), None),
        Payer::Service(service) => {
            let signature = service.sign(&message.serialize()).await;
            let signature = signature.map_err(|error| BuildError::Signer {
                signer: service.address(),
                reason: error.to_string(),
            })?;
            with_signers(message, request, None, Some(signature))
        }
    }
}

fn with_signers(
    message: VersionedMessage,
    request: &Request<'_>,
    payer: Option<&(dyn Signer + Sync)>,
    of_payer: Option<Signature>,
) -> Result<VersionedTransaction, BuildError> {
    let mut signers: Vec<_> = payer.into_iter().collect();
    signers.extend_from_slice(&request.signers);
    sign(message, &signers, of_payer)
}

fn with_margin(units: u64, margin_bps: u32) -> u32 {
    let margin = units.saturating_mul(u64::from(margin_bps)) / 10_000;
    let units = units.saturating_add(margin).saturating_add(LATER_UNITS);
    u32::try_from(units)
        .unwrap_or(MAX_COMPUTE_UNITS)
        .min(MAX_COMPUTE_UNITS)
}

fn at_percentile(mut fees: Vec<u64>, percentile: u8) -> u64 {
    fees.sort_unstable();
    let last = fees.len().saturating_sub(1);
    let index = last * usize::from(percentile.min(100)) / 100;
    fees.get(index).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_a_margin_and_a_ceiling() {
        assert_eq!(with_margin(100_000, 2_000), 135_000);
        assert_eq!(with_margin(1_399_999, 1), MAX_COMPUTE_UNITS);
        assert_eq!(with_margin(u64::MAX, u32::MAX), MAX_COMPUTE_UNITS);
    }

    #[test]
    fn percentiles_of_fees() {
        let fees = vec![40, 10, 30, 20, 50];
        assert_eq!(at_percentile(fees.clone(), 0), 10);
        assert_eq!(at_percentile(fees.clone(), 50), 30);
        assert_eq!(at_percentile(fees.clone(), 100), 50);
        assert_eq!(at_percentile(fees, 255), 50);
        assert_eq!(at_percentile(Vec::new(), 50), 0);
    }
}
