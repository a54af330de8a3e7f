//! What the history tells of the hedge and of itself.

use serde_json::{Value, json};

use super::running::Running;
use crate::Mode;

fn numbers(row: &Value) -> Vec<f64> {
    let numbers = row.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hedges_quarters_of_an_hour_and_the_historys_health_are_told() {
    let running = Running::kept(Mode::Paper).await;
    running.world.lock().set_price(203);
    let market = running.read("status").await["markets"][0]["market"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("markets/{market}/hedge");
    running
        .until("a point is kept", async |running| {
            let hedge = running.read(&path).await;
            hedge["rows"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty())
        })
        .await;
    let hedge = running.read(&path).await;
    assert_eq!(
        (
            &hedge["state"],
            &hedge["venue"],
            &hedge["instrument"],
            &hedge["step_secs"]
        ),
        (&json!("known"), &json!("paper"), &json!("SOL"), &json!(900))
    );
    let names = hedge["fields"].as_array().unwrap();
    let row = numbers(&hedge["rows"][0]);
    assert_eq!(row.len(), names.len());
    let of = |name: &str| row[names.iter().position(|it| *it == name).unwrap()];
    let parts = ["realised", "unrealised", "funding", "fees"].map(of);
    assert!(
        (parts.iter().sum::<f64>() - of("pnl")).abs() < 1e-9,
        "{row:?}"
    );
    assert!(of("price") > 100.0 && of("equity") > 0.0, "{row:?}");
    let none = running.read(&format!("{path}?from=1&to=2")).await;
    assert_eq!(
        (&none["rows"], &none["state"]),
        (&json!([]), &json!("known"))
    );
    let wrong = running.get(&format!("/api/v1/{path}?from=2&to=1")).await;
    assert_eq!(wrong.status(), 400);

    let metrics = running.get("/metrics").await.text().await.unwrap();
    let value = |name: &str| -> f64 {
        let mut lines = metrics.lines();
        let line = lines.find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.expect(name).parse().unwrap()
    };
    assert!(value("ballast_history_writes_total") > 0.0);
    assert!(value("ballast_history_write_age_seconds") < 60.0);
    assert_eq!(value("ballast_history_failures_total"), 0.0);
    assert_eq!(value("ballast_history_rows_waiting"), 0.0);
    running.end().await;
}
