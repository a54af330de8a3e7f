//! What authority and guardian do, what anybody may do for a market as a whole, and what the oracle says.

use ballast_client::{
    Keypair, Market, MarketMode, MarketParams, Pubkey, ReserveParams, Side, Signer, instruction,
};
use ballast_localnet::{Localnet, PricePost, UsdPrice};

use super::{Few, Game, Played, Step, play::times};

impl Game {
    /// A step that concerns no position.
    pub(super) async fn govern(&mut self, step: Step) -> Played {
        let market = &self.world.market;
        match step {
            Step::RefreshStage {} => {
                let refresh = instruction::refresh_stage(market);
                self.send_by(&self.people[0].keypair, refresh).await
            }
            Step::FallSilent { secs } => {
                self.svm.pass_time(secs.0.into()).await.unwrap();
                let refresh = instruction::refresh_stage(market);
                self.send_by(&self.people[0].keypair, refresh).await
            }
            Step::Calm {} => {
                let calm = self.now.last.market.market.stages.calm_secs;
                self.svm.pass_time(calm.into()).await.unwrap();
                self.world.move_price(self.now.price).await.unwrap();
                let refresh = instruction::refresh_stage(market);
                self.send_by(&self.people[0].keypair, refresh).await
            }
            Step::PostPrice { .. } => self.post_price(step).await,
            Step::CoverBadDebt {
                person,
                side,
                part_bps,
            } => {
                let by = self.person(person);
                let bad_debt = u128::from(self.now.last.market.reserve(side.0).bad_debt);
                let part = bad_debt * u128::from(part_bps.0) / 10_000;
                let amount = u64::try_from(part).unwrap_or(u64::MAX);
                let cover = instruction::cover_bad_debt(market, &by.key(), side.0, amount);
                self.send(by, cover).await
            }
            Step::FundInsurance {
                person,
                side,
                amount,
            } => {
                let by = self.person(person);
                let fund = instruction::fund_insurance(market, &by.key(), side.0, amount.0);
                self.send(by, fund).await
            }
            Step::SetMode { by, mode, secs } => {
                let stored = &self.now.last.market.market;
                let signer = match by.0 {
                    0 => self.key(&stored.authority),
                    1 => self.key(&stored.guardian),
                    _ => &self.people[0].keypair,
                };
                let mode = MarketMode::from_byte(mode.0 as u8);
                let set = instruction::set_mode(&market.address, &signer.pubkey(), mode, secs.0);
                self.send_by(signer, set).await
            }
            Step::SetGuardian { to } => {
                let (by, to) = (self.authority(), self.person(to).key());
                let set = instruction::set_guardian(&market.address, &by.pubkey(), to);
                self.send_by(by, set).await
            }
            Step::UpdateMarket {
                which,
                of_present_bps,
            } => {
                let params = changed(
                    self.now.last.market.market.params(),
                    which,
                    of_present_bps.0,
                );
                let by = self.authority();
                let pool = &market.market.whirlpool;
                let update =
                    instruction::update_market(&market.address, pool, &by.pubkey(), params);
                self.send_by(by, update).await
            }
            Step::UpdateReserve {
                side,
                which,
                of_present_bps,
            } => {
                let present = self.now.last.market.reserve(side.0).params();
                let params = changed_reserve(present, which, of_present_bps.0);
                let by = self.authority();
                let update = instruction::update_reserve(market, &by.pubkey(), side.0, params);
                self.send_by(by, update).await
            }
            Step::ApplyChange { which, wait } => {
                if wait.0 > 0 {
                    let notice = Market::NOTICE_SECS.unsigned_abs();
                    self.svm.pass_time(notice).await.unwrap();
                    self.world.post_price(self.now.price).await.unwrap();
                }
                let apply = match which.0 {
                    0 => {
                        let pool = &market.market.whirlpool;
                        instruction::apply_market_change(&market.address, pool)
                    }
                    1 => instruction::apply_reserve_change(market, Side::Base),
                    _ => instruction::apply_reserve_change(market, Side::Quote),
                };
                self.send_by(&self.people[0].keypair, apply).await
            }
            Step::OfferAuthority { to } => {
                let (by, to) = (self.authority(), self.person(to).key());
                let offer = instruction::offer_authority(&market.address, &by.pubkey(), to);
                self.send_by(by, offer).await
            }
            Step::AcceptAuthority { by } => {
                let by = &self.person(by).keypair;
                let accept = instruction::accept_authority(&market.address, &by.pubkey());
                self.send_by(by, accept).await
            }
            Step::TradePool {
                up_bps,
                times: often,
            } => {
                let here = self.world.pool().await.unwrap().sqrt_price;
                let there = times(self.now.price, up_bps.0);
                let there = self.world.sqrt_price_at(there).unwrap();
                for _ in 0..often.0 {
                    self.world.move_pool(there).await.unwrap();
                    self.world.move_pool(here).await.unwrap();
                }
                Played::default()
            }
            other => unreachable!("{other:?} is done elsewhere"),
        }
    }

    async fn post_price(&self, step: Step) -> Played {
        let Step::PostPrice {
            side,
            of_market_bps,
            confidence_bps,
            ema_bps,
            doubtful,
            age_secs,
            show,
        } = step
        else {
            unreachable!("{step:?} posts nothing");
        };
        let price = match side.0 {
            Side::Base => self.now.price,
            Side::Quote => UsdPrice::ONE,
        };
        let price = times(price, of_market_bps.0);
        let published = self.svm.now_secs() - i64::from(age_secs.0.saturating_sub(75));
        let mut post = PricePost {
            feed: self.world.feeds()[side.0 as usize],
            ..PricePost::good(side.0, price, published)
        };
        // One kind of doubt is more telling than all of them.
        if doubtful.0 != 1 {
            post.conf = times(price, confidence_bps.0).units().unsigned_abs();
        }
        if doubtful.0 != 2 {
            post.ema_price = times(price, ema_bps.0).units();
        }
        let posted = Played::from(self.world.post(&[post]).await);
        if show && posted.refused.is_none() {
            let refresh = instruction::refresh_stage(&self.world.market);
            return self.send_by(&self.people[0].keypair, refresh).await;
        }
        posted
    }

    pub(super) fn authority(&self) -> &Keypair {
        self.key(&self.now.last.market.market.authority)
    }

    /// Whose address this is; somebody else's key if it is nobody's here.
    fn key(&self, address: &Pubkey) -> &Keypair {
        let people = self.people.iter().map(|person| &person.keypair);
        people
            .chain([&self.world.authority])
            .find(|keypair| keypair.pubkey() == *address)
            .unwrap_or(&self.people[0].keypair)
    }
}

/// One parameter in another size; which of them hurt and which are refused is for the program to say.
fn changed(mut params: MarketParams, Few(which): Few<0, 14>, bps: u32) -> MarketParams {
    let (limits, stages) = (&mut params.limits, &mut params.stages);
    let field = match which {
        0 => &mut limits.max_leverage_bps,
        1 => &mut limits.initial_ltv_bps,
        2 => &mut limits.deleverage_ltv_bps,
        3 => &mut limits.maintenance_ltv_bps,
        4 => &mut limits.target_ltv_bps,
        5 => &mut limits.liquidation_bonus_bps,
        6 => &mut limits.max_swap_loss_bps,
        7 => &mut params.keepers.max_daily_loss_bps,
        8 => &mut params.keepers.min_recenter_interval_secs,
        9 => &mut stages.silence_secs,
        10 => &mut stages.calm_secs,
        11 => &mut stages.utilisation_bps,
        12 => &mut stages.target_ltv_bps,
        _ => &mut params.oracle_rules.max_confidence_tight_bps,
    };
    *field = scaled(*field, bps);
    params
}

fn changed_reserve(mut params: ReserveParams, Few(which): Few<0, 8>, bps: u32) -> ReserveParams {
    match which {
        0 => params.supply_cap = params.supply_cap / 10_000 * u64::from(bps),
        1 => params.borrow_cap = params.borrow_cap / 10_000 * u64::from(bps),
        2 => params.rate_at_zero_bps = bps / 50,
        3 => params.kink_utilisation_bps = scaled(params.kink_utilisation_bps, bps),
        4 => params.rate_at_kink_bps = scaled(params.rate_at_kink_bps, bps),
        5 => params.rate_at_full_bps = scaled(params.rate_at_full_bps, bps),
        6 => params.reserve_factor_bps = scaled(params.reserve_factor_bps, bps),
        _ => params.max_utilisation_bps = scaled(params.max_utilisation_bps, bps),
    }
    params
}

fn scaled(number: u32, bps: u32) -> u32 {
    let scaled = u64::from(number) * u64::from(bps) / 10_000;
    u32::try_from(scaled).unwrap_or(u32::MAX)
}
