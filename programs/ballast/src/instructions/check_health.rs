//! `check_health`: what a position is worth at the oracle's price now, as return data. Changes nothing.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Band, Tick};
use ballast_model::{Bps, Position as PositionModel};

use crate::{
    errors::BallastError,
    events::Health,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    state::{Market, Position, Reserve, require_version},
};

#[derive(Accounts)]
pub struct CheckHealth<'info> {
    pub market: AccountLoader<'info, Market>,
    pub position: AccountLoader<'info, Position>,
    pub base_reserve: AccountLoader<'info, Reserve>,
    pub quote_reserve: AccountLoader<'info, Reserve>,
    pub prices: PriceAccounts<'info>,
}

/// Values a position with interest to now. Anyone may call it, also from another program or at the end of a
/// transaction; it fails if `max_ltv_bps` is exceeded.
///
/// # Errors
/// [`BallastError::InitialLtvExceeded`] above `max_ltv_bps`; account and price errors.
pub(crate) fn check_health(ctx: Context<CheckHealth>, max_ltv_bps: u32) -> Result<Health> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let market = accounts.market.load()?;
    let position = accounts.position.load()?;
    require_version(market.version, Market::VERSION)?;
    require_version(position.version, Position::VERSION)?;
    require_keys_eq!(
        position.market,
        accounts.market.key(),
        BallastError::WrongPositionAccount
    );
    require_keys_eq!(
        accounts.base_reserve.key(),
        market.base_reserve,
        BallastError::WrongReserve
    );
    require_keys_eq!(
        accounts.quote_reserve.key(),
        market.quote_reserve,
        BallastError::WrongReserve
    );
    let oracle = oracle::peek_price(&market, &accounts.prices, now_secs, Grade::Loose)?;
    let owed = |loader: &AccountLoader<Reserve>, shares: u128| -> Result<u64> {
        let reserve = loader.load()?;
        require_version(reserve.version, Reserve::VERSION)?;
        let mut state = reserve.state();
        state
            .accrue(
                now_secs,
                &reserve.curve(),
                Bps::new(reserve.reserve_factor_bps),
            )
            .or_range()?;
        state.debt_of_up(shares).or_range()
    };
    let lower = Tick::new(position.tick_lower).or_range()?;
    let upper = Tick::new(position.tick_upper).or_range()?;
    let model = PositionModel {
        band: Band::new(lower, upper).or_range()?,
        liquidity: position.liquidity.get(),
        idle: position.idle(),
        debt: Amounts {
            base: owed(&accounts.base_reserve, position.base_debt_shares.get())?,
            quote: owed(&accounts.quote_reserve, position.quote_debt_shares.get())?,
        },
    };
    let (value, delta) = model.value_and_delta(oracle.mid).or_range()?;
    require!(
        !value.ltv_above(Bps::new(max_ltv_bps)),
        BallastError::InitialLtvExceeded
    );
    Ok(Health {
        assets: value.assets,
        debt: value.debt,
        equity: value.equity(),
        delta,
        ltv_bps: value.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    })
}
