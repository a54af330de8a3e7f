//! `ballast positions`: what somebody, or everybody in a market, has open.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result};
use ballast_client::{PositionContext, Positions, Pubkey, Signer};
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::Connection,
    format::{bps, significant, times},
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
    for (address, mut positions) in by_market {
        let market = target::load_at(chain, address, &args.market.prices).await?;
        let snapshot = target::snapshot(chain, &market).await?;
        positions.sort_by_key(|position| (position.position.owner, position.position.id));
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
    output.print(&report)
}

impl fmt::Display for PositionsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.positions.is_empty() && self.failed.is_empty() {
            return writeln!(f, "no positions");
        }
        let mut table = Table::new([
            "<position",
            "id",
            "price",
            "range",
            "",
            "equity",
            "leverage",
            "LTV",
            "delta",
            "liq. below",
            "liq. above",
            "PnL",
        ]);
        for view in &self.positions {
            let n = |value: f64| significant(value, 6);
            table.row([
                view.position.clone(),
                view.id.to_string(),
                n(view.price),
                format!("{} - {}", n(view.lower), n(view.upper)),
                if view.in_range { "in" } else { "OUT" }.into(),
                view.equity.clone(),
                view.leverage_bps.map_or("infinite".into(), times),
                bps(view.ltv_bps),
                view.delta.clone(),
                view.liquidation_lower.map_or("none".into(), n),
                view.liquidation_upper.map_or("none".into(), n),
                view.pnl.clone(),
            ]);
        }
        table.fmt(f)?;
        if !self.positions.is_empty() {
            writeln!(
                f,
                "  prices in quote per base, equity and PnL in quote, delta in base"
            )?;
        }
        for failed in &self.failed {
            writeln!(f, "{}: {}", failed.position, failed.error)?;
        }
        Ok(())
    }
}
