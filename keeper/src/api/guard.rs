//! Who may call.
//!
//! `Host` has to be this server's: a page of somebody else whose name was made to point here is refused. `Origin`, if sent, has to
//! be this host. Changes need the token, which no browser sends by itself, and a content type that no form has. So there is no
//! right that another page could ride on.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{
    HeaderMap, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN},
};

use super::{problem::Problem, token::Token};

/// Longest body.
pub(super) const MOST_BYTES: usize = 16_384;
/// Wrong tokens in a minute.
const MOST_WRONG: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// See the module's description.
#[derive(Debug)]
pub(super) struct Guard {
    /// What `Host` may say, in small letters.
    hosts: Vec<String>,
    write: Token,
    read: Option<Token>,
    wrong: Mutex<VecDeque<Instant>>,
}

impl Guard {
    /// For a server on that port. `names` are what a proxy is asked for.
    pub fn new(port: u16, names: &[String], write: Token, read: Option<Token>) -> Self {
        let mut hosts: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        for name in ["127.0.0.1", "localhost", "[::1]"] {
            hosts.push(format!("{name}:{port}"));
            if port == 80 {
                hosts.push(name.to_owned());
            }
        }
        Self {
            hosts,
            write,
            read,
            wrong: Mutex::default(),
        }
    }

    /// What every request has to satisfy.
    pub fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(HOST).iter();
        let host = given
            .next()
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        let host = host.to_ascii_lowercase();
        let known = |host: &str| self.hosts.iter().any(|known| known == host);
        let in_uri = uri
            .authority()
            .map(|authority| authority.as_str().to_ascii_lowercase());
        if given.next().is_some()
            || !known(&host)
            || in_uri.is_some_and(|authority| authority != host)
        {
            return Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "wrong_host",
                format!(
                    "this server does not answer for `{}`: use 127.0.0.1 with its port, or add the name to api.hosts",
                    shortened(&host)
                ),
            ));
        }
        for origin in headers.get_all(ORIGIN) {
            let origin = origin.to_str().unwrap_or("null").to_ascii_lowercase();
            let own = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            if own != Some(host.as_str()) {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "wrong_origin",
                    format!(
                        "requests from {} are not served: open the keeper's own page",
                        shortened(&origin)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// What a reader has to satisfy, if there is a token for reading.
    pub fn admit_reader(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(read) = &self.read else {
            return Ok(());
        };
        let given = bearer(headers);
        if given.is_some_and(|given| read.is(given) || self.write.is(given)) {
            return Ok(());
        }
        Err(self.refuse_token(
            given.is_none(),
            "reading needs a token: have the proxy send `Authorization: Bearer …` with that of api.read_token",
        ))
    }

    /// What a change has to satisfy before its body is read.
    pub fn admit_writer(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "send Content-Type: application/json",
            ));
        }
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok());
        let length: Option<usize> = length.and_then(|length| length.parse().ok());
        if length.is_some_and(|length| length > MOST_BYTES) {
            return Err(too_large());
        }
        let given = bearer(headers);
        if given.is_some_and(|given| self.write.is(given)) {
            return Ok(());
        }
        let message = if given.is_none() {
            "overrides need the keeper's token: `ballast dashboard --config FILE` opens the page with it"
        } else {
            "this is not the keeper's token: `ballast dashboard --config FILE` opens the page with the right one"
        };
        Err(self.refuse_token(given.is_none(), message))
    }

    /// The right token is never refused, however many wrong ones came: nobody can shut the operator out.
    fn refuse_token(&self, missing: bool, message: &str) -> Problem {
        if missing {
            return Problem::new(StatusCode::UNAUTHORIZED, "no_token", message);
        }
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while wrong
            .front()
            .is_some_and(|first| now.duration_since(*first) >= MINUTE)
        {
            wrong.pop_front();
        }
        if wrong.len() >= MOST_WRONG {
            return Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_tokens",
                "ten wrong tokens in a minute: wait, then open the page anew with `ballast dashboard --config FILE`",
            )
            .again_after(60);
        }
        wrong.push_back(now);
        Problem::new(StatusCode::UNAUTHORIZED, "wrong_token", message)
    }
}

pub(super) fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "a request has at most 16 kB",
    )
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = given.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// What somebody sent, no longer than a line.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
