//! The rules of the safety net.

use ballast_client::{Market, Pubkey, SafetyRules, decode_at, instruction};

use super::{
    ApplyError, Run,
    change::{Next, Standing, announced, difference, waiting},
};

impl Run<'_> {
    pub(super) async fn safety(
        &mut self,
        address: Pubkey,
        market: &Market,
        wanted: SafetyRules,
    ) -> Result<(), ApplyError> {
        let now_secs = self.now_secs().await?;
        let pending = market.pending_safety;
        // What the files write out may be what the market has as a default.
        let standing = Standing {
            in_force: market.safety.effective(),
            announced: announced(pending.rules.effective(), pending.effective_at_secs),
        };
        let changes = format!(
            "safety rules of market {address}: {}",
            difference(&market.safety, &wanted)
        );
        let update = instruction::update_safety(&address, &self.authority.pubkey(), wanted);
        match standing.next(&wanted.effective(), now_secs) {
            Next::Nothing => {}
            Next::Wait { effective_at_secs } => {
                self.pending
                    .push(waiting(changes, effective_at_secs, now_secs));
            }
            Next::PutInForce => {
                let apply = instruction::apply_safety_change(&address);
                let what = format!("put in force what was announced for {changes}");
                self.step(what, [apply]).await?;
            }
            Next::TakeBack => {
                self.require_authority(address, market)?;
                let what = format!("took back announced safety rules of market {address}");
                self.step(what, [update]).await?;
            }
            Next::Update => {
                self.require_authority(address, market)?;
                self.step(format!("updated {changes}"), [update]).await?;
                let account = self.sender.chain().account(&address).await?;
                let found: Market = decode_at(&address, account.as_ref())?;
                let effective_at_secs = found.pending_safety.effective_at_secs;
                if effective_at_secs > 0 {
                    self.announced(waiting(changes, effective_at_secs, now_secs));
                }
            }
        }
        Ok(())
    }
}
