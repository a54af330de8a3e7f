//! Options of every command.

use std::{env, fmt, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, anyhow, ensure};
use ballast_client::{Cluster, Keypair, parse_cluster};
use clap::{ArgMatches, Args, parser::ValueSource};

use crate::trouble::misuse;
use crate::{node_url::UrlParser, study::Invocation};

/// Over these options in the help of every command.
const HEADING: &str = "Global options";

/// Where the cluster is, and who signs.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// Cluster: localnet, devnet, testnet, mainnet, or the URL of an RPC node
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BALLAST_URL",
        hide_env_values = true,
        default_value = "localnet",
        value_name = "URL",
        value_parser = UrlParser
    )]
    pub url: Endpoint,
    /// Websocket of the node; by default derived from --url
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BALLAST_WS_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub ws_url: Option<ballast_client::Endpoint>,
    /// Key that signs and pays, a JSON array of 64 numbers [default: ~/.config/solana/id.json]
    #[arg(long, global = true, help_heading = HEADING, env = "BALLAST_KEYPAIR", value_name = "FILE")]
    pub keypair: Option<PathBuf>,
    /// One line of JSON instead of text
    #[arg(long, global = true, help_heading = HEADING)]
    pub json: bool,
    /// Send without asking; without a terminal to ask on nothing is sent otherwise
    #[arg(long, global = true, help_heading = HEADING)]
    pub yes: bool,
    /// Tables with whole addresses and every digit, however wide they get
    #[arg(long, global = true, help_heading = HEADING)]
    pub wide: bool,
    /// Which of [`ENDPOINTS_AND_KEY`] stand on the command line.
    #[arg(skip)]
    pub given: Vec<Configured>,
    /// The command's words, with a space before each.
    #[arg(skip)]
    pub command: String,
    /// The whole command line.
    #[arg(skip)]
    pub invocation: Invocation,
}

/// An option, and the key of a keeper's configuration that takes its place.
pub type Configured = (&'static str, &'static str);

/// Options that a configuration has for itself, by the names of their fields.
const ENDPOINTS_AND_KEY: [(&str, Configured); 3] = [
    ("url", ("--url", "rpc_url")),
    ("ws_url", ("--ws-url", "ws_url")),
    ("keypair", ("--keypair", "keypair")),
];

/// An RPC node.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Cluster);

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.url(), f)
    }
}

impl Endpoint {
    /// Its URL.
    pub fn url(&self) -> ballast_client::Endpoint {
        self.0.url().into()
    }

    /// Whether it is this machine.
    pub fn is_local(&self) -> bool {
        let url = self.0.url();
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|local| host.starts_with(local))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_cluster(text).map(Self)
    }
}

impl Globals {
    /// Keeps in mind which options stand on the command line; the environment may hold them for other commands.
    pub fn note_given(&mut self, matches: &ArgMatches) {
        let given = |field: &str| matches.value_source(field) == Some(ValueSource::CommandLine);
        let options = ENDPOINTS_AND_KEY.iter();
        self.given = options
            .filter(|(field, _)| given(field))
            .map(|(_, option)| *option)
            .collect();
    }

    /// Refuses endpoints and key on the command line of `command`, which has them from its configuration.
    ///
    /// # Errors
    /// Each of them that was given, and what to do instead.
    pub fn require_left_to(&self, config: &std::path::Path, command: &str) -> Result<()> {
        let instead = |(option, key): &Configured| {
            format!(
                "leave {option} out, `{key}` in {} decides",
                config.display()
            )
        };
        let instead: Vec<_> = self.given.iter().map(instead).collect();
        ensure!(
            instead.is_empty(),
            misuse!(
                "`{command}` takes endpoints and key from its configuration (--config): {}",
                instead.join(", ")
            )
        );
        Ok(())
    }

    /// The websocket to use: the one given, else the node's by convention.
    pub fn websocket(&self) -> ballast_client::Endpoint {
        self.ws_url
            .clone()
            .unwrap_or_else(|| self.url.0.ws_url().into())
    }

    /// Where the signer's key lies.
    ///
    /// # Errors
    /// Without `--keypair` if there is no home directory.
    pub fn keypair_path(&self) -> Result<PathBuf> {
        match &self.keypair {
            Some(path) => Ok(path.clone()),
            None => {
                let home = env::var_os("HOME")
                    .context("no home directory to look for a key in: pass --keypair FILE")?;
                Ok(PathBuf::from(home).join(".config/solana/id.json"))
            }
        }
    }

    /// The signer's key.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn signer(&self) -> Result<Keypair> {
        read_keypair(&self.keypair_path()?, "--keypair")
    }
}

/// Reads a key; `option` is what names it.
///
/// # Errors
/// What is wrong with the file, never what is in it.
pub fn read_keypair(path: &std::path::Path, option: &str) -> Result<Keypair> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the key {}: pass {option} FILE", path.display()))?;
    // Not the parsers' own messages: they may quote the key, or say nothing ("signature error").
    let wrong = |what: String| {
        anyhow!(
            "{} is no key: {what}; pass {option} a file as `solana-keygen new` writes it, a JSON array of 64 numbers, \
             secret and public half",
            path.display()
        )
    };
    let bytes: Vec<u8> = serde_json::from_str(&text)
        .map_err(|_| wrong("it holds no JSON array of numbers from 0 to 255".into()))?;
    if bytes.len() != 64 {
        return Err(wrong(format!("it holds {} numbers", bytes.len())));
    }
    Keypair::try_from(bytes.as_slice())
        .map_err(|_| wrong("the last 32 numbers are not the public half of the first 32".into()))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (text, local) in [
            ("localnet", true),
            ("devnet", false),
            ("http://localhost:1/path", true),
            ("https://node.example/?key=1:2", false),
            ("http://[::1]:8899", true),
        ] {
            assert_eq!(endpoint(text).is_local(), local, "{text}");
        }
        let error = "moonnet".parse::<Endpoint>().unwrap_err();
        assert!(error.contains("devnet"), "{error}");
    }

    #[test]
    fn a_bad_key_is_not_quoted() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut said = |text: &str| {
            file.as_file_mut().set_len(0).unwrap();
            file.rewind().unwrap();
            write!(file, "{text}").unwrap();
            format!("{:#}", read_keypair(file.path(), "--payer").unwrap_err())
        };
        let key = Keypair::new().to_bytes();
        let mut torn = key;
        torn[32] ^= 1;
        for (text, part) in [
            ("[12,34,567]".into(), "JSON array"),
            ("secret words".into(), "JSON array"),
            (format!("{:?}", &key[..32]), "32 numbers"),
            (format!("{torn:?}"), "public half of the first 32"),
        ] {
            let error = said(&text);
            assert!(
                error.contains(part) && error.contains("64 numbers") && error.contains("--payer"),
                "{error}"
            );
            for hidden in ["567", "secret words"] {
                assert!(!error.contains(hidden), "{error}");
            }
            assert!(!error.contains(&text), "{error}");
        }
        let error = format!(
            "{:#}",
            read_keypair("/nonexistent".as_ref(), "--payer").unwrap_err()
        );
        assert!(error.contains("--payer"), "{error}");
    }
}
