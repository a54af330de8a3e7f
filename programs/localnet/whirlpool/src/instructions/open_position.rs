//! `open_position_with_token_extensions`.

use anchor_lang::prelude::*;
use ballast_abi::{
    spl,
    whirlpool::{instruction::METADATA_UPDATE_AUTHORITY, layout::position as at},
};
use ballast_clmm::Tick;

use crate::{
    WhirlpoolError,
    account::{self, Creation},
    mischief::take_lamports,
    nft::Nft,
    state::{NewPosition, PoolAccount, TickArrayAccount},
};

/// From this tick spacing on, pools take only positions over the full range.
const FULL_RANGE_ONLY_TICK_SPACING: u16 = 1 << 15;

#[derive(Accounts)]
pub struct OpenPositionWithTokenExtensions<'info> {
    #[account(mut)]
    pub funder: Signer<'info>,
    /// CHECK: anyone may own a position.
    pub owner: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub position: UncheckedAccount<'info>,
    #[account(mut)]
    pub position_mint: Signer<'info>,
    /// CHECK: by the associated token program.
    #[account(mut)]
    pub position_token_account: UncheckedAccount<'info>,
    /// CHECK: owner and discriminator.
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = spl::TOKEN_2022_PROGRAM)]
    pub token_2022_program: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
    /// CHECK: address.
    #[account(address = spl::ASSOCIATED_TOKEN_PROGRAM)]
    pub associated_token_program: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = METADATA_UPDATE_AUTHORITY)]
    pub metadata_update_auth: UncheckedAccount<'info>,
}

impl OpenPositionWithTokenExtensions<'_> {
    pub fn handle(&self, lower: i32, upper: i32, with_metadata: bool) -> Result<()> {
        PoolAccount(&self.whirlpool)
            .with(|pool| Ok(check_band(pool.tick_spacing(), lower, upper)?))?;
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        let seeds: [&[u8]; 2] = [b"position", self.position_mint.key.as_ref()];
        let for_ticks = TickArrayAccount::rent_per_band()?;
        let bump = [creation.create_pda(&self.position, &seeds, at::LENGTH, for_ticks)?];
        NewPosition {
            pool: *self.whirlpool.key,
            mint: *self.position_mint.key,
            lower,
            upper,
        }
        .write(&mut account::data_mut(&self.position)?);

        let nft = Nft {
            position: &self.position,
            mint: &self.position_mint,
            token_account: &self.position_token_account,
            token_2022_program: &self.token_2022_program,
        };
        let seeds = [seeds[0], seeds[1], &bump];
        nft.create_mint(&creation, with_metadata)?;
        if with_metadata {
            nft.write_metadata(&self.metadata_update_auth, &seeds)?;
        }
        nft.mint_to_owner(&creation, &self.owner, &seeds)?;
        let (pool, funder) = (&self.whirlpool, &self.funder);
        take_lamports(pool, funder, &self.position, &self.system_program)
    }
}

/// Checks that a position may span `lower` to `upper`.
pub(super) fn check_band(
    tick_spacing: u16,
    lower: i32,
    upper: i32,
) -> std::result::Result<(), WhirlpoolError> {
    let spacing = i32::from(tick_spacing);
    for tick in [lower, upper] {
        let tick = Tick::new(tick)?.get();
        if tick % spacing != 0 {
            return Err(WhirlpoolError::InvalidTickIndex);
        }
    }
    if lower >= upper {
        return Err(WhirlpoolError::InvalidTickIndex);
    }
    let full = Tick::MAX.get() / spacing * spacing;
    if tick_spacing >= FULL_RANGE_ONLY_TICK_SPACING && (lower, upper) != (-full, full) {
        return Err(WhirlpoolError::FullRangeOnlyPool);
    }
    Ok(())
}
