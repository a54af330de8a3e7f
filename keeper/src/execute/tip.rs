//! What a block engine is paid for an action, in the action's own transaction.

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;

use super::{Executor, carry::Plan, fee};

/// What a block engine is paid.
#[derive(Clone, Copy)]
pub(super) struct Tip {
    pub to: Pubkey,
    pub lamports: u64,
}

impl Executor {
    /// The tip that makes it a bundle; `None`: only the nodes get it.
    pub(super) fn tip(&self, plan: &Plan) -> Option<Tip> {
        let bundles = &self.config.bundles;
        // What is only shown moves no money that anybody could take.
        let shows = matches!(
            plan.kind,
            ActionKind::RefreshPrice | ActionKind::RefreshStage
        );
        if shows || bundles.url.is_none() || bundles.tip_accounts.is_empty() {
            return None;
        }
        let lamports = fee::tip_lamports(bundles, &self.config.fees, &plan.stakes, plan.attempt)?;
        let count = u64::try_from(bundles.tip_accounts.len()).ok()?;
        // Another one each time, because everybody writes to them.
        let turn = usize::try_from(plan.id.0 % count).ok()?;
        let to = *bundles.tip_accounts.get(turn)?;
        Some(Tip { to, lamports })
    }
}
