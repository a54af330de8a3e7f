//! Overrides through the API.

use std::time::Duration;

use serde_json::json;
use solana_sdk::pubkey::Pubkey;
use tokio::time::sleep;

use super::running::Running;
use crate::Mode;

#[tokio::test(flavor = "multi_thread")]
async fn an_override_binds_is_journaled_and_outlives_the_process() {
    let running = Running::start(Mode::Active).await;
    let halt = json!({"scope": "keeper", "mode": "halt", "note": "oracle looks wrong", "expect_mode": "active"});
    let (status, preview) = running
        .order("/api/v1/overrides/preview", &halt, None)
        .await;
    assert_eq!((status, &preview["risk"]), (200, &json!("raises")));
    assert_eq!(
        preview["positions"],
        running.read("positions").await["total"]
    );
    let (status, made) = running
        .order("/api/v1/overrides", &halt, Some("key-1"))
        .await;
    assert_eq!(
        (status, &made["by"], &made["mode"]),
        (201, &json!("dashboard"), &json!("halt"))
    );
    let now = running.read("status").await;
    assert_eq!(now["keeper"]["mode"], "halted");
    assert!(
        now["keeper"]["mode_reason"]
            .as_str()
            .unwrap()
            .contains("oracle looks wrong")
    );
    assert_eq!(now["overrides"][0]["id"], made["id"]);
    // The same key has the same answer; another request under it is refused.
    let (status, again) = running
        .order("/api/v1/overrides", &halt, Some("key-1"))
        .await;
    assert_eq!((status, &again["id"]), (201, &made["id"]));
    // Two people do not undo each other.
    let (status, late) = running
        .order("/api/v1/overrides", &halt, Some("key-2"))
        .await;
    assert_eq!(
        (status, &late["error"]["code"]),
        (409, &json!("mode_changed"))
    );
    let address = running.first_position().await;
    for (body, status, code, field) in [
        (
            json!({"scope": "all", "mode": "halt", "note": "abc"}),
            422,
            "bad_field",
            "scope",
        ),
        (
            json!({"scope": "keeper", "mode": "pause", "note": "abc"}),
            422,
            "bad_field",
            "mode",
        ),
        (
            json!({"scope": "keeper", "mode": "halt", "note": " a "}),
            422,
            "bad_field",
            "note",
        ),
        (
            json!({"scope": "position", "mode": "halt", "note": "abc", "position": address}),
            422,
            "bad_field",
            "mode",
        ),
        (
            json!({"scope": "position", "mode": "pause", "note": "abc"}),
            422,
            "bad_field",
            "position",
        ),
        (
            json!({"scope": "position", "mode": "pause", "note": "abc", "position": Pubkey::new_from_array([3; 32]).to_string()}),
            404,
            "no_such_position",
            "position",
        ),
    ] {
        let (found, answer) = running.order("/api/v1/overrides", &body, None).await;
        let error = &answer["error"];
        assert_eq!(
            (found, &error["code"], &error["field"]),
            (status, &json!(code), &json!(field)),
            "{body}"
        );
    }
    assert_eq!(
        running.read("overrides").await["rows"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let token = running.token.clone();
    let (world, disk, directory) = running.end().await;
    let running = Running::on(world, disk, directory, Mode::Active).await;
    let now = running.read("status").await;
    assert_eq!(now["keeper"]["mode"], "halted");
    assert_eq!(
        (&now["keeper"]["journal"]["records"], &token),
        (&json!(1), &running.token)
    );
    // A due rehedge is left alone, and shown.
    running.world.lock().set_price(206);
    running
        .until("it is due", async |running| {
            running.read("status").await["counts"]["due"] != 0
        })
        .await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(running.read("actions").await["rows"], json!([]));
    let resume = json!({"scope": "keeper", "mode": "resume", "note": "it was right"});
    assert_eq!(
        running.order("/api/v1/overrides", &resume, None).await.0,
        201
    );
    running
        .until("the keeper acts again", async |running| {
            running.read("actions").await["rows"].get(0).is_some()
        })
        .await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_position_is_compared_with_its_mode_in_the_answers() {
    let running = Running::start(Mode::Active).await;
    let address = running.first_position().await;
    let mode = async || running.read(&format!("positions/{address}")).await["mode"].clone();
    let say = async |mode: &str, expected: serde_json::Value| {
        let body = json!({"scope": "position", "position": address, "mode": mode, "note": "because", "expect_mode": expected});
        running.order("/api/v1/overrides", &body, None).await
    };
    let first_seen = mode().await;
    assert_eq!(first_seen, "active");
    assert_eq!(say("pause", first_seen.clone()).await.0, 201);
    assert_eq!(mode().await, "halted");
    // Somebody else still sees an active position: a reduction would take the pause away.
    let (status, late) = say("reduce", first_seen).await;
    let error = &late["error"];
    assert_eq!((status, &error["code"]), (409, &json!("mode_changed")));
    let told = error["message"].as_str().unwrap();
    assert!(
        told.starts_with("the position's mode is paused now, not active (#"),
        "{told}"
    );
    assert_eq!(mode().await, "halted");
    assert_eq!(say("resume", mode().await).await.0, 201);
    // What is told to the whole keeper binds a position too.
    let reduce = json!({"scope": "keeper", "mode": "reduce", "note": "because"});
    assert_eq!(
        running.order("/api/v1/overrides", &reduce, None).await.0,
        201
    );
    assert_eq!(mode().await, "reducing");
    running.end().await;
}
