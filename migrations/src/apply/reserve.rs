//! The reserves.

use ballast_client::{MarketContext, Reserve, ReserveParams, decode_at, existing, instruction};
use ballast_model::Side;

use super::{
    ApplyError, Run,
    change::{Next, Standing, announced, difference, waiting},
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
        match standing.next(&wanted, now_secs) {
            Next::Nothing => {}
            Next::Wait { effective_at_secs } => {
                self.pending
                    .push(waiting(changes, effective_at_secs, now_secs));
            }
            Next::PutInForce => {
                let apply = instruction::apply_reserve_change(market, side);
                let what = format!("put in force what was announced for {changes}");
                self.step(what, [apply]).await?;
            }
            Next::TakeBack => {
                self.require_authority(market.address, &market.market)?;
                let what = format!("took back what was announced for {side:?} reserve {address}");
                self.step(what, [update]).await?;
            }
            Next::Update => {
                self.require_authority(market.address, &market.market)?;
                self.step(format!("updated {changes}"), [update]).await?;
                let account = self.sender.chain().account(&address).await?;
                let found: Reserve = decode_at(&address, account.as_ref())?;
                let effective_at_secs = found.pending_effective_at_secs;
                if effective_at_secs > 0 {
                    self.announced(waiting(changes, effective_at_secs, now_secs));
                }
            }
        }
        Ok(())
    }
}
