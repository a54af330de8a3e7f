//! The Whirlpool position itself: opened, moved to another range, closed.

use anchor_lang::{prelude::*, system_program};
use ballast_abi::whirlpool::instruction::{
    ClosePositionWithTokenExtensions, ClosePositionWithTokenExtensionsAccounts,
    OpenPositionWithTokenExtensions, OpenPositionWithTokenExtensionsAccounts, ResetPositionRange,
    ResetPositionRangeAccounts,
};

use super::{call, check, require_not_lent};
use crate::{
    errors::BallastError,
    groups::{LendingAccounts, NftAccounts, PoolAccounts, PositionAccounts},
    state::Market,
};

/// Bytes whose rent a Whirlpool position keeps: its own, and those of its two ticks in dynamic tick arrays.
const POSITION_BYTES: usize = 216 + 2 * 113;
/// At least those of its NFT's mint.
const MINT_BYTES: usize = 256;
/// At least those of the account that holds the NFT.
const NFT_ACCOUNT_BYTES: usize = 192;

/// Carries out a call for which `funder` signs, if it costs the funder no more than the rent of these accounts, of so many bytes,
/// less what they have already, and leaves it what it was: who signs can be made another program's, which takes the lamports later.
fn call_within_rent(
    funder: &AccountInfo,
    created: &[(&AccountInfo, usize)],
    carry_out: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let rent = Rent::get()?;
    let missing = created.iter().map(|(account, bytes)| {
        rent.minimum_balance(*bytes)
            .saturating_sub(account.lamports())
    });
    let most: u64 = missing.sum();
    let before = funder.lamports();
    carry_out()?;
    require!(
        funder.lamports() >= before.saturating_sub(most),
        BallastError::AccountTampered
    );
    require!(
        funder.owner == &system_program::ID && funder.data_is_empty(),
        BallastError::AccountTampered
    );
    Ok(())
}

/// Everything that holds a Whirlpool position: its record, its NFT, and where the NFT lies.
pub struct NftHolder<'a, 'info> {
    /// The position of ours that owns it.
    pub position: &'a AccountInfo<'info>,
    /// The Whirlpool position.
    pub whirlpool_position: &'a AccountInfo<'info>,
    /// Mint of its NFT.
    pub nft_mint: &'a AccountInfo<'info>,
    /// Token account of the NFT.
    pub nft_account: &'a AccountInfo<'info>,
}

/// Who pays for a new Whirlpool position, by which programs it is made, and the seeds by which its NFT's mint signs.
pub struct Opening<'a, 'info> {
    /// Pays the rent.
    pub funder: &'a AccountInfo<'info>,
    /// The system program.
    pub system_program: &'a AccountInfo<'info>,
    /// The other programs.
    pub nft: &'a NftAccounts<'info>,
    /// Seeds of the mint, with the bump.
    pub nft_seeds: &'a [&'a [u8]],
}

/// Opens a Whirlpool position and mints its NFT to our position's address.
///
/// # Errors
/// [`BallastError::WrongPool`], [`BallastError::AccountTampered`] if it costs the funder more than rent, and those of the
/// Whirlpool program.
pub fn open_position<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    holder: &NftHolder<'_, 'info>,
    opening: &Opening<'_, 'info>,
    lending: &LendingAccounts<'info>,
    [tick_lower, tick_upper]: [i32; 2],
) -> Result<()> {
    check(pool, market)?;
    require_not_lent(lending, &[holder.whirlpool_position, holder.nft_account])?;
    let Opening {
        funder,
        system_program,
        nft,
        nft_seeds,
    } = *opening;
    let keys = OpenPositionWithTokenExtensionsAccounts {
        funder: *funder.key,
        owner: *holder.position.key,
        position: *holder.whirlpool_position.key,
        position_mint: *holder.nft_mint.key,
        position_token_account: *holder.nft_account.key,
        pool: pool.whirlpool.key(),
        token_2022_program: nft.token_2022_program.key(),
        system_program: *system_program.key,
        associated_token_program: nft.associated_token_program.key(),
        metadata_update_authority: nft.metadata_update_authority.key(),
    };
    let args = OpenPositionWithTokenExtensions {
        tick_lower,
        tick_upper,
        with_metadata: false,
    };
    let infos = [
        funder.clone(),
        holder.position.clone(),
        holder.whirlpool_position.clone(),
        holder.nft_mint.clone(),
        holder.nft_account.clone(),
        pool.whirlpool.to_account_info(),
        nft.token_2022_program.to_account_info(),
        system_program.clone(),
        nft.associated_token_program.to_account_info(),
        nft.metadata_update_authority.to_account_info(),
    ];
    let open = args.instruction(market.whirlpool_program, &keys);
    let created = [
        (holder.whirlpool_position, POSITION_BYTES),
        (holder.nft_mint, MINT_BYTES),
        (holder.nft_account, NFT_ACCOUNT_BYTES),
    ];
    call_within_rent(funder, &created, || call(&open, &infos, nft_seeds))
}

/// Closes an empty Whirlpool position and burns its NFT; the rent goes to `receiver`.
///
/// # Errors
/// [`BallastError::WrongPool`] and those of the Whirlpool program.
pub fn close_position<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    holder: &NftHolder<'_, 'info>,
    token_2022_program: &AccountInfo<'info>,
    receiver: &AccountInfo<'info>,
    position_seeds: &[&[u8]],
) -> Result<()> {
    check(pool, market)?;
    let keys = ClosePositionWithTokenExtensionsAccounts {
        position_authority: *holder.position.key,
        receiver: *receiver.key,
        position: *holder.whirlpool_position.key,
        position_mint: *holder.nft_mint.key,
        position_token_account: *holder.nft_account.key,
        token_2022_program: *token_2022_program.key,
    };
    let infos = [
        holder.position.clone(),
        receiver.clone(),
        holder.whirlpool_position.clone(),
        holder.nft_mint.clone(),
        holder.nft_account.clone(),
        token_2022_program.clone(),
    ];
    let close = ClosePositionWithTokenExtensions {}.instruction(market.whirlpool_program, &keys);
    call(&close, &infos, position_seeds)
}

/// Moves an empty Whirlpool position to another range; it keeps its NFT. Newer pool programs only.
///
/// # Errors
/// As [`open_position`].
pub fn reset_range<'info>(
    pool: &PoolAccounts<'info>,
    market: &Market,
    position: &PositionAccounts<'info>,
    funder: &AccountInfo<'info>,
    system_program: &AccountInfo<'info>,
    [tick_lower, tick_upper]: [i32; 2],
    position_seeds: &[&[u8]],
) -> Result<()> {
    check(pool, market)?;
    let keys = ResetPositionRangeAccounts {
        funder: *funder.key,
        position_authority: position.position.key(),
        pool: pool.whirlpool.key(),
        position: position.whirlpool_position.key(),
        position_token_account: position.nft_account.key(),
        system_program: *system_program.key,
    };
    let infos = [
        funder.clone(),
        position.position.to_account_info(),
        pool.whirlpool.to_account_info(),
        position.whirlpool_position.to_account_info(),
        position.nft_account.to_account_info(),
        system_program.clone(),
    ];
    let args = ResetPositionRange {
        tick_lower,
        tick_upper,
    };
    let reset = args.instruction(market.whirlpool_program, &keys);
    let topped_up = [(position.whirlpool_position.as_ref(), POSITION_BYTES)];
    call_within_rent(funder, &topped_up, || call(&reset, &infos, position_seeds))
}
