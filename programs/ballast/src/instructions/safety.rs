//! `update_safety`, `apply_safety_change`: the rules of the safety net, with the same notice as the other parameters of a market.

use anchor_lang::prelude::*;

use super::admin::{
    ApplyMarketChange, UpdateMarket, notice_ends, require_authority, require_notice_over,
};
use crate::{
    events::{SafetyChangeAnnounced, SafetyUpdated},
    state::{Market, PendingSafety, SafetyRules, require_version},
};

/// Replaces the rules of the safety net: at once as long as the market has no reserve, so that nobody can have relied on them, or
/// if they only write the rules in force in another way; else they are announced, and anyone may put them in force
/// [`Market::NOTICE_SECS`] later, for [`Market::LAPSE_SECS`]. None of them only restrains: a shorter age or grace shuts keepers
/// out who have no better price, a longer one gives others more choice, and each allowance protects somebody. Either way an
/// earlier announcement is void, so passing the rules in force takes one back.
///
/// # Errors
/// [`crate::errors::BallastError::NotAuthority`], [`crate::errors::BallastError::BadParameters`].
pub(crate) fn update_safety(ctx: Context<UpdateMarket>, rules: SafetyRules) -> Result<()> {
    let key = ctx.accounts.market.key();
    let mut market = ctx.accounts.market.load_mut()?;
    require_authority(&market, &ctx.accounts.signer)?;
    // Those in force may be older than a rule about them; naming them takes an announcement back.
    if rules != market.safety {
        rules.check()?;
    }
    market.pending_safety = PendingSafety::default();
    if market.has_no_reserve() || rules.effective() == market.safety.effective() {
        market.safety = rules;
        emit!(SafetyUpdated { market: key, rules });
        return Ok(());
    }
    let effective_at_secs = notice_ends()?;
    market.pending_safety = PendingSafety {
        rules,
        effective_at_secs,
    };
    emit!(SafetyChangeAnnounced {
        market: key,
        rules,
        effective_at_secs,
    });
    Ok(())
}

/// Puts announced rules of the safety net in force. Anyone.
///
/// # Errors
/// [`crate::errors::BallastError::NothingAnnounced`], also for an announcement that has lapsed,
/// [`crate::errors::BallastError::NoticeNotOver`].
pub(crate) fn apply_safety_change(ctx: Context<ApplyMarketChange>) -> Result<()> {
    let key = ctx.accounts.market.key();
    let mut market = ctx.accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
    let PendingSafety {
        rules,
        effective_at_secs,
    } = market.pending_safety;
    require_notice_over(effective_at_secs)?;
    market.safety = rules;
    market.pending_safety = PendingSafety::default();
    emit!(SafetyUpdated { market: key, rules });
    Ok(())
}
