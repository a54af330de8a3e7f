//! What happens: both positions go through the same prices.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use ballast_localnet::{Localnet, UsdPrice};
use tokio::time::{Instant, sleep};

use crate::{
    path::PricePath,
    report::Report,
    side::{Sample, Side},
    watcher::Watcher,
};

/// The longest that the keeper may take over one price. A transaction that is lost is only known to be so when its blockhash
/// has expired, after more than a minute; then it is sent anew.
const PATIENCE: Duration = Duration::from_secs(150);
/// What is due but stays impossible for this long is left for the next price. Longer than the market's pause between two
/// rehedges, which there is none of with recorded prices.
const BLOCKED: Duration = Duration::from_secs(4);
const BLOCKED_RECORDED: Duration = Duration::from_millis(500);
/// Prices are posted again after this, as a price service would: older ones are refused.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rows without an action are thinned out to about so many.
const QUIET_ROWS: usize = 100;

/// Runs it on a fresh cluster.
///
/// # Errors
/// If the cluster or the keeper fails; that a position is liquidated is no failure.
pub async fn tell(net: Arc<dyn Localnet>, path: &PricePath) -> Result<Report> {
    println!("opening two equal positions: leverage 3, delta-neutral, own funds 100 quote");
    let mut kept = Side::open(Arc::clone(&net), "with keeper", path, true).await?;
    let mut left = Side::open(Arc::clone(&net), "without keeper", path, false).await?;
    // Opening took a while.
    kept.world.post_price(path.first()).await?;
    let watcher = Watcher::start(net.as_ref(), &kept.world).await?;
    let blocked = if path.recorded {
        BLOCKED_RECORDED
    } else {
        BLOCKED
    };
    let start = settle(&mut kept, &watcher, path.first(), blocked).await?;

    header();
    row("start", path.first(), "with", &start, "open")?;
    let every = path.points.len() / QUIET_ROWS + 1;
    for (step, point) in path.points.iter().enumerate() {
        let price = point.price;
        tokio::try_join!(kept.move_pool(price), left.move_pool(price))
            .with_context(|| format!("moving the pools to {price}"))?;
        // Both markets read the same price accounts.
        kept.world.post_price(price).await?;
        let (arrived, unkept) = tokio::try_join!(kept.sample(), left.sample())?;
        let kept_liquidation = kept.liquidate_if_due(&arrived).await?;
        let liquidation = left.liquidate_if_due(&unkept).await?;
        let settled = settle(&mut kept, &watcher, price, blocked).await?;

        let heard = watcher.take();
        let mut what: Vec<String> = kept_liquidation.into_iter().collect();
        what.extend(
            heard
                .actions
                .iter()
                .map(|action| format!("{}: {}", action.action, action.reason)),
        );
        kept.fate.actions.extend(heard.actions);
        if !settled.quiet {
            let mut why = heard.notes;
            why.extend(watcher.obstacle());
            what.push(format!("still due: {}", why.join("; ")));
        }
        let shown = step % every == 0 || step + 1 == path.points.len();
        if what.is_empty() && shown {
            row(&point.time, price, "with", &settled, "")?;
        } else if !what.is_empty() {
            row(&point.time, price, "with", &arrived, "(price arrives)")?;
            row("", price, "with", &settled, &what.join("; "))?;
        }
        match liquidation {
            Some(text) => {
                row(&point.time, price, "without", &unkept, "(price arrives)")?;
                row("", price, "without", &left.sample().await?, &text)?;
            }
            None if shown => row(&point.time, price, "without", &unkept, "")?,
            None => {}
        }
    }
    let heard = watcher.stop().await?;
    kept.fate.actions.extend(heard.actions);
    kept.sample().await?;
    left.sample().await?;
    Ok(Report {
        cluster: net.name().into(),
        with_keeper: kept.fate,
        without_keeper: left.fate,
    })
}

/// Waits until nothing is due and nothing in flight, at most [`PATIENCE`]; keeps the price fresh meanwhile.
async fn settle(
    kept: &mut Side,
    watcher: &Watcher,
    price: UsdPrice,
    patience_if_blocked: Duration,
) -> Result<Sample> {
    let start = Instant::now();
    let mut posted = start;
    loop {
        let sample = kept.sample().await?;
        let idle = watcher.idle()?;
        let passed = start.elapsed();
        let blocked = passed >= patience_if_blocked && watcher.obstacle().is_some();
        if (idle && (sample.quiet || blocked)) || passed >= PATIENCE {
            return Ok(sample);
        }
        if posted.elapsed() >= HEARTBEAT {
            kept.world.post_price(price).await?;
            posted = Instant::now();
        }
        sleep(kept.world.net.poll()).await;
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
