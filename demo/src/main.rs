//! The demo: the worked example as a real leveraged position, a price that moves, and what becomes of the position with a
//! keeper and without one.
#![forbid(unsafe_code)]

mod attribution;
mod candles;
mod chapters;
mod forecast;
mod page;
mod path;
mod report;
mod side;
mod stay;
mod story;
mod swings;
mod watcher;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use ballast_localnet::{EmbeddedNode, Localnet, TestValidator};
use clap::Parser;

use path::PricePath;
use story::Ending;

/// Milliseconds per slot of the embedded node.
const SLOT_MS: u64 = 50;

/// What takers trade in the pool a day, in quote tokens: twice what is in it.
const TAKER_VOLUME_DAY: f64 = 100e6;

/// Opens a delta-neutral leveraged position twice, moves the price, and shows how it ends with the keeper and without.
#[derive(Parser)]
#[command(name = "ballast-demo")]
struct Arguments {
    /// Run on solana-test-validator (BALLAST_VALIDATOR, or the one in PATH) instead of the embedded node.
    #[arg(long)]
    validator: bool,
    /// Recorded prices, oldest first: columns time, open, high, low, close with a header, or Binance klines; plain or
    /// gzip.
    #[arg(long, value_name = "FILE.csv[.gz]")]
    prices: Option<PathBuf>,
    /// What takers trade in the pool a day, in quote tokens, unless the file has a column taker_volume.
    #[arg(long, default_value_t = TAKER_VOLUME_DAY, value_name = "QUOTE")]
    taker_volume_day: f64,
    /// Draw it: a page of its own, with pictures.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Draw the equity of both positions alone, as one SVG file.
    #[arg(long, value_name = "FILE.svg")]
    picture: Option<PathBuf>,
    /// Let everything go on afterwards, and say what to try, until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => {
            eprintln!("the position with the keeper was liquidated");
            ExitCode::FAILURE
        }
        Ok(false) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the kept position was liquidated.
async fn run(arguments: Arguments) -> Result<bool> {
    let path = match &arguments.prices {
        Some(file) => PricePath::read(file)?,
        None => PricePath::built_in()?,
    };
    let net: Arc<dyn Localnet> = if arguments.validator {
        println!("starting solana-test-validator");
        Arc::new(TestValidator::start().await?)
    } else {
        println!("starting the embedded node");
        Arc::new(EmbeddedNode::start(SLOT_MS).await?)
    };
    let pauses = net.moves_time();
    let Ending {
        report,
        kept,
        watcher,
        price,
    } = story::tell(net, &path, arguments.taker_volume_day, arguments.stay).await?;
    print!("{}", report.side_by_side());
    let file = report.write().context("writing the report")?;
    println!("\nreport: {}", file.display());
    if let Some(file) = &arguments.html {
        page::write(&report, file)?;
        println!("page: {}", file.display());
    }
    if let Some(file) = &arguments.picture {
        page::write_picture(&report, file)?;
        println!("picture: {}", file.display());
    }
    // Other prices or takers show other things.
    if arguments.prices.is_none() && arguments.taker_volume_day == TAKER_VOLUME_DAY {
        report.check_built_in(pauses)?;
    }
    if arguments.stay {
        stay::stay(kept, &watcher, price).await?;
    }
    watcher.stop().await?;
    Ok(report.with_keeper.liquidated)
}
