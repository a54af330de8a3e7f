//! `ballast dashboard`: opens a keeper's page with the token that changes need, or says where it is.

use std::{
    fmt,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, Error, Result, anyhow};
use ballast_keeper::{
    Config,
    api::{Token, TokenError, browser},
};
use clap::Args;
use serde::Serialize;

use crate::{globals::Globals, report::Output};

/// Which keeper.
#[derive(Args, Debug)]
pub struct DashboardArgs {
    /// The keeper's configuration (TOML): it says where the keeper listens and where its token is
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Say where the page is, and do not open it; so it is anyway without a terminal or a display
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Serialize)]
struct DashboardReport {
    /// With the token, in the part that no server sees.
    url: String,
}

/// Says where the page is, and opens it where somebody sees that.
///
/// # Errors
/// A configuration without an interface, or a keeper that has not run yet.
pub fn run(args: &DashboardArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    globals.require_left_to(&args.config, "ballast dashboard")?;
    let config = Config::read(&args.config)?;
    let listen = config.api.listen.with_context(|| {
        format!(
            "{} names no address to listen at: add [api] with listen = \"127.0.0.1:9464\", and start the keeper anew",
            args.config.display()
        )
    })?;
    let path = Token::path(&config.journal_dir);
    let token = Token::read(&path).map_err(|error| match &error {
        TokenError::Io { source, .. } if source.kind() == ErrorKind::NotFound => anyhow!(
            "there is no token {}, which a keeper with an API writes when it starts: start the keeper, or name the configuration \
             that it runs with",
            path.display()
        ),
        _ => Error::from(error).context("the keeper's token cannot be read: run this as the keeper's user"),
    })?;
    let url = address(listen, token.expose());
    output.print(&DashboardReport { url: url.clone() })?;
    if !args.print && browser::is_watched() {
        browser::open(&config.journal_dir, &url)?;
    }
    Ok(())
}

/// Nobody listens at an address that stands for all of them.
fn address(listen: SocketAddr, token: &str) -> String {
    let mut listen = listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{listen}/#token={token}")
}

impl fmt::Display for DashboardReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_in_the_part_that_no_server_sees() {
        let at = |listen: &str| address(listen.parse().unwrap(), "abc");
        assert_eq!(at("127.0.0.1:9464"), "http://127.0.0.1:9464/#token=abc");
        assert_eq!(at("0.0.0.0:80"), "http://127.0.0.1:80/#token=abc");
        assert_eq!(at("[::1]:9464"), "http://[::1]:9464/#token=abc");
    }
}
