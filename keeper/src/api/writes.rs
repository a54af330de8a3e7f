//! Overrides, and what they would do.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use ballast_view as view;
use serde_json::Value;
use solana_sdk::pubkey::Pubkey;

use super::{
    guard::{MOST_BYTES, too_large},
    problem::Problem,
    route::json,
    scene::Scene,
    server::Api,
};
use crate::control::{
    InFlight, Preview, Request, Scope,
    preview::{Boundary, Equity, Facts, Risk},
    subject,
};

/// `POST /overrides` and `POST /overrides/preview`.
pub(super) async fn answer(
    api: &Arc<Api>,
    preview: bool,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = axum::body::to_bytes(body, MOST_BYTES)
        .await
        .map_err(|_| too_large())?;
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("the body is no JSON: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "not_json", message)
    })?;
    let scene = api.scene()?;
    if preview {
        return previewed(api, scene, &body).await;
    }
    let key = headers.get("idempotency-key").map(|key| {
        key.to_str().map_err(|_| {
            let message = "an Idempotency-Key is plain text";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_field", message)
                .of("Idempotency-Key")
        })
    });
    let request = Request::parse(&body, way(headers), key.transpose()?)?;
    if let Scope::Position { position } = request.scope {
        scene.position(&position.to_string())?;
    }
    let control = api.sources.control.clone();
    let applied = control.apply(request).await?;
    // What is read from now on shows it.
    api.renew();
    let scene = api.scene()?;
    let flights = applied.in_flight.iter().map(|flight| shown(&scene, flight));
    let answer = view::AppliedOverride {
        entry: scene.shown_override(&applied.entry),
        in_flight: flights.collect(),
    };
    Ok(json(StatusCode::CREATED, &answer))
}

/// By which way a request came, as it says itself; whoever has the token may say so.
fn way(headers: &HeaderMap) -> &'static str {
    let agent = headers.get("user-agent").map(|agent| agent.as_bytes());
    match agent {
        Some(agent) if agent.starts_with(b"ballast-cli/") => "cli",
        _ => "dashboard",
    }
}

async fn previewed(api: &Arc<Api>, scene: Arc<Scene>, body: &Value) -> Result<Response, Problem> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let (scope, verb) = subject(text("scope"), text("position"), text("mode"))?;
    if let Scope::Position { position } = scope {
        scene.position(&position.to_string())?;
    }
    let control = api.sources.control.clone();
    let configured = control.configured();
    let made = tokio::task::spawn_blocking(move || {
        let flights = control.in_flight();
        let facts = scene.known().iter().map(|known| Facts {
            position: known.position.address,
            number: known.position.position.id,
            market: known.market,
            quote_mint: quote(&scene, &known.market).0,
            equity: known.line.as_ref().map_or(0, |line| line.value.equity()),
            due: scene.verdict(&known.position) == view::Verdict::Act,
            nearest: known
                .line
                .as_ref()
                .and_then(|line| line.nearest)
                .map(|nearest| Boundary {
                    below: nearest.side == view::SideOfPrice::Lower,
                    distance_bps: nearest.distance_bps,
                    sigma_days: Some(nearest.sigma_days),
                }),
        });
        let preview = Preview::new(scope, verb, configured, &scene.standing, facts, &flights);
        (scene, preview)
    });
    let made = made.await.ok();
    let Some((scene, Some(preview))) = made else {
        return Err(Problem::not_found("/api/v1/overrides/preview"));
    };
    let (equity, market) = match preview.equity {
        Equity::Nothing => (Some("0".to_owned()), None),
        Equity::Of { market, raw, .. } => {
            let text = view::text::signed_amount(raw, quote(&scene, &market).1);
            (Some(text), Some(market.to_string()))
        }
        Equity::SeveralTokens => (None, None),
    };
    let nearest = preview.nearest;
    let shown = view::Preview {
        effect: preview.effect,
        risk: match preview.risk {
            Risk::Raises => view::Risk::Raises,
            Risk::Lowers => view::Risk::Lowers,
            Risk::Restores => view::Risk::Restores,
        },
        positions: preview.positions,
        equity,
        market,
        due_now: preview.due_now,
        within_one_sigma_day: preview.within_one_sigma_day,
        nearest: view::PreviewNearest {
            id: nearest.map(|nearest| nearest.number),
            market: nearest.map(|nearest| nearest.market.to_string()),
            side: nearest.map(|nearest| {
                if nearest.boundary.below {
                    view::SideOfPrice::Lower
                } else {
                    view::SideOfPrice::Upper
                }
            }),
            distance_bps: nearest.map(|nearest| nearest.boundary.distance_bps),
            sigma_days: nearest.and_then(|nearest| nearest.boundary.sigma_days),
        },
        in_flight: preview
            .in_flight
            .iter()
            .map(|flight| shown(&scene, flight))
            .collect(),
    };
    Ok(json(StatusCode::OK, &shown))
}

/// Mint and decimals of a market's quote token.
fn quote(scene: &Scene, market: &Pubkey) -> (Pubkey, u8) {
    scene
        .picture
        .markets
        .get(market)
        .map(|market| &market.context.market)
        .map_or_else(Default::default, |stored| {
            (stored.quote_mint, stored.quote_decimals)
        })
}

/// What cannot be called back.
fn shown(scene: &Scene, flight: &InFlight) -> view::InFlight {
    let found = scene.picture.position(&flight.position);
    view::InFlight {
        id: flight.id,
        position: flight.position.to_string(),
        number: found.map(|(_, found)| found.position.id),
        market: found.map(|(market, _)| market.context.address.to_string()),
        action: flight.action,
        signature: flight.signature.to_string(),
    }
}
