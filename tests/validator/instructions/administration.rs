//! What authority and guardian do, and what anybody does with what they left.

use anyhow::{Context, Result, ensure};
use ballast_client::{
    Automation, BallastError, InitMarketArgs, Instruction, MarketContext, MarketMode,
    PoolAddresses, PositionContext, Pubkey, RulesSinceVersion2, Side, Signer, Trade, instruction,
    pda,
};
use ballast_localnet::{PricePost, UsdPrice, keys};

use super::{
    Stage,
    preloaded::{Preloaded, REWARD},
};

impl Stage {
    /// Market, reserves and position of version 1; then the position is as good as any.
    pub(super) async fn migrate(&self, preloaded: &Preloaded) -> Result<()> {
        let (world, owner) = (&preloaded.earlier, &preloaded.owner);
        let chain = self.world.net.chain();
        for key in [world.authority.pubkey(), owner.key()] {
            self.fund(&key).await?;
        }
        let (address, authority) = (world.market.address, &world.authority);
        let params = world.config.desired.market_params();
        let position = || instruction::migrate_position(&address, &preloaded.position);
        let too_early = BallastError::WrongVersion;
        self.caller.refuse(authority, position(), too_early).await?;
        let market = || {
            let rules = RulesSinceVersion2 {
                keepers: params.keepers,
                stages: params.stages,
            };
            instruction::migrate_market(&address, Some((&authority.pubkey(), rules)))
        };
        self.caller.confirm(authority, [market()]).await?;
        for side in [Side::Base, Side::Quote] {
            let reserve = instruction::migrate_reserve(&world.market.reserve(side));
            self.caller.confirm(authority, [reserve]).await?;
        }
        self.confirm(&self.keeper, position()).await?;
        self.caller.refuse(authority, market(), too_early).await?;

        let market = MarketContext::load(chain.as_ref(), address, world.market.prices).await?;
        ensure!(market.market.params() == params);
        let position = PositionContext::load(chain.as_ref(), preloaded.position).await?;
        ensure!(position.position.automation == Automation::OFF);
        self.rewarded(preloaded, &market, &position).await
    }

    /// What the pool owes that position of one of its rewards.
    async fn rewarded(
        &self,
        preloaded: &Preloaded,
        market: &MarketContext,
        position: &PositionContext,
    ) -> Result<()> {
        use ballast_abi::spl;
        let (owner, reward) = (&preloaded.owner, &preloaded.reward);
        let (key, program) = (owner.key(), reward.token_program);
        let (wallet, _) = spl::associated_token_account(&key, &reward.mint, &program);
        let make = spl::create_associated_token_account_idempotent(key, key, reward.mint, program);
        let collect = || instruction::collect_reward(market, position, reward, &wallet);
        let both = [make, collect()];
        self.caller.confirm(&owner.keypair, both).await?;
        ensure!(self.world.balance(&wallet).await? == REWARD);
        self.caller
            .refuse(&owner.keypair, collect(), BallastError::ZeroAmount)
            .await
    }

    /// Changes whose notice is over; anybody puts them in force.
    pub(super) async fn put_in_force(&self, preloaded: &Preloaded) -> Result<()> {
        let world = &preloaded.announced;
        let (at, pool) = (&world.market.address, &world.market.market.whirlpool);
        let market = || instruction::apply_market_change(at, pool);
        let reserve = || instruction::apply_reserve_change(&world.market, Side::Base);
        let safety = || instruction::apply_safety_change(&world.market.address);
        for apply in [market(), reserve(), safety()] {
            self.confirm(&self.keeper, apply).await?;
        }
        let payer = world.market.market.authority;
        let oracle = instruction::apply_oracle_change(&world.market.address, &payer);
        self.confirm(&self.keeper, oracle).await?;
        let chain = self.world.net.chain();
        let (address, prices) = (world.market.address, world.market.prices);
        let found = MarketContext::load(chain.as_ref(), address, prices).await?;
        let expected = world.market.market.limits.maintenance_ltv_bps - 100;
        ensure!(found.market.limits.maintenance_ltv_bps == expected);
        ensure!(found.market.safety.grace_secs == world.market.market.safety.grace_secs + 1);
        ensure!(found.market.base_price_account == Pubkey::default());
        for apply in [market(), reserve(), safety()] {
            let nothing = BallastError::NothingAnnounced;
            self.caller
                .refuse(&self.keeper.keypair, apply, nothing)
                .await?;
        }
        Ok(())
    }

    /// Changes with and without notice, of this market and of one that nobody has used; then the authority in two steps.
    pub(super) async fn administer(&self) -> Result<()> {
        self.announce().await.context("changes")?;
        self.unused_market().await.context("an unused market")?;
        let (authority, bob) = (&self.world.authority, &self.bob.keypair);
        let address = self.market().address;
        let offer = |by: &Pubkey, to| instruction::offer_authority(&address, by, to);
        let accept = |by: &Pubkey| instruction::accept_authority(&address, by);
        let (creator, heir) = (authority.pubkey(), bob.pubkey());
        self.caller
            .refuse(bob, accept(&heir), BallastError::NotOffered)
            .await?;
        for (from, to) in [(authority, bob), (bob, authority)] {
            let offer = offer(&from.pubkey(), to.pubkey());
            self.caller.confirm(from, [offer]).await?;
            self.caller.confirm(to, [accept(&to.pubkey())]).await?;
        }
        let stolen = offer(&heir, heir);
        self.caller
            .refuse(bob, stolen, BallastError::NotAuthority)
            .await?;
        let snapshot = self.world.snapshot().await?;
        ensure!(snapshot.market.authority == creator);
        Ok(())
    }

    async fn announce(&self) -> Result<()> {
        let (market, authority) = (self.market(), &self.world.authority);
        let key = authority.pubkey();
        let update = |params| {
            instruction::update_market(&market.address, &market.market.whirlpool, &key, params)
        };
        let mut params = self.world.snapshot().await?.market.params();
        params.limits.max_position_value -= 1;
        self.caller.confirm(authority, [update(params)]).await?;
        let snapshot = self.world.snapshot().await?;
        ensure!(snapshot.market.params() == params, "restrains at once");

        let mut harsher = params;
        harsher.limits.maintenance_ltv_bps -= 100;
        let mut rates = snapshot.reserve(Side::Quote).params();
        rates.rate_at_full_bps += 100;
        let announce = [
            update(harsher),
            instruction::update_reserve(market, &key, Side::Quote, rates),
        ];
        self.caller.confirm(authority, announce).await?;
        for apply in [
            instruction::apply_market_change(&market.address, &market.market.whirlpool),
            instruction::apply_reserve_change(market, Side::Quote),
        ] {
            let early = BallastError::NoticeNotOver;
            self.caller.refuse(authority, apply, early).await?;
        }
        let snapshot = self.world.snapshot().await?;
        ensure!(snapshot.market.params() == params, "not in force yet");
        ensure!(snapshot.market.pending.params == harsher);
        self.caller.confirm(authority, [update(params)]).await?;
        let stored = &snapshot.market;
        let safety = instruction::update_safety(&market.address, &key, stored.safety);
        self.caller.confirm(authority, [safety]).await?;
        let mut source = stored.oracle_source();
        source.quote_price_account = Pubkey::default();
        let announce = instruction::announce_oracle(&market.address, &key, source);
        self.caller.confirm(authority, [announce]).await?;
        let early = instruction::apply_oracle_change(&market.address, &key);
        let not_over = BallastError::NoticeNotOver;
        self.caller.refuse(authority, early, not_over).await?;
        let cancel = instruction::cancel_oracle_change(&market.address, &key, &key);
        self.caller.confirm(authority, [cancel]).await?;
        Ok(())
    }

    /// Bob's own market of the same pool.
    async fn unused_market(&self) -> Result<()> {
        let (bob, stored) = (&self.bob, &self.market().market);
        let pool = PoolAddresses {
            program: stored.whirlpool_program,
            whirlpool: stored.whirlpool,
            base_mint: stored.base_mint,
            quote_mint: stored.quote_mint,
        };
        let prices = self.market().prices;
        let mut params = self.world.config.desired.market_params();
        let args = InitMarketArgs {
            guardian: Pubkey::default(),
            price_receiver: stored.price_receiver,
            base_feed: stored.base_feed,
            quote_feed: stored.quote_feed,
            base_price_account: prices.base,
            quote_price_account: prices.quote,
            params,
            safety: self.world.config.desired.safety.into(),
        };
        let init = instruction::init_market(&bob.key(), &pool, args);
        self.confirm(bob, init).await?;
        let chain = self.world.net.chain();
        let address = pda::market(&bob.key(), &pool.whirlpool);
        // Before there is a reserve nobody can be hurt.
        params.limits.maintenance_ltv_bps -= 100;
        let update = instruction::update_market(&address, &pool.whirlpool, &bob.key(), params);
        self.confirm(bob, update).await?;
        let market = MarketContext::load(chain.as_ref(), address, prices).await?;
        ensure!(market.market.params() == params, "nobody is hurt");
        let desired = &self.world.config.desired;
        for (side, rules) in [
            (Side::Base, desired.base_reserve),
            (Side::Quote, desired.quote_reserve),
        ] {
            let init = instruction::init_reserve(&market, &bob.key(), side, rules.into());
            self.confirm(bob, init).await?;
        }
        let apply = instruction::apply_market_change(&address, &pool.whirlpool);
        self.caller
            .refuse(&bob.keypair, apply, BallastError::NothingAnnounced)
            .await
    }

    /// An opening that only mode or stage can refuse.
    async fn opening(&self) -> Result<Instruction> {
        self.post(185).await?;
        let world = &self.world;
        let band = [175, 195].map(UsdPrice::dollars);
        let own = ballast_client::Amounts::new(0, 100_000_000);
        let args = world.open_args(9, band, own, 30_000)?;
        world
            .create_tick_arrays([args.tick_lower, args.tick_upper])
            .await?;
        let path = self.path(Trade::BuyBase).await?;
        let (key, wallet) = (self.alice.key(), &self.alice.wallet);
        Ok(instruction::open(self.market(), &key, wallet, args, &path))
    }

    /// Pauses end by themselves; the stage follows what the oracle says.
    pub(super) async fn pause(&self) -> Result<()> {
        let (market, authority) = (self.market().address, &self.world.authority);
        let alice = &self.alice.keypair;
        let guardian = keys::named("guardian");
        self.fund(&guardian.pubkey()).await?;
        let name = instruction::set_guardian(&market, &authority.pubkey(), guardian.pubkey());
        self.caller.confirm(authority, [name]).await?;
        let set = |by: &Pubkey, mode, secs| instruction::set_mode(&market, by, mode, secs);
        let tighten = set(&guardian.pubkey(), MarketMode::NoNewRisk, 20);
        self.caller.confirm(&guardian, [tighten]).await?;
        let forbidden = BallastError::ModeForbids;
        self.caller
            .refuse(alice, self.opening().await?, forbidden)
            .await?;
        let loosen = set(&guardian.pubkey(), MarketMode::Normal, 0);
        self.caller
            .refuse(&guardian, loosen, BallastError::NotAuthority)
            .await?;
        self.world.net.pass_time(21).await?;
        self.caller
            .prepare(alice, [self.opening().await?])
            .await
            .context("the pause is over")?;
        let again = set(&guardian.pubkey(), MarketMode::ReduceOnly, 20);
        self.caller
            .refuse(&guardian, again, BallastError::GuardianRests)
            .await?;

        let refresh = || instruction::refresh_stage(self.market());
        let stage = async || anyhow::Ok(self.world.snapshot().await?.market.stage.stage);
        let now_secs = self.world.net.chain().clock().await?.now_secs;
        let price = UsdPrice::dollars(185);
        let mut wide = PricePost::good(Side::Base, price, now_secs);
        wide.conf = price.units().unsigned_abs() / 50;
        self.world.post(&[wide]).await?;
        self.confirm(&self.keeper, refresh()).await?;
        ensure!(stage().await? == 1, "2 % of uncertainty are evidence");
        self.caller
            .refuse(alice, self.opening().await?, forbidden)
            .await?;
        self.world.net.pass_time(2).await?;
        self.post(185).await?;
        self.confirm(&self.keeper, refresh()).await?;
        ensure!(stage().await? == 0, "calm again");
        Ok(())
    }
}
