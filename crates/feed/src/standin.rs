//! A Yellowstone gRPC service on this machine, for tests: it tells what it is given to those who have asked for it, and misbehaves as told.

mod service;
mod subscriber;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use ballast_client::{Account, Endpoint, Pubkey};
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};
use tonic::transport::server::TcpIncoming;
use yellowstone_grpc_proto::geyser::{
    SlotStatus, SubscribeUpdateAccount, SubscribeUpdateAccountInfo, geyser_server::GeyserServer,
};

use service::Service;

/// What a subscriber may be behind.
const BEHIND: usize = 65_536;

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
    slot: AtomicU64,
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
            slot: AtomicU64::new(0),
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
        self.shared.slot.fetch_max(slot, Ordering::SeqCst);
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
