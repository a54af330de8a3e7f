//! The number under which a position is opened. The first `open` may have landed although its outcome was not seen: whoever
//! repeats it is told, before a second position is opened.

use std::ops::Range;

use anyhow::{Error, Result, bail};
use ballast_client::{
    Amounts, Chain, Entry, MarketContext, PositionContext, Pubkey, decode_any_version, existing,
    pda,
};

use crate::trouble::misuse;
use crate::{format::duration, range::TickRange};

/// How long a position counts as just opened.
const JUST_SECS: i64 = 3_600;
/// As many as a node answers at once; one round is enough for almost everybody.
const ROUND: u64 = 100;

/// What somebody opens.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pub owner: Pubkey,
    pub ticks: TickRange,
    /// Own funds.
    pub own: Amounts,
    pub now_secs: i64,
}

impl Opening {
    /// The number to open it under: the one that was named, else the first that is free.
    ///
    /// # Errors
    /// A number that is taken; a position that is what this would open, and may be the result of an earlier try.
    pub async fn number(
        &self,
        chain: &dyn Chain,
        market: &MarketContext,
        named: Option<u64>,
    ) -> Result<u64> {
        if let Some(id) = named {
            let (_, taken) = self.look(chain, market, id..id.saturating_add(1)).await?;
            return match taken.first() {
                None => Ok(id),
                Some(position) => bail!(misuse!(
                    "--id {id} is taken by position {}: if an earlier `open` ended without an answer, it has landed (see \
                     `ballast positions`); for another position pass another number, or leave --id out",
                    self.told(position)
                )),
            };
        }
        let mut repeated = None;
        for first in (0..100 * ROUND).step_by(ROUND as usize) {
            let (free, taken) = self.look(chain, market, first..first + ROUND).await?;
            repeated = repeated.or(taken.into_iter().find(|position| {
                let stored = &position.position;
                stored.owner == self.owner && self.is_same(position.ticks(), &stored.entry)
            }));
            match (free, repeated.take()) {
                (Some(id), None) => return Ok(id),
                (Some(id), Some(position)) => bail!(
                    "position {} has the same range and the same own funds: if an earlier `open` ended without an answer, \
                     it has landed (see `ballast positions`, or `ballast tx SIGNATURE` with the signature that it named); \
                     to open another one like it pass --id {id}",
                    self.told(&position)
                ),
                (None, seen) => repeated = seen,
            }
        }
        bail!(misuse!(
            "the first {} position numbers are taken: pass --id",
            100 * ROUND
        ))
    }

    /// The first free number of these, and the positions under them.
    async fn look(
        &self,
        chain: &dyn Chain,
        market: &MarketContext,
        ids: Range<u64>,
    ) -> Result<(Option<u64>, Vec<PositionContext>)> {
        let address = |id| pda::position(&market.address, &self.owner, id);
        let addresses: Vec<_> = ids.clone().map(address).collect();
        let found = chain.accounts(&addresses).await?.accounts;
        let free = ids
            .zip(&found)
            .find(|(_, account)| existing(account.as_ref()).is_none());
        let taken = addresses
            .into_iter()
            .zip(&found)
            .filter_map(|(address, account)| {
                let position = decode_any_version(&address, account.as_ref()?).ok()?;
                Some(PositionContext { address, position })
            });
        Ok((free.map(|(id, _)| id), taken.collect()))
    }

    /// Whether a position that was opened lately is what this would open.
    fn is_same(&self, ticks: [i32; 2], entry: &Entry) -> bool {
        ticks == [self.ticks.lower.get(), self.ticks.upper.get()]
            && Amounts::new(entry.own_base, entry.own_quote) == self.own
            && self.now_secs.saturating_sub(entry.opened_at_secs) <= JUST_SECS
    }

    fn told(&self, position: &PositionContext) -> String {
        let opened = position.position.entry.opened_at_secs;
        format!(
            "{} (id {}), which was opened {} ago,",
            position.address,
            position.position.id,
            duration(self.now_secs.saturating_sub(opened).max(0))
        )
    }

    /// What to say about an `open` under this number that failed or whose outcome was not seen: one of them may have landed
    /// all the same.
    pub async fn explain(
        &self,
        chain: &dyn Chain,
        market: &MarketContext,
        id: u64,
        error: Error,
    ) -> Error {
        match self.look(chain, market, id..id.saturating_add(1)).await {
            Ok((_, taken)) => match taken.first() {
                Some(position) => error.context(format!(
                    "position {} exists: this `open` or an earlier one has landed, see `ballast positions` before you open \
                     another",
                    self.told(position)
                )),
                None => error,
            },
            Err(_) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_client::Tick;

    use super::*;

    #[test]
    fn the_same_again_is_told_from_another_position() {
        let tick = |tick| Tick::new(tick).unwrap();
        let opening = Opening {
            owner: Pubkey::new_unique(),
            ticks: TickRange {
                lower: tick(-64),
                upper: tick(64),
            },
            own: Amounts::new(5, 7),
            now_secs: 10_000,
        };
        let entry = Entry {
            sqrt_price_x64: 1u128.into(),
            opened_at_secs: 9_000,
            equity: 12,
            own_base: 5,
            own_quote: 7,
            withdrawn_base: 0,
            withdrawn_quote: 0,
            swap_loss: 0,
            liquidation_bonus: 0,
        };
        assert!(opening.is_same([-64, 64], &entry));
        // A node whose clock is behind.
        let ahead = Entry {
            opened_at_secs: 10_001,
            ..entry
        };
        assert!(opening.is_same([-64, 64], &ahead));
        let last = Entry {
            opened_at_secs: 10_000 - JUST_SECS,
            ..entry
        };
        assert!(opening.is_same([-64, 64], &last));
        assert!(!opening.is_same([-64, 128], &entry));
        assert!(!opening.is_same([-128, 64], &entry));
        for other in [
            Entry {
                own_base: 6,
                ..entry
            },
            Entry {
                own_quote: 6,
                ..entry
            },
            Entry {
                opened_at_secs: 9_999 - JUST_SECS,
                ..entry
            },
        ] {
            assert!(!opening.is_same([-64, 64], &other), "{other:?}");
        }
    }
}
