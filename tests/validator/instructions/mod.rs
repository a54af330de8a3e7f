//! Every instruction of the program, sent and confirmed once through the client that command line and keeper use: with the
//! market's lookup table, a priority fee, and a simulation whose errors have their names.

mod administration;
mod caller;
mod keepers;
mod owners;
mod preloaded;

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use ballast_client::{
    Amounts, Instruction, MarketContext, PositionContext, Receipt, SqrtPrice, Trade, instruction,
};
use ballast_localnet::{
    Localnet, LocalnetExt, TestValidator, Trader, UsdPrice, World, WorldConfig,
};
use ballast_model::Position;

use caller::Caller;
use preloaded::Preloaded;

/// A market on the validator and the people in it.
struct Stage {
    world: World,
    caller: Caller,
    alice: Trader,
    bob: Trader,
    keeper: Trader,
}

impl Stage {
    async fn new(net: Arc<dyn Localnet>) -> Result<Self> {
        let mut config = WorldConfig {
            name: "instructions".into(),
            ..WorldConfig::standard()?
        };
        // Else a stage would stay for minutes.
        config.desired.stages.calm_secs = 1;
        let world = World::new(net, config).await?;
        let rich = Amounts::new(1_000_000_000_000, 1_000_000_000_000);
        Ok(Self {
            alice: world.trader("alice", rich).await?,
            bob: world.trader("bob", rich).await?,
            keeper: world.trader("keeper", Amounts::ZERO).await?,
            caller: Caller::new(world.sender.clone(), world.tables.clone())?,
            world,
        })
    }

    fn market(&self) -> &MarketContext {
        &self.world.market
    }

    async fn confirm(&self, by: &Trader, instruction: Instruction) -> Result<Receipt> {
        self.caller.confirm(&by.keypair, [instruction]).await
    }

    /// Posts the prices anew, leaving the pool alone.
    async fn post(&self, dollars: i64) -> Result<()> {
        self.world.post_price(UsdPrice::dollars(dollars)).await
    }

    /// A position and its numbers now, with the oracle's price.
    async fn look(
        &self,
        position: &PositionContext,
    ) -> Result<(PositionContext, Position, SqrtPrice)> {
        let position = self.world.reload(position).await?;
        let snapshot = self.world.snapshot().await?;
        let model = snapshot.position(&position.position, snapshot.now_secs)?;
        Ok((position, model, snapshot.oracle_sqrt_price()?))
    }

    async fn path(&self, trade: Trade) -> Result<ballast_client::SwapPath> {
        let pool = self.world.pool().await?;
        Ok(self.market().swap_path(pool.tick_current, trade))
    }
}

/// The trade that gets rid of so much base.
fn trade_of(surplus: i128) -> Trade {
    if surplus < 0 {
        Trade::BuyBase
    } else {
        Trade::SellBase
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instruction_is_confirmed() {
    crate::play(run()).await;
}

async fn run() -> Result<()> {
    let preloaded = Preloaded::make().await.context("preparing accounts")?;
    let validator = TestValidator::with_accounts(&preloaded.accounts).await?;
    let stage = Stage::new(Arc::new(validator)).await?;
    stage.migrate(&preloaded).await.context("version 1")?;
    stage.put_in_force(&preloaded).await.context("announced")?;
    stage.lend().await.context("lending")?;
    let position = stage.own().await.context("an owner")?;
    stage.watch(&position).await.context("looking")?;
    stage.keep(&position).await.context("a keeper")?;
    stage.hand_over(&position).await.context("the end")?;
    stage.administer().await.context("the authority")?;
    stage.pause().await.context("mode and stage")?;
    stage.liquidate().await.context("liquidation")?;
    stage.settle(&preloaded).await.context("a settlement")?;
    let missing = stage.caller.missing();
    ensure!(missing.is_empty(), "never confirmed: {missing:?}");
    // The list is the program's own; that it is the whole program is seen by its size.
    assert!(stage.caller.count() >= 40, "{}", stage.caller.count());
    Ok(())
}

impl Stage {
    /// Lamports of an address.
    async fn lamports(&self, of: &ballast_client::Pubkey) -> Result<u64> {
        let account = self.world.net.chain().account(of).await?;
        Ok(account.map_or(0, |account| account.lamports))
    }

    /// Somebody who needs SOL on this cluster.
    async fn fund(&self, to: &ballast_client::Pubkey) -> Result<()> {
        self.world.net.fund(to, 10_000_000_000).await?;
        Ok(())
    }

    async fn open(&self, by: &Trader, id: u64, band: [i64; 2]) -> Result<PositionContext> {
        let band = band.map(UsdPrice::dollars);
        let own = Amounts::new(0, 100_000_000);
        let args = self.world.open_args(id, band, own, 30_000)?;
        let ticks = [args.tick_lower, args.tick_upper];
        self.world.create_tick_arrays(ticks).await?;
        let path = self.path(Trade::BuyBase).await?;
        let market = self.market();
        let open = instruction::open(market, &by.key(), &by.wallet, args, &path);
        self.confirm(by, open).await?;
        let addresses = ballast_client::PositionAddresses::new(market, &by.key(), id);
        let chain = self.world.net.chain();
        Ok(PositionContext::load(chain.as_ref(), addresses.position).await?)
    }
}
