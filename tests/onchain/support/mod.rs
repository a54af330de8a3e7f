//! A world in the SVM, the people in it, and what they do to positions.

use std::sync::Arc;

use ballast_abi::spl;
use ballast_client::{
    Amounts, BallastError, DecreaseArgs, InitMarketArgs, Instruction, Market, MarketContext,
    MarketMode, MarketParams, OpenArgs, Policy, PoolAddresses, Position, PositionContext, Pubkey,
    Receipt, Reserve, ReserveParams, SendError, Side, SqrtPrice, SwapPath, Trade,
    ballast::targets::{MarketRule, deleverage_due},
    instruction, pda,
};
use ballast_localnet::{Localnet, LocalnetExt, Svm, Trader, UsdPrice, World, WorldConfig};
use ballast_model::{HedgedRequest, Position as PositionModel, lending::ReserveState, plan_hedged};

/// Error numbers of other programs.
pub mod code {
    /// The system program's, for an account that exists.
    pub const ALREADY_IN_USE: u32 = 0;
    /// The token programs'.
    pub const INSUFFICIENT_FUNDS: u32 = 1;
    /// The token programs'.
    pub const OWNER_MISMATCH: u32 = 4;
    /// The token programs', for closing an account that holds something.
    pub const HAS_BALANCE: u32 = 11;
    /// The token programs', for an account that is frozen.
    pub const ACCOUNT_FROZEN: u32 = 17;
    /// Anchor's, for another program's account, or one that is not there.
    pub const OTHER_PROGRAM: u32 = 3_007;
    /// The pool program's.
    pub const INVALID_TICK_INDEX: u32 = 6_010;
}

/// As much as it takes.
pub const ANY: Amounts = Amounts::new(u64::MAX, u64::MAX);

/// What became of a transaction.
pub type Sent = Result<Receipt, SendError>;

/// Nothing is repaid and nothing is paid out.
pub const NOTHING: DecreaseArgs = DecreaseArgs {
    liquidity: 0,
    repay_base: 0,
    repay_quote: 0,
    pay_base: 0,
    pay_quote: 0,
};

/// The transaction failed with exactly this error of the program.
#[track_caller]
pub fn refused(sent: Sent, expected: BallastError) {
    match sent {
        Ok(_) => panic!("accepted, expected {}", expected.name()),
        Err(error) => assert!(
            error.is(expected),
            "expected {}, got {error}\n{:#?}",
            expected.name(),
            error.failure().map(|failure| &failure.logs)
        ),
    }
}

/// The transaction failed in a program other than Ballast's, or in Anchor's own checks, with this error number.
#[track_caller]
pub fn refused_elsewhere(sent: Sent, program: Pubkey, code: u32) {
    let error = sent.expect_err("accepted");
    let failure = error.failure().expect("the chain refused it");
    assert_eq!(
        (failure.program, failure.code()),
        (Some(program), Some(code)),
        "{error}"
    );
}

/// The transaction succeeded.
#[track_caller]
pub fn accepted(sent: Sent) -> Receipt {
    match sent {
        Ok(receipt) => receipt,
        Err(error) => panic!(
            "{error}\n{:#?}",
            error.failure().map(|failure| &failure.logs)
        ),
    }
}

/// The instruction with one address in place of another.
pub fn substitute(mut instruction: Instruction, from: Pubkey, to: Pubkey) -> Instruction {
    let mut found = false;
    for meta in &mut instruction.accounts {
        if meta.pubkey == from {
            (meta.pubkey, found) = (to, true);
        }
    }
    assert!(found, "{from} is not among the accounts");
    instruction
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

    /// The path of the swap that hedges a position as its policy says.
    async fn hedge_path(&self, position: &PositionContext) -> SwapPath {
        let tick = self.world.pool().await.unwrap().tick_current;
        let (model, oracle) = self.model(position).await;
        let policy = self.world.reload(position).await.unwrap().position.policy;
        let error = model.hedge_error(oracle, policy.hedge()).unwrap();
        let trade = if error < 0 {
            Trade::BuyBase
        } else {
            Trade::SellBase
        };
        self.world.market.swap_path(tick, trade)
    }

    /// An instruction that rehedges.
    pub async fn rehedge_instruction(
        &self,
        position: &PositionContext,
        by: &Trader,
    ) -> Instruction {
        let path = self.hedge_path(position).await;
        instruction::rehedge(&self.world.market, position, &by.key(), &path)
    }

    /// Rehedges.
    pub async fn rehedge(&self, position: &PositionContext, by: &Trader) -> Sent {
        let rehedge = self.rehedge_instruction(position, by).await;
        self.send(by, rehedge).await
    }

    /// Deleverages.
    pub async fn deleverage(&self, position: &PositionContext, by: &Trader) -> Sent {
        let deleverage = instruction::deleverage(&self.world.market, position, &by.key());
        self.send(by, deleverage).await
    }

    /// The path of the swap that a deleverage makes, whose direction follows from what is withdrawn for it.
    async fn deleverage_path(&self, position: &PositionContext, by: &Trader) -> SwapPath {
        let snapshot = self.world.snapshot().await.unwrap();
        let (model, oracle) = self.model(position).await;
        let stored = self.world.reload(position).await.unwrap().position;
        let (policy, limits) = (stored.policy, snapshot.market.limits);
        let may = policy.keeper_enabled == 1 || by.key() == stored.owner;
        let value = model.value(oracle).unwrap();
        let due = deleverage_due(MarketRule::of(&snapshot.market), &policy, may, &value);
        let room = |side| {
            let state = snapshot.reserve_at(side, snapshot.now_secs).unwrap();
            snapshot.reserve(side).caps().room_down(&state).unwrap()
        };
        let plan = due.ok().and_then(|due| {
            let max_loss = due.max_swap_loss(&limits, &policy);
            let request = HedgedRequest {
                hedge: policy.hedge(),
                target: due.target,
                loss: max_loss,
                max_loss,
                room: Amounts::new(room(Side::Base), room(Side::Quote)),
            };
            plan_hedged(&model, oracle, snapshot.pool.sqrt_price, &request).ok()
        });
        match plan.and_then(|plan| plan.trade) {
            Some(planned) => {
                let tick = snapshot.pool.tick_current;
                self.world.market.swap_path(tick, planned.trade)
            }
            // What cannot be planned is refused, or takes no swap.
            None => self.hedge_path(position).await,
        }
    }

    /// Deleverages, with a swap where it takes one.
    pub async fn deleverage_swap(&self, position: &PositionContext, by: &Trader) -> Sent {
        let path = self.deleverage_path(position, by).await;
        let market = &self.world.market;
        let deleverage = instruction::deleverage_swap(market, position, &by.key(), &path);
        self.send(by, deleverage).await
    }

    /// LTV at the oracle's price, rounded up.
    pub async fn ltv_bps(&self, position: &PositionContext) -> u32 {
        let (model, oracle) = self.model(position).await;
        model.value(oracle).unwrap().ltv_bps_up()
    }

    /// The liquidator liquidates and may pay whatever it takes.
    pub async fn liquidate(&self, position: &PositionContext) -> Sent {
        self.liquidate_for(position, u64::MAX, u64::MAX).await
    }

    /// The liquidator liquidates and pays at most so much.
    pub async fn liquidate_for(&self, position: &PositionContext, base: u64, quote: u64) -> Sent {
        let by = &self.liquidator;
        let market = &self.world.market;
        let most = Amounts::new(base, quote);
        let liquidate = instruction::liquidate(market, position, &by.key(), &by.wallet, most, 0);
        self.send(by, liquidate).await
    }

    /// Alice decreases.
    pub async fn decrease(&self, position: &PositionContext, args: DecreaseArgs) -> Sent {
        let market = &self.world.market;
        let decrease = instruction::decrease(market, position, &self.alice.wallet, args);
        self.send(&self.alice, decrease).await
    }

    /// Alice closes and pays at most so much.
    pub async fn close_for(&self, position: &PositionContext, base: u64, quote: u64) -> Sent {
        let market = &self.world.market;
        let close = instruction::close(market, position, &self.alice.wallet, base, quote);
        self.send(&self.alice, close).await
    }

    /// Alice closes and pays whatever it takes.
    pub async fn close(&self, position: &PositionContext) -> Sent {
        self.close_for(position, u64::MAX, u64::MAX).await
    }

    /// Alice replaces the policy.
    pub async fn set_policy(&self, position: &PositionContext, policy: Policy) -> Sent {
        let market = &self.world.market.address;
        let set = instruction::set_policy(market, &self.alice.key(), &position.address, policy);
        self.send(&self.alice, set).await
    }

    /// Alice's policy with a change.
    pub async fn change_policy(
        &self,
        position: &PositionContext,
        change: impl FnOnce(&mut Policy),
    ) {
        let mut policy = self.world.policy();
        change(&mut policy);
        accepted(self.set_policy(position, policy).await);
    }

    /// The market's parameters, changed from those it was set up with: at once, as only a test can. That changes need notice
    /// is what `guards_setup` is about.
    pub async fn change_limits(&self, change: impl FnOnce(&mut MarketParams)) {
        let mut params = self.world.config.desired.market_params();
        change(&mut params);
        self.change_market(|market| market.set_params(&params).unwrap())
            .await;
    }

    /// Writes over the market's account, as only a test can.
    pub async fn change_market(&self, change: impl FnOnce(&mut Market)) {
        let address = self.world.market.address;
        self.patch(&address, |data| {
            let body = &mut data[8..];
            let mut market: Market = bytemuck::pod_read_unaligned(body);
            change(&mut market);
            body.copy_from_slice(bytemuck::bytes_of(&market));
        })
        .await;
    }

    /// Writes over a reserve's account, as only a test can.
    pub async fn change_reserve(&self, address: &Pubkey, change: impl FnOnce(&mut Reserve)) {
        self.patch(address, |data| {
            let body = &mut data[8..];
            let mut reserve: Reserve = bytemuck::pod_read_unaligned(body);
            change(&mut reserve);
            body.copy_from_slice(bytemuck::bytes_of(&reserve));
        })
        .await;
    }

    /// Writes over a position's account, as only a test can.
    pub async fn change_position(
        &self,
        position: &PositionContext,
        change: impl FnOnce(&mut Position),
    ) {
        self.patch(&position.address, |data| {
            let body = &mut data[8..];
            let mut position: Position = bytemuck::pod_read_unaligned(body);
            change(&mut position);
            body.copy_from_slice(bytemuck::bytes_of(&position));
        })
        .await;
    }

    /// The authority sets the mode.
    pub async fn set_mode(&self, mode: MarketMode) {
        let market = &self.world.market;
        let set = instruction::set_mode(&market.address, &market.market.authority, mode, 86_400);
        accepted(self.send_as_authority(set).await);
    }

    /// The position as a value with interest to now, and the oracle's price.
    pub async fn model(&self, position: &PositionContext) -> (PositionModel, SqrtPrice) {
        let snapshot = self.world.snapshot().await.unwrap();
        let stored = self.world.reload(position).await.unwrap().position;
        (
            snapshot.position(&stored, snapshot.now_secs).unwrap(),
            snapshot.oracle_sqrt_price().unwrap(),
        )
    }

    /// A reserve's numbers with interest to now.
    pub async fn reserve(&self, side: Side) -> ReserveState {
        let snapshot = self.world.snapshot().await.unwrap();
        snapshot.reserve_at(side, snapshot.now_secs).unwrap()
    }

    /// The bytes of an account.
    pub async fn bytes(&self, address: &Pubkey) -> Vec<u8> {
        let account = self.svm.chain().account(address).await.unwrap();
        account
            .unwrap_or_else(|| panic!("{address} does not exist"))
            .data
    }

    /// What an address holds; nothing if there is no account.
    pub async fn lamports(&self, address: &Pubkey) -> u64 {
        let account = self.svm.chain().account(address).await.unwrap();
        account.map_or(0, |account| account.lamports)
    }

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

    /// Writes over an account's bytes, as only a test can.
    pub async fn patch(&self, address: &Pubkey, change: impl FnOnce(&mut Vec<u8>)) {
        let mut account = self.svm.chain().account(address).await.unwrap().unwrap();
        change(&mut account.data);
        self.svm.set_account(address, account).await.unwrap();
    }

    /// Copies an account to a new address, changed.
    pub async fn copy_account(
        &self,
        from: &Pubkey,
        to: &Pubkey,
        change: impl FnOnce(&mut ballast_client::Account),
    ) {
        let mut account = self.svm.chain().account(from).await.unwrap().unwrap();
        change(&mut account);
        self.svm.set_account(to, account).await.unwrap();
    }

    /// An address that nobody has used.
    pub fn fresh_address(name: &str) -> Pubkey {
        use ballast_client::Signer;
        ballast_localnet::keys::named(name).pubkey()
    }

    /// Gives SOL to an address.
    pub async fn fund(&self, to: &Pubkey, lamports: u64) {
        accepted(self.svm.fund(to, lamports).await);
    }
}
