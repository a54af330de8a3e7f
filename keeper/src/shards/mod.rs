//! Positions shared out among the keepers of a group, so that two of them do not do the same.
//!
//! 1. Positions belong to shards, and shards to the members that are there, by rendezvous hashing ([`ballast_lease::shard`]).
//! 2. Who is to act for a shard takes a lease on it, counted in block heights, and renews it ([`watch`]). What it signs cannot
//!    land after the lease ([`ballast_lease::rules`]): it uses a blockhash that is old enough ([`hashes`]), however long the
//!    process is paused between signing and sending.
//! 3. An intent is written into the table ([`table`]) in the transaction that checks the lease once more, before it is sent. A
//!    new holder finds out what became of the last one's intents before it signs any.
//!
//! What protects a position needs no lease: whoever sees that it is due may do it, and the chain settles the race. Where another
//! keeper is there for the position, it is given a head start.

#[cfg(test)]
pub(crate) mod fake_table;
mod hashes;
pub mod table;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ballast_client::Blockhash;
use ballast_lease::{
    Lease, Refusal, TERM,
    shard::{SHARDS, of_position, preferred},
};
use ballast_strategy::decide::{ActionKind, Kinds};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use thiserror::Error;
use tokio::{sync::watch as channel, time::Instant};

use crate::{
    control::Control,
    journal::{Intent, Outcome},
};
use hashes::Hashes;
use table::{Connect, Connection};

/// What a block takes, at least: heights are counted on by it between two looks.
const BLOCK_MS: u128 = 400;
/// So long another keeper, whose position it is, goes first where both may act.
pub const HEAD_START: Duration = Duration::from_secs(3);

/// Whose a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This keeper's.
    Mine,
    /// Another's that is there.
    Others,
    /// Nobody's for now: its lease has to end first, or the table does not answer.
    Nobody,
}

/// Why nothing may be signed under a lease now.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotNow {
    /// It is not held, or was not renewed in time.
    #[error("shard {shard}: its lease is not held, or was not renewed lately")]
    NotHeld {
        /// Of the position.
        shard: u32,
    },
    /// No blockhash of the right age is known.
    #[error(
        "shard {shard}: no blockhash is known that lives no longer than the lease, through block {through}; the first is \
         about 40 s after the start"
    )]
    NoBlockhash {
        /// Of the position.
        shard: u32,
        /// Block through which the lease holds.
        through: u64,
    },
    /// The table does not answer.
    #[error("leases: {0}; nothing is signed that needs one until the table answers")]
    Table(String),
}

/// Under what something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slip {
    lease: Lease,
    /// To sign with.
    pub blockhash: Blockhash,
}

/// The group in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupNow {
    /// Members that are there, this one among them.
    pub members: usize,
    /// Leases that this keeper holds and may sign under.
    pub held: usize,
    /// Leases whose former holder's transactions are still looked up.
    pub unsettled: usize,
    /// Whether the table has answered lately.
    pub answers: bool,
    /// Since when it has not; `None`: it never has.
    pub answered_ago: Option<Duration>,
    /// How often leases were looked at and renewed.
    pub looks: Looks,
    /// Whose each shard's positions are, by number.
    standings: Vec<Standing>,
}

impl GroupNow {
    /// Whose a position is.
    pub fn standing(&self, position: &Pubkey) -> Standing {
        let standing = self
            .standings
            .get(of_position(&position.to_bytes()) as usize);
        standing.copied().unwrap_or(Standing::Nobody)
    }
}

/// Looks at the table of leases since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// After which this keeper knew where it stands.
    pub answered: u64,
    /// To which the table, or the nodes that say how far the chain is, had no answer.
    pub failed: u64,
}

#[derive(Default)]
struct State {
    held: BTreeMap<u32, Lease>,
    /// Of these, those with transactions of earlier epochs that have no outcome.
    unsettled: BTreeSet<u32>,
    hashes: Hashes,
    members: Vec<String>,
    /// Height at the last look, and when that began.
    seen: Option<(u64, Instant)>,
    /// Slot by which everything was done that was done under other leases.
    floor_slot: u64,
    /// What was last wrong.
    trouble: Option<String>,
    looks: Looks,
}

impl State {
    /// The height now, as far as one can tell without asking; `None`: nobody has looked yet.
    fn height(&self) -> Option<u64> {
        let (height, at) = self.seen?;
        let blocks = at.elapsed().as_millis() / BLOCK_MS;
        Some(height.saturating_add(u64::try_from(blocks).unwrap_or(u64::MAX)))
    }

    /// Whether the members are known as they are now.
    fn is_fresh(&self, height: u64) -> bool {
        let (seen, _) = self.seen.unwrap_or((0, Instant::now()));
        height <= seen.saturating_add(TERM / 3)
    }

    /// Whether a lease is still held, and was renewed within a third of its term.
    fn still_holds(&self, lease: &Lease) -> bool {
        let held = self.height();
        let held = held.and_then(|height| self.may_sign(lease.shard, height));
        held.is_some_and(|held| held.epoch == lease.epoch)
    }

    fn may_sign(&self, shard: u32, height: u64) -> Option<Lease> {
        let lease = self.held.get(&shard).copied()?;
        (lease.may_sign_at(height) && !self.unsettled.contains(&shard)).then_some(lease)
    }

    /// Whose a shard's positions are, for a member.
    fn standing(&self, shard: u32, member: &str) -> Standing {
        let Some(height) = self.height() else {
            return Standing::Nobody;
        };
        if self.may_sign(shard, height).is_some() {
            return Standing::Mine;
        }
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        let first = preferred(shard, &members);
        let others = self.is_fresh(height) && first.is_some_and(|first| first != member);
        if others {
            Standing::Others
        } else {
            Standing::Nobody
        }
    }
}

/// See the module's description. Cheap to clone. The default is a keeper that is alone, to which every position belongs.
#[derive(Clone, Default)]
pub struct Shards(Option<Arc<Inner>>);

struct Inner {
    member: String,
    connection: Connection,
    state: Mutex<State>,
    /// Grows with everything that may change whose a position is.
    changed: channel::Sender<u64>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, shard: u32) -> Standing {
        self.state().standing(shard, &self.member)
    }
}

/// Whether an action is done by the holder of the lease only.
fn is_exclusive(kind: ActionKind) -> bool {
    !kind.protects()
}

impl Shards {
    /// A member of the group whose leases are there. Nothing is connected yet.
    pub fn member(member: &str, connect: Connect) -> Self {
        Self(Some(Arc::new(Inner {
            member: member.into(),
            connection: Connection::new(connect),
            state: Mutex::default(),
            changed: channel::Sender::new(0),
        })))
    }

    /// Whose a position is.
    pub fn standing(&self, position: &Pubkey) -> Standing {
        match &self.0 {
            None => Standing::Mine,
            Some(inner) => inner.standing(of_position(&position.to_bytes())),
        }
    }

    /// Whether this keeper may do something of a kind with a position.
    pub fn permits(&self, position: &Pubkey, kind: ActionKind) -> bool {
        !is_exclusive(kind) || self.standing(position) == Standing::Mine
    }

    /// What is not to be decided on, because people forbid it or nobody does it now, so that something else takes its place.
    pub fn forbidden(&self, control: &Control, position: &Pubkey) -> Kinds {
        let by_people = control.forbidden(position);
        // Who sends nothing shows what would be done.
        if self.standing(position) != Standing::Nobody || !control.mode().sends() {
            return by_people;
        }
        let exclusive = ActionKind::ALL
            .into_iter()
            .filter(|kind| is_exclusive(*kind));
        exclusive.fold(by_people, Kinds::with)
    }

    /// Whether another keeper goes first.
    pub fn yields(&self, position: &Pubkey) -> bool {
        self.standing(position) == Standing::Others
    }

    /// A number that grows with everything that may change whose a position is; `None`: nothing ever does.
    pub fn changes(&self) -> Option<channel::Receiver<u64>> {
        Some(self.0.as_ref()?.changed.subscribe())
    }

    /// Answers of earlier slots may lack what other keepers have done.
    pub fn floor_slot(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.state().floor_slot)
    }

    /// The group in numbers; `None`: there is none.
    pub fn now(&self) -> Option<GroupNow> {
        let inner = self.0.as_ref()?;
        let state = inner.state();
        let height = state.height();
        let shards = (0..SHARDS).map(|shard| state.standing(shard, &inner.member));
        let standings: Vec<Standing> = shards.collect();
        let mine = standings.iter().filter(|it| **it == Standing::Mine);
        Some(GroupNow {
            members: state.members.len(),
            held: mine.count(),
            unsettled: state.unsettled.len(),
            answers: height.is_some_and(|height| state.is_fresh(height)),
            answered_ago: state.seen.map(|(_, at)| at.elapsed()),
            looks: state.looks,
            standings,
        })
    }

    /// Under what an action may be signed; `Ok(None)`: it needs no lease.
    pub(crate) fn slip(&self, position: &Pubkey, kind: ActionKind) -> Result<Option<Slip>, NotNow> {
        let Some(inner) = self.0.as_ref().filter(|_| is_exclusive(kind)) else {
            return Ok(None);
        };
        let shard = of_position(&position.to_bytes());
        let state = inner.state();
        let height = state.height().ok_or(NotNow::NotHeld { shard })?;
        let lease = state.may_sign(shard, height);
        let lease = lease.ok_or(NotNow::NotHeld { shard })?;
        let through = lease.through;
        let blockhash = state.hashes.choose(&lease, height);
        let blockhash = blockhash.ok_or(NotNow::NoBlockhash { shard, through })?;
        Ok(Some(Slip { lease, blockhash }))
    }

    /// Writes an intent into the table, if the lease still holds and outlives it. Only then may it be sent.
    pub(crate) async fn admit(&self, slip: &Slip, intent: &Intent) -> Result<Admission, NotNow> {
        let Some(inner) = &self.0 else {
            return Ok(Admission::Written);
        };
        let lease = slip.lease;
        // Since it was chosen a node may have been waited for.
        if !inner.state().still_holds(&lease) {
            return Ok(Admission::Refused);
        }
        let (name, last) = (intent.signature.to_string(), intent.last_valid_block_height);
        let bytes = intent.transaction.clone();
        let written = inner
            .connection
            .with(move |table| table.write(&lease, &name, last, &bytes))
            .await
            .map_err(NotNow::Table)?;
        Ok(match written {
            Ok(()) => Admission::Written,
            Err(refusal) => {
                match refusal {
                    Refusal::Lost => inner.state().held.remove(&lease.shard).is_some(),
                    Refusal::Unsettled { .. } => inner.state().unsettled.insert(lease.shard),
                    Refusal::OutlivesLease { .. } => false,
                };
                Admission::Refused
            }
        })
    }

    /// Writes down what became of an intent. Where that fails the next holder finds it out.
    pub(crate) async fn ended(
        &self,
        position: &Pubkey,
        kind: ActionKind,
        signature: &Signature,
        outcome: Option<&Outcome>,
    ) {
        let Some(inner) = self.0.as_ref().filter(|_| is_exclusive(kind)) else {
            return;
        };
        let (shard, name) = (of_position(&position.to_bytes()), signature.to_string());
        let outcome = match outcome {
            Some(Outcome::Landed { .. }) => "landed",
            Some(Outcome::Failed { .. } | Outcome::Raced { .. }) => "failed",
            Some(Outcome::Expired { .. } | Outcome::Dropped { .. }) => "expired",
            None => "never sent",
        };
        let _ = inner
            .connection
            .with(move |table| table.settle(shard, &name, outcome))
            .await;
    }
}

/// Whether an intent stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It does.
    Written,
    /// The lease is another's by now, was not renewed lately, or ends before.
    Refused,
}
