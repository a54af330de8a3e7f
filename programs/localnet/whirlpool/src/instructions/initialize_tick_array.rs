//! `initialize_tick_array` and `initialize_dynamic_tick_array`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{is_array_start, layout};

use crate::{
    ID, WhirlpoolError,
    account::{self, Creation},
    state::{PoolAccount, TickArrayAccount},
};

#[derive(Accounts)]
pub struct InitializeTickArray<'info> {
    /// CHECK: owner and discriminator.
    pub whirlpool: UncheckedAccount<'info>,
    #[account(mut)]
    pub funder: Signer<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub tick_array: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl InitializeTickArray<'_> {
    pub fn handle_fixed(&self, start: i32) -> Result<()> {
        self.create(start, layout::fixed_tick_array::LENGTH)?;
        TickArrayAccount::write_fixed(
            &mut account::data_mut(&self.tick_array)?,
            start,
            self.whirlpool.key,
        );
        Ok(())
    }

    /// An existing array of either kind is left alone when `idempotent`.
    pub fn handle_dynamic(&self, start: i32, idempotent: bool) -> Result<()> {
        if *self.tick_array.owner == ID {
            require!(idempotent, ErrorCode::AccountDiscriminatorAlreadySet);
            let array = TickArrayAccount(&self.tick_array);
            require_eq!(
                array.start(self.whirlpool.key)?,
                start,
                WhirlpoolError::InvalidStartTick
            );
            return Ok(());
        }
        self.create(start, layout::dynamic_tick_array::MIN_LENGTH)?;
        TickArrayAccount::write_dynamic(
            &mut account::data_mut(&self.tick_array)?,
            start,
            self.whirlpool.key,
        );
        Ok(())
    }

    fn create(&self, start: i32, length: usize) -> Result<()> {
        let tick_spacing = PoolAccount(&self.whirlpool).with(|pool| Ok(pool.tick_spacing()))?;
        require!(
            is_array_start(start, tick_spacing),
            WhirlpoolError::InvalidStartTick
        );
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        let text = start.to_string();
        let seeds: [&[u8]; 3] = [b"tick_array", self.whirlpool.key.as_ref(), text.as_bytes()];
        creation.create_pda(&self.tick_array, &seeds, length, 0)?;
        Ok(())
    }
}
