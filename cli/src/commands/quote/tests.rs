//! Quotes offline, from options to numbers.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Only {
    #[command(flatten)]
    quote: QuoteArgs,
}

/// Offline.
fn asked(args: &QuoteArgs) -> Result<QuoteReport> {
    quote(args, Setting::offline(args)?)
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
    asked(&Only::try_parse_from(line)?.quote)
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
        .map(|point| point.label.as_str())
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(
        labels,
        [
            "liquidation lower",
            "deleverage lower",
            "range lower",
            "rehedge lower",
            "price now",
            "rehedge upper",
            "range upper",
            "deleverage upper",
            "liquidation upper"
        ]
    );
    assert!(quoted(&["--points", "0"]).unwrap().curve.len() == 9);
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
    let refused = asked(&Only::try_parse_from(line).unwrap().quote)
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
        let error = asked(&Only::try_parse_from(line).unwrap().quote)
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem) && error.contains(flag), "{error}");
    }
}

#[test]
fn it_fits_a_terminal_of_eighty_columns() {
    use console::measure_text_width;
    let report = quoted(&[]).unwrap();
    let text = format!("{report:80}");
    let axis = text.lines().find(|line| line.contains('└')).unwrap();
    assert!((60..=80).contains(&measure_text_width(axis)), "{axis}");
    let shown = crate::help::wrapped(&text, 80);
    let long = |line: &&str| measure_text_width(line) > 80;
    assert_eq!(shown.lines().find(long), None);
    // Where there is room it is as wide as it was.
    let axis = |text: String| {
        text.lines()
            .filter(|line| line.contains('└'))
            .map(measure_text_width)
            .max()
    };
    assert_eq!(axis(format!("{report:200}")), axis(report.to_string()));
}
