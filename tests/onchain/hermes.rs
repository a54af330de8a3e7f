//! The keeper's price service against a server on this machine that speaks Hermes' HTTP, well and badly.

use std::time::{Duration, Instant};

use ballast_abi::{
    clusters::{SOL_USD_FEED, USDC_USD_FEED},
    pyth::PriceMessage,
};
use ballast_client::{Endpoint, Side};
use ballast_keeper::updates::{Hermes, PriceUpdates, SignedPrice, UpdatesError};
use ballast_localnet::{HermesAnswer, HermesServer, PricePost, UsdPrice};

const FEEDS: [[u8; 32]; 2] = [SOL_USD_FEED, USDC_USD_FEED];

fn messages(publish_time: i64) -> Vec<PriceMessage> {
    let prices = [
        (Side::Base, UsdPrice::dollars(205)),
        (Side::Quote, UsdPrice::ONE),
    ];
    let message = |(side, price)| PricePost::good(side, price, publish_time).message();
    prices.map(message).into()
}

fn hermes(server: &HermesServer, timeout: Duration) -> Hermes {
    Hermes::new(
        &Endpoint::new(format!("{}/KEY-123456?token=KEY-123456", server.url())),
        timeout,
    )
    .unwrap()
}

async fn ask(hermes: &Hermes) -> Result<Vec<SignedPrice>, UpdatesError> {
    let answer = hermes.latest(&FEEDS).await;
    if let Err(error) = &answer {
        assert!(!error.to_string().contains("KEY-123456"), "{error}");
    }
    answer
}

fn status(line: &str, header: &str, body: &str) -> HermesAnswer {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {line}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    HermesAnswer::Raw(text.into())
}

#[tokio::test]
async fn prices_come_in_the_order_asked_for_with_what_proves_them() {
    let server = HermesServer::start().unwrap();
    let hermes = hermes(&server, Duration::from_secs(5));
    for time in [1_700_000_000, 1_700_000_001] {
        server.publish(messages(time));
        let found = ask(&hermes).await.unwrap();
        let prices: Vec<_> = found.iter().map(|signed| signed.price).collect();
        assert_eq!(prices, messages(time));
        assert!(found.iter().all(|signed| signed.proven().proof.len() == 11));
        // Real ones have as many bytes.
        assert_eq!(found[0].vaa().len(), 952);
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].starts_with("GET /KEY-123456/v2/updates/price/latest?token=KEY-123456&ids"));
}

#[tokio::test]
async fn a_feed_that_the_service_does_not_know_is_its_refusal() {
    let server = HermesServer::start().unwrap();
    let hermes = hermes(&server, Duration::from_secs(5));
    server.publish(messages(1)[..1].to_vec());
    let error = ask(&hermes).await.unwrap_err();
    assert!(matches!(error, UpdatesError::Refused { status: 404, .. }));
}

#[tokio::test]
async fn errors_are_told_apart() {
    let server = HermesServer::start().unwrap();
    let hermes = hermes(&server, Duration::from_secs(5));
    server.publish(messages(1));
    for (line, expected) in [
        ("500 Internal Server Error", 500),
        ("502 Bad Gateway", 502),
        ("401 Unauthorized", 401),
        // Followed nowhere.
        ("302 Found", 302),
        ("204 No Content", 204),
    ] {
        server.answer(status(line, "location: http://127.0.0.1:1/\r\n", ""));
        let error = ask(&hermes).await.unwrap_err();
        assert!(
            matches!(error, UpdatesError::Refused { status, .. } if status == expected),
            "{error}"
        );
    }
    for body in ["<html>not JSON</html>", "{}", "", "[1, 2"] {
        server.answer(status("200 OK", "", body));
        let error = ask(&hermes).await.unwrap_err();
        assert!(matches!(error, UpdatesError::BadAnswer { .. }), "{error}");
    }
    // Something else in the right wrapping.
    let other = "{\"binary\":{\"encoding\":\"base64\",\"data\":[\"AAECAw==\"]}}";
    server.answer(status("200 OK", "", other));
    assert!(matches!(ask(&hermes).await, Err(UpdatesError::Update(_))));
    // Nothing of that is remembered.
    server.answer(HermesAnswer::Prices);
    ask(&hermes).await.unwrap();
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let server = HermesServer::start().unwrap();
    let hermes = hermes(&server, Duration::from_secs(5));
    let body = " ".repeat(70_000);
    server.answer(status("200 OK", "", &body));
    let error = ask(&hermes).await.unwrap_err();
    assert!(matches!(error, UpdatesError::TooLong { most: 65_536, .. }));
    // One that only claims to be long, and ends early.
    let early = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"binary\"".to_vec();
    server.answer(HermesAnswer::Raw(early));
    let error = ask(&hermes).await.unwrap_err();
    assert!(matches!(error, UpdatesError::Unreachable { .. }), "{error}");
    server.answer(HermesAnswer::Raw(b"no HTTP at all".to_vec()));
    let error = ask(&hermes).await.unwrap_err();
    assert!(matches!(error, UpdatesError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_service_that_stalls_ends_within_the_time_out() {
    let server = HermesServer::start().unwrap();
    let hermes = hermes(&server, Duration::from_millis(300));
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
        server.answer(HermesAnswer::Stalls(bytes.to_vec()));
        let began = Instant::now();
        let error = ask(&hermes).await.unwrap_err();
        assert!(matches!(error, UpdatesError::Unreachable { .. }), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    drop(server);
    let gone = HermesServer::start().unwrap();
    let address = gone.url();
    drop(gone);
    let hermes = Hermes::new(&Endpoint::new(address), Duration::from_secs(5)).unwrap();
    let error = ask(&hermes).await.unwrap_err();
    assert!(matches!(error, UpdatesError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_busy_service_is_left_alone_for_as_long_as_it_asks_and_no_longer_than_half_a_minute() {
    for (line, header, expected) in [
        ("429 Too Many Requests", "retry-after: 2\r\n", 2),
        ("429 Too Many Requests", "", 5),
        ("503 Service Unavailable", "retry-after: soon\r\n", 5),
        ("429 Too Many Requests", "retry-after: 86400\r\n", 30),
        ("429 Too Many Requests", "retry-after: 0\r\n", 1),
    ] {
        let server = HermesServer::start().unwrap();
        let hermes = hermes(&server, Duration::from_secs(5));
        server.publish(messages(1));
        server.answer(status(line, header, ""));
        let busy = |error| match error {
            UpdatesError::Busy { secs, .. } => secs,
            other => panic!("{other}"),
        };
        assert_eq!(busy(ask(&hermes).await.unwrap_err()), expected);
        assert_eq!(server.asked().len(), 1);
        server.answer(HermesAnswer::Prices);
        // It is not asked at all meanwhile.
        assert!(busy(ask(&hermes).await.unwrap_err()) <= expected);
        assert!(server.asked().is_empty());
        if expected == 1 {
            let until = Instant::now() + Duration::from_secs(10);
            while ask(&hermes).await.is_err() {
                assert!(Instant::now() < until, "it is never asked again");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
