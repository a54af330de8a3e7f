//! Metrics of markets, their books and reserves.

use ballast_model::Side;
use ballast_view as view;

use super::text::Text;
use crate::api::{
    scene::{Scene, sigma},
    server::Api,
};

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

pub(super) fn markets(text: &mut Text, scene: &Scene) {
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

/// Tokens needed after a gap, and kept for it, by market.
pub(super) fn contingency(text: &mut Text, api: &Api, scene: &Scene) {
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
