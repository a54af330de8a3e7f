//! One market's book with its trigger index.

use std::{collections::HashMap, sync::Arc};

use ballast_client::{MarketContext, MarketSnapshot};
use ballast_model::{Boundaries, Bps};
use ballast_strategy::{
    decide::{Assessment, Reason, assess, compounding_is_wanted, refresh_due},
    fee_yield::GrowthMark,
    situation::{Economics, Outlook, Situation, SituationError},
    trigger::{TriggerIndex, Watch},
    watch::watch,
};
use solana_sdk::pubkey::Pubkey;

use super::withheld::Withheld;
use crate::{
    book::{Change, MarketBook},
    config::Config,
    execute::Seen,
    memory::Measured,
    picture::{MarketPicture, PositionPictures},
};

pub(super) struct Shelf {
    pub market: Arc<MarketContext>,
    pub book: MarketBook,
    /// By the book's numbers.
    pub(super) index: TriggerIndex,
    /// When the market was last shown a price by this keeper, cluster's clock.
    pub shown_at_secs: i64,
    /// When the losses of positions were last shown by this keeper, likewise.
    pub(super) loss_shown_at_secs: HashMap<Pubkey, i64>,
    /// How much the oracle's price moves, and what the pool pays.
    pub measured: Measured,
    /// What was last seen of positions beyond their own accounts.
    seen: HashMap<Pubkey, Seen>,
    /// Since when positions are seen at or above maintenance, cluster's clock.
    unhealthy_since_secs: HashMap<Pubkey, i64>,
}

/// An assessment, and what is known beside it.
pub(super) struct Assessed {
    pub at: Assessment,
    /// The fees are to be looked at (again).
    pub survey: bool,
}

impl Shelf {
    pub fn new(market: Arc<MarketContext>) -> Self {
        Self {
            book: MarketBook::new(MarketContext::clone(&market)),
            market,
            index: TriggerIndex::default(),
            shown_at_secs: 0,
            loss_shown_at_secs: HashMap::new(),
            measured: Measured::default(),
            seen: HashMap::new(),
            unhealthy_since_secs: HashMap::new(),
        }
    }

    /// The market as it is now, without positions.
    pub fn picture(&self) -> MarketPicture {
        let shared = |snapshot: Option<&MarketSnapshot>| snapshot.cloned().map(Arc::new);
        MarketPicture {
            context: Arc::clone(&self.market),
            newest: shared(self.book.snapshot()),
            on_chain: shared(self.book.on_chain()),
            volatility_ticks: self.measured.volatility.ticks_per_day(),
            fee_yield: self.measured.fee_yield.measured(),
            positions_read: false,
            positions: PositionPictures::default(),
        }
    }

    /// Takes note of the price and the pool's fee growth that the book has now. Returns whether that is worth keeping.
    pub fn note_price(&mut self) -> bool {
        let Some(snapshot) = self.book.snapshot() else {
            return false;
        };
        let Ok(at) = snapshot.oracle_sqrt_price() else {
            return false;
        };
        let Measured {
            volatility,
            fee_yield,
        } = &mut self.measured;
        volatility.observe(at.tick().get(), snapshot.base_price.publish_time);
        fee_yield.observe(&GrowthMark {
            growth_x64: snapshot.pool.fee_growth_x64,
            at,
            secs: snapshot.now_secs,
        })
    }

    /// Takes note of what was seen of a position, unless something newer is known.
    pub fn note_seen(&mut self, position: Pubkey, mut seen: Seen) {
        // A node that lags must not have it looked at again at once.
        let now_secs = self
            .book
            .snapshot()
            .map_or(seen.at_secs, |now| now.now_secs);
        seen.at_secs = seen.at_secs.max(now_secs);
        let known = self.seen.entry(position).or_insert(seen);
        if known.slot <= seen.slot {
            *known = seen;
        }
    }

    /// Looks at a position no more until it is assessed again.
    pub fn unwatch(&mut self, position: &Pubkey) {
        if let Some(id) = self.book.id(position) {
            self.index.remove(id);
        }
    }

    /// Forgets a position of which there was none at a slot. Returns whether it was known until now.
    pub fn remove(&mut self, position: &Pubkey, slot: u64) -> bool {
        let Some(id) = self.book.remove(position, slot) else {
            return false;
        };
        // The number is another's from now on.
        self.index.remove(id);
        self.seen.remove(position);
        self.unhealthy_since_secs.remove(position);
        self.loss_shown_at_secs.remove(position);
        true
    }

    fn addresses(&self, ids: Vec<u32>) -> Vec<Pubkey> {
        let ids = ids.into_iter();
        ids.filter_map(|id| self.book.address(id)).collect()
    }

    /// What is known of a position beyond accounts.
    pub fn outlook(&self, position: &Pubkey, economics: Economics, withheld: Withheld) -> Outlook {
        let seen = self.seen.get(position);
        // Paying them out changes the position.
        let changed_slot = self.book.position(position).map(|tracked| tracked.slot);
        let booked_fees = seen
            .filter(|seen| changed_slot.is_some_and(|changed| changed <= seen.slot))
            .and_then(|seen| seen.booked_fees);
        Outlook {
            fees: seen.and_then(|seen| seen.fees),
            booked_fees,
            reward_lamports: seen.and_then(|seen| seen.reward_lamports),
            // By lamports, as far as SOL has a price here.
            action_cost: None,
            volatility: self.measured.volatility.ticks_per_day(),
            fee_yield: self.measured.fee_yield.measured(),
            economics,
            refused: withheld.refused,
            retried: withheld.retried,
            unhealthy_since_secs: self.unhealthy_since_secs.get(position).copied(),
            forbidden: withheld.forbidden,
        }
    }

    /// Why the market's risk stage should be refreshed.
    pub fn stage_due(&self) -> Option<Reason> {
        // What the chain would see, not what is known beside it.
        refresh_due(self.book.on_chain()?, &self.market.prices)
    }

    /// The positions that a change makes it necessary to look at.
    pub fn due(&mut self, change: Change) -> Vec<Pubkey> {
        let Some(now_secs) = self.book.snapshot().map(|market| market.now_secs) else {
            return Vec::new();
        };
        match change {
            Change::Nothing | Change::Doubtful => Vec::new(),
            Change::Clock => {
                let due = self.index.due_at_time(now_secs);
                self.addresses(due)
            }
            Change::Rules => {
                let positions = self.book.positions();
                let mut all: Vec<Pubkey> = positions.map(|(position, _)| *position).collect();
                all.sort_unstable();
                all
            }
            Change::Position(position) => vec![position],
            Change::Market => {
                let mut due = match self.book.oracle() {
                    Some(oracle) => self.index.due_at_price(oracle),
                    // Without a price only what is restless can be looked at.
                    None => self.index.restless(),
                };
                due.extend(self.index.due_at_time(now_secs));
                let mut due = self.addresses(due);
                due.sort_unstable();
                due.dedup();
                due
            }
        }
    }

    /// All that a decision about a position rests on. `None` if market or position is not known.
    pub fn situation(
        &self,
        position: &Pubkey,
        keeper: Pubkey,
        config: &Config,
        withheld: Withheld,
    ) -> Option<Situation<'_>> {
        let market = self.book.snapshot()?;
        let tracked = self.book.position(position)?;
        let liquidation = &config.liquidation;
        Some(Situation {
            market,
            position: &tracked.position,
            now_secs: market.now_secs,
            slot: market.slot.max(tracked.slot),
            keeper,
            funds: liquidation.enabled.then_some(liquidation.max_pay),
            min_gain: liquidation.min_gain,
            outlook: self.outlook(position, config.automation.economics, withheld),
        })
    }

    /// Assesses a position and enters it into the index accordingly. `None` if market or position is not known.
    pub fn assess(
        &mut self,
        position: &Pubkey,
        keeper: Pubkey,
        config: &Config,
        withheld: Withheld,
    ) -> Option<Result<Assessed, SituationError>> {
        let market = self.book.snapshot()?;
        let id = self.book.id(position)?;
        let situation = self.situation(position, keeper, config, withheld)?;
        let horizon_secs = config.timing.horizon_secs;
        let assessed =
            assess(&situation).and_then(|at| Ok((at, watch(&situation, &at, horizon_secs)?)));
        // What cannot be assessed is tried again with every change.
        let until_secs = market.now_secs.saturating_add(i64::from(horizon_secs));
        let restless = Watch {
            quiet: Boundaries::Empty,
            until_secs,
        };
        let compounds = compounding_is_wanted(&situation);
        let shown = situation.position.shown_loss_base | situation.position.shown_loss_quote;
        let every_secs = config.prices.show_every_secs;
        let look_at_loss = (shown != 0 && config.prices.show_within_bps > 0)
            .then(|| self.loss_look_secs(position, market.now_secs, every_secs));
        if let Ok((at, _)) = &assessed {
            let maintenance = Bps::new(market.market.limits.maintenance_ltv_bps);
            let unhealthy = &mut self.unhealthy_since_secs;
            if at.value.ltv_at_least(maintenance) {
                unhealthy.entry(*position).or_insert(at.now_secs);
            } else {
                unhealthy.remove(position);
            }
        }
        let look = i64::try_from(config.automation.look_at_fees.as_secs()).unwrap_or(i64::MAX);
        let (result, watch) = match assessed {
            Ok((at, mut watch)) => {
                let mut survey = false;
                if let Some(look_secs) = look_at_loss {
                    watch.until_secs = watch.until_secs.min(look_secs);
                }
                if compounds {
                    let seen = self.seen.get(position);
                    let next = seen.map_or(i64::MIN, |seen| seen.at_secs.saturating_add(look));
                    survey = next <= market.now_secs;
                    if !survey {
                        watch.until_secs = watch.until_secs.min(next);
                    }
                }
                (Ok(Assessed { at, survey }), watch)
            }
            Err(error) => (Err(error), restless),
        };
        self.index.insert(id, watch);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures::{self, SLOT};

    use super::*;
    use crate::{
        memory::{Markets, Memory},
        sim::bytes,
    };

    /// A shelf that sees the pool's accounts at the end of an hour in which a unit of liquidity has earned so much quote.
    fn see(shelf: &mut Shelf, hour: u32, earned_x64: u128) -> bool {
        let mut snapshot = fixtures::snapshot(200);
        snapshot.now_secs += 3_600 * i64::from(hour);
        // It wraps on the way.
        let grown = earned_x64 * u128::from(hour);
        snapshot.pool.fee_growth_x64 = [7, (u128::MAX - 3 * earned_x64).wrapping_add(grown)];
        let slot = SLOT + u64::from(hour);
        let accounts = bytes::market_accounts(&snapshot, slot);
        shelf.book.market_accounts(&accounts).unwrap();
        shelf.note_price()
    }

    fn measured(shelf: &Shelf) -> Option<u64> {
        let nothing = Withheld::default();
        let outlook = shelf.outlook(&Pubkey::default(), Economics::default(), nothing);
        let picture = shelf.picture().fee_yield;
        assert_eq!(outlook.fee_yield, picture);
        Some(outlook.fee_yield?.day_x64)
    }

    #[test]
    fn what_the_pool_pays_is_measured_from_its_account_and_outlives_a_restart() {
        let context = || Arc::new(bytes::context());
        let mut shelf = Shelf::new(context());
        // A basis point of `2 s` an hour.
        let root = fixtures::sqrt_price_cents(20_000).x64();
        let paid = root / 5_000;
        let expected = u64::try_from((1u128 << 64) / 10_000 * 24).unwrap();
        for hour in 0..6 {
            assert_eq!(see(&mut shelf, hour, paid), hour > 0);
            // Until the hour has passed there is nothing new to keep.
            assert!(!see(&mut shelf, hour, paid));
            assert_eq!(measured(&shelf), None);
        }
        let directory = tempfile::tempdir().unwrap();
        let address = shelf.market.address.to_string();
        let memory = Memory::beside(directory.path());
        let page = memory.page(|| Markets::from([(address.clone(), shelf.measured.clone())]));
        page.unwrap().write().unwrap();

        let mut again = Shelf::new(context());
        again.measured = memory.read().unwrap().remove(&address).unwrap();
        assert_eq!(again.measured, shelf.measured);
        // The sixth block is the one that went on meanwhile.
        assert!(see(&mut again, 9, paid));
        let found = measured(&again).unwrap();
        assert!(
            found.abs_diff(expected) < expected / 1_000,
            "{found} {expected}"
        );
        // One that remembers nothing begins anew.
        let mut new = Shelf::new(context());
        assert!(!see(&mut new, 10, paid));
        assert_eq!(measured(&new), None);
    }
}
