//! A very large answer of a node on this machine, and everything else meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use solana_sdk::pubkey::Pubkey;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::spawn_blocking,
};

use super::RpcChain;
use crate::chain::Chain;

const COUNT: usize = 20_000;
const LIMIT: Duration = Duration::from_secs(60);

/// A program's accounts, some megabytes of them.
fn accounts() -> String {
    let account = |n: usize| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_le_bytes());
        let key = Pubkey::new_from_array(key);
        let data = "AQIDBAUGBwgBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwg=";
        format!(
            r#"{{"pubkey":"{key}","account":{{"lamports":1,"data":["{data}","base64"],"owner":"{key}","executable":false,"rentEpoch":0,"space":32}}}}"#
        )
    };
    let all: Vec<String> = (0..COUNT).map(account).collect();
    let all = all.join(",");
    format!(r#"{{"context":{{"slot":9}},"value":[{all}]}}"#)
}

/// Answers with the accounts to whom asks for them, and with a slot to everybody else. Bytes that were sent.
async fn reply(mut stream: TcpStream, accounts: Arc<str>) -> usize {
    let (mut request, mut piece) = (Vec::new(), [0; 1_024]);
    // The request ends with the closing brace of its JSON.
    while !request.ends_with(b"}") {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return 0,
            Ok(length) => request.extend_from_slice(&piece[..length]),
        }
    }
    let asked = String::from_utf8_lossy(&request);
    let result = match asked.contains("getProgramAccounts") {
        true => &accounts,
        false => "7",
    };
    let body = format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#);
    let head = format!(
        "HTTP/1.1 200 \r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
    body.len()
}

/// A node, and how many bytes it has sent.
async fn node() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let (counted, accounts) = (Arc::clone(&sent), Arc::<str>::from(accounts()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (counted, accounts) = (Arc::clone(&counted), Arc::clone(&accounts));
            tokio::spawn(async move {
                let length = reply(stream, accounts).await;
                counted.fetch_add(length, Ordering::SeqCst);
            });
        }
    });
    (url, sent)
}

/// On one thread, whose only other one is busy: the answer waits for that, and everything else goes on.
#[test]
fn a_very_large_answer_holds_nobody_up() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let busy = spawn_blocking(move || {
            begun.send(()).unwrap();
            let _ = released.recv_timeout(LIMIT);
        });
        begins.await.unwrap();
        let (url, sent) = node().await;
        let chain = RpcChain::new(url, LIMIT);
        let asking = chain.clone();
        let all = tokio::spawn(async move {
            let program = Pubkey::default();
            asking.program_accounts(&program, &[]).await
        });
        // Until it has come, and for a while longer.
        let mut after = 0;
        while after < 50 {
            after += usize::from(sent.load(Ordering::SeqCst) > COUNT * 100);
            assert_eq!(chain.slot().await, Ok(7));
        }
        assert!(!all.is_finished());
        release.send(()).unwrap();
        busy.await.unwrap();
        let all = all.await.unwrap().unwrap();
        assert_eq!((all.slot, all.accounts.len()), (Some(9), COUNT));
        assert_eq!(all.accounts[7].1.data.len(), 32);
    });
}
