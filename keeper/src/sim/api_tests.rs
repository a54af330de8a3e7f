//! The API of a real keeper on the simulated chain, over real sockets: shapes, numbers, who may call, overrides, the stream.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ballast_client::{MarketContext, PriceAccounts};
use ballast_view::PositionView;
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use tempfile::TempDir;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{Disk, World, crash_tests};
use crate::{Keeper, KeeperError, Mode, Parts, api::Token};

const PATIENCE: Duration = Duration::from_secs(60);

/// A keeper that runs, and who asks it.
struct Running {
    world: World,
    address: SocketAddr,
    token: String,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), KeeperError>>,
    disk: Disk,
    directory: TempDir,
}

impl Running {
    async fn start(mode: Mode) -> Self {
        let (world, disk) = crash_tests::world(1, super::Faults::default());
        let directory = tempfile::tempdir().unwrap();
        Self::on(world, disk, directory, mode).await
    }

    /// With a hedge on paper.
    async fn hedged(mode: Mode) -> Self {
        let (world, disk) = crash_tests::world(1, super::Faults::default());
        let directory = tempfile::tempdir().unwrap();
        let mut parts = crash_tests::parts(&world, &disk, mode);
        super::hedge_tests::add_hedge(&mut parts, directory.path(), Instant::now());
        Self::of(parts, world, disk, directory).await
    }

    async fn on(world: World, disk: Disk, directory: TempDir, mode: Mode) -> Self {
        let parts = crash_tests::parts(&world, &disk, mode);
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
    async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self).await {
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// A request with headers; its status and body.
    async fn ask(
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
    async fn order(&self, path: &str, body: &Value, key: Option<&str>) -> (u16, Value) {
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

    async fn first_position(&self) -> String {
        let rows = self.read("positions").await;
        rows["rows"][0]["position"].as_str().unwrap().to_owned()
    }

    /// Ends the keeper; what is left of it.
    async fn end(mut self) -> (World, Disk, TempDir) {
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

/// Compares an answer with what `api/contract.json` says of its shape. Fields that it does not name may be there.
fn check(shape: &Value, value: &Value, at: &str) -> Vec<String> {
    match shape {
        Value::String(kind) => {
            let (kind, or_null) = match kind.strip_suffix('?') {
                Some(kind) => (kind, true),
                None => (kind.as_str(), false),
            };
            let found = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            let fits = kind == "any" || kind == found || (or_null && value.is_null());
            if fits {
                Vec::new()
            } else {
                vec![format!("{at}: {found} instead of {kind}")]
            }
        }
        Value::Array(each) => match value {
            Value::Array(values) => {
                let each = &each[0];
                let all = values.iter().enumerate();
                all.flat_map(|(index, value)| check(each, value, &format!("{at}[{index}]")))
                    .collect()
            }
            other => vec![format!("{at}: {other} instead of a list")],
        },
        Value::Object(fields) => match value {
            Value::Null if fields.contains_key("?") => Vec::new(),
            Value::Object(values) => fields
                .iter()
                .filter(|(name, _)| name.as_str() != "?")
                .flat_map(|(name, shape)| {
                    let (name, optional) = match name.strip_suffix('?') {
                        Some(name) => (name, true),
                        None => (name.as_str(), false),
                    };
                    match values.get(name) {
                        Some(value) => check(shape, value, &format!("{at}.{name}")),
                        None if optional => Vec::new(),
                        None => vec![format!("{at}.{name}: missing")],
                    }
                })
                .collect(),
            other => vec![format!("{at}: {other} instead of an object")],
        },
        other => panic!("{other} is no shape"),
    }
}

fn contract() -> Value {
    serde_json::from_str(include_str!("../api/contract.json")).unwrap()
}

#[test]
fn the_comparison_of_shapes_can_fail() {
    let shape = json!({"a": "number", "b?": "string", "c": [{"d": "string?", "?": "may be null"}]});
    let wrong = |value: Value| check(&shape, &value, "x");
    assert!(wrong(json!({"a": 1, "c": [], "more": true})).is_empty());
    assert!(wrong(json!({"a": 1, "b": "", "c": [null, {"d": null}, {"d": "e"}]})).is_empty());
    assert_eq!(wrong(json!({"c": []})), ["x.a: missing"]);
    assert_eq!(
        wrong(json!({"a": "1", "c": [{}]})),
        ["x.a: string instead of number", "x.c[0].d: missing"]
    );
    assert_eq!(
        wrong(json!({"a": 1, "b": null, "c": 2})),
        ["x.b: null instead of string", "x.c: 2 instead of a list"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_shape_of_the_contract() {
    let running = Running::start(Mode::Active).await;
    // Something is due, done, and its outcome known.
    running.world.lock().set_price(206);
    running
        .until("an action has landed", async |running| {
            let actions = running.read("actions").await;
            let first = actions["rows"].get(0);
            first.is_some_and(|action| action["outcome"] == "landed" && action["after"].is_object())
        })
        .await;
    let address = running.first_position().await;
    let body = json!({"scope": "position", "position": address, "mode": "pause", "note": "for the contract"});
    let (status, paused) = running.order("/api/v1/overrides", &body, None).await;
    assert_eq!(status, 201, "{paused}");
    let (status, preview) = running
        .order("/api/v1/overrides/preview", &body, None)
        .await;
    assert_eq!(status, 200, "{preview}");
    let market = running.read("status").await["markets"][0]["market"]
        .as_str()
        .unwrap()
        .to_owned();
    let contract = contract();
    let mut wrong = check(&contract["override"], &paused, "override");
    wrong.extend(check(&contract["preview"], &preview, "preview"));
    let mut version = 0;
    for (name, path) in [
        ("status", "status".to_owned()),
        ("book", "book".into()),
        ("flags", "flags".into()),
        ("positions", "positions".into()),
        ("position", format!("positions/{address}")),
        ("history", format!("positions/{address}/history")),
        ("actions", "actions".into()),
        ("overrides", "overrides".into()),
        ("market", format!("markets/{market}")),
        (
            "liquidity",
            format!("markets/{market}/liquidity?position={address}"),
        ),
        ("funding", format!("markets/{market}/funding")),
        ("lenders", format!("markets/{market}/lenders")),
    ] {
        let answer = running.read(&path).await;
        wrong.extend(check(&contract[name], &answer, name));
        let next = answer["version"].as_u64().unwrap();
        assert!(next >= version, "{name}");
        version = next;
    }
    let missing = running.get("/api/v1/positions/nobody").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let body = missing.json().await.unwrap();
    wrong.extend(check(&contract["error"], &body, "error"));
    assert_eq!(body["error"]["code"], "no_such_position");
    assert!(wrong.is_empty(), "{wrong:#?}");
    running.end().await;
}

/// Whether two values are the same; numbers, which are read with an error in the last bit, but for that.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 2.0 * f64::EPSILON * b.abs(),
        _ => a == b,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_those_that_the_command_line_shows_of_the_same_slot() {
    let running = Running::start(Mode::Observe).await;
    let address = running.first_position().await;
    let context = super::bytes::context();
    let prices = PriceAccounts {
        base: context.prices.base,
        quote: context.prices.quote,
    };
    let chain = running.world.clone();
    let market = MarketContext::load(&chain, context.address, prices)
        .await
        .unwrap();
    running
        .until("both are of one slot", async |running| {
            let answer = running.read(&format!("positions/{address}")).await;
            let snapshot = market.snapshot(&chain).await.unwrap();
            if answer["slot"] != snapshot.slot {
                return false;
            }
            let at: Pubkey = address.parse().unwrap();
            let stored = running.world.lock().state_at(snapshot.slot).positions[&at];
            let view = PositionView::new(&snapshot, at, &stored).unwrap();
            for (key, value) in serde_json::to_value(view).unwrap().as_object().unwrap() {
                assert!(same(&answer[key], value), "{key}: {} {value}", answer[key]);
            }
            true
        })
        .await;
    let rows = running.read("positions?sort=danger").await;
    let detail = running.read(&format!("positions/{address}")).await;
    if rows["version"] == detail["version"] {
        for (key, value) in rows["rows"][0].as_object().unwrap() {
            assert_eq!(&detail[key], value, "{key}");
        }
    }
    let book = running.read("book").await;
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let rows = running.read("positions").await;
    let sum: f64 = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| number(&row["equity"]))
        .sum();
    assert!((number(&book["equity"]) - sum).abs() < 1e-5, "{book} {sum}");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sorted_filtered_and_cut() {
    let running = Running::start(Mode::Observe).await;
    let all = running.read("positions?sort=id&limit=500").await;
    let total = all["total"].as_u64().unwrap();
    assert!(total >= 3, "{total}");
    let ids = |answer: &Value| -> Vec<String> {
        let rows = answer["rows"].as_array().unwrap();
        rows.iter()
            .map(|row| row["position"].as_str().unwrap().to_owned())
            .collect()
    };
    let everything = ids(&all);
    assert_eq!(everything.len() as u64, total);
    let part = running.read("positions?sort=id&offset=1&limit=2").await;
    assert_eq!(ids(&part), everything[1..3]);
    assert_eq!(part["total"], total);
    let mut turned = ids(&running.read("positions?sort=-id&limit=500").await);
    turned.reverse();
    assert_eq!(turned, everything);
    let one = running
        .read(&format!("positions?q={}", everything[2]))
        .await;
    assert_eq!(
        (one["total"].as_u64(), ids(&one)),
        (Some(1), vec![everything[2].clone()])
    );
    for sort in ["danger", "due", "ltv", "equity", "delta", "leverage"] {
        assert_eq!(
            running.read(&format!("positions?sort={sort}")).await["total"],
            total
        );
    }
    for (path, field) in [
        ("positions?sort=luck", "sort"),
        ("positions?limit=0", "limit"),
        ("positions?limit=501", "limit"),
        ("positions?offset=-1", "offset"),
        ("positions?offset=x", "offset"),
        ("actions?limit=x", "limit"),
        ("actions?before=-1", "before"),
        ("actions?position=me", "position"),
    ] {
        let (status, body, _) = running
            .ask(Method::GET, &format!("/api/v1/{path}"), &[], "")
            .await;
        let error = &body["error"];
        assert_eq!(
            (status, &error["code"], &error["field"]),
            (400, &json!("bad_parameter"), &json!(field)),
            "{path}"
        );
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_sent_once_for_each_version() {
    let running = Running::start(Mode::Observe).await;
    let instance = running.read("status").await["keeper"]["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    running
        .until("nothing moves between two questions", async |running| {
            let first = running.get("/api/v1/book").await;
            let tag = first.headers()["etag"].to_str().unwrap().to_owned();
            let book: Value = first.json().await.unwrap();
            assert_eq!(tag, format!("\"{instance}-{}\"", book["version"]));
            let headers = [("if-none-match", tag.as_str())];
            let (status, body, headers) =
                running.ask(Method::GET, "/api/v1/book", &headers, "").await;
            if status == 304 {
                assert_eq!(
                    (body, headers["etag"].to_str().unwrap()),
                    (Value::Null, tag.as_str())
                );
            }
            status == 304
        })
        .await;
    // Another process' version is none.
    let other = [("if-none-match", "\"000000000000-1\"")];
    let (status, ..) = running.ask(Method::GET, "/api/v1/book", &other, "").await;
    assert_eq!(status, 200);
    let before = running.read("book").await["version"].as_u64().unwrap();
    running
        .until("the version grows with the chain", async |running| {
            running.read("book").await["version"].as_u64().unwrap() > before
        })
        .await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_call_is_told_why() {
    let running = Running::start(Mode::Observe).await;
    let port = running.address.port();
    let token = format!("Bearer {}", running.token);
    let host = |name: &str| format!("{name}:{port}");
    let (own, local, six) = (host("127.0.0.1"), host("localhost"), host("[::1]"));
    let (foreign, wrong_port) = (host("evil.example"), "127.0.0.1:1".to_owned());
    for path in [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/status",
        "/api/v1/events",
        "/nothing",
    ] {
        for wrong in [
            &foreign,
            &wrong_port,
            &"127.0.0.1".to_owned(),
            &host("127.0.0.1.evil.example"),
        ] {
            let (status, body, _) = running.ask(Method::GET, path, &[("host", wrong)], "").await;
            assert_eq!(
                (status, &body["error"]["code"]),
                (421, &json!("wrong_host")),
                "{path} {wrong}"
            );
        }
    }
    for right in [&own, &local, &six, &host("LOCALHOST")] {
        let (status, ..) = running
            .ask(Method::GET, "/api/v1/status", &[("host", right)], "")
            .await;
        assert_eq!(status, 200, "{right}");
    }
    let origin = |name: &str| format!("http://{name}");
    for (given, expected) in [
        (origin(&own), 200),
        (origin(&local), 403),
        (origin("evil.example"), 403),
        ("null".to_owned(), 403),
        (format!("ftp://{own}"), 403),
    ] {
        let headers = [("origin", given.as_str())];
        let (status, body, headers) = running
            .ask(Method::GET, "/api/v1/status", &headers, "")
            .await;
        assert_eq!(status, expected, "{given}");
        assert!(status == 200 || body["error"]["code"] == "wrong_origin");
        // There is no header that would let another page read anything.
        assert!(
            headers
                .keys()
                .all(|name| !name.as_str().starts_with("access-control"))
        );
    }
    let good = json!({"scope": "keeper", "mode": "reduce", "note": "a test"}).to_string();
    let large =
        json!({"scope": "keeper", "mode": "reduce", "note": "x".repeat(16_400)}).to_string();
    let json_type = ("content-type", "application/json");
    let bearer = ("authorization", token.as_str());
    // Headers and body; the answer's status and code.
    type Case<'a> = (&'a [(&'static str, &'a str)], &'a str, u16, &'a str);
    let cases: [Case; 9] = [
        (&[bearer], &good, 415, "not_json"),
        (
            &[bearer, ("content-type", "text/plain")],
            &good,
            415,
            "not_json",
        ),
        (
            &[
                bearer,
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            &good,
            415,
            "not_json",
        ),
        (&[json_type], &good, 401, "no_token"),
        (
            &[json_type, ("authorization", "Bearer 0000")],
            &good,
            401,
            "wrong_token",
        ),
        (&[json_type, ("cookie", "token=x")], &good, 401, "no_token"),
        (&[json_type, bearer], &large, 413, "too_large"),
        (&[json_type, bearer], "{", 400, "not_json"),
        (
            &[json_type, bearer, ("origin", "http://evil.example")],
            &good,
            403,
            "wrong_origin",
        ),
    ];
    for path in ["/api/v1/overrides", "/api/v1/overrides/preview"] {
        for (headers, body, status, code) in &cases {
            let answer = running.ask(Method::POST, path, headers, body).await;
            assert_eq!(
                (answer.0, &answer.1["error"]["code"]),
                (*status, &json!(code)),
                "{path} {headers:?}"
            );
        }
        // The token does not belong into an address.
        let with_query = format!("{path}?token={}", running.token);
        let (status, ..) = running
            .ask(Method::POST, &with_query, &[json_type], &good)
            .await;
        assert_eq!(status, 401);
    }
    for (method, path, expected) in [
        (Method::DELETE, "/api/v1/overrides", 405),
        (Method::OPTIONS, "/api/v1/overrides", 405),
        (Method::POST, "/api/v1/status", 405),
        (Method::GET, "/api/v1/overrides/preview", 405),
        (Method::GET, "/api/v1/nothing", 404),
        (Method::GET, "/api/v2/status", 404),
        (Method::GET, "/../Cargo.toml", 404),
        (Method::GET, "/api/v1/markets/x", 404),
        (Method::GET, "/api/v1/positions/x/history", 404),
    ] {
        let (status, ..) = running.ask(method.clone(), path, &[], "").await;
        assert_eq!(status, expected, "{method} {path}");
    }
    // Nothing of all this was journaled.
    assert_eq!(running.read("overrides").await["rows"], json!([]));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_tokens_a_minute_are_enough_and_the_right_one_always_works() {
    let running = Running::start(Mode::Observe).await;
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer guess"),
    ];
    for attempt in 0..15 {
        let (status, body, headers) = running
            .ask(Method::POST, "/api/v1/overrides", &headers, "{}")
            .await;
        let expected = if attempt < 10 {
            (401, "wrong_token")
        } else {
            (429, "too_many_tokens")
        };
        assert_eq!(
            (status, body["error"]["code"].as_str().unwrap()),
            expected,
            "{attempt}"
        );
        assert_eq!(headers.contains_key("retry-after"), status == 429);
    }
    let body = json!({"scope": "keeper", "mode": "reduce", "note": "still here"});
    assert_eq!(running.order("/api/v1/overrides", &body, None).await.0, 201);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_every_answer_come_with_their_policies() {
    let running = Running::hedged(Mode::Observe).await;
    for path in [
        "/",
        "/api/v1/status",
        "/api/v1/nothing",
        "/healthz",
        "/metrics",
    ] {
        let answer = running.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';")
                && !policy.contains("unsafe")
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'none'"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        let cached = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(header("cache-control"), cached, "{path}");
    }
    let page = running.get("/").await;
    let tag = page.headers()["etag"].to_str().unwrap().to_owned();
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        page.text()
            .await
            .unwrap()
            .to_lowercase()
            .contains("<!doctype html>")
    );
    let (status, ..) = running
        .ask(Method::GET, "/index.html", &[("if-none-match", &tag)], "")
        .await;
    assert_eq!(status, 304);
    assert_eq!(running.get("/healthz").await.text().await.unwrap(), "ok\n");
    let metrics = running.get("/metrics").await.text().await.unwrap();
    let address = running.first_position().await;
    assert!(
        !metrics.contains(&address) && !metrics.contains("NaN"),
        "{metrics}"
    );
    for name in [
        "ballast_slot ",
        "ballast_positions ",
        "ballast_mode{mode=\"observe\"} 1",
        "ballast_market_price{market=",
        "ballast_book_equity_quote{",
        "ballast_hedge_band_base{coin=\"SOL\"} 0.1",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    // Every sample has a head, once.
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert_eq!(
            metrics.matches(&format!("# TYPE {name} ")).count(),
            1,
            "{name}"
        );
    }
    // What alerts and pictures ask for is there.
    for file in [
        include_str!("../../../ops/prometheus/alerts.yml"),
        include_str!("../../../ops/grafana/ballast.json"),
    ] {
        let words = file.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
        let asked: Vec<&str> = words.filter(|word| word.starts_with("ballast_")).collect();
        assert!(asked.len() > 9);
        for name in asked {
            assert!(metrics.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hedge_at_a_venue_stands_in_the_book_beside_the_positions_own_sums() {
    let running = Running::hedged(Mode::Paper).await;
    running.world.lock().set_price(203);
    running
        .until("it has hedged", async |running| {
            let book = running.read("book").await;
            book["hedge_state"] == "known" && book["hedge_delta"] != "0.000000000"
        })
        .await;
    let book = running.read("book").await;
    let raw = |value: &Value| -> i128 {
        let text: String = value.as_str().unwrap().split('.').collect();
        text.parse().unwrap()
    };
    assert_eq!(
        raw(&book["delta"]) + raw(&book["hedge_delta"]),
        raw(&book["net_delta"])
    );
    assert!(raw(&book["net_delta"]).abs() <= 110_000_000, "{book}");
    let pnl = &book["hedge_pnl"];
    let parts = ["price", "fees", "funding"].map(|part| raw(&pnl[part]));
    assert_eq!(parts.iter().sum::<i128>(), raw(&pnl["total"]));
    assert!(parts[1] < 0 && parts[2] == 0, "{pnl}");
    let market = book["market"].as_str().unwrap();
    let funding = running.read(&format!("markets/{market}/funding")).await;
    assert_eq!(
        (&funding["venue"], &funding["instrument"], &funding["state"]),
        (&json!("paper"), &json!("SOL"), &json!("unknown"))
    );
    assert_ne!(funding["position_base"], "0");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_binds_is_journaled_and_outlives_the_process() {
    let running = Running::start(Mode::Active).await;
    let halt = json!({"scope": "keeper", "mode": "halt", "note": "oracle looks wrong", "expect_mode": "active"});
    let (status, preview) = running
        .order("/api/v1/overrides/preview", &halt, None)
        .await;
    assert_eq!((status, &preview["risk"]), (200, &json!("raises")));
    assert_eq!(
        preview["positions"],
        running.read("positions").await["total"]
    );
    let (status, made) = running
        .order("/api/v1/overrides", &halt, Some("key-1"))
        .await;
    assert_eq!(
        (status, &made["by"], &made["mode"]),
        (201, &json!("dashboard"), &json!("halt"))
    );
    let now = running.read("status").await;
    assert_eq!(now["keeper"]["mode"], "halted");
    assert!(
        now["keeper"]["mode_reason"]
            .as_str()
            .unwrap()
            .contains("oracle looks wrong")
    );
    assert_eq!(now["overrides"][0]["id"], made["id"]);
    // The same key has the same answer; another request under it is refused.
    let (status, again) = running
        .order("/api/v1/overrides", &halt, Some("key-1"))
        .await;
    assert_eq!((status, &again["id"]), (201, &made["id"]));
    // Two people do not undo each other.
    let (status, late) = running
        .order("/api/v1/overrides", &halt, Some("key-2"))
        .await;
    assert_eq!(
        (status, &late["error"]["code"]),
        (409, &json!("mode_changed"))
    );
    let address = running.first_position().await;
    for (body, status, code, field) in [
        (
            json!({"scope": "all", "mode": "halt", "note": "abc"}),
            422,
            "bad_field",
            "scope",
        ),
        (
            json!({"scope": "keeper", "mode": "pause", "note": "abc"}),
            422,
            "bad_field",
            "mode",
        ),
        (
            json!({"scope": "keeper", "mode": "halt", "note": " a "}),
            422,
            "bad_field",
            "note",
        ),
        (
            json!({"scope": "position", "mode": "halt", "note": "abc", "position": address}),
            422,
            "bad_field",
            "mode",
        ),
        (
            json!({"scope": "position", "mode": "pause", "note": "abc"}),
            422,
            "bad_field",
            "position",
        ),
        (
            json!({"scope": "position", "mode": "pause", "note": "abc", "position": Pubkey::new_from_array([3; 32]).to_string()}),
            404,
            "no_such_position",
            "position",
        ),
    ] {
        let (found, answer) = running.order("/api/v1/overrides", &body, None).await;
        let error = &answer["error"];
        assert_eq!(
            (found, &error["code"], &error["field"]),
            (status, &json!(code), &json!(field)),
            "{body}"
        );
    }
    assert_eq!(
        running.read("overrides").await["rows"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let token = running.token.clone();
    let (world, disk, directory) = running.end().await;
    let running = Running::on(world, disk, directory, Mode::Active).await;
    let now = running.read("status").await;
    assert_eq!(now["keeper"]["mode"], "halted");
    assert_eq!(
        (&now["keeper"]["journal"]["records"], &token),
        (&json!(1), &running.token)
    );
    // A due rehedge is left alone, and shown.
    running.world.lock().set_price(206);
    running
        .until("it is due", async |running| {
            running.read("status").await["counts"]["due"] != 0
        })
        .await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(running.read("actions").await["rows"], json!([]));
    let resume = json!({"scope": "keeper", "mode": "resume", "note": "it was right"});
    assert_eq!(
        running.order("/api/v1/overrides", &resume, None).await.0,
        201
    );
    running
        .until("the keeper acts again", async |running| {
            running.read("actions").await["rows"].get(0).is_some()
        })
        .await;
    running.end().await;
}

/// One event.
#[derive(Clone, Debug)]
struct Event {
    id: Option<u64>,
    name: String,
    data: Value,
}

/// A listener of the stream.
struct Listening {
    answer: Response,
    text: String,
}

impl Listening {
    async fn to(running: &Running, last: Option<u64>) -> Self {
        let mut request = running.client.get(running.url("/api/v1/events"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            text: String::new(),
        }
    }

    /// The next event; `None`: the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let mut event = Event {
                    id: None,
                    name: String::new(),
                    data: Value::Null,
                };
                for line in block.lines() {
                    match line.split_once(": ").unwrap() {
                        ("id", id) => event.id = Some(id.parse().unwrap()),
                        ("event", name) => event.name = name.to_owned(),
                        ("data", data) => event.data = serde_json::from_str(data).unwrap(),
                        ("retry", pause) => assert_eq!(pause, "1000"),
                        other => panic!("{other:?}"),
                    }
                }
                self.text = rest.to_owned();
                return Some(event);
            }
            let chunk = timeout(PATIENCE, self.answer.chunk()).await.unwrap();
            let chunk = chunk.ok()??;
            self.text.push_str(str::from_utf8(&chunk).unwrap());
        }
    }

    /// Until an event of that name.
    async fn until(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.unwrap();
            if event.name == name {
                return event;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_beats_every_second_and_says_hello_first() {
    let running = Running::start(Mode::Observe).await;
    let mut stream = Listening::to(&running, None).await;
    let hello = stream.next().await.unwrap();
    let contract = contract();
    assert_eq!((hello.name.as_str(), hello.id), ("hello", None));
    assert_eq!(
        check(&contract["hello"], &hello.data, "hello"),
        Vec::<String>::new()
    );
    let status = running.read("status").await;
    assert_eq!(hello.data["instance"], status["keeper"]["instance"]);
    assert_eq!(hello.data["heartbeat_ms"], 1_000);
    let first = stream.until("tick").await;
    let begun = Instant::now();
    let mut versions = vec![first.data["version"].as_u64().unwrap()];
    for _ in 0..4 {
        let tick = stream.until("tick").await;
        assert_eq!(
            (tick.id, check(&contract["tick"], &tick.data, "tick")),
            (None, Vec::new())
        );
        assert!(tick.data.to_string().len() <= 300, "{}", tick.data);
        versions.push(tick.data["version"].as_u64().unwrap());
    }
    let took = begun.elapsed();
    assert!((3_000..6_000).contains(&took.as_millis()), "{took:?}");
    // A busy machine may have nothing new in one second, not in all of them.
    assert!(
        versions.is_sorted() && versions.first() < versions.last(),
        "{versions:?}"
    );
    running.end().await;
    // A keeper that ends ends its streams.
    while stream.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_gets_what_was_missed_and_nothing_twice() {
    let running = Running::start(Mode::Active).await;
    let mut stream = Listening::to(&running, None).await;
    let order = async |running: &Running, note: &str| {
        let body = json!({"scope": "keeper", "mode": "reduce", "note": note});
        let (status, made) = running.order("/api/v1/overrides", &body, None).await;
        assert_eq!(status, 201);
        made["id"].as_u64().unwrap()
    };
    order(&running, "first").await;
    let first = stream.until("override").await;
    assert_eq!((first.id, &first.data["note"]), (Some(1), &json!("first")));
    drop(stream);
    // While nobody listens: an override, an intent and its outcome.
    order(&running, "second").await;
    running.world.lock().set_price(206);
    running
        .until("actions have landed", async |running| {
            let actions = running.read("actions").await;
            let rows = actions["rows"].as_array().unwrap();
            !rows.is_empty() && rows.iter().all(|action| action["outcome"] == "landed")
        })
        .await;
    let records = running.read("status").await["keeper"]["journal"]["records"]
        .as_u64()
        .unwrap();
    let mut stream = Listening::to(&running, Some(1)).await;
    assert_eq!(stream.next().await.unwrap().name, "hello");
    let mut seen = Vec::new();
    while seen.len() as u64 + 1 < records {
        let event = stream.next().await.unwrap();
        if let Some(id) = event.id {
            seen.push(id);
        }
    }
    assert_eq!(seen, (2..=records).collect::<Vec<_>>());
    // What comes now comes once.
    order(&running, "third").await;
    let mut later = Vec::new();
    while later
        .last()
        .is_none_or(|event: &Event| event.data["note"] != "third")
    {
        let event = stream.next().await.unwrap();
        if event.id.is_some() {
            later.push(event);
        }
    }
    let ids: Vec<u64> = later.iter().filter_map(|event| event.id).collect();
    assert_eq!(
        ids,
        (records + 1..=records + ids.len() as u64).collect::<Vec<_>>()
    );
    // The intent and its outcome are the same action under two numbers.
    drop(stream);
    let mut again = Listening::to(&running, Some(2)).await;
    let (one, two) = (again.until("action").await, again.until("action").await);
    assert!(one.id < two.id && one.data["signature"].is_string());
    // A number of a journal that is no more.
    let mut beyond = Listening::to(&running, Some(999_999)).await;
    beyond.until("hello").await;
    let reset = beyond.next().await.unwrap();
    assert_eq!(reset.name, "reset");
    drop((again, beyond));
    // The same after a restart: numbers go on.
    let (world, disk, directory) = running.end().await;
    let running = Running::on(world, disk, directory, Mode::Active).await;
    let mut stream = Listening::to(&running, Some(1)).await;
    assert_eq!(stream.next().await.unwrap().name, "hello");
    let next = stream.until("override").await;
    assert_eq!((next.id, &next.data["note"]), (Some(2), &json!("second")));
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_listen_at_a_time() {
    let running = Running::start(Mode::Observe).await;
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(Listening::to(&running, None).await);
    }
    let (status, body, headers) = running.ask(Method::GET, "/api/v1/events", &[], "").await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (503, &json!("too_many_streams"))
    );
    assert!(headers.contains_key("retry-after"));
    // All of them hear the heart.
    for stream in &mut streams {
        stream.until("tick").await;
    }
    streams.pop();
    running
        .until("a place is free", async |running| {
            let answer = running.get("/api/v1/events").await;
            answer.status() == StatusCode::OK
        })
        .await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_do_not_listen_at_one_address() {
    let running = Running::start(Mode::Observe).await;
    let (world, disk) = crash_tests::world(2, super::Faults::default());
    let mut parts = crash_tests::parts(&world, &disk, Mode::Observe);
    let directory = tempfile::tempdir().unwrap();
    parts.config.journal_dir = directory.path().to_owned();
    parts.config.api.listen = Some(running.address);
    let error = Keeper::new(parts)
        .run(std::future::pending())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("is another keeper using it"),
        "{error}"
    );
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_answered_by_name_and_readers_need_their_token() {
    let (world, disk) = crash_tests::world(1, super::Faults::default());
    let mut parts = crash_tests::parts(&world, &disk, Mode::Observe);
    let directory = tempfile::tempdir().unwrap();
    let read_token = directory.path().join("read-token");
    std::fs::write(&read_token, "a-token-for-reading-only\n").unwrap();
    parts.config.journal_dir = directory.path().to_owned();
    parts.config.api.listen = Some("127.0.0.1:0".parse().unwrap());
    parts.config.api.hosts = vec!["keeper.example.com".into()];
    parts.config.api.read_token = Some(read_token);
    let keeper = Keeper::new(parts);
    let mut addresses = keeper.api_address();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(keeper.run(async {
        let _ = stopped.await;
    }));
    let address = timeout(PATIENCE, addresses.wait_for(Option::is_some))
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let client = Arc::new(Client::builder().no_proxy().build().unwrap());
    let status = async |path: &str, headers: &[(&'static str, &str)]| {
        let mut request = client.get(format!("http://{address}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let proxy = ("host", "keeper.example.com");
    assert_eq!(status("/healthz", &[proxy]).await, 200);
    assert_eq!(
        status("/", &[proxy, ("origin", "https://keeper.example.com")]).await,
        200
    );
    let write = Token::read(&Token::path(directory.path())).unwrap();
    let write = format!("Bearer {}", write.expose());
    for path in ["/api/v1/flags", "/api/v1/events", "/metrics"] {
        assert_eq!(status(path, &[proxy]).await, 401, "{path}");
        assert_eq!(
            status(
                path,
                &[proxy, ("authorization", "Bearer other-token-than-that")]
            )
            .await,
            401
        );
        for token in ["Bearer a-token-for-reading-only", write.as_str()] {
            let found = status(path, &[proxy, ("authorization", token)]).await;
            // Before the first whole picture there is nothing to read yet.
            assert!(found == 200 || found == 503, "{path} {found}");
        }
    }
    // It is for reading only.
    let change = client
        .post(format!("http://{address}/api/v1/overrides"))
        .header("content-type", "application/json")
        .header("authorization", "Bearer a-token-for-reading-only")
        .body("{}");
    assert_eq!(change.send().await.unwrap().status(), 401);
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
}
