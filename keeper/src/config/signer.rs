//! Who signs: a key in a file, or a service that has it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ballast_client::{SignerAddress, SignerConfig};
use serde::{Deserialize, Serialize};

use super::{ConfigError, address, check::require, invalid};

/// A service on this machine that signs. The key is never in the keeper's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSigner(pub SignerConfig);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSigner {
    url: Option<String>,
    address: Option<String>,
    timeout_ms: u64,
}

impl Default for RawSigner {
    fn default() -> Self {
        Self {
            url: None,
            address: None,
            timeout_ms: 1_000,
        }
    }
}

impl RawSigner {
    /// What it says; `None`: there is no such service.
    pub(super) fn read(self) -> Result<Option<RemoteSigner>, ConfigError> {
        let (Some(url), Some(of)) = (&self.url, &self.address) else {
            return require(
                self.url.is_none() && self.address.is_none(),
                "signer.address",
                "or signer.url is missing",
                "name both: where the service is, and whose signatures it makes",
            )
            .map(|()| None);
        };
        let at = SignerAddress::parse(url).map_err(|problem| {
            invalid(
                "signer.url",
                problem,
                "write unix:/PATH or http://127.0.0.1:PORT",
            )
        })?;
        Ok(Some(RemoteSigner(SignerConfig {
            at,
            address: address("signer.address", of)?,
            timeout: Duration::from_millis(self.timeout_ms),
        })))
    }
}

impl RemoteSigner {
    pub(super) fn relative_to(&mut self, directory: &Path) {
        if let SignerAddress::Socket(path) = &mut self.0.at {
            *path = directory.join(&path);
        }
    }

    pub(super) fn check(&self, keypair: Option<&PathBuf>) -> Result<(), ConfigError> {
        require(
            keypair.is_none(),
            "signer.url",
            "is named beside keypair",
            "leave one of them out: either a file has the key, or the service",
        )?;
        let timeout = self.0.timeout;
        require(
            (Duration::from_millis(50)..=Duration::from_secs(10)).contains(&timeout),
            "signer.timeout_ms",
            "is out of range",
            "use 50 to 10000",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "SysvarC1ock11111111111111111111111111111111";

    fn read(url: Option<&str>, address: Option<&str>) -> Result<Option<RemoteSigner>, String> {
        let raw = RawSigner {
            url: url.map(Into::into),
            address: address.map(Into::into),
            ..RawSigner::default()
        };
        raw.read().map_err(|error| error.to_string())
    }

    #[test]
    fn a_service_is_on_this_machine_and_says_whose_signatures_it_makes() {
        assert_eq!(read(None, None), Ok(None));
        let socket = read(Some("unix:signer.sock"), Some(A)).unwrap();
        let mut socket = socket.unwrap();
        socket.relative_to(Path::new("/etc/keeper"));
        let expected = SignerAddress::Socket("/etc/keeper/signer.sock".into());
        assert_eq!(socket.0.at, expected);
        assert_eq!(socket.0.address.to_string(), A);
        for url in [
            "http://127.0.0.1:7000",
            "http://[::1]:7000/",
            "http://localhost:7000",
        ] {
            assert!(read(Some(url), Some(A)).unwrap().is_some(), "{url}");
        }
        for (url, address, key) in [
            (Some("unix:x"), None, "signer.address"),
            (None, Some(A), "signer.address"),
            (Some("http://10.0.0.1:7000"), Some(A), "signer.url"),
            (Some("https://signer.example"), Some(A), "signer.url"),
            (Some("unix:"), Some(A), "signer.url"),
            (Some("unix:x"), Some("nobody"), "signer.address"),
        ] {
            let refused = read(url, address).unwrap_err();
            assert!(refused.contains(key), "{url:?}: {refused}");
        }
        let mut config = crate::sim::config(crate::Mode::Active);
        config.signer = Some(socket);
        let both = config.check().unwrap_err().to_string();
        assert!(
            both.contains("signer.url") && both.contains("keypair"),
            "{both}"
        );
        config.keypair = None;
        assert!(config.check().is_ok());
    }
}
