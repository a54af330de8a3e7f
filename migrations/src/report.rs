//! What applying migrations did.

use std::fmt;

use ballast_client::{AddressLookupTableAccount, MarketContext, Signature};

/// One thing that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What, in words.
    pub what: String,
    /// The transaction; the last one if there were several.
    pub signature: Option<Signature>,
}

/// What applying migrations did, and the market as it is now.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was changed, in order; empty if everything was as it should be.
    pub changes: Vec<Change>,
    /// The market.
    pub market: MarketContext,
    /// Its lookup table, usable now.
    pub lookup_table: AddressLookupTableAccount,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            writeln!(f, "nothing to do: everything is as it should be")?;
        }
        for change in &self.changes {
            write!(f, "{}", change.what)?;
            match change.signature {
                Some(signature) => writeln!(f, " ({signature})")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f, "market {}", self.market.address)?;
        write!(f, "lookup table {}", self.lookup_table.key)
    }
}
