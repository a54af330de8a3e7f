//! `initialize_fee_tier`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{ConfigView, layout::fee_tier as at};

use crate::{
    WhirlpoolError,
    account::{self, Creation, put},
    error::layout,
};

/// 6 %.
pub const MAX_FEE_RATE: u16 = 60_000;

#[derive(Accounts)]
pub struct InitializeFeeTier<'info> {
    /// CHECK: owner and discriminator.
    pub config: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub fee_tier: UncheckedAccount<'info>,
    #[account(mut)]
    pub funder: Signer<'info>,
    pub fee_authority: Signer<'info>,
    pub system_program: Program<'info, System>,
}

impl InitializeFeeTier<'_> {
    pub fn handle(&self, tick_spacing: u16, default_fee_rate: u16) -> Result<()> {
        let fee_authority = {
            let data = account::data(&self.config)?;
            ConfigView::parse(&data).map_err(layout)?.fee_authority()
        };
        require_keys_eq!(
            fee_authority,
            *self.fee_authority.key,
            ErrorCode::ConstraintAddress
        );
        require_neq!(tick_spacing, 0, WhirlpoolError::InvalidTickSpacing);
        require_gte!(
            MAX_FEE_RATE,
            default_fee_rate,
            WhirlpoolError::FeeRateMaxExceeded
        );
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        let index = tick_spacing.to_le_bytes();
        let seeds: [&[u8]; 3] = [b"fee_tier", self.config.key.as_ref(), &index];
        creation.create_pda(&self.fee_tier, &seeds, at::LENGTH, 0)?;
        let data = &mut account::data_mut(&self.fee_tier)?;
        put(data, 0, at::DISCRIMINATOR);
        put(data, at::CONFIG, self.config.key.to_bytes());
        put(data, at::TICK_SPACING, tick_spacing.to_le_bytes());
        put(data, at::DEFAULT_FEE_RATE, default_fee_rate.to_le_bytes());
        Ok(())
    }
}
