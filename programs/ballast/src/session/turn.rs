//! Whose turn it is, where the owner has named keepers who go first.

use anchor_lang::prelude::*;

use super::Session;
use crate::{
    errors::BallastError,
    events::LeftToFirstKeepers,
    state::{Need, Turn},
};

impl Session<'_, '_> {
    /// Whether `keeper` leaves a need that is due to the owner's first keepers for now: who finds it first notes it, which is all
    /// that is to be stored then. Who acts says so with [`crate::state::Position::attend_to`], once the need is attended to in
    /// whole: else a part, done on purpose, would have everybody else wait anew.
    ///
    /// # Errors
    /// [`BallastError::FirstKeepersTurn`] until their time is over.
    pub fn leave_to_first_keepers(
        &mut self,
        keeper: &Pubkey,
        need: Need,
        now_secs: i64,
    ) -> Result<bool> {
        match self.position.turn(keeper, need, now_secs) {
            Turn::Act => Ok(false),
            Turn::Wait { .. } => err!(BallastError::FirstKeepersTurn),
            Turn::Note => {
                self.position.note_need(need, now_secs);
                emit!(LeftToFirstKeepers {
                    position: self.accounts.position.key(),
                    keeper: *keeper,
                    need,
                    others_from_secs: self.position.others_from_secs(),
                });
                Ok(true)
            }
        }
    }
}
