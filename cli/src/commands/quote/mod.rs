//! `ballast quote`: a position before it is opened. Offline, unless a market is named.

mod args;
mod asked;
mod html;
mod market;
mod on_chain;
mod report;
mod sections;
mod setting;
mod terminal;
#[cfg(test)]
mod tests;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ballast_model::screen::Real;
use ballast_quote::{Asked, Quote, QuoteError};

use crate::{
    format::significant,
    globals::Globals,
    range,
    report::{Output, Told},
    trouble::misuse,
};
pub use args::QuoteArgs;
use report::QuoteReport;
use setting::Setting;

/// Quotes, writes files, prints.
///
/// # Errors
/// What is wrong with the request; a hedge that the leverage does not pay for; a position that would be liquidated at once,
/// after its numbers.
pub fn run(args: &QuoteArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let setting = match args.market {
        None => Setting::offline(args)?,
        Some(_) => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start threads for network work")?
            .block_on(market::setting(args, globals))?,
    };
    let report = quote(args, setting)?;
    if let Some(path) = &args.svg {
        write("--svg", path, &report.quote.figure().svg())?;
    }
    if let Some(path) = &args.html {
        write("--html", path, &html::page(&report))?;
    }
    output.print(&report)?;
    match report.refusal {
        Some(why) => Err(Told::new(why).into()),
        None => Ok(()),
    }
}

fn write(option: &str, path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {option} {}", path.display()))
}

fn quote(args: &QuoteArgs, setting: Setting) -> Result<QuoteReport> {
    let (request, setting) = setting.request(args)?;
    setting.save_depth(args)?;
    let quote = Quote::new(&request.inputs).map_err(|error| told(&error, &request.inputs.asked))?;
    Ok(QuoteReport::new(&request, &setting, quote))
}

/// An error in words of the options.
fn told(error: &QuoteError, asked: &Asked) -> anyhow::Error {
    let QuoteError::NotAffordable {
        hedge_value,
        debt_allowed,
        leverage,
        equity,
    } = *error;
    let n = |number: f64| significant(number, 12);
    let beyond = range::outside(asked.price, asked.lower, asked.upper);
    misuse!(
        "hedge not affordable: the base to borrow is worth {}, but leverage {} on own funds of {} allows debt of only {}: \
         raise --leverage, lower --hedge or move the range down{}",
        n(hedge_value),
        n(leverage),
        n(equity),
        n(debt_allowed),
        beyond.map_or(String::new(), |why| format!(" ({why})"))
    )
    .into()
}

/// Whether the pool trades in the range.
fn in_range(asked: &Asked) -> bool {
    let price = asked.price.to_f64();
    asked.lower.to_f64() <= price && price < asked.upper.to_f64()
}
