//! Stand-in for Pyth's price receiver, and for the Wormhole program that it relies on, on clusters that do not have them: tests and
//! the demo. Never for a public cluster.
//!
//! - [`mod@post_price`] writes `PriceUpdateV2` accounts with whatever it is told: anyone may post any price, of any age, verified
//!   or not, because tests need hostile prices too.
//! - [`message`] and [`mod@post_update`] take what the real programs take, instruction by instruction: a signed message in parts,
//!   its verification, and prices out of it. Sources, proofs and authorities are checked; **the guardians' signatures are not**,
//!   so that anyone can forge an update here as well.
//!
//! The program id is the public key of the Ed25519 seed sha256("ballast localnet pyth"): anyone can deploy it anywhere, which
//! is one more reason to trust it nowhere.

use anchor_lang::prelude::*;

mod create;
mod error;
mod message;
mod post_price;
mod post_update;

pub use error::PythError;
pub use message::*;
pub use post_price::*;
pub use post_update::*;

declare_id!("2LDh2cqVfmMKrmKvdY1VNTMW66DoYcLWxKaiBKVAHiNA");

#[program]
pub mod localnet_pyth {
    use super::*;

    /// Writes the price account of a feed and an index, creating it first if need be. Anyone may.
    #[allow(clippy::too_many_arguments, reason = "the fields of a price update")]
    pub fn post_price(
        ctx: Context<PostPrice>,
        feed_id: [u8; 32],
        index: u16,
        price: i64,
        conf: u64,
        exponent: i32,
        publish_time: i64,
        previous_publish_time: i64,
        ema_price: i64,
        ema_conf: u64,
        verification: VerificationLevel,
    ) -> Result<()> {
        let post = Post {
            feed_id,
            index,
            price,
            conf,
            exponent,
            publish_time,
            previous_publish_time,
            ema_price,
            ema_conf,
        };
        post_price::post_price(ctx, post, verification)
    }

    /// Creates the receiver's settings, once. Anyone may.
    pub fn initialize(ctx: Context<Initialize>, initial_config: Config) -> Result<()> {
        post_update::initialize(ctx, initial_config)
    }

    /// Posts a price out of a verified message.
    pub fn post_update(ctx: Context<PostUpdate>, params: PostUpdateParams) -> Result<()> {
        post_update::post_update(ctx, params)
    }

    /// Takes an account that is all zero for a signed message.
    pub fn init_encoded_vaa(ctx: Context<InitEncodedVaa>) -> Result<()> {
        message::init_encoded_vaa(ctx)
    }

    /// Writes a part of the message.
    pub fn write_encoded_vaa(
        ctx: Context<WriteEncodedVaa>,
        args: WriteEncodedVaaArgs,
    ) -> Result<()> {
        message::write_encoded_vaa(ctx, args)
    }

    /// Takes the message for verified if it has the layout of one.
    pub fn verify_encoded_vaa_v1(ctx: Context<VerifyEncodedVaaV1>) -> Result<()> {
        message::verify_encoded_vaa_v1(ctx)
    }

    /// Closes the account.
    pub fn close_encoded_vaa(ctx: Context<CloseEncodedVaa>) -> Result<()> {
        message::close_encoded_vaa(ctx)
    }
}
