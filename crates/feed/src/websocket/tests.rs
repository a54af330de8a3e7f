//! Websockets on this machine that refuse, and what is read of those that do not.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::*;

const KEY: &str = "KEY0123456789";
/// Within which who is refused has to know, however slow the machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A server that does this with each connection, and what it was asked for.
async fn server<F: Future<Output = ()> + Send + 'static>(
    answers: impl Fn(TcpStream, String) -> F + Send + 'static,
) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            tokio::spawn(answers(stream, request));
        }
    });
    Endpoint::new(format!("ws://user:{KEY}@{host}/{KEY}?api-key={KEY}"))
}

/// One that answers every connection with this.
async fn answering(answer: &'static str) -> Endpoint {
    server(move |mut stream, request| async move {
        assert!(request.contains(KEY), "{request}");
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

async fn refused(endpoint: Endpoint) -> FeedError {
    let feed = Websocket::new(endpoint);
    let refused = timeout(LIMIT, feed.subscribe(&[])).await.expect("an end");
    let Err(error) = refused else {
        panic!("it streams");
    };
    let told = format!("{error} {error:?}");
    assert!(!told.contains(KEY) && told.contains("127.0.0.1"), "{told}");
    error
}

#[tokio::test]
async fn who_is_refused_is_told_why_at_once_and_without_the_key() {
    const HTTP: [(&str, Option<u16>, &str); 9] = [
        (
            "401 KEY0123456789\r\nx-key: KEY0123456789",
            None,
            "HTTP 401",
        ),
        ("403 Forbidden", None, "HTTP 403"),
        ("404 Not Found", Some(404), "the address's path"),
        ("429 Too Many Requests", Some(429), "HTTP 429"),
        (
            "429 Too Many Requests\r\nretry-after: 119",
            Some(429),
            "119 s",
        ),
        ("503 Service Unavailable", Some(503), "HTTP 503"),
        ("502 Bad Gateway", Some(502), "HTTP 502"),
        (
            "302 Found\r\nlocation: ws://127.0.0.1:9/KEY0123456789",
            Some(302),
            "leads elsewhere",
        ),
        ("200 OK", Some(200), "HTTP 200"),
    ];
    for (head, status, part) in HTTP {
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n").leak();
        let began = Instant::now();
        let error = refused(answering(answer).await).await;
        // Not tried again, and not waited for as long as it asks.
        assert!(began.elapsed() < SUBSCRIBE_WITHIN, "{error}");
        let found = match &error {
            FeedError::Unauthenticated { .. } => None,
            FeedError::Refused { status, .. } => Some(*status),
            other => panic!("{head}: {other:?}"),
        };
        assert_eq!(found, status, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_websocket_is_no_connection() {
    for answer in [
        "<html>hello KEY0123456789</html>",
        "",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconn",
    ] {
        let error = refused(answering(answer).await).await;
        assert!(matches!(error, FeedError::Connect { .. }), "{error:?}");
    }
    for url in [
        format!("ws://127.0.0.1:9/{KEY}"),
        format!("http://127.0.0.1:9/{KEY}"),
        format!("ws//127.0.0.1/{KEY}"),
    ] {
        let feed = Websocket::new(Endpoint::new(url));
        let error = feed.subscribe(&[]).await.err().expect("an error");
        assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
        assert!(matches!(error, FeedError::Connect { .. }), "{error:?}");
    }
}

/// Nothing comes, before or after TLS: it is given up in simulated time.
#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_half_open_is_given_up() {
    let silent = || {
        server(|stream, _| async move {
            let _open = stream;
            std::future::pending().await
        })
    };
    let plain = silent().await;
    let secure = Endpoint::new(silent().await.expose().replace("ws://", "wss://"));
    for endpoint in [plain, secure] {
        let began = Instant::now();
        let error = refused(endpoint).await;
        assert!(matches!(error, FeedError::TooSlow { .. }), "{error:?}");
        assert!(began.elapsed() <= SUBSCRIBE_WITHIN + Duration::from_secs(1));
    }
}

fn ui(owner: &str, data: UiAccountData) -> UiAccount {
    UiAccount {
        lamports: 1,
        data,
        owner: owner.into(),
        executable: false,
        rent_epoch: 0,
        space: None,
    }
}

#[test]
fn accounts_are_decoded_and_bad_ones_named() {
    let address = Pubkey::new_from_array([5; 32]);
    let base64 = |text: &str| UiAccountData::Binary(text.into(), UiAccountEncoding::Base64);
    let owner = ballast::ID.to_string();
    let Update::Account {
        account, slot: 7, ..
    } = update(address, address, 7, &ui(&owner, base64("AQI=")))
    else {
        panic!("not an account");
    };
    assert_eq!((account.data, account.owner), (vec![1, 2], ballast::ID));
    for bad in [ui(&owner, base64("!")), ui("nobody", base64("AQI="))] {
        let Update::Unreadable { reason, .. } = update(address, address, 7, &bad) else {
            panic!("taken");
        };
        assert!(reason.contains(&address.to_string()), "{reason}");
    }
}
