//! The pool account.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{PoolView, fees::PerToken, layout::pool as at, swap::SwapOutcome};
use ballast_clmm::SqrtPrice;

use crate::{
    WhirlpoolError,
    account::{self, put},
    error::layout,
};

/// A new pool, without rewards but for the address that might appoint their authorities.
pub struct NewPool {
    pub config: Pubkey,
    pub bump: u8,
    pub tick_spacing: u16,
    pub fee_rate: u16,
    pub protocol_fee_rate: u16,
    pub sqrt_price: SqrtPrice,
    pub mint: PerToken<Pubkey>,
    pub vault: PerToken<Pubkey>,
    pub reward_authority: Pubkey,
}

impl NewPool {
    /// Writes the pool into a zeroed account of the right length.
    pub fn write(&self, data: &mut [u8]) {
        put(data, 0, at::DISCRIMINATOR);
        put(data, at::CONFIG, self.config.to_bytes());
        put(data, at::BUMP, [self.bump]);
        put(data, at::TICK_SPACING, self.tick_spacing.to_le_bytes());
        put(data, at::FEE_TIER_INDEX, self.tick_spacing.to_le_bytes());
        put(data, at::FEE_RATE, self.fee_rate.to_le_bytes());
        put(
            data,
            at::PROTOCOL_FEE_RATE,
            self.protocol_fee_rate.to_le_bytes(),
        );
        put(data, at::SQRT_PRICE, self.sqrt_price.x64().to_le_bytes());
        put(
            data,
            at::TICK_CURRENT,
            self.sqrt_price.tick().get().to_le_bytes(),
        );
        put(data, at::MINT_A, self.mint.a.to_bytes());
        put(data, at::VAULT_A, self.vault.a.to_bytes());
        put(data, at::MINT_B, self.mint.b.to_bytes());
        put(data, at::VAULT_B, self.vault.b.to_bytes());
        // The first slot records who appoints reward authorities; the real program keeps other things in the rest.
        put(data, at::REWARDS + 64, self.reward_authority.to_bytes());
    }
}

/// A pool in its account.
pub struct PoolAccount<'a, 'info>(pub &'a AccountInfo<'info>);

impl PoolAccount<'_, '_> {
    /// Reads the pool.
    pub fn with<T>(&self, read: impl FnOnce(&PoolView) -> Result<T>) -> Result<T> {
        let data = account::data(self.0)?;
        read(&PoolView::parse(&data).map_err(layout)?)
    }

    /// What this pool takes on every transfer beyond what is right, raw units: for tests of what happens to users of a
    /// dishonest pool program. The first byte of the third reward's authority; 0 in every pool that an instruction created.
    pub fn toll(&self) -> Result<u64> {
        let data = account::data(self.0)?;
        let byte = data.get(at::REWARDS + 2 * at::REWARD_LENGTH + 64);
        Ok(byte.copied().unwrap_or_default().into())
    }

    /// What this pool's program does with the signatures it is given, see [`crate::mischief`]: the byte after the toll's.
    pub fn mischief(&self) -> Result<u8> {
        let data = self.0.try_borrow_data()?;
        let byte = data.get(at::REWARDS + 2 * at::REWARD_LENGTH + 65);
        Ok(byte.copied().unwrap_or_default())
    }

    /// Writes liquidity and time after a change of a position.
    pub fn set_liquidity(&self, liquidity: u128, now: u64) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        put(data, at::LIQUIDITY, liquidity.to_le_bytes());
        put(data, at::REWARD_LAST_UPDATED, now.to_le_bytes());
        Ok(())
    }

    /// Writes the time of an update of rewards, none of which accrues.
    pub fn set_time(&self, now: u64) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        put(data, at::REWARD_LAST_UPDATED, now.to_le_bytes());
        Ok(())
    }

    /// Writes the pool after a swap.
    pub fn apply_swap(&self, swap: &SwapOutcome, a_to_b: bool, now: u64) -> Result<()> {
        let data = &mut account::data_mut(self.0)?;
        let (growth, owed_at, owed) = {
            let pool = PoolView::parse(data).map_err(layout)?;
            if a_to_b {
                (
                    at::FEE_GROWTH_GLOBAL_A,
                    at::PROTOCOL_FEE_OWED_A,
                    pool.protocol_fee_owed_a(),
                )
            } else {
                (
                    at::FEE_GROWTH_GLOBAL_B,
                    at::PROTOCOL_FEE_OWED_B,
                    pool.protocol_fee_owed_b(),
                )
            }
        };
        let owed = owed
            .checked_add(swap.protocol_fee)
            .ok_or(WhirlpoolError::AmountCalcOverflow)?;
        put(data, at::LIQUIDITY, swap.liquidity.to_le_bytes());
        put(data, at::SQRT_PRICE, swap.sqrt_price.x64().to_le_bytes());
        put(data, at::TICK_CURRENT, swap.tick_current.to_le_bytes());
        put(data, growth, swap.fee_growth_global_input_x64.to_le_bytes());
        put(data, owed_at, owed.to_le_bytes());
        put(data, at::REWARD_LAST_UPDATED, now.to_le_bytes());
        Ok(())
    }

    /// Calls `sign` with the seeds by which the pool signs for its vaults.
    pub fn with_seeds<T>(&self, sign: impl FnOnce(&[&[u8]]) -> Result<T>) -> Result<T> {
        let (config, mint_a, mint_b, index, bump) = self.with(|pool| {
            Ok((
                pool.config(),
                pool.mint_a(),
                pool.mint_b(),
                pool.fee_tier_index(),
                pool.bump(),
            ))
        })?;
        sign(&[
            b"whirlpool",
            config.as_ref(),
            mint_a.as_ref(),
            mint_b.as_ref(),
            &index.to_le_bytes(),
            &[bump],
        ])
    }
}

/// Time for the pool's records, which must not go backwards.
pub fn check_time(pool: &PoolView, now: u64) -> Result<()> {
    require_gte!(
        now,
        pool.reward_last_updated_secs(),
        WhirlpoolError::InvalidTimestamp
    );
    Ok(())
}
