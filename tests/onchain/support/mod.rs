//! A world in the SVM, the people in it, and what they do to positions.

mod acts;
mod market;
mod outcome;
mod state;

use std::sync::Arc;

use ballast_abi::spl;
use ballast_client::{
    Amounts, Instruction, MarketContext, MarketMode, OpenArgs, PositionContext, Pubkey, Side,
    Trade, instruction,
};
use ballast_localnet::{Localnet, Svm, Trader, UsdPrice, World, WorldConfig};

pub use acts::{ANY, NOTHING};
pub use outcome::{Sent, accepted, code, refused, refused_elsewhere, substitute};

/// A number from the environment.
pub fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// A world whose pool a worked example's swap moves by some hundredths of a percent.
pub fn shallow() -> WorldConfig {
    WorldConfig {
        background_value: 500_000_000_000,
        ..WorldConfig::standard().unwrap()
    }
}

/// A world with an owner, a keeper without tokens and a liquidator with plenty.
pub struct Scene {
    /// The runtime.
    pub svm: Svm,
    /// The market with everything around it.
    pub world: World,
    /// Owns positions.
    pub alice: Trader,
    /// Acts for others.
    pub keeper: Trader,
    /// Has tokens to repay with.
    pub liquidator: Trader,
}

impl Scene {
    /// The standard world at a price of 200.
    pub async fn new() -> Self {
        Self::with(WorldConfig::standard().unwrap()).await
    }

    /// Any world.
    pub async fn with(config: WorldConfig) -> Self {
        let svm = Svm::start().unwrap();
        let world = World::new(Arc::new(svm.clone()), config).await.unwrap();
        let some = Amounts::new(10_000_000_000, 1_000_000_000);
        let plenty = Amounts::new(1_000_000_000_000, 1_000_000_000_000);
        let alice = world.trader("alice", some).await.unwrap();
        let keeper = world.trader("keeper", Amounts::ZERO).await.unwrap();
        let liquidator = world.trader("liquidator", plenty).await.unwrap();
        let scene = Self {
            svm,
            world,
            alice,
            keeper,
            liquidator,
        };
        let args = scene.example(0);
        let ticks = [args.tick_lower, args.tick_upper];
        scene.world.create_tick_arrays(ticks).await.unwrap();
        scene
    }

    /// Arguments of the worked example: band 190 to 210, 100 quote of own funds, leverage 3.
    pub fn example(&self, id: u64) -> OpenArgs {
        self.world.worked_example(id).unwrap()
    }

    /// Tries to open a position of alice's.
    pub async fn try_open(&self, args: OpenArgs) -> Sent {
        self.world.try_open(&self.alice, args).await
    }

    /// Tries to open the worked example with other accounts of the market than its own.
    pub async fn try_open_in(&self, market: &MarketContext, args: OpenArgs) -> Sent {
        let tick = self.world.pool().await.unwrap().tick_current;
        let path = self.world.market.swap_path(tick, Trade::BuyBase);
        let open = instruction::open(market, &self.alice.key(), &self.alice.wallet, args, &path);
        self.send(&self.alice, open).await
    }

    /// Opens alice's worked example.
    pub async fn open(&self, id: u64) -> PositionContext {
        self.world
            .open(&self.alice, self.example(id))
            .await
            .unwrap()
    }

    /// Sends an instruction that `by` signs.
    pub async fn send(&self, by: &Trader, instruction: Instruction) -> Sent {
        self.world.send(&by.keypair, vec![instruction]).await
    }

    /// Sends an instruction that the market's authority signs.
    pub async fn send_as_authority(&self, instruction: Instruction) -> Sent {
        self.world
            .send(&self.world.authority, vec![instruction])
            .await
    }

    /// Moves pool and oracle.
    pub async fn price(&self, dollars: i64) {
        self.world
            .move_price(UsdPrice::dollars(dollars))
            .await
            .unwrap();
    }

    /// Moves the oracle alone.
    pub async fn oracle(&self, dollars: i64) {
        self.world
            .post_price(UsdPrice::dollars(dollars))
            .await
            .unwrap();
    }

    /// Moves the pool alone.
    pub async fn pool(&self, dollars: f64) {
        let price = UsdPrice::from_f64(dollars).unwrap();
        let target = price.sqrt_price(UsdPrice::ONE, 9, 6).unwrap();
        self.world.move_pool(target).await.unwrap();
    }

    /// Lets time pass and posts the prices anew.
    pub async fn wait(&self, secs: u64, dollars: i64) {
        self.svm.pass_time(secs).await.unwrap();
        self.oracle(dollars).await;
    }

    /// The authority sets the mode.
    pub async fn set_mode(&self, mode: MarketMode) {
        let market = &self.world.market;
        let set = instruction::set_mode(&market.address, &market.market.authority, mode, 86_400);
        accepted(self.send_as_authority(set).await);
    }

    /// Somebody sends tokens to any token account, as anybody can.
    pub async fn donate(&self, side: Side, to: Pubkey, amount: u64) {
        let (token, from) = (self.world.market.token(side), &self.liquidator);
        let transfer = spl::transfer_checked(
            token.program,
            from.wallet.tokens(side),
            token.mint,
            to,
            from.key(),
            amount,
            token.decimals,
        );
        accepted(self.send(from, transfer).await);
    }
}
