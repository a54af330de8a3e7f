//! Yellowstone's gRPC service.

mod messages;

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use ballast_client::{Endpoint, HIDDEN, Pubkey};
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tonic::{Code, Status};
use yellowstone_grpc_client::{
    ClientTlsConfig, GeyserGrpcBuilder, GeyserGrpcClient, GeyserGrpcClientError, GeyserStream,
    SubscribeRequestSink,
};
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, SubscribeUpdate, subscribe_update::UpdateOneof,
};

use crate::{
    Feed, FeedError, Limits, SUBSCRIBE_WITHIN, Update, Updates, Wanted,
    queue::{Inlet, Outlet, queue},
};
use messages::{pong, request, updates, weight};

/// An account may have 10 MiB.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// How long a service may take to say what it is.
pub const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// What a service said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcSeen {
    /// Its version, as it writes it.
    pub version: String,
    /// The confirmed slot that it has come to.
    pub slot: u64,
}

/// How HTTP/2 notices that the other side is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// How often it is asked.
    pub every: Duration,
    /// Within which it has to answer.
    pub within: Duration,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5),
            within: Duration::from_secs(5),
        }
    }
}

/// What a service asks of those whom it serves. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// From the text of a file; spaces around it do not count.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// A Yellowstone gRPC service.
#[derive(Clone, Debug)]
pub struct Grpc {
    endpoint: Endpoint,
    token: Option<Token>,
    limits: Limits,
    keep_alive: KeepAlive,
}

impl Grpc {
    /// The service at this address, which may want a token.
    pub fn new(endpoint: Endpoint, token: Option<Token>) -> Self {
        Self {
            endpoint,
            token,
            limits: Limits::default(),
            keep_alive: KeepAlive::default(),
        }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With another keep-alive.
    #[must_use]
    pub fn with_keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// A text that the service or a library wrote, without secrets.
    fn hide(&self, text: &str) -> String {
        let text = self.endpoint.hide(text);
        match &self.token {
            Some(Token(token)) if !token.is_empty() => text.replace(token.as_str(), HIDDEN),
            _ => text,
        }
    }

    fn said(&self, status: &Status) -> String {
        let said = format!("{:?}: {}", status.code(), status.message());
        self.hide(&said)
    }

    async fn connect(&self) -> Result<GeyserGrpcClient, FeedError> {
        let endpoint = self.label();
        let cannot_connect = |error: &dyn std::error::Error| FeedError::Connect {
            endpoint: endpoint.clone(),
            reason: self.hide(&chain(error)),
        };
        let url = self.endpoint.expose();
        let builder = GeyserGrpcBuilder::from_shared(url.to_owned());
        let mut builder = builder
            .map_err(|error| cannot_connect(&error))?
            .connect_timeout(SUBSCRIBE_WITHIN)
            .http2_keep_alive_interval(self.keep_alive.every)
            .keep_alive_timeout(self.keep_alive.within)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        if url.starts_with("https://") {
            let roots = ClientTlsConfig::new().with_enabled_roots();
            builder = builder.tls_config(roots).map_err(|e| cannot_connect(&e))?;
        }
        let token = self.token.as_ref().map(|token| token.0.as_str());
        let builder = builder.x_token(token).map_err(|_| FeedError::Connect {
            endpoint: endpoint.clone(),
            reason: "the token has characters that no header may have".into(),
        })?;
        builder.connect().await.map_err(|e| cannot_connect(&e))
    }

    async fn open(
        &self,
        wanted: &[Wanted],
    ) -> Result<(SubscribeRequestSink, GeyserStream), FeedError> {
        let mut client = self.connect().await?;
        let subscribed = client.subscribe_with_request(Some(request(wanted))).await;
        subscribed.map_err(|error| FeedError::Subscribe {
            endpoint: self.label(),
            reason: match &error {
                GeyserGrpcClientError::TonicStatus(status) => self.said(status),
                other => self.hide(&chain(other)),
            },
        })
    }

    /// Asks it which version it is and where it is, within [`LOOK_WITHIN`].
    ///
    /// # Errors
    /// [`FeedError`]; [`FeedError::Unauthenticated`] where it wants a token, or another one.
    pub async fn look(&self) -> Result<GrpcSeen, FeedError> {
        let looking = async {
            let mut client = self.connect().await?;
            let refused = |error: GeyserGrpcClientError| self.refused(&error);
            let version = client.get_version().await.map_err(refused)?.version;
            let commitment = Some(CommitmentLevel::Confirmed);
            let slot = client.get_slot(commitment).await.map_err(refused)?.slot;
            Ok(GrpcSeen { version, slot })
        };
        let looked = timeout(LOOK_WITHIN, looking).await;
        looked.unwrap_or_else(|_| {
            Err(FeedError::Connect {
                endpoint: self.label(),
                reason: format!("no answer within {} s", LOOK_WITHIN.as_secs()),
            })
        })
    }

    fn refused(&self, error: &GeyserGrpcClientError) -> FeedError {
        let endpoint = self.label();
        match error {
            GeyserGrpcClientError::TonicStatus(status) => {
                let reason = self.said(status);
                match status.code() {
                    Code::Unauthenticated | Code::PermissionDenied => {
                        FeedError::Unauthenticated { endpoint, reason }
                    }
                    _ => FeedError::Ended { endpoint, reason },
                }
            }
            other => FeedError::Connect {
                endpoint,
                reason: self.hide(&chain(other)),
            },
        }
    }

    /// Puts in what comes until nobody reads it or the stream ends.
    async fn read(
        self,
        mut requests: SubscribeRequestSink,
        mut stream: GeyserStream,
        inlet: Inlet<SubscribeUpdate>,
    ) {
        loop {
            let message = tokio::select! {
                () = inlet.closed() => return,
                message = stream.next() => message,
            };
            match message {
                Some(Ok(update)) => {
                    if matches!(update.update_oneof, Some(UpdateOneof::Ping(_))) {
                        // Balancers end connections on which only one side speaks.
                        let _ = requests.send(pong()).await;
                    }
                    let bytes = weight(&update);
                    if inlet.put(update, bytes).is_err() {
                        return;
                    }
                }
                Some(Err(status)) => {
                    let (endpoint, reason) = (self.label(), self.said(&status));
                    return inlet.end(FeedError::Ended { endpoint, reason });
                }
                None => return,
            }
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = error.source();
    }
    said
}

#[async_trait]
impl Feed for Grpc {
    fn label(&self) -> String {
        self.endpoint.to_string()
    }

    async fn subscribe(&self, wanted: &[Wanted]) -> Result<Box<dyn Updates>, FeedError> {
        let opened = timeout(SUBSCRIBE_WITHIN, self.open(wanted)).await;
        let (requests, stream) = opened.unwrap_or_else(|_| {
            Err(FeedError::TooSlow {
                endpoint: self.label(),
                secs: SUBSCRIBE_WITHIN.as_secs(),
            })
        })?;
        let (inlet, outlet) = queue(self.label(), self.limits);
        tokio::spawn(self.clone().read(requests, stream, inlet));
        Ok(Box::new(Told {
            outlet,
            markets: wanted.iter().map(|wanted| wanted.market).collect(),
            more: VecDeque::new(),
        }))
    }
}

struct Told {
    outlet: Outlet<SubscribeUpdate>,
    markets: Arc<[Pubkey]>,
    /// A message may be of more than one market.
    more: VecDeque<Update>,
}

#[async_trait]
impl Updates for Told {
    async fn next(&mut self) -> Result<Update, FeedError> {
        loop {
            if let Some(update) = self.more.pop_front() {
                return Ok(update);
            }
            let message = self.outlet.next().await?;
            self.more.extend(updates(message, &self.markets));
        }
    }
}
