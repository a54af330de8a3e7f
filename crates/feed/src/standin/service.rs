//! The service's methods: subscriptions, and refusals of everything else.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};
use yellowstone_grpc_proto::geyser::{
    GetBlockHeightRequest, GetBlockHeightResponse, GetLatestBlockhashRequest,
    GetLatestBlockhashResponse, GetSlotRequest, GetSlotResponse, GetVersionRequest,
    GetVersionResponse, IsBlockhashValidRequest, IsBlockhashValidResponse, PingRequest,
    PongResponse, SubscribeDeshredRequest, SubscribeGossipRequest, SubscribeReplayInfoRequest,
    SubscribeReplayInfoResponse, SubscribeRequest, SubscribeUpdate, SubscribeUpdateDeshred,
    SubscribeUpdateGossip, geyser_server::Geyser,
};

use super::{Fault, Shared, subscriber::Subscriber};

pub(super) struct Service(pub(super) Arc<Shared>);

impl Shared {
    fn require_token<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let token = request.metadata().get("x-token");
        let token = token.and_then(|token| token.to_str().ok());
        if self.token.is_some() && self.token.as_deref() != token {
            // Some services name what they refuse.
            let token = token.unwrap_or("no token");
            return Err(Status::unauthenticated(format!("{token} is not known")));
        }
        Ok(())
    }

    /// What it says when nothing is streamed.
    fn answers<T>(&self, request: &Request<T>) -> Result<(), Status> {
        self.require_token(request)?;
        match self.fault() {
            Fault::Internal => Err(Status::internal("something is wrong")),
            _ => Ok(()),
        }
    }
}

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
        shared.require_token(&request)?;
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
        Err(Status::unimplemented("not known here"))
    }

    async fn subscribe_gossip(
        &self,
        _: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        Err(Status::unimplemented("not known here"))
    }

    async fn subscribe_replay_info(
        &self,
        _: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        Err(Status::unimplemented("not known here"))
    }

    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        Err(Status::unimplemented("not known here"))
    }

    async fn get_latest_blockhash(
        &self,
        _: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        Err(Status::unimplemented("not known here"))
    }

    async fn get_block_height(
        &self,
        _: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        Err(Status::unimplemented("not known here"))
    }

    async fn get_slot(
        &self,
        request: Request<GetSlotRequest>,
    ) -> Result<Response<GetSlotResponse>, Status> {
        self.0.answers(&request)?;
        let slot = self.0.slot.load(Ordering::SeqCst);
        Ok(Response::new(GetSlotResponse { slot }))
    }

    async fn is_blockhash_valid(
        &self,
        _: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        Err(Status::unimplemented("not known here"))
    }

    async fn get_version(
        &self,
        request: Request<GetVersionRequest>,
    ) -> Result<Response<GetVersionResponse>, Status> {
        self.0.answers(&request)?;
        // As Yellowstone writes it.
        let version = r#"{"version":{"package":"stand-in","version":"1.2.3"},"extra":{}}"#;
        Ok(Response::new(GetVersionResponse {
            version: version.into(),
        }))
    }
}
