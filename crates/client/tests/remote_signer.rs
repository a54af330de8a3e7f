//! A signer over a socket against a service that signs, lags, refuses and lies: nothing is signed by anything else.

use std::time::Duration;

use ballast_client::{
    Keypair, RemoteSigner, SignError, Signer, SignerAddress, SignerConfig, TransactionSigner,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};

const TIMEOUT: Duration = Duration::from_millis(200);

/// What the service does with what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Signs,
    SignsAnother,
    SignsWithAnotherKey,
    Hangs,
    Closes,
    Refuses,
    Garbage,
    NoHttp,
    Short,
    Endless,
}

const KEY: [u8; 32] = [5; 32];

fn key() -> Keypair {
    Keypair::new_from_array(KEY)
}

async fn question(stream: &mut (impl AsyncRead + Unpin)) -> Value {
    let (mut request, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let length = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(&piece[..length]);
        let text = String::from_utf8(request.clone()).unwrap();
        assert!(text.starts_with("POST /sign HTTP/1.0\r\n"), "{text}");
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
        if let Some(body) = body.and_then(|body| serde_json::from_str(body).ok()) {
            return body;
        }
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, deed: Deed) {
    let asked = question(&mut stream).await;
    assert_eq!(asked["address"], key().pubkey().to_string());
    let message = STANDARD.decode(asked["message"].as_str().unwrap()).unwrap();
    let signed = |by: &Keypair, message: &[u8]| {
        json!({ "signature": by.sign_message(message).to_string() }).to_string()
    };
    let (status, body) = match deed {
        Deed::Signs => ("200 OK", signed(&key(), &message)),
        Deed::SignsAnother => ("200 OK", signed(&key(), &[&message[..], &[0]].concat())),
        Deed::SignsWithAnotherKey => (
            "200 OK",
            signed(&Keypair::new_from_array([6; 32]), &message),
        ),
        Deed::Hangs => std::future::pending().await,
        Deed::Closes => return,
        Deed::Refuses => (
            "403 Forbidden",
            json!({ "error": "not this\nprogram" }).to_string(),
        ),
        Deed::Garbage => ("200 OK", "<html>".into()),
        Deed::Short => ("200 OK", json!({ "signature": "abc" }).to_string()),
        Deed::NoHttp => {
            stream.write_all(b"hello").await.unwrap();
            return;
        }
        Deed::Endless => loop {
            if stream.write_all(&[b'x'; 4_096]).await.is_err() {
                return;
            }
        },
    };
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// A service on a port.
async fn service(deed: Deed) -> RemoteSigner {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, deed));
        }
    });
    signer(SignerAddress::parse(&at).unwrap())
}

fn signer(at: SignerAddress) -> RemoteSigner {
    RemoteSigner::new(SignerConfig {
        at,
        address: key().pubkey(),
        timeout: TIMEOUT,
    })
}

#[tokio::test]
async fn a_signature_of_these_bytes_by_that_key_is_taken_and_nothing_else() {
    let message = b"whatever is to be signed";
    for deed in [
        Deed::Signs,
        Deed::SignsAnother,
        Deed::SignsWithAnotherKey,
        Deed::Hangs,
        Deed::Closes,
        Deed::Refuses,
        Deed::Garbage,
        Deed::NoHttp,
        Deed::Short,
        Deed::Endless,
    ] {
        let said = service(deed).await.sign(message).await;
        let as_expected = match deed {
            Deed::Signs => said == Ok(key().sign_message(message)),
            Deed::SignsAnother | Deed::SignsWithAnotherKey => {
                matches!(said, Err(SignError::Wrong { .. }))
            }
            Deed::Hangs => matches!(said, Err(SignError::Late { .. })),
            Deed::Closes => matches!(said, Err(SignError::Unreachable { .. })),
            Deed::Refuses => {
                matches!(&said, Err(SignError::Refused { reason, .. }) if reason == "HTTP 403: not thisprogram")
            }
            Deed::Garbage | Deed::NoHttp | Deed::Short | Deed::Endless => {
                matches!(said, Err(SignError::BadAnswer { .. }))
            }
        };
        assert!(as_expected, "{deed:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_unix_socket_serves_as_well_and_one_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("signer.sock");
    let at = SignerAddress::parse(&format!("unix:{}", path.display())).unwrap();
    let nobody = signer(at.clone()).sign(b"x").await.unwrap_err();
    assert!(nobody.to_string().contains("signer.sock"), "{nobody}");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Deed::Signs));
        }
    });
    assert_eq!(signer(at).sign(b"x").await, Ok(key().sign_message(b"x")));
}
