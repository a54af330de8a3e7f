//! Leases in memory, with the rules of those in Postgres unless they are broken on purpose.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use ballast_lease::{
    Lease, OpenIntent, Refusal, TERM,
    rules::{may_take, through_from},
};

use super::table::{Connect, Table};

#[derive(Default)]
struct Shared {
    /// Owner, epoch, through.
    leases: BTreeMap<u32, (String, u64, u64)>,
    /// Shard, intent, outcome.
    intents: Vec<(u32, OpenIntent, Option<String>)>,
    members: BTreeMap<String, u64>,
    /// Nothing is answered.
    gone: bool,
    /// Whoever asks is given a lease, whatever is written is written, and nobody is told of it.
    careless: bool,
    /// Leases are said to hold so many blocks longer than they do.
    longer: u64,
    on_write: Option<OnWrite>,
}

/// Told the name of a member that has just written an intent.
pub type OnWrite = Arc<dyn Fn(&str) + Send + Sync>;

/// The table that all members share.
#[derive(Clone, Default)]
pub struct FakeTable(Arc<Mutex<Shared>>);

struct Member {
    table: FakeTable,
    name: String,
}

impl FakeTable {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap()
    }

    /// How a member connects.
    pub fn connect(&self, name: &str) -> Connect {
        let (table, name) = (self.clone(), name.to_owned());
        Arc::new(move || -> Result<Box<dyn Table>, String> {
            let (table, name) = (table.clone(), name.clone());
            Ok(Box::new(Member { table, name }))
        })
    }

    /// From now on it does not answer, or answers again.
    pub fn answers(&self, answers: bool) {
        self.lock().gone = !answers;
    }

    /// From now on it checks nothing, and leases are said to hold longer than they do.
    pub fn forget_the_rules(&self, longer: u64) {
        let mut shared = self.lock();
        (shared.careless, shared.longer) = (true, longer);
    }

    /// Somebody else has all leases now, for long.
    pub fn give_away(&self) {
        for (owner, epoch, through) in self.lock().leases.values_mut() {
            *owner = "another".into();
            *epoch += 1;
            *through += 1_000_000;
        }
    }

    /// Whom to tell of intents, within the call that writes them.
    pub fn on_write(&self, told: OnWrite) {
        self.lock().on_write = Some(told);
    }

    /// Intents with their epochs and outcomes.
    pub fn intents(&self) -> Vec<(u32, OpenIntent, Option<String>)> {
        self.lock().intents.clone()
    }
}

impl Member {
    fn lock(&self) -> Result<MutexGuard<'_, Shared>, String> {
        let shared = self.table.lock();
        if shared.gone {
            return Err("the connection broke".into());
        }
        Ok(shared)
    }
}

impl Table for Member {
    fn beat(&mut self, height: u64) -> Result<Vec<String>, String> {
        let mut shared = self.lock()?;
        shared.members.insert(self.name.clone(), height);
        let there = shared.members.iter();
        let there = there.filter(|(_, seen)| **seen >= height.saturating_sub(TERM));
        Ok(there.map(|(member, _)| member.clone()).collect())
    }

    fn leave(&mut self) -> Result<(), String> {
        self.lock()?.members.remove(&self.name);
        Ok(())
    }

    fn take(&mut self, shards: &[u32], height: u64) -> Result<Vec<Lease>, String> {
        let mut shared = self.lock()?;
        let (through, careless) = (through_from(height), shared.careless);
        let longer = shared.longer;
        let mut taken = Vec::new();
        for shard in shards {
            let epoch = match shared.leases.get(shard) {
                Some((_, _, held)) if !careless && !may_take(*held, height) => continue,
                Some((_, epoch, _)) => epoch + 1,
                None => 1,
            };
            let new = (self.name.clone(), epoch, through);
            shared.leases.insert(*shard, new);
            taken.push(Lease {
                shard: *shard,
                epoch,
                through: through + longer,
                renewed_at: height,
            });
        }
        Ok(taken)
    }

    fn renew(&mut self, leases: &[Lease], height: u64) -> Result<Vec<Lease>, String> {
        let mut shared = self.lock()?;
        let mut renewed = Vec::new();
        let longer = shared.longer;
        for lease in leases {
            let Some((owner, epoch, through)) = shared.leases.get_mut(&lease.shard) else {
                continue;
            };
            if (&*owner, *epoch) == (&self.name, lease.epoch) {
                *through = through_from(height).max(*through);
                renewed.push(Lease {
                    through: *through + longer,
                    renewed_at: height,
                    ..*lease
                });
            }
        }
        Ok(renewed)
    }

    fn write(
        &mut self,
        lease: &Lease,
        signature: &str,
        last_valid: u64,
        bytes: &[u8],
    ) -> Result<Result<(), Refusal>, String> {
        let mut shared = self.lock()?;
        let held = shared.leases.get(&lease.shard);
        let held = held.filter(|(owner, epoch, _)| (owner, *epoch) == (&self.name, lease.epoch));
        let through = held.map(|(_, _, through)| *through);
        let open = shared.intents.iter().filter(|(shard, intent, outcome)| {
            *shard == lease.shard && intent.epoch < lease.epoch && outcome.is_none()
        });
        let open = open.count() as u64;
        match through {
            _ if shared.careless => {}
            None => return Ok(Err(Refusal::Lost)),
            Some(through) if last_valid > through => {
                return Ok(Err(Refusal::OutlivesLease { through }));
            }
            Some(_) if open > 0 => return Ok(Err(Refusal::Unsettled { open })),
            Some(_) => {}
        }
        let intent = OpenIntent {
            epoch: lease.epoch,
            signature: signature.into(),
            last_valid,
            bytes: bytes.into(),
        };
        shared.intents.push((lease.shard, intent, None));
        let told = shared.on_write.clone();
        drop(shared);
        if let Some(told) = told {
            told(&self.name);
        }
        Ok(Ok(()))
    }

    fn open(&mut self, shards: &[u32]) -> Result<Vec<(u32, OpenIntent)>, String> {
        let shared = self.lock()?;
        let open = shared.intents.iter().filter(|(shard, _, outcome)| {
            shards.contains(shard) && outcome.is_none() && !shared.careless
        });
        Ok(open
            .map(|(shard, intent, _)| (*shard, intent.clone()))
            .collect())
    }

    fn settle(&mut self, shard: u32, signature: &str, outcome: &str) -> Result<(), String> {
        let mut shared = self.lock()?;
        let known = shared.intents.iter_mut().find(|(of, intent, outcome)| {
            *of == shard && intent.signature == signature && outcome.is_none()
        });
        if let Some((_, _, known)) = known {
            *known = Some(outcome.into());
        }
        Ok(())
    }

    fn forget(&mut self, below: u64) -> Result<(), String> {
        let mut shared = self.lock()?;
        shared
            .intents
            .retain(|(_, intent, outcome)| outcome.is_none() || intent.last_valid >= below);
        Ok(())
    }
}
