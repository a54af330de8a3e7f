//! Moving an empty position to another band.

use anchor_lang::prelude::*;
use ballast_clmm::{Band, Tick};

use super::Session;
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, PositionAccounts},
    math::ToProgramError,
    pool::{self, NftHolder, Opening},
};

impl<'a, 'info> Session<'a, 'info> {
    /// Moves the empty Whirlpool position to other ticks; it keeps its NFT. Newer pool programs only.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`] for ticks that are none; those of the Whirlpool program, also for one that does not know
    /// how.
    pub fn reset_range(
        &mut self,
        pool: &PoolAccounts<'info>,
        funder: &AccountInfo<'info>,
        system_program: &AccountInfo<'info>,
        to: NewBand,
    ) -> Result<()> {
        let ticks = to.ticks;
        let same = ticks == [self.position.tick_lower, self.position.tick_upper];
        self.set_band(to)?;
        if same {
            return Ok(());
        }
        self.with_position_seeds(|seeds| {
            pool::reset_range(
                pool,
                self.market,
                self.accounts,
                funder,
                system_program,
                ticks,
                seeds,
            )
        })
    }

    /// Closes the empty Whirlpool position and opens another at other ticks in its place, for pool programs that cannot move
    /// one. Who pays the new one's rent gets the old one's.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`] for ticks that are none; those of the Whirlpool program.
    pub fn replace(
        &mut self,
        pool: &PoolAccounts<'info>,
        old_mint: &AccountInfo<'info>,
        new: &'a PositionAccounts<'info>,
        new_mint: &AccountInfo<'info>,
        opening: &Opening<'_, 'info>,
        to: NewBand,
    ) -> Result<()> {
        let old = self.accounts;
        let holder = |accounts: &'a PositionAccounts<'info>, mint| NftHolder {
            position: accounts.position.as_ref(),
            whirlpool_position: &accounts.whirlpool_position,
            nft_mint: mint,
            nft_account: &accounts.nft_account,
        };
        self.with_position_seeds(|seeds| {
            pool::close_position(
                pool,
                self.market,
                &holder(old, old_mint),
                &opening.nft.token_2022_program,
                opening.funder,
                seeds,
            )
        })?;
        let ticks = to.ticks;
        self.set_band(to)?;
        pool::open_position(
            pool,
            self.market,
            &holder(new, new_mint),
            opening,
            self.lending,
            ticks,
        )?;
        let position = &mut self.position;
        position.nft_generation = position.nft_generation.checked_add(1).or_range()?;
        position.nft_mint = *new_mint.key;
        position.nft_account = new.nft_account.key();
        position.whirlpool_position = new.whirlpool_position.key();
        self.accounts = new;
        Ok(())
    }

    /// Closes the empty Whirlpool position for good.
    ///
    /// # Errors
    /// Those of the Whirlpool program.
    pub fn close_whirlpool_position(
        &self,
        pool: &PoolAccounts<'info>,
        nft_mint: &AccountInfo<'info>,
        token_2022_program: &AccountInfo<'info>,
        receiver: &AccountInfo<'info>,
    ) -> Result<()> {
        let holder = NftHolder {
            position: self.accounts.position.as_ref(),
            whirlpool_position: &self.accounts.whirlpool_position,
            nft_mint,
            nft_account: &self.accounts.nft_account,
        };
        self.with_position_seeds(|seeds| {
            pool::close_position(
                pool,
                self.market,
                &holder,
                token_2022_program,
                receiver,
                seeds,
            )
        })
    }

    fn set_band(&mut self, to: NewBand) -> Result<()> {
        require!(
            self.position.liquidity.get() == 0,
            BallastError::InvariantBroken
        );
        self.band = match to.band {
            Some(band) => band,
            None => band_between(to.ticks)?,
        };
        [self.position.tick_lower, self.position.tick_upper] = to.ticks;
        Ok(())
    }
}

/// Where a position goes.
#[derive(Clone, Copy)]
pub struct NewBand {
    /// Lower and upper tick.
    pub ticks: [i32; 2],
    /// [`band_between`] them, for whoever has computed it already.
    pub band: Option<Band>,
}

/// The band between two ticks.
///
/// # Errors
/// [`BallastError::OutOfRange`] for ticks that are none.
pub fn band_between([lower, upper]: [i32; 2]) -> Result<Band> {
    let (lower, upper) = (Tick::new(lower).or_range()?, Tick::new(upper).or_range()?);
    Band::new(lower, upper).or_range()
}
