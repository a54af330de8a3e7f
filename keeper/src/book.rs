//! The book of one market: what is known of its accounts and positions, and of which slot each is.
//!
//! Updates may come twice, late and in any order: older ones than what is known are dropped. Accounts that are not what
//! they should be are refused with a [`Problem`] and change nothing.

use std::collections::HashSet;

use ballast_abi::pyth::PriceUpdate;
use ballast_client::{
    Account, Accounts, MarketContext, MarketSnapshot, Position, Positions, decode,
};
use ballast_model::SqrtPrice;
use ballast_strategy::held::{Held, Taken};
use solana_sdk::pubkey::Pubkey;

mod problem;
pub(crate) mod published;

pub use ballast_strategy::held::Tracked;
pub use problem::Problem;

/// Number of accounts that a market's snapshot is made of.
const MARKET_ACCOUNTS: usize = 7;

/// What an update changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it was older than what is known, or the same.
    Nothing,
    /// Nothing, but it differs from what is known and only claims to be older. Some nodes stamp what they stream with slots
    /// of the past, so that it is worth a question.
    Doubtful,
    /// The cluster's clock, and nothing else of the market.
    Clock,
    /// Pool, prices or the reserves' amounts.
    Market,
    /// Limits, rules, mode, risk stage or rate curves: everything computed with the old ones is void.
    Rules,
    /// A position, new or changed.
    Position(Pubkey),
}

/// See the module's description.
pub struct MarketBook {
    context: MarketContext,
    addresses: [Pubkey; MARKET_ACCOUNTS],
    held: [Option<(u64, Account)>; MARKET_ACCOUNTS],
    /// As the accounts have it.
    on_chain: Option<MarketSnapshot>,
    /// The same with newer prices where there are any.
    snapshot: Option<MarketSnapshot>,
    /// Base and quote price as a price service has them.
    published: Option<[PriceUpdate; 2]>,
    positions: Held,
}

impl MarketBook {
    /// An empty book.
    pub fn new(context: MarketContext) -> Self {
        Self {
            addresses: context.snapshot_addresses(),
            context,
            held: Default::default(),
            on_chain: None,
            snapshot: None,
            published: None,
            positions: Held::default(),
        }
    }

    /// The market's addresses.
    pub fn context(&self) -> &MarketContext {
        &self.context
    }

    /// Addresses of the accounts that [`Self::market_accounts`] takes, in its order.
    pub fn addresses(&self) -> &[Pubkey] {
        &self.addresses
    }

    /// The market as far as it is known, at the newest prices known, whether or not they are on chain yet; `None` before the
    /// first complete answer.
    pub fn snapshot(&self) -> Option<&MarketSnapshot> {
        self.snapshot.as_ref()
    }

    /// The market as its accounts have it.
    pub fn on_chain(&self) -> Option<&MarketSnapshot> {
        self.on_chain.as_ref()
    }

    /// The oracle's price that positions are indexed by.
    pub fn oracle(&self) -> Option<SqrtPrice> {
        self.snapshot.as_ref()?.oracle_sqrt_price().ok()
    }

    /// A position.
    pub fn position(&self, address: &Pubkey) -> Option<&Tracked> {
        self.positions.get(address)
    }

    /// A position's number, by which the trigger index knows it.
    pub fn id(&self, address: &Pubkey) -> Option<u32> {
        self.positions.id(address)
    }

    /// The position of a number.
    pub fn address(&self, id: u32) -> Option<Pubkey> {
        self.positions.address(id)
    }

    /// All positions.
    pub fn positions(&self) -> impl Iterator<Item = (&Pubkey, &Tracked)> {
        self.positions.iter()
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Takes in one account: one of the market's, or a position.
    ///
    /// # Errors
    /// [`Problem`]; nothing has changed then.
    pub fn account(
        &mut self,
        address: &Pubkey,
        slot: u64,
        account: Account,
    ) -> Result<Change, Problem> {
        match self.addresses.iter().position(|known| known == address) {
            Some(index) => self.market_account(index, slot, account),
            None => self.position_account(*address, slot, &account),
        }
    }

    fn market_account(
        &mut self,
        index: usize,
        slot: u64,
        account: Account,
    ) -> Result<Change, Problem> {
        if let Some((held, known)) = &self.held[index]
            && slot < *held
        {
            // Old news of the clock are no news at all.
            let differs = index + 1 < MARKET_ACCOUNTS && *known != account;
            return Ok(if differs {
                Change::Doubtful
            } else {
                Change::Nothing
            });
        }
        let before = self.held[index].replace((slot, account));
        let Some(answer) = self.complete() else {
            return Ok(Change::Nothing);
        };
        match self.context.snapshot_from(&answer) {
            Ok(snapshot) => Ok(self.adopt(snapshot)),
            Err(source) => {
                self.held[index] = before;
                Err(Problem::Inconsistent {
                    address: self.addresses[index],
                    source,
                })
            }
        }
    }

    /// All market accounts as one answer, of the newest slot among them; `None` while some are missing.
    fn complete(&self) -> Option<Accounts> {
        let slot = self.held.iter().flatten().map(|(slot, _)| *slot).max()?;
        let accounts: Vec<_> = self
            .held
            .iter()
            .flatten()
            .map(|(_, account)| Some(account.clone()))
            .collect();
        (accounts.len() == MARKET_ACCOUNTS).then_some(Accounts { slot, accounts })
    }

    fn adopt(&mut self, on_chain: MarketSnapshot) -> Change {
        let snapshot = published::newest(&on_chain, self.published.as_ref());
        let change = match (&self.on_chain, &self.snapshot) {
            (Some(before), Some(seen)) => {
                stronger(difference(before, &on_chain), difference(seen, &snapshot))
            }
            _ => Change::Rules,
        };
        (self.on_chain, self.snapshot) = (Some(on_chain), Some(snapshot));
        change
    }

    /// Takes in prices of a price service, base and quote.
    pub fn publish(&mut self, prices: [PriceUpdate; 2]) -> Change {
        self.published = Some(prices);
        let (Some(on_chain), Some(seen)) = (&self.on_chain, &self.snapshot) else {
            return Change::Nothing;
        };
        let snapshot = published::newest(on_chain, self.published.as_ref());
        let change = difference(seen, &snapshot);
        self.snapshot = Some(snapshot);
        change
    }

    /// Takes in all of the market's accounts as they were at one slot. Those already known from later slots stay.
    ///
    /// # Errors
    /// [`Problem`] if they are no market; nothing has changed then.
    pub fn market_accounts(&mut self, answer: &Accounts) -> Result<Change, Problem> {
        let address = self.context.address;
        let snapshot = self
            .context
            .snapshot_from(answer)
            .map_err(|source| Problem::Inconsistent { address, source })?;
        let mut later = Vec::new();
        for (index, account) in answer.accounts.iter().enumerate().take(MARKET_ACCOUNTS) {
            let Some(account) = account else { continue };
            let new = (answer.slot, account.clone());
            match self.held[index].replace(new) {
                Some((slot, account)) if slot > answer.slot => later.push((index, slot, account)),
                _ => {}
            }
        }
        let mut change = self.adopt(snapshot);
        for (index, slot, account) in later {
            // What was known and does not fit any more is no loss: the answer stands.
            if let Ok(next) = self.market_account(index, slot, account) {
                change = stronger(change, next);
            }
        }
        Ok(change)
    }

    fn position_account(
        &mut self,
        address: Pubkey,
        slot: u64,
        account: &Account,
    ) -> Result<Change, Problem> {
        if account.owner != ballast::ID && self.positions.id(&address).is_some() {
            // Probably closed.
            return Ok(Change::Doubtful);
        }
        let position: Position = decode(&address, account)?;
        self.insert(address, slot, &position)
    }

    fn insert(
        &mut self,
        address: Pubkey,
        slot: u64,
        position: &Position,
    ) -> Result<Change, Problem> {
        if position.market != self.context.address {
            return Err(Problem::WrongMarket {
                address,
                found: position.market,
            });
        }
        Ok(match self.positions.take_in(address, slot, position) {
            Taken::Nothing => Change::Nothing,
            Taken::Doubtful => Change::Doubtful,
            Taken::Changed => Change::Position(address),
        })
    }

    /// Notes that there was no such position at a slot. Returns the number that it had if it was known until now.
    pub fn remove(&mut self, address: &Pubkey, slot: u64) -> Option<u32> {
        self.positions.remove(address, slot)
    }

    /// Takes in all positions as they were at `slot`. Returns those that are new or changed, those that are known but were
    /// not in the answer, and why others were refused. What was not in it stays known: nodes leave accounts out when an
    /// index is behind, so that each of them has to be asked for by its address.
    pub fn all_positions(
        &mut self,
        slot: u64,
        all: Positions,
    ) -> (Vec<Pubkey>, Vec<Pubkey>, Vec<Problem>) {
        let mut problems: Vec<Problem> = all.unreadable.into_iter().map(Problem::from).collect();
        let mut changed = Vec::new();
        // What cannot be read is there all the same.
        let mut present: HashSet<Pubkey> = problems.iter().map(Problem::address).collect();
        for found in all.positions {
            present.insert(found.address);
            match self.insert(found.address, slot, &found.position) {
                Ok(Change::Position(address)) => changed.push(address),
                Ok(_) => {}
                Err(problem) => problems.push(problem),
            }
        }
        let missing = self
            .positions
            .iter()
            .filter(|(address, known)| known.slot <= slot && !present.contains(address))
            .map(|(address, _)| *address);
        let mut missing: Vec<Pubkey> = missing.collect();
        missing.sort_unstable();
        self.positions.complete(slot);
        (changed, missing, problems)
    }
}

/// The stronger of two market changes.
fn stronger(a: Change, b: Change) -> Change {
    let rank = |change: &Change| match change {
        Change::Nothing | Change::Doubtful | Change::Position(_) => 0,
        Change::Clock => 1,
        Change::Market => 2,
        Change::Rules => 3,
    };
    if rank(&b) > rank(&a) { b } else { a }
}

fn difference(before: &MarketSnapshot, after: &MarketSnapshot) -> Change {
    let rules = |snapshot: &MarketSnapshot| {
        let market = &snapshot.market;
        let curves = [
            snapshot.base_reserve.curve(),
            snapshot.quote_reserve.curve(),
        ];
        let modes = (market.mode, market.mode_until_secs, market.stage.stage);
        let rules = (market.limits, market.oracle_rules, market.keepers);
        (rules, market.stages, modes, curves)
    };
    let states = |snapshot: &MarketSnapshot| {
        let market = &snapshot.market;
        let reserve = |reserve: &ballast_client::Reserve| {
            (
                reserve.state(),
                reserve.borrow_cap,
                reserve.max_utilisation_bps,
                reserve.reserve_factor_bps,
            )
        };
        (
            (snapshot.pool, snapshot.base_price, snapshot.quote_price),
            (
                reserve(&snapshot.base_reserve),
                reserve(&snapshot.quote_reserve),
            ),
            (
                market.last_base_publish_secs,
                market.last_quote_publish_secs,
                market.stage,
                // Somebody else's look is answered at once.
                market.looks,
            ),
        )
    };
    if rules(before) != rules(after) {
        Change::Rules
    } else if states(before) != states(after) {
        Change::Market
    } else if before.now_secs != after.now_secs {
        Change::Clock
    } else {
        Change::Nothing
    }
}

#[cfg(test)]
mod tests;
