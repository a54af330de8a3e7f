//! How the keeper is.

use ballast_view as view;

use crate::{
    api::{
        HEARTBEAT_MS,
        scene::{Scene, now},
        server::Api,
    },
    picture::Found,
};

/// A keeper whose newest slot is older than this sees no chain.
const BLIND_MS: u64 = 5_000;

pub(super) fn status(api: &Api, scene: &Scene) -> view::StatusView {
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
