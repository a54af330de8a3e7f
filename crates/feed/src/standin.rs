//! A Yellowstone gRPC service on this machine, for tests: it tells what it is given to those who have asked for it, and misbehaves as told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use ballast_client::{Account, Endpoint, Pubkey};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    net::TcpListener,
    sync::{broadcast, mpsc},
    task::JoinHandle,
};
use tonic::{Request, Response, Status, Streaming, transport::server::TcpIncoming};
use yellowstone_grpc_proto::geyser::{
    GetBlockHeightRequest, GetBlockHeightResponse, GetLatestBlockhashRequest,
    GetLatestBlockhashResponse, GetSlotRequest, GetSlotResponse, GetVersionRequest,
    GetVersionResponse, IsBlockhashValidRequest, IsBlockhashValidResponse, PingRequest,
    PongResponse, SlotStatus, SubscribeDeshredRequest, SubscribeGossipRequest,
    SubscribeReplayInfoRequest, SubscribeReplayInfoResponse, SubscribeRequest,
    SubscribeRequestFilterAccounts, SubscribeUpdate, SubscribeUpdateAccount,
    SubscribeUpdateAccountInfo, SubscribeUpdateDeshred, SubscribeUpdateGossip, SubscribeUpdatePing,
    SubscribeUpdateSlot,
    geyser_server::{Geyser, GeyserServer},
    subscribe_request_filter_accounts_filter::Filter,
    subscribe_request_filter_accounts_filter_memcmp::Data,
    subscribe_update::UpdateOneof,
};

/// What a subscriber may be behind.
const BEHIND: usize = 65_536;
/// Bytes of a message that is larger than gRPC takes unless it is told to.
const LARGE_BYTES: usize = 5 << 20;

/// How it misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    Nothing,
    /// Keeps the connection open, asks whether the other side is there, and tells nothing more.
    Silence,
    /// Ends the stream because the subscriber did not keep up.
    Lagged,
    /// Ends it with OUT_OF_RANGE.
    OutOfRange,
    /// Refuses every subscription with INTERNAL.
    Internal,
    /// Everything twice, and after what is new what it wrote before in the same slot.
    Duplicates,
    /// Before every account that has changed one of 5 MiB that is no position.
    Large,
}

/// What it is given to tell.
#[derive(Clone, Debug)]
enum Given {
    Slot(u64, SlotStatus),
    Account(Box<SubscribeUpdateAccount>),
}

struct Shared {
    given: broadcast::Sender<Given>,
    fault: Mutex<Fault>,
    token: Option<String>,
    subscriptions: AtomicUsize,
    write_version: AtomicU64,
}

/// See the module's description. It ends when it is dropped.
pub struct Standin {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Standin {
    /// Starts one on a port of its own, which may want a token.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start(token: Option<&str>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            given: broadcast::channel(BEHIND).0,
            fault: Mutex::default(),
            token: token.map(str::to_owned),
            subscriptions: AtomicUsize::new(0),
            write_version: AtomicU64::new(0),
        });
        let service = GeyserServer::new(Service(Arc::clone(&shared)));
        let served = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener));
        let task = tokio::spawn(async move {
            let _ = served.await;
        });
        Ok(Self {
            shared,
            address,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a feed is given it.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(format!("http://{}", self.address))
    }

    /// From now on it misbehaves like this.
    pub fn set_fault(&self, fault: Fault) {
        self.shared.set_fault(fault);
    }

    /// Subscriptions so far, refused ones included.
    pub fn subscriptions(&self) -> usize {
        self.shared.subscriptions.load(Ordering::SeqCst)
    }

    /// Subscriptions that live.
    pub fn subscribers(&self) -> usize {
        self.shared.given.receiver_count()
    }

    /// The cluster has come to this slot.
    pub fn slot(&self, slot: u64) {
        self.give(Given::Slot(slot, SlotStatus::SlotProcessed));
    }

    /// What was told of this slot has not happened.
    pub fn dead(&self, slot: u64) {
        self.give(Given::Slot(slot, SlotStatus::SlotDead));
    }

    /// An account is written.
    pub fn account(&self, slot: u64, address: Pubkey, account: &Account) {
        let version = self.shared.write_version.fetch_add(1, Ordering::SeqCst);
        self.give(Given::Account(Box::new(told(
            slot, address, account, version,
        ))));
    }

    /// What nobody subscribes to is told to nobody.
    fn give(&self, given: Given) {
        let _ = self.shared.given.send(given);
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn told(slot: u64, address: Pubkey, account: &Account, version: u64) -> SubscribeUpdateAccount {
    SubscribeUpdateAccount {
        account: Some(SubscribeUpdateAccountInfo {
            pubkey: address.to_bytes().into(),
            lamports: account.lamports,
            owner: account.owner.to_bytes().into(),
            executable: account.executable,
            rent_epoch: account.rent_epoch,
            data: account.data.clone(),
            write_version: version,
            txn_signature: None,
        }),
        slot,
        is_startup: false,
        bank_id: None,
    }
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_fault(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

/// Whether an account is what a subscription is to.
fn matches(filter: &SubscribeRequestFilterAccounts, info: &SubscribeUpdateAccountInfo) -> bool {
    let is = |bytes: &[u8], text: &String| {
        let key = text.parse::<Pubkey>();
        key.is_ok_and(|key| key.as_ref() == bytes)
    };
    let by_address = filter.account.is_empty()
        || filter
            .account
            .iter()
            .any(|account| is(&info.pubkey, account));
    let by_owner =
        filter.owner.is_empty() || filter.owner.iter().any(|owner| is(&info.owner, owner));
    let by_bytes = filter.filters.iter().all(|filter| match &filter.filter {
        Some(Filter::Memcmp(memcmp)) => {
            let offset = usize::try_from(memcmp.offset).unwrap_or(usize::MAX);
            match (&memcmp.data, info.data.get(offset..)) {
                (Some(Data::Bytes(bytes)), Some(rest)) => rest.starts_with(bytes),
                _ => false,
            }
        }
        _ => false,
    });
    by_address && by_owner && by_bytes
}

/// One subscriber.
struct Subscriber {
    shared: Arc<Shared>,
    request: SubscribeRequest,
    given: broadcast::Receiver<Given>,
    /// What was told of each account before.
    before: HashMap<Vec<u8>, SubscribeUpdateAccount>,
}

impl Subscriber {
    /// Tells until somebody has heard enough.
    async fn tell(mut self, to: mpsc::Sender<Result<SubscribeUpdate, Status>>) {
        loop {
            let given = tokio::select! {
                () = to.closed() => return,
                given = self.given.recv() => given,
            };
            let end = match self.shared.fault() {
                Fault::Lagged => Some(Status::internal("lagged")),
                Fault::OutOfRange => Some(Status::out_of_range("broadcast has gone on")),
                Fault::Internal => Some(Status::internal("no")),
                _ => None,
            };
            let given = match (end, given) {
                (Some(end), _) => Err(end),
                (None, Ok(given)) => Ok(given),
                (None, Err(_)) => Err(Status::internal("lagged")),
            };
            match given {
                Ok(given) => {
                    for message in self.messages(given) {
                        if to.send(Ok(message)).await.is_err() {
                            return;
                        }
                    }
                }
                Err(end) => {
                    let _ = to.send(Err(end)).await;
                    return;
                }
            }
        }
    }

    fn messages(&mut self, given: Given) -> Vec<SubscribeUpdate> {
        let fault = self.shared.fault();
        if fault == Fault::Silence {
            let ping = UpdateOneof::Ping(SubscribeUpdatePing {});
            return vec![message(Vec::new(), ping)];
        }
        let mut messages = match given {
            Given::Slot(slot, status) => {
                let names: Vec<String> = self.request.slots.keys().cloned().collect();
                let told = UpdateOneof::Slot(SubscribeUpdateSlot {
                    slot,
                    parent: slot.checked_sub(1),
                    status: status.into(),
                    dead_error: None,
                    bank_id: None,
                });
                match names.is_empty() {
                    true => Vec::new(),
                    false => vec![message(names, told)],
                }
            }
            Given::Account(told) => self.account(*told, fault),
        };
        if fault == Fault::Duplicates {
            messages.extend(messages.clone());
        }
        messages
    }

    fn account(&mut self, told: SubscribeUpdateAccount, fault: Fault) -> Vec<SubscribeUpdate> {
        let Some(info) = &told.account else {
            return Vec::new();
        };
        let filters = self.request.accounts.iter();
        let names = filters.filter(|(_, filter)| matches(filter, info));
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let before = self.before.insert(info.pubkey.clone(), told.clone());
        let mut all = Vec::new();
        let is_new = before.as_ref().is_none_or(|before| {
            let data =
                |told: &SubscribeUpdateAccount| told.account.as_ref().map(|it| it.data.clone());
            data(before) != data(&told)
        });
        if fault == Fault::Large && is_new {
            let mut large = told.clone();
            if let Some(info) = &mut large.account {
                info.data = vec![0; LARGE_BYTES];
                info.pubkey = vec![7; 32];
            }
            all.push(large);
        }
        all.push(told.clone());
        if fault == Fault::Duplicates
            && let Some(mut before) = before
        {
            before.slot = told.slot;
            all.push(before);
        }
        let all = all.into_iter();
        all.map(|told| message(names.clone(), UpdateOneof::Account(told)))
            .collect()
    }
}

fn message(filters: Vec<String>, told: UpdateOneof) -> SubscribeUpdate {
    SubscribeUpdate {
        filters,
        update_oneof: Some(told),
        created_at: None,
    }
}

struct Service(Arc<Shared>);

type Told<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Geyser for Service {
    type SubscribeStream = Told<SubscribeUpdate>;
    type SubscribeDeshredStream = Told<SubscribeUpdateDeshred>;
    type SubscribeGossipStream = Told<SubscribeUpdateGossip>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let shared = &self.0;
        shared.subscriptions.fetch_add(1, Ordering::SeqCst);
        let token = request.metadata().get("x-token");
        let token = token.and_then(|token| token.to_str().ok());
        if shared.token.is_some() && shared.token.as_deref() != token {
            // Some services name what they refuse.
            let token = token.unwrap_or("no token");
            return Err(Status::unauthenticated(format!("{token} is not known")));
        }
        if shared.fault() == Fault::Internal {
            return Err(Status::internal("something is wrong"));
        }
        let mut requests = request.into_inner();
        let first = requests.next().await;
        let first = first.unwrap_or_else(|| Err(Status::invalid_argument("nothing is wanted")))?;
        let subscriber = Subscriber {
            shared: Arc::clone(shared),
            request: first,
            given: shared.given.subscribe(),
            before: HashMap::new(),
        };
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            // What is asked for later is an answer to a ping. Who stops asking has gone.
            let asking = async { while let Some(Ok(_)) = requests.next().await {} };
            tokio::select! {
                () = subscriber.tell(sender) => {}
                () = asking => {}
            }
        });
        let told = stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        });
        Ok(Response::new(Box::pin(told)))
    }

    async fn subscribe_deshred(
        &self,
        _: Request<Streaming<SubscribeDeshredRequest>>,
    ) -> Result<Response<Self::SubscribeDeshredStream>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn subscribe_gossip(
        &self,
        _: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn subscribe_replay_info(
        &self,
        _: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn get_latest_blockhash(
        &self,
        _: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn get_block_height(
        &self,
        _: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn get_slot(
        &self,
        _: Request<GetSlotRequest>,
    ) -> Result<Response<GetSlotResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn is_blockhash_valid(
        &self,
        _: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }

    async fn get_version(
        &self,
        _: Request<GetVersionRequest>,
    ) -> Result<Response<GetVersionResponse>, Status> {
        Err(Status::unimplemented("subscribe only"))
    }
}
