//! `initialize_pool_v2`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{ConfigView, FeeTierView, fees::PerToken, layout::pool as at};
use ballast_clmm::SqrtPrice;

use crate::{
    WhirlpoolError,
    account::{self, Creation},
    error::layout,
    state::NewPool,
    token,
};

#[derive(Accounts)]
pub struct InitializePoolV2<'info> {
    /// CHECK: owner and discriminator.
    pub whirlpools_config: UncheckedAccount<'info>,
    /// CHECK: mint of its token program.
    pub token_mint_a: UncheckedAccount<'info>,
    /// CHECK: mint of its token program.
    pub token_mint_b: UncheckedAccount<'info>,
    /// CHECK: the stand-in has no token badges.
    pub token_badge_a: UncheckedAccount<'info>,
    /// CHECK: the stand-in has no token badges.
    pub token_badge_b: UncheckedAccount<'info>,
    #[account(mut)]
    pub funder: Signer<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub whirlpool: UncheckedAccount<'info>,
    #[account(mut)]
    pub token_vault_a: Signer<'info>,
    #[account(mut)]
    pub token_vault_b: Signer<'info>,
    /// CHECK: owner, discriminator, config and tick spacing.
    pub fee_tier: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_a: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_b: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
    /// CHECK: part of the interface, not used.
    pub rent: UncheckedAccount<'info>,
}

impl InitializePoolV2<'_> {
    pub fn handle(&self, tick_spacing: u16, initial_sqrt_price: u128) -> Result<()> {
        let (mint_a, mint_b) = (*self.token_mint_a.key, *self.token_mint_b.key);
        require!(mint_a < mint_b, WhirlpoolError::InvalidTokenMintOrder);
        let sqrt_price = SqrtPrice::new(initial_sqrt_price).map_err(WhirlpoolError::from)?;
        let (protocol_fee_rate, reward_authority) = {
            let data = account::data(&self.whirlpools_config)?;
            let config = ConfigView::parse(&data).map_err(layout)?;
            (
                config.default_protocol_fee_rate_bps(),
                config.reward_emissions_super_authority(),
            )
        };
        let fee_rate = self.fee_rate(tick_spacing)?;

        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        let index = tick_spacing.to_le_bytes();
        let seeds: [&[u8]; 5] = [
            b"whirlpool",
            self.whirlpools_config.key.as_ref(),
            mint_a.as_ref(),
            mint_b.as_ref(),
            &index,
        ];
        let bump = creation.create_pda(&self.whirlpool, &seeds, at::LENGTH, 0)?;
        let pool = *self.whirlpool.key;
        token::create_vault(
            &creation,
            &self.token_vault_a,
            &self.token_mint_a,
            &self.token_program_a,
            pool,
        )?;
        token::create_vault(
            &creation,
            &self.token_vault_b,
            &self.token_mint_b,
            &self.token_program_b,
            pool,
        )?;
        NewPool {
            config: *self.whirlpools_config.key,
            bump,
            tick_spacing,
            fee_rate,
            protocol_fee_rate,
            sqrt_price,
            mint: PerToken {
                a: mint_a,
                b: mint_b,
            },
            vault: PerToken {
                a: *self.token_vault_a.key,
                b: *self.token_vault_b.key,
            },
            reward_authority,
        }
        .write(&mut account::data_mut(&self.whirlpool)?);
        Ok(())
    }

    fn fee_rate(&self, tick_spacing: u16) -> Result<u16> {
        let data = account::data(&self.fee_tier)?;
        let fee_tier = FeeTierView::parse(&data).map_err(layout)?;
        require_keys_eq!(
            fee_tier.config(),
            *self.whirlpools_config.key,
            ErrorCode::ConstraintHasOne
        );
        require_eq!(
            fee_tier.tick_spacing(),
            tick_spacing,
            ErrorCode::ConstraintRaw
        );
        Ok(fee_tier.default_fee_rate_ppm())
    }
}
