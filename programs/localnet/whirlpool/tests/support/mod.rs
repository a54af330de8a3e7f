//! A Whirlpool program in litesvm: the stand-in by default, any other binary by the environment.
//!
//! - `BALLAST_DEPLOY_DIR`: where `localnet_whirlpool.so` is; default `target/deploy` of the workspace.
//! - `BALLAST_WHIRLPOOL_SO` and `BALLAST_WHIRLPOOL_ID`: another binary of the Whirlpool program and its program id.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary uses a part of it"
)]

mod pool;
mod scenario;
mod world;

pub use pool::*;
pub use scenario::*;
pub use world::*;
