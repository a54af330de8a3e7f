//! Somebody's liquidity in a pool, and the fees that it earns.

use ballast_clmm::{Amounts, Band, Tick};

use super::{TickPool, TickPoolError};

/// Liquidity in a range, with fees that are booked and not collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    range: [i32; 2],
    liquidity: u128,
    /// Growth inside the range up to which fees are booked.
    growth_x64: [u128; 2],
    booked: Amounts,
}

impl Seat {
    /// Its liquidity.
    pub fn liquidity(&self) -> u128 {
        self.liquidity
    }

    /// Lower and upper tick.
    pub fn range(&self) -> [i32; 2] {
        self.range
    }

    /// Fees that are booked.
    pub fn booked(&self) -> Amounts {
        self.booked
    }

    /// Whether a price is within its range.
    pub fn holds(&self, tick_current: i32) -> bool {
        self.range[0] <= tick_current && tick_current < self.range[1]
    }
}

fn band([lower, upper]: [i32; 2]) -> Result<Band, TickPoolError> {
    Ok(Band::new(Tick::new(lower)?, Tick::new(upper)?)?)
}

impl TickPool {
    /// A seat without liquidity; its number.
    pub fn seat(&mut self, range: [i32; 2]) -> usize {
        self.seats.push(Seat {
            range,
            liquidity: 0,
            growth_x64: [0; 2],
            booked: Amounts::ZERO,
        });
        self.seats.len() - 1
    }

    /// A seat by its number; an empty one where there is none.
    pub fn seat_at(&self, seat: usize) -> Seat {
        self.seats.get(seat).copied().unwrap_or(Seat {
            range: [0; 2],
            liquidity: 0,
            growth_x64: [0; 2],
            booked: Amounts::ZERO,
        })
    }

    /// An empty seat moves to another range.
    pub fn move_seat(&mut self, seat: usize, range: [i32; 2]) {
        if let Some(seat) = self.seats.get_mut(seat)
            && seat.liquidity == 0
        {
            seat.range = range;
        }
    }

    /// Fees that a seat has earned: booked ones and those since.
    pub fn fees_of(&self, seat: usize) -> Amounts {
        let seat = self.seat_at(seat);
        let fresh = self.fresh(&seat);
        Amounts {
            base: seat.booked.base.saturating_add(fresh.base),
            quote: seat.booked.quote.saturating_add(fresh.quote),
        }
    }

    fn fresh(&self, seat: &Seat) -> Amounts {
        if seat.liquidity == 0 {
            return Amounts::ZERO;
        }
        let now = self.growth_inside_x64(seat.range);
        // As on chain: a product beyond 128 bits counts as nothing.
        let earned = |token: usize| {
            let grown = now[token].wrapping_sub(seat.growth_x64[token]);
            let product = seat.liquidity.checked_mul(grown);
            product.map_or(0, |product| (product >> 64) as u64)
        };
        Amounts::new(earned(0), earned(1))
    }

    /// Books what a seat has earned.
    pub fn book(&mut self, seat: usize) {
        let state = self.seat_at(seat);
        let booked = self.fees_of(seat);
        let growth_x64 = self.growth_inside_x64(state.range);
        if let Some(seat) = self.seats.get_mut(seat) {
            (seat.booked, seat.growth_x64) = (booked, growth_x64);
        }
    }

    /// Brings fees in that a seat has earned before.
    ///
    /// # Errors
    /// [`TickPoolError`].
    pub fn credit(&mut self, seat: usize, fees: Amounts) -> Result<(), TickPoolError> {
        let vault = self.vault.checked_add(fees)?;
        let booked = self.seat_at(seat).booked.checked_add(fees)?;
        if let Some(seat) = self.seats.get_mut(seat) {
            seat.booked = booked;
            self.vault = vault;
        }
        Ok(())
    }

    /// Pays out what is booked.
    ///
    /// # Errors
    /// [`TickPoolError`].
    pub fn collect(&mut self, seat: usize) -> Result<Amounts, TickPoolError> {
        let booked = self.seat_at(seat).booked;
        self.vault = self.vault.checked_sub(booked)?;
        if let Some(seat) = self.seats.get_mut(seat) {
            seat.booked = Amounts::ZERO;
        }
        Ok(booked)
    }

    /// Provides liquidity; returns what that takes.
    ///
    /// # Errors
    /// [`TickPoolError`].
    pub fn provide(&mut self, seat: usize, liquidity: u128) -> Result<Amounts, TickPoolError> {
        let range = self.seat_at(seat).range;
        let takes = band(range)?.amounts_up(liquidity, self.sqrt_price)?;
        let vault = self.vault.checked_add(takes)?;
        self.change(seat, signed(liquidity)?)?;
        self.vault = vault;
        Ok(takes)
    }

    /// Withdraws liquidity; returns what that pays, without fees, which are booked.
    ///
    /// # Errors
    /// [`TickPoolError`].
    pub fn withdraw(&mut self, seat: usize, liquidity: u128) -> Result<Amounts, TickPoolError> {
        let Seat {
            range,
            liquidity: held,
            ..
        } = self.seat_at(seat);
        if held < liquidity {
            return Err(TickPoolError::TooLittleLiquidity {
                held,
                asked: liquidity,
            });
        }
        let pays = band(range)?.amounts_down(liquidity, self.sqrt_price)?;
        let vault = self.vault.checked_sub(pays)?;
        self.change(seat, -signed(liquidity)?)?;
        self.vault = vault;
        Ok(pays)
    }

    fn change(&mut self, seat: usize, by: i128) -> Result<(), TickPoolError> {
        let state = self.seat_at(seat);
        if by == 0 {
            self.book(seat);
            return Ok(());
        }
        let [lower, upper] = state.range;
        // Ticks first: what they know counts from here on.
        let overflow = TickPoolError::Overflow("liquidity");
        let active = if state.holds(self.tick_current) {
            self.liquidity.checked_add_signed(by).ok_or(overflow)?
        } else {
            self.liquidity
        };
        let liquidity = state.liquidity.checked_add_signed(by).ok_or(overflow)?;
        if by > 0 {
            self.touch(lower, by, by)?;
            self.touch(upper, -by, by)?;
        }
        self.book(seat);
        if by < 0 {
            self.touch(lower, by, by)?;
            self.touch(upper, -by, by)?;
        }
        self.liquidity = active;
        if let Some(seat) = self.seats.get_mut(seat) {
            seat.liquidity = liquidity;
        }
        Ok(())
    }
}

fn signed(liquidity: u128) -> Result<i128, TickPoolError> {
    i128::try_from(liquidity).map_err(|_| TickPoolError::Overflow("liquidity"))
}
