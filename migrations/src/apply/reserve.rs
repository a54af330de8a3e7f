//! The reserves.

use ballast_client::{MarketContext, Reserve, ReserveParams, decode_at, existing, instruction};
use ballast_model::Side;

use super::{
    ApplyError, Run,
    change::{Standing, announced, difference},
    notice::Noticed,
};
use crate::desired::ReserveRules;

impl Run<'_> {
    pub(super) async fn reserve(
        &mut self,
        market: &MarketContext,
        side: Side,
        rules: ReserveRules,
    ) -> Result<(), ApplyError> {
        let wanted = ReserveParams::from(rules);
        let address = market.reserve(side);
        let account = self.sender.chain().account(&address).await?;
        let Some(account) = existing(account.as_ref()) else {
            let signer = self.authority.pubkey();
            let create = instruction::init_reserve(market, &signer, side, wanted);
            let what = format!("created {side:?} reserve {address}");
            return self.step(what, [create]).await;
        };
        let reserve = self.migrated_reserve(&address, account).await?;
        self.reserve_params(market, side, &reserve, wanted).await
    }

    async fn reserve_params(
        &mut self,
        market: &MarketContext,
        side: Side,
        reserve: &Reserve,
        wanted: ReserveParams,
    ) -> Result<(), ApplyError> {
        let now_secs = self.now_secs().await?;
        let address = market.reserve(side);
        let standing = Standing {
            in_force: reserve.params(),
            announced: announced(reserve.pending, reserve.pending_effective_at_secs),
        };
        let changes = format!(
            "{side:?} reserve {address}: {}",
            difference(&reserve.params(), &wanted)
        );
        let update = instruction::update_reserve(market, &self.authority.pubkey(), side, wanted);
        self.take(Noticed {
            market: (market.address, &market.market),
            next: standing.next(&wanted, now_secs),
            now_secs,
            changes,
            announcement: format!("what was announced for {side:?} reserve {address}"),
            take_back: vec![update.clone()],
            update: vec![update],
            put_in_force: instruction::apply_reserve_change(market, side),
            announced_in: address,
            effective_at_secs: |at, account| {
                let found: Reserve = decode_at(at, account)?;
                Ok(found.pending_effective_at_secs)
            },
        })
        .await
    }
}
