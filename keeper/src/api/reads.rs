//! The answers to readers.

mod liquidity;
mod query;
mod rows;
mod status;

use ballast_view as view;
use serde::Serialize;

use super::{
    problem::Problem,
    scene::{Scene, no_price, sigma, snapshot},
    server::Api,
};
use liquidity::liquidity;
use query::Query;
use rows::{actions, hedge_history, history, positions};
use status::status;

/// Whether a route exists, without its answer.
pub(super) fn exists(scene: &Scene, route: &[&str], path: &str) -> Result<(), Problem> {
    match route {
        ["status" | "book" | "flags" | "positions" | "actions" | "overrides"] => Ok(()),
        ["positions", address] | ["positions", address, "history"] => {
            scene.position(address).map(|_| ())
        }
        ["markets", address]
        | [
            "markets",
            address,
            "liquidity" | "funding" | "lenders" | "hedge",
        ] => scene.market(address).map(|_| ()),
        _ => Err(Problem::not_found(path)),
    }
}

/// The answer's bytes.
pub(super) fn answer(
    api: &Api,
    scene: &Scene,
    route: &[&str],
    query: &Query,
    path: &str,
) -> Result<Vec<u8>, Problem> {
    match route {
        ["status"] => written(&status(api, scene)),
        ["book"] => {
            let (address, market) = match query.get("market") {
                Some(text) => scene.market(text)?,
                None => scene
                    .first()
                    .map(|(address, market)| (*address, market))
                    .ok_or_else(no_market)?,
            };
            written(scene.book(address, market)?.as_ref())
        }
        ["flags"] => written(&view::Flags {
            version: scene.version,
            flags: scene.flags.as_ref().clone(),
        }),
        ["positions"] => written(&positions(scene, query)?),
        ["positions", address] => {
            let (market, position) = scene.position(address)?;
            written(&scene.seen(market, position, |seen| seen.detail(scene.version))?)
        }
        ["positions", address, "history"] => written(&history(scene, address, query)?),
        ["actions"] => written(&actions(scene, query)?),
        ["overrides"] => {
            let newest = scene.overrides.newest();
            written(&view::Overrides {
                version: scene.version,
                rows: newest.map(|held| scene.shown_override(held)).collect(),
            })
        }
        ["markets", address] => {
            let (_, market) = scene.market(address)?;
            let (sigma_day, sigma_measured) = sigma(market);
            let newest = snapshot(market)?;
            let shown = view::ShownMarket {
                newest,
                on_chain: market.on_chain.as_deref().unwrap_or(newest),
                tokens: scene.tokens(market),
                sigma_day,
                sigma_measured,
            };
            written(
                &shown
                    .view(scene.version)
                    .map_err(|error| no_price(&error))?,
            )
        }
        ["markets", address, "liquidity"] => {
            let (address, market) = scene.market(address)?;
            written(&liquidity(scene, &address, market, query)?)
        }
        ["markets", address, "lenders"] => {
            let (address, market) = scene.market(address)?;
            let of_market = scene.known().iter().filter(|one| one.market == address);
            let lines: Vec<view::Line> = of_market.filter_map(|one| one.line).collect();
            let lenders = view::lenders(
                scene.version,
                snapshot(market)?,
                scene.tokens(market),
                sigma(market).0,
                &lines,
            );
            written(&lenders.map_err(|error| no_price(&error))?)
        }
        ["markets", address, "funding"] => {
            let (market, _) = scene.market(address)?;
            let now = scene.hedge.as_deref();
            written(&super::hedge::funding(now, &market, scene.version))
        }
        ["markets", address, "hedge"] => written(&hedge_history(scene, address, query)?),
        _ => Err(Problem::not_found(path)),
    }
}

fn no_market() -> Problem {
    Problem::not_ready("no market has been read yet; try again in a moment")
}

fn written(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| {
        Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "broken",
            format!("the answer cannot be written ({error}); please report this"),
        )
    })
}
