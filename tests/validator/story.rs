//! What happens: three equal positions go through the same prices, one with a keeper, one with a keeper that is killed
//! again and again, one without.

use std::{cell::Cell, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use ballast_client::{BallastError, SendError};
use ballast_localnet::{Localnet, UsdPrice};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::{
    keeper::{JournalFile, KeeperProcess},
    kills::{Kill, Moment, kill_at},
    side::{Sample, Side},
    trail::Trail,
};

const START: UsdPrice = UsdPrice::dollars(200);
/// Down through the lower end of the band (190); a choppy market, whose gaps cost equity until a kept position is
/// deleveraged; then up, out of the band (210), to within 2 % of where a position that nobody looks after may be
/// liquidated (258.6). Every price is passed once, so that it names its step.
const PATH: [i64; 16] = [
    198, 194, 189, 203, 193, 205, 195, 206, 196, 202, 207, 212, 224, 236, 248, 255,
];
/// Beyond that boundary.
const BEYOND: UsdPrice = UsdPrice::dollars(262);
/// Slots from one price of the path to the next, at least.
const SLOTS_PER_STEP: u64 = 4;
/// The longest that a keeper may take over one price. A transaction that is lost is only known to be so when its blockhash
/// has expired, after more than a minute; then it is sent anew.
const PATIENCE: Duration = Duration::from_secs(150);
/// Prices are posted again after this, as a price service would: older ones are refused.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What became of a position with a keeper.
pub struct Kept {
    /// Where it stood at the last price of the path.
    pub near: Sample,
    /// Where it stood beyond the boundary of the position without a keeper.
    pub beyond: Sample,
    /// Highest LTV seen, by looking several times a second.
    pub max_ltv_bps: u32,
    /// How often delta was seen to leave its band.
    pub excursions: usize,
    /// Whether liquidating it was refused, at both prices.
    pub liquidation_refused: [bool; 2],
    /// What its keeper left behind.
    pub trail: Trail,
}

/// What became of the position without a keeper.
pub struct Unkept {
    /// Before any price moved.
    pub opened: Sample,
    /// At the last price of the path.
    pub near: Sample,
    /// After the liquidation.
    pub liquidated: Sample,
    /// Whether liquidating it was refused at the last price of the path.
    pub liquidation_refused: bool,
}

/// How it ended.
pub struct Report {
    /// Slots from the first price of the path to the end of the last one.
    pub slots: u64,
    pub kept: Kept,
    pub killed: Kept,
    pub unkept: Unkept,
    pub kills: Vec<Kill>,
}

/// A position, its keeper's journal, and what is seen of them.
struct Watched<'a> {
    side: &'a Side,
    journal: JournalFile,
    max_ltv_bps: u32,
    excursions: usize,
    hedged: bool,
}

impl Watched<'_> {
    /// Looks; whether nothing is due and nothing in flight.
    async fn is_settled(&mut self) -> Result<bool> {
        let sample = self.side.sample().await?;
        self.max_ltv_bps = self.max_ltv_bps.max(sample.value.ltv_bps_up());
        if self.hedged && !sample.is_hedged() {
            self.excursions += 1;
        }
        self.hedged = sample.is_hedged();
        Ok(sample.is_quiet() && self.journal.open_intent()?.is_none())
    }
}

/// Tells it on a fresh cluster. The seed says when the one keeper is killed.
pub async fn tell(net: Arc<dyn Localnet>, seed: u64) -> Result<Report> {
    let open = |name, keeper_enabled| Side::open(Arc::clone(&net), name, keeper_enabled, START);
    let (kept, killed, unkept) = tokio::try_join!(
        open("kept", true),
        open("killed", true),
        open("unkept", false)
    )?;
    let mut keeper = KeeperProcess::prepare(&kept.world).await?;
    let mut victim = KeeperProcess::prepare(&killed.world).await?;
    keeper.start()?;
    victim.start()?;
    let watched = |side, keeper: &KeeperProcess| Watched {
        side,
        journal: keeper.journal(),
        max_ltv_bps: 0,
        excursions: 0,
        hedged: true,
    };
    let mut watched = [watched(&kept, &keeper), watched(&killed, &victim)];
    let opened = unkept.sample().await?;

    let sides = [&kept, &killed, &unkept];
    let (mut kills, mut rng) = (Vec::new(), StdRng::seed_from_u64(seed));
    let first_turn = rng.random_range(0..3);
    let start = net.chain().slot().await?;
    for (step, dollars) in PATH.into_iter().enumerate() {
        let price = UsdPrice::dollars(dollars);
        let posted = Cell::new(None);
        let due_slot = start + (step as u64 + 1) * SLOTS_PER_STEP;
        let moments = Moment::some(&mut rng, first_turn + step);
        let (victim, kills) = (&mut victim, &mut kills);
        let move_and_kill = async {
            let killing = async {
                for moment in moments {
                    kills.push(kill_at(moment, victim, net.as_ref()).await?);
                }
                Ok(())
            };
            tokio::try_join!(go_to(net.as_ref(), &sides, price, due_slot), killing)?;
            posted.set(Some(Instant::now()));
            anyhow::Ok(())
        };
        let watching = settle(&mut watched, &posted, price);
        let done = tokio::try_join!(move_and_kill, watching);
        done.with_context(|| {
            format!(
                "at {price}; the keeper: {}; the killed keeper: {}",
                keeper.said(),
                victim.said()
            )
        })?;
        let [one, two] = [kept.sample().await?, killed.sample().await?].map(told);
        println!("at {price}: kept {one}; killed {two}");
    }
    let slots = net.chain().slot().await? - start;
    keeper.require_alive()?;
    victim.require_alive()?;

    let near = [kept.sample().await?, killed.sample().await?];
    let unkept_near = unkept.sample().await?;
    let refused_near = [refused(&kept).await?, refused(&killed).await?];
    let unkept_refused = refused(&unkept).await?;

    go_to(net.as_ref(), &sides, BEYOND, 0).await?;
    settle(&mut watched, &Cell::new(Some(Instant::now())), BEYOND).await?;
    let liquidation = unkept.liquidate().await;
    liquidation.context("liquidating the position without a keeper")?;
    let refused_beyond = [refused(&kept).await?, refused(&killed).await?];
    settle(&mut watched, &Cell::new(Some(Instant::now())), BEYOND).await?;
    // The last lives of both are clean and have nothing left to do.
    keeper.kill()?;
    victim.kill()?;

    let [kept_watched, killed_watched] = watched;
    let become_of = async |side: &Side, keeper, watched: Watched<'_>, index: usize| {
        anyhow::Ok(Kept {
            near: near[index],
            beyond: side.sample().await?,
            max_ltv_bps: watched.max_ltv_bps,
            excursions: watched.excursions,
            liquidation_refused: [refused_near[index], refused_beyond[index]],
            trail: Trail::collect(net.as_ref(), side, keeper).await?,
        })
    };
    Ok(Report {
        slots,
        kept: become_of(&kept, &keeper, kept_watched, 0).await?,
        killed: become_of(&killed, &victim, killed_watched, 1).await?,
        unkept: Unkept {
            opened,
            near: unkept_near,
            liquidated: unkept.sample().await?,
            liquidation_refused: unkept_refused,
        },
        kills,
    })
}

/// Moves all pools and then, from a slot on, the oracle that they share.
async fn go_to(
    net: &dyn Localnet,
    sides: &[&Side; 3],
    price: UsdPrice,
    due_slot: u64,
) -> Result<()> {
    let [one, two, three] = sides.map(|side| side.move_pool(price));
    tokio::try_join!(one, two, three)?;
    let deadline = Instant::now() + PATIENCE;
    while net.chain().slot().await? < due_slot {
        ensure!(
            Instant::now() < deadline,
            "the cluster does not reach slot {due_slot}"
        );
        sleep(net.poll()).await;
    }
    let [side, ..] = sides;
    side.world.post_price(price).await
}

/// Looks at the positions until, after the price was posted, nothing is due and nothing in flight; keeps the price fresh
/// meanwhile.
async fn settle(
    watched: &mut [Watched<'_>; 2],
    posted: &Cell<Option<Instant>>,
    price: UsdPrice,
) -> Result<()> {
    let mut since: Option<Instant> = None;
    loop {
        // Asked before the positions are looked at: what is seen must be of the new price.
        let fresh = posted.get();
        let mut settled = true;
        for watched in watched.iter_mut() {
            settled &= watched.is_settled().await?;
        }
        let [first, _] = watched;
        if let Some(fresh) = fresh {
            if settled {
                return Ok(());
            }
            let since = *since.get_or_insert(fresh);
            ensure!(
                since.elapsed() < PATIENCE,
                "still due or in flight after {PATIENCE:?}"
            );
            if fresh.elapsed() >= HEARTBEAT {
                first.side.world.post_price(price).await?;
                posted.set(Some(Instant::now()));
            }
        }
        sleep(first.side.world.net.poll()).await;
    }
}

/// Whether an attempt to liquidate is refused because the position is healthy. Any other failure is an error.
async fn refused(side: &Side) -> Result<bool> {
    match side.liquidate().await {
        Ok(_) => Ok(false),
        Err(SendError::Refused(failure)) if failure.is(BallastError::NotLiquidatable) => Ok(true),
        Err(error) => Err(error).context("liquidating"),
    }
}

fn told(sample: Sample) -> String {
    let [rehedges, deleverages] = sample.actions();
    format!(
        "LTV {} bps, hedge error {} of {}, {rehedges} rehedges, {deleverages} deleverages",
        sample.value.ltv_bps_up(),
        sample.hedge_error,
        sample.hedge_tolerance
    )
}
