//! `swap_v2`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::{
    PoolView, TickArrayView,
    fees::PerToken,
    pda,
    swap::{SwapArray, SwapOutcome, SwapRequest, swap},
    swap_tick_arrays,
};
use ballast_clmm::{SqrtPrice, SwapMode};

use crate::{
    ID, WhirlpoolError, account,
    error::{WhirlpoolResult, layout},
    mischief::Prey,
    state::{PoolAccount, TickArrayAccount, check_time},
    token::{self, CheckedMint, Mints},
};

#[derive(Accounts)]
pub struct SwapV2<'info> {
    /// CHECK: owner of the mint.
    pub token_program_a: UncheckedAccount<'info>,
    /// CHECK: owner of the mint.
    pub token_program_b: UncheckedAccount<'info>,
    /// CHECK: address.
    pub memo_program: UncheckedAccount<'info>,
    pub token_authority: Signer<'info>,
    /// CHECK: owner and discriminator.
    #[account(mut)]
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: address.
    pub token_mint_a: UncheckedAccount<'info>,
    /// CHECK: address.
    pub token_mint_b: UncheckedAccount<'info>,
    /// CHECK: mint; by the token program.
    #[account(mut)]
    pub token_owner_account_a: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub token_vault_a: UncheckedAccount<'info>,
    /// CHECK: mint; by the token program.
    #[account(mut)]
    pub token_owner_account_b: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub token_vault_b: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool, or address.
    #[account(mut)]
    pub tick_array_0: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool, or address.
    #[account(mut)]
    pub tick_array_1: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool, or address.
    #[account(mut)]
    pub tick_array_2: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub oracle: UncheckedAccount<'info>,
}

impl<'info> SwapV2<'info> {
    pub fn handle(
        &self,
        amount: u64,
        other_amount_threshold: u64,
        sqrt_price_limit: u128,
        amount_is_input: bool,
        a_to_b: bool,
    ) -> Result<()> {
        let mints = self.check()?;
        let now = account::now()?;
        let pool = PoolAccount(&self.whirlpool);
        let (outcome, tick_spacing) = pool.with(|pool| {
            check_time(pool, now)?;
            let outcome = self.compute(pool, a_to_b, |sequence| {
                // Checked after the tick arrays, as the real program does.
                let limit = match sqrt_price_limit {
                    0 => None,
                    limit => Some(SqrtPrice::new(limit)?),
                };
                let mode = if amount_is_input {
                    SwapMode::ExactIn
                } else {
                    SwapMode::ExactOut
                };
                let request = SwapRequest {
                    amount,
                    mode,
                    a_to_b,
                    limit,
                };
                Ok(swap(pool, sequence, request)?)
            })?;
            Ok((outcome, pool.tick_spacing()))
        })?;
        let (amount_in, amount_out) = if a_to_b {
            (outcome.amounts.a, outcome.amounts.b)
        } else {
            (outcome.amounts.b, outcome.amounts.a)
        };
        if amount_is_input {
            require_gte!(
                amount_out,
                other_amount_threshold,
                WhirlpoolError::AmountOutBelowMinimum
            );
        } else {
            require_gte!(
                other_amount_threshold,
                amount_in,
                WhirlpoolError::AmountInAboveMaximum
            );
        }
        for crossing in &outcome.crossings {
            self.array_of(crossing.tick, tick_spacing)?.cross(
                crossing.tick,
                tick_spacing,
                &crossing.state,
            )?;
        }
        pool.apply_swap(&outcome, a_to_b, now)?;
        self.transfer(&mints, a_to_b, amount_in, amount_out)
    }

    fn check(&self) -> Result<Mints<'_, 'info>> {
        token::check_memo_program(&self.memo_program)?;
        let (mint_a, mint_b, vault_a, vault_b) = PoolAccount(&self.whirlpool)
            .with(|pool| Ok((pool.mint_a(), pool.mint_b(), pool.vault_a(), pool.vault_b())))?;
        let mints = PerToken {
            a: CheckedMint::new(&self.token_mint_a, &self.token_program_a, mint_a)?,
            b: CheckedMint::new(&self.token_mint_b, &self.token_program_b, mint_b)?,
        };
        mints.a.check_account(&self.token_owner_account_a)?;
        mints.b.check_account(&self.token_owner_account_b)?;
        require_keys_eq!(
            vault_a,
            *self.token_vault_a.key,
            ErrorCode::ConstraintAddress
        );
        require_keys_eq!(
            vault_b,
            *self.token_vault_b.key,
            ErrorCode::ConstraintAddress
        );
        let (oracle, _) = pda::oracle(&ID, self.whirlpool.key);
        require_keys_eq!(oracle, *self.oracle.key, ErrorCode::ConstraintSeeds);
        Ok(mints)
    }

    fn arrays(&self) -> [&AccountInfo<'info>; 3] {
        [&self.tick_array_0, &self.tick_array_1, &self.tick_array_2]
    }

    /// Orders the tick arrays along the direction of the swap and lets `swap` walk through them. An array that does not exist
    /// yet counts as empty if its address is the right one.
    fn compute(
        &self,
        pool: &PoolView,
        a_to_b: bool,
        swap: impl FnOnce(&[SwapArray]) -> WhirlpoolResult<SwapOutcome>,
    ) -> Result<SwapOutcome> {
        let accounts = self.arrays();
        let mut data = Vec::with_capacity(accounts.len());
        let mut empty = Vec::with_capacity(accounts.len());
        for account in accounts {
            if *account.owner == System::id() && account.data_is_empty() {
                empty.push(account.key);
            } else {
                data.push(account::data(account)?);
            }
        }
        let mut views = Vec::with_capacity(data.len());
        for bytes in &data {
            let view = TickArrayView::parse(bytes).map_err(layout)?;
            require_keys_eq!(
                view.pool(),
                *self.whirlpool.key,
                WhirlpoolError::DifferentWhirlpoolTickArrayAccount
            );
            views.push(view);
        }
        let mut sequence: Vec<SwapArray> = Vec::with_capacity(accounts.len());
        for start in swap_tick_arrays(pool.tick_current(), pool.tick_spacing(), a_to_b) {
            // At the end of the tick range the last array repeats.
            if sequence.last().is_some_and(|array| array.start() == start) {
                break;
            }
            if let Some(view) = views.iter().find(|view| view.start() == start) {
                sequence.push(SwapArray::Initialised(*view));
            } else if !empty.is_empty()
                && empty.contains(&&pda::tick_array(&ID, self.whirlpool.key, start).0)
            {
                sequence.push(SwapArray::Empty { start });
            } else {
                break;
            }
        }
        require!(
            !sequence.is_empty(),
            WhirlpoolError::InvalidTickArraySequence
        );
        Ok(swap(&sequence)?)
    }

    fn array_of(&self, tick: i32, tick_spacing: u16) -> Result<TickArrayAccount<'_, 'info>> {
        for account in self.arrays() {
            let array = TickArrayAccount(account);
            if *account.owner == ID && array.holds(tick, tick_spacing)? {
                return Ok(array);
            }
        }
        err!(WhirlpoolError::TickNotFound)
    }

    fn transfer(
        &self,
        mints: &Mints<'_, 'info>,
        a_to_b: bool,
        amount_in: u64,
        amount_out: u64,
    ) -> Result<()> {
        let (a, b) = (
            (&mints.a, &self.token_owner_account_a, &self.token_vault_a),
            (&mints.b, &self.token_owner_account_b, &self.token_vault_b),
        );
        let ((mint_in, from, vault_in), (mint_out, to, vault_out)) =
            if a_to_b { (a, b) } else { (b, a) };
        let toll = PoolAccount(&self.whirlpool).toll()?;
        let (amount_in, amount_out) = (amount_in + toll, amount_out.saturating_sub(toll));
        mint_in.transfer(from, vault_in, &self.token_authority, amount_in, &[])?;
        PoolAccount(&self.whirlpool).with_seeds(|seeds| {
            mint_out.transfer(vault_out, to, &self.whirlpool, amount_out, &[seeds])
        })?;
        Prey {
            pool: &self.whirlpool,
            authority: &self.token_authority,
            accounts: PerToken {
                a: &self.token_owner_account_a,
                b: &self.token_owner_account_b,
            },
            programs: PerToken {
                a: &self.token_program_a,
                b: &self.token_program_b,
            },
        }
        .take()
    }
}
