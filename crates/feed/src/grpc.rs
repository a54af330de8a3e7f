//! Yellowstone's gRPC service.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::{Account, Endpoint, HIDDEN, Positions, Pubkey, ballast};
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tonic::{Code, Status};
use yellowstone_grpc_client::{
    ClientTlsConfig, GeyserGrpcBuilder, GeyserGrpcClient, GeyserGrpcClientError, GeyserStream,
    SubscribeRequestSink,
};
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, SlotStatus, SubscribeRequest, SubscribeRequestFilterAccounts,
    SubscribeRequestFilterAccountsFilter, SubscribeRequestFilterAccountsFilterMemcmp,
    SubscribeRequestFilterSlots, SubscribeRequestPing, SubscribeUpdate, SubscribeUpdateAccountInfo,
    subscribe_request_filter_accounts_filter::Filter,
    subscribe_request_filter_accounts_filter_memcmp::Data, subscribe_update::UpdateOneof,
};

use crate::{
    Feed, FeedError, Limits, SUBSCRIBE_WITHIN, Update, Updates, Wanted,
    queue::{Inlet, Outlet, queue},
};

/// An account may have 10 MiB.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// Name of the subscription to slots.
const SLOTS: &str = "slots";

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

fn pong() -> SubscribeRequest {
    SubscribeRequest {
        ping: Some(SubscribeRequestPing { id: 1 }),
        ..SubscribeRequest::default()
    }
}

fn weight(update: &SubscribeUpdate) -> usize {
    let data = match &update.update_oneof {
        Some(UpdateOneof::Account(account)) => account.account.as_ref().map(|it| it.data.len()),
        _ => None,
    };
    size_of::<SubscribeUpdate>() + data.unwrap_or_default()
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

/// Names of the subscriptions to a market's accounts and to its positions, by its number.
fn names(number: usize) -> [String; 2] {
    [format!("accounts/{number}"), format!("positions/{number}")]
}

/// The number of the market that a subscription is to.
fn number(name: &str) -> Option<usize> {
    name.split_once('/')?.1.parse().ok()
}

fn request(wanted: &[Wanted]) -> SubscribeRequest {
    let mut accounts = HashMap::new();
    for (index, wanted) in wanted.iter().enumerate() {
        let [of_market, positions] = names(index);
        accounts.insert(
            of_market,
            SubscribeRequestFilterAccounts {
                account: wanted.accounts.iter().map(Pubkey::to_string).collect(),
                ..SubscribeRequestFilterAccounts::default()
            },
        );
        let filters = Positions::filters(&wanted.market).map(|filter| {
            let memcmp = SubscribeRequestFilterAccountsFilterMemcmp {
                offset: filter.offset as u64,
                data: Some(Data::Bytes(filter.bytes)),
            };
            SubscribeRequestFilterAccountsFilter {
                filter: Some(Filter::Memcmp(memcmp)),
            }
        });
        accounts.insert(
            positions,
            SubscribeRequestFilterAccounts {
                owner: vec![ballast::ID.to_string()],
                filters: filters.into(),
                ..SubscribeRequestFilterAccounts::default()
            },
        );
    }
    // Every status: dead slots are among those between.
    let slots = SubscribeRequestFilterSlots {
        filter_by_commitment: Some(false),
        interslot_updates: Some(true),
    };
    SubscribeRequest {
        accounts,
        slots: HashMap::from([(SLOTS.to_owned(), slots)]),
        commitment: Some(CommitmentLevel::Confirmed.into()),
        ..SubscribeRequest::default()
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

/// What a message tells.
fn updates(message: SubscribeUpdate, markets: &[Pubkey]) -> Vec<Update> {
    match message.update_oneof {
        Some(UpdateOneof::Slot(told)) => match SlotStatus::try_from(told.status) {
            Ok(SlotStatus::SlotProcessed | SlotStatus::SlotConfirmed) => {
                vec![Update::Slot(told.slot)]
            }
            Ok(SlotStatus::SlotDead) => vec![Update::Dead(told.slot)],
            _ => Vec::new(),
        },
        Some(UpdateOneof::Account(told)) => {
            let mut of: Vec<Pubkey> = message
                .filters
                .iter()
                .filter_map(|name| markets.get(number(name)?).copied())
                .collect();
            of.sort_unstable();
            of.dedup();
            let info = told.account.unwrap_or_default();
            let update = |market| match account(&info) {
                Ok((address, account)) => Update::Account {
                    market,
                    address,
                    slot: told.slot,
                    write_version: Some(info.write_version),
                    account,
                },
                Err(reason) => Update::Unreadable { market, reason },
            };
            of.into_iter().map(update).collect()
        }
        _ => Vec::new(),
    }
}

fn account(info: &SubscribeUpdateAccountInfo) -> Result<(Pubkey, Account), String> {
    let key = |what: &str, bytes: &[u8]| {
        Pubkey::try_from(bytes)
            .map_err(|_| format!("the stream names {what} of {} bytes, not 32", bytes.len()))
    };
    let address = key("an account", &info.pubkey)?;
    Ok((
        address,
        Account {
            lamports: info.lamports,
            data: info.data.clone(),
            owner: key("an owner", &info.owner)?,
            executable: info.executable,
            rent_epoch: info.rent_epoch,
        },
    ))
}
