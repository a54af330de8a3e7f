//! Accounts of tick arrays, fixed and dynamic.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{
    TickArrayView, TickSlot, TickState, array_start,
    layout::{dynamic_tick_array as dynamic, fixed_tick_array as fixed, tick as at},
};

use crate::{
    WhirlpoolError,
    account::{self, get, move_lamports, put},
    error::layout,
};

/// A tick array in its account.
pub struct TickArrayAccount<'a, 'info>(pub &'a AccountInfo<'info>);

impl TickArrayAccount<'_, '_> {
    /// Writes an array without initialised ticks into a zeroed account of the fixed length.
    pub fn write_fixed(data: &mut [u8], start: i32, pool: &Pubkey) {
        put(data, 0, fixed::DISCRIMINATOR);
        put(data, fixed::START, start.to_le_bytes());
        put(data, fixed::POOL, pool.to_bytes());
    }

    /// Writes an array without initialised ticks into a zeroed account of the dynamic kind's least length.
    pub fn write_dynamic(data: &mut [u8], start: i32, pool: &Pubkey) {
        put(data, 0, dynamic::DISCRIMINATOR);
        put(data, dynamic::START, start.to_le_bytes());
        put(data, dynamic::POOL, pool.to_bytes());
    }

    /// Rent of the bytes by which a dynamic array grows with each initialised tick.
    pub fn rent_per_tick() -> Result<u64> {
        let rent = Rent::get()?;
        Ok(rent.minimum_balance(at::LENGTH) - rent.minimum_balance(0))
    }

    /// What a position keeps on top of its own rent: that of the two ticks by which it may make dynamic arrays grow.
    pub fn rent_per_band() -> Result<u64> {
        Ok(2 * Self::rent_per_tick()?)
    }

    fn with<T>(&self, read: impl FnOnce(TickArrayView) -> Result<T>) -> Result<T> {
        let data = account::data(self.0)?;
        read(TickArrayView::parse(&data).map_err(layout)?)
    }

    /// First tick, if the array is the pool's.
    pub fn start(&self, pool: &Pubkey) -> Result<i32> {
        self.with(|array| {
            require_keys_eq!(
                array.pool(),
                *pool,
                WhirlpoolError::DifferentWhirlpoolTickArrayAccount
            );
            Ok(array.start())
        })
    }

    /// The tick at `index`, `None` when it is not initialised, if the array is the pool's.
    pub fn get(&self, pool: &Pubkey, index: i32, tick_spacing: u16) -> Result<Option<TickState>> {
        self.with(|array| {
            require_keys_eq!(
                array.pool(),
                *pool,
                WhirlpoolError::DifferentWhirlpoolTickArrayAccount
            );
            array.tick(index, tick_spacing).map_err(layout)
        })
    }

    /// Whether the array is the one for `tick`.
    pub fn holds(&self, tick: i32, tick_spacing: u16) -> Result<bool> {
        self.with(|array| Ok(array.start() == array_start(tick, tick_spacing)))
    }

    /// Writes the tick at `index`, `None` to make it uninitialised. A dynamic array grows or shrinks with it; its rent is moved
    /// by [`Self::settle_rent`].
    pub fn set(&self, index: i32, tick_spacing: u16, tick: Option<&TickState>) -> Result<()> {
        let slot = self.with(|array| array.slot(index, tick_spacing).map_err(layout))?;
        if slot.dynamic && slot.initialised != tick.is_some() {
            self.resize(slot)?;
        }
        let data = &mut account::data_mut(self.0)?;
        put(data, slot.flag_at, [u8::from(tick.is_some())]);
        match tick {
            Some(tick) => put(data, slot.flag_at + 1, tick.to_bytes()),
            None if slot.dynamic => {}
            None => put(data, slot.flag_at + 1, TickState::default().to_bytes()),
        }
        Ok(())
    }

    /// Makes or takes away the room for a tick's state in a dynamic array.
    fn resize(&self, slot: TickSlot) -> Result<()> {
        let (length, state_at) = (self.0.data_len(), slot.flag_at + 1);
        if slot.initialised {
            self.0
                .try_borrow_mut_data()?
                .copy_within(state_at + at::LENGTH.., state_at);
            self.0.resize(length - at::LENGTH)?;
        } else {
            self.0.resize(length + at::LENGTH)?;
            self.0
                .try_borrow_mut_data()?
                .copy_within(state_at..length, state_at + at::LENGTH);
        }
        let data = &mut account::data_mut(self.0)?;
        let bitmap = u128::from_le_bytes(get(data, dynamic::BITMAP)) ^ (1 << slot.number);
        put(data, dynamic::BITMAP, bitmap.to_le_bytes());
        Ok(())
    }

    /// Moves the rent of one tick between a position and a dynamic array: into the array when the position gets its first
    /// liquidity, back when it loses its last. So every position gets back what it paid, whoever else uses the tick.
    pub fn settle_rent(&self, position: &AccountInfo, before: u128, after: u128) -> Result<()> {
        let dynamic = account::data(self.0)?.starts_with(&dynamic::DISCRIMINATOR);
        match (before, after) {
            (0, 1..) if dynamic => move_lamports(position, self.0, Self::rent_per_tick()?),
            (1.., 0) if dynamic => move_lamports(self.0, position, Self::rent_per_tick()?),
            _ => Ok(()),
        }
    }

    /// Writes a tick that a swap crossed, which stays initialised.
    pub fn cross(&self, index: i32, tick_spacing: u16, tick: &TickState) -> Result<()> {
        let slot = self.with(|array| array.slot(index, tick_spacing).map_err(layout))?;
        require!(slot.initialised, WhirlpoolError::TickNotFound);
        put(
            &mut account::data_mut(self.0)?,
            slot.flag_at + 1,
            tick.to_bytes(),
        );
        Ok(())
    }
}
