//! Positions, actions and a position's history: as they are sorted, filtered and cut.

use ballast_view::{self as view, Known};
use solana_sdk::pubkey::Pubkey;

use super::query::{Query, limit, number};
use crate::{
    api::{
        problem::Problem,
        scene::{Scene, Sort, snapshot},
    },
    picture::MarketPicture,
};

pub(super) fn positions(scene: &Scene, query: &Query) -> Result<view::Positions, Problem> {
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

pub(super) fn history(
    scene: &Scene,
    address: &str,
    query: &Query,
) -> Result<view::History, Problem> {
    let (market, position) = scene.position(address)?;
    let (from, to) = span(market, query)?;
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

/// Of the market's perpetual, since when it is known what it has earned.
pub(super) fn hedge_history(
    scene: &Scene,
    address: &str,
    query: &Query,
) -> Result<view::HedgeHistory, Problem> {
    let (address, market) = scene.market(address)?;
    let (from, to) = span(market, query)?;
    let past = &scene.sources.past;
    let hedge = scene.hedge.as_deref();
    let found = hedge.and_then(|now| Some((now, now.of_market(&address)?)));
    let points = found.and_then(|(now, (coin, _))| past.hedge_points(now, coin, from, to));
    Ok(view::HedgeHistory {
        version: scene.version,
        state: if points.is_some() {
            Known::Known
        } else {
            Known::Unknown
        },
        venue: found.map(|(now, _)| now.venue.clone()),
        instrument: found.map(|(_, (coin, _))| coin.to_owned()),
        observed_from_secs: found.and_then(|(_, (_, perp))| perp.began_secs),
        step_secs: past.step_secs(),
        fields: past
            .hedge_fields()
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
        rows: points.unwrap_or_default(),
    })
}

/// From when to when, by default the last three days.
fn span(market: &MarketPicture, query: &Query) -> Result<(i64, i64), Problem> {
    let now_secs = snapshot(market)?.now_secs;
    let from = number(query, "from", now_secs.saturating_sub(3 * 86_400))?;
    let to = number(query, "to", i64::MAX)?;
    if from > to {
        return Err(Problem::parameter("from", "from comes before to"));
    }
    Ok((from, to))
}

pub(super) fn actions(scene: &Scene, query: &Query) -> Result<view::Actions, Problem> {
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
