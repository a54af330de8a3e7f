use ballast_clmm::wide;

use super::{LendingError, ReserveState, VIRTUAL_ASSETS, VIRTUAL_SHARES};

impl ReserveState {
    /// Lends `amount` and returns the shares minted, `amount (supply + VS) / (assets + VA)` rounded down.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::RoundsToZero`] if it buys no share, [`LendingError::Overflow`].
    pub fn deposit(&mut self, amount: u64) -> Result<u64, LendingError> {
        if amount == 0 {
            return Err(LendingError::ZeroAmount);
        }
        let minted = self.to_shares_down(amount)?;
        if minted == 0 {
            return Err(LendingError::RoundsToZero);
        }
        let liquidity = self.receive(amount)?;
        let supply = self
            .supply_shares
            .checked_add(minted)
            .ok_or(LendingError::Overflow("supply shares"))?;
        (self.liquidity, self.supply_shares) = (liquidity, supply);
        Ok(minted)
    }

    /// Burns `shares` and returns the amount paid out, `shares (assets + VA) / (supply + VS)` rounded down.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::RoundsToZero`] if they are worth less than one unit,
    /// [`LendingError::MoreThanIssued`], [`LendingError::InsufficientLiquidity`] while too much is lent out.
    pub fn redeem(&mut self, shares: u64) -> Result<u64, LendingError> {
        self.redeem_at_loss(shares, 0)
    }

    /// Shares that `amount` buys now, rounded down.
    ///
    /// # Errors
    /// [`LendingError::Overflow`].
    pub fn to_shares_down(&self, amount: u64) -> Result<u64, LendingError> {
        let (supply, assets) = self.priced()?;
        to_u64(
            wide::mul_div_down(u128::from(amount), supply, assets),
            "supply shares",
        )
    }

    /// What `shares` are worth now, rounded down.
    ///
    /// # Errors
    /// [`LendingError::Overflow`].
    pub fn to_assets_down(&self, shares: u64) -> Result<u64, LendingError> {
        self.to_assets_at_loss_down(shares, 0)
    }

    /// Shares and the assets behind them, virtual ones included.
    fn priced(&self) -> Result<(u128, u128), LendingError> {
        let supply = u128::from(self.supply_shares) + u128::from(VIRTUAL_SHARES);
        let assets = u128::from(self.total_assets_down()?) + u128::from(VIRTUAL_ASSETS);
        Ok((supply, assets))
    }

    /// The liquidity after `amount` more came in, if it can be valued together with the debt.
    pub(super) fn receive(&self, amount: u64) -> Result<u64, LendingError> {
        let liquidity = self
            .liquidity
            .checked_add(amount)
            .ok_or(LendingError::Overflow("liquidity"))?;
        liquidity
            .checked_add(self.total_debt_up()?)
            .ok_or(LendingError::Overflow("reserve's assets"))?;
        Ok(liquidity)
    }

    /// The liquidity left after paying `amount` out.
    pub(super) fn pay(&self, amount: u64) -> Result<u64, LendingError> {
        self.liquidity
            .checked_sub(amount)
            .ok_or(LendingError::InsufficientLiquidity {
                available: self.liquidity,
                requested: amount,
            })
    }
}

fn to_u64(value: Option<u128>, what: &'static str) -> Result<u64, LendingError> {
    value
        .and_then(|value| u64::try_from(value).ok())
        .ok_or(LendingError::Overflow(what))
}
