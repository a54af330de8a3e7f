//! Trading in the pool: takers, arbitrageurs who follow a price elsewhere, and moving the price at will.

use anyhow::{Context, Result, ensure};
use ballast_abi::{
    spl,
    whirlpool::{
        self,
        instruction::{SwapV2, SwapV2Accounts},
    },
};
use ballast_client::{Instruction, PoolState, Signer, SqrtPrice, Tick, Trade};

use super::World;
use crate::price::UsdPrice;

/// Swaps of three tick arrays each that one price move may take: from one end of the background liquidity to the other
/// with the narrowest arrays.
const MAX_SWAPS: usize = 200;
/// More than any swap takes before it reaches its price limit.
const PLENTY: u64 = u64::MAX / 64;
/// Furthest that takers move the price before as much flows back, as a part of it.
const MOST_IMPACT: f64 = 0.01;
/// Round trips that fit one transaction.
const ROUND_TRIPS: u64 = 5;
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

impl World {
    /// Swaps until the pool's price is exactly `target`. Leaves the oracle alone.
    ///
    /// # Errors
    /// If the cluster refuses a swap, or the price does not get there.
    pub async fn move_pool(&self, target: SqrtPrice) -> Result<()> {
        for _ in 0..MAX_SWAPS {
            let state = self.pool().await?;
            if state.sqrt_price == target {
                return Ok(());
            }
            let trade = towards(state.sqrt_price, target);
            let limit = self.within_reach(state.tick_current, trade, target)?;
            let swap = self.swap_to(state.tick_current, trade, limit);
            self.send(&self.whale, vec![swap])
                .await
                .context("moving the pool's price")?;
        }
        let state = self.pool().await?;
        ensure!(
            state.sqrt_price == target,
            "the pool stands at {} after {MAX_SWAPS} swaps, not at {target}",
            state.sqrt_price
        );
        Ok(())
    }

    /// What arbitrageurs do when base costs `outside` elsewhere: they trade as long as the pool, its fee included, offers more.
    /// The pool's price ends at most a fee away from the price outside.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn arbitrage(&self, outside: UsdPrice) -> Result<()> {
        let state = self.pool().await?;
        let kept = 1.0 - f64::from(state.fee_rate_ppm) / 1e6;
        let root = self.sqrt_price_at(outside)?;
        let low = scaled(root, kept.sqrt())?;
        let high = scaled(root, kept.sqrt().recip())?;
        self.move_pool(state.sqrt_price.clamp(low, high)).await
    }

    /// Takers trade for `volume` raw quote units in all, one way and back, so that the price ends where it was. They move it by
    /// one per cent at most. What they pay in fees is theirs to lose: somebody wanted the tokens now.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn round_trips(&self, volume: f64) -> Result<()> {
        let mut left = volume;
        let mut trade = Trade::BuyBase;
        while left > 0.0 {
            let state = self.pool().await?;
            let depth = depth(&state);
            // Quote that moves the price by a part i: L sqrt(P) (sqrt(1 + i) - 1).
            let most = 2.0 * depth * ((1.0 + MOST_IMPACT).sqrt() - 1.0);
            let trips = ((left / most).ceil() as u64).clamp(1, ROUND_TRIPS);
            let each = (left / trips as f64).min(most);
            let mut swaps = Vec::new();
            for _ in 0..trips {
                let up = 1.0 + each / 2.0 / depth;
                let factor = if trade == Trade::BuyBase {
                    up
                } else {
                    up.recip()
                };
                swaps.extend(self.round_trip(&state, scaled(state.sqrt_price, factor)?));
                trade = match trade {
                    Trade::BuyBase => Trade::SellBase,
                    Trade::SellBase => Trade::BuyBase,
                };
            }
            self.send(&self.whale, swaps).await.context("takers")?;
            left -= each * trips as f64;
            // What is left of a sum of floating-point numbers is no volume.
            if left < volume * 1e-9 {
                break;
            }
        }
        Ok(())
    }

    /// Somebody, arbitrageurs say, moves the price to and fro until it has travelled so far in all, in logarithms; it ends where it
    /// was.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn swing(&self, travel: f64) -> Result<()> {
        let state = self.pool().await?;
        // To move the price by a small part i takes L sqrt(P) i / 2 of quote, or as much worth of base.
        self.round_trips(depth(&state) * travel / 2.0).await
    }

    /// A swap that moves the pool to a price, and one that moves it back.
    fn round_trip(&self, state: &PoolState, to: SqrtPrice) -> [Instruction; 2] {
        [
            self.swap_to(state.tick_current, towards(state.sqrt_price, to), to),
            self.swap_to(
                to.tick().get(),
                towards(to, state.sqrt_price),
                state.sqrt_price,
            ),
        ]
    }

    /// `target`, or where the three tick arrays of one swap end before it.
    fn within_reach(
        &self,
        tick_current: i32,
        trade: Trade,
        target: SqrtPrice,
    ) -> Result<SqrtPrice> {
        let spacing = self.config.tick_spacing;
        let sells = trade == Trade::SellBase;
        let [_, _, last] = whirlpool::swap_tick_arrays(tick_current, spacing, sells);
        if sells {
            let end = Tick::new(last.max(Tick::MIN.get()))?;
            Ok(target.max(end.sqrt_price()))
        } else {
            // The last tick that may be initialised: a swap that crosses it has used the array up and cannot go on, not even
            // to the array's very end.
            let end = last.saturating_add(i32::from(spacing) * (whirlpool::TICKS_PER_ARRAY - 1));
            let end = Tick::new(end.min(Tick::MAX.get()))?;
            Ok(target.min(end.sqrt_price()))
        }
    }

    /// The whale's swap until the pool stands at `limit`, which three tick arrays reach.
    fn swap_to(&self, tick_current: i32, trade: Trade, limit: SqrtPrice) -> Instruction {
        let whale = self.whale.pubkey();
        let market = &self.market.market;
        let wallet = self.market.wallet(&whale);
        let path = self.market.swap_path(tick_current, trade);
        let [tick_array_0, tick_array_1, tick_array_2] = path.tick_arrays;
        let accounts = SwapV2Accounts {
            token_program_a: self.market.base.program,
            token_program_b: self.market.quote.program,
            memo_program: spl::MEMO_PROGRAM,
            token_authority: whale,
            pool: market.whirlpool,
            mint_a: market.base_mint,
            mint_b: market.quote_mint,
            owner_account_a: wallet.base,
            vault_a: market.pool_base_vault,
            owner_account_b: wallet.quote,
            vault_b: market.pool_quote_vault,
            tick_array_0,
            tick_array_1,
            tick_array_2,
            oracle: path.whirlpool_oracle,
        };
        let args = SwapV2 {
            amount: PLENTY,
            other_amount_threshold: 0,
            sqrt_price_limit: limit.x64(),
            amount_is_input: true,
            a_to_b: trade == Trade::SellBase,
        };
        args.instruction(market.whirlpool_program, &accounts)
    }
}

/// `L sqrt(P)`, raw quote units.
fn depth(state: &PoolState) -> f64 {
    state.liquidity as f64 * (state.sqrt_price.x64() as f64 / TWO_POW_64)
}

fn towards(from: SqrtPrice, to: SqrtPrice) -> Trade {
    if to < from {
        Trade::SellBase
    } else {
        Trade::BuyBase
    }
}

/// A square-root price times a factor near 1.
fn scaled(root: SqrtPrice, factor: f64) -> Result<SqrtPrice> {
    Ok(SqrtPrice::new((root.x64() as f64 * factor) as u128)?)
}
