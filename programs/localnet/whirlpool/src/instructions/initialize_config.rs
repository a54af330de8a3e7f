//! `initialize_config`. The real program reserves it to an administrator, the stand-in does not.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::layout::config as at;

use crate::{
    ID, WhirlpoolError,
    account::{self, Creation, put},
};

/// A quarter of the fee.
pub const MAX_PROTOCOL_FEE_RATE: u16 = 2_500;

#[derive(Accounts)]
pub struct InitializeConfig<'info> {
    #[account(mut)]
    pub config: Signer<'info>,
    #[account(mut)]
    pub funder: Signer<'info>,
    pub system_program: Program<'info, System>,
}

impl InitializeConfig<'_> {
    pub fn handle(
        &self,
        fee_authority: Pubkey,
        collect_protocol_fees_authority: Pubkey,
        reward_emissions_super_authority: Pubkey,
        default_protocol_fee_rate: u16,
    ) -> Result<()> {
        require_gte!(
            MAX_PROTOCOL_FEE_RATE,
            default_protocol_fee_rate,
            WhirlpoolError::ProtocolFeeRateMaxExceeded
        );
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        creation.create(&self.config, at::LENGTH, 0, &ID, &[])?;
        let data = &mut account::data_mut(&self.config)?;
        put(data, 0, at::DISCRIMINATOR);
        put(data, at::FEE_AUTHORITY, fee_authority.to_bytes());
        put(
            data,
            at::COLLECT_PROTOCOL_FEES_AUTHORITY,
            collect_protocol_fees_authority.to_bytes(),
        );
        put(
            data,
            at::REWARD_EMISSIONS_SUPER_AUTHORITY,
            reward_emissions_super_authority.to_bytes(),
        );
        put(
            data,
            at::DEFAULT_PROTOCOL_FEE_RATE,
            default_protocol_fee_rate.to_le_bytes(),
        );
        Ok(())
    }
}
