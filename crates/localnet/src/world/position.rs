//! Traders and their positions.

use anyhow::{Context, Result};
use ballast_client::{
    Amounts, Band, Bps, Keypair, OpenArgs, Policy, PositionAddresses, PositionContext, Pubkey,
    Receipt, SendError, Signer, SqrtPrice, Tick, Trade, Wallet, instruction,
};

use ballast_model::{OpenRequest, plan_open};

use super::{BASE_DECIMALS, QUOTE_DECIMALS, QUOTE_PRICE, WALLET_LAMPORTS, World};
use crate::{keys, localnet::LocalnetExt, price::UsdPrice};

/// Somebody with tokens and SOL for fees.
pub struct Trader {
    /// The key.
    pub keypair: Keypair,
    /// Token accounts.
    pub wallet: Wallet,
}

impl Trader {
    /// The address.
    pub fn key(&self) -> Pubkey {
        self.keypair.pubkey()
    }
}

impl World {
    /// Somebody with tokens and SOL for fees. The key follows from the name.
    ///
    /// # Errors
    /// If the cluster refuses.
    pub async fn trader(&self, name: &str, funds: Amounts) -> Result<Trader> {
        let keypair = keys::named(&format!("{}/trader {name}", self.config.name));
        let key = keypair.pubkey();
        let mut instructions = vec![self.net.funding(&key, WALLET_LAMPORTS)];
        instructions.extend(self.minting(&key, funds));
        self.net
            .execute(instructions, &[])
            .await
            .context("funding a trader")?;
        Ok(Trader {
            wallet: self.market.wallet(&key),
            keypair,
        })
    }

    /// The usable tick nearest to a price of base (quote at its present price).
    ///
    /// # Errors
    /// If there is no such tick.
    pub fn tick_at(&self, price: UsdPrice) -> Result<Tick> {
        let sqrt_price = price.sqrt_price(QUOTE_PRICE, BASE_DECIMALS, QUOTE_DECIMALS)?;
        nearest_tick(sqrt_price, self.config.tick_spacing)
    }

    /// Fully hedged, keepers allowed: delta band 5 %, target 1 % of the full base amount; deleverage from an LTV of 76 %
    /// to 68 %; swaps may lose 1 %.
    pub fn policy(&self) -> Policy {
        Policy {
            hedge_bps: 10_000,
            delta_band_bps: 500,
            delta_target_bps: 100,
            deleverage_trigger_ltv_bps: 7_600,
            deleverage_target_ltv_bps: 6_800,
            max_swap_loss_bps: 100,
            min_rebalance_interval_secs: 0,
            keeper_enabled: 1,
        }
    }

    /// Arguments that open a position between two prices with these own funds, without slippage bounds, under
    /// [`World::policy`]. For a tighter test change the fields.
    ///
    /// # Errors
    /// If a price has no tick.
    pub fn open_args(
        &self,
        id: u64,
        band: [UsdPrice; 2],
        own: Amounts,
        leverage_bps: u32,
    ) -> Result<OpenArgs> {
        let [lower, upper] = band;
        Ok(OpenArgs {
            id,
            tick_lower: self.tick_at(lower)?.get(),
            tick_upper: self.tick_at(upper)?.get(),
            own_base: own.base,
            own_quote: own.quote,
            leverage_bps,
            policy: self.policy(),
            min_liquidity: 0,
            max_base_debt: u64::MAX,
            max_quote_debt: u64::MAX,
        })
    }

    /// The worked example of the documentation: band 190 to 210, 100 quote of own funds, leverage 3, fully hedged.
    ///
    /// # Errors
    /// If a price has no tick.
    pub fn worked_example(&self, id: u64) -> Result<OpenArgs> {
        let band = [UsdPrice::dollars(190), UsdPrice::dollars(210)];
        self.open_args(id, band, Amounts::new(0, 100_000_000), 30_000)
    }

    /// Opens a position; tick arrays are created if need be.
    ///
    /// # Errors
    /// If the cluster refuses; see [`World::try_open`] for the program's own errors.
    pub async fn open(&self, trader: &Trader, args: OpenArgs) -> Result<PositionContext> {
        self.create_tick_arrays([args.tick_lower, args.tick_upper])
            .await?;
        self.try_open(trader, args)
            .await
            .context("opening a position")?;
        let address = PositionAddresses::new(&self.market, &trader.key(), args.id).position;
        Ok(PositionContext::load(self.net.chain().as_ref(), address).await?)
    }

    /// Opens a position whose tick arrays exist.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn try_open(&self, trader: &Trader, args: OpenArgs) -> Result<Receipt, SendError> {
        let tick_current = self
            .pool()
            .await
            .map(|pool| pool.tick_current)
            .unwrap_or_default();
        let surplus = self.surplus(&args).await;
        // What cannot be planned is refused by the program, with its reason.
        let trade = match surplus.unwrap_or(i128::from(args.own_base)) {
            1.. => Trade::SellBase,
            _ => Trade::BuyBase,
        };
        let path = self.market.swap_path(tick_current, trade);
        let open = instruction::open(&self.market, &trader.key(), &trader.wallet, args, &path);
        self.send(&trader.keypair, vec![open]).await
    }

    /// Base that opening has to sell, or to buy if negative.
    async fn surplus(&self, args: &OpenArgs) -> Option<i128> {
        let snapshot = self.snapshot().await.ok()?;
        let (at, oracle) = (snapshot.pool.sqrt_price, snapshot.oracle_sqrt_price().ok()?);
        let tick = |tick| Tick::new(tick).ok();
        let request = OpenRequest {
            own: Amounts::new(args.own_base, args.own_quote),
            leverage: Bps::new(args.leverage_bps),
            hedge: args.policy.hedge(),
            band: Band::new(tick(args.tick_lower)?, tick(args.tick_upper)?).ok()?,
            at,
        };
        let plan = plan_open(request).ok()?.hedged_at(&request, oracle).ok()?;
        Some(plan.base_surplus)
    }

    /// A position again, as it is now.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn reload(&self, position: &PositionContext) -> Result<PositionContext> {
        Ok(PositionContext::load(self.net.chain().as_ref(), position.address).await?)
    }
}

fn nearest_tick(sqrt_price: SqrtPrice, spacing: u16) -> Result<Tick> {
    let below = sqrt_price.tick().align_down(spacing)?;
    let above = Tick::new(below.get() + i32::from(spacing))?;
    let (under, over) = (
        sqrt_price.x64() - below.sqrt_price().x64(),
        above.sqrt_price().x64() - sqrt_price.x64(),
    );
    Ok(if under <= over { below } else { above })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_aligned_and_near() {
        let price = UsdPrice::dollars(190)
            .sqrt_price(UsdPrice::ONE, 9, 6)
            .unwrap();
        for spacing in [1, 4, 64] {
            let tick = nearest_tick(price, spacing).unwrap();
            assert_eq!(tick.get() % i32::from(spacing), 0);
            assert!(
                (tick.get() - price.tick().get()).abs() <= i32::from(spacing) / 2 + 1,
                "{tick}"
            );
        }
    }
}
