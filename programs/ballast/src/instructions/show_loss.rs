//! `show_loss`: anyone shows the reserves what of a position's debts is no longer covered, so that lenders who leave before it is
//! booked bear their part of it.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Band, Side, Tick};
use ballast_model::Position as PositionModel;

use crate::{
    errors::BallastError,
    events::LossShown,
    groups::*,
    loss::{LossPrices, loss_to_show},
    math::ToProgramError,
    oracle::{self, Grade},
    session::accrue,
    state::{Market, Position, Reserve, require_version},
};

#[derive(Accounts)]
pub struct ShowLoss<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub position: AccountLoader<'info, Position>,
    #[account(mut)]
    pub base_reserve: AccountLoader<'info, Reserve>,
    #[account(mut)]
    pub quote_reserve: AccountLoader<'info, Reserve>,
    pub prices: PriceAccounts<'info>,
}

/// Puts what the collateral, fees aside, does not cover now in place of what the position has shown before, in proportion to
/// both debts, as [`loss_to_show`] says. It needs a price of seconds and no second witness: with one, who sees a gap first would leave at
/// par until the average has followed. What a wick shows the next certain price takes back, and nothing is booked meanwhile; who
/// withdraws then says the least that will do.
///
/// # Errors
/// [`BallastError::NoLossToShow`], account and price errors.
pub(crate) fn show_loss(ctx: Context<ShowLoss>) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let mut position = accounts.position.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    require_version(position.version, Position::VERSION)?;
    require_keys_eq!(
        position.market,
        accounts.market.key(),
        BallastError::WrongPositionAccount
    );
    let (oracle, updates) =
        oracle::read_with_updates(&mut market, &accounts.prices, now_secs, Grade::Loss)?;
    let [base, quote] = &*updates;
    let prices = LossPrices {
        used: oracle,
        used_is_certain: oracle::are_certain(&market, base, quote),
        newest: oracle::newest_price(&market).unwrap_or(oracle.mid),
        newest_is_certain: oracle::newest_is_certain(&market),
    };
    let load = |loader: &AccountLoader<'_, Reserve>, side, shares: u128| -> Result<u64> {
        require_keys_eq!(
            loader.key(),
            market.reserve(side),
            BallastError::WrongReserve
        );
        let mut reserve = loader.load_mut()?;
        require_version(reserve.version, Reserve::VERSION)?;
        accrue(loader.key(), &mut reserve, now_secs)?;
        reserve.state().debt_of_up(shares).or_range()
    };
    let debt = Amounts {
        base: load(
            &accounts.base_reserve,
            Side::Base,
            position.base_debt_shares.get(),
        )?,
        quote: load(
            &accounts.quote_reserve,
            Side::Quote,
            position.quote_debt_shares.get(),
        )?,
    };
    let lower = Tick::new(position.tick_lower).or_range()?;
    let upper = Tick::new(position.tick_upper).or_range()?;
    let model = PositionModel {
        band: Band::new(lower, upper).or_range()?,
        liquidity: position.liquidity.get(),
        idle: position.idle(),
        debt,
    };
    let shown = Amounts::new(position.shown_loss_base, position.shown_loss_quote);
    let loss = loss_to_show(&model, &prices, shown).or_range()?;
    let uncovered = loss.uncovered;
    require!(
        uncovered != Amounts::ZERO || shown != Amounts::ZERO,
        BallastError::NoLossToShow
    );
    for (loader, side) in [
        (&accounts.base_reserve, Side::Base),
        (&accounts.quote_reserve, Side::Quote),
    ] {
        loader
            .load_mut()?
            .show_loss(&mut position, uncovered.get(side))?;
    }
    emit!(LossShown {
        position: accounts.position.key(),
        loss_base: uncovered.base,
        loss_quote: uncovered.quote,
        ltv_bps: loss.value.ltv_bps_up(),
        sqrt_price_x64: loss.at.x64(),
    });
    Ok(())
}
