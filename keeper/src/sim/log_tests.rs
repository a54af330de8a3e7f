//! What is logged of an action names its intent, and calls things by the names of the API.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use ballast_strategy::decide::ActionKind;
use serde_json::Value;
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;
use tracing_subscriber::{layer::SubscriberExt, registry};

use super::{
    Faults,
    scene::{POSITIONS, beside, keeper, landed, settled, world},
};
use crate::{
    DecisionEvent, KeeperEvent, Mode,
    events::Events,
    journal::{Record, scan, tests::intent},
    logging::{LogFormat, lines},
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn read(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The log of this thread, for as long as what comes with it is there.
fn json_log() -> (Lines, impl Sized) {
    let said = Lines::default();
    let writer = said.clone();
    let layer = lines(LogFormat::Json, move || writer.clone(), false);
    // While there is but one in the process, a thread of another test, which has none, would decide for all what is logged.
    let another = tracing::Dispatch::new(registry());
    let logging = tracing::subscriber::set_default(registry().with(layer));
    (said, (logging, another))
}

#[tokio::test(start_paused = true)]
async fn every_line_about_an_action_has_the_number_of_its_intent() {
    let (said, _logging) = json_log();
    let faults = Faults {
        lost: 30,
        ..Faults::default()
    };
    let (world, disk) = world(7, faults);
    world.lock().set_price(205);
    // A life that is killed, and one that takes its intents up.
    world.crash.begin(25);
    tokio::select! {
        biased;
        () = world.crash.happens() => {}
        ended = keeper(&world, &disk, Mode::Active).run(std::future::pending()) => panic!("{ended:?}"),
    }
    world.crash.begin(0);
    let again = keeper(&world, &disk, Mode::Active);
    beside(again, settled(&world, &disk, Instant::now())).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), usize::from(POSITIONS));

    let records = scan(&disk.bytes()).unwrap().records;
    let intents: BTreeMap<String, u64> = records
        .iter()
        .filter_map(|record| match record {
            Record::Intent(intent) => Some((intent.signature.to_string(), intent.id.0)),
            _ => None,
        })
        .collect();
    let lines = said.read();
    let (mut sent, mut resolved, mut decided) = (0, 0, 0);
    for line in &lines {
        let intent = line["span"]["intent"].as_u64();
        match line["message"].as_str().unwrap_or_default() {
            message @ ("sent" | "resolved") => {
                let signature = line["signature"].as_str().unwrap();
                assert_eq!(intent, intents.get(signature).copied(), "{line}");
                assert_eq!(line["span"]["position"], line["position"], "{line}");
                let count = if message == "sent" {
                    &mut sent
                } else {
                    &mut resolved
                };
                *count += 1;
            }
            "decision" if line["obstacles"].is_null() => {
                // One that came to an intent has its number.
                decided +=
                    usize::from(intent.is_some_and(|id| intents.values().any(|it| *it == id)));
            }
            _ => {}
        }
    }
    assert!(
        sent >= 3 && resolved >= 3 && decided >= 3,
        "{sent} {resolved} {decided}\n{lines:#?}"
    );
}

#[test]
fn what_stands_in_the_way_has_the_name_that_it_has_elsewhere() {
    let (said, _logging) = json_log();
    let events = Events::default();
    for obstacles in [vec!["too dear".to_owned(), "too early".to_owned()], vec![]] {
        events.send(KeeperEvent::Decision(DecisionEvent {
            market: Pubkey::default(),
            position: Pubkey::default(),
            action: Some(ActionKind::Rehedge),
            reason: "long".into(),
            obstacles,
            inputs: intent(1).inputs,
        }));
    }
    let told: Vec<_> = said
        .read()
        .iter()
        .map(|line| line["obstacles"].clone())
        .collect();
    assert_eq!(told, ["too dear; too early".into(), Value::Null]);
}
