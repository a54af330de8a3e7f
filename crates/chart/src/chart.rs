//! What a picture shows.

use crate::{Axis, Marker, Tone};

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// Its title.
    pub title: String,
    /// A line under the title; may be empty.
    pub subtitle: String,
    /// Width and height in pixels.
    pub size: (f64, f64),
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, in this order.
    pub layers: Vec<Layer>,
    /// Labelled vertical lines.
    pub markers: Vec<Marker>,
}

/// One thing that is drawn. A name that is not empty stands in the legend.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A part of the horizontal axis, shaded over the whole height.
    Region {
        /// Its name.
        name: String,
        /// From where to where.
        span: (f64, f64),
        /// Its colour.
        tone: Tone,
    },
    /// Points in order, connected. Where one is not finite the line is broken.
    Line {
        /// Its name.
        name: String,
        /// The points.
        points: Vec<(f64, f64)>,
        /// Its colour.
        tone: Tone,
        /// Whether it is dashed.
        dashed: bool,
    },
    /// The area between two lines: x, lower, upper.
    Area {
        /// Its name.
        name: String,
        /// The edge.
        points: Vec<(f64, f64, f64)>,
        /// Its colour.
        tone: Tone,
    },
    /// Bars.
    Bars {
        /// Their name.
        name: String,
        /// The bars.
        bars: Vec<Bar>,
        /// Their colour.
        tone: Tone,
    },
    /// Points.
    Dots {
        /// Their name.
        name: String,
        /// x, y and what to say about it where the pointer rests.
        points: Vec<(f64, f64, String)>,
        /// Their colour.
        tone: Tone,
    },
    /// A horizontal line.
    Level {
        /// Its name.
        name: String,
        /// Where.
        y: f64,
        /// Its colour.
        tone: Tone,
    },
}

/// A bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// Its two sides on the horizontal axis.
    pub span: (f64, f64),
    /// Its two ends on the vertical axis.
    pub ends: (f64, f64),
    /// What is written at its second end; may be empty.
    pub label: String,
}

impl Chart {
    /// An empty picture of the usual size.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            size: (960.0, 540.0),
            x,
            y,
            ..Self::default()
        }
    }

    /// With one layer more.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }
}

impl Layer {
    /// A solid line.
    pub fn line(name: impl Into<String>, tone: Tone, points: Vec<(f64, f64)>) -> Self {
        Self::Line {
            name: name.into(),
            points,
            tone,
            dashed: false,
        }
    }

    pub(crate) fn name(&self) -> (&str, Tone) {
        match self {
            Self::Region { name, tone, .. }
            | Self::Line { name, tone, .. }
            | Self::Area { name, tone, .. }
            | Self::Bars { name, tone, .. }
            | Self::Dots { name, tone, .. }
            | Self::Level { name, tone, .. } => (name, *tone),
        }
    }

    /// Every point that should be seen: x, y.
    pub(crate) fn reach(&self) -> Vec<(Option<f64>, Option<f64>)> {
        let both = |x, y| (Some(x), Some(y));
        match self {
            Self::Region { span, .. } => vec![(Some(span.0), None), (Some(span.1), None)],
            Self::Line { points, .. } => points.iter().map(|(x, y)| both(*x, *y)).collect(),
            Self::Area { points, .. } => points
                .iter()
                .flat_map(|(x, low, high)| [both(*x, *low), both(*x, *high)])
                .collect(),
            Self::Bars { bars, .. } => bars
                .iter()
                .flat_map(|bar| [both(bar.span.0, bar.ends.0), both(bar.span.1, bar.ends.1)])
                .collect(),
            Self::Dots { points, .. } => points.iter().map(|(x, y, _)| both(*x, *y)).collect(),
            Self::Level { y, .. } => vec![(None, Some(*y))],
        }
    }
}
