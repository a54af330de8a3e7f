//! A world on the embedded node, through JSON-RPC.

mod common;

use std::sync::Arc;

use ballast_localnet::EmbeddedNode;

#[tokio::test(flavor = "multi_thread")]
async fn a_position_lives_and_ends() {
    let world = common::story(Arc::new(EmbeddedNode::start(50).await.unwrap())).await;
    let endpoints = world.net.endpoints().unwrap();
    assert!(
        endpoints.rpc_url.starts_with("http://127.0.0.1:")
            && endpoints.ws_url.starts_with("ws://127.0.0.1:")
    );
    let before = world.net.chain().clock().await.unwrap();
    world.net.pass_time(2).await.unwrap();
    let after = world.net.chain().clock().await.unwrap();
    assert!(after.now_secs >= before.now_secs + 2 && after.slot > before.slot);
}
