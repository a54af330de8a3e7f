//! `ballast halt | reduce | pause | resume`, with a keeper's API and without.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    thread::{self, JoinHandle},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Run, run};

const POSITION: &str = "So11111111111111111111111111111111111111112";

/// What a keeper was asked.
#[derive(Debug)]
struct Asked {
    path: String,
    headers: String,
    body: Value,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        let line = lines.find(|line| line.to_lowercase().starts_with(name))?;
        Some(line.split_once(": ")?.1)
    }
}

/// Something that answers one request after the other so; `None`: it breaks the connection off after reading.
struct Stub {
    url: String,
    thread: JoinHandle<Vec<Asked>>,
}

fn stub(answers: Vec<Option<(u16, Value)>>) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut headers = String::new();
            while !headers.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut headers).unwrap(), 0, "{headers}");
            }
            let length = headers.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse().unwrap())
            });
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let path = headers.split(' ').nth(1).unwrap().to_owned();
            asked.push(Asked {
                path,
                headers,
                body: serde_json::from_slice(&body).unwrap(),
            });
            if let Some((status, answer)) = answer {
                let answer = answer.to_string();
                let mut stream = reader.into_inner();
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                    answer.len()
                )
                .unwrap();
            }
        }
        asked
    });
    Stub { url, thread }
}

fn journal(with_token: bool) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("lock"), "").unwrap();
    if with_token {
        fs::write(directory.path().join("api-token"), "secret-token\n").unwrap();
    }
    directory
}

fn say(directory: &Path, arguments: &[&str]) -> Run {
    let directory = ["--journal-dir", directory.to_str().unwrap()];
    run(&[arguments, &directory].concat())
}

fn entry(mode: &str) -> Value {
    json!({ "id": 7, "secs": 1, "scope": "keeper", "mode": mode, "note": "why", "by": "cli",
            "in_flight": [{ "id": 6, "position": POSITION, "action": "rehedge", "signature": "sig" }] })
}

fn preview() -> Value {
    json!({ "effect": "The keeper sends nothing more.", "risk": "raises", "positions": 3, "equity": "100.5", "due_now": 1,
            "within_one_sigma_day": 2, "nearest": { "distance_bps": -250, "sigma_days": 0.5 } })
}

#[test]
fn without_a_keeper_a_halt_is_left_as_a_file() {
    let nobody: [(bool, &[&str]); 2] = [(false, &[]), (true, &["--api", "http://127.0.0.1:9"])];
    for (with_token, more) in nobody {
        let directory = journal(with_token);
        let halt = ["halt", "--reason", "venue is down", "--yes", "--json"];
        let arguments = [&halt[..], more].concat();
        let run = say(directory.path(), &arguments);
        assert_eq!(run.code, 0, "{}", run.err);
        assert_eq!(run.json()["mode"], "halt");
        let text = fs::read_to_string(directory.path().join("halt")).unwrap();
        assert_eq!(text, "venue is down");
        assert!(!directory.path().join("reduce").exists());
    }
    let directory = journal(false);
    let run = say(directory.path(), &["reduce", "--reason", "thin book"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("reduce was written"), "{}", run.out);
    let text = fs::read_to_string(directory.path().join("reduce")).unwrap();
    assert_eq!(text, "thin book");
}

#[test]
fn what_a_file_cannot_say_is_not_left_as_one() {
    let cases: [(&[&str], &str); 13] = [
        (
            &["halt", "--reason", "why", "--yes", "--until", "1h"][..],
            "--until",
        ),
        (
            &["halt", "--reason", "why", "--yes", "--expect", "active"],
            "--expect",
        ),
        (&["halt", "--reason", "why"], "--yes"),
        (&["reduce", POSITION, "--reason", "why"], "as a whole"),
        (
            &["pause", POSITION, "--reason", "why", "--yes"],
            "as a whole",
        ),
        (&["resume", "--reason", "why"], "journaled"),
        (&["resume", "--reason", "why", "--until", "1h"], "--until"),
        (&["halt", "--yes"], "--reason"),
        (&["halt", POSITION, "--reason", "why", "--yes"], POSITION),
        (&["pause", "--reason", "why", "--yes"], "POSITION"),
        (
            &["reduce", "--reason", "why", "--expect", "busy"],
            "halted or paused",
        ),
        (&["halt", "--reason", "", "--yes"], "three letters"),
        (&["reduce", "--reason", " a b "], "three letters"),
    ];
    for (arguments, part) in cases {
        let directory = journal(false);
        let run = say(directory.path(), arguments);
        assert_ne!(run.code, 0, "{arguments:?}");
        assert!(run.err.contains(part), "{arguments:?}: {}", run.err);
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "{arguments:?}"
        );
    }
    // Where a file is in the way it is named.
    let directory = journal(false);
    fs::write(directory.path().join("halt"), "").unwrap();
    let run = say(directory.path(), &["resume", "--reason", "why"]);
    assert!(
        run.code != 0 && run.err.contains("remove halt"),
        "{}",
        run.err
    );
    assert!(directory.path().join("halt").exists());
}

#[test]
fn where_no_keeper_has_a_journal_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("keeper.toml");
    fs::write(&config, "journal_dir = \"typo\"\n").unwrap();
    let typo = directory.path().join("typo");
    let by_directory = ["--journal-dir", typo.to_str().unwrap()];
    let by_config = ["--config", config.to_str().unwrap()];
    for place in [by_directory, by_config] {
        for verb in [&["halt", "--yes"][..], &["reduce"], &["resume"]] {
            let run = run(&[verb, &["--reason", "maintenance"], &place].concat());
            assert_eq!(run.code, 2, "{verb:?}: {}", run.err);
            assert!(
                run.err.contains("typo holds no keeper's journal"),
                "{verb:?}: {}",
                run.err
            );
            assert!(!typo.exists(), "{verb:?}");
        }
    }
}

#[test]
fn a_number_is_no_position_of_a_keeper_who_looks_after_many_owners() {
    for verb in ["pause", "reduce", "resume"] {
        let line = [
            verb,
            "3",
            "--reason",
            "maintenance",
            "--config",
            "/nonexistent.toml",
        ];
        let run = run(&line);
        assert_eq!(run.code, 2, "{verb}: {}", run.err);
        assert!(run.err.contains("many owners"), "{verb}: {}", run.err);
    }
}

#[test]
fn a_keeper_is_asked_with_its_token_and_again_with_the_same_key_if_the_answer_was_lost() {
    let directory = journal(true);
    let stub = stub(vec![None, Some((201, entry("reduce")))]);
    let arguments = [
        "reduce",
        "--reason",
        "thin book",
        "--until",
        "1h",
        "--expect",
        "active",
        "--api",
        &stub.url,
    ];
    let run = say(directory.path(), &arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    for part in ["reduce of the keeper", "#7", "rehedge", POSITION] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    let asked = stub.thread.join().unwrap();
    assert_eq!(asked.len(), 2);
    let keys: Vec<_> = asked
        .iter()
        .map(|asked| asked.header("idempotency-key"))
        .collect();
    assert!(
        keys[0].is_some_and(|key| key.len() > 20) && keys[0] == keys[1],
        "{keys:?}"
    );
    for asked in &asked {
        assert_eq!(asked.path, "/api/v1/overrides");
        assert_eq!(asked.header("authorization"), Some("Bearer secret-token"));
        assert_eq!(asked.header("content-type"), Some("application/json"));
        assert_eq!(asked.body["scope"], "keeper");
        assert_eq!(asked.body["mode"], "reduce");
        assert_eq!(asked.body["note"], "thin book");
        assert_eq!(asked.body["expect_mode"], "active");
        assert_eq!(
            asked.body["until_secs"],
            asked.body["until_secs"].as_i64().unwrap()
        );
    }
    assert_eq!(asked[0].body, asked[1].body);
    assert!(!run.out.contains("secret-token") && !run.err.contains("secret-token"));
}

#[test]
fn what_raises_risk_says_what_is_at_stake_and_is_not_done_unasked() {
    let directory = journal(true);
    let stub = stub(vec![Some((200, preview()))]);
    let run = say(
        directory.path(),
        &["pause", POSITION, "--reason", "why", "--api", &stub.url],
    );
    assert_ne!(run.code, 0);
    for part in [
        "sends nothing more",
        "positions 3",
        "100.5",
        "2.50%",
        "--yes",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    let asked = stub.thread.join().unwrap();
    assert_eq!(asked[0].path, "/api/v1/overrides/preview");
    assert_eq!(
        asked[0].body,
        json!({ "scope": "position", "mode": "pause", "position": POSITION })
    );
}

#[test]
fn a_keepers_no_is_a_no_and_no_way_around_it_is_taken() {
    let error =
        |code: &str, message: &str| json!({ "error": { "code": code, "message": message } });
    for (status, code) in [
        (409, "mode_changed"),
        (422, "bad_field"),
        (404, "no_such_position"),
    ] {
        let directory = journal(true);
        let stub = stub(vec![Some((status, error(code, "the mode is halted now")))]);
        let run = say(
            directory.path(),
            &["halt", "--reason", "why", "--yes", "--api", &stub.url],
        );
        assert_ne!(run.code, 0);
        assert!(run.err.contains("the mode is halted now"), "{}", run.err);
        assert!(!directory.path().join("halt").exists());
        assert_eq!(stub.thread.join().unwrap().len(), 1);
    }
    // Who does not know the token is not this journal's keeper; a halt is not lost for that.
    let directory = journal(true);
    let no = || Some((401, error("wrong_token", "this is not the keeper's token")));
    let stub = stub(vec![no(), no(), no()]);
    let run = say(
        directory.path(),
        &["halt", "--reason", "why", "--yes", "--api", &stub.url],
    );
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("not the keeper's token"), "{}", run.out);
    assert!(directory.path().join("halt").exists());
}
