//! Against an HTTP server of this machine.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use ballast_client::Endpoint;
use serde_json::json;
use solana_sdk::pubkey::Pubkey;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{sleep, timeout},
};

use super::*;
use crate::{config::Config, event::KeeperEvent, events::Events};

const KEY: &str = "T00SECRET/B11SECRET/verysecretkey";

/// A receiver that gives these answers in turn, then the last one for ever, and keeps what it was sent.
pub(crate) struct Receiver {
    pub url: String,
    heard: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Receiver {
    pub async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/{KEY}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).into()).collect();
        let log = Arc::clone(&heard);
        tokio::spawn(async move {
            for turn in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                log.lock().unwrap().push((Instant::now(), request));
                let answer = &answers[turn.min(answers.len() - 1)];
                if answer == "silence" {
                    // Held open for as long as the other side waits.
                    tokio::spawn(async move {
                        sleep(Duration::from_secs(60)).await;
                        drop(stream);
                    });
                    continue;
                }
                let answer =
                    format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, heard }
    }

    pub fn requests(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|(_, request)| request.clone()).collect()
    }

    /// Waits for so many requests.
    async fn after(&self, count: usize) -> Vec<String> {
        for _ in 0..400 {
            if self.requests().len() >= count {
                return self.requests();
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("heard {:?}", self.requests());
    }

    fn pauses(&self) -> Vec<Duration> {
        let heard = self.heard.lock().unwrap();
        heard.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
    }

    fn webhook(&self) -> Webhook {
        Webhook::new(&Endpoint::new(&self.url), Duration::from_millis(500)).unwrap()
    }
}

/// A whole request: head and as many bytes as it announces.
async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    let mut bytes = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{text}");
        request.extend_from_slice(&bytes[..count]);
    }
}

fn message(number: u64) -> Message {
    Message {
        id: number.to_string(),
        secs: 1,
        keeper: "K".into(),
        kind: "mode",
        severity: Severity::Info,
        text: "é".into(),
        data: json!({ "number": number }),
    }
}

pub(crate) fn body(request: &str) -> serde_json::Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// What is warned of while these messages are delivered.
async fn deliver(receiver: &Receiver, attempts: u32, messages: u64) -> Vec<String> {
    let events = Events::default();
    let mut heard = events.subscribe();
    let (deliveries, delivery) = deliver::queue(receiver.webhook(), 10, attempts, events);
    for number in 0..messages {
        deliveries.push(message(number));
    }
    drop(deliveries);
    timeout(Duration::from_secs(30), delivery.run())
        .await
        .unwrap();
    let mut warnings = Vec::new();
    while let Ok(event) = heard.try_recv() {
        if let KeeperEvent::Warning { message } = event {
            warnings.push(message);
        }
    }
    for warning in &warnings {
        for part in KEY.split('/') {
            assert!(!warning.contains(part), "{warning}");
        }
    }
    warnings
}

#[tokio::test]
async fn a_message_is_posted_as_json_to_the_whole_url() {
    let receiver = Receiver::start(&["200 OK"]).await;
    assert_eq!(deliver(&receiver, 3, 2).await, Vec::<String>::new());
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[0].starts_with(&format!("POST /hooks/{KEY} HTTP/1.1\r\n")),
        "{}",
        requests[0]
    );
    assert!(
        requests[0]
            .to_lowercase()
            .contains("content-type: application/json")
    );
    assert_eq!(
        body(&requests[1]),
        json!({ "id": "1", "secs": 1, "keeper": "K", "kind": "mode", "severity": "info", "text": "é", "data": { "number": 1 } })
    );
}

#[tokio::test]
async fn what_fails_for_a_while_is_posted_again_the_same_with_growing_pauses() {
    let receiver = Receiver::start(&["503 Busy", "500 Oops", "204 No Content"]).await;
    assert_eq!(deliver(&receiver, 5, 1).await, Vec::<String>::new());
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(body(&requests[0]), body(&requests[2]));
    let pauses = receiver.pauses();
    assert!(
        pauses[0] >= Duration::from_secs(1) && pauses[1] >= Duration::from_secs(2),
        "{pauses:?}"
    );
}

#[tokio::test]
async fn a_busy_receiver_is_left_alone_for_as_long_as_it_asks() {
    let receiver = Receiver::start(&["429 Slow down\r\nretry-after: 3", "200 OK"]).await;
    assert_eq!(deliver(&receiver, 5, 1).await, Vec::<String>::new());
    assert!(receiver.pauses()[0] >= Duration::from_secs(3));
}

#[tokio::test]
async fn a_refusal_and_a_redirect_are_final_and_nothing_goes_elsewhere() {
    let elsewhere = Receiver::start(&["200 OK"]).await;
    let redirect = format!("307 Moved\r\nlocation: {}", elsewhere.url);
    for (answer, says) in [
        ("404 Not Found", "HTTP 404"),
        (redirect.as_str(), "HTTP 307: it redirects"),
    ] {
        let receiver = Receiver::start(&[answer]).await;
        let warnings = deliver(&receiver, 5, 1).await;
        assert_eq!(receiver.requests().len(), 1, "{answer}");
        assert!(
            warnings.len() == 1 && warnings[0].contains(says),
            "{warnings:?}"
        );
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn silence_ends_by_the_time_out_and_is_given_up_after_the_attempts() {
    let receiver = Receiver::start(&["silence"]).await;
    let warnings = deliver(&receiver, 2, 1).await;
    assert_eq!(receiver.requests().len(), 2);
    assert!(
        warnings.len() == 1 && warnings[0].contains("0 was not delivered"),
        "{warnings:?}"
    );
    let pauses = receiver.pauses();
    assert!(
        (Duration::from_millis(1_400)..Duration::from_secs(5)).contains(&pauses[0]),
        "{pauses:?}"
    );
}

#[tokio::test]
async fn nobody_there_is_named_without_the_key() {
    let nobody = Receiver {
        url: format!("http://127.0.0.1:9/hooks/{KEY}"),
        heard: Arc::default(),
    };
    let warnings = deliver(&nobody, 1, 1).await;
    assert!(
        warnings[0].contains("webhook http://127.0.0.1:9"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn what_there_is_no_room_for_is_dropped_and_counted() {
    let receiver = Receiver::start(&["200 OK"]).await;
    let warnings = deliver(&receiver, 1, 15).await;
    assert_eq!(receiver.requests().len(), 10);
    assert_eq!(
        warnings,
        ["5 notifications were dropped, because the webhook takes them too slowly"]
    );
}

#[tokio::test]
async fn a_keepers_last_words_are_delivered_before_it_ends() {
    let receiver = Receiver::start(&["200 OK"]).await;
    let mut config = crate::sim::config(crate::Mode::Observe).notify;
    config.webhook_url = Some(Endpoint::new(&receiver.url));
    let events = Events::default();
    let control = Control::new(crate::Mode::Observe, events.clone(), None);
    let notifier = Notifier::start(&config, Pubkey::default(), control, &events);
    let halted = KeeperEvent::Halted {
        reason: "the disk is full".into(),
    };
    for event in [halted, KeeperEvent::Stopped] {
        events.send(event);
    }
    notifier.finish().await;
    let requests = receiver.after(1).await;
    assert_eq!(requests.len(), 1);
    assert_eq!(body(&requests[0])["severity"], "critical");
}

#[test]
fn addresses_that_are_none_are_refused_without_being_repeated() {
    let text = |url: &str| {
        format!(
            "rpc_url = \"http://node\"\njournal_dir = \"j\"\n[[markets]]\naddress = \"{0}\"\nbase_price = \"{0}\"\nquote_price = \"{0}\"\n\
             [notify]\nwebhook_url = \"{url}\"\n",
            Pubkey::default()
        )
    };
    assert!(Config::parse(&text("https://hooks.example/services/x")).is_ok());
    for bad in [
        "hooks.example/verysecretkey",
        "ftp://hooks.example/verysecretkey",
        "verysecretkey",
    ] {
        let error = Config::parse(&text(bad)).unwrap_err().to_string();
        assert!(
            error.contains("notify.webhook_url") && !error.contains("verysecret"),
            "{error}"
        );
    }
}
