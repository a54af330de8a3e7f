//! `/metrics`, as Prometheus reads it: base units, nothing per position, so that a large book costs no more than a small one.

mod hedge;
mod history;
mod markets;
mod outside;
mod shards;
mod text;

use ballast_view::FlagState;

use super::{scene::Scene, server::Api};
use crate::{control::Mode, picture::Found};
use hedge::hedge;
use history::history;
use markets::{contingency, markets};
use shards::shards;
use text::Text;

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
    outside::requests(&mut text, &api.sources.nodes);
    let engine = api.sources.bundles.as_ref();
    outside::bundles(&mut text, engine.map(|lane| lane.traffic()));
    let scene = api.any_scene();
    if let Some(scene) = &scene {
        keeper(&mut text, scene);
        markets(&mut text, scene);
        flags(&mut text, scene);
        contingency(&mut text, api, scene);
        if let Some(now) = &scene.hedge {
            hedge(&mut text, now);
        }
    }
    history(&mut text, api.sources.past.health().as_ref());
    // Who sends nothing takes no part in a group.
    let group = api.sources.shards.now().filter(|_| mode.sends());
    let pictures = scene
        .iter()
        .flat_map(|scene| scene.picture.markets.values());
    let positions = pictures.flat_map(|market| market.positions.iter());
    shards(
        &mut text,
        group.as_ref(),
        positions.map(|position| position.address),
    );
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
