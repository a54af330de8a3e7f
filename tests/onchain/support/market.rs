//! What the scene's market is made of, and another market beside it.

use ballast_client::{
    InitMarketArgs, MarketContext, PoolAddresses, Pubkey, ReserveParams, Side, instruction, pda,
};
use ballast_localnet::{Localnet, Trader};

use super::{Scene, accepted};

impl Scene {
    /// The pool that the market is made for.
    pub fn pool_addresses(&self) -> PoolAddresses {
        let market = &self.world.market.market;
        PoolAddresses {
            program: market.whirlpool_program,
            whirlpool: market.whirlpool,
            base_mint: market.base_mint,
            quote_mint: market.quote_mint,
        }
    }

    /// What a market with the standard parameters is made of.
    pub fn market_args(&self, guardian: Pubkey) -> InitMarketArgs {
        let market = &self.world.market.market;
        InitMarketArgs {
            guardian,
            price_receiver: market.price_receiver,
            base_feed: market.base_feed,
            quote_feed: market.quote_feed,
            base_price_account: market.base_price_account,
            quote_price_account: market.quote_price_account,
            params: self.world.config.desired.market_params(),
            safety: self.world.config.desired.safety.into(),
        }
    }

    /// Another market for the same pool, with reserves of its own; `authority` makes it.
    pub async fn second_market(&self, authority: &Trader, guardian: Pubkey) -> MarketContext {
        let pool = self.pool_addresses();
        let init = instruction::init_market(&authority.key(), &pool, self.market_args(guardian));
        accepted(self.send(authority, init).await);
        let address = pda::market(&authority.key(), &pool.whirlpool);
        let prices = self.world.market.prices;
        let load = async || {
            MarketContext::load(self.svm.chain().as_ref(), address, prices)
                .await
                .unwrap()
        };
        let market = load().await;
        for side in [Side::Base, Side::Quote] {
            let params = self.reserve_params(side);
            let init = instruction::init_reserve(&market, &authority.key(), side, params);
            accepted(self.send(authority, init).await);
        }
        load().await
    }

    /// The parameters that a reserve of the standard world was set up with.
    pub fn reserve_params(&self, side: Side) -> ReserveParams {
        let desired = &self.world.config.desired;
        match side {
            Side::Base => desired.base_reserve.into(),
            Side::Quote => desired.quote_reserve.into(),
        }
    }
}
