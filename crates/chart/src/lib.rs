//! Pictures of numbers: values in, an SVG string out. No file, no clock, no request to anywhere; the same values give the same
//! bytes.
//!
//! A [`Chart`] has two [`Axis`]es, [`Layer`]s drawn in their order, and [`Marker`]s: labelled vertical lines whose labels never
//! cover each other. [`histogram`] and [`waterfall`] make bars of values; [`page`] puts pictures and prose into one HTML file;
//! [`text_plot`] draws with characters for a terminal. Colours follow the reader's light or dark setting.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod axis;
mod bars;
mod chart;
mod fan;
mod layers;
mod legend;
mod markers;
mod number;
mod page;
mod plot;
mod scale;
mod style;
mod svg;
mod text;
mod text_plot;

pub use axis::{Axis, Kind};
pub use bars::{histogram, outline, waterfall};
pub use chart::{Bar, Chart, Layer};
pub use fan::fan;
pub use markers::Marker;
pub use number::Numbers;
pub use page::page;
pub use style::Tone;
pub use svg::escape;
pub use text_plot::{TextMark, text_plot};
