//! `init_market`: anyone may create a market for a pool; they become its authority.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::MarketInitialized,
    pool,
    state::{Market, MarketMode, MarketParams, SafetyRules},
    token::supported_mint_decimals,
};

/// What a market is made of.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitMarketArgs {
    /// May only tighten the mode; all zero: none.
    pub guardian: Pubkey,
    /// Program whose price accounts the market accepts.
    pub price_receiver: Pubkey,
    /// Feed of base/USD.
    pub base_feed: [u8; 32],
    /// Feed of quote/USD.
    pub quote_feed: [u8; 32],
    /// Price account of base/USD whose silence counts as evidence; all zero: none.
    pub base_price_account: Pubkey,
    /// Price account of quote/USD whose silence counts as evidence; all zero: none.
    pub quote_price_account: Pubkey,
    /// Limits and rules.
    pub params: MarketParams,
    /// Rules of the safety net.
    pub safety: SafetyRules,
}

#[derive(Accounts)]
pub struct InitMarket<'info> {
    #[account(mut)]
    pub authority: Signer<'info>,
    #[account(
        init,
        payer = authority,
        space = Market::SPACE,
        seeds = [Market::SEED, authority.key().as_ref(), whirlpool.key().as_ref()],
        bump
    )]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: must be executable and own the pool.
    #[account(executable)]
    pub whirlpool_program: UncheckedAccount<'info>,
    /// CHECK: parsed by [`pool::read`].
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: must be the pool's mint A; checked with its token program.
    pub base_mint: UncheckedAccount<'info>,
    /// CHECK: must be the pool's mint B; checked with its token program.
    pub quote_mint: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// Creates a market. Base is the pool's token A, quote its token B. The reserves follow with `init_reserve`.
///
/// # Errors
/// [`BallastError::WrongPool`], [`BallastError::AdaptiveFee`], [`BallastError::MalformedPoolAccount`], [`BallastError::UnsupportedMint`],
/// [`BallastError::BadParameters`].
pub(crate) fn init_market(ctx: Context<InitMarket>, args: InitMarketArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    require_keys_eq!(
        *accounts.whirlpool.owner,
        accounts.whirlpool_program.key(),
        BallastError::WrongPool
    );
    require!(
        args.base_feed != args.quote_feed,
        BallastError::BadParameters
    );
    let whirlpool = pool::read(&accounts.whirlpool)?;
    // A fee that rises with volatility would take a protective trade beyond its cap in the moments in which it is needed.
    require!(!whirlpool.adaptive_fee, BallastError::AdaptiveFee);
    require_keys_eq!(
        accounts.base_mint.key(),
        whirlpool.mint_a,
        BallastError::WrongPool
    );
    require_keys_eq!(
        accounts.quote_mint.key(),
        whirlpool.mint_b,
        BallastError::WrongPool
    );

    let mut market = ctx.accounts.market.load_init()?;
    market.version = Market::VERSION;
    market.bump = ctx.bumps.market;
    market.mode = MarketMode::Normal as u8;
    market.base_decimals = supported_mint_decimals(&accounts.base_mint, accounts.base_mint.owner)?;
    market.quote_decimals =
        supported_mint_decimals(&accounts.quote_mint, accounts.quote_mint.owner)?;
    market.tick_spacing = whirlpool.tick_spacing;
    market.creator = accounts.authority.key();
    market.authority = accounts.authority.key();
    market.guardian = args.guardian;
    market.whirlpool_program = accounts.whirlpool_program.key();
    market.whirlpool = accounts.whirlpool.key();
    market.base_mint = whirlpool.mint_a;
    market.quote_mint = whirlpool.mint_b;
    market.pool_base_vault = whirlpool.vault_a;
    market.pool_quote_vault = whirlpool.vault_b;
    market.price_receiver = args.price_receiver;
    market.base_feed = args.base_feed;
    market.quote_feed = args.quote_feed;
    market.base_price_account = args.base_price_account;
    market.quote_price_account = args.quote_price_account;
    args.params.limits.check_fee(whirlpool.fee_rate_ppm)?;
    market.set_params(&args.params)?;
    args.safety.check()?;
    market.safety = args.safety;
    // The first look at the pool's depth is the creator's, not that of whoever comes first with borrowed liquidity.
    let now_secs = Clock::get()?.unix_timestamp;
    let market_ref = &mut *market;
    market_ref.stage.observe_depth(
        &mut market_ref.depth_since_secs,
        whirlpool.liquidity,
        false,
        0,
        now_secs,
    );

    emit!(MarketInitialized {
        market: ctx.accounts.market.key(),
        whirlpool_program: market.whirlpool_program,
        whirlpool: market.whirlpool,
        base_mint: market.base_mint,
        quote_mint: market.quote_mint,
        authority: market.authority,
        guardian: market.guardian,
        price_receiver: market.price_receiver,
        base_feed: market.base_feed,
        quote_feed: market.quote_feed,
        params: args.params,
        safety: args.safety,
    });
    Ok(())
}
