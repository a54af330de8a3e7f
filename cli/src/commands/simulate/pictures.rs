//! What `ballast simulate --out` draws.

use ballast_chart::{Axis, Bar, Chart, Layer, Marker, Tone, fan, histogram, outline, waterfall};
use ballast_simulator::{Mark, Sorted, Summary, Terms};

/// Bins of a histogram.
const BINS: usize = 60;
/// Points of a line over the price.
const POINTS: u32 = 400;
/// So many ends of paths are shown: more hide each other.
const DOTS: usize = 300;
/// The part of the picture's height that the density of visited prices may take.
const DENSITY_HEIGHT: f64 = 0.3;

/// Equity at the end, and beside it that of another strategy.
pub fn distribution(name: &str, here: &Sorted, beside: Option<(&str, &Sorted)>, own: f64) -> Chart {
    let ends = |part: f64| {
        let there = beside.map(|(_, there)| there.quantile(part));
        (here.quantile(part), there.unwrap_or(here.quantile(part)))
    };
    let (low, high) = (ends(0.002), ends(0.998));
    // A distribution of one point has some width, too.
    let room = 1e-3 * own;
    let range = (low.0.min(low.1) - room, high.0.max(high.1) + room);
    let mut chart = Chart::new(
        "Equity at the end",
        Axis::new("equity, quote token").range(range.0, range.1),
        Axis::new("part of the paths").percent(),
    )
    .layer(Layer::Bars {
        name: name.to_owned(),
        bars: histogram(here.values(), range, BINS),
        tone: Tone::Blue,
    });
    if let Some((name, there)) = beside {
        let bars = histogram(there.values(), range, BINS);
        chart = chart.layer(Layer::line(name, Tone::Orange, outline(&bars)));
    }
    chart.subtitle =
        "beyond the ends: 0.2 % of the paths on either side, in the last bars".to_owned();
    for (x, label, tone, middle) in [
        (here.quantile(0.05), "5 %".to_owned(), Tone::Bad, false),
        (here.moments().mean(), "mean".to_owned(), Tone::Ink, true),
        (own, "own funds".to_owned(), Tone::Muted, false),
    ] {
        chart.markers.push(Marker {
            x,
            label,
            tone,
            dashed: !middle,
            middle,
            begins: false,
        });
    }
    chart
}

/// Equity on the way.
pub fn way(terms: &Terms, traces: &[Vec<Mark>], beside: Option<(&str, &[Vec<Mark>])>) -> Chart {
    let days: Vec<f64> = traces.first().map_or_else(Vec::new, |marks| {
        marks
            .iter()
            .map(|mark| mark.secs as f64 / 86_400.0)
            .collect()
    });
    let equity = |traces: &[Vec<Mark>]| -> Vec<Vec<f64>> {
        let of = |marks: &Vec<Mark>| {
            let equity = marks.iter().map(|mark| terms.units.quote(mark.equity));
            equity.collect()
        };
        traces.iter().map(of).collect()
    };
    let mut chart = Chart::new(
        "Equity on the way",
        Axis::new("days"),
        Axis::new("equity, quote token"),
    );
    chart.subtitle = format!("the first {} paths", traces.len());
    chart.layers = fan(&days, &equity(traces), Tone::Blue);
    if let Some((name, traces)) = beside {
        let other = fan(&days, &equity(traces), Tone::Orange);
        for layer in other {
            match layer {
                Layer::Line { points, tone, .. } => chart.layers.push(Layer::Line {
                    name: format!("{name}, median"),
                    points,
                    tone,
                    dashed: false,
                }),
                // The nine tenths as two lines: areas over each other say nothing.
                Layer::Area {
                    name: part,
                    points,
                    tone,
                } if part.starts_with('5') => {
                    let (low, high): (Vec<_>, Vec<_>) = points
                        .into_iter()
                        .map(|(x, low, high)| ((x, low), (x, high)))
                        .unzip();
                    for (label, points) in [(format!("{name}, {part}"), low), (String::new(), high)]
                    {
                        chart.layers.push(Layer::Line {
                            name: label,
                            points,
                            tone,
                            dashed: true,
                        });
                    }
                }
                _ => {}
            }
        }
    }
    chart
}

/// What the position as opened is worth at each price, how long prices were visited, and where paths ended.
pub fn by_price(
    terms: &Terms,
    traces: &[Vec<Mark>],
    liquidation: (Option<f64>, Option<f64>),
) -> Chart {
    let units = terms.units;
    let start = units.log_price(terms.at);
    // All paths start at one price: that says nothing.
    let later = traces.iter().flat_map(|marks| marks.iter().skip(1));
    let mut visited: Vec<f64> = later.map(|mark| mark.log_price).collect();
    visited.sort_by(f64::total_cmp);
    let part = |part: f64| {
        let last = visited.len().saturating_sub(1) as f64;
        visited
            .get((last * part) as usize)
            .copied()
            .unwrap_or(start)
    };
    let band = [
        terms.opened.band.sqrt_lower(),
        terms.opened.band.sqrt_upper(),
    ];
    let [lower, upper] = band.map(|end| units.log_price(end));
    let room = 0.3 * (upper - lower);
    let range = (
        part(0.002).min(lower - room).exp(),
        part(0.998).max(upper + room).exp(),
    );
    let held: Vec<(f64, f64)> = (0..=POINTS)
        .map(|index| {
            let price = range.0 + (range.1 - range.0) * f64::from(index) / f64::from(POINTS);
            let equity = terms.opened.equity_down(units.sqrt_price(price.ln()));
            (price, equity.map_or(f64::NAN, |equity| units.quote(equity)))
        })
        .collect();
    let ends: Vec<(f64, f64, String)> = traces
        .iter()
        .take(DOTS)
        .filter_map(|marks| marks.last())
        .map(|mark| {
            (
                mark.log_price.exp(),
                units.quote(mark.equity),
                String::new(),
            )
        })
        .filter(|(price, ..)| (range.0..range.1).contains(price))
        .collect();
    let equities = held.iter().map(|(_, equity)| *equity);
    let equities = equities.chain(ends.iter().map(|(_, equity, _)| *equity));
    let (low, high) = equities
        .filter(|equity| equity.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), equity| {
            (low.min(equity), high.max(equity))
        });
    let ground = low - 0.1 * (high - low);
    let prices: Vec<f64> = visited.iter().map(|log_price| log_price.exp()).collect();
    let mut density = histogram(&prices, range, 2 * BINS);
    let highest = density.iter().map(|bar| bar.ends.1).fold(0.0, f64::max);
    for Bar { ends, .. } in &mut density {
        *ends = (
            ground,
            ground + ends.1 / highest.max(f64::MIN_POSITIVE) * DENSITY_HEIGHT * (high - ground),
        );
    }
    let mut chart = Chart::new(
        "Equity against the price",
        Axis::new("price, quote per base").range(range.0, range.1),
        Axis::new("equity, quote token").range(ground, high + 0.05 * (high - ground)),
    )
    .layer(Layer::Region {
        name: "range".to_owned(),
        span: (lower.exp(), upper.exp()),
        tone: Tone::Teal,
    })
    .layer(Layer::Bars {
        name: "time at the price (no scale)".to_owned(),
        bars: density,
        tone: Tone::Muted,
    })
    .layer(Layer::Dots {
        name: "ends of paths".to_owned(),
        points: ends,
        tone: Tone::Blue,
    })
    .layer(Layer::line("as opened, nobody acts", Tone::Orange, held));
    let marker = |x: f64, label: &str, tone, middle: bool| Marker {
        x,
        label: label.to_owned(),
        tone,
        dashed: !middle,
        middle,
        begins: false,
    };
    chart
        .markers
        .push(marker(start.exp(), "start", Tone::Ink, true));
    for end in [liquidation.0, liquidation.1].into_iter().flatten() {
        if (range.0..=range.1).contains(&end) {
            chart
                .markers
                .push(marker(end, "liquidation as opened", Tone::Bad, false));
        }
    }
    chart
}

/// From the own funds to the mean equity.
pub fn attribution(own: f64, summary: &Summary) -> Chart {
    let lines: Vec<(String, f64)> = summary
        .attribution()
        .iter()
        .map(|(name, moments)| (name.replace('_', " "), moments.mean()))
        .filter(|(_, mean)| mean.abs() > 5e-5 * own)
        .collect();
    let changes: Vec<(&str, f64)> = lines
        .iter()
        .map(|(name, mean)| (name.as_str(), *mean))
        .collect();
    let title = "Where the mean comes from";
    waterfall(title, "quote token", ("own funds", own), &changes, "equity")
}
