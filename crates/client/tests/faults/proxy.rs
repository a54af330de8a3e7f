//! A node on this machine that speaks real HTTP and JSON-RPC, answers from the scripted cluster, and does with some of the questions and
//! answers what networks and nodes do.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use super::cluster::{Shared, account, draw, status};

/// What may happen to a question or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes late: others overtake it.
    Delay,
    /// The connection breaks before the question is passed on.
    Drop,
    /// It is passed on, and the connection breaks before the answer.
    Deaf,
    /// It is passed on twice.
    Duplicate,
    /// The connection stays open, and nothing comes.
    HalfOpen,
    /// 429, with a time to wait for that is far too long.
    TooManyAfter,
    /// 429, without.
    TooMany,
    /// 503.
    Unavailable,
    /// Half of the answer's JSON, as if it were all.
    Truncated,
    /// No JSON at all.
    Garbage,
    /// The node's own refusal of what it is handed, though it was passed on.
    Preflight,
    /// A blockhash that the node does not know, of what it is handed; it is not passed on.
    BlockhashNotFound,
    /// The connection breaks within the answer.
    CutShort,
    /// Another place is to be asked.
    Redirect,
    /// The node's own error.
    Behind,
    /// The node's own way to say 429.
    TooMuchInside,
    /// The answer to somebody else's question.
    OtherQuestion,
    /// An answer in a list.
    Batch,
    /// Neither a result nor an error.
    NoResult,
    /// Nothing in the place of the result.
    Null,
    /// A result of a kind that was not asked for.
    OtherKind,
    /// A list that lacks its last.
    OneLess,
}

/// Any of these may happen to a question, and what became of a transaction is found out nevertheless.
pub const ALL: [Fault; 12] = [
    Fault::Delay,
    Fault::Drop,
    Fault::Deaf,
    Fault::Duplicate,
    Fault::HalfOpen,
    Fault::TooManyAfter,
    Fault::TooMany,
    Fault::Unavailable,
    Fault::Truncated,
    Fault::Garbage,
    Fault::Preflight,
    Fault::BlockhashNotFound,
];

/// What may happen to single questions beyond that.
pub const MORE: [Fault; 10] = [
    Fault::CutShort,
    Fault::Redirect,
    Fault::Behind,
    Fault::TooMuchInside,
    Fault::OtherQuestion,
    Fault::Batch,
    Fault::NoResult,
    Fault::Null,
    Fault::OtherKind,
    Fault::OneLess,
];

/// What a node always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// It tells the truth.
    #[default]
    Honest,
    /// As it was so many blocks ago.
    Lags(u64),
    /// Its slot is one that nobody has reached.
    Future,
    /// Everything has landed.
    Landed,
    /// Nothing has, and it is too late.
    Expired,
    /// What it was asked for has just landed, and once it is asked for the third time never has.
    RollsBack,
    /// Blockhashes have been used up long ago.
    ShortBlockhash,
    /// It gives none.
    NoBlockhash,
    /// Accounts hold something else.
    OtherAccounts,
    /// Nobody answers.
    Silent,
}

#[derive(Clone, Debug)]
pub struct Behaviour {
    pub manner: Manner,
    /// Of a hundred questions.
    pub faulty: u64,
    pub faults: Vec<Fault>,
}

/// Serves a node; returns its URL.
pub async fn serve(cluster: &Shared, seed: u64, behaviour: Behaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cluster = cluster.clone();
    tokio::spawn(async move {
        let (mut random, mut asked) = (seed, 0);
        while let Ok((stream, _)) = listener.accept().await {
            asked += 1;
            let fault = (draw(&mut random) % 100 < behaviour.faulty).then(|| {
                let index = draw(&mut random) % behaviour.faults.len() as u64;
                behaviour.faults[index as usize]
            });
            let manner = behaviour.manner;
            tokio::spawn(reply(stream, cluster.clone(), manner, fault, asked));
        }
    });
    url
}

/// One question a connection: the body ends with the closing brace of its JSON.
pub async fn question(stream: &mut TcpStream) -> Option<Value> {
    let (mut request, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let length = stream.read(&mut piece).await.ok().filter(|it| *it > 0)?;
        request.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&request);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        if let Some(question) = body.and_then(|body| serde_json::from_str(&body).ok()) {
            return Some(question);
        }
    }
}

fn answered(cluster: &Shared, manner: Manner, asked: u64, method: &str, params: &Value) -> Value {
    cluster.with(|cluster| {
        let lag = match manner {
            Manner::Lags(lag) => lag,
            _ => 0,
        };
        let truth = cluster.answer(method, params, lag);
        let of_status = |status: Value| json!({ "context": { "slot": 1 }, "value": [status] });
        match (manner, method) {
            (Manner::Landed, "getSignatureStatuses") => of_status(status(u64::MAX / 2, None)),
            (Manner::Future, "getSlot") => json!(u32::MAX),
            (Manner::Future, "getMultipleAccounts" | "getProgramAccounts") => {
                let mut answer = truth;
                answer["context"]["slot"] = json!(u32::MAX);
                answer
            }
            (Manner::OtherAccounts, "getMultipleAccounts") => {
                let mut answer = truth;
                let all = answer["value"].as_array_mut().unwrap();
                all.fill(account(u8::MAX));
                answer
            }
            (Manner::ShortBlockhash, "getLatestBlockhash") => {
                let mut answer = truth;
                answer["value"]["lastValidBlockHeight"] = json!(750);
                answer
            }
            (Manner::NoBlockhash, "getLatestBlockhash") => Value::Null,
            (Manner::Expired, "getSignatureStatuses") => of_status(Value::Null),
            (Manner::Expired, "getBlockHeight" | "getSlot") => json!(u64::MAX / 2),
            (Manner::RollsBack, "getSignatureStatuses") if !asked.is_multiple_of(3) => {
                of_status(status(cluster.height, None))
            }
            _ => truth,
        }
    })
}

async fn reply(
    mut stream: TcpStream,
    cluster: Shared,
    manner: Manner,
    fault: Option<Fault>,
    asked: u64,
) {
    let Some(asked_for) = question(&mut stream).await else {
        return;
    };
    let method = asked_for["method"].as_str().unwrap().to_owned();
    let sends = method == "sendTransaction";
    let answer = || answered(&cluster, manner, asked, &method, &asked_for["params"]);
    if manner == Manner::Silent {
        std::future::pending::<()>().await;
    }
    let id = &asked_for["id"];
    let error = |code: i64, message: &str, data: Value| {
        json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message, "data": data } }).to_string()
    };
    let refusal = |message: &str, why: Value| {
        let simulated = json!({ "err": why, "logs": [], "accounts": null, "unitsConsumed": 0, "returnData": null });
        error(-32002, message, simulated)
    };
    let whole = |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
    let (status, headers, body) = match fault {
        Some(Fault::Drop) => return,
        Some(Fault::Deaf) => {
            answer();
            return;
        }
        Some(Fault::HalfOpen) => std::future::pending().await,
        Some(Fault::TooManyAfter) => (429, "retry-after: 119\r\n", "slow down".into()),
        Some(Fault::TooMany) => (429, "", String::new()),
        Some(Fault::Unavailable) => (503, "", "<html>no</html>".into()),
        Some(Fault::Garbage) => (200, "", "<html>hello</html>".into()),
        Some(Fault::Truncated) => {
            let whole = whole(answer());
            (200, "", whole[..whole.len() / 2].to_owned())
        }
        Some(Fault::Preflight) if sends => {
            answer();
            let why = json!({ "InstructionError": [1, { "Custom": 6_000 }] });
            (200, "", refusal("simulation failed", why))
        }
        Some(Fault::BlockhashNotFound) if sends => {
            let why = json!("BlockhashNotFound");
            (200, "", refusal("Blockhash not found", why))
        }
        Some(Fault::Duplicate) => {
            answer();
            (200, "", whole(answer()))
        }
        Some(Fault::Delay) => {
            let answer = whole(answer());
            sleep(Duration::from_millis(30)).await;
            (200, "", answer)
        }
        Some(Fault::CutShort) => {
            let whole = whole(answer());
            let text = format!(
                "HTTP/1.1 200 \r\ncontent-length: {}\r\n\r\n{}",
                whole.len() + 1,
                whole
            );
            let _ = stream.write_all(text.as_bytes()).await;
            return;
        }
        Some(Fault::Redirect) => (307, "location: /elsewhere\r\n", String::new()),
        Some(Fault::Behind) => {
            let data = json!({ "numSlotsBehind": 42 });
            (200, "", error(-32005, "Node is behind by 42 slots", data))
        }
        Some(Fault::TooMuchInside) => (200, "", error(-32_429, "rate limited", Value::Null)),
        Some(Fault::OtherQuestion) => {
            let id = id.as_u64().unwrap() + 1;
            let body = json!({ "jsonrpc": "2.0", "id": id, "result": answer() });
            (200, "", body.to_string())
        }
        Some(Fault::Batch) => (200, "", format!("[{}]", whole(answer()))),
        Some(Fault::NoResult) => (200, "", json!({ "jsonrpc": "2.0", "id": id }).to_string()),
        Some(Fault::Null) => (200, "", whole(Value::Null)),
        Some(Fault::OtherKind) => (200, "", whole(json!({ "other": 7 }))),
        Some(Fault::OneLess) => {
            let mut answer = answer();
            if let Some(all) = answer.get_mut("value").and_then(Value::as_array_mut) {
                all.pop();
            }
            (200, "", whole(answer))
        }
        Some(Fault::Preflight | Fault::BlockhashNotFound) | None => (200, "", whole(answer())),
    };
    write(stream, status, headers, &body).await;
}

/// An answer, and the end of its connection.
pub async fn write(mut stream: TcpStream, status: u16, headers: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status} \r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
}
