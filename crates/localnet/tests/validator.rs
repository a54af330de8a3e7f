//! A world on a validator, through JSON-RPC.

mod common;

use std::sync::Arc;

use ballast_localnet::TestValidator;

#[tokio::test(flavor = "multi_thread")]
async fn a_position_lives_and_ends() {
    if let Some(validator) = TestValidator::start_unless_left_out().await.unwrap() {
        common::story(Arc::new(validator)).await;
    }
}
