//! Who may call: hosts, origins and tokens, behind a proxy too; and that one address serves one keeper.

use std::sync::Arc;

use reqwest::{Client, Method};
use serde_json::json;
use tokio::{sync::oneshot, time::timeout};

use super::running::{PATIENCE, Running};
use crate::{
    Keeper, Mode,
    api::Token,
    sim::{Faults, scene},
};

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
async fn two_keepers_do_not_listen_at_one_address() {
    let running = Running::start(Mode::Observe).await;
    let (world, disk) = scene::world(2, Faults::default());
    let mut parts = scene::parts(&world, &disk, Mode::Observe);
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
    let (world, disk) = scene::world(1, Faults::default());
    let mut parts = scene::parts(&world, &disk, Mode::Observe);
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
