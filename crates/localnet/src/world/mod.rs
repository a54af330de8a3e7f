//! A market with everything around it: mints, a pool with deep liquidity, prices, lenders and traders.

mod ground;
mod pool;
mod position;
mod prices;
mod reward;
mod tokens;
mod trades;

use std::sync::Arc;

use anyhow::{Context, Result};
use ballast_client::{
    AddressLookupTableAccount, Amounts, Instruction, Keypair, MarketContext, MarketSnapshot,
    PoolAddresses, PriceAccounts, Pubkey, Receipt, Request, SendError, Sender, Side, Signer,
    ballast::state::{least_deviation_bps, least_swap_loss_bps, reach_bps_down},
    instruction,
};
use ballast_migrations::{Desired, MarketAddresses, Migrations, Report, apply};

pub use ground::Ground;
pub use pool::PROTOCOL_FEE_RATE_BPS;
pub use position::Trader;
pub use prices::PricePost;

use crate::{keys, localnet::Localnet, localnet::LocalnetExt, price::UsdPrice};

/// Decimals of the base mint.
pub const BASE_DECIMALS: u8 = 9;
/// Decimals of the quote mint.
pub const QUOTE_DECIMALS: u8 = 6;
/// Dollars per quote token.
pub const QUOTE_PRICE: UsdPrice = UsdPrice::ONE;
/// For fees and rent of everyone who needs some.
const WALLET_LAMPORTS: u64 = 100_000_000_000;

/// How a [`World`] is set up.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Its keys are derived from this: worlds on one cluster need different names.
    pub name: String,
    /// Where mints, pool and prices are.
    pub ground: Ground,
    /// Tick spacing of the pool: 1, 2, 4, 8 or 64.
    pub tick_spacing: u16,
    /// First price of base; quote costs a dollar.
    pub start_price: UsdPrice,
    /// Feeds of base and quote.
    pub feeds: [[u8; 32]; 2],
    /// Value of the pool's background liquidity, raw quote units. It lies between an eighth and eight times the first price.
    pub background_value: u64,
    /// What the lender deposits.
    pub lent: Amounts,
    /// The market's parameters; addresses in it are replaced.
    pub desired: Desired,
}

impl WorldConfig {
    /// Spacing 4, price 200, 50 million of background liquidity, 50,000 base and 10 million quote lent, parameters of the
    /// built-in localnet migrations.
    ///
    /// # Errors
    /// If the migrations cannot be read, which a test of theirs excludes.
    pub fn standard() -> Result<Self> {
        Ok(Self {
            name: "world".into(),
            ground: Ground::Own,
            tick_spacing: 4,
            start_price: UsdPrice::dollars(200),
            feeds: prices::STANDARD_FEEDS,
            background_value: 50_000_000_000_000,
            lent: Amounts::new(50_000_000_000_000, 10_000_000_000_000),
            desired: Migrations::built_in("localnet")?.desired()?,
        })
    }

    /// Devnet's pool and price accounts at their addresses, price 200, 10 million of background liquidity, 500 base and 100,000 quote
    /// lent, parameters of the built-in devnet migrations.
    ///
    /// # Errors
    /// As [`WorldConfig::standard`].
    pub fn devnet() -> Result<Self> {
        Ok(Self {
            name: "devnet".into(),
            ground: Ground::Devnet,
            tick_spacing: 64,
            background_value: 10_000_000_000_000,
            lent: Amounts::new(500_000_000_000, 100_000_000_000),
            desired: Migrations::built_in("devnet")?.desired()?,
            ..Self::standard()?
        })
    }

    /// The same for a pool of another tick spacing, and of its fee: the distance reaches beyond where the pool rests by itself, and the
    /// swap's cap covers both. Only where a swap would not end within the pool's tick arrays is the distance less.
    ///
    /// # Errors
    /// If there is no fee tier of that spacing.
    pub fn with_tick_spacing(mut self, tick_spacing: u16) -> Result<Self> {
        self.tick_spacing = tick_spacing;
        let fee_rate_ppm = pool::fee_rate_ppm(tick_spacing)?;
        let limits = &mut self.desired.limits;
        let least_bps = least_deviation_bps(fee_rate_ppm);
        let reached_bps = reach_bps_down(tick_spacing).saturating_sub(limits.max_swap_loss_bps);
        let distance_bps = limits
            .max_pool_deviation_bps
            .min(reached_bps)
            .max(least_bps);
        limits.max_pool_deviation_bps = distance_bps;
        limits.max_swap_loss_bps =
            (limits.max_swap_loss_bps).max(least_swap_loss_bps(distance_bps, fee_rate_ppm));
        Ok(self)
    }
}

impl WorldConfig {
    /// The key of one of the world's roles.
    fn key(&self, role: &str) -> Keypair {
        keys::named(&format!("{}/{role}", self.name))
    }
}

/// A market with everything around it, on any [`Localnet`].
pub struct World {
    /// The cluster.
    pub net: Arc<dyn Localnet>,
    /// Sends to it.
    pub sender: Sender,
    /// How it was set up.
    pub config: WorldConfig,
    /// The market.
    pub market: MarketContext,
    /// Its lookup table.
    pub tables: Vec<AddressLookupTableAccount>,
    /// What setting the market up did.
    pub report: Report,
    /// The market's authority.
    pub authority: Keypair,
    /// The lender of both tokens.
    pub lender: Keypair,
    /// Owner of the background liquidity; moves the pool's price.
    pub whale: Keypair,
    /// Feeds of which prices are posted, by side.
    feeds: [[u8; 32]; 2],
}

impl World {
    /// Sets everything up. Nothing may exist yet under the config's name.
    ///
    /// # Errors
    /// The first step that fails, with its name.
    pub async fn new(net: Arc<dyn Localnet>, config: WorldConfig) -> Result<Self> {
        let ground = config.ground;
        let funding = ["authority", "lender", "whale"]
            .map(|role| net.funding(&config.key(role).pubkey(), WALLET_LAMPORTS));
        net.execute(funding.into(), &[])
            .await
            .context("funding the wallets")?;
        let mints = tokens::create_mints(net.as_ref(), &config)
            .await
            .context("creating the mints")?;
        let pool = pool::create(net.as_ref(), &config, mints)
            .await
            .context("creating the pool")?;
        ground
            .prepare_prices(net.as_ref(), &config.feeds)
            .await
            .context("preparing the price accounts")?;
        let prices = [config.start_price, UsdPrice::ONE];
        ground
            .post(net.as_ref(), &config.feeds, prices)
            .await
            .context("posting the first prices")?;
        let authority = config.key("authority");
        let world = Self::around(net, config, &pool, authority).await?;
        world
            .add_background_liquidity()
            .await
            .context("adding background liquidity")?;
        world
            .mint_to(&world.lender.pubkey(), world.config.lent)
            .await
            .context("minting to the lender")?;
        let lent = [Side::Base, Side::Quote]
            .map(|side| world.lending(&world.lender.pubkey(), side, world.config.lent.get(side)));
        world
            .send(&world.lender, lent.concat())
            .await
            .context("lending")?;
        Ok(world)
    }

    /// The world around a pool and its prices that are there already. Its market is set up, or only read where `authority` has set it up
    /// before.
    ///
    /// # Errors
    /// See [`apply`].
    pub async fn around(
        net: Arc<dyn Localnet>,
        config: WorldConfig,
        pool: &PoolAddresses,
        authority: Keypair,
    ) -> Result<Self> {
        let sender = net.sender();
        let feeds = config.feeds;
        let prices = config.ground.price_accounts(net.programs(), &feeds);
        let addresses = addresses(net.as_ref(), pool, &feeds, prices);
        let report = apply(&sender, &authority, &config.desired.clone().at(addresses)).await;
        let report = report.context("setting up the market")?;
        Ok(Self {
            market: report.market.clone(),
            tables: vec![report.lookup_table.clone()],
            report,
            net,
            sender,
            authority,
            lender: config.key("lender"),
            whale: config.key("whale"),
            config,
            feeds,
        })
    }

    /// Applies the migrations again, as they would be on a second run.
    ///
    /// # Errors
    /// See [`apply`].
    pub async fn apply(&self, desired: Desired) -> Result<Report> {
        let desired = desired.at(self.addresses());
        Ok(apply(&self.sender, &self.authority, &desired).await?)
    }

    /// The addresses that the market was set up with.
    pub fn addresses(&self) -> MarketAddresses {
        let market = &self.market.market;
        let pool = PoolAddresses {
            program: market.whirlpool_program,
            whirlpool: market.whirlpool,
            base_mint: market.base_mint,
            quote_mint: market.quote_mint,
        };
        addresses(self.net.as_ref(), &pool, &self.feeds, self.market.prices)
    }

    /// Sends instructions that `payer` signs, with the market's lookup table.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(
        &self,
        payer: &Keypair,
        instructions: Vec<Instruction>,
    ) -> Result<Receipt, SendError> {
        self.sender
            .send(&Request::new(payer, instructions).tables(&self.tables))
            .await
    }

    /// The market now.
    ///
    /// # Errors
    /// See [`MarketContext::snapshot`].
    pub async fn snapshot(&self) -> Result<MarketSnapshot> {
        Ok(self.market.snapshot(self.net.chain().as_ref()).await?)
    }

    /// Deposits into a reserve. The lender's share account is created if need be.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn lend(
        &self,
        lender: &Keypair,
        side: Side,
        amount: u64,
    ) -> Result<Receipt, SendError> {
        let instructions = self.lending(&lender.pubkey(), side, amount);
        self.send(lender, instructions).await
    }

    fn lending(&self, lender: &Pubkey, side: Side, amount: u64) -> Vec<Instruction> {
        vec![
            instruction::create_share_wallet(&self.market, lender, lender, side),
            instruction::deposit(&self.market, lender, side, amount, 0),
        ]
    }

    /// Balance of a token account, 0 if it does not exist.
    ///
    /// # Errors
    /// If the cluster does not answer.
    pub async fn balance(&self, account: &Pubkey) -> Result<u64> {
        tokens::balance(self.net.chain().as_ref(), account).await
    }
}

fn addresses(
    net: &dyn Localnet,
    pool: &PoolAddresses,
    &[base_feed, quote_feed]: &[[u8; 32]; 2],
    prices: PriceAccounts,
) -> MarketAddresses {
    MarketAddresses {
        whirlpool_program: pool.program,
        whirlpool: pool.whirlpool,
        price_receiver: net.programs().pyth.id,
        base_feed,
        quote_feed,
        base_price: prices.base,
        quote_price: prices.quote,
        guardian: Pubkey::default(),
        creator: None,
        lookup_table: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_of_any_tick_spacing_passes_the_program() {
        for (spacing, expected) in [
            (1, [73, 100]),
            (2, [94, 100]),
            (4, [94, 100]),
            (8, [94, 101]),
            (64, [94, 126]),
            (128, [115, 219]),
        ] {
            let config = WorldConfig::standard().unwrap();
            let config = config.with_tick_spacing(spacing).unwrap();
            let params = config.desired.market_params();
            params.check().unwrap();
            let limits = params.limits;
            limits.check_reach(spacing).unwrap();
            let fee_rate_ppm = pool::fee_rate_ppm(spacing).unwrap();
            limits.check_fee(fee_rate_ppm).unwrap();
            let caps = [limits.max_pool_deviation_bps, limits.max_swap_loss_bps];
            assert_eq!(caps, expected, "{spacing}");
        }
    }
}
