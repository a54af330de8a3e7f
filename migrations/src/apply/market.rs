//! The market itself.

use ballast_abi::whirlpool::PoolView;
use ballast_client::{
    DecodeError, InitMarketArgs, Market, MarketContext, MarketParams, PoolAddresses, PriceAccounts,
    Pubkey, SafetyRules, decode_at, existing, instruction, pda,
};

use super::{
    ApplyError, Run,
    change::{Standing, announced, difference},
    notice::Noticed,
};
use crate::desired::MarketAddresses;

impl Run<'_> {
    pub(super) async fn market(
        &mut self,
        addresses: &MarketAddresses,
        params: MarketParams,
        safety: SafetyRules,
    ) -> Result<MarketContext, ApplyError> {
        let chain = self.sender.chain().clone();
        let signer = self.authority.pubkey();
        let creator = addresses.creator.unwrap_or(signer);
        let address = pda::market(&creator, &addresses.whirlpool);
        match existing(chain.account(&address).await?.as_ref()) {
            None if creator != signer => {
                let what = "market";
                return Err(DecodeError::Missing { what, address }.into());
            }
            None => {
                self.create_market(address, addresses, params, safety)
                    .await?;
            }
            Some(account) => {
                let found: Market = self.migrated_market(&address, account, params).await?;
                require_same(address, &found, addresses)?;
                self.oracle_source(address, &found, addresses).await?;
                self.guardian(address, &found, addresses.guardian).await?;
                self.market_params(address, &found, params).await?;
                self.safety(address, &found, safety).await?;
            }
        }
        let prices = PriceAccounts {
            base: addresses.base_price,
            quote: addresses.quote_price,
        };
        Ok(MarketContext::load(chain.as_ref(), address, prices).await?)
    }

    async fn create_market(
        &mut self,
        address: Pubkey,
        addresses: &MarketAddresses,
        params: MarketParams,
        safety: SafetyRules,
    ) -> Result<(), ApplyError> {
        let pool = self.pool(addresses).await?;
        let args = InitMarketArgs {
            guardian: addresses.guardian,
            price_receiver: addresses.price_receiver,
            base_feed: addresses.base_feed,
            quote_feed: addresses.quote_feed,
            base_price_account: addresses.base_price,
            quote_price_account: addresses.quote_price,
            params,
            safety,
        };
        let create = instruction::init_market(&self.authority.pubkey(), &pool, args);
        let what = format!("created market {address} for pool {}", addresses.whirlpool);
        self.step(what, [create]).await
    }

    async fn guardian(
        &mut self,
        address: Pubkey,
        market: &Market,
        guardian: Pubkey,
    ) -> Result<(), ApplyError> {
        if market.guardian == guardian {
            return Ok(());
        }
        self.require_authority(address, market)?;
        let set = instruction::set_guardian(&address, &self.authority.pubkey(), guardian);
        let what = format!(
            "named another guardian of market {address}: {} -> {guardian}",
            market.guardian
        );
        self.step(what, [set]).await
    }

    async fn market_params(
        &mut self,
        address: Pubkey,
        market: &Market,
        wanted: MarketParams,
    ) -> Result<(), ApplyError> {
        let now_secs = self.now_secs().await?;
        let standing = Standing {
            in_force: market.params(),
            announced: announced(market.pending.params, market.pending.effective_at_secs),
        };
        let changes = format!(
            "market {address}: {}",
            difference(&market.params(), &wanted)
        );
        let update = instruction::update_market(
            &address,
            &market.whirlpool,
            &self.authority.pubkey(),
            wanted,
        );
        self.take(Noticed {
            market: (address, market),
            next: standing.next(&wanted, now_secs),
            now_secs,
            changes,
            announcement: format!("what was announced for market {address}"),
            take_back: vec![update.clone()],
            update: vec![update],
            put_in_force: instruction::apply_market_change(&address, &market.whirlpool),
            announced_in: address,
            effective_at_secs: |at, account| {
                let found: Market = decode_at(at, account)?;
                Ok(found.pending.effective_at_secs)
            },
        })
        .await
    }

    async fn pool(&self, addresses: &MarketAddresses) -> Result<PoolAddresses, ApplyError> {
        let address = addresses.whirlpool;
        let account = self.sender.chain().account(&address).await?;
        let account = account.ok_or(DecodeError::Missing {
            what: "pool",
            address,
        })?;
        if account.owner != addresses.whirlpool_program {
            return Err(ApplyError::Decode(DecodeError::WrongOwner {
                what: "pool",
                address,
                expected: Box::new(addresses.whirlpool_program),
                found: Box::new(account.owner),
            }));
        }
        let view = PoolView::parse(&account.data).map_err(|error| DecodeError::Malformed {
            what: "pool",
            address,
            reason: error.to_string(),
        })?;
        Ok(PoolAddresses {
            program: addresses.whirlpool_program,
            whirlpool: address,
            base_mint: view.mint_a(),
            quote_mint: view.mint_b(),
        })
    }

    /// Says so before the program does.
    pub(super) fn require_authority(
        &self,
        address: Pubkey,
        market: &Market,
    ) -> Result<(), ApplyError> {
        if market.authority == self.authority.pubkey() {
            return Ok(());
        }
        Err(ApplyError::NotAuthority {
            market: address,
            authority: market.authority,
        })
    }
}

/// A market's pool never changes.
fn require_same(
    address: Pubkey,
    market: &Market,
    addresses: &MarketAddresses,
) -> Result<(), ApplyError> {
    let rules = [
        (
            market.whirlpool_program == addresses.whirlpool_program,
            "whirlpool_program",
        ),
        (market.whirlpool == addresses.whirlpool, "whirlpool"),
    ];
    match rules.iter().find(|(same, _)| !same) {
        Some((_, what)) => Err(ApplyError::Fixed {
            market: address,
            what,
        }),
        None => Ok(()),
    }
}
