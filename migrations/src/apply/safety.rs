//! The rules of the safety net.

use ballast_client::{Market, Pubkey, SafetyRules, decode_at, instruction};

use super::{
    ApplyError, Run,
    change::{Standing, announced, difference},
    notice::Noticed,
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
        self.take(Noticed {
            market: (address, market),
            next: standing.next(&wanted.effective(), now_secs),
            now_secs,
            changes,
            announcement: format!("announced safety rules of market {address}"),
            take_back: vec![update.clone()],
            update: vec![update],
            put_in_force: instruction::apply_safety_change(&address),
            announced_in: address,
            effective_at_secs: |at, account| {
                let found: Market = decode_at(at, account)?;
                Ok(found.pending_safety.effective_at_secs)
            },
        })
        .await
    }
}
