//! What is answered: the numbers of the same slot, rows as they are asked for, the hedge in the book, each version once.

use ballast_client::{MarketContext, PriceAccounts};
use ballast_view::PositionView;
use reqwest::Method;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;

use super::running::Running;
use crate::{Mode, sim::bytes};

/// Whether two values are the same; numbers, which are read with an error in the last bit, but for that.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 2.0 * f64::EPSILON * b.abs(),
        _ => a == b,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_those_that_the_command_line_shows_of_the_same_slot() {
    let running = Running::start(Mode::Observe).await;
    let address = running.first_position().await;
    let context = bytes::context();
    let prices = PriceAccounts {
        base: context.prices.base,
        quote: context.prices.quote,
    };
    let chain = running.world.clone();
    let market = MarketContext::load(&chain, context.address, prices)
        .await
        .unwrap();
    running
        .until("both are of one slot", async |running| {
            let answer = running.read(&format!("positions/{address}")).await;
            let snapshot = market.snapshot(&chain).await.unwrap();
            if answer["slot"] != snapshot.slot {
                return false;
            }
            let at: Pubkey = address.parse().unwrap();
            let stored = running.world.lock().state_at(snapshot.slot).positions[&at];
            let view = PositionView::new(&snapshot, at, &stored).unwrap();
            for (key, value) in serde_json::to_value(view).unwrap().as_object().unwrap() {
                assert!(same(&answer[key], value), "{key}: {} {value}", answer[key]);
            }
            true
        })
        .await;
    let rows = running.read("positions?sort=danger").await;
    let detail = running.read(&format!("positions/{address}")).await;
    if rows["version"] == detail["version"] {
        for (key, value) in rows["rows"][0].as_object().unwrap() {
            assert_eq!(&detail[key], value, "{key}");
        }
    }
    let book = running.read("book").await;
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let rows = running.read("positions").await;
    let sum: f64 = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| number(&row["equity"]))
        .sum();
    assert!((number(&book["equity"]) - sum).abs() < 1e-5, "{book} {sum}");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sorted_filtered_and_cut() {
    let running = Running::start(Mode::Observe).await;
    let all = running.read("positions?sort=id&limit=500").await;
    let total = all["total"].as_u64().unwrap();
    assert!(total >= 3, "{total}");
    let ids = |answer: &Value| -> Vec<String> {
        let rows = answer["rows"].as_array().unwrap();
        rows.iter()
            .map(|row| row["position"].as_str().unwrap().to_owned())
            .collect()
    };
    let everything = ids(&all);
    assert_eq!(everything.len() as u64, total);
    let part = running.read("positions?sort=id&offset=1&limit=2").await;
    assert_eq!(ids(&part), everything[1..3]);
    assert_eq!(part["total"], total);
    let mut turned = ids(&running.read("positions?sort=-id&limit=500").await);
    turned.reverse();
    assert_eq!(turned, everything);
    let one = running
        .read(&format!("positions?q={}", everything[2]))
        .await;
    assert_eq!(
        (one["total"].as_u64(), ids(&one)),
        (Some(1), vec![everything[2].clone()])
    );
    for sort in ["danger", "due", "ltv", "equity", "delta", "leverage"] {
        assert_eq!(
            running.read(&format!("positions?sort={sort}")).await["total"],
            total
        );
    }
    for (path, field) in [
        ("positions?sort=luck", "sort"),
        ("positions?limit=0", "limit"),
        ("positions?limit=501", "limit"),
        ("positions?offset=-1", "offset"),
        ("positions?offset=x", "offset"),
        ("actions?limit=x", "limit"),
        ("actions?before=-1", "before"),
        ("actions?position=me", "position"),
    ] {
        let (status, body, _) = running
            .ask(Method::GET, &format!("/api/v1/{path}"), &[], "")
            .await;
        let error = &body["error"];
        assert_eq!(
            (status, &error["code"], &error["field"]),
            (400, &json!("bad_parameter"), &json!(field)),
            "{path}"
        );
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_sent_once_for_each_version() {
    let running = Running::start(Mode::Observe).await;
    let instance = running.read("status").await["keeper"]["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    running
        .until("nothing moves between two questions", async |running| {
            let first = running.get("/api/v1/book").await;
            let tag = first.headers()["etag"].to_str().unwrap().to_owned();
            let book: Value = first.json().await.unwrap();
            assert_eq!(tag, format!("\"{instance}-{}\"", book["version"]));
            let headers = [("if-none-match", tag.as_str())];
            let (status, body, headers) =
                running.ask(Method::GET, "/api/v1/book", &headers, "").await;
            if status == 304 {
                assert_eq!(
                    (body, headers["etag"].to_str().unwrap()),
                    (Value::Null, tag.as_str())
                );
            }
            status == 304
        })
        .await;
    // Another process' version is none.
    let other = [("if-none-match", "\"000000000000-1\"")];
    let (status, ..) = running.ask(Method::GET, "/api/v1/book", &other, "").await;
    assert_eq!(status, 200);
    let before = running.read("book").await["version"].as_u64().unwrap();
    running
        .until("the version grows with the chain", async |running| {
            running.read("book").await["version"].as_u64().unwrap() > before
        })
        .await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hedge_at_a_venue_stands_in_the_book_beside_the_positions_own_sums() {
    let running = Running::hedged(Mode::Paper).await;
    running.world.lock().set_price(203);
    running
        .until("it has hedged", async |running| {
            let book = running.read("book").await;
            book["hedge_state"] == "known" && book["hedge_delta"] != "0.000000000"
        })
        .await;
    let book = running.read("book").await;
    let raw = |value: &Value| -> i128 {
        let text: String = value.as_str().unwrap().split('.').collect();
        text.parse().unwrap()
    };
    assert_eq!(
        raw(&book["delta"]) + raw(&book["hedge_delta"]),
        raw(&book["net_delta"])
    );
    assert!(raw(&book["net_delta"]).abs() <= 110_000_000, "{book}");
    let pnl = &book["hedge_pnl"];
    let parts = ["price", "fees", "funding"].map(|part| raw(&pnl[part]));
    assert_eq!(parts.iter().sum::<i128>(), raw(&pnl["total"]));
    assert!(parts[1] < 0 && parts[2] == 0, "{pnl}");
    let market = book["market"].as_str().unwrap();
    let funding = running.read(&format!("markets/{market}/funding")).await;
    assert_eq!(
        (&funding["venue"], &funding["instrument"], &funding["state"]),
        (&json!("paper"), &json!("SOL"), &json!("unknown"))
    );
    assert_ne!(funding["position_base"], "0");
    running.end().await;
}
