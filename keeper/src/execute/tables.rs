//! A market's lookup table, without which recentering, and most exits, do not fit a transaction.
//!
//! Remembered is only where one was found: it is read anew for every use, because its authority may close it, or replace it
//! by another, at any time. That nothing was found, or that a node refused to search, is not remembered at all.

use ballast_client::{
    AddressLookupTableAccount, ChainError, MarketContext,
    lookup_table::{self, LookupTableError},
};
use solana_sdk::pubkey::Pubkey;

use super::{Executor, Trouble};

impl Executor {
    /// The market's lookup table, if there is one now.
    pub(super) async fn tables(
        &self,
        market: &MarketContext,
    ) -> Result<Vec<AddressLookupTableAccount>, Trouble> {
        let mut markets = self.config.markets.iter();
        let configured = markets
            .find(|config| config.address == market.address)
            .and_then(|config| config.lookup_table);
        let remembered = self.learned().tables.get(&market.address).copied();
        let (mut spare, mut as_expected) = (None, true);
        for address in configured.into_iter().chain(remembered) {
            match lookup_table::load_usable(self.chain.as_ref(), &address, market).await {
                Ok(found) if found.stays => {
                    if as_expected {
                        self.learned().table_warnings.remove(&market.address);
                    }
                    return Ok(vec![found.table]);
                }
                // It can be used for some minutes yet.
                Ok(found) => spare = Some(found.table),
                Err(LookupTableError::Decode(error)) => {
                    as_expected = false;
                    self.warn_of_table(
                        market.address,
                        format!("{error}; another one is looked for"),
                    );
                }
                Err(error) => return Err(error.into()),
            }
        }
        let found = self.search(market).await?;
        let mut learned = self.learned();
        match &found {
            Some(table) => learned.tables.insert(market.address, table.key),
            None => learned.tables.remove(&market.address),
        };
        Ok(found.or(spare).into_iter().collect())
    }

    async fn search(
        &self,
        market: &MarketContext,
    ) -> Result<Option<AddressLookupTableAccount>, Trouble> {
        let authority = &market.market.authority;
        let addresses = market.static_addresses();
        match lookup_table::find(self.chain.as_ref(), authority, &addresses).await {
            Ok(Some(table)) => Ok(Some(table)),
            Ok(None) => {
                let message =
                    format!("its authority {authority} has none with the market's addresses");
                self.warn_of_table(market.address, message);
                Ok(None)
            }
            Err(LookupTableError::Chain(ChainError::Refused { reason, .. })) => {
                let message = format!(
                    "the node does not search for lookup tables ({reason}): name it as lookup_table"
                );
                self.warn_of_table(market.address, message);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Warns, once for as long as it is the same.
    fn warn_of_table(&self, market: Pubkey, message: String) {
        let before = self
            .learned()
            .table_warnings
            .insert(market, message.clone());
        if before.as_ref() != Some(&message) {
            self.warn(format!(
                "lookup table of market {market}: {message}; without one, positions can neither be recentered nor, most of \
                 them, taken out in time"
            ));
        }
    }
}
