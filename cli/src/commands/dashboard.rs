//! `ballast dashboard`: where a keeper's page is, with the token that changes need.

use std::{
    fmt, fs,
    io::Write,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use ballast_keeper::{Config, api::Token};
use clap::Args;
use serde::Serialize;

use crate::{globals::Globals, report::Output};

/// Which keeper.
#[derive(Args, Debug)]
pub struct DashboardArgs {
    /// The keeper's configuration (TOML): it says where the keeper listens and where its token is
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Open the page in the browser, too
    #[arg(long)]
    pub open: bool,
}

#[derive(Debug, Serialize)]
struct DashboardReport {
    /// With the token, in the part that no server sees.
    url: String,
}

/// Says where the page is.
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
    let token = Token::read(&Token::path(&config.journal_dir))
        .context("there is no token to be read: is the keeper running, and are you its user?")?;
    let url = address(listen, token.expose());
    if args.open {
        open(&config.journal_dir, &url)?;
    }
    output.print(&DashboardReport { url })
}

/// Nobody listens at an address that stands for all of them.
fn address(listen: SocketAddr, token: &str) -> String {
    let mut listen = listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{listen}/#token={token}")
}

/// Opens the page by way of a file that only its owner can read: others see the command lines of browsers.
fn open(directory: &Path, url: &str) -> Result<()> {
    let path = directory.join("dashboard.html");
    // One from before may have been made for others to read.
    let _ = fs::remove_file(&path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(&path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    write!(
        file,
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=\"0;url={url}\"><title>Ballast</title>"
    )?;
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    Command::new(opener)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| {
            format!("{opener} cannot be started: open the address yourself, without --open")
        })?;
    Ok(())
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
