//! Stand-in for Pyth's price receiver on clusters that do not have it: tests and the demo. Never for a public cluster.
//!
//! It writes `PriceUpdateV2` accounts with whatever it is told: anyone may post any price, of any age, verified or not,
//! because tests need hostile prices too.
//!
//! The program id is the public key of the Ed25519 seed sha256("ballast localnet pyth"): anyone can deploy it anywhere, which
//! is one more reason to trust it nowhere.

use anchor_lang::{
    prelude::*,
    solana_program::{program::invoke_signed, system_instruction},
};
use ballast_abi::pyth;

declare_id!("2LDh2cqVfmMKrmKvdY1VNTMW66DoYcLWxKaiBKVAHiNA");

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
        let (payer, price_account) = (&ctx.accounts.payer, &ctx.accounts.price_account);
        let index = index.to_le_bytes();
        let seeds: [&[u8]; 3] = [b"price", &feed_id, &index];
        let (address, bump) = Pubkey::find_program_address(&seeds, &ID);
        require_keys_eq!(address, *price_account.key, ErrorCode::ConstraintSeeds);
        if *price_account.owner != ID {
            create(ctx.accounts, &[seeds[0], seeds[1], seeds[2], &[bump]])?;
        }
        let update = pyth::PriceUpdate {
            write_authority: *payer.key,
            feed_id,
            price,
            conf,
            exponent,
            publish_time,
            previous_publish_time,
            ema_price,
            ema_conf,
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

/// Creates the price account, also when someone sent lamports to its address before.
fn create(accounts: &PostPrice, seeds: &[&[u8]]) -> Result<()> {
    let account: &AccountInfo = &accounts.price_account;
    let (payer, address) = (accounts.payer.key, account.key);
    let space = pyth::PriceUpdate::LENGTH;
    let missing = Rent::get()?
        .minimum_balance(space)
        .saturating_sub(account.lamports());
    let infos = [
        accounts.payer.to_account_info(),
        account.clone(),
        accounts.system_program.to_account_info(),
    ];
    for instruction in [
        system_instruction::transfer(payer, address, missing),
        system_instruction::allocate(address, space as u64),
        system_instruction::assign(address, &ID),
    ] {
        invoke_signed(&instruction, &infos, &[seeds])?;
    }
    Ok(())
}
