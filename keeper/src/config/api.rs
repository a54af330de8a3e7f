//! The HTTP interface.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require, invalid};

/// Where the keeper answers, and whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// Address and port; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether that may be an address that others reach.
    pub allow_remote: bool,
    /// Names, with their port unless it is the usual one, by which a proxy is asked for this keeper.
    pub hosts: Vec<String>,
    /// File with the token that readers need; `None`: whoever reaches it may read.
    pub read_token: Option<PathBuf>,
    /// Where a transaction is shown: a template with `{signature}`.
    pub explorer: Option<String>,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawApi {
    listen: Option<String>,
    allow_remote: bool,
    hosts: Vec<String>,
    read_token: Option<PathBuf>,
    explorer: Option<String>,
}

impl TryFrom<RawApi> for Api {
    type Error = ConfigError;

    fn try_from(raw: RawApi) -> Result<Self, ConfigError> {
        let listen = raw.listen.map(|text| {
            text.parse().map_err(|_| {
                invalid(
                    "api.listen",
                    format!("`{text}` is no address with a port"),
                    "write 127.0.0.1:9464, or leave it out for no interface",
                )
            })
        });
        Ok(Self {
            listen: listen.transpose()?,
            allow_remote: raw.allow_remote,
            hosts: raw.hosts,
            read_token: raw.read_token,
            explorer: raw.explorer,
        })
    }
}

impl Api {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let remote = self.listen.is_some_and(|listen| !listen.ip().is_loopback());
        require(
            !remote || self.allow_remote,
            "api.listen",
            "is an address that others reach",
            "use 127.0.0.1, or set allow_remote = true with a read_token and a proxy with TLS before it",
        )?;
        require(
            !remote || self.read_token.is_some(),
            "api.read_token",
            "is missing, so that whoever reaches the address could read everything",
            "name a file with a token, or listen on 127.0.0.1",
        )?;
        require(
            self.hosts.iter().all(|host| {
                let name =
                    |letter: char| letter.is_ascii_alphanumeric() || "-.:[]".contains(letter);
                !host.is_empty() && host.chars().all(name)
            }),
            "api.hosts",
            "holds what is no host name",
            "write names as they stand in the browser's address bar, without http:// and path",
        )?;
        require(
            self.explorer.as_ref().is_none_or(|template| {
                template.starts_with("https://") && template.contains("{signature}")
            }),
            "api.explorer",
            "is no template of an address",
            "write https://…{signature}…, or leave it out",
        )
    }
}
