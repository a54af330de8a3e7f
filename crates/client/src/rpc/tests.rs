//! The client against a server on this machine that behaves as nodes, and what stands before them, do at times.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use solana_sdk::pubkey::Pubkey;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::chain::Chain;

const KEY: &str = "KEY-0123456789";

/// What the server does with a request.
#[derive(Clone, Copy)]
enum Answer {
    /// Status, more headers, body.
    Http(u16, &'static str, &'static str),
    /// Nothing, for ever.
    Hang,
    /// The connection breaks in the middle of the answer.
    Break,
}

const SLOT: Answer = Answer::Http(200, "", r#"{"jsonrpc":"2.0","id":0,"result":7}"#);
const TOO_MANY: Answer = Answer::Http(429, "retry-after: 119\r\n", "slow down");

/// Answers in this order; the last one for ever.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (answers.to_vec(), Arc::clone(&requests));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                let answer = answers[number.min(answers.len() - 1)];
                tokio::spawn(reply(stream, answer));
            }
        });
        Self {
            url: format!("http://user:{KEY}@{host}/{KEY}?api-key={KEY}"),
            requests,
        }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// A client that waits for at most 600 ms, and what it tells of tries.
    fn client(&self) -> (RpcChain, Arc<Mutex<Vec<Retry>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let config = RpcConfig {
            backoff_first: Duration::from_millis(20),
            backoff_longest: Duration::from_millis(80),
            seed: Some(1),
            ..RpcConfig::new(Duration::from_millis(600))
        };
        let on_retry: OnRetry = Arc::new(move |retry| tell.lock().unwrap().push(retry.clone()));
        (
            RpcChain::with_config(&self.url, config, Some(on_retry)),
            told,
        )
    }
}

async fn reply(mut stream: TcpStream, answer: Answer) {
    let mut request = Vec::new();
    let mut piece = [0; 1_024];
    // All of these requests end with the closing brace of their JSON.
    while !request.ends_with(b"}") {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&piece[..length]),
        }
    }
    let asked = String::from_utf8_lossy(&request);
    let id = asked
        .split("\"id\":")
        .nth(1)
        .and_then(|rest| rest.split(',').next());
    let text = match answer {
        Answer::Http(status, headers, body) => {
            let body = body.replace("\"id\":0", &format!("\"id\":{}", id.unwrap_or("0")));
            format!(
                "HTTP/1.1 {status} \r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
        }
        Answer::Hang => std::future::pending().await,
        Answer::Break => "HTTP/1.1 200 \r\ncontent-length: 100\r\n\r\n{".into(),
    };
    let _ = stream.write_all(text.as_bytes()).await;
}

#[tokio::test]
async fn what_passes_is_tried_again_and_told() {
    for passing in [
        TOO_MANY,
        Answer::Http(502, "", "<html>bad gateway</html>"),
        Answer::Http(503, "", ""),
        Answer::Break,
        Answer::Http(
            200,
            "",
            r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32429,"message":"rate limited"}}"#,
        ),
    ] {
        let server = Server::start(&[passing, passing, SLOT]).await;
        let (chain, told) = server.client();
        assert_eq!(chain.slot().await, Ok(7));
        let traffic = Traffic {
            requests: 1,
            retries: 2,
            ..Traffic::default()
        };
        assert_eq!((chain.traffic(), server.requests()), (traffic, 3));
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!((told[1].what.as_str(), told[1].retries), ("getSlot", 2));
        assert!(!format!("{told:?}").contains(KEY), "{told:?}");
    }
}

#[tokio::test]
async fn every_request_ends_in_time_whatever_the_node_asks_for() {
    for (answer, expected) in [
        (TOO_MANY, "HTTP 429 Too Many Requests"),
        (Answer::Http(500, "", ""), "HTTP 500"),
        (Answer::Hang, "no answer within 600ms"),
    ] {
        let server = Server::start(&[answer]).await;
        let (chain, _) = server.client();
        let began = Instant::now();
        let error = chain.slot().await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(3), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        let busy = matches!(
            error,
            ChainError::Busy {
                what: "getSlot",
                ..
            }
        );
        let late = matches!(error, ChainError::Unreachable { .. });
        let hangs = matches!(answer, Answer::Hang);
        assert_eq!((busy, late), (!hangs, hangs), "{error:?}");
        assert_eq!(chain.traffic().failures, 1);
        // Pauses of 10 to 80 ms.
        let tries = server.requests();
        assert_eq!(hangs, tries == 1, "{tries}");
        assert!(hangs || (5..60).contains(&tries), "{tries}");
    }
}

#[tokio::test]
async fn one_refused_request_does_not_hold_up_another() {
    let server = Server::start(&[TOO_MANY, TOO_MANY, SLOT]).await;
    let (chain, _) = server.client();
    let (one, other) = tokio::join!(chain.slot(), chain.slot());
    assert_eq!((one, other), (Ok(7), Ok(7)));
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again() {
    let garbage = |error: &ChainError| matches!(error, ChainError::BadAnswer { .. });
    let refused = |error: &ChainError| matches!(error, ChainError::Refused { .. });
    type Kind = fn(&ChainError) -> bool;
    for (answer, is_kind, expected) in [
        (
            Answer::Http(200, "", "<html>hello</html>"),
            garbage as Kind,
            "18 bytes that are no JSON-RPC",
        ),
        (Answer::Http(200, "", "[1]"), garbage, "no JSON-RPC"),
        (Answer::Http(200, "", "{}"), garbage, "without a result"),
        (
            Answer::Http(200, "", r#"{"result":"seven"}"#),
            garbage,
            "invalid type",
        ),
        (
            Answer::Http(
                200,
                "",
                r#"{"error":{"code":-32601,"message":"Method not found"}}"#,
            ),
            refused,
            "Method not found (code -32601)",
        ),
        (
            Answer::Http(
                403,
                "",
                r#"{"error":{"code":403,"message":"key KEY-0123456789 is not\nknown"}}"#,
            ),
            refused,
            "HTTP 403 Forbidden: key (hidden) is not known",
        ),
        (Answer::Http(410, "", "gone"), refused, "HTTP 410 Gone"),
        (
            Answer::Http(200, "", r#"{"id":9,"result":7}"#),
            garbage,
            "the answer to question 9, not to 0",
        ),
        (
            Answer::Http(308, "location: /elsewhere\r\n", ""),
            refused,
            "it leads elsewhere",
        ),
    ] {
        let server = Server::start(&[answer]).await;
        let (chain, told) = server.client();
        let error = chain.slot().await.unwrap_err();
        assert!(is_kind(&error), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error:?}").contains(KEY), "{error:?}");
        assert!(told.lock().unwrap().is_empty());
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn errors_hold_nothing_of_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    // Nobody listens there any more.
    drop(listener);
    for url in [
        format!("http://user:{KEY}@{host}/{KEY}?api-key={KEY}"),
        format!("http://127.0.0.1:99999/{KEY}"),
        format!("http//{host}/{KEY}"),
    ] {
        let chain = RpcChain::new(&url, Duration::from_secs(2));
        let error = chain.slot().await.unwrap_err();
        assert!(matches!(error, ChainError::Unreachable { .. }), "{error:?}");
        let mut said = vec![format!("{error:?} {error}")];
        let error = chain.client().get_genesis_hash().await.unwrap_err();
        said.push(format!("{error:?} {error} {:?}", error.kind()));
        let error = chain.genesis_hash().await.unwrap_err();
        said.push(error.to_string());
        said.push(chain.client().url());
        for said in said {
            assert!(!said.contains(KEY), "{said}");
        }
    }
}

/// It would be shown the address with its key, and what is asked.
#[tokio::test]
async fn nobody_else_is_asked_where_an_answer_leads_elsewhere() {
    let elsewhere = Server::start(&[SLOT]).await;
    for status in [301, 302, 303, 307, 308] {
        let location: &'static str = format!("location: {}\r\n", elsewhere.url).leak();
        let server = Server::start(&[Answer::Http(status, location, "")]).await;
        let (chain, _) = server.client();
        let error = chain.slot().await.unwrap_err();
        assert!(matches!(error, ChainError::Refused { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains(KEY), "{error:?}");
        assert_eq!((server.requests(), elsewhere.requests()), (1, 0));
    }
}

#[tokio::test]
async fn what_landed_lately_is_found_without_what_failed() {
    const SIGNATURES: Answer = Answer::Http(
        200,
        "",
        r#"{"jsonrpc":"2.0","id":0,"result":[
            {"signature":"1111111111111111111111111111111111111111111111111111111111111111","slot":9,"err":null,"memo":null,"blockTime":5},
            {"signature":"1111111111111111111111111111111111111111111111111111111111111112","slot":8,"err":{"InstructionError":[0,{"Custom":1}]},"memo":null,"blockTime":4}]}"#,
    );
    let server = Server::start(&[SIGNATURES]).await;
    let chain = RpcChain::new(server.url.as_str(), Duration::from_secs(5));
    let found = chain.signatures(&Pubkey::default(), 10).await.unwrap();
    assert_eq!(found, [Signature::default()]);
}

#[tokio::test]
async fn a_transaction_comes_back_as_it_was_signed() {
    // One signature, of a message without instructions; and one that the node does not have.
    const LANDED: Answer = Answer::Http(
        200,
        "",
        r#"{"jsonrpc":"2.0","id":0,"result":{"slot":9,"blockTime":5,"meta":null,"transaction":["AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","base64"]}}"#,
    );
    const NOTHING: Answer = Answer::Http(200, "", r#"{"jsonrpc":"2.0","id":0,"result":null}"#);
    let server = Server::start(&[LANDED, NOTHING]).await;
    let chain = RpcChain::new(server.url.as_str(), Duration::from_secs(5));
    let found = chain.signed_transaction(&Signature::default()).await;
    let found = found.unwrap().expect("a transaction");
    assert_eq!(found.signatures, [Signature::default()]);
    assert!(found.message.instructions().is_empty());
    let nothing = chain.signed_transaction(&Signature::default()).await;
    assert_eq!(nothing.unwrap(), None);
}

#[tokio::test]
async fn a_budget_holds_the_usual_back_and_never_what_protects() {
    use futures_util::future::join_all;
    let server = Server::start(&[SLOT]).await;
    let budget = RpcBudget {
        per_second: 8,
        ..RpcBudget::default()
    };
    let config = RpcConfig {
        budget,
        ..RpcConfig::new(Duration::from_millis(600))
    };
    let chain = RpcChain::with_config(&server.url, config, None);
    let usual = join_all((0..20).map(|_| chain.slot()));
    let urgent = protecting(join_all((0..3).map(|_| chain.slot())));
    let (usual, urgent) = tokio::join!(usual, urgent);
    assert_eq!(urgent, [Ok(7), Ok(7), Ok(7)]);
    let answered = usual.iter().filter(|answer| answer.is_ok()).count();
    assert!((3..=8).contains(&answered), "{answered}");
    for refused in usual.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(refused, ChainError::Busy { .. }), "{refused:?}");
        assert!(refused.to_string().contains("`budgets`"), "{refused}");
    }
    // Who had no place was not asked for.
    assert_eq!(server.requests(), answered + urgent.len());
    let traffic = chain.traffic();
    assert!(
        traffic.held_back >= 17 && traffic.beyond_budget >= 1,
        "{traffic:?}"
    );
    // Each node has its own.
    let other = RpcChain::with_config(&server.url, config, None);
    assert_eq!(other.slot().await, Ok(7));
}
