//! `ballast positions`: what somebody, or everybody in a market, has open.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result, ensure};
use ballast_client::{Chain, MarketContext, PositionContext, Positions, Pubkey, Signer};
use ballast_view::ASSUMED_SIGMA_DAY;
use clap::Args;
use console::style;
use serde::Serialize;

use crate::{
    address::address,
    connection::Connection,
    decimal::{Ratio, sigma_day},
    format::{bps, change, percent, significant, sized, times},
    globals::Globals,
    report::{Output, note},
    table::Table,
    target::{self, MarketArgs},
    trouble::misuse,
    view::PositionView,
    volatility::{self, Unmeasured},
};

/// Price updates in which a market's volatility is measured: for an order they need not be many.
const SAMPLES: usize = 24;

/// Whose positions.
#[derive(Args, Debug)]
pub struct PositionsArgs {
    /// Their owner [default: the signer]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "all", value_parser = address)]
    pub owner: Option<Pubkey>,
    /// All positions of the market
    #[arg(long)]
    pub all: bool,
    /// Standard deviation of a day's move of the price, in each market: 0.05 is 5 %. Danger is the distance to the nearer liquidation
    /// price in σ-days, so many such moves [default: measured in the prices posted lately, 4% where they are too few]
    #[arg(long, value_name = "RATIO", value_parser = sigma_day)]
    pub sigma_day: Option<Ratio>,
    #[command(flatten)]
    pub market: MarketArgs,
}

#[derive(Debug, Serialize)]
struct PositionsReport {
    positions: Vec<PositionView>,
    markets: Vec<Moves>,
    /// Positions that cannot be shown, and why.
    failed: Vec<Failed>,
}

/// How much a market's price moves.
#[derive(Debug, Serialize)]
struct Moves {
    market: String,
    /// Measured, given, or assumed.
    sigma_day: f64,
    sigma_source: String,
}

#[derive(Debug, Serialize)]
struct Failed {
    position: String,
    error: String,
}

/// Lists.
///
/// # Errors
/// If the cluster does not answer or a market cannot be read.
pub async fn run(args: &PositionsArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let given = args.sigma_day.as_ref().map(|given| given.f64());
    ensure!(
        given.is_none_or(|sigma_day| sigma_day > 0.0),
        misuse!("--sigma-day must be above 0: write a day's standard deviation like 4%")
    );
    let connection = Connection::new(globals);
    let chain = connection.chain();
    if let Some(market) = &args.market.market {
        // What is none has no positions either, which would pass for an empty one.
        target::stored(chain, market).await?;
    }
    let found = if args.all {
        let market = target::market_address(chain, args.market.market).await?;
        Positions::of_market(chain, &market).await?
    } else {
        let owner = match args.owner {
            Some(owner) => owner,
            None => {
                let signer = globals.signer();
                signer
                    .context("no owner: --owner ADDRESS and --all need no key, without them it is the signer's positions")?
                    .pubkey()
            }
        };
        Positions::of_owner(chain, &owner).await?
    };
    for unreadable in &found.unreadable {
        note(format_args!("left out: {unreadable}"));
    }
    let mut by_market: BTreeMap<Pubkey, Vec<PositionContext>> = BTreeMap::new();
    for position in found.positions {
        let market = position.position.market;
        if args.market.market.is_none_or(|wanted| wanted == market) {
            by_market.entry(market).or_default().push(position);
        }
    }
    let mut report = PositionsReport {
        positions: Vec::new(),
        markets: Vec::new(),
        failed: Vec::new(),
    };
    let mut listed = Vec::new();
    for (address, positions) in by_market {
        let market = target::load_at(chain, address, &args.market.prices).await?;
        let snapshot = target::snapshot(chain, &market).await?;
        let (moves, unmeasured) = Moves::of(chain, &market, given).await;
        if let Some(error) = unmeasured {
            note(format_args!(
                "σ-days take market {address} to move by {} a day: volatility was not measured: {error}; pass --sigma-day",
                percent(ASSUMED_SIGMA_DAY)
            ));
        }
        for position in &positions {
            match PositionView::moving(&snapshot, position, Some(moves.sigma_day)) {
                Ok(view) => listed.push((danger(view.distance_bps, Some(moves.sigma_day)), view)),
                Err(error) => report.failed.push(Failed {
                    position: position.address.to_string(),
                    error: format!("{error:#}"),
                }),
            }
        }
        report.markets.push(moves);
    }
    listed.sort_by(|(danger, view), (other, than)| {
        let by_owner = || (&view.owner, view.id).cmp(&(&than.owner, than.id));
        danger.total_cmp(other).then_with(by_owner)
    });
    report.positions = listed.into_iter().map(|(_, view)| view).collect();
    output.print(&report)
}

impl Moves {
    /// As given, else as measured; and why it was not.
    async fn of(
        chain: &dyn Chain,
        market: &MarketContext,
        given: Option<f64>,
    ) -> (Self, Option<Unmeasured>) {
        let found = match given {
            Some(given) => Ok((given, "given".to_owned())),
            None => volatility::measured(chain, market, SAMPLES).await,
        };
        let (found, unmeasured) = match found {
            Ok(found) => (found, None),
            Err(error) => {
                let source = format!("assumed, for volatility was not measured: {error}");
                ((ASSUMED_SIGMA_DAY, source), Some(error))
            }
        };
        let (sigma_day, sigma_source) = found;
        let moves = Self {
            market: market.address.to_string(),
            sigma_day,
            sigma_source,
        };
        (moves, unmeasured)
    }
}

/// Days of usual movement to the nearer boundary; where there is none, nothing is further.
fn danger(distance_bps: Option<i64>, sigma_day: Option<f64>) -> f64 {
    let sigma_day = sigma_day.unwrap_or(ASSUMED_SIGMA_DAY);
    distance_bps.map_or(f64::INFINITY, |distance| {
        distance.unsigned_abs() as f64 / 1e4 / sigma_day
    })
}

/// Red within a day's usual movement, yellow within two: as on the keeper's page.
fn coloured(text: &str, view: &PositionView) -> String {
    let days = view.sigma_days;
    let text = style(text);
    match days.unwrap_or_else(|| danger(view.distance_bps, None)) {
        ..1.0 => text.red(),
        1.0..2.0 => text.yellow(),
        _ => text,
    }
    .to_string()
}

impl fmt::Display for PositionsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.positions.is_empty() && self.failed.is_empty() {
            return writeln!(f, "no positions");
        }
        let mut table = Table::new([
            "<position",
            "?id",
            "equity",
            "LTV",
            "leverage",
            "to liquidation",
            "?σ-days",
            "<band",
            "?PnL",
            "?delta",
            "?price",
            "?liq. below",
            "?liq. above",
        ]);
        let wide = f.alternate();
        let decimal = |text: &str| match wide {
            true => text.to_owned(),
            false => sized(text),
        };
        let price = |value: f64| significant(value, 6);
        for view in &self.positions {
            let (base, quote) = (&view.base, &view.quote);
            let band = format!("{} - {}", price(view.lower), price(view.upper));
            table.row([
                view.position.clone(),
                view.id.to_string(),
                format!("{} {quote}", decimal(&view.equity)),
                coloured(&bps(view.ltv_bps), view),
                view.leverage_bps.map_or("infinite".into(), times),
                view.distance_bps.map_or("none".into(), |distance| {
                    coloured(&change(distance as f64 / 1e4), view)
                }),
                match (view.distance_bps, view.sigma_days) {
                    (None, _) => "none".into(),
                    (_, None) => "unknown".into(),
                    (_, Some(days)) => coloured(&format!("{days:.1}"), view),
                },
                match view.in_range {
                    true => band,
                    false => format!("{band} {}", style("OUT").yellow()),
                },
                format!("{} {quote}", decimal(&view.pnl_total)),
                format!("{} {base}", decimal(&view.delta)),
                price(view.price),
                view.liquidation_lower.map_or("none".into(), price),
                view.liquidation_upper.map_or("none".into(), price),
            ]);
        }
        table.fmt(f)?;
        for failed in &self.failed {
            writeln!(f, "{}: {}", failed.position, failed.error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn danger_is_distance_by_how_much_the_market_moves() {
        // Half as far, in a market that moves a quarter as much a day.
        let (calm, wild) = (
            danger(Some(-400), Some(0.02)),
            danger(Some(800), Some(0.08)),
        );
        assert_eq!((calm, wild), (2.0, 1.0));
        assert_eq!(danger(Some(400), None), 1.0);
        assert_eq!(danger(Some(0), Some(0.08)), 0.0);
        assert!(danger(Some(i64::MIN), Some(1e-9)) < danger(None, Some(0.08)));
    }
}
