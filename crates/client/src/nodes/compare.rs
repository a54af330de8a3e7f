//! Asks other nodes for the accounts that an answer had.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Nodes, SURVEY_WITHIN, WITNESSES,
    testimony::{Finding, Said, judge},
};
use crate::{
    agreement::{Agreement, Claim, Claimed, Difference},
    chain::{CLOCK_SYSVAR, Chain, ChainError},
};

/// Between two questions to a node that has not come as far as another.
const AGAIN: Duration = Duration::from_millis(200);

/// Who is asked, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hurry {
    /// Something is to be done: those that answer, until two agree.
    Act,
    /// All, to the end.
    Sample,
}

impl Nodes {
    /// Asks one node for accounts, and what all others say of them. Whoever says something else than two others, or than the only other one,
    /// is asked last from now on.
    ///
    /// # Errors
    /// [`ChainError`] if none answers.
    pub async fn sample(&self, accounts: &[(Pubkey, bool)]) -> Result<Agreement, ChainError> {
        let mut addresses: Vec<Pubkey> = accounts.iter().map(|(address, _)| *address).collect();
        // Beside it no slot is believed that is far from the clock's.
        addresses.push(CLOCK_SYSVAR);
        let answer = self.accounts(&addresses).await?;
        let claimed = accounts.iter().zip(answer.accounts);
        let claimed = claimed.map(|((address, moves), account)| Claimed {
            address: *address,
            account,
            moves: *moves,
        });
        let claim = Claim {
            slot: answer.slot,
            accounts: claimed.collect(),
        };
        Ok(self.compared(&claim, Hurry::Sample).await)
    }

    /// What others say of what one of the nodes has said.
    pub(super) async fn agree(&self, claim: &Claim) -> Agreement {
        self.compared(claim, Hurry::Act).await
    }

    async fn compared(&self, claim: &Claim, hurry: Hurry) -> Agreement {
        if self.is_single() {
            return Agreement::Alone;
        }
        let finding = self.find(claim, hurry).await;
        let against = match &finding {
            Finding::Backed { against, .. } | Finding::Outvoted { against, .. } => &against[..],
            Finding::Disputed { between, .. } => between,
            Finding::Alone | Finding::Changed | Finding::Open { .. } => &[],
        };
        let now_ms = self.now_ms();
        for index in against {
            self.known().health[*index].disagrees(now_ms);
        }
        let of = |account: usize, nodes: Vec<usize>| Difference {
            address: claim
                .accounts
                .get(account)
                .map_or_else(Pubkey::default, |it| it.address),
            nodes: nodes
                .into_iter()
                .map(|it| self.members[it].label())
                .collect(),
        };
        match finding {
            Finding::Backed { .. } => Agreement::Backed,
            Finding::Alone => Agreement::Alone,
            Finding::Changed => Agreement::Changed,
            Finding::Open { account, ask } => {
                let nodes = ask.into_iter().map(|(node, _)| node).collect();
                Agreement::Unsettled(of(account, nodes))
            }
            Finding::Outvoted { account, against } => Agreement::Outvoted(of(account, against)),
            Finding::Disputed { account, between } => Agreement::Disputed(of(account, between)),
        }
    }

    async fn find(&self, claim: &Claim, hurry: Hurry) -> Finding {
        let mut addresses: Vec<Pubkey> = claim.accounts.iter().map(|it| it.address).collect();
        addresses.push(CLOCK_SYSVAR);
        let until = Instant::now()
            + match hurry {
                Hurry::Act => self.config.patience,
                Hurry::Sample => SURVEY_WITHIN,
            };
        // Again until it has come to a slot.
        let ask = |(index, from): (usize, u64)| {
            let (addresses, member) = (&addresses, Arc::clone(&self.members[index]));
            async move {
                loop {
                    let answer = self.ask(index, member.accounts(addresses)).await;
                    let said = answer.and_then(|mut answer| {
                        self.by_clock(index, addresses, &answer)?;
                        let slot = self.told(index, "getMultipleAccounts", answer.slot)?;
                        answer.accounts.pop();
                        let accounts = answer.accounts;
                        Ok(Said { slot, accounts })
                    });
                    match said {
                        Ok(said) if said.slot < from && Instant::now() + AGAIN < until => {
                            sleep(AGAIN).await;
                        }
                        said => return (index, said.ok()),
                    }
                }
            }
        };
        let answering: Vec<usize> = {
            let known = self.known();
            let all = 0..self.members.len();
            all.filter(|index| hurry == Hurry::Sample || !known.health[*index].is_failing())
                .collect()
        };
        let mut said: Vec<Option<Said>> = vec![None; self.members.len()];
        let mut waited_for: Vec<usize> = answering.clone();
        let mut running: FuturesUnordered<_> = answering
            .into_iter()
            .map(|index| (index, 0))
            .map(ask)
            .collect();
        loop {
            match timeout_at(until, running.next()).await {
                Ok(Some((index, answer))) => {
                    waited_for.retain(|other| *other != index);
                    if let Some(answer) = answer {
                        said[index] = Some(answer);
                    }
                }
                Ok(None) => {
                    let finding = judge(claim.slot, &claim.accounts, &said);
                    let (Finding::Open { ask: more, .. } | Finding::Backed { ask: more, .. }) =
                        &finding
                    else {
                        return finding;
                    };
                    if more.is_empty() || Instant::now() + AGAIN >= until {
                        return finding;
                    }
                    // Who fails at once is not asked without end.
                    sleep(AGAIN).await;
                    running.extend(more.iter().copied().map(ask));
                    continue;
                }
                Err(_) => {
                    let mut known = self.known();
                    for index in waited_for {
                        known.health[index].failed();
                    }
                    drop(known);
                    return judge(claim.slot, &claim.accounts, &said);
                }
            }
            let heard = said.iter().flatten().count();
            if hurry == Hurry::Act && heard >= WITNESSES {
                let finding = judge(claim.slot, &claim.accounts, &said);
                if matches!(finding, Finding::Backed { .. }) {
                    return finding;
                }
            }
        }
    }
}
