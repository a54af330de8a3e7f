//! What the tests of sources share: a small chain, a server that misbehaves, and a reader of what sources say.

pub(super) mod ledger;
pub(super) mod reader;
pub(super) mod ws_server;
