//! Progress bars, on standard error and only on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes done of `total`; hidden if the total is not known.
pub fn bytes_bar(total: Option<u64>) -> ProgressBar {
    total.map_or_else(ProgressBar::hidden, |total| {
        ProgressBar::new(total).with_style(style(
            "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ))
    })
}

/// Things done of `total`.
pub fn count_bar(total: u64, what: &'static str) -> ProgressBar {
    ProgressBar::new(total).with_style(style(&format!("{{bar:40}} {{pos}}/{{len}} {what} {{eta}}")))
}

/// Something that takes a while.
pub fn spinner(what: impl Into<String>) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.into());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; a mistake shows as the default bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
