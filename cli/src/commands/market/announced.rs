//! Changes of a market that were announced.

use anyhow::{Result, bail};
use ballast_client::{Chain, Market, OracleChange, Pubkey, ballast, decode, instruction, pda};

use crate::{
    format::when,
    report::Output,
    target,
    trouble::NothingDue,
    wallet::{SIDES, name},
};

use super::admin::Change;

/// What was announced about where a market's prices come from.
///
/// # Errors
/// If the cluster does not answer.
pub async fn source_change(chain: &dyn Chain, market: &Pubkey) -> Result<Option<OracleChange>> {
    let address = pda::oracle_change(market);
    let account = chain.account(&address).await?;
    // Anyone can send lamports there.
    let account = account.filter(|account| account.owner == ballast::ID);
    Ok(account
        .map(|account| decode(&address, &account))
        .transpose()?)
}

impl Change<'_> {
    /// Puts every announced change in force whose notice is over.
    ///
    /// # Errors
    /// If there is none.
    pub async fn apply(self, output: &mut Output) -> Result<()> {
        let chain = self.connection.chain();
        let snapshot = target::snapshot(chain, &self.market).await?;
        let (address, market) = (&self.market.address, &snapshot.market);
        let mut announced = vec![
            (
                "market",
                market.pending.effective_at_secs,
                instruction::apply_market_change(address, &market.whirlpool),
            ),
            (
                "safety rules",
                market.pending_safety.effective_at_secs,
                instruction::apply_safety_change(address),
            ),
        ];
        for side in SIDES {
            announced.push((
                name(side),
                snapshot.reserve(side).pending_effective_at_secs,
                instruction::apply_reserve_change(&self.market, side),
            ));
        }
        if let Some(change) = source_change(chain, address).await? {
            announced.push((
                "price source",
                change.effective_at_secs,
                instruction::apply_oracle_change(address, &change.payer),
            ));
        }
        let lapsed = |at: i64| snapshot.now_secs > at.saturating_add(Market::LAPSE_SECS);
        announced.retain(|(_, effective_at_secs, _)| {
            *effective_at_secs > 0 && !lapsed(*effective_at_secs)
        });
        let next = announced.iter().map(|(_, at, _)| *at).min();
        announced.retain(|(_, effective_at_secs, _)| *effective_at_secs <= snapshot.now_secs);
        if announced.is_empty() {
            match next {
                Some(at) => bail!(NothingDue(format!(
                    "the notice of what is announced is not over: try again at {}",
                    when(at, snapshot.now_secs)
                ))),
                None => bail!(NothingDue(
                    "nothing is announced: there is nothing to put in force".into()
                )),
            }
        }
        let what: Vec<_> = announced.iter().map(|(what, ..)| *what).collect();
        let action = format!("putting announced changes in force ({})", what.join(", "));
        let apply: Vec<_> = announced.into_iter().map(|(.., apply)| apply).collect();
        self.send(action, None, apply, output).await
    }
}
