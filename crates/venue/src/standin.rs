//! A venue on this machine with Hyperliquid's own interface: the paper exchange behind HTTP and a websocket, for tests and trials.
//! It checks signatures, nonces and times of expiry as the real one does, and misbehaves on request.
//!
//! 1. [`faults`] is how it misbehaves.
//! 2. `trading` takes signed actions, `info` answers questions, `stream` tells what happens.

pub mod faults;
mod info;
mod records;
mod stream;
mod trading;

use crate::{
    clock::Clock,
    hyperliquid::{bytes::Address, sign::Network},
    paper::venue::Tape,
};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use faults::{Fault, Faults};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// What the stand-in knows besides its exchange.
pub(crate) struct Desk {
    pub(crate) tape: Arc<Mutex<Tape>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) network: Network,
    /// Whom an agent signs for.
    pub(crate) agents: Mutex<BTreeMap<Address, Address>>,
    pub(crate) nonces: Mutex<BTreeMap<Address, BTreeSet<u64>>>,
    faults: Arc<Mutex<Faults>>,
    changes: watch::Sender<u64>,
}

/// Locks what no panic leaves half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stand-in that runs until it is dropped.
pub struct StandIn {
    address: SocketAddr,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

impl StandIn {
    /// Serves a tape on a loopback port; port 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(
        port: u16,
        network: Network,
        tape: Arc<Mutex<Tape>>,
        clock: Arc<dyn Clock>,
        faults: Arc<Mutex<Faults>>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk {
            tape,
            clock,
            network,
            agents: Mutex::default(),
            nonces: Mutex::default(),
            faults,
            changes: watch::Sender::new(0),
        });
        let router = Router::new()
            .route("/info", post(answer_info))
            .route("/exchange", post(answer_exchange))
            .route("/ws", get(stream::upgrade))
            .with_state(desk.clone());
        let server = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            desk,
            server,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets an agent sign for an account, or takes that back.
    pub fn set_agent(&self, agent: Address, account: Option<Address>) {
        let mut agents = lock(&self.desk.agents);
        match account {
            Some(account) => agents.insert(agent, account),
            None => agents.remove(&agent),
        };
    }

    /// Tells the streams that something was changed from outside.
    pub fn changed(&self) {
        self.desk.changed();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Desk {
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn silent(&self) -> bool {
        lock(&self.faults).silent_stream
    }

    pub(crate) fn closed(&self) -> bool {
        lock(&self.faults).closed_stream
    }
}

async fn answer_info(State(desk): State<Arc<Desk>>, body: String) -> Response {
    misbehaving(&desk, false, &body, |desk, request| {
        Json(info::answer(desk, request)).into_response()
    })
}

async fn answer_exchange(State(desk): State<Arc<Desk>>, body: String) -> Response {
    let response = misbehaving(&desk, true, &body, |desk, request| {
        Json(trading::answer(desk, request)).into_response()
    });
    desk.changed();
    response
}

/// Answers, unless a fault is due.
fn misbehaving(
    desk: &Desk,
    trading: bool,
    body: &str,
    answer: impl Fn(&Desk, &Value) -> Response,
) -> Response {
    let Ok(request) = serde_json::from_str::<Value>(body) else {
        return (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Failed to deserialize the JSON body into the target type",
        )
            .into_response();
    };
    let fault = lock(&desk.faults).next(trading);
    match fault {
        None => answer(desk, &request),
        Some(Fault::LoseRequest) => broken_off(),
        Some(Fault::LoseAnswer) => {
            answer(desk, &request);
            broken_off()
        }
        Some(Fault::TooMany) => (StatusCode::TOO_MANY_REQUESTS, "null").into_response(),
        Some(Fault::BadGateway { done }) => {
            if done {
                answer(desk, &request);
            }
            (StatusCode::BAD_GATEWAY, "<html>502 Bad Gateway</html>").into_response()
        }
        Some(Fault::Garbage) => {
            answer(desk, &request);
            (StatusCode::OK, "{\"status\":\"ok\",\"resp").into_response()
        }
        Some(Fault::Error(text)) => Json(trading::err(text)).into_response(),
        Some(Fault::Thin) => {
            trading::thin_out(desk);
            answer(desk, &request)
        }
    }
}

/// A connection that ends in the middle of the answer.
fn broken_off() -> Response {
    let parts = [
        Ok("{"),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ];
    Response::new(Body::from_stream(futures_util::stream::iter(parts)))
}
