//! Where a keeper's journal is and where it answers, as its configuration says. Nothing else of it is looked at: a halt must not
//! fail for a key that is misspelled.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ballast_keeper::config::PREFIX;
use serde::Deserialize;

/// See the module's description.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The journal's directory.
    pub journal_dir: PathBuf,
    /// Address of the API.
    pub api: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    journal_dir: Option<PathBuf>,
    #[serde(default)]
    api: RawApi,
}

#[derive(Default, Deserialize)]
struct RawApi {
    listen: Option<String>,
}

impl Place {
    /// Of a configuration.
    ///
    /// # Errors
    /// If it cannot be read, or does not say where the journal is.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; or name --journal-dir", path.display()))?;
        let variable = |name: &str| std::env::var(format!("{PREFIX}{name}")).ok();
        Self::parse(&text, path.parent().unwrap_or(Path::new(".")), variable)
            .with_context(|| format!("in {}; or name --journal-dir", path.display()))
    }

    /// `variable`: what the environment says, over the file, as for the keeper.
    fn parse(
        text: &str,
        directory: &Path,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let Raw { journal_dir, api } = toml::from_str(text)?;
        let journal_dir = variable("JOURNAL_DIR").map(PathBuf::from).or(journal_dir);
        let journal_dir = journal_dir.context("it does not name journal_dir")?;
        let listen = variable("API__LISTEN").or(api.listen);
        Ok(Self {
            journal_dir: directory.join(journal_dir),
            api: listen.map(|listen| url(listen.trim_matches('"'))),
        })
    }
}

/// The address to ask of one that is listened on: where that is every address, this machine's own.
fn url(listen: &str) -> String {
    let Ok(mut address) = listen.parse::<SocketAddr>() else {
        return format!("http://{listen}");
    };
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_read() {
        let place = |text| Place::parse(text, Path::new("/etc/keeper"), |_| None).unwrap();
        let text = "rpc_url = 7\nmisspelled = true\njournal_dir = \"journal\"\n[api]\nlisten = \"127.0.0.1:9000\"\n";
        assert_eq!(
            place(text),
            Place {
                journal_dir: "/etc/keeper/journal".into(),
                api: Some("http://127.0.0.1:9000".into()),
            }
        );
        assert_eq!(
            place("journal_dir = \"/var/j\""),
            Place {
                journal_dir: "/var/j".into(),
                api: None,
            }
        );
        assert!(Place::parse("rpc_url = \"x\"", Path::new("."), |_| None).is_err());
    }

    #[test]
    fn the_environment_holds_over_the_file_as_for_the_keeper() {
        let variable = |name: &str| match name {
            "JOURNAL_DIR" => Some("elsewhere".into()),
            "API__LISTEN" => Some("127.0.0.1:9001".into()),
            _ => None,
        };
        for text in [
            "journal_dir = \"j\"\n[api]\nlisten = \"127.0.0.1:9000\"",
            "",
        ] {
            let place = Place::parse(text, Path::new("/etc/keeper"), variable).unwrap();
            assert_eq!(place.journal_dir, Path::new("/etc/keeper/elsewhere"));
            assert_eq!(place.api.as_deref(), Some("http://127.0.0.1:9001"));
        }
    }

    #[test]
    fn every_address_is_asked_on_this_machine() {
        for (listen, expected) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("10.0.0.1:80", "http://10.0.0.1:80"),
        ] {
            assert_eq!(url(listen), expected);
        }
    }
}
