//! Setting up and changing markets and reserves.

use ballast::{
    InitMarketArgs, MarketMode, MarketParams, OracleSource, ReserveParams, RulesSinceVersion2,
    SafetyRules, accounts, instruction as data,
};
use ballast_abi::spl;
use ballast_model::Side;
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::{instruction, price_accounts};
use crate::{MarketContext, PoolAddresses, pda};

/// Creates the market of a pool, at [`pda::market`]. `authority` signs, pays and will be the market's authority.
pub fn init_market(authority: &Pubkey, pool: &PoolAddresses, args: InitMarketArgs) -> Instruction {
    let accounts = accounts::InitMarket {
        authority: *authority,
        market: pda::market(authority, &pool.whirlpool),
        whirlpool_program: pool.program,
        whirlpool: pool.whirlpool,
        base_mint: pool.base_mint,
        quote_mint: pool.quote_mint,
        system_program: spl::SYSTEM_PROGRAM,
    };
    instruction(&accounts, &data::InitMarket { args })
}

/// Creates the reserve of one side. The market's authority signs and pays.
pub fn init_reserve(
    market: &MarketContext,
    authority: &Pubkey,
    side: Side,
    params: ReserveParams,
) -> Instruction {
    let token = market.token(side);
    let accounts = accounts::InitReserve {
        authority: *authority,
        market: market.address,
        reserve: market.reserve(side),
        mint: token.mint,
        vault: market.vault(side),
        share_mint: market.share_mint(side),
        token_program: token.program,
        share_token_program: spl::TOKEN_PROGRAM,
        system_program: spl::SYSTEM_PROGRAM,
    };
    instruction(&accounts, &data::InitReserve { params })
}

/// Replaces limits and rules, with notice where that may hurt. The market's authority signs.
pub fn update_market(
    market: &Pubkey,
    whirlpool: &Pubkey,
    authority: &Pubkey,
    params: MarketParams,
) -> Instruction {
    let accounts = accounts::UpdateParams {
        signer: *authority,
        market: *market,
        whirlpool: *whirlpool,
    };
    instruction(&accounts, &data::UpdateMarket { params })
}

/// Puts announced parameters of a market in force. Nobody needs to sign.
pub fn apply_market_change(market: &Pubkey, whirlpool: &Pubkey) -> Instruction {
    let accounts = accounts::ApplyParams {
        market: *market,
        whirlpool: *whirlpool,
    };
    instruction(&accounts, &data::ApplyMarketChange {})
}

/// Replaces the rules of the safety net, with notice. The market's authority signs.
pub fn update_safety(market: &Pubkey, authority: &Pubkey, rules: SafetyRules) -> Instruction {
    instruction(&update(market, authority), &data::UpdateSafety { rules })
}

/// Puts announced rules of the safety net in force. Nobody needs to sign.
pub fn apply_safety_change(market: &Pubkey) -> Instruction {
    let accounts = accounts::ApplyMarketChange { market: *market };
    instruction(&accounts, &data::ApplySafetyChange {})
}

/// Announces that prices will come from elsewhere. The market's authority signs and pays.
pub fn announce_oracle(market: &Pubkey, authority: &Pubkey, source: OracleSource) -> Instruction {
    let accounts = accounts::AnnounceOracle {
        authority: *authority,
        market: *market,
        change: pda::oracle_change(market),
        system_program: spl::SYSTEM_PROGRAM,
    };
    instruction(&accounts, &data::AnnounceOracle { source })
}

/// Takes prices from where it was announced; `payer` is who paid for the announcement. Nobody needs to sign.
pub fn apply_oracle_change(market: &Pubkey, payer: &Pubkey) -> Instruction {
    let accounts = accounts::ApplyOracleChange {
        market: *market,
        change: pda::oracle_change(market),
        payer: *payer,
    };
    instruction(&accounts, &data::ApplyOracleChange {})
}

/// Takes the announcement back; `payer` is who paid for it. The market's authority signs.
pub fn cancel_oracle_change(market: &Pubkey, authority: &Pubkey, payer: &Pubkey) -> Instruction {
    let accounts = accounts::CancelOracleChange {
        authority: *authority,
        market: *market,
        change: pda::oracle_change(market),
        payer: *payer,
    };
    instruction(&accounts, &data::CancelOracleChange {})
}

/// Sets the mode for `secs`. The authority signs; the guardian may only tighten, for a day at most.
pub fn set_mode(market: &Pubkey, signer: &Pubkey, mode: MarketMode, secs: u32) -> Instruction {
    instruction(&update(market, signer), &data::SetMode { mode, secs })
}

/// Offers the authority to `to`; all zero takes an offer back. The authority signs.
pub fn offer_authority(market: &Pubkey, authority: &Pubkey, to: Pubkey) -> Instruction {
    instruction(&update(market, authority), &data::OfferAuthority { to })
}

/// Takes an offered authority over. The one it was offered to signs.
pub fn accept_authority(market: &Pubkey, new_authority: &Pubkey) -> Instruction {
    instruction(&update(market, new_authority), &data::AcceptAuthority {})
}

/// Names another guardian. The authority signs.
pub fn set_guardian(market: &Pubkey, authority: &Pubkey, guardian: Pubkey) -> Instruction {
    instruction(&update(market, authority), &data::SetGuardian { guardian })
}

fn update(market: &Pubkey, signer: &Pubkey) -> accounts::UpdateMarket {
    accounts::UpdateMarket {
        signer: *signer,
        market: *market,
    }
}

/// Replaces a reserve's curve and caps, with notice where that may hurt. The market's authority signs.
pub fn update_reserve(
    market: &MarketContext,
    authority: &Pubkey,
    side: Side,
    params: ReserveParams,
) -> Instruction {
    let accounts = accounts::UpdateReserve {
        signer: *authority,
        market: market.address,
        reserve: market.reserve(side),
    };
    instruction(&accounts, &data::UpdateReserve { params })
}

/// Puts announced parameters of a reserve in force. Nobody needs to sign.
pub fn apply_reserve_change(market: &MarketContext, side: Side) -> Instruction {
    let accounts = accounts::ApplyReserveChange {
        reserve: market.reserve(side),
    };
    instruction(&accounts, &data::ApplyReserveChange {})
}

/// Brings a market of the earlier version to this one: with rules of its choice the authority, which signs then; with cautious
/// ones anyone.
pub fn migrate_market(
    market: &Pubkey,
    chosen: Option<(&Pubkey, RulesSinceVersion2)>,
) -> Instruction {
    let accounts = accounts::MigrateMarket {
        authority: chosen.map(|(authority, _)| *authority),
        market: *market,
    };
    let rules = chosen.map(|(_, rules)| rules);
    instruction(&accounts, &data::MigrateMarket { rules })
}

/// Brings a reserve of the earlier version to this one. Nobody needs to sign.
pub fn migrate_reserve(reserve: &Pubkey) -> Instruction {
    let accounts = accounts::MigrateReserve { reserve: *reserve };
    instruction(&accounts, &data::MigrateReserve {})
}

/// Brings a position of the earlier version to this one, after its market. Nobody needs to sign.
pub fn migrate_position(market: &Pubkey, position: &Pubkey) -> Instruction {
    let accounts = accounts::MigratePosition {
        market: *market,
        position: *position,
    };
    instruction(&accounts, &data::MigratePosition {})
}

/// Shows the market what its risk stage rests on. Nobody needs to sign.
pub fn refresh_stage(market: &MarketContext) -> Instruction {
    let accounts = accounts::RefreshStage {
        market: market.address,
        whirlpool: market.market.whirlpool,
        base_reserve: market.reserve(Side::Base),
        quote_reserve: market.reserve(Side::Quote),
        prices: price_accounts(market),
    };
    instruction(&accounts, &data::RefreshStage {})
}
