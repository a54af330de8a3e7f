//! The answers to readers.

use std::collections::HashMap;

use ballast_clmm::{Band, Tick};
use ballast_view::{self as view, Known};
use serde::Serialize;
use solana_sdk::pubkey::Pubkey;

use super::{
    HEARTBEAT_MS,
    problem::Problem,
    scene::{Scene, Sort, no_price, now, sigma, snapshot},
    server::Api,
};
use crate::picture::{Found, MarketPicture};

type Query = HashMap<String, String>;

/// Most rows in an answer.
const MOST_ROWS: usize = 500;
/// A keeper whose newest slot is older than this sees no chain.
const BLIND_MS: u64 = 5_000;
/// Ticks in a bin of liquidity, and bins to either side of the price.
const BIN_TICKS: i32 = 32;
const BINS: i32 = 60;

/// Whether a route exists, without its answer.
pub(super) fn exists(scene: &Scene, route: &[&str], path: &str) -> Result<(), Problem> {
    match route {
        ["status" | "book" | "flags" | "positions" | "actions" | "overrides"] => Ok(()),
        ["positions", address] | ["positions", address, "history"] => {
            scene.position(address).map(|_| ())
        }
        ["markets", address] | ["markets", address, "liquidity" | "funding" | "lenders"] => {
            scene.market(address).map(|_| ())
        }
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

fn number(query: &Query, name: &'static str, default: i64) -> Result<i64, Problem> {
    match query.get(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            Problem::parameter(name, format!("{name} is a whole number, not `{text}`"))
        }),
    }
}

fn limit(query: &Query, default: i64) -> Result<usize, Problem> {
    let limit = number(query, "limit", default)?;
    usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=MOST_ROWS).contains(limit))
        .ok_or_else(|| Problem::parameter("limit", format!("limit is 1 to {MOST_ROWS}")))
}

fn positions(scene: &Scene, query: &Query) -> Result<view::Positions, Problem> {
    let sort = query.get("sort").map_or("danger", String::as_str);
    let (name, turned) = match sort.strip_prefix('-') {
        Some(name) => (name, true),
        None => (sort, false),
    };
    let by = Sort::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| {
            let names: Vec<&str> = Sort::ALL.iter().map(|(name, _)| *name).collect();
            Problem::parameter(
                "sort",
                format!("sort `{name}` is none of {}", names.join(", ")),
            )
        })?;
    let offset = number(query, "offset", 0)?;
    let offset = usize::try_from(offset)
        .map_err(|_| Problem::parameter("offset", "offset is not negative"))?;
    let limit = limit(query, 100)?;
    let words = query
        .get("q")
        .map(String::as_str)
        .unwrap_or_default()
        .to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    let market = query
        .get("market")
        .map(|text| scene.market(text))
        .transpose()?;
    let market = market.map(|(address, _)| address);
    let (known, order) = (scene.known(), scene.order(by.1));
    let wanted = |place: &&usize| {
        let Some(one) = known.get(**place) else {
            return false;
        };
        if market.is_some_and(|market| market != one.market) {
            return false;
        }
        if words.is_empty() {
            return true;
        }
        let position = &one.position.position;
        let text = format!(
            "{} {} {}",
            position.id, one.position.address, position.owner
        )
        .to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let all = || order.iter();
    let found: Vec<usize> = if turned {
        all().rev().filter(wanted).copied().collect()
    } else {
        all().filter(wanted).copied().collect()
    };
    let window = found.iter().skip(offset).take(limit);
    let mut rows = Vec::with_capacity(limit.min(found.len()));
    for place in window {
        let Some(one) = known.get(*place) else {
            continue;
        };
        let Some(market) = scene.picture.markets.get(&one.market) else {
            continue;
        };
        // What cannot be valued is counted in the book; there is nothing to show of it.
        if one.line.is_some()
            && let Ok(row) = scene.seen(market, &one.position, |seen| seen.row())
        {
            rows.push(row);
        }
    }
    Ok(view::Positions {
        version: scene.version,
        sort: sort.to_owned(),
        total: found.len(),
        offset,
        rows,
    })
}

fn history(scene: &Scene, address: &str, query: &Query) -> Result<view::History, Problem> {
    let (market, position) = scene.position(address)?;
    let now_secs = snapshot(market)?.now_secs;
    let from = number(query, "from", now_secs.saturating_sub(3 * 86_400))?;
    let to = number(query, "to", i64::MAX)?;
    if from > to {
        return Err(Problem::parameter("from", "from comes before to"));
    }
    let past = &scene.sources.past;
    let points = past.points(&position.address, from, to);
    let tolerance = scene.seen(market, position, |seen| {
        let at = ballast_strategy::decide::assess(seen.situation)?;
        Ok(at.hedge_tolerance)
    })?;
    let scale = view::scale(snapshot(market)?);
    Ok(view::History {
        version: scene.version,
        state: if points.is_some() {
            Known::Known
        } else {
            Known::Unknown
        },
        step_secs: past.step_secs(),
        fields: past
            .fields()
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
        rows: points.unwrap_or_default(),
        tolerance: scale.base(tolerance as f64),
    })
}

fn actions(scene: &Scene, query: &Query) -> Result<view::Actions, Problem> {
    let position = query.get("position").map(|text| {
        text.parse::<Pubkey>()
            .map_err(|_| Problem::parameter("position", "position is an address in base58"))
    });
    let position = position.transpose()?;
    let before = number(query, "before", i64::MAX)?;
    let before = u64::try_from(before)
        .map_err(|_| Problem::parameter("before", "before is not negative"))?;
    let limit = limit(query, 50)?;
    let kept = scene
        .sources
        .past
        .actions(position.as_ref(), Some(before), limit);
    let (rows, more) =
        kept.unwrap_or_else(|| scene.log.page(position.as_ref(), Some(before), limit));
    Ok(view::Actions {
        version: scene.version,
        rows,
        more,
    })
}

fn status(api: &Api, scene: &Scene) -> view::StatusView {
    let (picture, sources) = (&scene.picture, &scene.sources);
    let status = &picture.status;
    let (slot_age_ms, config) = (scene.slot_age_ms(), &sources.config);
    let sol = |lamports: u64| view::text::amount(lamports, 9);
    let overrides: Vec<view::Override> = scene
        .overrides
        .newest()
        .take(20)
        .map(|held| scene.shown_override(held))
        .collect();
    let mut counts = view::Counts {
        positions: status.positions,
        in_flight: status.in_flight,
        waiting: status.waiting,
        ..view::Counts::default()
    };
    for position in picture
        .markets
        .values()
        .flat_map(|market| market.positions.iter())
    {
        match position.found {
            Found::Nothing => {}
            Found::Due(_) => counts.due += 1,
            Found::Blocked(_) => counts.blocked += 1,
        }
    }
    let fresh = slot_age_ms <= BLIND_MS;
    view::StatusView {
        api: "1",
        version: scene.version,
        now: now(),
        slot: status.slot,
        slot_age_ms,
        keeper: view::KeeperView {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("BALLAST_COMMIT").unwrap_or("unknown"),
            instance: api.instance.clone(),
            pubkey: picture.keeper.to_string(),
            cluster: cluster(&sources.genesis_hash.to_string()).to_owned(),
            genesis_hash: sources.genesis_hash.to_string(),
            started_secs: api.started_secs,
            mode: scene.standing.mode.name().to_owned(),
            mode_reason: scene.standing.reason.clone(),
            heartbeat_ms: HEARTBEAT_MS,
            journal: view::JournalView {
                state: if sources.control.broken().is_some() {
                    "failed"
                } else {
                    "ok"
                },
                records: scene.log.sequence,
                last_secs: scene.log.last_secs,
            },
            wallet: view::WalletView {
                sol: status.lamports.map(sol),
                low_below: sol(config.fees.warn_below_lamports),
            },
        },
        stream: view::StreamView {
            state: if !fresh {
                "stalled"
            } else if picture.streams {
                "live"
            } else {
                "polling"
            },
            lag_ms: slot_age_ms,
        },
        endpoints: vec![view::EndpointView {
            name: "rpc-1".to_owned(),
            state: if fresh { "ok" } else { "behind" },
            slot: status.slot,
            latency_ms: None,
        }],
        counts,
        red_flags: view::RedFlags {
            raised: scene.raised(),
            of: scene.flags.len(),
            reduce_at: sources.flags.reduce_at(),
        },
        overrides: overrides.into_iter().rev().collect(),
        markets: picture
            .markets
            .iter()
            .map(|(address, market)| {
                let tokens = scene.tokens(market);
                let newest = market.newest.as_deref();
                let scale = newest.map(view::scale);
                view::MarketName {
                    price: newest
                        .and_then(|newest| Some(scale?.price(newest.oracle_sqrt_price().ok()?))),
                    pool_price: newest
                        .and_then(|newest| Some(scale?.price(newest.pool.sqrt_price))),
                    positions: market.positions.len(),
                    market: address.to_string(),
                    name: format!("{}/{}", tokens.base, tokens.quote),
                    base: tokens.base.to_owned(),
                    quote: tokens.quote.to_owned(),
                    stage: market
                        .newest
                        .as_ref()
                        .map_or(0, |newest| newest.market.stage.stage),
                }
            })
            .collect(),
        explorer: config.api.explorer.clone(),
    }
}

/// A cluster's name, by its genesis hash.
fn cluster(genesis_hash: &str) -> &'static str {
    match genesis_hash {
        "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d" => "mainnet",
        "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG" => "devnet",
        "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY" => "testnet",
        _ => "local",
    }
}

/// The book's and one position's liquidity by price. What others hold away from the price is not read.
fn liquidity(
    scene: &Scene,
    address: &Pubkey,
    market: &MarketPicture,
    query: &Query,
) -> Result<view::LiquidityView, Problem> {
    let newest = snapshot(market)?;
    let one = query
        .get("position")
        .map(|text| scene.position(text))
        .transpose()?;
    let one = one.map(|(_, position)| position.address);
    let scale = view::scale(newest);
    let oracle = newest.oracle_sqrt_price().ok();
    let at = newest.pool.sqrt_price;
    let lines: Vec<_> = scene
        .known()
        .iter()
        .filter(|known| known.market == *address)
        .filter_map(|known| known.line)
        .collect();
    let middle = at.tick().get().div_euclid(BIN_TICKS);
    let mut bins = Vec::new();
    // Worth of so much liquidity in a bin, at the pool's price.
    let worth = |liquidity: u128, bin: &Band| {
        let amounts = bin.amounts_down(liquidity, at).unwrap_or_default();
        let base = scale.base(amounts.base as f64) * scale.price(at);
        base + scale.quote(amounts.quote as f64)
    };
    for index in middle - BINS..=middle + BINS {
        let ends = [index * BIN_TICKS, (index + 1) * BIN_TICKS].map(Tick::new);
        let [Ok(low), Ok(high)] = ends else { continue };
        let Ok(bin) = Band::new(low, high) else {
            continue;
        };
        let within = |line: &view::Line| {
            let band = &line.model.band;
            let lower = band.sqrt_lower().max(bin.sqrt_lower());
            let upper = band.sqrt_upper().min(bin.sqrt_upper());
            let part = (lower < upper).then(|| Band::from_sqrt_prices(lower, upper).ok());
            part.flatten()
                .map_or(0.0, |part| worth(line.model.liquidity, &part))
        };
        let book: f64 = lines.iter().map(within).sum();
        let position: f64 = lines
            .iter()
            .filter(|line| Some(line.address) == one)
            .map(within)
            .sum();
        // Only what is active now is known of the rest.
        let pool = if index == middle {
            worth(newest.pool.liquidity, &bin)
        } else {
            book
        };
        let cents = |value: f64| (value * 100.0).round() / 100.0;
        bins.push([
            scale.price(bin.sqrt_lower()),
            scale.price(bin.sqrt_upper()),
            cents(pool.max(book)),
            cents(book),
            cents(position),
        ]);
    }
    let now = scale.price(at);
    let depth = [-500, -200, -100, 100, 200, 500].map(|move_bps| {
        let to = now * (1.0 + f64::from(move_bps) / 1e4);
        let (low, high) = if to < now { (to, now) } else { (now, to) };
        let part = |bin: &[f64; 5]| {
            let [from, until, pool, ..] = *bin;
            let overlap = high.min(until) - low.max(from);
            if overlap > 0.0 {
                pool * overlap / (until - from)
            } else {
                0.0
            }
        };
        view::DepthMove {
            move_bps,
            value: (bins.iter().map(part).sum::<f64>() * 100.0).round() / 100.0,
        }
    });
    let share = |of: usize| {
        let bin = bins.iter().find(|bin| bin[0] <= now && now < bin[1]);
        bin.map_or(0, |bin| {
            let (part, whole) = (bin.get(of).copied().unwrap_or(0.0), bin[2]);
            if whole > 0.0 {
                (part / whole * 1e4).round() as u32
            } else {
                0
            }
        })
    };
    Ok(view::LiquidityView {
        version: scene.version,
        state: Known::Unknown,
        price: oracle.map(|oracle| scale.price(oracle)),
        fields: ["from", "to", "pool", "book", "position"]
            .map(str::to_owned)
            .into(),
        unit: scene.tokens(market).quote.to_owned(),
        share_bps: view::ShareBps {
            book: share(3),
            position: share(4),
        },
        bins,
        depth: depth.into(),
    })
}
