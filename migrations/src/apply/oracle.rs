//! Where a market's prices come from.

use ballast_client::{Market, OracleChange, OracleSource, Pubkey, decode, instruction, pda};

use super::{
    ApplyError, Run,
    change::{Next, Standing, difference, waiting},
};
use crate::desired::MarketAddresses;

impl From<&MarketAddresses> for OracleSource {
    fn from(addresses: &MarketAddresses) -> Self {
        Self {
            price_receiver: addresses.price_receiver,
            base_feed: addresses.base_feed,
            quote_feed: addresses.quote_feed,
            base_price_account: addresses.base_price,
            quote_price_account: addresses.quote_price,
        }
    }
}

impl Run<'_> {
    /// Announces another source, takes an announcement back, or puts it in force.
    pub(super) async fn oracle_source(
        &mut self,
        address: Pubkey,
        market: &Market,
        addresses: &MarketAddresses,
    ) -> Result<(), ApplyError> {
        let wanted = OracleSource::from(addresses);
        let now_secs = self.now_secs().await?;
        let at = pda::oracle_change(&address);
        let found: Option<OracleChange> = match self.sender.chain().account(&at).await? {
            // Anyone can send lamports there.
            Some(account) if account.owner == ballast_client::ballast::ID => {
                Some(decode(&at, &account)?)
            }
            _ => None,
        };
        let standing = Standing {
            in_force: market.oracle_source(),
            announced: found.map(|change| (change.source, change.effective_at_secs)),
        };
        let changes = format!(
            "price source of market {address}: {}",
            difference(&market.oracle_source(), &wanted)
        );
        let signer = self.authority.pubkey();
        let cancel =
            found.map(|change| instruction::cancel_oracle_change(&address, &signer, &change.payer));
        match (standing.next(&wanted, now_secs), found) {
            (Next::Nothing, _) => {}
            (Next::Wait { effective_at_secs }, _) => {
                self.pending
                    .push(waiting(changes, effective_at_secs, now_secs));
            }
            (Next::PutInForce, Some(change)) => {
                let apply = instruction::apply_oracle_change(&address, &change.payer);
                let what = format!("put in force what was announced for {changes}");
                self.step(what, [apply]).await?;
            }
            (Next::TakeBack, _) => {
                self.require_authority(address, market)?;
                let what = format!("took back an announced price source of market {address}");
                self.step(what, Vec::from_iter(cancel)).await?;
            }
            (Next::Update | Next::PutInForce, _) => {
                self.require_authority(address, market)?;
                let announce = instruction::announce_oracle(&address, &signer, wanted);
                let steps: Vec<_> = cancel.into_iter().chain([announce]).collect();
                self.step(format!("updated {changes}"), steps).await?;
                let effective_at_secs = now_secs.saturating_add(Market::NOTICE_SECS);
                self.announced(waiting(changes, effective_at_secs, now_secs));
            }
        }
        Ok(())
    }
}
