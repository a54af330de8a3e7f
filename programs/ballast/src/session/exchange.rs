//! What a payer can bring, and losses booked.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::Bps;

use super::Session;
use crate::{events::WriteOffRewarded, groups::WalletAccounts, token};

/// What a wallet can bring: at most `most`, and no more than it holds. An account that cannot be read holds nothing.
pub fn payable(wallet: &WalletAccounts, most: Amounts) -> Amounts {
    let held = |side| token::balance(wallet.tokens(side)).unwrap_or(0);
    most.min(Amounts {
        base: held(Side::Base),
        quote: held(Side::Quote),
    })
}

impl<'info> Session<'_, 'info> {
    /// Writes off what is still owed of both tokens. Whoever books a loss gets `bonus` of the debt that ends with it, `repaid` and lost, out
    /// of that reserve's insurance, as far as [`ballast_model::lending::ReserveState::pay_write_off_bonus`] goes. Returns that.
    ///
    /// # Errors
    /// [`crate::errors::BallastError::OutOfRange`] and those of the token program.
    pub fn book_losses(
        &mut self,
        repaid: Amounts,
        bonus: Bps,
        wallet: &WalletAccounts<'info>,
        to: &Pubkey,
    ) -> Result<Amounts> {
        let mut paid = Amounts::ZERO;
        for side in [Side::Base, Side::Quote] {
            let lost = self.owed(side)?;
            if lost == 0 {
                continue;
            }
            let mut state = self.reserve(side).state();
            let amount = state.pay_write_off_bonus(repaid.get(side), lost, bonus);
            self.reserve_mut(side).set_state(&state);
            self.write_off(side)?;
            if amount > 0 {
                self.transfer_from_vault(side, amount, wallet.tokens(side))?;
                paid = paid.with(side, amount);
                emit!(WriteOffRewarded {
                    reserve: self.lending.reserve(side).key(),
                    position: self.accounts.position.key(),
                    to: *to,
                    amount,
                });
            }
        }
        Ok(paid)
    }
}
