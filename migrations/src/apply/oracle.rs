//! Where a market's prices come from.

use ballast_client::{
    Market, OracleChange, OracleSource, Pubkey, decode, decode_at, instruction, pda,
};

use super::{
    ApplyError, Run,
    change::{Standing, difference},
    notice::Noticed,
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
        // Whoever paid gets the rent back.
        let payer = found.map_or(signer, |change| change.payer);
        let take_back: Vec<_> = found
            .map(|_| instruction::cancel_oracle_change(&address, &signer, &payer))
            .into_iter()
            .collect();
        let announce = instruction::announce_oracle(&address, &signer, wanted);
        self.take(Noticed {
            market: (address, market),
            next: standing.next(&wanted, now_secs),
            now_secs,
            changes,
            announcement: format!("an announced price source of market {address}"),
            update: take_back.iter().cloned().chain([announce]).collect(),
            take_back,
            put_in_force: instruction::apply_oracle_change(&address, &payer),
            announced_in: at,
            effective_at_secs: |at, account| {
                let found: OracleChange = decode_at(at, account)?;
                Ok(found.effective_at_secs)
            },
        })
        .await
    }
}
