//! From a request to its answer.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};
use serde::Serialize;

use super::{files, metrics, problem::Problem, reads, server::Api, stream, writes};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a request.
pub(super) async fn answer(State(api): State<Arc<Api>>, request: Request) -> Response {
    let mut response = match respond(&api, request).await {
        Ok(response) => response,
        Err(problem) => problem.response(),
    };
    api.count(response.status());
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (
            axum::http::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            axum::http::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn respond(api: &Arc<Api>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    api.guard.admit(&parts.uri, &parts.headers)?;
    let path = parts.uri.path().to_owned();
    let Some(within) = path.strip_prefix("/api/") else {
        require(&parts.method, &[Method::GET, Method::HEAD])?;
        return match path.as_str() {
            "/healthz" => Ok(text("text/plain; charset=utf-8", "ok\n")),
            "/readyz" => Ok(api.ready()),
            "/metrics" => {
                api.guard.admit_reader(&parts.headers)?;
                Ok(text(
                    "text/plain; version=0.0.4; charset=utf-8",
                    &metrics::text(api),
                ))
            }
            path => files::answer(path, &parts.headers),
        };
    };
    let segments: Vec<&str> = within.split('/').collect();
    let Some((&"v1", route)) = segments.split_first() else {
        return Err(Problem::not_found(&path));
    };
    if let ["overrides"] | ["overrides", "preview"] = route
        && parts.method == Method::POST
    {
        api.guard.admit_writer(&parts.headers)?;
        return writes::answer(api, route.len() == 2, &parts.headers, body).await;
    }
    let allowed: &[Method] = match route {
        ["overrides", "preview"] => &[Method::POST],
        ["overrides"] => &[Method::GET, Method::HEAD, Method::POST],
        _ => &[Method::GET, Method::HEAD],
    };
    require(&parts.method, allowed)?;
    api.guard.admit_reader(&parts.headers)?;
    if route == ["events"] {
        return stream::answer(api, &parts.headers);
    }
    let query = query(parts.uri.query().unwrap_or_default());
    let scene = api.scene()?;
    let tag = format!("\"{}-{}\"", api.instance, scene.version);
    if matches(&parts.headers, &tag) {
        reads::exists(&scene, route, &path)?;
        return Ok(not_modified(&tag));
    }
    let route: Vec<String> = route.iter().map(|part| (*part).to_owned()).collect();
    // Readers together take no more than their share of the machine.
    let turn = api.turns.acquire().await;
    let api = Arc::clone(api);
    let answered = tokio::task::spawn_blocking(move || {
        let route: Vec<&str> = route.iter().map(String::as_str).collect();
        reads::answer(&api, &scene, &route, &query, &path)
    });
    let answered = answered.await;
    drop(turn);
    let body = answered.map_err(|error| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "broken",
            format!("the answer could not be made ({error}); please report this"),
        )
    })??;
    let mut response = bytes(StatusCode::OK, "application/json", body);
    insert_tag(&mut response, &tag);
    Ok(response)
}

fn require(method: &Method, allowed: &[Method]) -> Result<(), Problem> {
    if allowed.contains(method) {
        return Ok(());
    }
    let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    Err(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{ALLOW}: {}", names.join(", ")),
    ))
}

/// A query's parameters; of several of one name the last.
fn query(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// Whether a reader has that version already.
pub(super) fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(IF_NONE_MATCH).iter();
    given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == tag)
}

pub(super) fn not_modified(tag: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    insert_tag(&mut response, tag);
    response
}

pub(super) fn insert_tag(response: &mut Response, tag: &str) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
}

pub(super) fn bytes(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn text(kind: &'static str, text: &str) -> Response {
    bytes(StatusCode::OK, kind, text.to_owned())
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // What these types are written as cannot fail.
    let body = serde_json::to_vec(value).unwrap_or_default();
    bytes(status, "application/json", body)
}
