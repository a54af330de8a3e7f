//! Takes and renews the leases, keeps blockhashes of all ages, and settles what earlier holders have left.

use std::{collections::BTreeSet, time::Duration};

use ballast_client::{Chain, EXPIRY_MARGIN, Expiry, Nodes, Reach};
use ballast_lease::{
    Lease, OpenIntent,
    rules::height_to_take,
    shard::{SHARDS, preferred},
};
use tokio::time::{Instant, sleep};
use tracing::info;

use super::{Inner, Shards, State};
use crate::{control::Control, event::KeeperEvent, events::Events};

/// Several times within a third of a lease's term, so that one answer that is lost costs nothing.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often transactions of earlier holders are looked up while there are any.
const SETTLE_EVERY: Duration = Duration::from_secs(1);
/// Outcomes are forgotten so many blocks after the last in which the transaction could land: an hour.
const KEEP_BLOCKS: u64 = 9_000;
/// Looks between two times at which they are.
const FORGET_EVERY: u32 = 300;

/// What the table said.
struct Told {
    members: Vec<String>,
    renewed: Vec<Lease>,
    taken: Vec<Lease>,
}

impl Shards {
    /// Runs for ever; at once over for a keeper that is alone.
    pub(crate) async fn watch(&self, nodes: Nodes, control: Control, events: Events) {
        let Some(inner) = &self.0 else {
            return;
        };
        let looking = async {
            for turn in 0u32.. {
                let looked = if control.mode().sends() {
                    inner.look(&nodes, turn.is_multiple_of(FORGET_EVERY)).await
                } else {
                    inner.stand_back().await
                };
                inner.tell_trouble(looked.err(), &events);
                sleep(LOOK_EVERY).await;
            }
        };
        let settling = async {
            loop {
                inner.settle(&nodes).await;
                sleep(SETTLE_EVERY).await;
            }
        };
        tokio::join!(looking, settling);
    }

    /// Says that this keeper goes, so that others need not wait until it is missed. What it holds still ends by itself.
    pub(crate) async fn leave(&self) {
        if let Some(inner) = &self.0 {
            // Without it they wait a little longer.
            let _ = inner.connection.with(|table| table.leave()).await;
        }
    }
}

impl Inner {
    async fn look(&self, nodes: &Nodes, forgets: bool) -> Result<(), String> {
        let began = Instant::now();
        let (reach, blockhash) = tokio::join!(nodes.reach(), nodes.latest_blockhash());
        let Reach { heights, slot } = reach.map_err(|error| error.to_string())?;
        let height = height_to_take(heights);
        if let Ok(blockhash) = blockhash {
            self.state().hashes.note(blockhash, height);
        }
        let held: Vec<Lease> = self.state().held.values().copied().collect();
        let member = self.member.clone();
        let told = self.connection.with(move |table| {
            let members = table.beat(height)?;
            let names: Vec<&str> = members.iter().map(String::as_str).collect();
            let own: BTreeSet<u32> = (0..SHARDS)
                .filter(|shard| preferred(*shard, &names) == Some(member.as_str()))
                .collect();
            // What is another's to take is left to end.
            let kept: Vec<Lease> = held
                .into_iter()
                .filter(|lease| own.contains(&lease.shard))
                .collect();
            let renewed = table.renew(&kept, height)?;
            let has = |shard: &u32| renewed.iter().any(|lease| lease.shard == *shard);
            let wanted: Vec<u32> = own.into_iter().filter(|shard| !has(shard)).collect();
            let taken = table.take(&wanted, height)?;
            if forgets {
                table.forget(height.saturating_sub(KEEP_BLOCKS))?;
            }
            Ok(Told {
                members,
                renewed,
                taken,
            })
        });
        let told = told.await?;
        self.take_in(told, (height, began), slot);
        Ok(())
    }

    fn take_in(&self, told: Told, seen: (u64, Instant), slot: u64) {
        let changed = {
            let mut state = self.state();
            let before = (whose(&state), state.members.clone());
            let renewed: BTreeSet<u32> = told.renewed.iter().map(|lease| lease.shard).collect();
            state.unsettled.retain(|shard| renewed.contains(shard));
            // Whatever was done before was done before this slot.
            if !told.taken.is_empty() {
                state.floor_slot = state.floor_slot.max(slot);
            }
            let taken = told.taken.iter().map(|lease| lease.shard);
            state.unsettled.extend(taken);
            let all = told.renewed.into_iter().chain(told.taken);
            state.held = all.map(|lease| (lease.shard, lease)).collect();
            state.members = told.members;
            state.seen = Some(seen);
            before != (whose(&state), state.members.clone())
        };
        if changed {
            self.tell_change();
        }
    }

    /// Who sends nothing stands in nobody's way.
    async fn stand_back(&self) -> Result<(), String> {
        let was_there = {
            let mut state = self.state();
            let was_there = !state.members.is_empty();
            (state.held, state.unsettled) = Default::default();
            state.members.clear();
            was_there
        };
        if was_there {
            self.tell_change();
            return self.connection.with(|table| table.leave()).await;
        }
        Ok(())
    }

    /// Looks up what earlier holders have signed; where everything has an outcome this keeper may sign.
    async fn settle(&self, nodes: &Nodes) {
        let waiting: Vec<Lease> = {
            let state = self.state();
            let waiting = state.unsettled.iter();
            waiting
                .filter_map(|shard| state.held.get(shard).copied())
                .collect()
        };
        if waiting.is_empty() {
            return;
        }
        let shards: Vec<u32> = waiting.iter().map(|lease| lease.shard).collect();
        let Ok(open) = self.connection.with(move |table| table.open(&shards)).await else {
            // The next look tells.
            return;
        };
        let mut left = BTreeSet::new();
        for (shard, intent) in open {
            let epoch = waiting.iter().find(|lease| lease.shard == shard);
            let is_old = epoch.is_some_and(|lease| intent.epoch < lease.epoch);
            if is_old && !self.settle_one(nodes, shard, intent).await {
                left.insert(shard);
            }
        }
        let settled: Vec<Lease> = waiting
            .into_iter()
            .filter(|lease| !left.contains(&lease.shard))
            .collect();
        if settled.is_empty() {
            return;
        }
        {
            let mut state = self.state();
            for lease in settled {
                let same = state.held.get(&lease.shard).map(|held| held.epoch);
                if same == Some(lease.epoch) {
                    state.unsettled.remove(&lease.shard);
                }
            }
        }
        self.tell_change();
    }

    /// Whether it has an outcome now. Nothing is sent: what the last holder did not bring in is decided anew.
    async fn settle_one(&self, nodes: &Nodes, shard: u32, intent: OpenIntent) -> bool {
        // As for what this keeper has signed itself.
        let certain = intent.last_valid.saturating_add(EXPIRY_MARGIN);
        let outcome = match intent.signature.parse() {
            Ok(signature) => match nodes.expiry(&signature, certain).await {
                Ok(Expiry::Landed(status)) if status.error.is_none() => "landed",
                Ok(Expiry::Landed(_)) => "failed",
                Ok(Expiry::Expired { .. }) => "expired",
                Ok(Expiry::NotYet | Expiry::Unconfirmed) | Err(_) => return false,
            },
            // No node would have taken it.
            Err(_) => "no signature",
        };
        self.connection
            .with(move |table| table.settle(shard, &intent.signature, outcome))
            .await
            .is_ok()
    }

    fn tell_change(&self) {
        let (held, unsettled, members) = {
            let state = self.state();
            (state.held.len(), state.unsettled.len(), state.members.len())
        };
        info!(held, unsettled, members, "shards: leases");
        self.changed.send_modify(|version| *version += 1);
    }

    /// Warns once for as long as it stays the same.
    fn tell_trouble(&self, trouble: Option<String>, events: &Events) {
        let before = {
            let mut state = self.state();
            let looks = &mut state.looks;
            match trouble {
                Some(_) => looks.failed += 1,
                None => looks.answered += 1,
            }
            std::mem::replace(&mut state.trouble, trouble.clone())
        };
        if before == trouble {
            return;
        }
        let message = match trouble {
            Some(trouble) => format!(
                "leases: {trouble}; without them this keeper does only what protects positions, until it can renew them"
            ),
            None => "leases are renewed again".into(),
        };
        events.send(KeeperEvent::Warning { message });
    }
}

/// Which shards are held under which epochs, and of which not everything has an outcome.
fn whose(state: &State) -> (Vec<(u32, u64)>, BTreeSet<u32>) {
    let held = state.held.values().map(|lease| (lease.shard, lease.epoch));
    (held.collect(), state.unsettled.clone())
}
