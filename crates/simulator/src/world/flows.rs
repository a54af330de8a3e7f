//! What others do: those who provide, trade and lend, and the venue.

use ballast_clmm::{Side, SwapMode};
use ballast_model::Bps;
use ballast_snapshot::PriceAccounts;
use ballast_strategy::decide::{refresh_due, refreshed};

use super::{World, WorldError, index, pair, scenario::PartAt};
use crate::ticks::SwapOrder;

/// The events between two times, the later one included.
fn between(events: &[PartAt], from_secs: u64, to_secs: u64) -> impl Iterator<Item = &PartAt> {
    events
        .iter()
        .filter(move |event| from_secs < event.at_secs && event.at_secs <= to_secs)
}

impl World {
    /// Others take liquidity out, or bring it back.
    pub(super) fn others_move(&mut self, before: u64) -> Result<(), WorldError> {
        let events: Vec<PartAt> = between(&self.scenario.pool.others, before, self.secs)
            .copied()
            .collect();
        for PartAt { part, .. } in events {
            for (seat, full) in self.others.clone() {
                // `as` saturates.
                let wanted = (full as f64 * part) as u128;
                let held = self.pool.seat_at(seat).liquidity();
                let [base, quote] = &mut self.wallets.others;
                let mut moved = |amounts, sign: i128| {
                    let [a, b] = pair(amounts);
                    (*base, *quote) = (*base + sign * a, *quote + sign * b);
                };
                if wanted < held {
                    moved(self.pool.withdraw(seat, held - wanted)?, 1);
                    moved(self.pool.collect(seat)?, 1);
                } else if wanted > held {
                    moved(self.pool.provide(seat, wanted - held)?, -1);
                }
            }
            self.see_pool(true);
        }
        Ok(())
    }

    /// Somebody outside swaps, up to a price; nothing happens if it does not lie ahead. Returns quote paid (negative: received), raw.
    pub(super) fn outsider_swaps(
        &mut self,
        amount: u64,
        input: Side,
        limit_log: f64,
        wallet: fn(&mut Self) -> &mut [i128; 2],
    ) -> Result<i128, WorldError> {
        let limit = self.units.sqrt_price(limit_log);
        let price = self.pool.sqrt_price();
        let ahead = match input {
            Side::Base => limit < price,
            Side::Quote => limit > price,
        };
        if !ahead || amount == 0 {
            return Ok(0);
        }
        let order = SwapOrder {
            amount,
            mode: SwapMode::ExactIn,
            input,
            limit: Some(limit),
        };
        let pool_secs = u64::try_from(self.market.now_secs).unwrap_or(0);
        let [base, quote] = pair(self.pool.swap(order, pool_secs)?.amounts);
        let sign = if input == Side::Base { -1 } else { 1 };
        let purse = wallet(self);
        purse[0] += sign * base;
        purse[1] -= sign * quote;
        self.see_pool(true);
        Ok(sign * quote)
    }

    /// Where it pays, arbitrageurs trade until the pool's price is the one outside less the pool's fee. What they take here they trade there, which
    /// moves it towards them: they stop where both meet.
    pub(super) fn arbitrage(&mut self) -> Result<(), WorldError> {
        const ROUNDS: usize = 4;
        let delay = self.scenario.pool.arbitrage_delay_secs;
        for _ in 0..ROUNDS {
            let market = self.outside.log_price_known(delay);
            let pool = self.units.log_price(self.pool.sqrt_price());
            let band = -(-f64::from(self.pool.fee().rate_ppm()) / 1e6).ln_1p();
            let apart = pool - market - band.copysign(pool - market);
            if (pool - market).abs() <= band || apart.abs() < 1e-9 {
                break;
            }
            // Quote that moves the pool's price by a logarithm of one: L s / 2.
            let root = self.pool.sqrt_price().x64() as f64 / 2f64.powi(64);
            let depth = self.pool.liquidity() as f64 * root / 2.0 / self.units.quote_scale();
            let way = apart / (1.0 + depth * self.outside.impact_per_quote());
            // On the mean of the way half of the distance is gained.
            if depth * (way * apart).abs() / 2.0 < self.scenario.pool.arbitrage_cost {
                break;
            }
            let (input, limit) = (
                if apart > 0.0 { Side::Base } else { Side::Quote },
                pool - way,
            );
            let all = u64::MAX / 4;
            let purse: fn(&mut Self) -> &mut [i128; 2] = |world| &mut world.wallets.arbitrage;
            let paid = self.outsider_swaps(all, input, limit, purse)?;
            // Base bought here for quote is sold there.
            self.outside.traded(-self.units.quote(paid));
        }
        Ok(())
    }

    /// Somebody shows the chain what it should see of the market.
    pub(super) fn refresh_stage(&mut self) {
        let prices = PriceAccounts {
            base: self.market.market.base_price_account,
            quote: self.market.market.quote_price_account,
        };
        if refresh_due(&self.market, &prices).is_some()
            && let Some((market, _)) = refreshed(&self.market, &prices)
        {
            self.market.market = market;
        }
    }

    /// Lenders take out what is at hand.
    pub(super) fn lenders_leave(&mut self, before: u64) -> Result<(), WorldError> {
        for side in [Side::Base, Side::Quote] {
            let lending = &self.scenario.lending;
            let events = match side {
                Side::Base => &lending.base_withdrawals,
                Side::Quote => &lending.quote_withdrawals,
            };
            let parts: Vec<f64> = between(events, before, self.secs)
                .map(|event| event.part)
                .collect();
            for part in parts {
                self.withdraw(side, part)?;
            }
        }
        Ok(())
    }

    /// Each takes his share of it.
    fn withdraw(&mut self, side: Side, part: f64) -> Result<(), WorldError> {
        let mut state = self.market.reserve_at(side, self.market.now_secs)?;
        let all: u128 = self
            .lenders
            .iter()
            .filter(|(lender, _)| lender.side == side)
            .map(|(lender, _)| u128::from(lender.shares))
            .sum();
        let leaves = (state.liquidity as f64 * part) as u64;
        for (lender, withdrawn) in &mut self.lenders {
            if lender.side != side || all == 0 {
                continue;
            }
            // At most all of it.
            let his = (u128::from(leaves) * u128::from(lender.shares) / all) as u64;
            let shares = state.to_shares_down(his)?.min(lender.shares);
            if shares == 0 {
                continue;
            }
            let Ok(paid) = state.redeem(shares) else {
                continue;
            };
            lender.shares -= shares;
            *withdrawn += paid;
            self.wallets.lenders[index(side)] += i128::from(paid);
        }
        let reserve = match side {
            Side::Base => &mut self.market.base_reserve,
            Side::Quote => &mut self.market.quote_reserve,
        };
        reserve.set_state(&state);
        Ok(())
    }

    /// The venue's price moves, funding is paid, and the short follows the book's delta.
    pub(super) fn perp_moves(&mut self) -> Result<(), WorldError> {
        if self.perp.is_none() {
            return Ok(());
        }
        let fair = self.fair();
        let mut delta = 0i128;
        for held in &self.positions {
            let model = self.market.position(&held.stored, self.market.now_secs)?;
            delta += model.delta(fair)?;
        }
        let delta = delta as f64 / self.units.base_scale();
        let price = self.outside.log_price().exp();
        if let Some(perp) = &mut self.perp {
            perp.step(self.secs, price, delta);
        }
        Ok(())
    }

    /// Notes what is worth telling.
    pub(super) fn take_note(&mut self) -> Result<(), WorldError> {
        for side in [Side::Base, Side::Quote] {
            let bps: Bps = self.market.reserve(side).state().utilisation_bps_up()?;
            let losses = &mut self.losses[index(side)];
            losses.highest_utilisation_bps = losses.highest_utilisation_bps.max(bps.get());
        }
        Ok(())
    }
}
