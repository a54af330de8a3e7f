//! Metrics of the hedge at a venue.

use rust_decimal::prelude::ToPrimitive;

use super::text::Text;
use crate::hedge::{HedgeNow, now::PerpNow};

/// Name, help, and a value of each perpetual.
type OfPerp = (&'static str, &'static str, fn(&PerpNow) -> Option<f64>);

const OF_PERPS: [OfPerp; 6] = [
    (
        "ballast_hedge_position_base",
        "Base tokens held at the venue; negative when short.",
        |perp| perp.position?.to_f64(),
    ),
    (
        "ballast_hedge_residual_low_base",
        "Least that is to be hedged, base tokens.",
        |perp| perp.residual?.0.to_f64(),
    ),
    (
        "ballast_hedge_residual_high_base",
        "Most that is to be hedged, base tokens.",
        |perp| perp.residual?.1.to_f64(),
    ),
    (
        "ballast_hedge_band_base",
        "Half of the band in which nothing is traded, base tokens.",
        |perp| perp.band.to_f64(),
    ),
    (
        "ballast_hedge_step_age_seconds",
        "Time since a step of the hedge came to its end.",
        |perp| Some(perp.stepped?.elapsed().as_secs_f64()),
    ),
    (
        "ballast_hedge_liquidation_price",
        "Where the venue would liquidate the position.",
        |perp| perp.liquidation?.to_f64(),
    ),
];

pub(super) fn hedge(text: &mut Text, now: &HedgeNow) {
    for (name, help, value) in [
        (
            "ballast_hedge_leads",
            "1 while this keeper hedges the account; 0 while another does.",
            now.leads.map(|leads| f64::from(u8::from(leads))),
        ),
        (
            "ballast_hedge_equity_dollars",
            "What the account at the venue is worth.",
            now.equity.and_then(|dollars| dollars.to_f64()),
        ),
        (
            "ballast_hedge_margin_dollars",
            "What of it is held as margin.",
            now.margin_used.and_then(|dollars| dollars.to_f64()),
        ),
        (
            "ballast_hedge_stream_connected",
            "1 while the venue's stream tells; 0 while only looks bring news.",
            now.stream
                .as_ref()
                .map(|stream| f64::from(u8::from(stream.connected))),
        ),
    ] {
        text.head(name, "gauge", help);
        if let Some(value) = value {
            text.sample(name, &[], value);
        }
    }
    text.head(
        "ballast_hedge_wakes_total",
        "counter",
        "Steps of the hedge that the venue's stream has brought about.",
    );
    if let Some(stream) = &now.stream {
        text.sample("ballast_hedge_wakes_total", &[], stream.wakes as f64);
    }
    text.head(
        "ballast_hedge_orders_total",
        "counter",
        "Orders at the venue, by what became of them.",
    );
    for (outcome, count) in &now.orders {
        text.sample(
            "ballast_hedge_orders_total",
            &[("outcome", outcome)],
            *count as f64,
        );
    }
    for (name, help, value) in OF_PERPS {
        text.head(name, "gauge", help);
        for (coin, perp) in &now.perps {
            if let Some(value) = value(perp) {
                text.sample(name, &[("coin", coin)], value);
            }
        }
    }
    text.head(
        "ballast_hedge_pnl_dollars",
        "gauge",
        "What the hedge has earned since its journal began, by part.",
    );
    for (coin, perp) in &now.perps {
        let Some(pnl) = perp.pnl else { continue };
        for (part, value) in [
            ("price", pnl.price),
            ("fees", pnl.fees),
            ("funding", pnl.funding),
        ] {
            if let Some(value) = value.to_f64() {
                let labels = [("coin", coin.as_str()), ("part", part)];
                text.sample("ballast_hedge_pnl_dollars", &labels, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hedge::now::StreamNow;

    #[test]
    fn the_stream_is_told_where_there_is_one() {
        let told = |stream: Option<StreamNow>| {
            let mut text = Text::default();
            hedge(
                &mut text,
                &HedgeNow {
                    stream,
                    ..HedgeNow::default()
                },
            );
            let lines = text.0.lines().map(str::to_owned);
            lines
                .filter(|line| line.contains("_stream_") || line.contains("_wakes_"))
                .filter(|line| !line.starts_with('#'))
                .collect::<Vec<_>>()
        };
        assert!(told(None).is_empty());
        for connected in [false, true] {
            let stream = StreamNow {
                connected,
                lost: None,
                wakes: 7,
            };
            assert_eq!(
                told(Some(stream)),
                [
                    format!("ballast_hedge_stream_connected {}", u8::from(connected)),
                    "ballast_hedge_wakes_total 7".into()
                ]
            );
        }
    }
}
