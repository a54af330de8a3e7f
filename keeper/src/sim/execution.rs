//! What nodes do with transactions that they are handed, and what these do once they are in a block.

use anchor_lang::Discriminator;
use ballast_client::{MarketSnapshot, VersionedTransaction};
use solana_sdk::{
    instruction::InstructionError, pubkey::Pubkey, signature::Signature,
    transaction::TransactionError,
};

use super::world::{Inner, Landing, SKIPPED_SLOTS, Transaction};
use ballast_strategy::decide::{ActionKind, Decision, Kinds, refresh_due, refreshed};

impl Inner {
    /// What the keeper's transaction is about.
    pub fn read(&self, transaction: &VersionedTransaction) -> (Pubkey, ActionKind) {
        let keys = transaction.message.static_account_keys();
        let mut instructions = transaction.message.instructions().iter();
        let instruction = instructions
            .rfind(|instruction| keys[usize::from(instruction.program_id_index)] == ballast::ID)
            .unwrap();
        let action = match &instruction.data[..8] {
            tag if tag == ballast::instruction::Rehedge::DISCRIMINATOR => ActionKind::Rehedge,
            tag if tag == ballast::instruction::Recenter::DISCRIMINATOR => ActionKind::Recenter,
            tag if tag == ballast::instruction::RecenterReplacing::DISCRIMINATOR => {
                ActionKind::Recenter
            }
            tag if tag == ballast::instruction::RefreshStage::DISCRIMINATOR => {
                // The market comes first.
                let market = keys[usize::from(instruction.accounts[0])];
                return (market, ActionKind::RefreshStage);
            }
            tag if tag == ballast::instruction::RefreshPrice::DISCRIMINATOR => {
                // Market, base price.
                let base_price = keys[usize::from(instruction.accounts[1])];
                return (base_price, ActionKind::RefreshPrice);
            }
            tag if tag == ballast::instruction::ShowLoss::DISCRIMINATOR => {
                // Market, position.
                let position = keys[usize::from(instruction.accounts[1])];
                return (position, ActionKind::RefreshPrice);
            }
            tag if tag == ballast::instruction::Compound::DISCRIMINATOR => ActionKind::Compound,
            tag if tag == ballast::instruction::Exit::DISCRIMINATOR => ActionKind::Exit,
            tag if tag == ballast::instruction::Deleverage::DISCRIMINATOR => ActionKind::Deleverage,
            tag if tag == ballast::instruction::DeleverageSwap::DISCRIMINATOR => {
                ActionKind::DeleverageSwap
            }
            tag if tag == ballast::instruction::Liquidate::DISCRIMINATOR => ActionKind::Liquidate,
            other => panic!("unknown instruction {other:?}"),
        };
        // Keeper, market, position.
        (keys[usize::from(instruction.accounts[2])], action)
    }

    /// Whether the transaction moves a position in a way that the pool program does not know.
    pub fn moves_in_vain(&self, transaction: &VersionedTransaction) -> bool {
        let mut instructions = transaction.message.instructions().iter();
        let moves = instructions.any(|instruction| {
            instruction
                .data
                .starts_with(ballast::instruction::Recenter::DISCRIMINATOR)
        });
        self.cannot_reset_range && moves
    }

    /// A node takes a transaction.
    pub fn submit(&mut self, transaction: &VersionedTransaction) {
        self.submits += 1;
        let signature = transaction.signatures[0];
        let (position, action) = self.read(transaction);
        if self.moves_in_vain(transaction) {
            self.violations
                .push(format!("{position} was moved in vain"));
        }
        if self.cannot_reset_range && action == ActionKind::Recenter {
            self.replaced += 1;
        }
        let (slot, height) = (self.slot(), self.block_height());
        if !self.transactions.contains_key(&signature) {
            // What is merely shown of a position stands in the way of nothing.
            let shows = |action| action == ActionKind::RefreshPrice;
            let live = |other: &&Transaction| {
                other.position == position
                    && shows(other.action) == shows(action)
                    && other.result.is_none()
                    && other.last_valid_block_height >= height
            };
            let last_valid_block_height = self.blockhashes[transaction.message.recent_blockhash()];
            // What is sent too late to land disturbs nobody.
            let can_land = last_valid_block_height >= height;
            let others = self.transactions.values().filter(|other| live(other));
            // What a fork took back may be met by what was signed before anybody could know of it: the program takes one of them.
            let mut others =
                others.filter(|other| !other.may_be_met(action, last_valid_block_height));
            if let Some(other) = others.next().filter(|_| can_land) {
                self.violations.push(format!(
                    "{action} of {position} was sent while {other:?} could still land"
                ));
            }
            let new = Transaction {
                position,
                action,
                last_valid_block_height,
                lands_at: None,
                result: None,
                taken_back_at: None,
            };
            self.transactions.insert(signature, new);
        }
        let lost = self.chance(self.faults.lost) | (self.loses == Some(action));
        let lands_at = slot + 1 + self.random(4);
        if let Some(known) = self.transactions.get_mut(&signature)
            && known.lands_at.is_none()
            && !lost
            && lands_at - SKIPPED_SLOTS <= known.last_valid_block_height
        {
            known.lands_at = Some(lands_at);
        }
    }

    /// Includes what is due in blocks up to now.
    pub(super) fn advance(&mut self) {
        let slot = self.slot();
        let mut due: Vec<(u64, Signature)> = self
            .transactions
            .iter()
            .filter(|(_, known)| known.result.is_none())
            .filter_map(|(signature, known)| {
                Some((known.lands_at.filter(|at| *at <= slot)?, *signature))
            })
            .collect();
        due.sort_unstable();
        for (slot, signature) in due {
            let result = self.execute(slot, &signature);
            self.note(|| format!("{signature} lands at {slot}: {result:?}"));
            if let Some(known) = self.transactions.get_mut(&signature) {
                known.result = Some(result);
            }
        }
    }

    fn execute(&mut self, slot: u64, signature: &Signature) -> Result<(), TransactionError> {
        let Transaction {
            position, action, ..
        } = self.transactions[signature];
        let arbitrates = self.meets_what_was_taken_back(&position);
        if self.chance(self.faults.fails) {
            return Err(custom(ballast::errors::BallastError::SwapLossTooHigh));
        }
        if action == ActionKind::RefreshStage {
            return self.refresh_stage(slot, position);
        }
        if action == ActionKind::RefreshPrice {
            self.show(slot, position);
            return Ok(());
        }
        let Some((Decision::Act(planned, _), _)) =
            self.state_at(slot).possible(&position, self.keeper, action)
        else {
            if !arbitrates {
                self.violations.push(format!(
                    "{action} of {position} landed at {slot} although nothing was due"
                ));
            }
            return Err(custom(ballast::errors::BallastError::RehedgeNotDue));
        };
        if planned.kind() != action {
            if !arbitrates {
                self.violations.push(format!(
                    "{action} of {position} landed at {slot}, due was {}",
                    planned.kind()
                ));
            }
            return Err(custom(ballast::errors::BallastError::RehedgeNotDue));
        }
        self.change(slot, |state| {
            if planned.kind() == ActionKind::Recenter {
                let stored = state.positions.get_mut(&position).unwrap();
                stored.last_recenter_secs = state.market.now_secs;
            }
            state.apply(&position, &planned);
        });
        self.landings.push(Landing {
            position,
            action,
            slot,
        });
        Ok(())
    }

    fn refresh_stage(&mut self, slot: u64, market: Pubkey) -> Result<(), TransactionError> {
        let prices = super::bytes::context().prices;
        let state = self.state_at(slot);
        if refresh_due(&state.market, &prices).is_none() {
            let text = format!("the stage was refreshed at {slot} although that was not due");
            self.violations.push(text);
        }
        if let Some((market, _)) = refreshed(&state.market, &prices) {
            self.change(slot, |state| state.market.market = market);
        }
        self.landings.push(Landing {
            position: market,
            action: ActionKind::RefreshStage,
            slot,
        });
        Ok(())
    }

    /// The newest price, or a position's loss.
    fn show(&mut self, slot: u64, subject: Pubkey) {
        self.change(slot, |state| {
            if state.positions.contains_key(&subject) {
                return state.show_loss(&subject);
            }
            let MarketSnapshot {
                market,
                base_price,
                quote_price,
                ..
            } = &mut state.market;
            market.last_base_publish_secs = base_price.publish_time;
            market.last_quote_publish_secs = quote_price.publish_time;
        });
        self.landings.push(Landing {
            position: subject,
            action: ActionKind::RefreshPrice,
            slot,
        });
    }

    /// Whether a simulation of this would succeed.
    pub fn would_succeed(&self, position: &Pubkey, action: ActionKind) -> bool {
        let state = self.state_at(self.confirmed_slot());
        if self.refuses == Some(action) {
            return false;
        }
        if action == ActionKind::RefreshPrice {
            return true;
        }
        if action == ActionKind::RefreshStage {
            return refresh_due(&state.market, &super::bytes::context().prices).is_some();
        }
        matches!(
            state.possible(position, self.keeper, action),
            Some((Decision::Act(planned, _), _)) if planned.kind() == action
        )
    }

    /// Whether nothing is due anywhere and nothing can land any more.
    pub fn is_calm(&self) -> bool {
        let state = self.state_at(self.slot());
        let due = |position| {
            matches!(
                state.decision(position, self.keeper, Kinds::NONE, None),
                Some((Decision::Act(..), _))
            )
        };
        let height = self.block_height();
        let live =
            |known: &Transaction| known.result.is_none() && known.last_valid_block_height >= height;
        let stage = refresh_due(&state.market, &super::bytes::context().prices);
        stage.is_none() && !state.positions.keys().any(due) && !self.transactions.values().any(live)
    }
}

pub fn custom(error: ballast::errors::BallastError) -> TransactionError {
    TransactionError::InstructionError(2, InstructionError::Custom(error.into()))
}
