//! From instructions to a journaled transaction.

use std::sync::Arc;

use ballast_client::{
    BuildError, Instruction, MarketContext, Payer, PriorityFee, Request, SendError,
    VersionedTransaction, tip_instruction,
};
use ballast_strategy::{decide::ActionKind, urgency::Stakes};
use solana_sdk::pubkey::Pubkey;

use super::{
    Executor, Trouble, Verdict,
    build::{Instructions, cannot_reset_range},
    fee,
    tip::Tip,
};
use crate::{
    control::Permission,
    event::KeeperEvent,
    journal::{Inputs, Intent, IntentId, JournalError, PaperRecord, Record, SharedJournal},
    shards::Admission,
};

/// What is about to be signed.
pub(super) struct Plan {
    /// Its number, if it comes to an intent.
    pub id: IntentId,
    pub market: Arc<MarketContext>,
    /// The position, or the market.
    pub subject: Pubkey,
    pub kind: ActionKind,
    pub reason: String,
    pub inputs: Inputs,
    /// How near the liquidation boundary is, and what is lost there.
    pub stakes: Stakes,
    /// Accounts that are created on the way.
    pub new_wallets: u32,
    pub instructions: Instructions,
    pub attempt: u32,
    /// However urgent it is.
    pub must_simulate: bool,
}

impl Executor {
    /// Prepares, journals, sends, and finds out what became of it; in paper mode only the first two.
    pub(super) async fn carry_out(&self, mut plan: Plan) -> Result<Verdict, Trouble> {
        let signer = self.signer.as_deref().ok_or(Trouble::NoKey)?;
        let payer = Payer::from(signer);
        let journal = self.journal.as_ref().ok_or(JournalError::Halted)?;
        let kind = plan.kind;
        // What protects does not wait: of two that land the program takes one.
        if !kind.protects() && !self.all_stands(&plan.subject, kind).await? {
            return Ok(Verdict::NotDue);
        }
        let fees = &self.config.fees;
        let mut units = fee::compute_units_unsimulated(kind);
        units += fee::UNITS_TO_CREATE_WALLET * plan.new_wallets;
        let mut tip = self.tip(&plan);
        let mut micro_lamports = self.micro_lamports(&plan, units, tip);
        let tables = match kind {
            ActionKind::Recenter | ActionKind::Exit => self.tables(&plan.market).await?,
            _ => Vec::new(),
        };
        let permission = self.permission(&plan.subject, kind);
        if permission == Permission::Nothing {
            return Ok(Verdict::NotDue);
        }
        let active = permission == Permission::Send;
        let slip = match active {
            true => self.shards.slip(&plan.subject, kind)?,
            false => None,
        };
        let with = |instructions: &[Instruction], micro_lamports, tip: Option<Tip>| {
            let paid = tip.map(|tip| tip_instruction(&payer.address(), &tip.to, tip.lamports));
            let all: Vec<_> = instructions.iter().cloned().chain(paid).collect();
            Request::new(payer, all)
                .tables(&tables)
                .fee(PriorityFee::Fixed(micro_lamports))
                .blockhash(slip.map(|slip| slip.blockhash))
        };
        let mut request = with(&plan.instructions.first, micro_lamports, tip);
        // A swap may fail for reasons that only a simulation sees, and what has failed may fail again.
        let blind = matches!(kind, ActionKind::Deleverage | ActionKind::Liquidate);
        let is_blind = active && blind && !plan.must_simulate && fee::is_urgent(fees, &plan.stakes);
        if is_blind {
            request = request.compute_limit(units);
        }
        let mut answer = self.sender.prepare(&request).await;
        if tip.is_some() && is_too_long(&answer) {
            // Rather without a tip than not at all.
            tip = None;
            micro_lamports = self.micro_lamports(&plan, units, tip);
            request = with(&plan.instructions.first, micro_lamports, tip);
            if is_blind {
                request = request.compute_limit(units);
            }
            answer = self.sender.prepare(&request).await;
        }
        if let Err(SendError::Refused(failure)) = &answer
            && cannot_reset_range(&plan.market, failure)
            && let Some(replacing) = plan.instructions.replacing.take()
        {
            self.learned().replaces.insert(plan.market.address);
            request = with(&replacing, micro_lamports, tip);
            answer = self.sender.prepare(&request).await;
            if tip.is_some() && is_too_long(&answer) {
                tip = None;
                micro_lamports = self.micro_lamports(&plan, units, tip);
                request = with(&replacing, micro_lamports, tip);
                answer = self.sender.prepare(&request).await;
            }
        }
        let mut prepared = match answer {
            Ok(prepared) => prepared,
            Err(SendError::Refused(failure)) if active => {
                self.events.send(KeeperEvent::Refused {
                    position: plan.subject,
                    action: kind,
                    error: failure.to_string(),
                });
                return Ok(Verdict::Refused);
            }
            Err(SendError::Refused(failure)) => {
                return self
                    .paper(journal, &plan, Some(failure.to_string()), 0)
                    .await;
            }
            Err(error) => return Err(error.into()),
        };
        let mut compute_units = compute_limit(prepared.transaction()).unwrap_or(units);
        if !active {
            return self.paper(journal, &plan, None, compute_units).await;
        }
        // The same bytes on the same blockhash (a node may lag) would be the earlier transaction and have its outcome.
        while journal.has_signature(&prepared.signature()) {
            compute_units = compute_units.saturating_add(1);
            request = request.compute_limit(compute_units);
            prepared = self.sender.prepare(&request).await?;
        }
        let intent = Intent {
            id: plan.id,
            market: plan.market.address,
            position: plan.subject,
            action: kind,
            reason: plan.reason,
            inputs: plan.inputs,
            attempt: plan.attempt,
            signature: prepared.signature(),
            last_valid_block_height: prepared.last_valid_block_height(),
            compute_units,
            micro_lamports,
            tip_lamports: tip.map_or(0, |tip| tip.lamports),
            transaction: prepared.to_bytes(),
        };
        self.spend(&intent)?;
        if let Some(slip) = &slip {
            let admitted = self.shards.admit(slip, &intent).await;
            if !matches!(admitted, Ok(Admission::Written)) {
                self.spent_nothing(intent.id);
                admitted?;
                return Ok(Verdict::NotDue);
            }
        }
        // Since it was asked last somebody may have said otherwise.
        let (control, record) = (
            self.control.clone(),
            Record::Intent(Box::new(intent.clone())),
        );
        let permitted = move || control.permission(&plan.subject, kind) == Permission::Send;
        let written = journal.write_if(record, permitted).await?;
        if !written {
            self.spent_nothing(intent.id);
            self.shards
                .ended(&intent.position, kind, &intent.signature, None)
                .await;
            return Ok(Verdict::NotDue);
        }
        Ok(Verdict::Resolved(self.settle(&intent, true, false).await?))
    }

    fn micro_lamports(&self, plan: &Plan, units: u32, tip: Option<Tip>) -> u64 {
        let tip_lamports = tip.map_or(0, |tip| tip.lamports);
        fee::micro_lamports(
            &self.config.fees,
            &plan.stakes,
            plan.attempt,
            units,
            tip_lamports,
        )
    }

    async fn paper(
        &self,
        journal: &SharedJournal,
        plan: &Plan,
        error: Option<String>,
        compute_units: u32,
    ) -> Result<Verdict, Trouble> {
        let (position, action) = (plan.subject, plan.kind);
        let record = PaperRecord {
            market: plan.market.address,
            position,
            action,
            reason: plan.reason.clone(),
            inputs: plan.inputs.clone(),
            error: error.clone(),
            compute_units: compute_units.into(),
        };
        journal.write(Record::Paper(record)).await?;
        self.events.send(KeeperEvent::Paper {
            position,
            action,
            error,
        });
        Ok(Verdict::Paper)
    }
}

fn is_too_long<T>(answer: &Result<T, SendError>) -> bool {
    matches!(answer, Err(SendError::Build(BuildError::TooLong { .. })))
}

/// The compute-unit limit that a transaction sets.
pub(super) fn compute_limit(transaction: &VersionedTransaction) -> Option<u32> {
    /// Tag of `SetComputeUnitLimit`, followed by the limit.
    const SET_LIMIT: u8 = 2;
    let keys = transaction.message.static_account_keys();
    transaction
        .message
        .instructions()
        .iter()
        .find_map(|instruction| {
            let program = keys.get(usize::from(instruction.program_id_index))?;
            let (tag, limit) = instruction.data.split_first()?;
            let is_limit = *program == COMPUTE_BUDGET && *tag == SET_LIMIT;
            is_limit.then(|| Some(u32::from_le_bytes(limit.try_into().ok()?)))?
        })
}

const COMPUTE_BUDGET: Pubkey = solana_sdk::pubkey!("ComputeBudget111111111111111111111111111111");
