//! Logs for people or machines, to standard error.

use std::io::{self, IsTerminal};

use thiserror::Error;
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
    registry::LookupSpan,
    util::{SubscriberInitExt, TryInitError},
};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Logging was set up already.
#[derive(Debug, Error)]
#[error("logging is set up twice in this process: {0}")]
pub struct LoggingError(#[from] TryInitError);

/// Libraries that log requests together with the URLs they go to: the keys of providers are parts of those.
const TALKATIVE: [&str; 12] = [
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "reqwest_middleware",
    "rustls",
    "solana_client",
    "solana_pubsub_client",
    "solana_rpc_client",
    "tokio_tungstenite",
    "tonic",
    "tungstenite",
];

/// Whether what a part of the process logs may be shown.
fn is_shown(target: &str, level: Level) -> bool {
    let library = target.split("::").next().unwrap_or_default();
    level <= Level::WARN || !TALKATIVE.contains(&library)
}

/// Begins to log. What is logged follows the environment variable `RUST_LOG`; without it, everything from `info` on. Of what
/// libraries log about single requests nothing is shown, because keys would be in it.
///
/// # Errors
/// [`LoggingError`].
pub fn init(format: LogFormat) -> Result<(), LoggingError> {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = wanted.and(filter_fn(|metadata| {
        is_shown(metadata.target(), *metadata.level())
    }));
    let lines = lines(format, io::stderr, io::stderr().is_terminal());
    registry().with(lines.with_filter(filter)).try_init()?;
    Ok(())
}

/// Lines of that look. What belongs to an action names it: in JSON as `span`, with the number of its intent.
pub(crate) fn lines<S, W>(
    format: LogFormat,
    writer: W,
    ansi: bool,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(ansi);
    match format {
        LogFormat::Human => layer.boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_requests_of_libraries_are_not_shown() {
        assert!(is_shown("ballast_keeper::events", Level::TRACE));
        assert!(is_shown("tungstenite::handshake", Level::WARN));
        for target in [
            "tungstenite::handshake::client",
            "reqwest::connect",
            "hyper",
        ] {
            assert!(!is_shown(target, Level::INFO), "{target}");
        }
    }
}
