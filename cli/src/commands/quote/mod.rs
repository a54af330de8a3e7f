//! `ballast quote`: a position before it is opened. Offline.

mod asked;
mod on_chain;
mod report;
mod sizing;

use anyhow::{Result, bail, ensure};
use ballast_model::screen::{Double, Real};
use clap::Args;

use crate::{
    decimal::{Decimal, NumberError, Positive, Ratio},
    range::{self, TickRange},
    report::{Output, Told},
};
use asked::AskedPrices;
use report::{CurvePoint, QuoteReport};
use sizing::Sizing;

/// With more, an account could not hold 20 whole tokens.
const MAX_DECIMALS: i64 = 18;

/// What to quote. Prices are quote per base in whole tokens, own funds are in the quote token.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct QuoteArgs {
    /// Price now
    #[arg(long)]
    pub price: Positive,
    /// Lower end of the range
    #[arg(long)]
    pub lower: Positive,
    /// Upper end of the range
    #[arg(long)]
    pub upper: Positive,
    /// Own funds, in the quote token
    #[arg(long)]
    pub equity: Positive,
    /// Assets over own funds: 3 is three times
    #[arg(long)]
    pub leverage: Ratio,
    /// Part of the pool's base that is borrowed: 1 is delta-neutral
    #[arg(long, default_value = "1")]
    pub hedge: Ratio,
    /// LTV (debt over assets) at which the position is liquidated: 0.8 or 80%
    #[arg(long)]
    pub maintenance: Ratio,
    /// Decimals of the base token, at most 18
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u8).range(..=MAX_DECIMALS))]
    pub base_decimals: u8,
    /// Decimals of the quote token, at most 18
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(..=MAX_DECIMALS))]
    pub quote_decimals: u8,
    /// Widen the range to the pool's grid of ticks
    #[arg(long)]
    pub tick_spacing: Option<u16>,
    /// Further prices for the PnL curve, separated by commas
    #[arg(long, value_name = "PRICES")]
    pub at: Vec<AskedPrices>,
    /// Evenly spaced points of the PnL curve, besides the marked ones
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub points: u16,
}

/// The request, with a range that a pool has.
pub(crate) struct Request {
    /// The range as ticks, if the pool's grid is known.
    pub ticks: Option<TickRange>,
    pub price: Double,
    pub lower: Double,
    pub upper: Double,
    pub equity: Double,
    pub leverage: Double,
    pub hedge: Double,
    pub maintenance: Double,
}

/// Quotes and prints.
///
/// # Errors
/// What is wrong with the request; a hedge that the leverage does not pay for; a position that would be liquidated at once,
/// after its numbers.
pub fn run(args: &QuoteArgs, output: &mut Output) -> Result<()> {
    let report = quote(args)?;
    output.print(&report)?;
    match report.refusal {
        Some(why) => Err(Told(why).into()),
        None => Ok(()),
    }
}

fn quote(args: &QuoteArgs) -> Result<QuoteReport> {
    let request = request(args)?;
    let sizing = Sizing::new(&request)?;
    let at_open = sizing.risk(request.price);
    let mut curve = Vec::new();
    let mut mark = |label: &'static str, price: Option<f64>| {
        if let Some(price) = price {
            curve.push(CurvePoint::new(label, price, &sizing));
        }
    };
    mark("price now", Some(request.price.to_f64()));
    mark("range lower", Some(request.lower.to_f64()));
    mark("range upper", Some(request.upper.to_f64()));
    mark("liquidation lower", at_open.lower);
    mark("liquidation upper", at_open.upper);
    for asked in &args.at {
        for price in asked.around(request.price.to_f64())? {
            mark("asked for", Some(*price));
        }
    }
    for price in grid(&request, &at_open, args.points) {
        mark("", Some(price));
    }
    curve.sort_by(|a, b| a.P.total_cmp(&b.P));
    curve.dedup_by(|next, kept| {
        next.P == kept.P && (next.label.is_empty() || next.label == kept.label)
    });
    Ok(QuoteReport::new(
        &request,
        &sizing,
        at_open,
        curve,
        (args.base_decimals, args.quote_decimals),
        on_chain::plan(args, &request),
    ))
}

fn request(args: &QuoteArgs) -> Result<Request> {
    ensure!(
        args.lower.double() < args.upper.double(),
        "--lower {} is not below --upper {}: a range needs its lower end first",
        *args.lower,
        *args.upper
    );
    let one = Double::ONE;
    let (leverage, hedge, maintenance) = (
        args.leverage.double(),
        args.hedge.double(),
        args.maintenance.double(),
    );
    if leverage < one {
        bail!(
            "--leverage {} is below 1: 1 borrows nothing, 3 owns three times the own funds",
            *args.leverage
        );
    }
    if hedge > one {
        bail!(
            "--hedge {} is above 1: 1 (delta-neutral) borrows all of the pool's base",
            *args.hedge
        );
    }
    if maintenance <= Double::ZERO || maintenance > one {
        bail!(
            "--maintenance {} must be above 0 and at most 1: it is debt over assets, 0.8 or 80%",
            *args.maintenance
        );
    }
    let ticks = match args.tick_spacing {
        None => None,
        Some(spacing) => Some(range::around(
            &args.lower,
            &args.upper,
            spacing,
            (args.base_decimals, args.quote_decimals),
        )?),
    };
    let end = |number: &Decimal,
               tick: Option<ballast_model::Tick>|
     -> Result<Double, NumberError> {
        Ok(match tick {
            None => number.double(),
            Some(tick) => range::price(tick.sqrt_price(), args.base_decimals, args.quote_decimals),
        })
    };
    Ok(Request {
        price: args.price.double(),
        lower: end(&args.lower, ticks.map(|ticks| ticks.lower))?,
        upper: end(&args.upper, ticks.map(|ticks| ticks.upper))?,
        ticks,
        equity: args.equity.double(),
        leverage,
        hedge,
        maintenance,
    })
}

/// Prices evenly spaced by ratio over everything that matters: range, price now and both liquidation prices.
fn grid(
    request: &Request,
    at_open: &ballast_model::screen::RiskReport,
    points: u16,
) -> impl Iterator<Item = f64> {
    let (price, lower, upper) = (
        request.price.to_f64(),
        request.lower.to_f64(),
        request.upper.to_f64(),
    );
    let from = lower.min(price).min(at_open.lower.unwrap_or(lower / 1.5));
    let to = upper.max(price).max(at_open.upper.unwrap_or(upper * 1.5));
    let last = f64::from(points.max(2) - 1);
    let step = (to / from).ln() / last;
    (0..points).map(move |index| from * (step * f64::from(index)).exp())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        quote: QuoteArgs,
    }

    fn quoted(extra: &[&str]) -> Result<QuoteReport> {
        let mut line = vec![
            "quote",
            "--price",
            "200",
            "--lower",
            "190",
            "--upper",
            "210",
            "--equity",
            "100",
            "--leverage",
            "3",
            "--maintenance",
            "0.8",
        ];
        line.extend(extra);
        quote(&Only::try_parse_from(line)?.quote)
    }

    fn close(actual: f64, expected: f64) {
        // The reference prints 12 decimals.
        assert!(
            (actual - expected).abs() <= 6e-13 * expected.abs().max(1.0),
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn worked_example() {
        // MATH section 2.
        let report = quoted(&["--at", "190,210,250"]).unwrap();
        close(report.L, 429.239012648545);
        close(report.x, 0.731475723873);
        close(report.dx, 0.731475723873);
        close(report.y, 153.704855225473);
        close(report.dy, 53.704855225473);
        close(report.risk.lower.unwrap(), 110.846787443450);
        close(report.risk.upper.unwrap(), 258.635186985545);
        let at = |price: f64| report.curve.iter().find(|point| point.P == price).unwrap();
        close(at(190.0).equity, 96.108106142659);
        close(at(190.0).delta, 0.788489270359);
        close(at(210.0).equity, 96.298012567098);
        close(at(210.0).delta, -0.731475723873);
        close(at(250.0).equity, 67.038983612192);
        close(at(250.0).leverage.unwrap(), 4.528898760789);
        close(at(250.0).pnl, 67.038983612192 - 100.0);
    }

    #[test]
    fn the_curve_is_ordered_and_marked() {
        let report = quoted(&["--points", "5"]).unwrap();
        assert!(report.curve.is_sorted_by(|a, b| a.P <= b.P));
        let labels: Vec<_> = report
            .curve
            .iter()
            .map(|point| point.label)
            .filter(|l| !l.is_empty())
            .collect();
        assert_eq!(
            labels,
            [
                "liquidation lower",
                "range lower",
                "price now",
                "range upper",
                "liquidation upper"
            ]
        );
        assert!(quoted(&["--points", "0"]).unwrap().curve.len() == 5);
    }

    #[test]
    fn what_is_less_than_a_unit_is_shown_as_nothing() {
        // A delta of 7e-23 base.
        let report = quoted(&["--hedge", "0.9999999999999999999999", "--points", "2"]).unwrap();
        assert!(report.risk.delta > 0.0 && report.risk.delta < 1e-20);
        let text = report.to_string();
        assert!(text.contains("delta        0 base;"), "{text}");
        assert!(!text.contains("e-2"), "{text}");
        // A unit is shown.
        let report = quoted(&["--hedge", "0.999999998"]).unwrap().to_string();
        assert!(!report.contains("delta        0 base;"), "{report}");
    }

    #[test]
    fn a_grid_of_ticks_widens_the_range() {
        let report = quoted(&["--tick-spacing", "64"]).unwrap();
        assert!(report.pa < 190.0 && report.pa > 190.0 / 1.0065);
        assert!(report.pb > 210.0 && report.pb < 210.0 * 1.0065);
        assert!(
            report
                .on_chain
                .as_ref()
                .is_ok_and(|plan| plan.tick_lower.unwrap() % 64 == 0)
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        let error = |extra: &[&str]| {
            quoted(extra)
                .err()
                .map(|error| format!("{error:#}"))
                .unwrap_or_default()
        };
        // The range lies above the price: all of it is base, worth 150, but leverage 1.5 borrows 50.
        let line = [
            "quote",
            "--price",
            "200",
            "--lower",
            "210",
            "--upper",
            "220",
            "--equity",
            "100",
            "--leverage",
            "1.5",
            "--maintenance",
            "0.8",
        ];
        let refused = quote(&Only::try_parse_from(line).unwrap().quote)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("worth 150") && refused.contains("only 50"),
            "{refused}"
        );
        assert!(
            error(&["--tick-spacing", "0"]).contains("spacing"),
            "{}",
            error(&["--tick-spacing", "0"])
        );
        for (flag, value, problem) in [
            ("--leverage", "0.9", "below 1"),
            ("--hedge", "1.1", "above 1"),
            ("--maintenance", "80", "0.8 or 80%"),
            ("--maintenance", "0", "above 0"),
            ("--lower", "210", "not below"),
        ] {
            let mut line = vec![
                "quote", "--price", "200", "--upper", "210", "--equity", "100",
            ];
            for (name, given) in [
                ("--lower", "190"),
                ("--leverage", "3"),
                ("--maintenance", "0.8"),
            ] {
                line.extend([name, if name == flag { value } else { given }]);
            }
            if flag == "--hedge" {
                line.extend([flag, value]);
            }
            let error = quote(&Only::try_parse_from(line).unwrap().quote)
                .unwrap_err()
                .to_string();
            assert!(error.contains(problem) && error.contains(flag), "{error}");
        }
    }
}
