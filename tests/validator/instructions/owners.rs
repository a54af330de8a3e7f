//! What lenders and owners do.

use anyhow::{Result, ensure};
use ballast_client::{
    Amounts, Automation, BallastError, DecreaseArgs, IncreaseArgs, PositionContext, Reaction, Side,
    Trade, instruction,
};
use ballast_localnet::{LocalnetExt, UsdPrice};

use super::{Stage, caller::fees, trade_of};

/// Everything allowed, nothing reached.
fn automation() -> Automation {
    Automation {
        leverage_bps: 30_000,
        min_width_ticks: 400,
        max_width_ticks: 4_000,
        compound_min_value: 1,
        max_exit_loss_bps: 100,
        // One is enough.
        recenter_cooldown_secs: 86_400,
        ..Automation::OFF
    }
}

impl Stage {
    pub(super) async fn lend(&self) -> Result<()> {
        let (market, side) = (self.market(), Side::Quote);
        let lender = self.bob.key();
        let deposit = [
            instruction::create_share_wallet(market, &lender, &lender, side),
            instruction::deposit(market, &lender, side, 1_000_000_000, 0),
        ];
        self.caller.confirm(&self.bob.keypair, deposit).await?;
        let shares = market.share_wallet(&lender, side);
        let shares = self.world.balance(&shares).await?;
        let withdraw = |least| instruction::withdraw(market, &lender, side, shares / 2, least);
        let too_much = withdraw(u64::MAX);
        self.caller
            .refuse(&self.bob.keypair, too_much, BallastError::SlippageExceeded)
            .await?;
        self.confirm(&self.bob, withdraw(1)).await?;
        self.confirm(&self.bob, instruction::accrue(market, side))
            .await?;
        let fund = instruction::fund_insurance(market, &lender, side, 1_000);
        self.confirm(&self.bob, fund).await?;
        Ok(())
    }

    /// Alice's position, with everything that only moves her own funds.
    pub(super) async fn own(&self) -> Result<PositionContext> {
        let (market, alice) = (self.market(), &self.alice);
        self.post(200).await?;
        let position = self.open(alice, 1, [190, 210]).await?;
        let policy = position.position.policy;
        let (address, owner) = (&position.address, alice.key());
        let set = instruction::set_policy(&market.address, &owner, address, policy);
        self.confirm(alice, set).await?;
        let set = instruction::set_automation(&market.address, &owner, address, automation());
        self.confirm(alice, set).await?;
        // Who acts in what follows goes first.
        let first = [self.keeper.key(), owner];
        let set = instruction::set_first_keepers(&market.address, &owner, address, first, 1);
        self.confirm(alice, set).await?;

        let args = IncreaseArgs {
            own_base: 100_000_000,
            own_quote: 50_000_000,
            leverage_bps: 30_000,
            min_liquidity: 1,
            max_base_debt: u64::MAX,
            max_quote_debt: u64::MAX,
        };
        let path = self.path(Trade::SellBase).await?;
        self.post(200).await?;
        let too_much = IncreaseArgs {
            leverage_bps: 90_000,
            ..args
        };
        let increase = |args| instruction::increase(market, &position, &alice.wallet, args, &path);
        let key = &alice.keypair;
        self.caller
            .refuse(key, increase(too_much), BallastError::LeverageTooHigh)
            .await?;
        self.confirm(alice, increase(args)).await?;
        let repay = |base| instruction::repay(market, &position, &alice.wallet, base, 0);
        self.caller
            .refuse(key, repay(0), BallastError::ZeroAmount)
            .await?;
        self.confirm(alice, repay(1_000_000)).await?;
        let (position, model, _) = self.look(&position).await?;
        let args = DecreaseArgs {
            liquidity: model.liquidity / 20,
            repay_base: 0,
            repay_quote: 0,
            pay_base: 0,
            pay_quote: 0,
        };
        let decrease = instruction::decrease(market, &position, &alice.wallet, args);
        self.confirm(alice, decrease).await?;

        // What is meant for keepers, and some of it back.
        self.world.net.fund(address, 1_000_000).await?;
        let reclaim = |lamports| instruction::reclaim_reward(&owner, address, lamports);
        self.caller
            .refuse(key, reclaim(1_000_001), BallastError::RewardTooSmall)
            .await?;
        self.confirm(alice, reclaim(400_000)).await?;
        Ok(position)
    }

    /// What anybody may ask of the market. The one who asks pays for the place in a block, and no more than was said.
    pub(super) async fn watch(&self, position: &PositionContext) -> Result<()> {
        let (market, keeper) = (self.market(), &self.keeper);
        self.post(200).await?;
        let refresh = instruction::refresh_price(market);
        let before = self.lamports(&keeper.key()).await?;
        let prepared = self
            .caller
            .prepare(&keeper.keypair, [refresh.clone()])
            .await?;
        let (limit, price) = fees(&prepared);
        let sent = self.confirm(keeper, refresh).await?;
        let paid = before - self.lamports(&keeper.key()).await?;
        let (limit, price) = (limit.unwrap_or(0), price.unwrap_or(0));
        let priority = (u64::from(limit) * price).div_ceil(1_000_000);
        // The limit is that of another simulation, which may have found a little more or less.
        ensure!(
            priority > 0 && paid.abs_diff(5_000 + priority) <= priority / 4,
            "{paid} lamports paid, {priority} offered: {sent:?}"
        );
        let health = |most| instruction::check_health(market, &position.address, most);
        self.caller
            .refuse(&keeper.keypair, health(1), BallastError::InitialLtvExceeded)
            .await?;
        self.confirm(keeper, health(9_000)).await?;
        self.confirm(keeper, instruction::refresh_stage(market))
            .await?;
        Ok(())
    }

    /// The position goes to bob, whose window a keeper finds reached; he closes it.
    pub(super) async fn hand_over(&self, position: &PositionContext) -> Result<()> {
        let (market, bob, keeper) = (self.market(), &self.bob, &self.keeper);
        let address = &position.address;
        let accept = || instruction::accept_transfer(&bob.key(), address);
        self.caller
            .refuse(&bob.keypair, accept(), BallastError::NotOffered)
            .await?;
        let offer = instruction::transfer(&self.alice.key(), address, bob.key());
        self.confirm(&self.alice, offer).await?;
        self.confirm(bob, accept()).await?;

        let (position, model, oracle) = self.look(position).await?;
        let path = self.path(trade_of(model.delta(oracle)?)).await?;
        let exit = instruction::exit(market, &position, &keeper.key(), &path);
        self.post(185).await?;
        self.caller
            .refuse(&keeper.keypair, exit.clone(), BallastError::ExitNotDue)
            .await?;
        let reached = Automation {
            window_low_tick: self.world.tick_at(UsdPrice::dollars(190))?.get(),
            at_low: Reaction::ExitAsIs as u8,
            ..automation()
        };
        let set = instruction::set_automation(&market.address, &bob.key(), address, reached);
        self.confirm(bob, set).await?;
        self.post(185).await?;
        self.confirm(keeper, exit).await?;
        let (position, model, _) = self.look(&position).await?;
        ensure!(model.debt == Amounts::ZERO && model.liquidity == 0);
        let close = |by, wallet| {
            let mut position = position.clone();
            position.position.owner = by;
            instruction::close(market, &position, wallet, 0, 0)
        };
        let not_hers = close(self.alice.key(), &self.alice.wallet);
        self.caller
            .refuse(&self.alice.keypair, not_hers, BallastError::NotOwner)
            .await?;
        self.confirm(bob, close(bob.key(), &bob.wallet)).await?;
        ensure!(self.world.reload(&position).await.is_err());
        Ok(())
    }
}
