//! A keeper with its API on the simulated chain, and who asks it.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    Keeper, KeeperError, Mode, Parts,
    api::Token,
    sim::{Disk, Faults, World, hedge_scene, scene},
};

pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A keeper that runs, and who asks it.
pub(super) struct Running {
    pub(super) world: World,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    pub(super) client: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), KeeperError>>,
    disk: Disk,
    directory: TempDir,
}

impl Running {
    pub(super) async fn start(mode: Mode) -> Self {
        let (world, disk) = scene::world(1, Faults::default());
        let directory = tempfile::tempdir().unwrap();
        Self::on(world, disk, directory, mode).await
    }

    /// With a hedge on paper.
    pub(super) async fn hedged(mode: Mode) -> Self {
        let (world, disk) = scene::world(1, Faults::default());
        let directory = tempfile::tempdir().unwrap();
        let mut parts = scene::parts(&world, &disk, mode);
        hedge_scene::add_hedge(&mut parts, directory.path(), Instant::now());
        Self::of(parts, world, disk, directory).await
    }

    /// The same with its journal in files, and a history beside it.
    pub(super) async fn kept(mode: Mode) -> Self {
        let (world, disk) = scene::world(1, Faults::default());
        let directory = tempfile::tempdir().unwrap();
        let mut parts = scene::parts(&world, &disk, mode);
        hedge_scene::add_hedge(&mut parts, directory.path(), Instant::now());
        parts.storage = None;
        Self::of(parts, world, disk, directory).await
    }

    pub(super) async fn on(world: World, disk: Disk, directory: TempDir, mode: Mode) -> Self {
        let parts = scene::parts(&world, &disk, mode);
        Self::of(parts, world, disk, directory).await
    }

    async fn of(mut parts: Parts, world: World, disk: Disk, directory: TempDir) -> Self {
        parts.config.journal_dir = directory.path().to_owned();
        parts.config.api.listen = Some("127.0.0.1:0".parse().unwrap());
        // Time goes on as it does: a day's patience would be too much.
        parts.clock = None;
        let keeper = Keeper::new(parts);
        let mut addresses = keeper.api_address();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(keeper.run(async {
            let _ = stopped.await;
        }));
        let address = timeout(PATIENCE, addresses.wait_for(Option::is_some)).await;
        let address = address.unwrap().unwrap().unwrap();
        let token = Token::read(&Token::path(directory.path())).unwrap();
        let running = Self {
            world,
            address,
            token: token.expose().to_owned(),
            client: Client::builder().no_proxy().build().unwrap(),
            stop: Some(stop),
            task,
            disk,
            directory,
        };
        running
            .until("it is ready", async |running| {
                running.get("/readyz").await.status() == StatusCode::OK
            })
            .await;
        running
    }

    /// Asks until something holds.
    pub(super) async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self).await {
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub(super) async fn read(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// A request with headers; its status and body.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> (u16, Value, HeaderMap) {
        let mut request = self
            .client
            .request(method, self.url(path))
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.json().await.unwrap_or(Value::Null);
        (status, body, headers)
    }

    /// An override as the page sends it.
    pub(super) async fn order(&self, path: &str, body: &Value, key: Option<&str>) -> (u16, Value) {
        let token = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("content-type", "application/json"),
            ("authorization", token.as_str()),
        ];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let (status, body, _) = self
            .ask(Method::POST, path, &headers, &body.to_string())
            .await;
        (status, body)
    }

    pub(super) async fn first_position(&self) -> String {
        let rows = self.read("positions").await;
        rows["rows"][0]["position"].as_str().unwrap().to_owned()
    }

    /// Ends the keeper; what is left of it.
    pub(super) async fn end(mut self) -> (World, Disk, TempDir) {
        let refused = self.order("/api/v1/overrides", &json!({}), None).await.0;
        assert_eq!(refused, 422, "what the token gets for nothing");
        self.stop.take().unwrap().send(()).unwrap();
        timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        // Nobody answers there any more who knows the token. Another test may have taken the port meanwhile, and be silent.
        let asked = self
            .client
            .post(format!("http://{}/api/v1/overrides", self.address))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body("{}")
            .timeout(Duration::from_secs(5));
        let known = asked.send().await.map(|answer| answer.status());
        assert!(
            !matches!(known, Ok(StatusCode::UNPROCESSABLE_ENTITY)),
            "{known:?}"
        );
        (self.world, self.disk, self.directory)
    }
}
