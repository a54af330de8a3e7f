//! `ballast journal` on a journal that a keeper could have written.

use std::{fs, path::Path};

use ballast_client::VersionedTransaction;
use ballast_keeper::{
    decisions::Recorder,
    journal::{
        Header, Inputs, Intent, Journal, Outcome, OutcomeRecord, PaperRecord, Record, VERSION,
    },
};
use ballast_strategy::{
    decide::{ActionKind, assess},
    fixtures,
};
use solana_sdk::{
    message::{Message, VersionedMessage},
    signature::Keypair,
    signer::Signer,
};
use tempfile::TempDir;

use crate::common::{Run, run};

fn inputs() -> Inputs {
    Inputs {
        slot: 5,
        now_secs: 1_700_000_000,
        oracle_x64: 1 << 63,
        pool_x64: 1 << 63,
        ltv_bps: 7_600,
        equity: -8,
        hedge_error: 9,
    }
}

/// Two intents, the first of them landed, and one on paper.
fn journal() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let key = Keypair::new_from_array([7; 32]);
    let header = Header {
        version: VERSION,
        genesis_hash: [1; 32].into(),
        keeper: key.pubkey(),
        continues: None,
    };
    let (mut journal, _) = Journal::open(directory.path(), &header).unwrap();
    let mut ids = Vec::new();
    for number in 0..2u8 {
        let hash = [number; 32].into();
        let message = Message::new_with_blockhash(&[], Some(&key.pubkey()), &hash);
        let transaction =
            VersionedTransaction::try_new(VersionedMessage::Legacy(message), &[&key]).unwrap();
        let intent = Intent {
            id: journal.next_id(),
            market: [3; 32].into(),
            position: [4; 32].into(),
            action: ActionKind::Rehedge,
            reason: "long, by \"much\"".into(),
            inputs: inputs(),
            attempt: 0,
            signature: transaction.signatures[0],
            last_valid_block_height: 10,
            compute_units: 11,
            micro_lamports: 12,
            tip_lamports: 0,
            transaction: bincode::serialize(&transaction).unwrap(),
        };
        ids.push(intent.id);
        journal.write(&Record::Intent(Box::new(intent))).unwrap();
    }
    journal
        .write(&Record::Outcome(OutcomeRecord {
            id: ids[0],
            outcome: Outcome::Landed { slot: 77 },
        }))
        .unwrap();
    journal
        .write(&Record::Paper(PaperRecord {
            market: [3; 32].into(),
            position: [4; 32].into(),
            action: ActionKind::Exit,
            reason: "the price is low".into(),
            inputs: inputs(),
            error: None,
            compute_units: 5,
        }))
        .unwrap();
    directory
}

fn ballast(directory: &Path, args: &[&str]) -> Run {
    let directory = directory.to_str().unwrap();
    let all: Vec<_> = args.iter().copied().chain(["--dir", directory]).collect();
    run(&all)
}

#[test]
fn a_whole_journal_verifies_and_a_damaged_line_is_named() {
    let directory = journal();
    let verified = ballast(directory.path(), &["journal", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(verified.out.contains("2 intents, 1 outcomes"));
    assert!(verified.out.contains("no outcome yet: intent 2"));
    let json = ballast(directory.path(), &["--json", "journal", "verify"]).json();
    assert_eq!(
        (json["records"].as_u64(), json["open"][0].as_u64()),
        (Some(5), Some(2))
    );
    let path = directory.path().join("journal.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 30;
    bytes[second] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let damaged = ballast(directory.path(), &["journal", "verify"]);
    assert_ne!(damaged.code, 0);
    assert!(
        damaged.out.contains("journal.jsonl:2 (byte "),
        "{}",
        damaged.out
    );
    // Its outcome has lost its intent.
    assert!(damaged.out.contains("journal.jsonl:4"), "{}", damaged.out);
    // What is left can still be read.
    let tail = ballast(directory.path(), &["journal", "tail"]);
    assert_eq!(tail.code, 0);
    assert!(tail.out.contains("DAMAGED"), "{}", tail.out);
    assert!(run(&["journal", "verify"]).code != 0);
    let nothing = tempfile::tempdir().unwrap();
    let none = ballast(nothing.path(), &["journal", "verify"]);
    assert!(none.code != 0 && none.err.contains("no journal"));
}

#[test]
fn tail_and_export_show_what_is_written() {
    let directory = journal();
    let tail = ballast(directory.path(), &["journal", "tail", "-n", "2"]);
    assert_eq!(tail.out.lines().count(), 2, "{}", tail.out);
    assert!(tail.out.contains("intent 1 landed in slot 77"));
    assert!(tail.out.contains("paper exit"));
    let lines = ballast(directory.path(), &["--json", "journal", "tail", "-n", "9"]).lines();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[1]["record"]["intent"]["action"], "rehedge");
    assert_eq!(
        (lines[4]["line"].as_u64(), &lines[4]["file"]),
        (Some(5), &"journal.jsonl".into())
    );

    let exported = ballast(directory.path(), &["journal", "export"]).lines();
    assert_eq!(exported, lines);
    let csv = ballast(directory.path(), &["journal", "export", "--format", "csv"]);
    let rows: Vec<_> = csv.out.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[1].contains("\"long, by \"\"much\"\"\"") && rows[1].contains(",landed,77,"));
    assert!(rows[2].contains(",open,,"));
    let file = directory.path().join("out.csv");
    let to_file = ballast(
        directory.path(),
        &[
            "journal",
            "export",
            "--format",
            "csv",
            "-o",
            file.to_str().unwrap(),
        ],
    );
    assert_eq!((to_file.code, to_file.out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(file).unwrap(), csv.out);
}

#[test]
fn replay_makes_decisions_again_and_fails_on_the_first_that_differs() {
    let directory = tempfile::tempdir().unwrap();
    let none = ballast(directory.path(), &["journal", "replay"]);
    assert!(none.code != 0 && none.err.contains("no decision is recorded"));
    let recorder = Recorder::to(directory.path()).unwrap();
    for dollars in [200, 170] {
        let held = fixtures::position();
        let mut market = fixtures::snapshot(dollars);
        fixtures::book_debts(&mut market, &held);
        let at = fixtures::situation(&market, &held);
        recorder.record(&fixtures::KEEPER, &at, &assess(&at).unwrap());
    }
    recorder.close();
    let good = ballast(directory.path(), &["--json", "journal", "replay"]);
    assert_eq!(good.code, 0, "{}", good.err);
    assert_eq!(good.json()["decisions"], 2);
    // Another build would decide something else: as if the first record had said so.
    let path = directory.path().join("decisions.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let first = text.lines().next().unwrap();
    let changed = first[9..].replacen("Nothing", "nothing", 1);
    let line = format!("{:08x} {changed}", crc32fast::hash(changed.as_bytes()));
    fs::write(&path, text.replacen(first, &line, 1)).unwrap();
    let bad = ballast(directory.path(), &["journal", "replay"]);
    assert_ne!(bad.code, 0);
    assert!(bad.out.contains("decisions.jsonl:1"), "{}", bad.out);
    assert!(bad.out.contains("another decision"), "{}", bad.out);
    assert!(bad.out.starts_with("0 decisions"), "{}", bad.out);
}
