//! `/metrics`, as Prometheus reads it: base units, nothing per position, so that a large book costs no more than a small one.

use std::fmt::Write;

use ballast_model::Side;
use ballast_view::{self as view, FlagState};
use rust_decimal::prelude::ToPrimitive;

use super::{
    scene::{Scene, sigma},
    server::Api,
};
use crate::{
    control::Mode,
    hedge::{HedgeNow, now::PerpNow},
    picture::Found,
};

/// A text that is being written.
#[derive(Default)]
struct Text(String);

type Labels<'a> = &'a [(&'a str, &'a str)];

impl Text {
    /// The head of a metric.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: Labels, value: f64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| {
                let value = value
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                format!("{name}=\"{value}\"")
            })
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, "gauge", help);
        self.sample(name, &[], value);
    }

    fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, "counter", help);
        self.sample(name, &[], value);
    }
}

/// All metrics.
pub(super) fn text(api: &Api) -> String {
    let mut text = Text::default();
    let version = env!("CARGO_PKG_VERSION");
    let commit = option_env!("BALLAST_COMMIT").unwrap_or("unknown");
    text.head("ballast_build_info", "gauge", "What runs.");
    text.sample(
        "ballast_build_info",
        &[("version", version), ("commit", commit)],
        1.0,
    );
    text.gauge(
        "ballast_start_time_seconds",
        "When the process was started, Unix time.",
        api.started_secs as f64,
    );
    text.head(
        "ballast_api_responses_total",
        "counter",
        "Answers, by status.",
    );
    for (status, count) in api.answered() {
        let status = status.to_string();
        text.sample(
            "ballast_api_responses_total",
            &[("status", &status)],
            count as f64,
        );
    }
    text.gauge(
        "ballast_api_streams",
        "Listeners of the stream.",
        (super::stream::MOST - api.streams.available_permits()) as f64,
    );
    let control = &api.sources.control;
    text.head("ballast_mode", "gauge", "1 for the mode in force.");
    let mode = control.mode();
    for one in Mode::ALL {
        text.sample(
            "ballast_mode",
            &[("mode", one.name())],
            f64::from(u8::from(one == mode)),
        );
    }
    text.gauge(
        "ballast_journal_writable",
        "0: it could not be written, and nothing is done any more.",
        f64::from(u8::from(control.broken().is_none())),
    );
    if let Some(scene) = api.any_scene() {
        keeper(&mut text, &scene);
        markets(&mut text, &scene);
        flags(&mut text, &scene);
        contingency(&mut text, api, &scene);
        if let Some(now) = &scene.hedge {
            hedge(&mut text, now);
        }
    }
    text.0
}

fn keeper(text: &mut Text, scene: &Scene) {
    let status = &scene.picture.status;
    text.gauge("ballast_slot", "Newest slot.", status.slot as f64);
    text.gauge(
        "ballast_slot_age_seconds",
        "Time since it was seen.",
        scene.slot_age_ms() as f64 / 1e3,
    );
    text.gauge(
        "ballast_stream_connected",
        "1 while the stream from the chain works; 0 while only polls bring news.",
        f64::from(u8::from(scene.picture.streams)),
    );
    text.gauge(
        "ballast_positions",
        "Positions known.",
        status.positions as f64,
    );
    let (mut due, mut blocked) = (0u32, 0u32);
    let all = scene
        .picture
        .markets
        .values()
        .flat_map(|market| market.positions.iter());
    for position in all {
        match position.found {
            Found::Nothing => {}
            Found::Due(_) => due += 1,
            Found::Blocked(_) => blocked += 1,
        }
    }
    text.gauge(
        "ballast_positions_due",
        "Positions for which something is due and possible.",
        due.into(),
    );
    text.gauge(
        "ballast_positions_blocked",
        "Positions for which something is due and not possible.",
        blocked.into(),
    );
    text.gauge(
        "ballast_actions_in_flight",
        "Actions in flight.",
        status.in_flight as f64,
    );
    text.gauge(
        "ballast_actions_waiting",
        "Actions that wait for others to end.",
        status.waiting as f64,
    );
    text.head(
        "ballast_actions_total",
        "counter",
        "Actions that ended, by kind and outcome.",
    );
    for ((action, outcome), count) in &scene.log.counted {
        let labels = [("action", action.as_str()), ("outcome", *outcome)];
        text.sample("ballast_actions_total", &labels, *count as f64);
    }
    text.counter(
        "ballast_journal_records_total",
        "Records in the journal.",
        scene.log.sequence as f64,
    );
    text.head("ballast_wallet_sol", "gauge", "The keeper's own SOL.");
    if let Some(lamports) = status.lamports {
        text.sample("ballast_wallet_sol", &[], lamports as f64 / 1e9);
    }
    text.gauge(
        "ballast_wallet_low_sol",
        "With less the keeper warns.",
        scene.sources.config.fees.warn_below_lamports as f64 / 1e9,
    );
}

/// Name, help, and a value of each market.
type OfMarket = (
    &'static str,
    &'static str,
    fn(&Scene, &crate::picture::MarketPicture) -> Option<f64>,
);

const OF_MARKETS: [OfMarket; 5] = [
    (
        "ballast_market_price",
        "The oracle's price, quote per base.",
        |_, market| {
            let newest = market.newest.as_deref()?;
            Some(view::scale(newest).price(newest.oracle_sqrt_price().ok()?))
        },
    ),
    (
        "ballast_market_pool_price",
        "The pool's price, quote per base.",
        |_, market| {
            let newest = market.newest.as_deref()?;
            Some(view::scale(newest).price(newest.pool.sqrt_price))
        },
    ),
    (
        "ballast_market_price_age_seconds",
        "Age of the older of the oracle's two prices.",
        |_, market| {
            let newest = market.newest.as_deref()?;
            Some(newest.price_age_secs(newest.now_secs) as f64)
        },
    ),
    (
        "ballast_market_stage",
        "Risk stage on chain: 0 normal, 1 no new risk, 2 reduce only, 3 anybody may shrink positions.",
        |_, market| Some(market.newest.as_deref()?.market.stage.stage.into()),
    ),
    (
        "ballast_market_sigma_day_ratio",
        "A usual day's move, as a part of the price.",
        |_, market| Some(sigma(market).0),
    ),
];

fn markets(text: &mut Text, scene: &Scene) {
    for (name, help, value) in OF_MARKETS {
        text.head(name, "gauge", help);
        for (address, market) in &scene.picture.markets {
            if let Some(value) = value(scene, market) {
                text.sample(name, &[("market", &address.to_string())], value);
            }
        }
    }
    let books: Vec<_> = scene
        .picture
        .markets
        .iter()
        .filter_map(|(address, market)| {
            Some((address.to_string(), scene.book(*address, market).ok()?))
        })
        .collect();
    let number = |text: &String| text.parse::<f64>().unwrap_or(f64::NAN);
    type OfBook = (
        &'static str,
        &'static str,
        fn(&view::BookView) -> Option<&String>,
    );
    let amounts: [OfBook; 6] = [
        (
            "ballast_book_equity_quote",
            "Equity of all positions.",
            |book| Some(&book.equity),
        ),
        (
            "ballast_book_assets_quote",
            "Assets of all positions.",
            |book| Some(&book.assets),
        ),
        (
            "ballast_book_debt_quote",
            "Debt of all positions.",
            |book| Some(&book.debt),
        ),
        (
            "ballast_book_delta_base",
            "Delta of all positions.",
            |book| Some(&book.delta),
        ),
        (
            "ballast_book_net_delta_base",
            "Delta with the hedge at a venue.",
            |book| Some(&book.net_delta),
        ),
        (
            "ballast_book_pnl_day_quote",
            "Change of equity in a day.",
            |book| book.pnl_day.as_ref(),
        ),
    ];
    for (name, help, value) in amounts {
        text.head(name, "gauge", help);
        for (market, book) in &books {
            if let Some(value) = value(book) {
                text.sample(name, &[("market", market)], number(value));
            }
        }
    }
    text.head(
        "ballast_book_nearest_sigma_days",
        "gauge",
        "Distance of the price to the nearest liquidation boundary, in days of usual movement.",
    );
    for (market, book) in &books {
        if let Some(nearest) = &book.nearest {
            text.sample(
                "ballast_book_nearest_sigma_days",
                &[("market", market)],
                nearest.sigma_days,
            );
        }
    }
    text.head(
        "ballast_reserve_utilisation_ratio",
        "gauge",
        "Borrowed over lent.",
    );
    for (address, market) in &scene.picture.markets {
        let Some(newest) = market.newest.as_deref() else {
            continue;
        };
        let tokens = scene.tokens(market);
        for (side, token) in [(Side::Base, tokens.base), (Side::Quote, tokens.quote)] {
            if let Ok(reserve) = view::ReserveView::new(newest, side, token) {
                let labels = [("market", address.to_string()), ("token", token.to_owned())];
                let labels = labels
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str()));
                let value = f64::from(reserve.utilisation_bps) / 1e4;
                text.sample("ballast_reserve_utilisation_ratio", &labels, value);
            }
        }
    }
}

fn flags(text: &mut Text, scene: &Scene) {
    text.head(
        "ballast_red_flag_raised",
        "gauge",
        "1 for a raised flag, 0 for a quiet one; none for one that cannot be judged.",
    );
    for flag in scene.flags.iter() {
        let value = match flag.state {
            FlagState::Quiet => 0.0,
            FlagState::Raised => 1.0,
            FlagState::Unknown => continue,
        };
        text.sample("ballast_red_flag_raised", &[("flag", &flag.name)], value);
    }
    text.head(
        "ballast_red_flag_unknown",
        "gauge",
        "1 for a flag that cannot be judged.",
    );
    for flag in scene.flags.iter() {
        let unknown = flag.state == FlagState::Unknown;
        text.sample(
            "ballast_red_flag_unknown",
            &[("flag", &flag.name)],
            f64::from(u8::from(unknown)),
        );
    }
}

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

fn hedge(text: &mut Text, now: &HedgeNow) {
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
    ] {
        text.head(name, "gauge", help);
        if let Some(value) = value {
            text.sample(name, &[], value);
        }
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

/// Tokens needed after a gap, and kept for it, by market.
fn contingency(text: &mut Text, api: &Api, scene: &Scene) {
    type Shown = fn(view::Contingency) -> [Option<String>; 2];
    let needed: Shown = |found| [found.needed_base, found.needed_quote];
    let kept: Shown = |found| [found.have_base, found.have_quote];
    for (name, help, shown) in [
        (
            "ballast_contingency_needed_tokens",
            "Whole tokens that would bring all positions back to their targets after a gap.",
            needed,
        ),
        (
            "ballast_contingency_kept_tokens",
            "Whole tokens that are kept for it.",
            kept,
        ),
    ] {
        text.head(name, "gauge", help);
        for market in scene.picture.markets.keys() {
            let amounts = shown(api.sources.flags.contingency(market));
            for (token, amount) in ["base", "quote"].into_iter().zip(amounts) {
                let amount = amount.and_then(|amount| amount.parse().ok());
                if let Some(amount) = amount {
                    let market = market.to_string();
                    text.sample(name, &[("market", &market), ("token", token)], amount);
                }
            }
        }
    }
}
