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

/// One change that was announced and is not in force yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What, in words.
    pub what: String,
    /// From this time on anyone may put it in force, Unix seconds.
    pub effective_at_secs: i64,
    /// Seconds until then.
    pub wait_secs: i64,
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes) = (self.wait_secs / 3_600, self.wait_secs / 60 % 60);
        write!(
            f,
            "{}; in force from Unix time {}, in {hours}h {minutes}m, when this is run again",
            self.what, self.effective_at_secs
        )
    }
}

/// What applying migrations did, and the market as it is now.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was changed, in order; empty if everything was as it should be.
    pub changes: Vec<Change>,
    /// What is announced and not in force yet; a later run puts it in force.
    pub pending: Vec<Pending>,
    /// The market.
    pub market: MarketContext,
    /// Its lookup table, usable now.
    pub lookup_table: AddressLookupTableAccount,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() && self.pending.is_empty() {
            writeln!(f, "nothing to do: everything is as it should be")?;
        }
        for change in &self.changes {
            write!(f, "{}", change.what)?;
            match change.signature {
                Some(signature) => writeln!(f, " ({signature})")?,
                None => writeln!(f)?,
            }
        }
        for pending in &self.pending {
            writeln!(f, "waiting: {pending}")?;
        }
        writeln!(f, "market {}", self.market.address)?;
        write!(f, "lookup table {}", self.lookup_table.key)
    }
}
