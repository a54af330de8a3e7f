//! Pictures of a quote.

use ballast_chart::{Axis, Chart, Layer, Marker, Tone};
use ballast_model::screen::Real;

use crate::{CurvePoint, Quote, Side, TriggerKind, curve::span};

/// Points of a line.
const POINTS: u32 = 240;
/// Leverage is drawn up to here: towards no equity it grows beyond all bounds.
const MOST_LEVERAGE: f64 = 15.0;

impl Quote {
    /// Equity against price over everything that matters: in and out of the range, with boundaries and triggers.
    pub fn figure(&self) -> Chart {
        let (from, to) = self.span();
        let mut chart = self.chart(
            "Equity against price",
            "equity, quote",
            (from, to),
            |point| point.equity,
        );
        for trigger in self
            .triggers
            .iter()
            .filter(|trigger| trigger.kind == TriggerKind::Liquidation)
        {
            let span = match trigger.side {
                Side::Lower => (from, trigger.price),
                Side::Upper => (trigger.price, to),
            };
            let name = "liquidated".to_owned();
            chart.layers.insert(
                0,
                Layer::Region {
                    name,
                    span,
                    tone: Tone::Bad,
                },
            );
        }
        chart.layers.push(Layer::Level {
            name: "own funds".into(),
            y: self.sizing.at_open().equity,
            tone: Tone::Muted,
        });
        chart.markers = self.markers(true);
        chart
    }

    /// Equity near the range, where hedging and fees happen.
    pub fn close_up(&self) -> Chart {
        let near = self.near();
        let mut chart = self.chart("Near the range", "equity, quote", near, |point| {
            point.equity
        });
        chart.markers = self.markers(true);
        chart
            .markers
            .retain(|marker| (near.0..=near.1).contains(&marker.x));
        chart.size.1 = 460.0;
        chart
    }

    /// Delta against price, with the band in which it is left alone.
    pub fn delta_figure(&self) -> Chart {
        let mut chart = self.chart("Delta against price", "delta, base", self.near(), |point| {
            point.delta
        });
        if let Some(rehedging) = &self.rehedging {
            for y in [rehedging.band_base, -rehedging.band_base] {
                let name = "rehedged beyond".to_owned();
                chart.layers.push(Layer::Level {
                    name,
                    y,
                    tone: Tone::Teal,
                });
            }
        }
        chart.size.1 = 360.0;
        chart
    }

    /// Leverage against price.
    pub fn leverage_figure(&self) -> Chart {
        let mut chart = self.chart(
            "Leverage against price",
            "assets over equity",
            self.span(),
            |point| {
                let leverage = point.leverage.unwrap_or(f64::NAN);
                if leverage <= MOST_LEVERAGE {
                    leverage
                } else {
                    f64::NAN
                }
            },
        );
        chart.markers = self.markers(false);
        chart.size.1 = 400.0;
        chart
    }

    /// A line in and out of the range.
    fn chart(
        &self,
        title: &str,
        label: &str,
        (from, to): (f64, f64),
        of: fn(&CurvePoint) -> f64,
    ) -> Chart {
        let position = self.sizing.position();
        let (lower, upper) = (position.lower.to_f64(), position.upper.to_f64());
        let line = |from: f64, to: f64| -> Vec<(f64, f64)> {
            let point = |index: u32| {
                let price = from + (to - from) * f64::from(index) / f64::from(POINTS);
                (price, of(&CurvePoint::new("", price, &self.sizing)))
            };
            if from < to {
                (0..=POINTS).map(point).collect()
            } else {
                Vec::new()
            }
        };
        let x = Axis::new("price, quote per base").range(from, to);
        let mut chart = Chart::new(title, x, Axis::new(label))
            .layer(Layer::Region {
                name: "range".into(),
                span: (lower, upper),
                tone: Tone::Blue,
            })
            .layer(Layer::line(
                "out of the range",
                Tone::Orange,
                line(from, lower.min(to)),
            ))
            .layer(Layer::line(
                "out of the range",
                Tone::Orange,
                line(upper.max(from), to),
            ))
            .layer(Layer::line(
                "in the range",
                Tone::Blue,
                line(lower.max(from), upper.min(to)),
            ));
        chart.subtitle = self.subtitle();
        chart
    }

    fn subtitle(&self) -> String {
        let position = self.sizing.position();
        let open = self.sizing.at_open();
        let n = |value: f64| short(value, 6);
        format!(
            "{} quote of own funds, leverage {}, range {} to {}; nobody acts, no fees, no interest",
            n(open.equity),
            n(open.leverage.unwrap_or(f64::INFINITY)),
            n(position.lower.to_f64()),
            n(position.upper.to_f64())
        )
    }

    /// Everything that matters, with room for the labels of the outermost.
    fn span(&self) -> (f64, f64) {
        let (mut from, mut to) = span(&self.sizing);
        for trigger in &self.triggers {
            (from, to) = (from.min(trigger.price), to.max(trigger.price));
        }
        let width = to - from;
        ((from - 0.12 * width).max(from / 2.0), to + 0.16 * width)
    }

    /// The range, the price now and as much on both sides.
    fn near(&self) -> (f64, f64) {
        let position = self.sizing.position();
        let price = position.price.to_f64();
        let (lower, upper) = (position.lower.to_f64(), position.upper.to_f64());
        let (from, to) = (lower.min(price), upper.max(price));
        let room = 0.6 * (to - from);
        ((from - room).max(from / 2.0), to + room)
    }

    /// Price now, range and triggers. `all`: also those near the price.
    fn markers(&self, all: bool) -> Vec<Marker> {
        let position = self.sizing.position();
        let now = position.price.to_f64();
        let marker = |name: &str, x: f64, tone: Tone, dashed: bool| Marker {
            x,
            label: format!("{name} {} ({:+.1}%)", short(x, 5), 100.0 * (x / now - 1.0))
                .replace('-', "\u{2212}"),
            tone,
            dashed,
            middle: false,
            begins: false,
        };
        let mut markers = vec![Marker {
            x: now,
            label: format!("now {}", short(now, 6)),
            tone: Tone::Ink,
            dashed: false,
            middle: true,
            begins: false,
        }];
        for end in [position.lower, position.upper] {
            markers.push(marker("range", end.to_f64(), Tone::Blue, false));
        }
        for trigger in &self.triggers {
            let (tone, dashed, near) = match trigger.kind {
                TriggerKind::Liquidation => (Tone::Bad, false, false),
                TriggerKind::Deleverage => (Tone::Warn, true, false),
                TriggerKind::Rehedge => (Tone::Teal, true, true),
                TriggerKind::Recenter => (Tone::Violet, true, true),
                TriggerKind::Window | TriggerKind::Floor => (Tone::Orange, true, false),
            };
            if all || !near {
                let name = trigger.kind.name(trigger.side).replace('-', "\u{2010}");
                markers.push(marker(&name, trigger.price, tone, dashed));
            }
        }
        markers
    }
}

/// A number with so many significant digits.
fn short(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return "none".into();
    }
    let exponent = if value == 0.0 {
        0.0
    } else {
        value.abs().log10().floor()
    };
    if !(-6.0..9.0).contains(&exponent) {
        return format!("{value:.*e}", digits.saturating_sub(1));
    }
    let places = (digits as f64 - 1.0 - exponent).max(0.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
