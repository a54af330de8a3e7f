use crate::node::Node;
use ballast_client::Amounts;
use ballast_localnet::UsdPrice;
#[tokio::test(flavor = "multi_thread")]
async fn show() {
    let node = Node::start().await;
    let world = node.world().await;
    let alice = world
        .trader("alice", Amounts::new(5_000_000_000, 1_000_000_000))
        .await
        .unwrap();
    let alice = &alice.keypair;
    let say = async |line: &[&str]| {
        let run = node.ballast(alice, line).await;
        eprintln!("$ ballast {}\n{}{}", line.join(" "), run.out, run.err);
        run.out
    };
    say(&["doctor"]).await;
    say(&["market", "show"]).await;
    say(&[
        "open",
        "--own-quote",
        "100",
        "--own-base",
        "0.1",
        "--leverage",
        "3",
        "--lower",
        "190",
        "--upper",
        "210",
        "--dry-run",
    ])
    .await;
    say(&[
        "open",
        "--own-quote",
        "100",
        "--leverage",
        "3",
        "--lower",
        "190",
        "--upper",
        "210",
    ])
    .await;
    say(&[
        "open",
        "--own-base",
        "1",
        "--leverage",
        "3",
        "--lower",
        "190",
        "--upper",
        "210",
        "--hedge",
        "0.5",
    ])
    .await;
    let out = say(&["positions"]).await;
    let address = out
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    say(&["explain", &address]).await;
    world.move_price(UsdPrice::dollars(192)).await.unwrap();
    say(&["explain", &address]).await;
    world
        .move_pool(
            UsdPrice::dollars(195)
                .sqrt_price(UsdPrice::ONE, 9, 6)
                .unwrap(),
        )
        .await
        .unwrap();
    say(&["explain", &address]).await;
    say(&[
        "open",
        "--own-quote",
        "100",
        "--leverage",
        "3",
        "--lower",
        "190",
        "--upper",
        "210",
    ])
    .await;
    say(&["close", &address]).await;
    say(&["close", &address, "--max-pay-quote", "50"]).await;
    say(&["lend", "deposit", "base", "0.5"]).await;
    say(&["lend", "show"]).await;
    say(&["--json", "positions"]).await;
}
