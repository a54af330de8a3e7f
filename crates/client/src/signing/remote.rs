//! A service on this machine that signs: `POST /sign` over HTTP, on a Unix socket or a loopback port.
//!
//! Asked is `{"address": BASE58, "message": BASE64}`, the answer is `{"signature": BASE58}`. The message is the transaction's, without
//! signatures, so that the service can look at what it signs. A signature that is not of that message by that address is refused here:
//! it would be found out only by the chain.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::TransactionSigner;

/// Longest answer that is read.
const LONGEST_ANSWER: u64 = 16_384;
/// Longest text of the service that is repeated.
const LONGEST_TEXT: usize = 200;

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerAddress {
    /// A Unix socket.
    Socket(PathBuf),
    /// A port of this machine.
    Port(SocketAddr),
}

impl SignerAddress {
    /// Reads `unix:/PATH` or `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err("names no socket"),
                _ if cfg!(unix) => Ok(Self::Socket(path.into())),
                _ => Err("is a Unix socket, which this system does not have"),
            };
        }
        let Some(host) = text.strip_prefix("http://") else {
            return Err("is neither a Unix socket nor an http address");
        };
        let host = host.trim_end_matches('/');
        let local = match host.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => host.to_owned(),
        };
        let address: SocketAddr = local.parse().map_err(|_| "is not ADDRESS:PORT")?;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => Ok(Self::Port(address)),
            IpAddr::V6(ip) if ip.is_loopback() => Ok(Self::Port(address)),
            _ => Err("is not on this machine: what is signed would be readable on the way"),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Socket(path) => format!("unix:{}", path.display()),
            Self::Port(address) => format!("http://{address}"),
        }
    }
}

/// A service, and for whom it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerConfig {
    /// Where it is.
    pub at: SignerAddress,
    /// Whose signatures it makes.
    pub address: Pubkey,
    /// A question to it ends after this.
    pub timeout: Duration,
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// No connection, or it broke.
    #[error("the signer {at} does not answer ({reason}): start it, or correct signer.url")]
    Unreachable {
        /// Where it is.
        at: String,
        /// What the transport said.
        reason: String,
    },
    /// No answer in time.
    #[error("the signer {at} has not answered within {} ms: see why, or raise signer.timeout_ms", .within.as_millis())]
    Late {
        /// Where it is.
        at: String,
        /// How long it had.
        within: Duration,
    },
    /// It does not sign that.
    #[error("the signer {at} refuses to sign: {reason}")]
    Refused {
        /// Where it is.
        at: String,
        /// What it said.
        reason: String,
    },
    /// The answer makes no sense.
    #[error("the signer {at} gave an unusable answer: {reason}")]
    BadAnswer {
        /// Where it is.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It signed something else, or with another key.
    #[error(
        "the signer {at} gave a signature that is not {address}'s of this message: correct signer.address, or the service's key"
    )]
    Wrong {
        /// Where it is.
        at: String,
        /// Whose it should be.
        address: Pubkey,
    },
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct RemoteSigner {
    config: SignerConfig,
    at: String,
}

impl RemoteSigner {
    /// Such a service. It is asked when something is to be signed.
    pub fn new(config: SignerConfig) -> Self {
        let at = config.at.name();
        Self { config, at }
    }

    async fn ask(&self, message: &[u8]) -> Result<Signature, SignError> {
        let body = json!({
            "address": self.config.address.to_string(),
            "message": STANDARD.encode(message),
        });
        let body = body.to_string();
        // HTTP/1.0: the answer comes in one piece and ends with the connection.
        let request = format!(
            "POST /sign HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = match &self.config.at {
            SignerAddress::Port(address) => {
                let stream = TcpStream::connect(address).await;
                self.exchange(stream, &request).await?
            }
            #[cfg(unix)]
            SignerAddress::Socket(path) => {
                let stream = tokio::net::UnixStream::connect(path).await;
                self.exchange(stream, &request).await?
            }
            #[cfg(not(unix))]
            SignerAddress::Socket(_) => {
                return Err(self.unreachable(&std::io::ErrorKind::Unsupported.into()));
            }
        };
        self.read(&answer)
    }

    async fn exchange(
        &self,
        stream: std::io::Result<impl AsyncRead + AsyncWrite + Unpin>,
        request: &str,
    ) -> Result<Vec<u8>, SignError> {
        let spoken = async {
            let mut stream = stream?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        spoken.await.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &std::io::Error) -> SignError {
        SignError::Unreachable {
            at: self.at.clone(),
            reason: error.to_string(),
        }
    }

    fn read(&self, answer: &[u8]) -> Result<Signature, SignError> {
        let bad = |reason: &str| SignError::BadAnswer {
            at: self.at.clone(),
            reason: reason.into(),
        };
        if answer.is_empty() {
            return Err(self.unreachable(&std::io::ErrorKind::UnexpectedEof.into()));
        }
        let text = std::str::from_utf8(answer).map_err(|_| bad("it is no text"))?;
        let (head, body) = text
            .split_once("\r\n\r\n")
            .ok_or_else(|| bad("it is no HTTP"))?;
        let status = head
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1));
        let status = status.ok_or_else(|| bad("it is no HTTP"))?;
        let body: Option<Value> = serde_json::from_str(body).ok();
        let field = |name: &str| body.as_ref()?.get(name)?.as_str();
        if status != "200" {
            let said: String = field("error")
                .unwrap_or_default()
                .chars()
                .filter(|c| !c.is_control())
                .take(LONGEST_TEXT)
                .collect();
            return Err(SignError::Refused {
                at: self.at.clone(),
                reason: format!(
                    "HTTP {}: {said}",
                    status.chars().take(3).collect::<String>()
                ),
            });
        }
        let signature = field("signature").ok_or_else(|| bad("it has no `signature`"))?;
        signature
            .parse()
            .map_err(|_| bad("its `signature` is not 64 bytes in base58"))
    }
}

#[async_trait]
impl TransactionSigner for RemoteSigner {
    fn address(&self) -> Pubkey {
        self.config.address
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let within = self.config.timeout;
        let answer = timeout(within, self.ask(message)).await;
        let signature = answer.map_err(|_| SignError::Late {
            at: self.at.clone(),
            within,
        })??;
        if signature.verify(self.config.address.as_ref(), message) {
            Ok(signature)
        } else {
            Err(SignError::Wrong {
                at: self.at.clone(),
                address: self.config.address,
            })
        }
    }
}
