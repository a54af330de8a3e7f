//! A world on a validator, through JSON-RPC.

mod common;

use std::sync::Arc;

use ballast_localnet::TestValidator;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs solana-test-validator, in PATH or named by BALLAST_VALIDATOR"]
async fn a_position_lives_and_ends() {
    common::story(Arc::new(TestValidator::start().await.unwrap())).await;
}
