//! The page: what was built of `keeper/dashboard`, in this program.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header::CACHE_CONTROL},
    response::Response,
};
use include_dir::{Dir, File, include_dir};
use sha2::{Digest, Sha256};

use super::{
    problem::Problem,
    route::{bytes, insert_tag, matches, not_modified},
};

static PAGE: Dir = include_dir!("$CARGO_MANIFEST_DIR/dashboard/dist");

/// A file of the page.
pub(super) fn answer(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let file = PAGE
        .get_file(name)
        .ok_or_else(|| Problem::not_found(path))?;
    let tag = tag(file);
    let mut response = if matches(headers, &tag) {
        not_modified(&tag)
    } else {
        let mut response = bytes(StatusCode::OK, kind(name), file.contents());
        insert_tag(&mut response, &tag);
        response
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Of its contents.
fn tag(file: &File) -> String {
    let hash = Sha256::digest(file.contents());
    let short: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{short}\"")
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
