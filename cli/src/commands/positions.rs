//! `ballast positions`: what somebody, or everybody in a market, has open.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result};
use ballast_client::{PositionContext, Positions, Pubkey, Signer};
use clap::Args;
use console::style;
use serde::Serialize;

use crate::{
    address::address,
    connection::Connection,
    format::{bps, change, significant, sized, times},
    globals::Globals,
    report::{Output, note},
    table::Table,
    target::{self, MarketArgs},
    view::PositionView,
};

/// Whose positions.
#[derive(Args, Debug)]
pub struct PositionsArgs {
    /// Their owner [default: the signer]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "all", value_parser = address)]
    pub owner: Option<Pubkey>,
    /// All positions of the market
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub market: MarketArgs,
}

#[derive(Debug, Serialize)]
struct PositionsReport {
    positions: Vec<PositionView>,
    /// Positions that cannot be shown, and why.
    failed: Vec<Failed>,
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
    let connection = Connection::new(globals);
    let chain = connection.chain();
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
        failed: Vec::new(),
    };
    for (address, positions) in by_market {
        let market = target::load_at(chain, address, &args.market.prices).await?;
        let snapshot = target::snapshot(chain, &market).await?;
        for position in &positions {
            match PositionView::new(&snapshot, position) {
                Ok(view) => report.positions.push(view),
                Err(error) => report.failed.push(Failed {
                    position: position.address.to_string(),
                    error: format!("{error:#}"),
                }),
            }
        }
    }
    // The nearest to liquidation first; those that never come there last.
    report.positions.sort_by_key(|view| {
        let distance = view.distance_bps.map_or(u64::MAX, i64::unsigned_abs);
        (distance, view.owner.clone(), view.id)
    });
    output.print(&report)
}

/// Red when the nearer boundary is nearer than this, yellow within three times as much.
const RED_BPS: u64 = 500;

fn by_danger(text: &str, distance_bps: Option<i64>) -> String {
    let text = style(text);
    match distance_bps.map(i64::unsigned_abs) {
        Some(..RED_BPS) => text.red(),
        Some(distance) if distance < 3 * RED_BPS => text.yellow(),
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
                by_danger(&bps(view.ltv_bps), view.distance_bps),
                view.leverage_bps.map_or("infinite".into(), times),
                view.distance_bps.map_or("none".into(), |distance| {
                    by_danger(&change(distance as f64 / 1e4), view.distance_bps)
                }),
                match view.in_range {
                    true => band,
                    false => format!("{band} {}", style("OUT").yellow()),
                },
                format!("{} {quote}", decimal(&view.pnl)),
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
