//! The binary against a node in process, through JSON-RPC. Needs the built programs: `cargo xtask build`.

mod book;
#[path = "../cli/common.rs"]
#[allow(
    dead_code,
    reason = "shared with the offline tests, which use other parts"
)]
mod common;
mod consent;
mod deploy;
mod exit_codes;
mod feeds;
mod life;
mod node;
mod planned;
mod position;
mod quote;
mod safety;
mod stress;
mod trouble;
mod vocabulary;
