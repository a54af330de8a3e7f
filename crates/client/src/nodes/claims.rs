//! What nodes claim of a transaction, borne out by whoever claims it, and held against whoever is contradicted.

use solana_sdk::signature::Signature;

use super::{Nodes, health::ceiling};
use crate::chain::{Expiry, Standing, TransactionStatus};

impl Nodes {
    pub(super) fn contradict(&self, index: usize) {
        let now_ms = self.now_ms();
        self.known().health[index].contradicted(now_ms);
    }

    /// The first of these claims that is borne out: whoever says that a transaction landed has the transaction itself. Who cannot be asked now
    /// is asked again.
    pub(super) async fn settle_claims(
        &self,
        signature: &Signature,
        claims: Vec<(usize, TransactionStatus)>,
        otherwise: Expiry,
    ) -> Expiry {
        let mut shown = otherwise;
        for (by, status) in claims {
            match self.ask(by, self.members[by].transaction(signature)).await {
                Ok(Some(record)) if record.slot == status.slot => {
                    return Expiry::Landed(status);
                }
                Ok(_) => self.contradict(by),
                Err(_) => shown = Expiry::Unconfirmed,
            }
        }
        shown
    }

    /// Whether one of those who have a transaction in that block can show it. Who says otherwise then is contradicted.
    pub(super) async fn settle_standing(
        &self,
        signature: &Signature,
        slot: u64,
        (have, deny): (Vec<usize>, Vec<usize>),
    ) -> Standing {
        let mut found = Standing::Gone;
        for by in have {
            match self.ask(by, self.members[by].transaction(signature)).await {
                Ok(Some(record)) if record.slot == slot => {
                    deny.into_iter().for_each(|index| self.contradict(index));
                    return Standing::Stands;
                }
                Ok(_) => self.contradict(by),
                Err(_) => found = Standing::Unknown,
            }
        }
        found
    }

    /// A slot of a transaction, no higher than it can be.
    pub(super) fn cut(&self, status: TransactionStatus) -> TransactionStatus {
        let known = self.known();
        let highest = ceiling(known.health.iter(), self.now_ms());
        TransactionStatus {
            slot: highest.map_or(status.slot, |highest| status.slot.min(highest)),
            ..status
        }
    }

    /// On whose blockhash a transaction was signed that expired: others' are preferred next time.
    pub(super) fn blame(&self, signature: &Signature) {
        let now_ms = self.now_ms();
        let mut known = self.known();
        let signed = known.signed.iter().find(|(it, _)| it == signature);
        if let Some((_, index)) = signed.copied() {
            known.health[index].misled(now_ms);
        }
    }
}
