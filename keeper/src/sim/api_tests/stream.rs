//! The stream of events: it beats, nothing is missed and nothing comes twice, and only so many listen.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{
    running::{PATIENCE, Running},
    shapes::{check, contract},
};
use crate::Mode;

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
