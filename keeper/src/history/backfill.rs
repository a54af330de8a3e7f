//! Reads what happened before a position was first seen from the node's transaction history: page by page, transaction by
//! transaction, from the newest to the opening. Slowly, because the node has better things to do; bounded; and resumed where it
//! was stopped. What is missing is named: a node that keeps no history, logs that were cut, more than is read.

use std::{collections::HashSet, sync::Arc, time::Duration};

use ballast_client::{BallastEvent, Chain, ChainError, PastTransaction, is_truncated};
use ballast_history::{ActionRow, Reach, Reading};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use tokio::time::sleep;

use super::{
    HistoryReader, Input,
    events::{Done, done_to, row},
    queue::Sender,
};

/// Transactions of a position that are read at most.
const MOST: u64 = 20_000;
/// Signatures a page.
const PAGE: usize = 200;
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);
/// Pause after a question that was not answered, and where nothing is to be done.
const REST: Duration = Duration::from_secs(15);

/// Reads the pasts of all positions that have none yet, for ever.
pub(super) async fn run(chain: Arc<dyn Chain>, reader: HistoryReader, sender: Sender) {
    let mut settled = HashSet::new();
    loop {
        let mut idle = true;
        for (position, first_slot) in open(&reader, &settled) {
            match read(chain.as_ref(), &reader, &sender, position, first_slot).await {
                Ok(()) => {
                    settled.insert((position, first_slot));
                    idle = false;
                }
                // Later.
                Err(_) => sleep(REST).await,
            }
        }
        if idle {
            sleep(REST).await;
        }
    }
}

/// Positions whose past is to be read, with the slot of their first sight.
fn open(reader: &HistoryReader, settled: &HashSet<(Pubkey, u64)>) -> Vec<(Pubkey, u64)> {
    let Ok(standings) = reader.standings.read() else {
        return Vec::new();
    };
    let begun = standings
        .iter()
        .filter(|(_, standing)| standing.track.reach == Reach::Counters);
    begun
        .map(|(position, standing)| (*position, standing.track.first_slot))
        .filter(|sight| !settled.contains(sight))
        .collect()
}

async fn read(
    chain: &dyn Chain,
    reader: &HistoryReader,
    sender: &Sender,
    position: Pubkey,
    first_slot: u64,
) -> Result<(), ChainError> {
    let known = position.to_string();
    let known = reader.ask(move |store| store.backfill(&known)).await;
    let mut reading: Reading = known
        .ok()
        .flatten()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    while !reading.done {
        let mut actions = Vec::new();
        page(chain, &position, first_slot, &mut reading, &mut actions).await?;
        hand_over(sender, position, &reading, actions).await;
    }
    // A record that was begun anew after the reading had ended learns it too.
    hand_over(sender, position, &reading, Vec::new()).await;
    Ok(())
}

async fn hand_over(sender: &Sender, position: Pubkey, reading: &Reading, actions: Vec<ActionRow>) {
    let input = Input::Past(position, Box::new(reading.clone()), actions);
    sender.hand_over(input).await;
}

/// Reads one page of a position's past. A question that is not answered leaves the reading as far as it had come.
pub(super) async fn page(
    chain: &dyn Chain,
    position: &Pubkey,
    first_slot: u64,
    reading: &mut Reading,
    actions: &mut Vec<ActionRow>,
) -> Result<(), ChainError> {
    let before = reading
        .before
        .as_ref()
        .and_then(|text| text.parse::<Signature>().ok());
    let Some(page) = chain.history(position, before.as_ref(), PAGE).await? else {
        return finish(reading, "the node keeps no history of transactions");
    };
    if page.is_empty() {
        let what = "the node's history of transactions does not reach back to the opening";
        return finish(reading, what);
    }
    for past in page {
        if past.slot <= first_slot && !past.failed {
            sleep(PAUSE).await;
            transaction(chain, position, &past, reading, actions).await?;
        }
        reading.before = Some(past.signature.to_string());
        reading.transactions += 1;
        if reading.whole {
            reading.done = true;
            return Ok(());
        }
        if reading.transactions >= MOST {
            return finish(reading, "more transactions than are read");
        }
    }
    Ok(())
}

fn finish(reading: &mut Reading, missing: &str) -> Result<(), ChainError> {
    reading.missing.get_or_insert_with(|| missing.into());
    reading.done = true;
    Ok(())
}

async fn transaction(
    chain: &dyn Chain,
    position: &Pubkey,
    past: &PastTransaction,
    reading: &mut Reading,
    actions: &mut Vec<ActionRow>,
) -> Result<(), ChainError> {
    let signature = past.signature;
    let Some(deeds) = Deeds::read(chain, position, past).await? else {
        reading.missing = Some(format!("the node does not have transaction {signature}"));
        return Ok(());
    };
    if deeds.cut {
        reading.missing = Some(format!("the logs of transaction {signature} were cut"));
    }
    for done in &deeds.done {
        reading.note(done.past);
    }
    actions.extend(deeds.rows);
    Ok(())
}

/// What a transaction did to a position.
pub(super) struct Deeds {
    /// Within a transaction the last event is the newest: newest first.
    pub done: Vec<Done>,
    /// The same as rows.
    pub rows: Vec<ActionRow>,
    /// Its logs were cut: there may be more.
    pub cut: bool,
}

impl Deeds {
    /// Asks the node; `None`: it does not have the transaction.
    pub async fn read(
        chain: &dyn Chain,
        position: &Pubkey,
        past: &PastTransaction,
    ) -> Result<Option<Self>, ChainError> {
        let Some(record) = chain.transaction(&past.signature).await? else {
            return Ok(None);
        };
        let events = BallastEvent::in_logs(&record.logs);
        let newest_first = events.iter().rev();
        let done: Vec<_> = newest_first
            .filter_map(|event| done_to(position, event))
            .collect();
        let signature = past.signature.to_string();
        let at = (past.slot, past.secs.unwrap_or_default());
        Ok(Some(Self {
            rows: done
                .iter()
                .filter_map(|done| row(position, &signature, at, done))
                .collect(),
            done,
            cut: is_truncated(&record.logs),
        }))
    }
}
