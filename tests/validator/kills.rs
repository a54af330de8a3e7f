//! Killing a keeper at random points.

use std::time::Duration;

use anyhow::{Result, ensure};
use ballast_localnet::Localnet;
use rand::{Rng, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::keeper::KeeperProcess;

/// Pause between two looks at the journal: the moments between writing, sending and landing are short.
const LOOK: Duration = Duration::from_millis(2);
/// A moment that does not come within so many slots is not waited for longer.
const LONGEST_WAIT_SLOTS: u64 = 12;
/// A cluster that stands still for so long has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// When to kill.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// After so many slots, whatever happens then.
    Slots(u64),
    /// So long after the journal grew: an intent was written and is being sent, or an outcome was.
    JournalGrew { delay_ms: u64 },
    /// When the intent's transaction is in a block and the keeper has not written that down.
    InBlock,
}

/// What a kill hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// A keeper with nothing in flight: it starts, watches, decides or prepares.
    Idle,
    /// One whose intent is written but in no block, and perhaps not even sent.
    Unseen,
    /// One whose intent is in a block, which it has not written down.
    InBlock,
}

impl Moment {
    /// The kills of one step of a path, one or two; the second one begins to wait with the life after the first one, and
    /// so may hit its recovery. The first ones of consecutive `turn`s are of different kinds.
    pub fn some(rng: &mut StdRng, turn: usize) -> Vec<Self> {
        let mut moments = vec![Self::random(rng, turn)];
        if rng.random_range(0..3) == 0 {
            let kind = rng.random_range(0..3);
            moments.push(Self::random(rng, kind));
        }
        moments
    }

    fn random(rng: &mut StdRng, kind: usize) -> Self {
        match kind % 3 {
            0 => Self::JournalGrew {
                delay_ms: rng.random_range(0..=60),
            },
            1 => Self::InBlock,
            _ => Self::Slots(rng.random_range(0..=8)),
        }
    }

    async fn wait(self, keeper: &KeeperProcess, net: &dyn Localnet) -> Result<()> {
        let (journal, chain) = (keeper.journal(), net.chain());
        let length = journal.length();
        let began = Instant::now();
        let end = chain.slot().await?
            + match self {
                Self::Slots(slots) => slots,
                Self::JournalGrew { .. } | Self::InBlock => LONGEST_WAIT_SLOTS,
            };
        let mut asked_at = began;
        loop {
            match self {
                Self::JournalGrew { delay_ms } if journal.length() > length => {
                    sleep(Duration::from_millis(delay_ms)).await;
                    return Ok(());
                }
                Self::InBlock if journal.length() > length => {
                    if let Some(intent) = journal.open_intent()?
                        && chain.status(&intent.signature, false).await?.is_some()
                    {
                        return Ok(());
                    }
                }
                _ => {}
            }
            if asked_at.elapsed() >= net.poll() {
                asked_at = Instant::now();
                if chain.slot().await? >= end {
                    return Ok(());
                }
                ensure!(
                    began.elapsed() < DEADLINE,
                    "the cluster does not reach slot {end}"
                );
            }
            sleep(LOOK).await;
        }
    }
}

/// Kills the keeper at a moment and starts it again at once.
pub async fn kill_at(
    moment: Moment,
    keeper: &mut KeeperProcess,
    net: &dyn Localnet,
) -> Result<Kill> {
    moment.wait(keeper, net).await?;
    keeper.kill()?;
    let kill = match keeper.journal().open_intent()? {
        None => Kill::Idle,
        Some(intent) => match net.chain().status(&intent.signature, false).await? {
            None => Kill::Unseen,
            Some(_) => Kill::InBlock,
        },
    };
    keeper.start()?;
    println!("killed at {moment:?}: {kill:?}");
    Ok(kill)
}
