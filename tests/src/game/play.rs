//! How a step is done.

use ballast_abi::spl;
use ballast_client::{
    Amounts, DecreaseArgs, Instruction, Keypair, OpenArgs, Policy, PositionContext, Pubkey,
    Receipt, SendError, Side, Trade, instruction,
};
use ballast_localnet::{Localnet, Trader, UsdPrice};

use super::{Game, Person, Pick, Played, Step, idle};

/// Prices stay within the pool's background liquidity, in dollars.
const LOWEST: UsdPrice = UsdPrice::dollars(60);
const HIGHEST: UsdPrice = UsdPrice::dollars(600);

impl Game {
    pub(super) async fn play(&mut self, step: Step) -> Played {
        let market = &self.world.market;
        match step {
            Step::Deposit {
                person,
                side,
                amount,
            } => {
                let by = self.person(person);
                let deposit = instruction::deposit(market, &by.key(), side.0, amount.0, 0);
                self.send(by, deposit).await
            }
            Step::Withdraw {
                person,
                side,
                part_bps,
            } => {
                let by = self.person(person);
                let held = market.share_wallet(&by.key(), side.0);
                let held = u128::from(self.world.balance(&held).await.unwrap());
                let shares = held * u128::from(part_bps.0) / 10_000;
                let shares = u64::try_from(shares).unwrap_or(u64::MAX);
                let withdraw = instruction::withdraw(market, &by.key(), side.0, shares, 0);
                self.send(by, withdraw).await
            }
            Step::Accrue { side } => {
                let accrue = instruction::accrue(market, side.0);
                self.send(self.person(Person(0)), accrue).await
            }
            Step::Open { .. } => self.open(step).await,
            Step::Decrease {
                position,
                liquidity_bps,
                repay_base,
                repay_quote,
                pay_base,
                pay_quote,
            } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                let liquidity = position.position.liquidity.get();
                let args = DecreaseArgs {
                    // Rounded so that the whole liquidity is among the possible parts.
                    liquidity: liquidity / 10_000 * u128::from(liquidity_bps.0)
                        + liquidity % 10_000 * u128::from(liquidity_bps.0) / 10_000,
                    repay_base: repay_base.0,
                    repay_quote: repay_quote.0,
                    pay_base: pay_base.0,
                    pay_quote: pay_quote.0,
                };
                let owner = self.owner(&position);
                let decrease = instruction::decrease(market, &position, &owner.wallet, args);
                self.send(owner, decrease).await
            }
            Step::Close { position } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                self.close(&position).await
            }
            Step::SetPolicy {
                position,
                hedge,
                band_bps,
                target_bps,
                trigger_ltv_bps,
                margin_bps,
                swap_loss_bps,
                interval_secs,
                keepers,
            } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                let policy = Policy {
                    hedge_bps: hedge.0,
                    delta_band_bps: band_bps.0,
                    delta_target_bps: target_bps.0,
                    deleverage_trigger_ltv_bps: trigger_ltv_bps.0,
                    deleverage_target_ltv_bps: trigger_ltv_bps.0.saturating_sub(margin_bps.0),
                    max_swap_loss_bps: swap_loss_bps.0,
                    min_rebalance_interval_secs: interval_secs.0,
                    keeper_enabled: u32::from(keepers),
                };
                let owner = self.owner(&position);
                let set = instruction::set_policy(
                    &market.address,
                    &owner.key(),
                    &position.address,
                    policy,
                );
                self.send(owner, set).await
            }
            Step::Rehedge {
                person,
                position,
                sell,
            } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                let by = self.person(person);
                let trade = if sell {
                    Trade::SellBase
                } else {
                    Trade::BuyBase
                };
                let path = market.swap_path(self.tick().await, trade);
                let rehedge = instruction::rehedge(market, &position, &by.key(), &path);
                self.send(by, rehedge).await
            }
            Step::Deleverage { person, position } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                let by = self.person(person);
                let deleverage = instruction::deleverage(market, &position, &by.key());
                self.send(by, deleverage).await
            }
            Step::Liquidate {
                person,
                position,
                pay_base,
                pay_quote,
            } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                let by = self.person(person);
                let (key, wallet) = (by.key(), &by.wallet);
                let liquidate = instruction::liquidate(
                    market,
                    &position,
                    &key,
                    wallet,
                    Amounts::new(pay_base.0, pay_quote.0),
                    0,
                );
                self.send(by, liquidate).await
            }
            Step::CollectReward { position } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                self.collect_reward(&position).await
            }
            Step::BookReward { position, amount } => {
                if let Some(position) = self.position(position) {
                    let owed = u64::from(amount.0);
                    let booked = self.world.book_reward(&position, &self.reward, owed).await;
                    booked.unwrap();
                }
                Played::default()
            }
            Step::GiftToPosition {
                person,
                position,
                side,
                amount,
            } => {
                let Some(position) = self.position(position) else {
                    return Played::default();
                };
                let by = self.person(person);
                let gift = self.gift(by, side.0, idle(&position, side.0), amount.0);
                self.send(by, gift).await
            }
            Step::GiftToVault {
                person,
                side,
                amount,
            } => {
                let by = self.person(person);
                let gift = self.gift(by, side.0, market.vault(side.0), amount.0);
                let played = self.send(by, gift).await;
                if played.refused.is_none() {
                    self.now.gifts[side.0 as usize] += amount.0;
                }
                played
            }
            Step::Wait { secs, post } => {
                self.svm.pass_time(secs.0.into()).await.unwrap();
                if post {
                    self.world.post_price(self.now.price).await.unwrap();
                }
                Played::default()
            }
            Step::MoveMarket { to_bps } => self.move_market(to_bps.0).await,
            Step::Gap { to_bps } => self.move_market(to_bps.0).await,
            Step::MoveOracle { of_market_bps } => {
                let price = times(self.now.price, of_market_bps.0);
                self.world.post_price(price).await.unwrap();
                Played::default()
            }
            Step::MovePool { of_market_bps } => {
                let price = times(self.now.price, of_market_bps.0);
                let target = self.world.sqrt_price_at(price).unwrap();
                self.world.move_pool(target).await.unwrap();
                Played::default()
            }
            Step::RefreshPrice {} => {
                let refresh = instruction::refresh_price(market);
                self.send(self.person(Person(0)), refresh).await
            }
            Step::DeleverageSwap { position, .. }
            | Step::ShowLoss { position, .. }
            | Step::Settle { position, .. }
            | Step::SetFirstKeepers { position, .. } => match self.position(position) {
                Some(position) => self.protect(step, &position).await,
                None => Played::default(),
            },
            Step::Increase { position, .. }
            | Step::Repay { position, .. }
            | Step::Collect { position }
            | Step::Compound { position, .. }
            | Step::Recenter { position, .. }
            | Step::Exit { position, .. }
            | Step::SetAutomation { position, .. }
            | Step::Transfer { position, .. }
            | Step::ReclaimReward { position, .. }
            | Step::FundReward { position, .. } => match self.position(position) {
                Some(position) => self.act(step, &position).await,
                None => Played::default(),
            },
            Step::RefreshStage {}
            | Step::FallSilent { .. }
            | Step::Calm {}
            | Step::PostPrice { .. }
            | Step::CoverBadDebt { .. }
            | Step::FundInsurance { .. }
            | Step::SetMode { .. }
            | Step::SetGuardian { .. }
            | Step::UpdateMarket { .. }
            | Step::UpdateReserve { .. }
            | Step::ApplyChange { .. }
            | Step::OfferAuthority { .. }
            | Step::AcceptAuthority { .. }
            | Step::TradePool { .. } => self.govern(step).await,
            Step::UpdateSafety { .. }
            | Step::ApplySafety { .. }
            | Step::AnnounceOracle { .. }
            | Step::ApplyOracle { .. }
            | Step::CancelOracle {} => self.give_notice(step).await,
        }
    }

    async fn open(&mut self, step: Step) -> Played {
        let Step::Open {
            person,
            with_base,
            own_base,
            own_quote,
            down_bps,
            up_bps,
            leverage_bps,
            hedge,
            trigger_ltv_bps,
            margin_bps,
        } = step
        else {
            unreachable!("{step:?} opens nothing");
        };
        let band = [10_000 - down_bps.0, 10_000 + up_bps.0].map(|bps| times(self.now.price, bps));
        let base = if with_base { own_base.0 } else { 0 };
        let own = Amounts::new(base.into(), own_quote.0.into());
        self.now.next_id += 1;
        let args = self
            .world
            .open_args(self.now.next_id, band, own, leverage_bps.0)
            .unwrap();
        let policy = Policy {
            deleverage_trigger_ltv_bps: trigger_ltv_bps.0,
            deleverage_target_ltv_bps: trigger_ltv_bps.0 - margin_bps.0,
            hedge_bps: hedge.0,
            ..args.policy
        };
        let ticks = [args.tick_lower, args.tick_upper];
        self.world.create_tick_arrays(ticks).await.unwrap();
        let args = OpenArgs { policy, ..args };
        Played::from(self.world.try_open(self.person(person), args).await)
    }

    pub(super) async fn close(&self, position: &PositionContext) -> Played {
        let owner = self.owner(position);
        let (market, wallet) = (&self.world.market, &owner.wallet);
        let close = instruction::close(market, position, wallet, u64::MAX, u64::MAX);
        self.send(owner, close).await
    }

    pub(super) async fn collect_reward(&self, position: &PositionContext) -> Played {
        let owner = self.owner_number(position);
        let (market, wallet) = (&self.world.market, &self.reward_wallets[owner]);
        let collect = instruction::collect_reward(market, position, &self.reward, wallet);
        self.send(&self.people[owner], collect).await
    }

    async fn move_market(&mut self, to_bps: u32) -> Played {
        self.now.price = times(self.now.price, to_bps).clamp(LOWEST, HIGHEST);
        self.world.move_price(self.now.price).await.unwrap();
        Played::default()
    }

    fn gift(&self, from: &Trader, side: Side, to: Pubkey, amount: u64) -> Instruction {
        let token = self.world.market.token(side);
        spl::transfer_checked(
            token.program,
            from.wallet.tokens(side),
            token.mint,
            to,
            from.key(),
            amount,
            token.decimals,
        )
    }

    pub(super) async fn send(&self, by: &Trader, instruction: Instruction) -> Played {
        self.send_by(&by.keypair, instruction).await
    }

    pub(super) async fn send_by(&self, by: &Keypair, instruction: Instruction) -> Played {
        Played::from(self.world.send(by, vec![instruction]).await)
    }

    pub(super) async fn tick(&self) -> i32 {
        self.world.pool().await.unwrap().tick_current
    }

    fn position(&self, pick: Pick) -> Option<PositionContext> {
        let mut positions = self.now.last.positions();
        let count = positions.len();
        (count > 0).then(|| positions.swap_remove(usize::from(pick.0) % count))
    }

    pub(super) fn person(&self, person: Person) -> &Trader {
        &self.people[usize::from(person.0) % self.people.len()]
    }

    pub(super) fn owner(&self, position: &PositionContext) -> &Trader {
        &self.people[self.owner_number(position)]
    }

    fn owner_number(&self, position: &PositionContext) -> usize {
        let owner = position.position.owner;
        let owner = self.people.iter().position(|person| person.key() == owner);
        owner.expect("only people open positions")
    }
}

impl From<Result<Receipt, SendError>> for Played {
    fn from(sent: Result<Receipt, SendError>) -> Self {
        match sent {
            Ok(receipt) => Self {
                events: receipt.events,
                refused: None,
            },
            Err(error) => {
                let failure = error.failure().cloned();
                assert!(failure.is_some(), "not sent: {error}");
                Self {
                    events: Vec::new(),
                    refused: failure,
                }
            }
        }
    }
}

/// A price times a factor in basis points.
pub(super) fn times(price: UsdPrice, bps: u32) -> UsdPrice {
    UsdPrice::from_units(price.units() / 10_000 * i64::from(bps))
}
