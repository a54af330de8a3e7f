//! The account of a position.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{PositionView, fees::PerToken, layout::position as at};

use crate::{
    account::{self, put},
    error::layout,
};

/// A new, empty position.
pub struct NewPosition {
    pub pool: Pubkey,
    pub mint: Pubkey,
    pub lower: i32,
    pub upper: i32,
}

impl NewPosition {
    /// Writes the position into a zeroed account of the right length.
    pub fn write(&self, data: &mut [u8]) {
        put(data, 0, at::DISCRIMINATOR);
        put(data, at::POOL, self.pool.to_bytes());
        put(data, at::MINT, self.mint.to_bytes());
        put(data, at::TICK_LOWER, self.lower.to_le_bytes());
        put(data, at::TICK_UPPER, self.upper.to_le_bytes());
    }
}

/// Whether nothing is in the position and nothing owed to it, so that it may be closed or moved.
pub fn is_empty(position: &PositionView) -> bool {
    position.liquidity() == 0
        && position.fee_owed_a() == 0
        && position.fee_owed_b() == 0
        && position.rewards_owed() == [0; 3]
}

/// What changes when liquidity changes or fees are booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionUpdate {
    pub liquidity: u128,
    pub fee_growth_checkpoint: PerToken<u128>,
    pub fee_owed: PerToken<u64>,
}

/// A position in its account.
pub struct PositionAccount<'a, 'info>(pub &'a AccountInfo<'info>);

impl PositionAccount<'_, '_> {
    /// Reads the position.
    pub fn with<T>(&self, read: impl FnOnce(&PositionView) -> Result<T>) -> Result<T> {
        let data = account::data(self.0)?;
        read(&PositionView::parse(&data).map_err(layout)?)
    }

    /// Writes an update.
    pub fn apply(&self, update: &PositionUpdate) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        put(data, at::LIQUIDITY, update.liquidity.to_le_bytes());
        put(
            data,
            at::FEE_GROWTH_CHECKPOINT_A,
            update.fee_growth_checkpoint.a.to_le_bytes(),
        );
        put(
            data,
            at::FEE_GROWTH_CHECKPOINT_B,
            update.fee_growth_checkpoint.b.to_le_bytes(),
        );
        put(data, at::FEE_OWED_A, update.fee_owed.a.to_le_bytes());
        put(data, at::FEE_OWED_B, update.fee_owed.b.to_le_bytes());
        Ok(())
    }

    /// Writes another band and forgets the growths in the old one.
    pub fn move_to(&self, lower: i32, upper: i32) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        put(data, at::TICK_LOWER, lower.to_le_bytes());
        put(data, at::TICK_UPPER, upper.to_le_bytes());
        put(data, at::FEE_GROWTH_CHECKPOINT_A, [0; 16]);
        put(data, at::FEE_GROWTH_CHECKPOINT_B, [0; 16]);
        for index in 0..3 {
            put(data, at::REWARDS + index * at::REWARD_LENGTH, [0; 16]);
        }
        Ok(())
    }

    /// Writes what is still owed of one reward; `index` is below 3.
    pub fn set_reward_owed(&self, index: usize, owed: u64) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        put(
            data,
            at::REWARDS + index * at::REWARD_LENGTH + 16,
            owed.to_le_bytes(),
        );
        Ok(())
    }

    /// Sets the owed fees to zero.
    pub fn clear_fees(&self) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        put(data, at::FEE_OWED_A, [0; 8]);
        put(data, at::FEE_OWED_B, [0; 8]);
        Ok(())
    }
}
