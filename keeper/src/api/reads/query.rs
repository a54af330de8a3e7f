//! What is asked for beside the path.

use std::collections::HashMap;

use crate::api::problem::Problem;

pub(in crate::api) type Query = HashMap<String, String>;

/// Most rows in an answer.
const MOST_ROWS: usize = 500;

pub(super) fn number(query: &Query, name: &'static str, default: i64) -> Result<i64, Problem> {
    match query.get(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            Problem::parameter(name, format!("{name} is a whole number, not `{text}`"))
        }),
    }
}

pub(super) fn limit(query: &Query, default: i64) -> Result<usize, Problem> {
    let limit = number(query, "limit", default)?;
    usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=MOST_ROWS).contains(limit))
        .ok_or_else(|| Problem::parameter("limit", format!("limit is 1 to {MOST_ROWS}")))
}
