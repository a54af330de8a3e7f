//! `open`: own funds, both loans and the Whirlpool position in one transaction.

use anchor_lang::prelude::*;
use ballast_clmm::{Side, Tick};
use ballast_ledger::{grow, mix};
use ballast_model::Bps;

use crate::{
    errors::BallastError,
    events::PositionOpened,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    pool::{self, NftHolder, Opening},
    risk,
    session::Session,
    state::{Automation, Market, MarketMode, Policy, Position},
};

/// What to open.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenArgs {
    /// Chosen by the owner, part of the position's address.
    pub id: u64,
    /// Lower tick, a multiple of the pool's tick spacing.
    pub tick_lower: i32,
    /// Upper tick, a multiple of the pool's tick spacing.
    pub tick_upper: i32,
    /// Own base brought in.
    pub own_base: u64,
    /// Own quote brought in.
    pub own_quote: u64,
    /// Assets over equity; 30 000 = 3x.
    pub leverage_bps: u32,
    /// The owner's policy; its hedge ratio decides the split of the loans.
    pub policy: Policy,
    /// Least liquidity accepted.
    pub min_liquidity: u128,
    /// Largest base debt accepted.
    pub max_base_debt: u64,
    /// Largest quote debt accepted.
    pub max_quote_debt: u64,
}

#[derive(Accounts)]
#[instruction(args: OpenArgs)]
pub struct Open<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(
        init,
        payer = owner,
        space = Position::SPACE,
        seeds = [Position::SEED, market.key().as_ref(), owner.key().as_ref(), &args.id.to_le_bytes()],
        bump
    )]
    pub position: AccountLoader<'info, Position>,
    /// CHECK: created here by the Whirlpool program.
    #[account(mut, seeds = [Position::NFT_SEED, position.key().as_ref()], bump)]
    pub nft_mint: UncheckedAccount<'info>,
    /// CHECK: created here by the Whirlpool program, which checks the address.
    #[account(mut)]
    pub nft_account: UncheckedAccount<'info>,
    /// CHECK: created here by the Whirlpool program, which checks the address.
    #[account(mut)]
    pub whirlpool_position: UncheckedAccount<'info>,
    /// CHECK: created here.
    #[account(mut, seeds = [Position::TOKENS_SEED, position.key().as_ref(), lending.base_mint.key().as_ref()], bump)]
    pub base_account: UncheckedAccount<'info>,
    /// CHECK: created here.
    #[account(mut, seeds = [Position::TOKENS_SEED, position.key().as_ref(), lending.quote_mint.key().as_ref()], bump)]
    pub quote_account: UncheckedAccount<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub swap: SwapAccounts<'info>,
    pub prices: PriceAccounts<'info>,
    pub nft: NftAccounts<'info>,
    pub system_program: Program<'info, System>,
}

/// Opens a position: takes the own funds, swaps them into the mix that the hedge asks for (nothing, for quote-only
/// funds and a full hedge), sizes the liquidity to the leverage, borrows exactly what is missing of both tokens,
/// provides the liquidity, and checks the result against every limit.
///
/// # Errors
/// [`BallastError::ModeForbids`], [`BallastError::HedgeNotAffordable`], [`BallastError::SlippageExceeded`], the risk
/// errors of [`risk::require_initial_health`], [`BallastError::DeltaOutsideTarget`], [`BallastError::PositionSize`],
/// reserve, price and pool errors.
pub(crate) fn open(ctx: Context<Open>, args: OpenArgs) -> Result<()> {
    let accounts = &ctx.accounts;
    require!(
        args.own_base > 0 || args.own_quote > 0,
        BallastError::ZeroAmount
    );
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    risk::require_mode(&market, MarketMode::Normal, now_secs)?;
    args.policy.check(&market.limits)?;
    require!(
        args.leverage_bps <= market.limits.max_leverage_bps,
        BallastError::LeverageTooHigh
    );
    require!(
        args.leverage_bps >= Bps::ONE.get(),
        BallastError::BadParameters
    );
    // Ticks that are none mean something to some pool programs: to put a price in their place.
    for tick in [args.tick_lower, args.tick_upper] {
        Tick::new(tick).or_range()?;
    }
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Tight)?;
    market.open_positions = market.open_positions.checked_add(1).or_range()?;
    let market = &*market;
    risk::require_pool_near_oracle(
        &market.limits,
        pool::sqrt_price(&accounts.pool, market)?,
        oracle.mid,
    )?;

    let position_accounts = accounts.create_accounts(&ctx.bumps, market, &args)?;
    let position = accounts.new_position(ctx.bumps.position, &args);
    let market_key = accounts.market.key();
    let lending = &accounts.lending;
    let mut session = Session::with_position(
        position,
        market_key,
        market,
        &position_accounts,
        lending,
        now_secs,
    )?;
    session.take_in(
        Side::Base,
        args.own_base,
        &accounts.wallet.wallet_base,
        &accounts.owner,
    )?;
    session.take_in(
        Side::Quote,
        args.own_quote,
        &accounts.wallet.wallet_quote,
        &accounts.owner,
    )?;

    let leverage = Bps::new(args.leverage_bps);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .swapping(&accounts.swap);
    mix(
        &mut calls,
        (leverage, args.policy.hedge()),
        args.policy.left_alone(),
        oracle.mid,
        Bps::new(args.policy.max_swap_loss_bps),
    )?;
    let pool_price = pool::sqrt_price(&accounts.pool, market)?;
    // Once more: the swap may have moved it.
    risk::require_pool_near_oracle(&market.limits, pool_price, oracle.mid)?;
    let mut calls = session.calls(&accounts.pool, &accounts.range);
    let liquidity = grow(&mut calls, leverage, u128::MAX)?;
    require!(liquidity > 0, BallastError::ZeroAmount);

    let model = session.model()?;
    require!(
        liquidity >= args.min_liquidity,
        BallastError::SlippageExceeded
    );
    require!(
        model.debt.base <= args.max_base_debt,
        BallastError::SlippageExceeded
    );
    require!(
        model.debt.quote <= args.max_quote_debt,
        BallastError::SlippageExceeded
    );
    let after = model.at(oracle.mid);
    let newest = oracle::newest_price(market);
    let value =
        risk::require_initial_health_at(&market.limits, &after, &oracle, pool_price, newest)?;
    risk::require_hedged_at(&args.policy, &after, args.policy.delta_target_bps)?;
    risk::require_size(&market.limits, value.assets)?;

    let entry = &mut session.position.entry;
    entry.sqrt_price_x64 = oracle.mid.x64().into();
    entry.opened_at_secs = now_secs;
    entry.equity = u64::try_from(value.equity()).unwrap_or(0);
    emit!(PositionOpened {
        position: accounts.position.key(),
        market: market_key,
        owner: accounts.owner.key(),
        id: args.id,
        policy: args.policy,
        tick_lower: args.tick_lower,
        tick_upper: args.tick_upper,
        liquidity,
        own_base: args.own_base,
        own_quote: args.own_quote,
        borrowed_base: model.debt.base,
        borrowed_quote: model.debt.quote,
        swap_loss: session.position.entry.swap_loss,
        equity: value.equity(),
        ltv_bps: value.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store()
}

impl<'info> Open<'info> {
    /// The position's record before anything has moved.
    fn new_position(&self, bump: u8, args: &OpenArgs) -> Box<Position> {
        let mut position: Box<Position> = Box::new(bytemuck::Zeroable::zeroed());
        position.version = Position::VERSION;
        position.bump = bump;
        position.id = args.id;
        position.market = self.market.key();
        position.creator = self.owner.key();
        position.owner = self.owner.key();
        position.nft_mint = self.nft_mint.key();
        position.nft_account = self.nft_account.key();
        position.whirlpool_position = self.whirlpool_position.key();
        position.base_account = self.base_account.key();
        position.quote_account = self.quote_account.key();
        position.tick_lower = args.tick_lower;
        position.tick_upper = args.tick_upper;
        position.policy = args.policy;
        position.automation = Automation {
            leverage_bps: args.leverage_bps,
            ..Automation::OFF
        };
        position.entry.own_base = args.own_base;
        position.entry.own_quote = args.own_quote;
        position
    }

    /// Creates the position's token accounts and the Whirlpool position.
    fn create_accounts(
        &self,
        bumps: &OpenBumps,
        market: &Market,
        args: &OpenArgs,
    ) -> Result<Box<PositionAccounts<'info>>> {
        // The account is new: without its discriminator it could not be loaded again in this instruction.
        self.position.as_ref().try_borrow_mut_data()?[..8].copy_from_slice(Position::DISCRIMINATOR);
        let position_key = self.position.key();
        for (side, account, bump) in [
            (Side::Base, &self.base_account, bumps.base_account),
            (Side::Quote, &self.quote_account, bumps.quote_account),
        ] {
            let mint = self.lending.mint(side);
            require_keys_eq!(
                mint.key(),
                market.mint(side),
                BallastError::WrongReserveAccount
            );
            crate::token::Token {
                program: self.lending.token_program(side),
                mint,
                decimals: 0,
            }
            .create_account(
                &self.owner,
                account,
                self.position.as_ref(),
                &[
                    Position::TOKENS_SEED,
                    position_key.as_ref(),
                    mint.key.as_ref(),
                    &[bump],
                ],
            )?;
        }
        let seeds: &[&[u8]] = &[Position::NFT_SEED, position_key.as_ref(), &[bumps.nft_mint]];
        pool::open_position(
            &self.pool,
            market,
            &NftHolder {
                position: self.position.as_ref(),
                whirlpool_position: &self.whirlpool_position,
                nft_mint: &self.nft_mint,
                nft_account: &self.nft_account,
            },
            &Opening {
                funder: &self.owner,
                system_program: &self.system_program,
                nft: &self.nft,
                nft_seeds: seeds,
            },
            &self.lending,
            [args.tick_lower, args.tick_upper],
        )?;
        Ok(Box::new(PositionAccounts {
            position: self.position.clone(),
            whirlpool_position: self.whirlpool_position.clone(),
            nft_account: self.nft_account.clone(),
            base_account: self.base_account.clone(),
            quote_account: self.quote_account.clone(),
        }))
    }
}
