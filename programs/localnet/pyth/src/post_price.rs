//! Any price at all.

use anchor_lang::prelude::*;
use ballast_abi::pyth;

use crate::create::create;

/// How much of the signatures under a price were checked, as the receiver records it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationLevel {
    /// Only so many signatures.
    Partial {
        /// Number of signatures that were checked.
        num_signatures: u8,
    },
    /// All signatures that a quorum needs.
    Full,
}

/// Accounts of `post_price`.
#[derive(Accounts)]
pub struct PostPrice<'info> {
    /// Pays the rent; recorded as the account's write authority, which nothing here asks for.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub price_account: UncheckedAccount<'info>,
    /// System program.
    pub system_program: Program<'info, System>,
}

/// What is posted.
pub(crate) struct Post {
    pub feed_id: [u8; 32],
    pub index: u16,
    pub price: i64,
    pub conf: u64,
    pub exponent: i32,
    pub publish_time: i64,
    pub previous_publish_time: i64,
    pub ema_price: i64,
    pub ema_conf: u64,
}

pub(crate) fn post_price(
    ctx: Context<PostPrice>,
    post: Post,
    verification: VerificationLevel,
) -> Result<()> {
    let PostPrice {
        payer,
        price_account,
        system_program,
    } = ctx.accounts;
    let index = post.index.to_le_bytes();
    let seeds: [&[u8]; 3] = [b"price", &post.feed_id, &index];
    let (address, bump) = Pubkey::find_program_address(&seeds, &crate::ID);
    require_keys_eq!(address, *price_account.key, ErrorCode::ConstraintSeeds);
    if *price_account.owner != crate::ID {
        let seeds = [seeds[0], seeds[1], seeds[2], &[bump]];
        let space = pyth::PriceUpdate::LENGTH;
        create(payer, price_account, system_program, space, &[&seeds])?;
    }
    let update = pyth::PriceUpdate {
        write_authority: *payer.key,
        feed_id: post.feed_id,
        price: post.price,
        conf: post.conf,
        exponent: post.exponent,
        publish_time: post.publish_time,
        previous_publish_time: post.previous_publish_time,
        ema_price: post.ema_price,
        ema_conf: post.ema_conf,
        posted_slot: Clock::get()?.slot,
    };
    let bytes = update.encode(match verification {
        VerificationLevel::Partial { num_signatures } => pyth::Verification::Partial {
            signatures: num_signatures,
        },
        VerificationLevel::Full => pyth::Verification::Full,
    });
    price_account.try_borrow_mut_data()?.copy_from_slice(&bytes);
    Ok(())
}
