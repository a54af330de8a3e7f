//! Brings a cluster to the desired state.

mod change;
mod market;
mod migrate;
mod notice;
mod oracle;
mod reserve;
mod safety;

use ballast_client::{
    ChainError, DecodeError, Instruction, MarketContext, MarketError, Pubkey, Request, SendError,
    Sender, Signature, Signer, lookup_table,
};
use ballast_model::Side;
use thiserror::Error;

use crate::{
    desired::{Desired, DesiredError, MarketAddresses},
    report::{Change, Pending, Report},
};

/// Why the desired state was not reached. What was done before stays done; apply again after fixing the cause.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The desired state lacks something.
    #[error(transparent)]
    Desired(#[from] DesiredError),
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An account is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A step failed.
    #[error("{what}: {error}")]
    Send {
        /// Which step.
        what: String,
        /// Why.
        error: Box<SendError>,
    },
    /// The lookup table.
    #[error(transparent)]
    LookupTable(Box<lookup_table::LookupTableError>),
    /// The market exists and differs in what can never change.
    #[error("market {market} exists with another {what}: a new market needs another authority")]
    Fixed {
        /// The market.
        market: Pubkey,
        /// What differs.
        what: &'static str,
    },
    /// Somebody else rules the market.
    #[error("the authority of market {market} is {authority}, not the signer: sign with that key")]
    NotAuthority {
        /// The market.
        market: Pubkey,
        /// Its authority.
        authority: Pubkey,
    },
}

impl From<MarketError> for ApplyError {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::Chain(error) => error.into(),
            MarketError::Decode(error) => error.into(),
        }
    }
}

impl From<lookup_table::LookupTableError> for ApplyError {
    fn from(error: lookup_table::LookupTableError) -> Self {
        Self::LookupTable(Box::new(error))
    }
}

/// Creates, migrates and updates market, reserves, positions and lookup table as far as they differ from `desired`.
/// `authority` pays and signs; unless the addresses name another, it is the creator of the market, which is part of the
/// market's address.
///
/// What may hurt somebody is only announced ([`Report::pending`]); applying again once the notice is over puts it in force.
/// Applying twice changes nothing the second time.
///
/// # Errors
/// [`ApplyError`].
pub async fn apply(
    sender: &Sender,
    authority: &(dyn Signer + Sync),
    desired: &Desired,
) -> Result<Report, ApplyError> {
    let addresses = desired
        .market
        .ok_or(DesiredError::MissingAddress("addresses"))?;
    let mut run = Run {
        sender,
        authority,
        changes: Vec::new(),
        pending: Vec::new(),
    };
    let safety = desired.safety.into();
    let context = run
        .market(&addresses, desired.market_params(), safety)
        .await?;
    run.reserve(&context, Side::Base, desired.base_reserve)
        .await?;
    run.reserve(&context, Side::Quote, desired.quote_reserve)
        .await?;
    run.positions(&context).await?;
    let lookup_table = run.lookup_table(&context, &addresses).await?;
    Ok(Report {
        changes: run.changes,
        pending: run.pending,
        market: context,
        lookup_table,
    })
}

struct Run<'a> {
    sender: &'a Sender,
    authority: &'a (dyn Signer + Sync),
    changes: Vec<Change>,
    pending: Vec<Pending>,
}

impl Run<'_> {
    async fn step(
        &mut self,
        what: String,
        instructions: impl Into<Vec<Instruction>>,
    ) -> Result<(), ApplyError> {
        let request = Request::new(self.authority, instructions);
        match self.sender.send(&request).await {
            Ok(receipt) => {
                self.changed(what, Some(receipt.signature));
                Ok(())
            }
            Err(error) => Err(ApplyError::Send {
                what,
                error: Box::new(error),
            }),
        }
    }

    async fn now_secs(&self) -> Result<i64, ApplyError> {
        Ok(self.sender.chain().clock().await?.now_secs)
    }

    fn changed(&mut self, what: String, signature: Option<Signature>) {
        self.changes.push(Change { what, signature });
    }

    /// The last step was taken as an announcement.
    fn announced(&mut self, pending: Pending) {
        if let Some(last) = self.changes.last_mut() {
            last.what = format!("announced a change of {}", pending.what);
        }
        self.pending.push(pending);
    }

    async fn lookup_table(
        &mut self,
        market: &MarketContext,
        addresses: &MarketAddresses,
    ) -> Result<ballast_client::AddressLookupTableAccount, ApplyError> {
        let wanted = market.static_addresses();
        let ensured =
            lookup_table::ensure(self.sender, self.authority, addresses.lookup_table, &wanted)
                .await?;
        let (key, added) = (ensured.table.key, ensured.added);
        if ensured.created {
            self.changed(
                format!("created lookup table {key} with {added} addresses"),
                None,
            );
        } else if added > 0 {
            self.changed(
                format!("added {added} addresses to lookup table {key}"),
                None,
            );
        }
        Ok(ensured.table)
    }
}
