//! What happens: both positions go through the same prices.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ballast_localnet::{Localnet, UsdPrice};
use ballast_strategy::text::duration;
use tokio::time::{Instant, sleep};

use crate::{
    forecast::Setting,
    path::PricePath,
    report::{Moment, Report},
    side::{Sample, Side, Standing, Trading},
    watcher::{LOOK_AT_FEES, Watcher},
};

/// The longest that the keeper may take over one price. A transaction that is lost is only known to be so when its blockhash
/// has expired, after more than a minute; then it is sent anew.
const PATIENCE: Duration = Duration::from_secs(150);
/// What is due but stays impossible for this long is left for the next price.
const BLOCKED: Duration = Duration::from_millis(800);
/// How often the kept position is looked at meanwhile.
const POLL: Duration = Duration::from_millis(50);
/// Prices are posted again after this, as a price service would: older ones are refused.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Rows without an action are thinned out to about so many.
const QUIET_ROWS: usize = 100;

/// What the story ends with: the report, and what still runs.
pub struct Ending {
    /// What became of the positions.
    pub report: Report,
    /// The kept position's market.
    pub kept: Side,
    /// Its keeper.
    pub watcher: Watcher,
    /// The last price.
    pub price: UsdPrice,
}

/// Runs it on a fresh cluster. Takers trade for `taker_volume_day` quote tokens a day where the prices' file does not say
/// how much they traded. `show_page`: say where the keeper's page is before the first price moves, and open it where somebody sees that.
///
/// # Errors
/// If the cluster or the keeper fails; that a position is liquidated is no failure.
pub async fn tell(
    net: Arc<dyn Localnet>,
    path: &PricePath,
    taker_volume_day: f64,
    show_page: bool,
) -> Result<Ending> {
    println!(
        "opening two equal positions: leverage 3, delta-neutral, own funds 100 quote, in pools of 50 million; takers trade {:.0} million a day",
        taker_volume_day / 1e6
    );
    let mut kept = Side::open(Arc::clone(&net), "with keeper", path, true).await?;
    let mut left = Side::open(Arc::clone(&net), "without keeper", path, false).await?;
    println!("the owner of one lets keepers\n{}", kept.rules().trim_end());
    let setting = Setting::of(&kept, taker_volume_day).await?;
    let (moves, days) = (path.moves(), path.days());
    // Meanwhile: the story mostly waits for blocks.
    let simulation = tokio::task::spawn_blocking(move || setting.simulate(moves, days));
    // Opening took a while.
    kept.world.post_price(path.first()).await?;
    let watcher = Watcher::start(net.as_ref(), &kept.world).await?;
    if show_page {
        watcher.show_page().await?;
    }
    let held = settle(&mut kept, &watcher, path.first()).await?;
    let unkept = left.look(path.first(), |gain| &mut gain.interest).await?;

    header();
    row("start", path.first(), "with", &held, "opened")?;
    let mut moments = vec![Moment::new("start", path.first(), &held, &unkept)];
    let every = path.points.len() / QUIET_ROWS + 1;
    for (step, point) in path.points.iter().enumerate() {
        let price = point.price;
        if let Some(chapter) = point.chapter {
            println!("-- {chapter}");
        }
        // A keeper looks at fees again some time after it has looked: that much of the time passes after they were paid.
        let secs = point.secs.round() as u64;
        let last_secs = secs.min(LOOK_AT_FEES.as_secs() + 1);
        if net.moves_time() {
            net.pass_time(secs - last_secs).await?;
        }
        let volume = point.taker_volume;
        let trading = Trading {
            taker_volume: volume.unwrap_or(taker_volume_day * point.secs / 86_400.0) * 1e6,
            sigma_day: path.sigma_day_within,
            seed: step as u64,
        };
        let traded = tokio::try_join!(kept.trade(point, trading), left.trade(point, trading))?;
        if net.moves_time() {
            net.pass_time(last_secs).await?;
        }
        let (arrived, mut unkept) =
            tokio::try_join!(kept.arrive(point, traded.0), left.arrive(point, traded.1))?;
        // Both markets read the same price accounts. Until here no oracle has moved, so nobody has acted.
        kept.world.post_price(price).await?;
        let kept_liquidation = kept.liquidate_if_due(&arrived, price).await?;
        let liquidation = left.liquidate_if_due(&unkept, price).await?;
        let held = settle(&mut kept, &watcher, price).await?;

        let heard = watcher.take();
        let mut what: Vec<String> = kept_liquidation.into_iter().collect();
        what.extend(
            heard
                .actions
                .iter()
                .map(|action| format!("{}: {}", action.action, action.reason)),
        );
        let acted = heard.actions.len();
        kept.fate.actions.extend(heard.actions);
        match held.standing {
            Standing::Quiet => {}
            Standing::Blocked {
                wanted,
                pause_secs: Some(secs),
            } => what.push(format!(
                "still due: {wanted}, allowed in {}",
                duration(secs)
            )),
            Standing::Due | Standing::Blocked { .. } => {
                let mut why = heard.notes;
                why.extend(watcher.obstacle());
                what.push(format!("still due: {}", why.join("; ")));
            }
        }
        let shown = step % every == 0 || step + 1 == path.points.len();
        if what.is_empty() && shown {
            row(&point.time, price, "with", &held, "")?;
        } else if !what.is_empty() {
            let mut time = &*point.time;
            if acted > 0 {
                row(time, price, "with", &arrived, "(price arrives)")?;
                time = "";
            }
            row(time, price, "with", &held, &what.join("; "))?;
        }
        match &liquidation {
            Some(text) => {
                row("", price, "without", &unkept, "(price arrives)")?;
                unkept = left.look(price, |gain| &mut gain.interest).await?;
                row("", price, "without", &unkept, text)?;
            }
            None if shown => row("", price, "without", &unkept, "")?,
            None => {}
        }
        moments.push(Moment {
            actions: what,
            chapter: point.chapter,
            secs: point.secs,
            liquidated: liquidation.is_some(),
            ..Moment::new(&point.time, price, &held, &unkept)
        });
    }
    kept.fate.actions.extend(watcher.take().actions);
    let report = Report {
        cluster: net.name().into(),
        days,
        sigma_day: path.sigma_day(),
        with_keeper: kept.fate.clone(),
        without_keeper: left.fate,
        simulated: Some(simulation.await.context("the simulation's thread")??),
        moments,
    };
    report.check()?;
    Ok(Ending {
        report,
        kept,
        watcher,
        price: path.last(),
    })
}

/// Waits until nothing is due and nothing in flight, at most [`PATIENCE`]; keeps the price fresh meanwhile.
async fn settle(kept: &mut Side, watcher: &Watcher, price: UsdPrice) -> Result<Sample> {
    let start = Instant::now();
    let mut posted = start;
    loop {
        // First the keeper, then the position: what it has just done is seen.
        let idle = watcher.idle()?;
        let sample = kept.look(price, |gain| &mut gain.actions).await?;
        let passed = start.elapsed();
        let done = match sample.standing {
            Standing::Quiet => true,
            Standing::Due => false,
            Standing::Blocked { .. } => passed >= BLOCKED && watcher.obstacle().is_some(),
        };
        if (idle && done) || passed >= PATIENCE {
            return Ok(sample);
        }
        if posted.elapsed() >= HEARTBEAT {
            kept.world.post_price(price).await?;
            posted = Instant::now();
        }
        sleep(POLL).await;
    }
}

fn header() {
    println!(
        "\n{:<11}{:>9} {:<8}{:>10}{:>10}{:>9}{:>9}{:>9}{:>9}  action and why",
        "time", "price", "keeper", "equity", "delta", "leverage", "LTV", "to lower", "to upper"
    );
}

fn row(time: &str, price: UsdPrice, keeper: &str, sample: &Sample, what: &str) -> Result<()> {
    let distance = |distance: Option<f64>| match distance {
        Some(part) if part >= 10.0 => ">999 %".into(),
        Some(part) => format!("{:.1} %", part * 100.0),
        None => "none".into(),
    };
    let [lower, upper] = sample.distances()?.map(distance);
    println!(
        "{time:<11}{:>9.2} {keeper:<8}{:>10.4}{:>10.4}{:>9.3}{:>9}{lower:>9}{upper:>9}  {what}",
        price.to_f64(),
        sample.equity(),
        sample.delta(),
        sample.leverage(),
        format!("{:.2} %", sample.ltv() * 100.0),
    );
    Ok(())
}
