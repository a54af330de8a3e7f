//! `migrate_market`, `migrate_reserve`, `migrate_position`: accounts of version 1 become accounts of version 2. Version 1 left
//! zeroed room where version 2 has its new fields, so that nothing moves.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::Migrated,
    state::{
        Automation, Market, MarketMode, MarketParams, Position, Reserve, RulesSinceVersion2,
        require_version,
    },
};

/// The version that can be migrated.
const FROM: u8 = 1;

#[derive(Accounts)]
pub struct MigrateMarket<'info> {
    /// Only for rules of its choice.
    pub authority: Option<Signer<'info>>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

#[derive(Accounts)]
pub struct MigrateReserve<'info> {
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

#[derive(Accounts)]
pub struct MigratePosition<'info> {
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub position: AccountLoader<'info, Position>,
}

/// Brings a market to this version with rules for what is new in it, and no others: the authority with those of its choice, anyone
/// with [`RulesSinceVersion2::cautious`]. So nobody who has lent or borrowed there depends on an authority that does not act. A
/// mode that was set without end ends after the longest time from now.
///
/// # Errors
/// [`BallastError::NotAuthority`] for rules without the authority's signature, [`BallastError::WrongVersion`],
/// [`BallastError::BadParameters`].
pub(crate) fn migrate_market(
    ctx: Context<MigrateMarket>,
    rules: Option<RulesSinceVersion2>,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut market = accounts.market.load_mut()?;
    require_version(market.version, FROM)?;
    let RulesSinceVersion2 { keepers, stages } = match rules {
        Some(rules) => {
            let authority = accounts.authority.as_ref().map(Key::key);
            let signed = authority == Some(market.authority);
            require!(signed, BallastError::NotAuthority);
            let params = MarketParams {
                keepers: rules.keepers,
                stages: rules.stages,
                ..market.params()
            };
            params.check_since_version_2()?;
            rules
        }
        // Not checked, so that no market is locked: they obey every rule wherever the older parameters do.
        None => RulesSinceVersion2::cautious(&market.params()),
    };
    (market.keepers, market.stages) = (keepers, stages);
    if market.mode != MarketMode::Normal as u8 {
        let now_secs = Clock::get()?.unix_timestamp;
        market.mode_until_secs = now_secs.saturating_add(i64::from(Market::LONGEST_PAUSE_SECS));
    }
    market.version = Market::VERSION;
    emit!(migrated(accounts.market.key(), Market::VERSION));
    Ok(())
}

/// Brings a reserve to this version. Anyone.
///
/// # Errors
/// [`BallastError::WrongVersion`].
pub(crate) fn migrate_reserve(ctx: Context<MigrateReserve>) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut reserve = accounts.reserve.load_mut()?;
    require_version(reserve.version, FROM)?;
    reserve.version = Reserve::VERSION;
    emit!(migrated(accounts.reserve.key(), Reserve::VERSION));
    Ok(())
}

/// Brings a position to this version; keepers may do no more with it than before. Anyone.
///
/// # Errors
/// [`BallastError::WrongVersion`], also while the market is not migrated, [`BallastError::WrongPositionAccount`].
pub(crate) fn migrate_position(ctx: Context<MigratePosition>) -> Result<()> {
    let accounts = &ctx.accounts;
    let market = accounts.market.load()?;
    require_version(market.version, Market::VERSION)?;
    let mut position = accounts.position.load_mut()?;
    require_version(position.version, FROM)?;
    require_keys_eq!(
        position.market,
        accounts.market.key(),
        BallastError::WrongPositionAccount
    );
    position.automation = Automation::OFF;
    position.version = Position::VERSION;
    emit!(migrated(accounts.position.key(), Position::VERSION));
    Ok(())
}

fn migrated(account: Pubkey, to: u8) -> Migrated {
    Migrated {
        account,
        from: FROM,
        to,
    }
}
