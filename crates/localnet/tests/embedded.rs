//! A world on the embedded node, through JSON-RPC.

mod common;

use std::{sync::Arc, time::Instant};

use ballast_localnet::{EmbeddedNode, UsdPrice};

#[tokio::test(flavor = "multi_thread")]
async fn a_position_lives_and_ends() {
    let world = common::story(Arc::new(EmbeddedNode::start(50).await.unwrap())).await;
    let endpoints = world.net.endpoints().unwrap();
    assert!(
        endpoints.rpc_url.starts_with("http://127.0.0.1:")
            && endpoints.ws_url.starts_with("ws://127.0.0.1:")
    );
    // Time is moved, at once, and goes on from there; so do transactions.
    for secs in [0, 2, 7 * 86_400] {
        let began = Instant::now();
        let before = world.net.chain().clock().await.unwrap();
        world.net.pass_time(secs).await.unwrap();
        let after = world.net.chain().clock().await.unwrap();
        let passed_secs = after.now_secs.abs_diff(before.now_secs);
        let took_secs = began.elapsed().as_secs();
        assert!(passed_secs >= secs && after.slot >= before.slot);
        assert!(
            passed_secs <= secs + took_secs + 2 && took_secs < 3_600,
            "{passed_secs} s for {secs}, in {took_secs} s"
        );
        world.post_price(UsdPrice::dollars(200)).await.unwrap();
        let price = world.snapshot().await.unwrap().base_price;
        assert!(price.publish_time >= after.now_secs);
    }
}
