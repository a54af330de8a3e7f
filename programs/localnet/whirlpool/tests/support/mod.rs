//! A Whirlpool program in litesvm: the stand-in by default, any other binary by the environment.
//!
//! - `BALLAST_DEPLOY_DIR`: where `localnet_whirlpool.so` is; default `target/deploy` of the workspace.
//! - `BALLAST_WHIRLPOOL_SO` and `BALLAST_WHIRLPOOL_ID`: another binary of the Whirlpool program and its program id.
//! - `BALLAST_SEED`, `BALLAST_POOLS`: seed and size of random runs.
#![allow(dead_code, reason = "every test binary uses a part of it")]

mod draw;
mod parts;
mod pool;
mod reposition;
mod reset;
mod scenario;
mod scene;
mod seed;
mod world;

#[allow(unused_imports, reason = "every test binary uses a part of it")]
pub use self::{
    draw::*, parts::*, reposition::*, reset::*, scenario::*, scene::*, seed::*, world::*,
};
