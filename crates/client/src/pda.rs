//! Addresses derived by the Ballast program, and those of accounts that other programs create for it.

use ballast::state::{Market, OracleChange, Position, Reserve};
use ballast_abi::{spl, whirlpool};
use solana_sdk::pubkey::Pubkey;

fn find(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &ballast::ID).0
}

/// The market that `creator` made for a pool.
pub fn market(creator: &Pubkey, whirlpool: &Pubkey) -> Pubkey {
    find(&[Market::SEED, creator.as_ref(), whirlpool.as_ref()])
}

/// The announcement that a market's prices will come from elsewhere.
pub fn oracle_change(market: &Pubkey) -> Pubkey {
    find(&[OracleChange::SEED, market.as_ref()])
}

/// A market's reserve of one mint.
pub fn reserve(market: &Pubkey, mint: &Pubkey) -> Pubkey {
    find(&[Reserve::SEED, market.as_ref(), mint.as_ref()])
}

/// A reserve's vault.
pub fn vault(reserve: &Pubkey) -> Pubkey {
    find(&[Reserve::VAULT_SEED, reserve.as_ref()])
}

/// The mint of a reserve's shares.
pub fn share_mint(reserve: &Pubkey) -> Pubkey {
    find(&[Reserve::SHARES_SEED, reserve.as_ref()])
}

/// The position that `creator` opened under the number `id`.
pub fn position(market: &Pubkey, creator: &Pubkey, id: u64) -> Pubkey {
    find(&[
        Position::SEED,
        market.as_ref(),
        creator.as_ref(),
        &id.to_le_bytes(),
    ])
}

/// The mint of the NFT of a position's first Whirlpool position.
pub fn nft_mint(position: &Pubkey) -> Pubkey {
    find(&[Position::NFT_SEED, position.as_ref()])
}

/// The mint of the NFT of the Whirlpool position that replaces another: `generation` 1 for the first that does.
pub fn next_nft_mint(position: &Pubkey, generation: u32) -> Pubkey {
    find(&[
        Position::NFT_SEED,
        position.as_ref(),
        &generation.to_le_bytes(),
    ])
}

/// A position's token account for idle tokens of one mint.
pub fn idle_account(position: &Pubkey, mint: &Pubkey) -> Pubkey {
    find(&[Position::TOKENS_SEED, position.as_ref(), mint.as_ref()])
}

/// A position's token account that holds the NFT.
pub fn nft_account(position: &Pubkey, nft_mint: &Pubkey) -> Pubkey {
    spl::associated_token_account(position, nft_mint, &spl::TOKEN_2022_PROGRAM).0
}

/// The Whirlpool position that belongs to an NFT.
pub fn whirlpool_position(whirlpool_program: &Pubkey, nft_mint: &Pubkey) -> Pubkey {
    whirlpool::pda::position(whirlpool_program, nft_mint).0
}
