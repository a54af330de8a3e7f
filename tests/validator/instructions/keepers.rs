//! What keepers and liquidators do.

use anyhow::{Context, Result, ensure};
use ballast_client::{
    Amounts, BallastError, BallastEvent, Policy, PositionContext, RecenterArgs, Side, Trade,
    instruction,
};
use ballast_localnet::{QUOTE_PRICE, UsdPrice};

use super::{Stage, preloaded::Preloaded, trade_of};

impl Stage {
    /// Fees, the hedge, leverage and the band, one after another.
    pub(super) async fn keep(&self, position: &PositionContext) -> Result<()> {
        self.fees(position).await.context("fees")?;
        self.hedge(position).await.context("hedge and leverage")?;
        self.band(position).await.context("the band")
    }

    async fn trade(&self) -> Result<()> {
        for dollars in [203, 197, 200] {
            let price = UsdPrice::dollars(dollars);
            let target = price.sqrt_price(QUOTE_PRICE, 9, 6)?;
            self.world.move_pool(target).await?;
        }
        self.post(200).await
    }

    async fn fees(&self, position: &PositionContext) -> Result<()> {
        let market = self.market();
        self.trade().await?;
        let compound = instruction::compound(market, position, &self.keeper.key());
        self.confirm(&self.keeper, compound.clone()).await?;
        self.trade().await?;
        let collect = instruction::collect(market, position, &self.alice.wallet);
        self.confirm(&self.alice, collect.clone()).await?;
        self.post(200).await?;
        let alice = &self.alice.keypair;
        self.caller
            .refuse(alice, collect, BallastError::ZeroAmount)
            .await?;
        self.caller
            .refuse(&self.keeper.keypair, compound, BallastError::CompoundNotDue)
            .await
    }

    async fn hedge(&self, position: &PositionContext) -> Result<()> {
        let (market, keeper) = (self.market(), &self.keeper);
        self.world.move_price(UsdPrice::dollars(196)).await?;
        let rehedge = async || {
            let (position, model, oracle) = self.look(position).await?;
            let error = model.hedge_error(oracle, position.position.policy.hedge())?;
            let path = self.path(trade_of(error)).await?;
            let rehedge = instruction::rehedge(market, &position, &keeper.key(), &path);
            anyhow::Ok(rehedge)
        };
        self.confirm(keeper, rehedge().await?).await?;
        // The market's pause between two.
        self.world.net.pass_time(3).await?;
        self.caller
            .refuse(
                &keeper.keypair,
                rehedge().await?,
                BallastError::RehedgeNotDue,
            )
            .await?;

        // Leverage is too high for an owner who says so.
        let deleverage = || instruction::deleverage(market, position, &keeper.key());
        self.post(196).await?;
        let not_due = BallastError::DeleverageNotDue;
        self.caller
            .refuse(&keeper.keypair, deleverage(), not_due)
            .await?;
        let (position, model, oracle) = self.look(position).await?;
        let policy = position.position.policy;
        let ltv_bps = model.value(oracle)?.ltv_bps_up();
        let set = |policy| {
            let owner = self.alice.key();
            instruction::set_policy(&market.address, &owner, &position.address, policy)
        };
        let lower = Policy {
            deleverage_trigger_ltv_bps: ltv_bps - 100,
            deleverage_target_ltv_bps: ltv_bps - 600,
            ..policy
        };
        self.confirm(&self.alice, set(lower)).await?;
        self.post(196).await?;
        self.confirm(keeper, deleverage()).await?;
        let (_, model, oracle) = self.look(&position).await?;
        let reached = model.value(oracle)?.ltv_bps_up();
        ensure!(reached <= lower.deleverage_target_ltv_bps, "LTV {reached}");
        self.confirm(&self.alice, set(policy)).await?;
        Ok(())
    }

    /// Ticks around a price, so many to either side.
    async fn ticks(&self, dollars: i64, half_width: i32) -> Result<RecenterArgs> {
        let centre = self.world.tick_at(UsdPrice::dollars(dollars))?.get();
        let args = RecenterArgs {
            tick_lower: centre - half_width,
            tick_upper: centre + half_width,
        };
        let ticks = [args.tick_lower, args.tick_upper];
        self.world.create_tick_arrays(ticks).await?;
        Ok(args)
    }

    async fn band(&self, position: &PositionContext) -> Result<()> {
        let market = self.market();
        self.world.move_price(UsdPrice::dollars(185)).await?;
        let args = self.ticks(185, 512).await?;
        let (position, model, oracle) = self.look(position).await?;
        let path = self.path(trade_of(model.delta(oracle)?)).await?;
        let recenter = |position, args| {
            instruction::recenter(market, position, &self.keeper.key(), args, &path)
        };
        let key = &self.keeper.keypair;
        let off_centre = self.ticks(195, 512).await?;
        self.post(185).await?;
        let refused = recenter(&position, off_centre);
        self.caller
            .refuse(key, refused, BallastError::RecenterOffCentre)
            .await?;
        self.confirm(&self.keeper, recenter(&position, args))
            .await?;
        let (moved, model, oracle) = self.look(&position).await?;
        ensure!(moved.ticks() == [args.tick_lower, args.tick_upper]);
        ensure!(moved.position.nft_mint == position.position.nft_mint);
        let again = recenter(&moved, args);
        self.caller
            .refuse(key, again, BallastError::TooSoon)
            .await?;

        // The owner may at any time, here as if the pool program could not move positions.
        let args = self.ticks(185, 600).await?;
        let path = self.path(trade_of(model.delta(oracle)?)).await?;
        let alice = self.alice.key();
        let replace = instruction::recenter_replacing(market, &moved, &alice, args, &path);
        self.post(185).await?;
        // The longest transaction of all fits because of the lookup table.
        let prepared = self
            .caller
            .prepare(&self.alice.keypair, [replace.clone()])
            .await?;
        let message = &prepared.transaction().message;
        let lookups = message.address_table_lookups().unwrap_or_default();
        ensure!(!lookups.is_empty());
        self.confirm(&self.alice, replace).await?;
        let (replaced, _, _) = self.look(&moved).await?;
        ensure!(replaced.position.nft_generation == 1);
        ensure!(replaced.position.nft_mint != moved.position.nft_mint);
        ensure!(replaced.ticks() == [args.tick_lower, args.tick_upper]);
        Ok(())
    }

    /// Of two positions one meets a price at which only a swap brings LTV down; the other, which no keeper looks after, one that
    /// its collateral does not reach: what lenders lose is shown, booked, and given back to them.
    pub(super) async fn liquidate(&self) -> Result<()> {
        let (market, bob) = (self.market(), &self.bob);
        self.post(185).await?;
        let position = self.open(&self.alice, 2, [175, 195]).await?;
        self.post(185).await?;
        let other = self.open(&self.alice, 3, [175, 195]).await?;
        let liquidate = || {
            let most = Amounts::new(u64::MAX, u64::MAX);
            instruction::liquidate(market, &position, &bob.key(), &bob.wallet, most, 0)
        };
        self.caller
            .refuse(&bob.keypair, liquidate(), BallastError::NotLiquidatable)
            .await?;
        self.deleverage_with_swap(&other)
            .await
            .context("deleveraging")?;
        let show = || instruction::show_loss(market, &position.address);
        self.post(228).await?;
        self.caller
            .refuse(&bob.keypair, show(), BallastError::NoLossToShow)
            .await?;
        self.world.move_price(UsdPrice::dollars(400)).await?;
        self.confirm(bob, show()).await?;
        let shown = async || {
            let snapshot = self.world.snapshot().await?;
            anyhow::Ok([Side::Base, Side::Quote].map(|side| snapshot.reserve(side).shown_loss))
        };
        ensure!(shown().await?.iter().any(|loss| *loss > 0));
        self.post(400).await?;
        self.confirm(bob, liquidate()).await?;
        ensure!(shown().await? == [0, 0], "booked");
        let lost = async |side| {
            let snapshot = self.world.snapshot().await?;
            anyhow::Ok(snapshot.reserve(side).bad_debt)
        };
        let (side, booked) = match (lost(Side::Base).await?, lost(Side::Quote).await?) {
            (0, quote) => (Side::Quote, quote),
            (base, _) => (Side::Base, base),
        };
        ensure!(booked > 0, "no bad debt");
        let cover = |amount| instruction::cover_bad_debt(market, &bob.key(), side, amount);
        let too_much = cover(booked + 1);
        self.caller
            .refuse(&bob.keypair, too_much, BallastError::NotThatMuchBadDebt)
            .await?;
        self.confirm(bob, cover(booked)).await?;
        ensure!(lost(side).await? == 0);
        Ok(())
    }

    /// Above the band there is nothing to repay base with.
    async fn deleverage_with_swap(&self, position: &PositionContext) -> Result<()> {
        let (market, keeper) = (self.market(), &self.keeper);
        let deleverage = async || {
            let path = self.path(Trade::BuyBase).await?;
            let key = keeper.key();
            anyhow::Ok(instruction::deleverage_swap(market, position, &key, &path))
        };
        let not_due = BallastError::DeleverageNotDue;
        self.post(185).await?;
        self.caller
            .refuse(&keeper.keypair, deleverage().await?, not_due)
            .await?;
        self.world.move_price(UsdPrice::dollars(228)).await?;
        let sent = self.confirm(keeper, deleverage().await?).await?;
        let done = sent.events.iter().find_map(|event| match event {
            BallastEvent::DeleveragedWithSwap(done) => Some(done),
            _ => None,
        });
        let done = done.context("no event")?;
        // Only the owner's trigger is reached.
        let target = position.position.policy.deleverage_target_ltv_bps;
        let (traded, reached) = (done.base_traded, done.ltv_after_bps);
        ensure!(
            traded > 0 && reached <= target,
            "{traded} base were traded, LTV is {reached}"
        );
        Ok(())
    }

    /// A market whose feeds were retired: its position is closed at the last price, and its owner leaves.
    pub(super) async fn settle(&self, preloaded: &Preloaded) -> Result<()> {
        let (world, owner) = (&preloaded.silent, &preloaded.silent_owner);
        let (market, chain) = (&world.market, self.world.net.chain());
        self.fund(&owner.key()).await?;
        let most = Amounts::new(u64::MAX, u64::MAX);
        let settle = |of: &PositionContext| {
            let least = Amounts::ZERO;
            instruction::settle(market, of, &owner.key(), &owner.wallet, most, least)
        };
        let here = |of: &PositionContext| PositionContext::load(chain.as_ref(), of.address);
        let left = here(&preloaded.left).await?;
        ensure!(!left.position.is_debt_free());
        self.confirm(owner, settle(&left)).await?;
        let settled = here(&left).await?;
        ensure!(settled.position.is_debt_free());
        let owed = BallastError::NothingOwed;
        self.caller
            .refuse(&owner.keypair, settle(&settled), owed)
            .await?;
        let close = instruction::close(market, &settled, &owner.wallet, 0, 0);
        self.confirm(owner, close).await?;
        Ok(())
    }
}
