//! A fork of the cluster that wins: what had landed on the other one has not.

use ballast_strategy::decide::ActionKind;
use solana_sdk::{pubkey::Pubkey, signature::Signature};

use super::{
    seeds::draw,
    world::{CONFIRMED_LAG, Inner, SKIPPED_SLOTS, Transaction},
};

/// Blocks in which a transaction can land after its blockhash.
const BLOCKHASH_LIFE: u64 = 150;

/// Blocks within which nobody who is asked knows of a fork yet.
const UNKNOWN_BLOCKS: u64 = 5;

/// Forks so far, and what they draw from: a stream of their own, so that a story goes as it does without them until the first.
#[derive(Clone, Debug)]
pub struct Forks {
    random: u64,
    /// What each took back.
    pub taken_back: Vec<Vec<Signature>>,
}

impl Forks {
    pub fn new(seed: u64) -> Self {
        Self {
            random: seed ^ 0x666f_726b_0000_0000,
            taken_back: Vec::new(),
        }
    }
}

/// What becomes on the winning fork of what the other one had taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is taken in anew within some slots.
    Again,
    /// It is lost, unless somebody sends it again.
    Lost,
    /// One or the other.
    Either,
}

impl Transaction {
    /// Whether a fork took it back after another one was signed, or just before, or that one protects and waits for nothing.
    pub fn may_be_met(&self, by: ActionKind, last_valid_block_height: u64) -> bool {
        let signed_at = last_valid_block_height.saturating_sub(BLOCKHASH_LIFE);
        let taken_back = self.taken_back_at.map(|slot| slot - SKIPPED_SLOTS);
        taken_back.is_some_and(|height| by.protects() || signed_at <= height + UNKNOWN_BLOCKS)
    }
}

impl Inner {
    /// Whether something of a position was taken back, so that two of it may land of which the program refuses one.
    pub(super) fn meets_what_was_taken_back(&self, position: &Pubkey) -> bool {
        let mut of = self
            .transactions
            .values()
            .filter(|it| it.position == *position);
        of.any(|it| it.taken_back_at.is_some())
    }

    /// Another fork wins, which has nothing of the last `slots` slots, or of those since people or markets last did something.
    /// What was signed on a blockhash of the other fork can never land any more. How many transactions it took back.
    pub fn fork(&mut self, slots: u64, then: Then) -> usize {
        let slot = self.slot();
        let from = slot.saturating_sub(slots).max(self.outside_at);
        self.history.retain(|(since, _)| *since <= from);
        self.landings.retain(|landing| landing.slot <= from);
        // It was told once its block was confirmed.
        let height = from - SKIPPED_SLOTS + CONFIRMED_LAG;
        let is_gone = |last: u64| last > height + BLOCKHASH_LIFE;
        self.blockhashes
            .values_mut()
            .filter(|last| is_gone(**last))
            .for_each(|last| *last = 0);
        self.last_blockhash = None;
        let random = &mut self.forks.random;
        let mut taken_back = Vec::new();
        for (signature, known) in &mut self.transactions {
            let is_on_it = known.lands_at.is_some_and(|at| at > from);
            if is_on_it && known.result.take().is_some() {
                known.taken_back_at = Some(slot);
                taken_back.push(*signature);
            }
            if is_gone(known.last_valid_block_height) {
                known.last_valid_block_height = 0;
            }
            if is_on_it {
                let again = match then {
                    Then::Again => true,
                    Then::Lost => false,
                    Then::Either => draw(random, 2) == 0,
                };
                let at = slot + 1 + draw(random, 8);
                let fits = at - SKIPPED_SLOTS <= known.last_valid_block_height;
                known.lands_at = (again && fits).then_some(at);
            }
        }
        self.note(|| format!("a fork from slot {from} on wins and takes back {taken_back:?}"));
        let count = taken_back.len();
        self.forks.taken_back.push(taken_back);
        count
    }
}
