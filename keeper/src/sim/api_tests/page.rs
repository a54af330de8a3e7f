//! The page, the policies that come with every answer, and the metrics.

use reqwest::Method;

use super::running::Running;
use crate::Mode;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_every_answer_come_with_their_policies() {
    let running = Running::hedged(Mode::Observe).await;
    for path in [
        "/",
        "/api/v1/status",
        "/api/v1/nothing",
        "/healthz",
        "/metrics",
    ] {
        let answer = running.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';")
                && !policy.contains("unsafe")
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'none'"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        let cached = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(header("cache-control"), cached, "{path}");
    }
    let page = running.get("/").await;
    let tag = page.headers()["etag"].to_str().unwrap().to_owned();
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        page.text()
            .await
            .unwrap()
            .to_lowercase()
            .contains("<!doctype html>")
    );
    let (status, ..) = running
        .ask(Method::GET, "/index.html", &[("if-none-match", &tag)], "")
        .await;
    assert_eq!(status, 304);
    assert_eq!(running.get("/healthz").await.text().await.unwrap(), "ok\n");
    let metrics = running.get("/metrics").await.text().await.unwrap();
    let address = running.first_position().await;
    assert!(
        !metrics.contains(&address) && !metrics.contains("NaN"),
        "{metrics}"
    );
    for name in [
        "ballast_slot ",
        "ballast_positions ",
        "ballast_mode{mode=\"observe\"} 1",
        "ballast_market_price{market=",
        "ballast_book_equity_quote{",
        "ballast_hedge_band_base{coin=\"SOL\"} 0.1",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    // Every sample has a head, once.
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert_eq!(
            metrics.matches(&format!("# TYPE {name} ")).count(),
            1,
            "{name}"
        );
    }
    // What alerts and pictures ask for is there.
    for file in [
        include_str!("../../../../ops/prometheus/alerts.yml"),
        include_str!("../../../../ops/grafana/ballast.json"),
    ] {
        let words = file.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
        let asked: Vec<&str> = words.filter(|word| word.starts_with("ballast_")).collect();
        assert!(asked.len() > 9);
        for name in asked {
            assert!(metrics.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }
    running.end().await;
}
